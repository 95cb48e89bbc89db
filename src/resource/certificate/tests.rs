use super::attempts::Mark;
use super::certbot::reason;
use super::*;
use crate::agent::fixture::{Bench, Fixture};

const ISSUED: &str = "notBefore=Sep  1 00:00:00 2001 GMT\nnotAfter=Nov 30 00:00:00 2001 GMT\n\
    issuer=\n    countryName               = US\n    commonName                = R11\nserial=04AB\n\
    X509v3 Subject Alternative Name: \n    DNS:api.yourapp.com, DNS:us.yourapp.com\n";

const SETTINGS: &str = "renew_before_expiry = 720 hours\nversion = 1.21.0\n[renewalparams]\nserver = https://ca.test/dir\n";

fn certificate() -> Certificate {
    Certificate {
        lineage: "geodeploy-yourapp".to_owned(),
        names: vec!["us.yourapp.com".to_owned(), "api.yourapp.com".to_owned()],
        email: "admin@yourapp.com".to_owned(),
        directory: "https://ca.test/dir".to_owned(),
        root: None,
    }
}

/// A host whose names resolve and that has the certificate, if it has one.
fn host(issued: Option<&str>) -> Bench {
    let system = Fixture::new();
    if let Some(text) = issued {
        system.put("/etc/letsencrypt/live/geodeploy-yourapp/cert.pem", "PEM");
        system.put("/etc/letsencrypt/renewal/geodeploy-yourapp.conf", SETTINGS);
        system.script("openssl x509 *", text);
    }
    system.script("getent ahosts *", "203.0.113.10 STREAM");
    system.script("/etc/letsencrypt/renewal-hooks/deploy/*", "");
    Bench::new(system)
}

fn change(bench: &Bench) -> Option<Change> {
    let (certificate, context) = (certificate(), bench.context());
    let found = certificate.inspect(&context).unwrap();
    Change::between(certificate.id(), found, certificate.desired(context.key))
}

/// The commands of an apply, looks left out.
fn applied(bench: &Bench) -> (Result<(), Fault>, Vec<String>) {
    let change = change(bench).unwrap();
    let before = bench.system.ran().len();
    let result = certificate().apply(&change, &bench.context());
    let ran = bench.system.ran().split_off(before);
    let telling = |line: &String| !line.starts_with("openssl") && !line.starts_with("getent");
    (result, ran.into_iter().filter(telling).collect())
}

#[test]
fn a_certificate_as_it_should_be_is_left_alone() {
    assert_eq!(change(&host(Some(ISSUED))), None);
}

#[test]
fn other_names_another_authority_or_an_expired_one_are_differences() {
    for (from, to, attribute) in [
        ("DNS:api.yourapp.com, ", "", "names"),
        ("Nov 30", "Sep  9", "valid"),
    ] {
        let change = change(&host(Some(&ISSUED.replace(from, to)))).unwrap();
        let value = |side: &Option<Attributes>| side.as_ref().unwrap().get(attribute).cloned();
        assert_ne!(value(&change.before), value(&change.after), "{attribute}");
    }
}

#[test]
fn settings_that_certbot_lost_are_mended_without_asking_the_authority() {
    let bench = host(Some(ISSUED));
    let path = "/etc/letsencrypt/renewal/geodeploy-yourapp.conf";
    let settings = SETTINGS.replace("renew_before", "# renew_before");
    bench.system.put(path, &settings);
    let (result, ran) = applied(&bench);
    result.unwrap();
    assert_eq!(
        ran,
        ["/etc/letsencrypt/renewal-hooks/deploy/geodeploy-yourapp"]
    );
}

#[test]
fn a_name_that_does_not_resolve_costs_no_attempt_and_leaves_it_pending() {
    let bench = Bench::new(Fixture::new());
    bench
        .system
        .script_failure("getent ahosts us.yourapp.com", 2, "");
    let (result, ran) = applied(&bench);
    let fault = result.unwrap_err();
    assert!(
        fault.pending && fault.why.contains("us.yourapp.com does not resolve"),
        "{fault}"
    );
    assert!(ran.is_empty(), "{ran:?}");
}

#[test]
fn after_four_refusals_within_an_hour_the_authority_is_not_asked_before_the_hour_is_over() {
    let bench = host(None);
    let problem = "  Domain: us.yourapp.com\n  Type:   dns\n  Detail: no such name\n";
    bench
        .system
        .script_failure("certbot certonly *", 1, problem);
    for _ in 0..4 {
        let (result, ran) = applied(&bench);
        let fault = result.unwrap_err();
        assert!(
            fault.pending && fault.why.contains("no such name"),
            "{fault}"
        );
        assert_eq!(ran.len(), 1, "{ran:?}");
    }
    let (result, ran) = applied(&bench);
    let fault = result.unwrap_err();
    let hint = fault.hint.unwrap();
    assert!(fault.pending && ran.is_empty(), "{ran:?}");
    assert!(hint.contains("after 2001-09-09 02:46 UTC"), "{hint}");
    use crate::agent::system::System as _;
    bench.system.sleep(std::time::Duration::from_secs(3600));
    assert_eq!(applied(&bench).1.len(), 1);
}

#[test]
fn refused_nonces_are_asked_again_and_are_no_attempt() {
    let bench = host(None);
    let log = "acme.messages.Error: urn:ietf:params:acme:error:badNonce :: The client sent an unacceptable \
        anti-replay nonce :: JWS has an invalid anti-replay nonce: x\n";
    bench
        .system
        .put("/var/log/letsencrypt/letsencrypt.log", log);
    bench.system.add(crate::agent::fixture::Script {
        runs: Some(7),
        ..crate::agent::fixture::Script::failure(
            "certbot certonly *",
            1,
            "AttributeError: can't set attribute",
        )
    });
    bench.system.script("certbot certonly *", "");
    let (result, ran) = applied(&bench);
    result.unwrap();
    assert_eq!(ran.len(), 7 + 1 + 1, "{ran:?}");
    assert!(bench.system.files("/var/lib/geodeploy").is_empty());
}

#[test]
fn an_authority_that_cannot_be_reached_is_told_and_not_counted() {
    let printed = "Saving debug log to /var/log/letsencrypt/letsencrypt.log\nAn unexpected error occurred:\n\
        requests.exceptions.ConnectTimeout: timed out\nAsk for help or search for solutions\n";
    // What an earlier run was told is in the same log.
    let log = "acme.messages.Error: urn:ietf:params:acme:error:dns :: x :: y\ncertbot version: 2.1.0\nOops\n";
    let refusal = reason(printed, log);
    assert!(!refusal.counts);
    assert_eq!(refusal.why, "requests.exceptions.ConnectTimeout: timed out");
}

#[test]
fn a_mark_opens_again_one_attempt_after_the_other() {
    let mark = |refused: &[i64]| Mark {
        refused: refused.to_vec(),
        why: String::new(),
    };
    assert_eq!(mark(&[0, 10, 20]).closed_until(30), None);
    assert_eq!(mark(&[0, 10, 20, 30]).closed_until(40), Some(3600));
    assert_eq!(mark(&[0, 10, 20, 30]).closed_until(3600), None);
    assert_eq!(mark(&[0, 10, 20, 30, 40]).closed_until(50), Some(3610));
}
