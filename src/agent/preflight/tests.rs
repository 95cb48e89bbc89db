//! What no test host can show: processors, containers, disks, foreign programs.

use std::net::IpAddr;
use std::path::PathBuf;

use mongodb::bson::doc;

use super::*;
use crate::agent::fixture::{Bench, Fixture, Script};
use crate::agent::system::System as _;
use crate::agent::system::database::Refusal;
use crate::resource::mongo::Connection;
use crate::resource::{FreeDisk, OwnData};
use crate::secrets::Secret;

fn found(bench: &Bench, requirement: Requirement) -> Findings {
    let findings = look(&[requirement], None, &bench.context());
    assert!(bench.system.files("/var/lib/geodeploy").is_empty());
    findings
}

fn text(findings: &Findings) -> String {
    let [unmet] = findings.unmet.as_slice() else {
        panic!("{findings:?}")
    };
    format!("{} | {} | {}", unmet.what, unmet.found, unmet.remedy)
}

fn bench(files: &[(&str, &str)]) -> Bench {
    let system = Fixture::new();
    for (path, text) in files {
        system.put(path, text);
    }
    Bench::new(system)
}

#[test]
fn a_processor_without_avx_is_refused_and_one_with_it_is_not() {
    let old = "model name\t: Celeron N3350\nflags\t\t: fpu sse4_2 aes\n";
    let refused = found(
        &bench(&[("/proc/cpuinfo", old)]),
        Requirement::VectorInstructions,
    );
    let told = text(&refused);
    assert!(
        told.contains("AVX") && told.contains("Celeron N3350"),
        "{told}"
    );
    for new in [
        "flags\t\t: fpu avx avx2\n",
        "Features\t: fp asimd atomics\n",
    ] {
        let met = found(
            &bench(&[("/proc/cpuinfo", new)]),
            Requirement::VectorInstructions,
        );
        assert_eq!(met, Findings::default());
    }
    let arm = bench(&[("/proc/cpuinfo", "Features\t: fp asimd\n")]);
    assert!(text(&found(&arm, Requirement::VectorInstructions)).contains("ARMv8.2-A"));
    let unknown = found(&bench(&[]), Requirement::VectorInstructions);
    assert!(unknown.unmet.is_empty() && unknown.notes.len() == 1);
}

#[test]
fn a_container_that_may_not_lock_memory_is_refused() {
    let look = |bounds: &str, limit: &str| {
        let limits = format!("Max locked memory         {limit}      {limit}      bytes\n");
        let status = format!("CapBnd:\t{bounds}\n");
        let bench = bench(&[("/proc/1/status", &status), ("/proc/1/limits", &limits)]);
        found(&bench, Requirement::MemoryLock)
    };
    assert_eq!(look("000001ffffffffff", "unlimited"), Findings::default());
    assert_eq!(look("000001ffffffffff", "8388608"), Findings::default());
    // Bit 14 is CAP_IPC_LOCK, bit 24 CAP_SYS_RESOURCE.
    assert!(text(&look("000001ffffffbfff", "unlimited")).contains("CAP_IPC_LOCK"));
    assert!(text(&look("000001fffeffffff", "0")).contains("the limit is 0 bytes"));
}

fn disk() -> Requirement {
    Requirement::FreeDisk(FreeDisk {
        purpose: "the database".to_owned(),
        path: PathBuf::from("/var/lib/mongodb"),
        mebibytes: 3_000,
        percent: 20,
        plenty: 40 << 10,
    })
}

#[test]
fn too_little_space_is_refused_with_its_numbers_and_only_noted_where_data_is() {
    let bench = bench(&[]);
    bench.system.set_free_space(15 << 30);
    let told = text(&found(&bench, disk()));
    assert!(
        told.contains("15360 MiB of 102400 MiB are free") && told.contains("(15 %)"),
        "{told}"
    );
    bench.system.set_free_space(25 << 30);
    assert_eq!(found(&bench, disk()), Findings::default());
    bench.system.set_free_space(2 << 30);
    assert!(text(&found(&bench, disk())).contains("needed are 3000 MiB, and 20 % or 40960 MiB"));
    bench.system.put("/var/lib/mongodb/WiredTiger", "");
    let noted = found(&bench, disk());
    assert!(noted.unmet.is_empty() && noted.notes[0].contains("too little space"));
}

#[test]
fn a_system_that_is_not_supported_is_named_with_those_that_are() {
    let wanted = || Requirement::SupportedSystem {
        systems: vec![("ubuntu".to_owned(), "22.04".to_owned())],
        tolerated: vec![("debian".to_owned(), "11".to_owned())],
    };
    let look = |id: &str, version: &str| {
        let text = format!("PRETTY_NAME=\"x\"\nID={id}\nVERSION_ID=\"{version}\"\n");
        found(&bench(&[("/etc/os-release", &text)]), wanted())
    };
    assert_eq!(look("ubuntu", "22.04"), Findings::default());
    assert!(
        text(&look("fedora", "43"))
            .contains("the host has fedora 43 | set the host up anew with one of ubuntu 22.04")
    );
    assert_eq!(
        look("debian", "11").notes,
        ["debian 11 is not supported for production"]
    );
}

#[test]
fn a_name_that_leads_elsewhere_or_nowhere_is_refused() {
    let wanted = || Requirement::NameResolves {
        name: "db.example.com".to_owned(),
        addresses: vec![IpAddr::from([10, 0, 0, 5])],
    };
    let look = |stdout: &str, status| {
        let bench = bench(&[]);
        let mut script = Script::success("getent ahosts db.example.com", stdout);
        script.output.status = status;
        bench.system.add(script);
        found(&bench, wanted())
    };
    let lines = |address: &str| format!("{address} STREAM db.example.com\n{address} DGRAM  \n");
    assert_eq!(look(&lines("10.0.0.5"), 0), Findings::default());
    assert_eq!(look(&lines("127.0.1.1"), 0), Findings::default());
    assert!(text(&look("", 2)).contains("`10.0.0.5 db.example.com` to the host's /etc/hosts"));
    assert!(text(&look(&lines("192.0.2.7"), 0)).contains("it leads to 192.0.2.7"));
    // A host without the program cannot be judged.
    assert_eq!(look("", 127).notes.len(), 1);
}

#[test]
fn a_port_that_another_program_has_is_refused_with_its_name() {
    let wanted = || Requirement::PortFree {
        port: 27_017,
        unit: "mongod.service".to_owned(),
    };
    let table = "  sl  local_address rem_address   st tx rx tr tm retrnsmt   uid  timeout inode\n   \
                 0: 0100007F:6989 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1\n";
    let bench = bench(&[("/proc/net/tcp", table), ("/proc/812/comm", "postgres\n")]);
    bench
        .system
        .make_directory("/proc/812/fd".as_ref())
        .unwrap();
    let link = PathBuf::from("socket:[4242]");
    bench
        .system
        .symlink("/proc/812/fd/7".as_ref(), &link)
        .unwrap();
    let told = text(&found(&bench, wanted()));
    assert!(
        told.contains("postgres (process 812) listens on it"),
        "{told}"
    );
    let group = "/sys/fs/cgroup/system.slice/mongod.service/cgroup.procs";
    bench.system.put(group, "812\n");
    assert_eq!(found(&bench, wanted()), Findings::default());
    let free = Requirement::PortFree {
        port: 27_018,
        unit: "mongod.service".to_owned(),
    };
    assert_eq!(found(&bench, free), Findings::default());
}

fn own() -> Requirement {
    Requirement::OwnData(OwnData {
        path: PathBuf::from("/var/lib/mongodb"),
        connection: Connection {
            port: 27_017,
            ca_file: PathBuf::from("/tls/ca.pem"),
            certificate_file: None,
            admin_user: "admin".to_owned(),
            admin_password: Secret::new("password".to_owned()),
        },
        set: "rs0".to_owned(),
        key_file: PathBuf::from("/tls/mongod.key"),
        key: Secret::new("our key".to_owned()),
    })
}

#[test]
fn data_that_no_server_of_ours_answers_for_is_foreign_and_never_touched() {
    let bench = bench(&[]);
    assert_eq!(found(&bench, own()), Findings::default());
    bench.system.put("/var/lib/mongodb/lost+found/x", "");
    assert_eq!(found(&bench, own()), Findings::default());
    bench.system.put("/var/lib/mongodb/WiredTiger", "");
    let told = text(&found(&bench, own()));
    assert!(
        told.contains("no server answers for it") && told.contains("--adopt-data"),
        "{told}"
    );
    bench.system.put("/tls/mongod.key", "another key\n");
    assert_eq!(found(&bench, own()).unmet.len(), 1);
    // Ours, and stopped: the run will start it.
    bench.system.put("/tls/mongod.key", "our key\n");
    assert_eq!(found(&bench, own()), Findings::default());
}

#[test]
fn a_server_that_answers_tells_whose_data_it_is() {
    let bench = bench(&[("/var/lib/mongodb/WiredTiger", ""), ("/tls/ca.pem", "")]);
    let answer = |question: &str, answer| bench.database.answer(question, answer);
    answer("nobody hello", Ok(doc! { "setName": "rs0" }));
    answer("admin ping", Ok(doc! {}));
    assert_eq!(found(&bench, own()), Findings::default());
    answer("nobody hello", Ok(doc! { "setName": "theirs" }));
    assert!(text(&found(&bench, own())).contains("the replica set theirs, not rs0"));
    // A bootstrap that was cut short: the set is begun and has no user.
    answer("nobody hello", Ok(doc! { "setName": "rs0" }));
    answer("admin ping", Err(Refusal::Login));
    answer("nobody replSetGetStatus", Ok(doc! {}));
    assert_eq!(found(&bench, own()), Findings::default());
    // A standalone server without users, whose data a set must not be begun over.
    answer("nobody hello", Ok(doc! {}));
    assert!(text(&found(&bench, own())).contains("in no replica set"));
    answer(
        "nobody hello",
        Err(Refusal::Lost("invalid peer certificate".to_owned())),
    );
    assert!(text(&found(&bench, own())).contains("invalid peer certificate"));
}

#[test]
fn all_that_is_missing_is_told_at_once_and_as_one_refusal() {
    let bench = bench(&[
        ("/proc/cpuinfo", "flags: sse2\n"),
        ("/var/lib/mongodb/x", ""),
    ]);
    bench.system.script("timedatectl show *", "no\n");
    let wanted = [Requirement::VectorInstructions, Requirement::Clock, own()];
    let findings = look(&wanted, Some(SystemTime::UNIX_EPOCH), &bench.context());
    assert_eq!(findings.unmet.len(), 2);
    assert_eq!(findings.synchronised, Some(false));
    // Nothing is started on a host whose clock agrees.
    let agreeing = look(&wanted, Some(bench.system.now()), &bench.context());
    assert_eq!(agreeing.synchronised, None);
    let fault = refusal(&findings.unmet);
    assert!(
        fault.what.contains("2 requirements; nothing was changed"),
        "{fault}"
    );
    assert_eq!(
        (
            fault.why.lines().count(),
            fault.hint.unwrap().lines().count()
        ),
        (2, 2)
    );
}
