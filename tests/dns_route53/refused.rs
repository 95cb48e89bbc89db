//! What Route 53 refuses, and what the operator reads then.

use std::time::{Duration, Instant};

use axum::http::Method;
use geodeploy::dns::Provider;
use geodeploy::dns::route53::Route53;
use geodeploy::error::{Error, ErrorKind};
use geodeploy::secrets::Secret;

use crate::backend::Moto;
use crate::moto;
use crate::service::{Call, Fault};
use crate::suite::{Backend, Operator, wanted};

fn is_batch(call: &Call) -> bool {
    call.method == Method::POST && call.target.ends_with("/rrset")
}

fn is_batch_of_api(call: &Call) -> bool {
    is_batch(call) && call.body.contains("<Name>api.yourapp.com.<")
}

async fn refusal(provider: Route53) -> Error {
    provider.list(&wanted()).await.err().unwrap()
}

#[tokio::test]
async fn any_rejected_batch_leaves_its_names_as_they_were_and_a_rerun_does_the_rest() {
    if moto::is_missing("any_rejected_batch_leaves_its_names_as_they_were") {
        return;
    }
    // The batches of a run after the lock's probe and the lock.
    for nth in 0..6 {
        let moto = Moto::start().await;
        let operator = Operator::new(moto.provider());
        let looked = operator.look().await;
        let names = [
            "us.",
            "cn.",
            "cn-server.",
            "_gd-us.api.",
            "_gd-cn.api.",
            "api.",
        ];
        let on: [fn(&Call) -> bool; 6] = [
            |call| is_batch(call) && call.body.contains("<Name>us.yourapp.com.<"),
            |call| is_batch(call) && call.body.contains("<Name>cn.yourapp.com.<"),
            |call| is_batch(call) && call.body.contains("<Name>cn-server.yourapp.com.<"),
            |call| is_batch(call) && call.body.contains("<Name>_gd-us.api.yourapp.com.<"),
            |call| is_batch(call) && call.body.contains("<Name>_gd-cn.api.yourapp.com.<"),
            is_batch_of_api,
        ];
        moto.service.faults.lock().unwrap().push(Fault {
            on: on[nth],
            times: 1,
            status: 400,
            code: "InvalidChangeBatch",
            message: "[RRSet with DNS name x is not permitted]",
        });
        let target = geodeploy::dns::Target::Inventory;
        let error = operator
            .carry_out(target, &looked, geodeploy::dns::LIFETIME)
            .await
            .unwrap_err();
        let text = format!("{error:?}");
        for part in [
            "InvalidChangeBatch",
            "is not permitted",
            "request-of-the-test",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let name = format!("{}yourapp.com", names[nth]);
        let sets = moto.service.zone(&moto.zone).await;
        assert!(
            sets.iter().all(|set| set.key().0 != name),
            "{name} in {sets:?}"
        );
        moto.assert_invariants().await;
        Operator::new(moto.provider()).later().sync().await.unwrap();
        assert_eq!(Operator::new(moto.provider()).sync().await, Ok(0));
    }
}

#[tokio::test]
async fn throttling_is_waited_out_and_nothing_is_created_twice() {
    if moto::is_missing("throttling_is_waited_out_and_nothing_is_created_twice") {
        return;
    }
    let moto = Moto::start().await;
    for (on, code) in [
        (
            is_batch_of_api as fn(&Call) -> bool,
            "PriorRequestNotComplete",
        ),
        (
            |call| call.target.ends_with("/2013-04-01/healthcheck") && call.writes(),
            "Throttling",
        ),
        (
            |call| call.target.contains("hostedzonesbyname"),
            "Throttling",
        ),
    ] {
        let message = "Rate exceeded";
        moto.service.faults.lock().unwrap().push(Fault {
            on,
            times: 2,
            status: 400,
            code,
            message,
        });
    }
    Operator::new(moto.provider()).sync().await.unwrap();
    assert_eq!(Operator::new(moto.provider()).sync().await, Ok(0));
    let checks = moto.service.checks().await;
    assert_eq!(checks.matches("<HealthCheck>").count(), 4, "{checks}");
}

#[tokio::test]
async fn throttling_without_an_end_is_given_up_within_the_deadline() {
    if moto::is_missing("throttling_without_an_end_is_given_up_within_the_deadline") {
        return;
    }
    let moto = Moto::start().await;
    moto.service.faults.lock().unwrap().push(Fault {
        on: |_| true,
        times: usize::MAX,
        status: 400,
        code: "Throttling",
        message: "Rate exceeded",
    });
    let begun = Instant::now();
    let error = refusal(moto.provider().with_patience(Duration::from_secs(2))).await;
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
}

#[tokio::test]
async fn a_missing_permission_to_read_names_the_action() {
    if moto::is_missing("a_missing_permission_to_read_names_the_action") {
        return;
    }
    for (on, action) in [
        (
            (|call| call.target.contains("hostedzonesbyname")) as fn(&Call) -> bool,
            "ListHostedZonesByName",
        ),
        (
            |call| call.target.ends_with("/rrset"),
            "ListResourceRecordSets",
        ),
        (
            |call| call.target.ends_with("/healthcheck"),
            "ListHealthChecks",
        ),
    ] {
        let moto = Moto::start().await;
        let fault = Fault {
            on,
            times: 9,
            status: 403,
            code: "AccessDenied",
            message: "User is not authorized",
        };
        moto.service.faults.lock().unwrap().push(fault);
        let error = refusal(moto.provider()).await;
        assert!(
            error.hints[0].contains(&format!("route53:{action}")),
            "{error:?}"
        );
        assert_eq!(moto.mutations(), 0);
    }
}

#[tokio::test]
async fn every_missing_permission_to_write_is_named_before_anything_is_written() {
    if moto::is_missing("every_missing_permission_to_write_is_named_before_anything_is_written") {
        return;
    }
    let moto = Moto::start().await;
    let before = moto.dump().await;
    let fault = Fault {
        on: |call| call.writes() || call.target.contains("/change/"),
        times: 99,
        status: 403,
        code: "AccessDenied",
        message: "User is not authorized",
    };
    moto.service.faults.lock().unwrap().push(fault);
    let error = Operator::new(moto.provider()).sync().await.unwrap_err();
    let text = format!("{error:?}");
    for action in [
        "ChangeResourceRecordSets",
        "GetChange",
        "UpdateHealthCheck",
        "ChangeTagsForResource",
        "DeleteHealthCheck",
    ] {
        assert!(
            text.contains(&format!("route53:{action}")),
            "{action} in {text}"
        );
    }
    assert_eq!(moto.dump().await, before);
}

#[tokio::test]
async fn a_key_that_may_not_create_health_checks_has_written_no_record() {
    if moto::is_missing("a_key_that_may_not_create_health_checks_has_written_no_record") {
        return;
    }
    let moto = Moto::start().await;
    let before = moto.dump().await;
    moto.service.faults.lock().unwrap().push(Fault {
        on: |call| call.method == Method::POST && call.target.ends_with("01/healthcheck"),
        times: 9,
        status: 403,
        code: "AccessDenied",
        message: "User is not authorized",
    });
    let error = Operator::new(moto.provider()).sync().await.unwrap_err();
    assert!(
        format!("{error:?}").contains("allow `route53:CreateHealthCheck`"),
        "{error:?}"
    );
    assert_eq!(moto.dump().await, before);
}

#[tokio::test]
async fn a_wrong_key_is_a_refused_login() {
    if moto::is_missing("a_wrong_key_is_a_refused_login") {
        return;
    }
    let moto = Moto::start().await;
    let error = refusal(moto.provider_with("another secret")).await;
    assert_eq!(error.kind, ErrorKind::LoginRefused, "{error:?}");
    assert!(
        error.hints[0].contains("dns.secret_access_key"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_zone_that_is_not_there_names_those_that_are() {
    if moto::is_missing("a_zone_that_is_not_there_names_those_that_are") {
        return;
    }
    let moto = Moto::empty().await;
    let error = refusal(moto.provider()).await;
    assert!(error.hints[0].contains("no public zones"), "{error:?}");
    moto.make_zone("example.org", false).await;
    moto.make_zone("yourapp.com", true).await;
    let error = refusal(moto.provider()).await;
    assert_eq!(error.kind, ErrorKind::Input);
    assert!(error.hints[0].contains("example.org"), "{error:?}");
    assert!(error.causes[0].contains("private"), "{error:?}");
    // Beside its private namesake the public one is taken.
    let id = moto.make_zone("yourapp.com", false).await;
    let listing = moto.provider().list(&wanted()).await.unwrap();
    assert!(format!("{:?}", listing.context).contains(&id));
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let key = || Secret::new("key".to_owned());
    let provider = Route53::new(Some(&endpoint), key(), key(), None, false).unwrap();
    let error = refusal(provider.with_patience(Duration::from_millis(300))).await;
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
}

#[test]
fn a_session_token_is_not_sent_in_clear_text_over_a_public_network() {
    let endpoint = "http://route53.amazonaws.com".parse().unwrap();
    let key = || Secret::new("key".to_owned());
    let error = Route53::new(Some(&endpoint), key(), key(), Some(key()), false).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input);
}
