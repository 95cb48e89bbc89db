//! Which certificates there should be, and which of them have to be made. Pure.

use jiff::Timestamp;

use crate::ca::{Described, Holder, Purpose, RENEWAL_DAYS};
use crate::inventory::tls::{client, server};
use crate::inventory::{Inventory, Region, RegionName};

/// A certificate that there should be.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Whose host it is for.
    pub(super) region: RegionName,
    /// What is in it; its name is the files' name.
    pub(super) holder: Holder,
}

/// Every certificate of the inventory: MongoDB's own, and one for each region's application.
pub(super) fn wanted(inventory: &Inventory) -> Vec<Wanted> {
    let organisation = inventory.app.name.to_string();
    let tls = &inventory.database.tls;
    let mut wanted = Vec::new();
    for region in &inventory.regions {
        let mut add = |name: String, purpose, names| {
            let organisation = organisation.clone();
            wanted.push(Wanted {
                region: region.name.clone(),
                holder: Holder {
                    name,
                    organisation,
                    purpose,
                    names,
                },
            });
        };
        if tls.servers.contains_key(&region.name) {
            let names = server_names(inventory, region);
            add(server(&region.name), Purpose::Server, names);
        }
        add(client(&region.name), Purpose::Client, Vec::new());
    }
    wanted
}

/// What MongoDB is dialled by: from its own host, from the other regions, and as a member of its set; sorted.
fn server_names(inventory: &Inventory, region: &Region) -> Vec<String> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
        region.server_name.to_string(),
        region.domain.to_string(),
        inventory.database_host(region),
    ];
    let addresses = inventory.database_addresses(region);
    names.extend(addresses.iter().map(ToString::to_string));
    names.extend(region.addresses.networks().iter().map(ToString::to_string));
    names.sort();
    names.dedup();
    names
}

/// Why a certificate has to be issued; `None` when the one that is there will do.
pub(super) fn reason(
    found: Option<&Described>,
    key_is_there: bool,
    authority: &Described,
    wanted: &Holder,
    now: Timestamp,
) -> Option<String> {
    let Some(found) = found else {
        return Some("missing".to_owned());
    };
    if !key_is_there {
        return Some("its key is missing".to_owned());
    }
    if found.issuer_key != authority.own_key {
        return Some("another authority issued it".to_owned());
    }
    if found.names != wanted.names {
        return Some("it names other addresses".to_owned());
    }
    let days = found.days_left(now);
    (days < RENEWAL_DAYS).then(|| format!("{days} days left"))
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::ca::{Authority, describe};

    #[test]
    fn every_member_of_a_set_gets_a_certificate_for_its_own_names_and_loopback() {
        let text = crate::inventory::EXAMPLE
            .replace("mode = \"single\"", "mode = \"replica-set\"")
            .replace("# members = ", "members = ");
        let inventory = Inventory::parse(&text, "example.toml").unwrap();
        let all = wanted(&inventory);
        for (region, other) in [("cn", "us"), ("us", "cn")] {
            let name = format!("{region}-server");
            let found = all.iter().find(|wanted| wanted.holder.name == name);
            let names = &found.unwrap().holder.names;
            for wanted in [
                "localhost",
                "127.0.0.1",
                &*format!("{region}-server.yourapp.com"),
            ] {
                assert!(names.contains(&wanted.to_owned()), "{names:?}");
            }
            assert!(!names.contains(&format!("{other}-server.yourapp.com")));
        }
        assert_eq!(all.len(), 4);
    }

    #[test]
    fn a_certificate_is_issued_when_it_is_missing_old_foreign_or_for_other_addresses() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let key = Authority::key().unwrap();
        let certificate = Authority::certificate("yourapp", &key, now).unwrap();
        let authority = Authority::load(&certificate, &key).unwrap();
        let wanted = Holder {
            name: "cn-server".to_owned(),
            organisation: "yourapp".to_owned(),
            purpose: Purpose::Server,
            names: vec!["127.0.0.1".to_owned(), "cn.yourapp.com".to_owned()],
        };
        let issued = authority.issue(&wanted, now).unwrap();
        let found = describe(&issued.certificate).unwrap();
        let own = describe(&certificate).unwrap();
        let foreign = Authority::certificate("yourapp", &Authority::key().unwrap(), now).unwrap();
        let foreign = describe(&foreign).unwrap();
        let because = |found, key, authority, wanted: &Holder, days: i64| {
            let day = now + (days * 24).hours();
            reason(found, key, authority, wanted, day).unwrap_or_default()
        };
        assert_eq!(because(Some(&found), true, &own, &wanted, 0), "");
        assert_eq!(because(None, true, &own, &wanted, 0), "missing");
        assert_eq!(
            because(Some(&found), false, &own, &wanted, 0),
            "its key is missing"
        );
        assert_eq!(
            because(Some(&found), true, &foreign, &wanted, 0),
            "another authority issued it"
        );
        let moved = Holder {
            names: vec!["10.0.0.5".to_owned()],
            ..wanted.clone()
        };
        assert_eq!(
            because(Some(&found), true, &own, &moved, 0),
            "it names other addresses"
        );
        assert_eq!(
            because(Some(&found), true, &own, &wanted, 380),
            "16 days left"
        );
    }
}
