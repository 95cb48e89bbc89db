//! Networks and routing as gdnsd's `nets`: which region comes first for which network. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::space::{self, Run};
use super::{Networks, Place};
use crate::inventory::{RegionName, Routing};

/// Spaces of IPv6 that hold IPv4 addresses: gdnsd looks those up as IPv4, and refuses networks in them
/// (gdnsd-plugin-geoip(8)). First and last address of each, sorted.
const HOLD_IPV4: [(u128, u128); 4] = [
    (0, (1 << 64) - 1),
    (0x0064_ff9b << 96, (0x0064_ff9b << 96) | 0xffff_ffff),
    (0x2001 << 112, (0x2001 << 112) | ((1 << 96) - 1)),
    (0x2002 << 112, (0x2002 << 112) | ((1 << 112) - 1)),
];

/// The file `nets`: every network whose clients another region than the default serves, with all regions in the order in
/// which they are asked for it. The fewest networks, sorted; the same for the same input.
pub fn nets(networks: &Networks, routing: &Routing, regions: &[RegionName]) -> String {
    let mut text = String::new();
    for (runs, width) in [(&networks.ipv4, 32), (&networks.ipv6, 128)] {
        let mut served: Vec<(u128, u128, &RegionName)> = Vec::new();
        for run in runs {
            let region = region_of(routing, run.place);
            if *region == routing.default {
                continue;
            }
            for (first, last) in without_ipv4(run, width) {
                space::push(&mut served, first, last, region);
            }
        }
        for (first, last, region) in served {
            let order = preference(region, &routing.default, regions).join(", ");
            for (first, length) in space::networks(first, last, width) {
                let network = written(first, length, width);
                text.push_str(&format!("{network} => [ {order} ]\n"));
            }
        }
    }
    text
}

/// All regions as they are asked for clients of `first`: it, then the default one, then the others as the inventory has
/// them.
pub fn preference<'r>(
    first: &'r RegionName,
    default: &'r RegionName,
    regions: &'r [RegionName],
) -> Vec<&'r str> {
    let mut order = vec![first.as_str()];
    let others = std::iter::once(default).chain(regions);
    for other in others.map(RegionName::as_str) {
        if !order.contains(&other) {
            order.push(other);
        }
    }
    order
}

/// The region that serves a place.
pub fn region_of(routing: &Routing, place: Place) -> &RegionName {
    match place {
        Place::Country(country) => routing.region(country).0,
        Place::Continent(continent) => {
            let region = routing.continents.get(&continent);
            region.unwrap_or(&routing.default)
        }
    }
}

/// The parts of a run that hold no IPv4 addresses in IPv6's clothes.
fn without_ipv4(run: &Run, width: u32) -> Vec<(u128, u128)> {
    let mut parts = Vec::new();
    let mut first = run.first;
    let inside = HOLD_IPV4
        .into_iter()
        .filter(|(from, to)| width == 128 && *from <= run.last && *to >= run.first);
    for (from, to) in inside {
        if first < from {
            parts.push((first, from - 1));
        }
        first = to + 1;
    }
    if first <= run.last {
        parts.push((first, run.last));
    }
    parts
}

/// `192.0.2.0/24`.
pub(super) fn written(first: u128, length: u32, width: u32) -> String {
    let address: IpAddr = match u32::try_from(first) {
        Ok(first) if width == 32 => Ipv4Addr::from(first).into(),
        _ => Ipv6Addr::from(first).into(),
    };
    format!("{address}/{length}")
}
