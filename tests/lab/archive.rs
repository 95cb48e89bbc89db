//! A real MongoDB on a twin, installed by apt from the rehearsal's own signed archive.

use std::fs;
use std::time::{Duration, Instant};

use geodeploy::rehearse::archive::{self, Archive};
use geodeploy::rehearse::{Lab, Twin, requirements};

use crate::common::{Held, spec, text, up};

/// A lab with the archive published; the archive's address as twins see it.
fn published(test: &str, name: &str) -> Option<(Held, Archive, String)> {
    let made = archive::local(&archive::default_cache(), &|words| eprintln!("{words}"));
    let archive = match made {
        Err(error) if error.what.starts_with("cannot fetch") || !archive::missing().is_empty() => {
            eprintln!("SKIPPED: {test}: {error}");
            return None;
        }
        made => made.unwrap(),
    };
    let held = up(test, || spec(name, 0, None))?;
    let begun = Instant::now();
    let address = archive.publish(&held.lab).unwrap();
    eprintln!("published in {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    Some((held, archive, address))
}

/// Runs a shell line in a twin that must end well.
fn done(twin: &Twin, line: &str) -> String {
    let begun = Instant::now();
    let output = twin.exec(["sh", "-c", line]).unwrap();
    assert!(output.success(), "{line}: {output:#?}");
    eprintln!("{:6.2} s  {line}", begun.elapsed().as_secs_f64());
    output.stdout.trim().to_owned()
}

/// Names the archive to a twin's apt as MongoDB's manual does, with a key for this archive alone.
fn source(twin: &Twin, address: &str, key: &str) {
    let root = twin.root();
    fs::create_dir_all(root.join("etc/apt/keyrings")).unwrap();
    fs::write(root.join("etc/apt/keyrings/mongodb.asc"), key).unwrap();
    let text = format!(
        "Types: deb\nURIs: {address}/apt/debian\nSuites: bookworm/mongodb-org/6.0\nComponents: main\n\
         Signed-By: /etc/apt/keyrings/mongodb.asc\n"
    );
    fs::write(root.join("etc/apt/sources.list.d/mongodb.sources"), text).unwrap();
}

/// Runs a test of this program inside a twin.
fn inside(twin: &Twin, test: &str) -> String {
    let program = std::env::current_exe().unwrap();
    fs::copy(program, twin.root().join("root/tests")).unwrap();
    let words = ["/root/tests", "--exact", test, "--ignored", "--nocapture"];
    let output = twin.exec(words).unwrap();
    assert!(
        output.success() && output.stdout.contains("1 passed"),
        "{output:#?}"
    );
    output.stderr
}

#[test]
fn apt_installs_mongod_from_the_signed_archive_and_it_answers_on_loopback_alone() {
    let name = "apt_installs_mongod_from_the_signed_archive_and_it_answers_on_loopback_alone";
    let Some((held, archive, address)) = published(name, "mongod") else {
        return;
    };
    let cn = held.lab.twin("cn").unwrap();
    source(cn, &address, &archive.key_armored);
    let update = cn.exec(["apt-get", "-q", "update"]).unwrap();
    assert!(
        update.success() && !update.stderr.contains("W:"),
        "{update:#?}"
    );
    done(
        cn,
        "apt-get -q -y install --no-install-recommends mongodb-org-server=6.0.5 mongodb-org",
    );
    let states =
        "systemctl show mongod -p UnitFileState -p ActiveState --value | sort | paste -sd' '";
    assert_eq!(
        done(cn, states),
        "disabled inactive",
        "as the vendor's package leaves it"
    );
    let conffiles = done(cn, "dpkg-query -W -f '${Conffiles}' mongodb-org-server");
    assert!(conffiles.starts_with("/etc/mongod.conf "), "{conffiles}");
    for path in ["/var/lib/mongodb", "/var/log/mongodb"] {
        assert_eq!(
            done(cn, &format!("stat -c '%U:%G %a' {path}")),
            "mongodb:mongodb 755"
        );
    }
    assert_eq!(
        done(cn, "stat -c '%U:%G %a' /usr/bin/mongod /usr /etc | sort -u"),
        "root:root 755"
    );

    done(cn, "systemctl start mongod");
    let heard = inside(cn, "archive::mongod_answers_the_driver");
    eprintln!("{}", text(heard.as_bytes()));
    assert_eq!(
        done(cn, "ss -Hltn 'sport = :27017' | awk '{ print $4 }'"),
        "127.0.0.1:27017"
    );
    assert_eq!(done(cn, "ps -o user= -C mongod"), "mongodb");
    done(
        cn,
        "apt-get -q -y install mongodb-org-server=6.0.5 | grep -q '0 newly installed'",
    );
}

/// Runs inside a twin on which mongod was started.
#[test]
#[ignore = "needs a mongod on the port 27017 of the machine that it runs on"]
fn mongod_answers_the_driver() {
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answer = runtime.block_on(async {
        let mut options = mongodb::options::ClientOptions::parse(
            "mongodb://127.0.0.1:27017/?directConnection=true",
        )
        .await
        .unwrap();
        options.server_selection_timeout = Some(Duration::from_secs(30));
        let client = mongodb::Client::with_options(options).unwrap();
        let hello = mongodb::bson::doc! { "buildInfo": 1 };
        client.database("admin").run_command(hello).await.unwrap()
    });
    assert_eq!(answer.get_str("version").unwrap(), "6.0.5");
    eprintln!(
        "mongod answered after {:.1} s",
        begun.elapsed().as_secs_f64()
    );
}

#[test]
fn apt_refuses_the_archive_with_another_key_and_after_a_change() {
    let name = "apt_refuses_the_archive_with_another_key_and_after_a_change";
    let Some((held, archive, address)) = published(name, "refused") else {
        return;
    };
    let cn = held.lab.twin("cn").unwrap();
    let update = || {
        cn.exec([
            "apt-get",
            "-q",
            "update",
            "-o",
            "APT::Update::Error-Mode=any",
        ])
        .unwrap()
    };
    let debian = fs::read_to_string(
        cn.root()
            .join("usr/share/keyrings/debian-archive-bookworm-stable.asc"),
    );
    let stranger = debian.unwrap_or_else(|_| archive.key_armored.replace("BEGIN", "BEGUN"));
    source(cn, &address, &stranger);
    let refused = update();
    assert!(
        !refused.success() && refused.stderr.contains("is not signed"),
        "{refused:#?}"
    );
    source(cn, &address, &archive.key_armored);
    assert!(update().success());

    change(&held.lab);
    let refused = update();
    assert!(!refused.success(), "{refused:#?}");
    // A publication anew replaces what somebody changed.
    archive.publish(&held.lab).unwrap();
    assert!(update().success());
}

/// Adds a package to the published list without signing it.
fn change(lab: &Lab) {
    let (folder, _) = lab.archives();
    let list =
        folder.join("mongodb/apt/debian/dists/bookworm/mongodb-org/6.0/main/binary-amd64/Packages");
    let text = fs::read_to_string(&list).unwrap();
    // Published files may be hard links into the cache, which must stay as it is.
    fs::remove_file(&list).unwrap();
    fs::write(
        &list,
        text + "\nPackage: extra\nVersion: 1\nArchitecture: amd64\n",
    )
    .unwrap();
    let release = folder.join("mongodb/apt/debian/dists/bookworm/mongodb-org/6.0/InRelease");
    let text = fs::read_to_string(&release).unwrap();
    fs::remove_file(&release).unwrap();
    fs::write(
        &release,
        text.replacen("Label: geodeploy", "Label: somebody", 1),
    )
    .unwrap();
}

/// Runs inside a twin, which is as fresh a machine as there is.
#[test]
#[ignore = "installs packages on the machine that it runs on"]
fn installs_what_an_archive_takes() {
    let before = archive::missing();
    assert!(
        before
            .iter()
            .any(|item| item.package == Some("python3-pip")),
        "{before:?}"
    );
    requirements::install(&before).unwrap();
    assert_eq!(archive::missing(), []);
}

#[test]
fn a_fresh_machine_gets_the_tools_that_a_local_archive_takes() {
    let name = "a_fresh_machine_gets_the_tools_that_a_local_archive_takes";
    let Some(held) = up(name, || spec("tools", 0, None)) else {
        return;
    };
    inside(
        held.lab.twin("us").unwrap(),
        "archive::installs_what_an_archive_takes",
    );
}
