use std::collections::BTreeSet;
use std::time::Duration;

use geodeploy::dns::drain::Drained;

use crate::server::{Server, has, inventory};

const CHINA: &str = "1.0.1.0/24";
const AMERICA: &str = "8.8.8.0/24";

#[test]
fn a_region_that_fails_is_replaced_within_10_s_and_comes_back_and_with_both_down_geography_answers()
{
    let test = "a region that fails is replaced within 10 s";
    if !has("gdnsd", test) || !has("dig", test) {
        return;
    }
    let server = Server::start(inventory());
    let [us, cn] = server.addresses.map(|address| vec![address.to_string()]);
    for (health, client, own, other) in [
        (&server.cn, CHINA, &cn, &us),
        (&server.us, AMERICA, &us, &cn),
    ] {
        health.set(false);
        let took = server.until(Duration::from_secs(10), |server| server.a(client) == *other);
        eprintln!(
            "{client}: failed over after {:?}",
            took.expect("not within 10 s")
        );
        health.set(true);
        let took = server.until(Duration::from_secs(20), |server| server.a(client) == *own);
        eprintln!(
            "{client}: back after {:?}",
            took.expect("it never came back")
        );
    }
    assert!(server.finds_both_well());
    assert_eq!(server.ttl(CHINA), Some(60));
    server.us.set(false);
    server.cn.set(false);
    std::thread::sleep(Duration::from_secs(8));
    assert_eq!((server.a(CHINA), server.a(AMERICA)), (cn, us));
}

#[test]
fn a_drained_region_is_out_of_the_answers_within_5_s_also_after_a_restart_until_it_is_undone() {
    let test = "a drained region is out of the answers within 5 s";
    if !has("gdnsd", test) || !has("dig", test) {
        return;
    }
    let mut server = Server::start(inventory());
    let [us, cn] = server.addresses.map(|address| vec![address.to_string()]);
    let file = server.folder.path().join("state/admin_state");
    let drained = Drained::default().with(&BTreeSet::from(["cn".to_owned()]));
    std::fs::write(&file, drained.text().unwrap()).unwrap();
    let took = server.until(Duration::from_secs(5), |server| server.a(CHINA) == us);
    eprintln!("drained after {:?}", took.expect("not within 5 s"));
    assert_eq!(server.a(AMERICA), us);
    server.restart();
    let up = server.until(Duration::from_secs(15), |server| {
        !server.a(AMERICA).is_empty()
    });
    up.expect("it did not start");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(server.a(CHINA), us);
    std::fs::remove_file(&file).unwrap();
    let took = server.until(Duration::from_secs(20), |server| server.a(CHINA) == cn);
    eprintln!("undone after {:?}", took.expect("it never came back"));
}
