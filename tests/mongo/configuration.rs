//! mongod.conf: checked before it takes its place, and put back where the server does not start with it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use geodeploy::resource::{Content, File, Manage as _, Ownership};
use geodeploy::secrets::Secret;

use crate::host::{Run, administrator};
use crate::supervised::{Host, private};

#[test]
fn a_configuration_that_mongod_refuses_leaves_the_old_one_and_the_running_server_alone() {
    let Some(host) = Host::start() else {
        return;
    };
    let (old, pid) = (host.configuration("0.25", ""), host.pid());
    let refused = [
        (
            host.configuration("0.25", "nonsense: 3\n"),
            "Unrecognized option: nonsense",
        ),
        (
            host.configuration("0.25", "")
                .replace("logAppend: true", "logAppend: perhaps"),
            "logAppend",
        ),
        (
            host.configuration("0.25", "")
                .replace("bindIp: 127.0.0.1", "bindIp: 127.0.0.1,0.0.0.0"),
            "every interface",
        ),
    ];
    for (text, why) in refused {
        let fault = host.converge(&Run::new(), &host.file(&text)).unwrap_err();
        assert!(fault.why.contains(why), "{fault}");
        assert!(fault.hint.unwrap().contains("mongod.conf.j2"));
        assert_eq!(fs::read_to_string(host.path("mongod.conf")).unwrap(), old);
        assert!(!host.path("mongod.conf.geodeploy-check").exists());
    }
    assert_eq!(host.pid(), pid);
}

#[test]
fn the_server_is_restarted_when_what_it_runs_with_differs_and_for_nothing_else() {
    let Some(host) = Host::start() else {
        return;
    };
    let pid = host.pid();
    let commented = host.configuration("0.25", "# why\n");
    let run = Run::new();
    assert!(host.converge(&run, &host.file(&commented)).unwrap());
    assert!(!host.converge(&run, &host.running(&commented)).unwrap());
    assert_eq!(host.pid(), pid);

    // The file is written, and the run is cut short before the restart: the next one sees that it is owed.
    let larger = host.configuration("0.5", "");
    assert!(host.converge(&Run::new(), &host.file(&larger)).unwrap());
    assert_eq!(
        Run::new().look_on(&host, &host.file(&larger)).unwrap(),
        None
    );
    let run = Run::new();
    assert!(host.converge(&run, &host.running(&larger)).unwrap());
    assert_ne!(host.pid(), pid);
    assert!(!host.converge(&Run::new(), &host.running(&larger)).unwrap());

    // A setting that is taken out of the file is one that must not run.
    let more = host.configuration("0.5", "operationProfiling:\n  slowOpThresholdMs: 77\n");
    host.converge(&Run::new(), &host.file(&more)).unwrap();
    host.converge(&Run::new(), &host.running(&more)).unwrap();
    let change = Run::new()
        .look_on(&host, &host.running(&larger))
        .unwrap()
        .unwrap();
    assert!(
        format!("{:?}", change.before).contains("slowOpThresholdMs"),
        "{change:?}"
    );
}

#[test]
fn a_configuration_that_the_server_does_not_start_with_is_taken_back_and_the_log_is_told() {
    let Some(host) = Host::start() else {
        return;
    };
    let old = host.configuration("0.25", "");
    let elsewhere = old.replace("/key\n", "/no-such-key\n");
    assert!(host.converge(&Run::new(), &host.file(&elsewhere)).unwrap());
    let fault = host
        .converge(&Run::new(), &host.running(&elsewhere))
        .unwrap_err();
    assert!(fault.what.contains("did not start with the new"), "{fault}");
    assert!(
        fault.why.contains("is back, and the database runs with it"),
        "{fault}"
    );
    assert!(
        fault.why.contains("Unable to acquire security key"),
        "{fault}"
    );
    assert_eq!(fs::read_to_string(host.path("mongod.conf")).unwrap(), old);
    host.pid();
    let admin = administrator(&host.connection());
    assert_eq!(Run::new().look_on(&host, &admin).unwrap(), None);
    // It stays a difference until the template is mended.
    assert!(
        Run::new()
            .look_on(&host, &host.file(&elsewhere))
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_key_of_the_members_that_others_may_read_is_mended_before_the_server_starts() {
    let Some(host) = Host::start() else {
        return;
    };
    host.systemctl("stop");
    let (path, text) = (
        host.path("key"),
        fs::read_to_string(host.path("key")).unwrap(),
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let file = File {
        path: path.clone(),
        content: Some(Content::Secret(Secret::new(text))),
        ownership: Ownership::root(0o400),
        notifies: Vec::new(),
    };
    assert!(host.converge(&Run::new(), &file).unwrap());
    host.systemctl("start");
    host.converge(&Run::new(), &host.certificates()).unwrap();
    let admin = administrator(&host.connection());
    assert_eq!(Run::new().look_on(&host, &admin).unwrap(), None);
    private(&path, "YW5vdGhlciBrZXkgdGhhdCBzb21lYm9keSBwdXQ=");
    let change = Run::new().look_on(&host, &file).unwrap().unwrap();
    assert!(!format!("{change:?}").contains("YW5v"), "{change:?}");
    assert_eq!(change.id, file.id());
}
