//! A health check: one a region, that asks for the region's own name.

use std::collections::BTreeMap;

use super::schema::Monitor;
use super::text::{Reader, seconds, yes_or_no};
use super::{mark, text};
use crate::dns::Wanted;
use crate::error::Error;
use crate::inventory::DomainName;
use crate::plan::{Attributes, Id, Kind};

/// Plain HTTP, as it is answered before there are certificates too; afterwards the redirect is followed. 60 s is the
/// shortest interval that every paid plan has, 5 s is how long any monitor of a region waits.
pub(super) fn wanted(wanted: &Wanted, domain: &DomainName) -> Monitor {
    let host = vec![domain.as_str().to_owned()];
    Monitor {
        kind: "http".to_owned(),
        method: "GET".to_owned(),
        path: "/api/health".to_owned(),
        port: Some(80),
        header: BTreeMap::from([("Host".to_owned(), host)]),
        expected_codes: "200".to_owned(),
        follow_redirects: true,
        interval: 60,
        timeout: 5,
        retries: 2,
        description: mark::of_account(&wanted.owner, wanted.zone.as_str(), domain.as_str()),
    }
}

/// Its identity: the name that it asks for.
pub(super) fn id(domain: &str) -> Id {
    Id::new(Kind::HealthCheck, domain)
}

pub(super) fn attributes(monitor: &Monitor, owner: &str) -> Attributes {
    let port = monitor.port.map_or(String::new(), |port| port.to_string());
    let host = monitor.header.get("Host").map(|hosts| hosts.join(", "));
    let attributes = Attributes::new()
        .text("type", &monitor.kind)
        .text("method", &monitor.method)
        .text("path", &monitor.path)
        .text("port", port)
        .text("host", host.unwrap_or_default())
        .text("expects", &monitor.expected_codes)
        .text("follows redirects", yes_or_no(monitor.follow_redirects))
        .text("interval", seconds(monitor.interval))
        .text("timeout", seconds(monitor.timeout))
        .text("retries", monitor.retries.to_string());
    text::described(attributes, &monitor.description, Some(owner))
}

/// The body of a call. `zone` is part of the mark.
pub(super) fn body(id: &Id, attributes: &Attributes, zone: &str) -> Result<Monitor, Error> {
    let read = Reader::new(id, attributes);
    let host = vec![read.text("host").to_owned()];
    Ok(Monitor {
        kind: read.text("type").to_owned(),
        method: read.text("method").to_owned(),
        path: read.text("path").to_owned(),
        port: match read.text("port") {
            "" => None,
            _ => Some(read.number("port")?),
        },
        header: BTreeMap::from([("Host".to_owned(), host)]),
        expected_codes: read.text("expects").to_owned(),
        follow_redirects: read.flag("follows redirects")?,
        interval: read.number("interval")?,
        timeout: read.number("timeout")?,
        retries: read.number("retries")?,
        description: mark::of_account(read.description(), zone, &id.name),
    })
}
