//! The names that templates may use.

use minijinja::{Value, context};

use super::{database, https};
use crate::inventory::{Inventory, Region};

/// The list of regions on each host, which nginx serves as `/regions.json`.
pub(super) const REGIONS: &str = "/opt/geodeploy/regions.json";

/// How much longer than the drain a stop may take, in seconds: a server that hangs is killed.
const STOP_MARGIN: u64 = 15;

/// nginx's connections a worker: two a stream, as many again for clients that are told to come back, and room for
/// pages and health checks; a power of two, at least 4096.
fn worker_connections(streams: u32) -> u32 {
    (streams.saturating_mul(4).saturating_add(2048))
        .next_power_of_two()
        .max(4096)
}

/// What templates see of a region. `backup` is none where the region has none.
pub(super) fn of(inventory: &Inventory, region: &Region) -> Value {
    let app = inventory.app.name.as_str();
    let connections = worker_connections(region.limits.max_sse);
    let drain = inventory.release.drain.as_secs();
    let backup = region
        .nginx
        .backup
        .as_ref()
        .and_then(|name| inventory.region(name.as_str()).ok());
    let texts = |items: &[_]| {
        items
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<String>>()
    };
    context! {
        app => context! {
            name => app,
            // nginx's variables know no hyphen.
            variable => app.replace('-', "_"),
            domain => inventory.app.domain.as_str(),
            port => inventory.app.port.number(),
        },
        region => context! {
            name => region.name.as_str(),
            server_name => region.server_name.as_str(),
            domain => region.domain.as_str(),
            ipv4 => region.addresses.ipv4.to_string(),
            ipv6 => region.addresses.ipv6.map(|address| address.to_string()),
        },
        limits => context! {
            max_sse => region.limits.max_sse,
            max_sse_per_user => region.limits.max_sse_per_user,
            // A stream takes a client's and an upstream's connection.
            open_files => connections * 2,
        },
        nginx => context! {
            server_names => texts(&region.nginx.server_names),
            sse_read_timeout => region.nginx.sse_read_timeout.as_secs(),
            worker_connections => connections,
            open_files => connections * 2,
        },
        regions => inventory.dns.as_ref().map(|_| REGIONS),
        tls => inventory.tls.as_ref().map(|settings| https::context(inventory, settings)),
        peers => https::peers(inventory, region),
        backup => backup.map(|other| context! {
            name => other.name.as_str(),
            domain => other.domain.as_str(),
            ipv4 => other.addresses.ipv4.to_string(),
            listener => https::PEER_LISTENER,
        }),
        release => context! { drain => drain, stop => drain + STOP_MARGIN },
        system => context! {
            log_max_size => format!("{}M", region.system.log_max_size.as_mebibytes()),
            log_max_age => format!("{}s", region.system.log_max_age.as_secs()),
            time_servers => region.system.time_servers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        mirrors => context! { apt_proxy => region.mirrors.apt_proxy.as_ref().map(ToString::to_string) },
        database => database_of(inventory, region),
        dns => super::dns::context(inventory, region),
    }
}

/// What templates see of the database as it would be on that region's host.
fn database_of(inventory: &Inventory, region: &Region) -> Value {
    let settings = &inventory.database;
    let addresses = inventory.database_addresses(region);
    let mut bind = vec!["127.0.0.1".to_owned()];
    bind.extend(addresses.iter().map(ToString::to_string));
    let gibibytes = settings.cache.bytes() as f64 / f64::from(1_u32 << 30);
    context! {
        name => settings.name.as_str(),
        backup_at => settings.backup.at.to_string(),
        backup_folder => database::BACKUPS,
        port => database::PORT,
        bind => bind,
        ipv6 => addresses.iter().any(std::net::IpAddr::is_ipv6),
        tls => database::TLS,
        set => database::SET,
        // As getCmdLineOpts gives it back: 1, not 1.0.
        cache_gib => gibibytes.to_string(),
        oplog_mib => settings.oplog.as_mebibytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::worker_connections;

    #[test]
    fn nginx_has_connections_for_the_streams_and_for_a_thousand_clients_beside_them() {
        assert_eq!(worker_connections(200), 4096);
        assert!(worker_connections(20_000) >= 2 * 20_000 + 2 * 1000);
        assert!(worker_connections(100_000) < 1 << 20);
    }
}
