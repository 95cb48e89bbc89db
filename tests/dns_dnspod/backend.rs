//! The fake behind what every provider keeps to.

use std::future::Future;
use std::time::Duration;

use geodeploy::dns::dnspod::Dnspod;

use super::driver::provider;
use super::fake::{Cut, Fake, Record, SECRET_ID, SECRET_KEY};
use crate::suite::{Backend, Operator, wanted};

const OWNER: &str = "geodeploy:yourapp";

pub(crate) struct DnspodBackend(Fake);

impl Backend for DnspodBackend {
    type Provider = Dnspod;

    async fn start() -> Self {
        Self(Fake::start("DP_ULTRA", Duration::ZERO).await)
    }

    fn provider(&self) -> Dnspod {
        provider(&self.0)
    }

    async fn seed_foreign(&self, count: usize) {
        let zone = &mut self.0.world().zone;
        for number in 0..count {
            let name = format!("foreign-{number}");
            match number % 3 {
                0 => zone.seed(&name, "A", "0", &format!("192.0.2.{number}"), "手工添加"),
                1 => zone.seed(&name, "CNAME", "0", "example.net.", ""),
                _ => zone.seed("us", "TXT", "0", &format!("v={number}"), ""),
            };
        }
    }

    async fn seed_conflict(&self) -> String {
        let zone = &mut self.0.world().zone;
        zone.seed("us", "A", "0", "192.0.2.99", "手工添加")
            .to_string()
    }

    async fn meddle(&self) {
        let zone = &mut self.0.world().zone;
        let here = |record: &&mut Record| record.name == "us" && record.kind == "A";
        let record = zone.records.iter_mut().find(here).unwrap();
        record.value = "192.0.2.77".to_owned();
        zone.written();
    }

    async fn foreign(&self) -> String {
        let world = self.0.world();
        let records = world.zone.records.iter();
        let is_foreign =
            |record: &&Record| record.remark != OWNER && record.name != "_geodeploy-lock";
        format!("{:#?}", records.filter(is_foreign).collect::<Vec<_>>())
    }

    async fn dump(&self) -> String {
        format!("{:#?}", self.0.world().zone.records)
    }

    fn mutations(&self) -> usize {
        self.0.writes()
    }

    fn death(&self, call: usize, carried_out: bool) -> impl Future<Output = ()> {
        let cut = if carried_out {
            Cut::Answer
        } else {
            Cut::Request
        };
        let mut world = self.0.world();
        world.hangs_at = Some((world.calls.len() + call, cut));
        self.0.died.notified()
    }

    /// No name without its default line, and none twice.
    async fn assert_invariants(&self) {
        let world = self.0.world();
        assert_eq!(world.zone.bare, [] as [String; 0]);
        let mut ours: Vec<String> = world
            .zone
            .records
            .iter()
            .filter(|record| record.remark == OWNER)
            .map(|record| format!("{} {} {}", record.name, record.kind, record.line))
            .collect();
        let count = ours.len();
        ours.sort();
        ours.dedup();
        assert_eq!(ours.len(), count);
    }

    fn secrets(&self) -> Vec<String> {
        vec![SECRET_ID.to_owned(), SECRET_KEY.to_owned()]
    }
}

#[tokio::test]
async fn a_degraded_plan_is_carried_out_only_by_explicit_consent() {
    let backend = DnspodBackend(Fake::start("DP_FREE", Duration::ZERO).await);
    let mut operator = Operator::new(backend.provider());
    let refused = operator.sync().await.unwrap_err();
    assert!(
        refused.causes[0]
            .starts_with("Asia but CN (52 countries) gets the address of us instead of cn"),
        "{refused:?}"
    );
    assert!(
        refused.hints[0].contains("--accept-degraded"),
        "{refused:?}"
    );
    assert_eq!(
        (backend.mutations(), backend.0.world().zone.records.len()),
        (0, 0)
    );

    operator.consent.degraded = true;
    operator.sync().await.unwrap();
    assert_eq!(operator.sync().await, Ok(0));
    let geo = wanted().geo.unwrap();
    let label = geo.name.as_str().trim_end_matches(".yourapp.com");
    let address = |region: &str| {
        let mut answers = geo.answers.iter();
        let answer = answers.find(|answer| answer.region.as_str() == region);
        vec![answer.unwrap().addresses.ipv4.to_string()]
    };
    let world = backend.0.world();
    assert_eq!(
        world.zone.answers(label, "A", &["7=0", "3=0"]),
        address("cn")
    );
    assert_eq!(
        world.zone.answers(label, "A", &["3=11", "3=0"]),
        address("us")
    );
}
