//! Against the vendor's own signer.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;

use super::*;

const SCOPE: Scope = Scope {
    region: "us-east-1",
    service: "route53",
};

/// The `Authorization` of the vendor's signer.
fn vendors(request: Request<'_>, token: Option<&str>, seconds: u64) -> String {
    let identity = Credentials::new(
        "AKIDEXAMPLE",
        "wJalr/EXAMPLE+KEY",
        token.map(str::to_owned),
        None,
        "test",
    );
    let identity = identity.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(SCOPE.region)
        .name(SCOPE.service)
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let query = query_string(request.query);
    let uri = format!("https://{}{}?{query}", request.host, request.path);
    let uri = uri.trim_end_matches('?').to_owned();
    let signable = SignableRequest::new(
        request.method,
        uri,
        std::iter::once(("host", request.host)),
        SignableBody::Bytes(request.body.as_bytes()),
    )
    .unwrap();
    let (instructions, _) = aws_sigv4::http_request::sign(signable, &parameters)
        .unwrap()
        .into_parts();
    let (headers, _) = instructions.into_parts();
    headers
        .iter()
        .find(|header| header.name() == "authorization")
        .unwrap()
        .value()
        .to_owned()
}

fn ours(request: Request<'_>, token: Option<&str>, seconds: u64) -> String {
    let keys = Keys {
        access_key_id: Secret::new("AKIDEXAMPLE".to_owned()),
        secret_access_key: Secret::new("wJalr/EXAMPLE+KEY".to_owned()),
        session_token: token.map(|token| Secret::new(token.to_owned())),
    };
    let now = Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
    sign(&keys, SCOPE, now, request)
        .authorization
        .expose()
        .to_owned()
}

#[test]
fn the_signature_is_that_of_the_vendors_signer() {
    let long = "x".repeat(9000);
    let queries: [&[(&str, &str)]; 5] = [
        &[],
        &[("dnsname", "yourapp.com."), ("maxitems", "100")],
        &[
            ("name", "\\052.yourapp.com."),
            ("type", "TXT"),
            ("identifier", "geodeploy:app:NA A/+&=~"),
        ],
        &[("b", "2"), ("a", "1"), ("a", "0")],
        &[("marker", "中国 ü")],
    ];
    let bodies = ["", "<a>中国 &amp; \u{1f600}</a>", &long];
    let mut compared = 0;
    for (method, path) in [
        ("GET", "/2013-04-01/hostedzonesbyname"),
        ("POST", "/2013-04-01/hostedzone/Z0123/rrset"),
        ("DELETE", "/2013-04-01/healthcheck/a-b.c_d~e"),
        ("GET", "/2013-04-01/change/C%2F1"),
    ] {
        for query in queries {
            for body in bodies {
                // The last second of a day, the first of the next, and a leap day.
                for seconds in [1_767_225_599, 1_767_225_600, 1_709_164_800] {
                    for token in [None, Some("FwoGZXIvYXdzE/+=")] {
                        for host in ["route53.amazonaws.com", "127.0.0.1:5555"] {
                            let request = Request {
                                method,
                                host,
                                path,
                                query,
                                body,
                            };
                            assert_eq!(
                                ours(request, token, seconds),
                                vendors(request, token, seconds),
                                "{request:?} {token:?} {seconds}"
                            );
                            compared += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(compared, 720);
}

#[test]
fn nothing_of_a_signature_is_printed() {
    let keys = Keys {
        access_key_id: Secret::new("AKIDEXAMPLE".to_owned()),
        secret_access_key: Secret::new("wJalrEXAMPLEKEY".to_owned()),
        session_token: Some(Secret::new("FwoGZX".to_owned())),
    };
    let request = Request {
        method: "GET",
        host: "h",
        path: "/",
        query: &[],
        body: "",
    };
    let signed = sign(&keys, SCOPE, Timestamp::UNIX_EPOCH, request);
    let printed = format!("{keys:?} {signed:?}");
    for secret in ["AKID", "wJalr", "FwoGZX", "Signature="] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
