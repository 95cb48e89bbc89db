use std::time::Duration;

use super::super::Shape;
use super::super::frame::tests::segment;
use super::*;

const MS: Duration = Duration::from_millis(1);

fn endpoint(name: &str, host: u8, mac: u8) -> Endpoint {
    Endpoint {
        name: name.into(),
        mac: [2, 0, 0, 0, 0, mac],
        ipv4: std::net::Ipv4Addr::new(10, 77, 0, host),
        ipv6: std::net::Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, u16::from(host)),
    }
}

/// The operator (with the mirror behind the same port), us and cn; 180 ms between operator and cn.
fn fabric() -> (Fabric, Instant) {
    let now = Instant::now();
    let port = |endpoints: Vec<Endpoint>| Port {
        interface: String::new(),
        endpoints,
    };
    let ports = [
        port(vec![endpoint("operator", 1, 1), endpoint("mirror", 2, 1)]),
        port(vec![endpoint("us", 11, 11)]),
        port(vec![endpoint("cn", 12, 12)]),
    ];
    let shape = Shape::new(180 * MS, None);
    let link = |from: &str, to: &str| DirectedLink {
        from: from.into(),
        to: to.into(),
        shape,
    };
    let links = [link("operator", "cn"), link("cn", "operator")];
    (Fabric::new(&ports, &links, now), now)
}

fn mac(last: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, last]
}

#[test]
fn a_frame_goes_to_its_port_only_and_after_its_links_delay() {
    let (mut fabric, now) = fabric();
    let to_us = fabric.enter(0, &segment(mac(11), 1, 11, 0x10, b"x"), now);
    assert_eq!(
        to_us
            .iter()
            .map(|delivery| delivery.port)
            .collect::<Vec<_>>(),
        [1]
    );
    assert!(
        fabric
            .enter(0, &segment(mac(12), 1, 12, 0x10, b"x"), now)
            .is_empty()
    );
    assert!(fabric.due(now + 89 * MS).is_empty());
    assert_eq!(fabric.due(now + 90 * MS)[0].port, 2);
}

#[test]
fn the_mirror_is_near_though_it_shares_the_operators_port() {
    let (mut fabric, now) = fabric();
    assert_eq!(
        fabric
            .enter(2, &segment(mac(1), 12, 2, 0x10, b"x"), now)
            .len(),
        1
    );
    assert_eq!(
        fabric
            .enter(0, &segment(mac(12), 2, 12, 0x10, b"x"), now)
            .len(),
        1
    );
    assert!(
        fabric
            .enter(2, &segment(mac(1), 12, 1, 0x10, b"x"), now)
            .is_empty()
    );
}

#[test]
fn a_broadcast_reaches_all_others_each_over_its_link() {
    let (mut fabric, now) = fabric();
    let at_once = fabric.enter(0, &segment([0xff; 6], 1, 255, 0x10, b"x"), now);
    assert_eq!(
        at_once
            .iter()
            .map(|delivery| delivery.port)
            .collect::<Vec<_>>(),
        [1]
    );
    assert_eq!(fabric.due(now + 90 * MS).len(), 1);
}

#[test]
fn round_trips_are_the_longest_chain_of_question_and_answer() {
    let (mut fabric, mut now) = fabric();
    for _ in 0..3 {
        for _ in 0..2 {
            fabric.enter(0, &segment(mac(12), 1, 12, 0x18, b"question"), now);
        }
        now += 90 * MS;
        fabric.due(now);
        fabric.enter(2, &segment(mac(1), 12, 1, 0x18, b"answer"), now);
        fabric.enter(2, &segment(mac(1), 12, 1, 0x10, b""), now);
        now += 90 * MS;
        fabric.due(now);
    }
    let counters = fabric.counters();
    let back = counters.iter().find(|entry| entry.from == "cn").unwrap();
    assert_eq!(back.chain, 6);
    assert_eq!(back.counters.frames, 6);
    fabric.reset_counters();
    assert!(fabric.counters().is_empty());
}

#[test]
fn a_cut_loses_what_is_in_flight_and_a_stall_holds_it() {
    let (mut fabric, now) = fabric();
    let index = fabric.index("operator", "cn").unwrap();
    fabric.enter(0, &segment(mac(12), 1, 12, 0x18, b"a"), now);
    fabric.set_flow(index, Flow::Cut);
    assert!(fabric.due(now + 90 * MS).is_empty());
    fabric.set_flow(index, Flow::Open);
    fabric.enter(0, &segment(mac(12), 1, 12, 0x18, b"b"), now);
    fabric.set_flow(index, Flow::Stalled);
    assert!(fabric.due(now + 200 * MS).is_empty());
    let freed = fabric.set_flow(index, Flow::Open);
    assert_eq!(freed.len(), 1);
    assert!(freed[0].frame.ends_with(&[b'b', 0, 0, 0, 0, 0]) || freed[0].frame.contains(&b'b'));
}

#[test]
fn an_unknown_hardware_address_goes_nowhere() {
    let (mut fabric, now) = fabric();
    assert!(
        fabric
            .enter(0, &segment(mac(99), 1, 11, 0x18, b"x"), now)
            .is_empty()
    );
    assert_eq!(fabric.next(), None);
}
