//! The address of the database as each region's application dials it.

use super::{PORT, TLS};
use crate::inventory::{Inventory, Region};

/// The whole connection string but for user and password, which are variables of their own.
///
/// Over a link of 180 ms a new connection takes several round trips, so two are kept; an answer may take its time, and
/// a write that was lost is repeated. Writes are confirmed by the set, within 10 s.
pub(in crate::blueprint) fn uri(inventory: &Inventory, region: &Region) -> String {
    let database = &inventory.database;
    let holder = inventory
        .regions
        .iter()
        .find(|other| Some(&other.name) == database.region.as_ref());
    let host = match holder {
        Some(holder) if holder.name != region.name => inventory.database_host(holder),
        Some(_) | None => "localhost".to_owned(),
    };
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host,
    };
    let name = &database.name;
    let options = [
        // The user is the database's own; without this drivers would look for it where the URI's path says, or in admin.
        ("authSource", name.as_str()),
        // The one member is dialled by this name, not by the one that it announces.
        ("directConnection", "true"),
        ("tls", "true"),
        ("tlsCAFile", &format!("{TLS}/ca.pem")),
        ("tlsCertificateKeyFile", &format!("{TLS}/client.pem")),
        ("compressors", "zstd"),
        ("retryWrites", "true"),
        ("w", "majority"),
        ("wTimeoutMS", "10000"),
        ("connectTimeoutMS", "10000"),
        ("serverSelectionTimeoutMS", "15000"),
        ("minPoolSize", "2"),
        ("appName", inventory.app.name.as_str()),
    ]
    .map(|(key, value)| format!("{key}={value}"));
    format!("mongodb://{host}:{PORT}/{name}?{}", options.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{DatabaseMode, EXAMPLE};

    #[test]
    fn the_driver_reads_the_whole_address_of_each_region() {
        let mut inventory = Inventory::parse(EXAMPLE, "example.toml").unwrap();
        inventory.database.mode = DatabaseMode::Single;
        inventory.database.region = "cn".parse().ok();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        for (name, host) in [
            ("us", "cn-server.yourapp.com:27017"),
            ("cn", "localhost:27017"),
        ] {
            let uri = uri(&inventory, inventory.region(name).unwrap());
            let options = runtime
                .block_on(async { mongodb::options::ClientOptions::parse(&uri).await })
                .unwrap();
            assert_eq!(options.hosts[0].to_string(), host);
            assert_eq!(options.default_database.as_deref(), Some("aiagent"));
            assert_eq!(options.direct_connection, Some(true));
            assert_eq!(options.min_pool_size, Some(2));
            assert_eq!(options.compressors.map(|all| all.len()), Some(1));
            let Some(mongodb::options::Tls::Enabled(tls)) = options.tls else {
                panic!("no TLS: {uri}")
            };
            assert_eq!(tls.ca_file_path, Some("/etc/geodeploy/tls/ca.pem".into()));
            assert_eq!(
                tls.cert_key_file_path,
                Some("/etc/geodeploy/tls/client.pem".into())
            );
            assert_eq!(tls.allow_invalid_certificates, None);
        }
    }

    #[test]
    fn an_address_of_version_6_is_in_brackets() {
        let mut inventory = Inventory::parse(EXAMPLE, "example.toml").unwrap();
        inventory.database.region = "cn".parse().ok();
        inventory.database.host = "fd00::5".parse().ok();
        let uri = uri(&inventory, inventory.region("us").unwrap());
        assert!(
            uri.starts_with("mongodb://[fd00::5]:27017/aiagent?"),
            "{uri}"
        );
    }
}
