//! Whoever runs geodeploy, in a test.

use std::sync::Mutex;
use std::time::Duration;

use geodeploy::dns::{
    Consent, LIFETIME, Looked, Provider, Snapshot, Surroundings, Target, Task, Wanted,
};
use geodeploy::error::Error;
use geodeploy::inventory::{EXAMPLE, Inventory};
use geodeploy::plan::{Id, Kind};
use jiff::{SignedDuration, Timestamp};

const DNS: &str = r#"
[dns]
provider = "embedded"
[dns.routing]
default = "us"
continents = { NA = "us", AS = "cn" }
"#;

/// What the example inventory wants: us, cn and cn-server with both families, and `api` by geography.
pub(crate) fn wanted() -> Wanted {
    let inventory = Inventory::parse(&format!("{EXAMPLE}{DNS}"), "example.toml").unwrap();
    Wanted::of(&inventory).unwrap().wanted
}

/// One operator's run.
pub(crate) struct Operator<P> {
    provider: P,
    pub(crate) wanted: Wanted,
    pub(crate) consent: Consent,
    /// How many seconds their clock is ahead.
    pub(crate) ahead: i64,
    pub(crate) snapshots: Mutex<Vec<Snapshot>>,
}

impl<P: Provider> Operator<P> {
    pub(crate) fn new(provider: P) -> Self {
        Self {
            provider,
            wanted: wanted(),
            consent: Consent::default(),
            ahead: 0,
            snapshots: Mutex::default(),
        }
    }

    pub(crate) fn adopting(mut self, name: &str) -> Self {
        self.consent.adopt.push(name.to_owned());
        self
    }

    pub(crate) fn deleting(mut self, name: &str) -> Self {
        self.consent.delete.push(name.to_owned());
        self
    }

    /// One whose run begins when every lock of now has lapsed.
    pub(crate) fn later(mut self) -> Self {
        self.ahead += LIFETIME.as_secs() as i64 + 2;
        self
    }

    fn task<'a>(&'a self, target: Target<'a>) -> Task<'a, P> {
        Task {
            provider: &self.provider,
            wanted: &self.wanted,
            target,
            consent: &self.consent,
        }
    }

    pub(crate) async fn look(&self) -> Looked<P::Context> {
        self.task(Target::Inventory).look().await.unwrap()
    }

    pub(crate) async fn carry_out(
        &self,
        target: Target<'_>,
        shown: &Looked<P::Context>,
        lifetime: Duration,
    ) -> Result<usize, Error> {
        let ahead = SignedDuration::from_secs(self.ahead);
        let around = Surroundings {
            holder: &format!("ada@laptop {}", self.ahead),
            clock: &|| Timestamp::now() + ahead,
            lifetime,
            keep: &|snapshot| {
                self.snapshots.lock().unwrap().push(snapshot.clone());
                Ok(())
            },
            progress: &|_, _, _| {},
        };
        self.task(target).carry_out(shown, &around).await
    }

    pub(crate) async fn sync(&self) -> Result<usize, Error> {
        let looked = self.look().await;
        self.carry_out(Target::Inventory, &looked, LIFETIME).await
    }

    pub(crate) async fn back(&self, to: &Snapshot, newest: &Snapshot) -> Result<usize, Error> {
        let target = Target::Snapshot { to, newest };
        let looked = self.task(target).look().await?;
        self.carry_out(target, &looked, LIFETIME).await
    }
}

/// The record that [`super::Backend::seed_conflict`] and [`super::Backend::meddle`] are about.
pub(crate) fn us() -> Id {
    Id::new(Kind::Record, "us.yourapp.com A")
}
