//! The provisioning of a database that is killed again and again.

use std::time::Duration;

use mongodb::bson::{Document, doc};

use super::Test;
use super::database::administer;
use super::fixture::Twins;
use super::probe::wait_healthy;

pub(crate) const TESTS: &[Test] = &[(
    "killed again and again the provisioning of a database converges with one of each user and index",
    killed_again_and_again_it_converges_with_one_of_each_user_and_index,
)];

/// Takes the database off the host, as if it had never been there.
fn remove(twins: &Twins) {
    twins.shell(
        "cn",
        "systemctl stop mongod; apt-get -qq purge -y --allow-change-held-packages mongodb-org-server >/dev/null\n\
         rm -rf /var/lib/mongodb /var/log/mongodb /etc/mongod.conf /etc/geodeploy/tls /etc/systemd/system/mongod.service \
         /etc/apt/sources.list.d/mongodb-org-*\n\
         systemctl daemon-reload",
    );
}

fn names(found: &Document, list: &str, name: &str) -> Vec<String> {
    let all = found.get_array(list).unwrap().iter();
    all.map(|one| one.as_document().unwrap().get_str(name).unwrap().to_owned())
        .collect()
}

fn killed_again_and_again_it_converges_with_one_of_each_user_and_index(twins: &Twins) {
    if !twins.database {
        return;
    }
    let _near = twins.near("cn");
    remove(twins);
    let (mut kills, mut ended) = (0, false);
    // Each run comes at least one step further.
    for _ in 0..60 {
        let mut killed = false;
        let ran = twins.operator.watch(&["provision", "cn"], |line, _| {
            if !killed && line.contains(" … ") && line.contains('/') {
                killed = true;
                twins.shell(
                    "cn",
                    "systemctl kill --signal=KILL 'geodeploy-run-*' || true",
                );
            }
        });
        kills += usize::from(killed);
        if !killed && ran.code == 0 {
            ended = true;
            break;
        }
    }
    assert!(ended && kills >= 5, "{kills} kills");
    eprintln!("killed {kills} times");
    assert_eq!(twins.operator.plan("cn"), Vec::<String>::new());
    let users = administer(twins, doc! { "usersInfo": { "forAllDBs": true } });
    let mut users = names(&users, "users", "user");
    users.sort();
    assert_eq!(
        users,
        [
            "aiagent_user",
            "geodeploy_admin",
            "geodeploy_backup",
            "geodeploy_monitor"
        ]
    );
    let indexes = administer(twins, doc! { "listIndexes": "multi_agent_sessions" });
    let mut indexes = names(
        indexes.get_document("cursor").unwrap(),
        "firstBatch",
        "name",
    );
    indexes.sort();
    assert_eq!(indexes, ["_id_", "expiresAt_1", "sessionId_1_userId_1"]);
    // The other region's server finds its database again by itself. Three pings, 2 s apart, fail before it says so.
    std::thread::sleep(Duration::from_secs(8));
    let address = twins.addresses("us", 80)[0];
    let found = wait_healthy(address, "us", Duration::from_secs(30));
    eprintln!(
        "us: healthy {:.1} s after the database was there again",
        found.as_secs_f64()
    );
}
