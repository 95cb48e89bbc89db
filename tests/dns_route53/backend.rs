//! moto behind the suite.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use geodeploy::dns::route53::Route53;
use geodeploy::secrets::Secret;

use crate::service::Service;
use crate::signed::{ACCESS_KEY_ID, SECRET, SESSION_TOKEN};
use crate::strict::contradictions;
use crate::suite::Backend;
use crate::xml::between;

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

pub(crate) struct Moto {
    pub(crate) service: Arc<Service>,
    pub(crate) zone: String,
    port: u16,
}

impl Moto {
    /// An account without a zone.
    pub(crate) async fn empty() -> Self {
        let (service, port) = Service::start().await;
        Self {
            service,
            zone: String::new(),
            port,
        }
    }

    /// Makes a zone; its id.
    pub(crate) async fn make_zone(&self, name: &str, private: bool) -> String {
        let body = format!(
            "<CreateHostedZoneRequest xmlns=\"{NAMESPACE}\"><Name>{name}</Name><CallerReference>{name}{private}</CallerReference>\
             <HostedZoneConfig><PrivateZone>{private}</PrivateZone></HostedZoneConfig></CreateHostedZoneRequest>"
        );
        let (status, _, text) = self
            .service
            .moto(Method::POST, "/2013-04-01/hostedzone", &body)
            .await;
        assert!(status.is_success(), "{text}");
        between(&text, "<Id>/hostedzone/", "<")[0].to_owned()
    }

    /// Writes sets behind everybody's back, each `NAME TYPE` and what is inside of it.
    pub(crate) async fn put(&self, sets: &[(&str, &str, String)]) {
        let changes: String = sets
            .iter()
            .map(|(name, kind, inner)| {
                format!(
                    "<Change><Action>UPSERT</Action><ResourceRecordSet><Name>{name}.</Name><Type>{kind}</Type>{inner}\
                     </ResourceRecordSet></Change>"
                )
            })
            .collect();
        let body = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"{NAMESPACE}\"><ChangeBatch><Changes>{changes}</Changes></ChangeBatch>\
             </ChangeResourceRecordSetsRequest>"
        );
        let target = format!("/2013-04-01/hostedzone/{}/rrset", self.zone);
        let (status, _, text) = self.service.moto(Method::POST, &target, &body).await;
        assert!(status.is_success(), "{text}");
    }

    /// A provider with another secret.
    pub(crate) fn provider_with(&self, secret: &str) -> Route53 {
        let endpoint = format!("http://127.0.0.1:{}", self.port).parse().unwrap();
        Route53::new(
            Some(&endpoint),
            Secret::new(ACCESS_KEY_ID.to_owned()),
            Secret::new(secret.to_owned()),
            Some(Secret::new(SESSION_TOKEN.to_owned())),
            false,
        )
        .unwrap()
        .with_patience(Duration::from_secs(8))
    }
}

/// A TTL and one value.
pub(crate) fn simple(ttl: u64, value: &str) -> String {
    format!(
        "<TTL>{ttl}</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords>"
    )
}

impl Backend for Moto {
    type Provider = Route53;

    async fn start() -> Self {
        let mut moto = Self::empty().await;
        moto.zone = moto.make_zone("yourapp.com", false).await;
        moto
    }

    fn provider(&self) -> Route53 {
        self.provider_with(SECRET)
    }

    async fn seed_foreign(&self, count: usize) {
        let mut sets = Vec::new();
        for number in 0..count {
            let name = format!("foreign-{number}.yourapp.com");
            let routed = format!("<SetIdentifier>by hand {number}</SetIdentifier>");
            let (kind, inner) = match number % 5 {
                0 => ("A", simple(300, &format!("192.0.2.{number}"))),
                1 => ("CNAME", simple(77, "elsewhere.example.com")),
                2 => ("TXT", simple(60, "\"v=spf1 -all\" \"geodeploy:yourapp A\"")),
                3 => (
                    "A",
                    routed + "<Weight>3</Weight>" + &simple(60, "192.0.2.200"),
                ),
                _ => (
                    "AAAA",
                    routed
                        + "<GeoLocation><CountryCode>*</CountryCode></GeoLocation>"
                        + &simple(60, "2001:DB8::5"),
                ),
            };
            sets.push((name, kind, inner));
        }
        let sets: Vec<_> = sets
            .iter()
            .map(|(name, kind, inner)| (name.as_str(), *kind, inner.clone()))
            .collect();
        if !sets.is_empty() {
            self.put(&sets).await;
        }
        let body = format!(
            "<CreateHealthCheckRequest xmlns=\"{NAMESPACE}\"><CallerReference>by hand {count}</CallerReference><HealthCheckConfig>\
             <IPAddress>192.0.2.1</IPAddress><Port>80</Port><Type>HTTP</Type><FullyQualifiedDomainName>us.yourapp.com\
             </FullyQualifiedDomainName></HealthCheckConfig></CreateHealthCheckRequest>"
        );
        self.service
            .moto(Method::POST, "/2013-04-01/healthcheck", &body)
            .await;
    }

    async fn seed_conflict(&self) -> String {
        self.put(&[("us.yourapp.com", "A", simple(300, "192.0.2.99"))])
            .await;
        format!("{} us.yourapp.com A", self.zone)
    }

    async fn meddle(&self) {
        self.put(&[("us.yourapp.com", "A", simple(60, "192.0.2.77"))])
            .await;
    }

    async fn foreign(&self) -> String {
        let sets = self.service.listing(&self.zone).await;
        let sets = between(&sets, "<ResourceRecordSet>", "</ResourceRecordSet>").into_iter();
        let checks = self.service.checks().await;
        let checks = between(&checks, "<HealthCheck>", "</HealthCheck>").into_iter();
        let foreign: Vec<String> = sets
            .filter(|set| {
                set.contains("foreign-") || set.contains("<Type>NS") || set.contains("<Type>SOA")
            })
            .chain(checks.filter(|check| check.contains("by hand")))
            .map(str::to_owned)
            .collect();
        assert!(foreign.len() >= 2, "{foreign:?}");
        foreign.join("\n")
    }

    async fn dump(&self) -> String {
        let checks = self.service.checks().await;
        let sets = self.service.listing(&self.zone).await;
        // An answer names its request.
        let kept = |text: &str| {
            between(text, "<RequestId>", "</RequestId>")
                .into_iter()
                .fold(text.to_owned(), |text, id| text.replace(id, ""))
        };
        kept(&sets) + &kept(&checks)
    }

    fn mutations(&self) -> usize {
        let calls = self.service.calls.lock().unwrap();
        calls.iter().filter(|call| call.writes()).count()
    }

    fn death(&self, call: usize, carried_out: bool) -> impl Future<Output = ()> {
        self.service.die(call, carried_out)
    }

    async fn assert_invariants(&self) {
        let sets = self.service.zone(&self.zone).await;
        assert_eq!(contradictions(&sets), Vec::<String>::new());
        let checks = self.service.checks().await;
        for set in &sets {
            if let Some(id) = &set.health_check_id {
                assert!(checks.contains(id.as_str()), "{set:?}");
            }
        }
        for kind in ["A", "AAAA"] {
            let api: Vec<_> = sets
                .iter()
                .filter(|set| set.key().0 == "api.yourapp.com" && set.kind == kind)
                .collect();
            let everywhere = api.iter().any(|set| {
                set.geo_location
                    .as_ref()
                    .is_some_and(|geo| geo.country_code.as_deref() == Some("*"))
            });
            assert!(api.is_empty() || everywhere, "{api:?}");
        }
    }

    fn secrets(&self) -> Vec<String> {
        [ACCESS_KEY_ID, SECRET, SESSION_TOKEN]
            .map(str::to_owned)
            .to_vec()
    }
}
