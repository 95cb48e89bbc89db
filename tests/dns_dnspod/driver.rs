//! What is wanted, and the way there: list, compare, lock, make the calls, settle.

use std::net::Ipv6Addr;
use std::time::Duration;

use geodeploy::dns::dnspod::{Context, Credentials, Dnspod, Pace};
use geodeploy::dns::{
    Answer, Desired, Found, GeoName, Handles, HostName, Listing, Lock, LockError, Mark, Provider,
    Wanted,
};
use geodeploy::error::Error;
use geodeploy::inventory::{Addresses, HttpUrl, RegionName, Routing, TencentSite};
use geodeploy::plan::Change;
use geodeploy::secrets::Secret;
use jiff::Timestamp;

use super::fake::{Fake, SECRET_ID, SECRET_KEY};

pub(crate) const US: &str = "198.51.100.10";
pub(crate) const CN: &str = "203.0.113.20";

pub(crate) fn region(name: &str) -> RegionName {
    name.parse().unwrap()
}

/// North America to us, Asia to cn, everybody else to us; `countries` on top.
pub(crate) fn routing(countries: &[(&str, &str)]) -> Routing {
    Routing {
        default: region("us"),
        continents: [("NA", "us"), ("AS", "cn")]
            .map(|(code, name)| (code.parse().unwrap(), region(name)))
            .into(),
        countries: countries
            .iter()
            .map(|(code, name)| (code.parse().unwrap(), region(name)))
            .collect(),
    }
}

fn addresses(ipv4: &str, ipv6: &str) -> Addresses {
    Addresses {
        ipv4: ipv4.parse().unwrap(),
        ipv6: Some(ipv6.parse::<Ipv6Addr>().unwrap()),
    }
}

/// Two hosts and `api.yourapp.com`, in both families.
pub(crate) fn wanted(routing: Routing) -> Wanted {
    let regions = [
        ("us", addresses(US, "2001:db8:1::a")),
        ("cn", addresses(CN, "2001:db8:2:0:0:0:0:14")),
    ];
    let domain = |name: &str| format!("{name}.yourapp.com").parse().unwrap();
    Wanted {
        zone: "yourapp.com".parse().unwrap(),
        owner: "geodeploy:yourapp".to_owned(),
        ttl: Duration::from_secs(60),
        hosts: regions
            .map(|(name, addresses)| HostName {
                name: domain(name),
                region: region(name),
                addresses,
            })
            .into(),
        geo: Some(GeoName {
            name: domain("api"),
            answers: regions
                .map(|(name, addresses)| Answer {
                    region: region(name),
                    domain: domain(name),
                    addresses,
                })
                .into(),
            routing,
        }),
    }
}

/// Patience for a test: the fake's delays are scaled down.
pub(crate) const PACE: Pace = Pace {
    poll: Duration::from_millis(20),
    bound: Duration::from_millis(1500),
    throttled: Duration::from_millis(300),
};

pub(crate) fn provider(fake: &Fake) -> Dnspod {
    provider_with(fake, PACE, SECRET_ID, SECRET_KEY)
}

pub(crate) fn provider_with(fake: &Fake, pace: Pace, id: &str, key: &str) -> Dnspod {
    let endpoint: HttpUrl = format!("http://{}", fake.address).parse().unwrap();
    let credentials = Credentials {
        id: Secret::new(id.to_owned()),
        key: Secret::new(key.to_owned()),
    };
    Dnspod::new(TencentSite::China, Some(&endpoint), credentials, pace).unwrap()
}

pub(crate) fn lock(holder: &str, seconds: i64) -> Lock {
    let expires = Timestamp::from_second(Timestamp::now().as_second() + seconds).unwrap();
    Lock {
        holder: holder.to_owned(),
        expires,
    }
}

/// What a look shows.
pub(crate) struct Look {
    pub(crate) listing: Listing<Context>,
    pub(crate) desired: Desired,
    pub(crate) changes: Vec<Change>,
    /// Foreign objects in the way.
    pub(crate) conflicts: Vec<Found>,
}

/// Lists and compares. Ours that is not wanted goes; what is foreign stays unless `adopt`.
pub(crate) async fn look(dnspod: &Dnspod, wanted: &Wanted, adopt: bool) -> Result<Look, Error> {
    let listing = dnspod.list(wanted).await?;
    let desired = dnspod.desired(wanted, &listing.context)?;
    let (mut changes, mut conflicts, mut going) = (Vec::new(), Vec::new(), Vec::new());
    for found in &listing.objects {
        let is_wanted = desired
            .objects
            .iter()
            .any(|object| object.id == found.object.id);
        match found.mark {
            Mark::Ours if is_wanted => {}
            Mark::Ours => going.push(found),
            _ if !adopt => conflicts.push(found.clone()),
            _ if !is_wanted => going.push(found),
            _ => {}
        }
    }
    for object in &desired.objects {
        let found = listing
            .objects
            .iter()
            .find(|found| found.object.id == object.id);
        if conflicts
            .iter()
            .any(|conflict| conflict.object.id == object.id)
        {
            continue;
        }
        let before = found.map(|found| found.object.attributes.clone());
        changes.extend(Change::between(
            object.id.clone(),
            before,
            Some(object.attributes.clone()),
        ));
    }
    for found in going {
        let before = Some(found.object.attributes.clone());
        changes.extend(Change::between(found.object.id.clone(), before, None));
    }
    Ok(Look {
        listing,
        desired,
        changes,
        conflicts,
    })
}

/// Makes it so; returns how many changes there were.
pub(crate) async fn sync(dnspod: &Dnspod, wanted: &Wanted, adopt: bool) -> Result<usize, Error> {
    let look = look(dnspod, wanted, adopt).await?;
    if look.changes.is_empty() {
        return Ok(0);
    }
    let context = &look.listing.context;
    let lock = lock("ada@laptop 3f2a91c0", 60);
    let failed = |error| match error {
        LockError::Failed(error) => error,
        LockError::Exists => panic!("the zone is locked"),
    };
    dnspod.place_lock(&lock, context).await.map_err(failed)?;
    let done = carry_out(dnspod, &look.changes, &look.listing).await;
    let given_back = dnspod
        .replace_lock(&lock, None, context)
        .await
        .map_err(failed);
    done?;
    given_back?;
    Ok(look.changes.len())
}

/// Makes the calls and waits until they are listed.
pub(crate) async fn carry_out(
    dnspod: &Dnspod,
    changes: &[Change],
    listing: &Listing<Context>,
) -> Result<(), Error> {
    let mut handles: Handles = listing
        .objects
        .iter()
        .map(|found| (found.object.id.clone(), found.handle.clone()))
        .collect();
    for step in dnspod.steps(changes, &listing.context) {
        dnspod.apply(&step, &mut handles, &listing.context).await?;
    }
    dnspod.settle(&listing.context).await
}
