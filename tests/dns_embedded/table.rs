use std::fmt::Write as _;
use std::time::{Duration, Instant};

use geodeploy::dns::networks::Networks;

use crate::server::{Server, gdnsd, has, inventory};

/// A made-up registries' file of the real ones' size: countries by a fixed sequence, 200,000 delegations of IPv4 and
/// 100,000 of IPv6.
fn statistics() -> String {
    let codes = [
        "CN", "JP", "US", "IN", "AU", "DE", "KR", "BR", "GB", "VN", "ZA",
    ];
    let mut text = String::from("2.3|nro|1|300000|19830101|20261123|+0000\n");
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize
    };
    let (mut number, mut end) = (0x0100_0000_u32, 0);
    while end < 200_000 {
        let count = 256_u32 << (next() % 7);
        let code = codes[next() % codes.len()];
        let start = std::net::Ipv4Addr::from(number);
        writeln!(
            text,
            "apnic|{code}|ipv4|{start}|{count}|20110414|allocated|A1|e-stats"
        )
        .unwrap();
        number += count;
        end += 1;
    }
    for number in 0..100_000_u32 {
        let code = codes[next() % codes.len()];
        let (high, low) = (0x2400 + (number >> 15), (number << 1) & 0xffff);
        writeln!(
            text,
            "apnic|{code}|ipv6|{high:x}:{low:x}::|32|20110414|allocated|A1|e-stats"
        )
        .unwrap();
    }
    text
}

#[test]
fn a_table_of_all_registries_size_is_compiled_and_loaded_within_seconds() {
    let test = "a table of all registries' size";
    if !has("gdnsd", test) || !has("dig", test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("delegated-extended");
    std::fs::write(&file, statistics()).unwrap();
    let mut inventory = inventory();
    inventory.dns.as_mut().unwrap().networks = Some(file);
    let begun = Instant::now();
    let networks = Networks::load(&inventory).unwrap();
    let read = begun.elapsed();
    let files = gdnsd(&inventory);
    let compressed = zstd::bulk::compress(files.networks.as_bytes(), 9).unwrap();
    eprintln!(
        "read in {read:?}, compiled to {} networks, {} bytes, {} compressed; table {} bytes",
        files.networks.lines().count(),
        files.networks.len(),
        compressed.len(),
        networks.table(&Default::default()).len()
    );
    let begun = Instant::now();
    let server = Server::start(inventory);
    let took = begun.elapsed();
    eprintln!("gdnsd answered after {took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    let mut asked = 0;
    let routing = server_routing();
    for third in (0..250_u8).step_by(10) {
        let subnet = format!("1.{third}.7.0/24");
        let address = format!("1.{third}.7.0").parse().unwrap();
        let Some(country) = networks.country_of(address) else {
            continue;
        };
        let region = routing.region(country).0.as_str();
        let wanted = server.addresses[usize::from(region == "cn")].to_string();
        assert_eq!(server.a(&subnet), [wanted], "{subnet}");
        asked += 1;
    }
    assert!(asked > 20);
}

fn server_routing() -> geodeploy::inventory::Routing {
    inventory().dns.unwrap().routing
}
