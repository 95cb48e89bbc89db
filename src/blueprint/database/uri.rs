//! The address of the database as each region's application dials it.

use super::{PORT, SET, TLS};
use crate::inventory::{DatabaseMode, Inventory, Region};

/// The whole connection string but for user and password, which are variables of their own.
///
/// Over a link of 180 ms a new connection takes several round trips, so two are kept; an answer may take its time, and
/// a write that was lost is repeated. Writes are confirmed by the set, within 10 s.
pub(in crate::blueprint) fn uri(inventory: &Inventory, region: &Region) -> String {
    let name = &inventory.database.name;
    let (authority, client) = (format!("{TLS}/ca.pem"), format!("{TLS}/client.pem"));
    let mut options = vec![
        // The user is the database's own; without this drivers would look for it where the URI's path says, or in admin.
        ("authSource", name.as_str()),
        ("tls", "true"),
        ("tlsCAFile", &authority),
        ("tlsCertificateKeyFile", &client),
        ("compressors", "zstd"),
        ("retryWrites", "true"),
        ("w", "majority"),
        ("wTimeoutMS", "10000"),
        ("connectTimeoutMS", "10000"),
        ("serverSelectionTimeoutMS", "15000"),
        ("minPoolSize", "2"),
        ("appName", inventory.app.name.as_str()),
    ];
    let hosts = match inventory.database.mode {
        DatabaseMode::ReplicaSet => {
            options.extend([
                ("replicaSet", SET),
                // Reads go to the member that is near; one that is far behind is not read from. Writes go to the primary.
                ("readPreference", "nearest"),
                ("maxStalenessSeconds", "90"),
            ]);
            let members = super::set::members(inventory);
            members.into_iter().map(|member| member.host).collect()
        }
        DatabaseMode::Embedded | DatabaseMode::Single | DatabaseMode::Atlas => {
            // The one member is dialled by this name, not by the one that it announces.
            options.insert(1, ("directConnection", "true"));
            let holder = inventory.regions.iter();
            let mut holder =
                holder.filter(|other| Some(&other.name) == inventory.database.region.as_ref());
            let host = match holder.next() {
                Some(holder) if holder.name != region.name => inventory.database_host(holder),
                Some(_) | None => "localhost".to_owned(),
            };
            vec![with_port(&host)]
        }
    };
    let options: Vec<String> = options
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("mongodb://{}/{name}?{}", hosts.join(","), options.join("&"))
}

/// A name or an address, which has brackets where it has colons, with MongoDB's port.
pub(super) fn with_port(host: &str) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{PORT}"),
        false => format!("{host}:{PORT}"),
    }
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
    fn every_region_reads_from_the_member_that_is_near_and_writes_to_the_primary_of_the_set() {
        let mut inventory = Inventory::parse(EXAMPLE, "example.toml").unwrap();
        inventory.database.mode = DatabaseMode::ReplicaSet;
        inventory.database.region = "cn".parse().ok();
        inventory.database.members = vec!["us".parse().unwrap()];
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        for name in ["us", "cn"] {
            let uri = uri(&inventory, inventory.region(name).unwrap());
            let options = runtime
                .block_on(async { mongodb::options::ClientOptions::parse(&uri).await })
                .unwrap();
            let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
            assert_eq!(
                hosts,
                ["cn-server.yourapp.com:27017", "us-server.yourapp.com:27017"]
            );
            assert_eq!(options.repl_set_name.as_deref(), Some("rs0"));
            assert_eq!(options.direct_connection, None);
            let Some(mongodb::options::SelectionCriteria::ReadPreference(
                mongodb::options::ReadPreference::Nearest {
                    options: Some(near),
                },
            )) = options.selection_criteria
            else {
                panic!("not nearest: {uri}")
            };
            assert!(near.max_staleness.unwrap() >= std::time::Duration::from_secs(90));
        }
    }

    #[test]
    fn an_address_of_version_6_is_in_brackets() {
        let mut inventory = Inventory::parse(EXAMPLE, "example.toml").unwrap();
        inventory.database.region = "cn".parse().ok();
        inventory.database.place.host = "fd00::5".parse().ok();
        let uri = uri(&inventory, inventory.region("us").unwrap());
        assert!(
            uri.starts_with("mongodb://[fd00::5]:27017/aiagent?"),
            "{uri}"
        );
    }
}
