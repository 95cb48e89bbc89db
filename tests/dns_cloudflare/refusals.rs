//! Who is refused what, before anything is written.

use geodeploy::dns::cloudflare::Cloudflare;
use geodeploy::dns::{Desired, Provider, Wanted};
use geodeploy::error::{Error, ErrorKind};
use geodeploy::plan::Kind;
use geodeploy::secrets::Secret;
use serde_json::json;

use crate::fake::{Entitlement, Server, TOKEN};
use crate::suite::{Backend, Operator, wanted};

/// What planning comes to.
async fn planned(provider: &Cloudflare, wanted: &Wanted) -> Result<Desired, Error> {
    let listing = provider.list(wanted).await?;
    provider.desired(wanted, &listing.context)
}

/// The refusal of a plan, after which nothing was written and no token was shown.
async fn refused(server: &Server, provider: &Cloudflare) -> Error {
    let error = planned(provider, &wanted()).await.unwrap_err();
    assert_eq!(server.writes().len(), 0);
    assert!(!format!("{error:?}").contains(TOKEN), "{error:?}");
    error
}

fn without_geography() -> Wanted {
    Wanted {
        geo: None,
        ..wanted()
    }
}

#[tokio::test]
async fn a_wrong_token_is_refused_with_the_code_and_the_requests_id() {
    let server = Server::start().await;
    let error = refused(&server, &server.with_token("hunter2")).await;
    assert_eq!(error.kind, ErrorKind::LoginRefused, "{error:?}");
    assert_eq!(
        error.causes,
        [
            "code 9109: Invalid access token",
            "request id 8f2a6c31be0de1a2-FRA"
        ]
    );
    assert!(error.hints[0].contains("dns.token") && !format!("{error:?}").contains("hunter2"));
}

#[tokio::test]
async fn every_missing_permission_is_named_at_once_before_anything_is_written() {
    let server = Server::start().await;
    let provider = server.provider();
    server.store().missing.insert("Zone Read");
    let error = refused(&server, &provider).await;
    assert!(error.hints[0].contains("Zone Read"), "{error:?}");

    server.store().missing = [
        "DNS Write",
        "Load Balancers Write",
        "Load Balancing: Monitors and Pools Write",
    ]
    .into();
    let error = refused(&server, &provider).await;
    assert_eq!(error.kind, ErrorKind::Input);
    for name in [
        "DNS Write (zone)",
        "Load Balancers Write (zone)",
        "Load Balancing: Monitors and Pools Write (account)",
    ] {
        assert!(error.what.contains(name), "{name} in {error:?}");
    }
    assert!(format!("{error:?}").contains("code 10000"), "{error:?}");
}

#[tokio::test]
async fn a_token_that_may_read_and_not_write_is_refused_before_anything_is_written() {
    let server = Server::start().await;
    server.store().zones[0]["permissions"] =
        json!(["#dns_records:read", "#lb:read", "#lb:edit", "#zone:read"]);
    let error = refused(&server, &server.provider()).await;
    assert!(error.what.ends_with("lacks DNS Write (zone)"), "{error:?}");
    // A list of another kind proves nothing.
    server.store().zones[0]["permissions"] = json!(["#something:else"]);
    assert!(planned(&server.provider(), &wanted()).await.is_ok());
}

#[tokio::test]
async fn a_zone_that_is_not_there_is_refused_with_the_zones_that_the_token_sees() {
    let server = Server::start().await;
    server.store().zones[0]["name"] = json!("yourapp.org");
    let error = refused(&server, &server.provider()).await;
    assert_eq!(error.kind, ErrorKind::Input);
    assert!(error.what.contains("no zone yourapp.com"), "{error:?}");
    assert_eq!(error.causes, ["it sees yourapp.org"]);
    server.store().zones.clear();
    let error = refused(&server, &server.provider()).await;
    assert_eq!(error.causes, ["it sees no zone at all"]);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/client/v4", listener.local_addr().unwrap());
    drop(listener);
    let patience = std::time::Duration::from_millis(100);
    let token = Secret::new(TOKEN.to_owned());
    let provider = Cloudflare::patient_for(patience, token, Some(&url.parse().unwrap())).unwrap();
    let error = planned(&provider, &wanted()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
}

#[tokio::test]
async fn without_load_balancing_a_plan_is_refused_and_names_what_else_there_is() {
    let server = Server::start().await;
    server.store().entitlement = Entitlement::NotListed;
    let error = refused(&server, &server.provider()).await;
    assert_eq!(error.kind, ErrorKind::Input);
    let text = format!("{error:?}");
    for word in [
        "embedded",
        "route53",
        "manual",
        "geo = false",
        "code 1002",
        "request id",
    ] {
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[tokio::test]
async fn where_only_the_first_create_tells_that_there_is_no_load_balancing_nothing_is_left_behind()
{
    let server = Server::start().await;
    server.store().entitlement = Entitlement::NoMonitors;
    let before = server.dump().await;
    let error = Operator::new(server.provider()).sync().await.unwrap_err();
    let text = format!("{error:?}");
    assert!(
        text.contains("embedded") && text.contains("[0, 0]"),
        "{text}"
    );
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn where_the_zone_alone_has_no_load_balancing_no_record_is_touched_and_a_plan_shows_what_is_left()
 {
    let server = Server::start().await;
    server.store().entitlement = Entitlement::NotThisZone;
    let error = Operator::new(server.provider()).sync().await.unwrap_err();
    let text = format!("{error:?}");
    assert!(
        text.contains("embedded") && text.contains("not enabled for zone"),
        "{text}"
    );
    assert!(server.store().records.is_empty() && server.store().balancers.is_empty());
    let mut plain = Operator::new(server.provider());
    plain.wanted = without_geography();
    let left = plain.look().await.reconciled.unconsented;
    let kinds: Vec<Kind> = left.iter().map(|id| id.kind).collect();
    assert_eq!(
        kinds,
        [Kind::HealthCheck, Kind::HealthCheck, Kind::Pool, Kind::Pool]
    );
}

#[tokio::test]
async fn without_geography_the_zones_permissions_and_the_free_plan_are_enough() {
    let server = Server::start().await;
    server.store().missing = [
        "Load Balancers Write",
        "Load Balancing: Monitors and Pools Write",
    ]
    .into();
    let mut operator = Operator::new(server.provider());
    operator.wanted = without_geography();
    assert_eq!(operator.sync().await, Ok(6));
    server.store().missing.clear();
    server.store().entitlement = Entitlement::NotListed;
    assert_eq!(operator.sync().await, Ok(0));
    let desired = planned(&server.provider(), &operator.wanted).await.unwrap();
    assert!(
        desired.notes[0].contains("is not seen"),
        "{:?}",
        desired.notes
    );
}
