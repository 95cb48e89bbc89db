//! Health checks: what Route 53 asks a region, from eight places outside of mainland China. Pure.

use std::net::IpAddr;

use super::answers::Tag;
use super::wire::HealthCheckConfig;
use crate::dns::Object;
use crate::error::{Error, ErrorKind};
use crate::plan::{Attributes, Id, Kind, Value};

/// Seconds between two checks from one place.
pub(super) const INTERVAL: u16 = 30;
/// After how many failures in a row a region is not well.
pub(super) const FAILURES: u16 = 3;
/// The same for the region that serves China: the most that Route 53 allows.
pub(super) const PATIENT_FAILURES: u16 = 10;
/// The tag that says whose a health check is.
pub(super) const OWNER_TAG: &str = "geodeploy";
/// The tag that Route 53's console shows as a health check's name.
pub(super) const NAME_TAG: &str = "Name";

/// A check of the region that has that name, at that address.
pub(super) fn config(
    host: &str,
    address: IpAddr,
    failures: u16,
    secure: bool,
) -> HealthCheckConfig {
    HealthCheckConfig {
        ip_address: Some(address.to_string()),
        port: Some(if secure { 443 } else { 80 }),
        kind: if secure { "HTTPS" } else { "HTTP" }.to_owned(),
        resource_path: Some("/api/health".to_owned()),
        fully_qualified_domain_name: Some(host.to_owned()),
        request_interval: Some(INTERVAL),
        failure_threshold: Some(failures),
        enable_sni: secure.then_some(true),
        ..HealthCheckConfig::default()
    }
}

/// What a check is called: by what it asks for, less what can be changed in place.
pub(super) fn name(host: &str, address: IpAddr, secure: bool) -> String {
    let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
    let scheme = if secure { " HTTPS" } else { "" };
    format!("{host} {family}{scheme}")
}

/// The same of a check as it was found.
pub(super) fn name_of(config: &HealthCheckConfig) -> String {
    let host = config.fully_qualified_domain_name.as_deref();
    let address = config.ip_address.as_deref().unwrap_or_default();
    match address.parse() {
        Ok(address) => name(host.unwrap_or_default(), address, config.kind == "HTTPS"),
        Err(_) => format!("{} {}", host.unwrap_or("nothing"), config.kind),
    }
}

/// A wanted check.
pub(super) fn object(config: &HealthCheckConfig, owner: &str) -> Object {
    let name = name_of(config);
    Object {
        attributes: attributes(config, Some(owner), Some(&name)),
        id: Id::new(Kind::HealthCheck, name),
    }
}

/// A check's attributes with its two tags.
pub(super) fn attributes(
    config: &HealthCheckConfig,
    owner: Option<&str>,
    label: Option<&str>,
) -> Attributes {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let number = |value: Option<u16>| value.map(|value| value.to_string()).unwrap_or_default();
    let address = config.ip_address.as_deref().map(|address| {
        address
            .parse::<IpAddr>()
            .map_or_else(|_| address.to_owned(), |address| address.to_string())
    });
    let mut all = Attributes::new()
        .text("address", address.unwrap_or_default())
        .text("port", number(config.port))
        .text("protocol", config.kind.clone())
        .text("path", text(config.resource_path.as_deref()))
        .text("host", text(config.fully_qualified_domain_name.as_deref()))
        .text("failures", number(config.failure_threshold));
    if config.inverted == Some(true) {
        all = all.text("inverted", "true");
    }
    if config.disabled == Some(true) {
        all = all.text("disabled", "true");
    }
    if let Some(label) = label {
        all = all.text("name", label);
    }
    match owner {
        Some(owner) => all.text("owner", owner),
        None => all,
    }
}

/// The check that attributes stand for, and its tags.
///
/// # Errors
/// The attributes are not those of a health check of Route 53's.
pub(super) fn read(
    id: &Id,
    attributes: &Attributes,
) -> Result<(HealthCheckConfig, Vec<Tag>), Error> {
    let text = |name: &str| match attributes.get(name) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let number = |name: &str| text(name).and_then(|text| text.parse().ok());
    let is_true = |name: &str| Some(text(name).as_deref() == Some("true")).filter(|set| *set);
    let (Some(protocol), Some(port)) = (text("protocol"), number("port")) else {
        let what = format!("{id} is not described as Route 53's health checks are");
        let error = Error::new(ErrorKind::Input, what);
        return Err(error.hint("is it a snapshot of another provider?"));
    };
    let secure = protocol == "HTTPS";
    let config = HealthCheckConfig {
        ip_address: text("address"),
        port: Some(port),
        kind: protocol,
        resource_path: text("path"),
        fully_qualified_domain_name: text("host"),
        request_interval: Some(INTERVAL),
        failure_threshold: number("failures"),
        inverted: is_true("inverted"),
        disabled: is_true("disabled"),
        enable_sni: secure.then_some(true),
    };
    let tag = |key: &str, value: String| Tag {
        key: key.to_owned(),
        value,
    };
    let owner = text("owner").map(|owner| tag(OWNER_TAG, owner));
    let label = text("name").map(|label| tag(NAME_TAG, label));
    Ok((config, owner.into_iter().chain(label).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_survives_its_attributes() {
        for (address, secure) in [("203.0.113.10", false), ("2001:db8::10", true)] {
            let config = config("us.yourapp.com", address.parse().unwrap(), 3, secure);
            let object = object(&config, "geodeploy:yourapp");
            let (read, tags) = read(&object.id, &object.attributes).unwrap();
            assert_eq!(read, config);
            assert_eq!(tags.len(), 2);
        }
    }

    #[test]
    fn an_address_is_compared_in_its_one_form() {
        let short = config("us.yourapp.com", "2001:db8::1".parse().unwrap(), 3, false);
        let long = HealthCheckConfig {
            ip_address: Some("2001:0db8:0000:0000:0000:0000:0000:0001".to_owned()),
            ..short.clone()
        };
        assert_eq!(name_of(&short), name_of(&long));
        assert_eq!(
            attributes(&short, None, None),
            attributes(&long, None, None)
        );
    }
}
