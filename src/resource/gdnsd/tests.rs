use super::*;
use crate::agent::fixture::{Bench, Fixture};
use crate::agent::system::System;

fn gdnsd() -> Gdnsd {
    Gdnsd {
        zone: "api.yourapp.com".to_owned(),
        config: "options => { listen => [ 203.0.113.10 ] }\n".to_owned(),
        records: format!("{MARK}.\n@ DYNA geoip!api\n"),
        networks: "1.0.1.0/24 => [ cn, us ]\n".to_owned(),
        addresses: vec!["203.0.113.10".parse().unwrap()],
    }
}

const CHECK: &str = "gdnsd -c /run/geodeploy/gdnsd checkconf";

const ADDRESS: &str = "2: eth0    inet 203.0.113.10/24 brd 203.0.113.255 scope global eth0\n";

fn host(address: &str) -> Fixture {
    let system = Fixture::new();
    system.put(PROGRAM, "ELF");
    system.script("ip -oneline address show", address);
    system
}

fn change(bench: &Bench) -> Change {
    let gdnsd = gdnsd();
    Change {
        id: gdnsd.id(),
        before: gdnsd.inspect(&bench.context()).unwrap(),
        after: gdnsd.desired(bench.context().key),
        consequences: Vec::new(),
    }
}

#[test]
fn an_earlier_zone_of_ours_goes_and_somebody_elses_stays() {
    let system = host(ADDRESS);
    system.script(CHECK, "");
    system.put(
        "/etc/gdnsd/zones/old.yourapp.com",
        "; Written by geodeploy.\n",
    );
    system.put(
        "/etc/gdnsd/zones/example.com",
        "@ SOA ns1 hostmaster 1 1 1 1 1\n",
    );
    let bench = Bench::new(system);
    let change = change(&bench);
    gdnsd().apply(&change, &bench.context()).unwrap();
    let names = bench.system.list(Path::new("/etc/gdnsd/zones")).unwrap();
    assert_eq!(names.unwrap(), ["api.yourapp.com", "example.com"]);
    assert_eq!(gdnsd().inspect(&bench.context()).unwrap(), change.after);
    let left = bench.system.list(Path::new("/run/geodeploy")).unwrap();
    assert!(left.unwrap_or_default().is_empty());
}

#[test]
fn what_gdnsd_refuses_is_told_in_the_real_files_names_and_nothing_is_written() {
    let system = host(ADDRESS);
    let said = "error: Parse error at /run/geodeploy/gdnsd/config line 2: Syntax error\nfatal: Loading failed\n";
    system.script_failure(CHECK, 42, said);
    let bench = Bench::new(system);
    let change = change(&bench);
    let fault = gdnsd().apply(&change, &bench.context()).unwrap_err();
    assert!(fault.why.contains("/etc/gdnsd/config line 2"), "{fault}");
    assert_eq!(bench.system.list(Path::new("/etc/gdnsd")).unwrap(), None);
}

#[test]
fn a_host_behind_address_translation_is_told_what_to_write_before_anything_is_written() {
    let address =
        "2: eth0    inet 10.0.0.5/24 scope global eth0\n2: eth0    inet6 fe80::1/64 scope link\n";
    let system = host(address);
    system.script(CHECK, "");
    let bench = Bench::new(system);
    let change = change(&bench);
    let fault = gdnsd().apply(&change, &bench.context()).unwrap_err();
    assert!(
        fault
            .why
            .contains("no address 203.0.113.10, but 10.0.0.5, fe80::1"),
        "{fault}"
    );
    assert!(fault.hint.unwrap().contains("gdnsd.conf.j2"));
    assert_eq!(bench.system.list(Path::new("/etc/gdnsd")).unwrap(), None);
    let own = Gdnsd {
        config: "options => { listen => [\n 10.0.0.5 ] }\ndcmap => { us => 203.0.113.10 }\n"
            .to_owned(),
        ..gdnsd()
    };
    own.apply(&change, &bench.context()).unwrap();
}
