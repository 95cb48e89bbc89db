//! What there is: one look at the zone and its account, which only reads.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::client::Client;
use super::endpoints::{Balancers, Collection, Monitors, Place, Pools, Records};
use super::refusal::Failure;
use super::schema::{Balancer, Listed, Monitor, Pool, Record, Zone};
use super::{Context, balancer, mark, monitor, pool, records, zone};
use crate::dns::{Found, Listing, Mark, Object, Wanted};
use crate::error::{Error, ErrorKind};

mod assemble;
mod regions;

/// So many objects a page; Cloudflare may give fewer, and then says how many pages there are.
const PER_PAGE: &str = "100";
/// More pages than any zone has.
const MOST_PAGES: u32 = 10_000;

const DNS_WRITE: &str = "DNS Write (zone)";
const BALANCERS_WRITE: &str = "Load Balancers Write (zone)";
const POOLS_WRITE: &str = "Load Balancing: Monitors and Pools Write (account)";

/// Everything that was read.
struct Seen {
    records: Vec<Listed<Record>>,
    balancers: Vec<Listed<Balancer>>,
    pools: Vec<Listed<Pool>>,
    monitors: Vec<Listed<Monitor>>,
}

/// What keeps a run from going on, collected so that all of it is told at once.
#[derive(Default)]
struct Obstacles {
    permissions: BTreeSet<&'static str>,
    said: Vec<Error>,
    balancing: Option<Error>,
}

pub(super) async fn list(client: &Client, wanted: &Wanted) -> Result<Listing<Context>, Error> {
    let zone = zone::find(client, wanted).await?;
    let place = Place {
        zone: zone.id.clone(),
        account: zone.account.id.clone(),
    };
    let (records, balancers, pools, monitors, countries) = tokio::join!(
        all::<Records, Listed<Record>>(client, &place),
        all::<Balancers, Listed<Balancer>>(client, &place),
        all::<Pools, Listed<Pool>>(client, &place),
        all::<Monitors, Listed<Monitor>>(client, &place),
        regions::countries(client, &place),
    );
    let mut obstacles = Obstacles::default();
    let seen = Seen {
        records: obstacles.take(records, DNS_WRITE, "list records")?,
        balancers: obstacles.take(balancers, BALANCERS_WRITE, "list load balancers")?,
        pools: obstacles.take(pools, POOLS_WRITE, "list pools")?,
        monitors: obstacles.take(monitors, POOLS_WRITE, "list monitors")?,
    };
    obstacles.by_old_names(&zone);
    let geo = wanted.geo.is_some();
    if let Some(error) = obstacles.error(&zone.name, geo) {
        return Err(error);
    }
    let mut context = Context {
        zone: zone.name,
        place,
        countries: countries?,
        without_balancing: obstacles.balancing.clone().filter(|_| geo),
        notes: Vec::new(),
        shadowing: Vec::new(),
    };
    let unseen = !obstacles.permissions.is_empty() || obstacles.balancing.is_some();
    if !geo && unseen {
        context.notes.push(
            "cloudflare does not show its Load Balancing to this token: what an earlier `geo = true` may have left of it is not seen".to_owned(),
        );
    }
    assemble::sentences(&seen, wanted, &mut context);
    Ok(Listing {
        objects: assemble::objects(&seen, wanted),
        context,
    })
}

/// All pages of a collection, each object once.
async fn all<C: Collection, T: DeserializeOwned + Identified>(
    client: &Client,
    place: &Place,
) -> Result<Vec<T>, Failure> {
    let (mut found, mut ids) = (Vec::new(), BTreeSet::new());
    for page in 1..=MOST_PAGES {
        let number = page.to_string();
        let query = [("page", number.as_str()), ("per_page", PER_PAGE)];
        let answer = client
            .page::<Option<Vec<T>>>(&place.list::<C>(&query))
            .await?;
        // What is made or deleted meanwhile moves others from page to page.
        for object in answer.result.unwrap_or_default() {
            if ids.insert(object.id().to_owned()) {
                found.push(object);
            }
        }
        if page >= answer.pages {
            break;
        }
    }
    Ok(found)
}

trait Identified {
    fn id(&self) -> &str;
}

impl<T> Identified for Listed<T> {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Obstacles {
    /// The objects; none where a permission or Load Balancing is missing, which is noted.
    fn take<T>(
        &mut self,
        answer: Result<Vec<T>, Failure>,
        permission: &'static str,
        what: &str,
    ) -> Result<Vec<T>, Error> {
        match answer {
            Ok(objects) => Ok(objects),
            Err(Failure::Refused(refusal)) if refusal.lacks_load_balancing() => {
                self.balancing = Some(refusal.error(what));
                Ok(Vec::new())
            }
            Err(Failure::Refused(refusal)) if refusal.lacks_permission() => {
                self.permissions.insert(permission);
                self.said.push(refusal.error(what));
                Ok(Vec::new())
            }
            Err(failure) => Err(failure.error(what)),
        }
    }

    /// A zone names what its reader may do by old names. Where one may be read and not written, that is sure; where
    /// neither is named, the list is of another kind.
    fn by_old_names(&mut self, zone: &Zone) {
        for (old, permission) in [("#dns_records", DNS_WRITE), ("#lb", BALANCERS_WRITE)] {
            let has = |suffix: &str| zone.permissions.contains(&format!("{old}:{suffix}"));
            if has("read") && !has("edit") {
                self.permissions.insert(permission);
            }
        }
    }

    fn error(&self, zone: &str, geo: bool) -> Option<Error> {
        let needed = |permission: &&&str| geo || **permission == DNS_WRITE;
        let missing: Vec<&str> = self.permissions.iter().filter(needed).copied().collect();
        if missing.is_empty() {
            return None;
        }
        let what = format!(
            "cloudflare: the token for {zone} lacks {}",
            missing.join(", ")
        );
        let mut error = Error::new(ErrorKind::Input, what);
        for said in &self.said {
            error = error.cause(said);
        }
        Some(error.hint(
            "edit the token under My Profile, API Tokens: it needs Zone Read, DNS Write and Load Balancers Write for the zone, and Load Balancing: Monitors and Pools Write for the account; with `geo = false` the first two are enough",
        ))
    }
}
