//! From a backup to a server that is as it was.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use geodeploy::backup::restore::{self, user};
use geodeploy::backup::server::Server;
use geodeploy::backup::{compare, dump};
use mongodb::bson::{DateTime, Document, doc};

use crate::site::{Site, count};

/// The restore's user is gone, and what expired is swept again.
#[track_caller]
fn assert_left_as_before(root: &Server) {
    let users = root.run("admin", doc! { "usersInfo": user::NAME }).unwrap();
    assert!(users.get_array("users").unwrap().is_empty());
    let sweeps = doc! { "getParameter": 1, "ttlMonitorEnabled": 1 };
    assert!(
        root.run("admin", sweeps)
            .unwrap()
            .get_bool("ttlMonitorEnabled")
            .unwrap()
    );
}

#[test]
fn a_wiped_database_comes_back_with_its_counts_its_unexpired_sessions_and_its_indexes() {
    let Some(site) = Site::new() else { return };
    site.fill(2_000, 300);
    let summary = site.back_up();
    assert_eq!(summary.collections["aiagent.users"], 2_000);
    let manifest = site.manifest(&summary);
    site.wipe();

    let administrator = site.administrator();
    let restored = user::with(
        &administrator,
        |login| Ok(site.login(login)),
        |server| restore::run(server, &manifest, site.opened(&summary), false, &|_| {}),
    )
    .unwrap();
    assert_eq!(restored.differences, Vec::<String>::new());
    assert_eq!(restored.documents, 4_000);
    let root = site.root();
    let drop_one = doc! { "dropIndexes": "multi_agent_sessions", "index": "sessionId_1_userId_1" };
    root.run("aiagent", drop_one).unwrap();
    let missing = compare::differences(&root, &manifest).unwrap();
    assert!(
        missing.len() == 1 && missing[0].contains("sessionId_1_userId_1"),
        "{missing:?}"
    );
    let unexpired = doc! { "expiresAt": { "$gt": DateTime::now() } };
    assert_eq!(count(&root, "multi_agent_sessions", unexpired), 1_700);
    assert_eq!(count(&root, "visible", doc! {}), 2_000);
    let indexes = root
        .run("aiagent", doc! { "listIndexes": "multi_agent_sessions" })
        .unwrap();
    let indexes = indexes
        .get_document("cursor")
        .unwrap()
        .get_array("firstBatch")
        .unwrap();
    let expires = indexes
        .iter()
        .filter_map(|index| index.as_document()?.get("expireAfterSeconds"));
    assert_eq!((indexes.len(), expires.count()), (2, 1));
    assert_left_as_before(&root);
}

#[test]
fn a_restore_that_fails_half_way_leaves_no_user_and_lets_expired_documents_go_again() {
    let Some(site) = Site::new() else { return };
    site.fill(200, 0);
    let summary = site.back_up();
    let manifest = site.manifest(&summary);
    site.wipe();
    let cut = std::io::Read::take(site.opened(&summary), summary.bytes / 2);
    let fault = user::with(
        &site.administrator(),
        |login| Ok(site.login(login)),
        |server| restore::run(server, &manifest, cut, false, &|_| {}),
    )
    .unwrap_err();
    assert_eq!(fault.what, "the backup is damaged");
    assert_left_as_before(&site.root());
}

#[test]
fn what_is_written_during_the_dump_is_in_the_backup_up_to_one_moment() {
    let Some(site) = Site::new() else { return };
    site.fill(20_000, 0);
    let (stop, rounds) = (AtomicBool::new(false), AtomicI32::new(0));
    // Until so many more rounds are written.
    let wait = |more: i32| {
        let (wanted, begun) = (rounds.load(Ordering::Relaxed) + more, Instant::now());
        while rounds.load(Ordering::Relaxed) < wanted {
            if begun.elapsed() > Duration::from_secs(60) {
                stop.store(true, Ordering::Relaxed);
            }
            assert!(!stop.load(Ordering::Relaxed), "nothing is written");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let (summary, written) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let client = mongodb::Client::with_uri_str(site.uri()).await.unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let round = rounds.load(Ordering::Relaxed);
                    write_round(&client, round).await.unwrap();
                    rounds.store(round + 1, Ordering::Relaxed);
                }
                rounds.load(Ordering::Relaxed)
            })
        });
        wait(1);
        // However fast it reads: something is written between two of its collections.
        let summary = dump::run(&site.config, &|_| wait(5)).unwrap();
        stop.store(true, Ordering::Relaxed);
        (summary, writer.join().unwrap())
    });
    println!(
        "{written} rounds, {} writes during the dump",
        summary.oplog_entries
    );
    assert!(summary.oplog_entries > 20, "nothing was written meanwhile");
    let manifest = site.manifest(&summary);
    site.wipe();
    let root = site.root();
    let restored = restore::run(&root, &manifest, site.opened(&summary), false, &|_| {}).unwrap();
    assert_eq!(restored.differences, Vec::<String>::new());
    // Each round adds a pair, one to each collection, in one transaction: at one moment there are as many of both.
    let pairs = |name| count(&root, name, doc! { "pair": true });
    assert_eq!(pairs("users"), pairs("multi_agent_sessions"));
    assert!(pairs("users") > 0);
    // Each round counts one document up and another one down: together they stay what they were.
    let sum = doc! { "aggregate": "users", "cursor": {}, "pipeline": [
        { "$match": { "visits": { "$exists": true } } },
        { "$group": { "_id": 1, "sum": { "$sum": "$visits" } } },
    ] };
    let sum = root.run("aiagent", sum).unwrap();
    let first = &sum
        .get_document("cursor")
        .unwrap()
        .get_array("firstBatch")
        .unwrap()[0];
    assert_eq!(first.as_document().unwrap().get_i32("sum").unwrap(), 0);
}

/// A transaction over two collections, and a document that lives for one round.
async fn write_round(client: &mongodb::Client, round: i32) -> mongodb::error::Result<()> {
    let database = client.database("aiagent");
    let users = database.collection::<Document>("users");
    let sessions = database.collection::<Document>("multi_agent_sessions");
    let mut session = client.start_session().await?;
    session.start_transaction().await?;
    let pair = doc! { "_id": format!("pair {round}"), "pair": true };
    users.insert_one(&pair).session(&mut session).await?;
    sessions.insert_one(&pair).session(&mut session).await?;
    for (number, step) in [(round % 20_000, 1), ((round + 7_000) % 20_000, -1)] {
        let moved = doc! { "$inc": { "visits": step } };
        users
            .update_one(doc! { "_id": number }, moved)
            .session(&mut session)
            .await?;
    }
    session.commit_transaction().await?;

    let short = doc! { "_id": format!("short {round}") };
    users.insert_one(&short).await?;
    let update = doc! { "$set": { "at": { "x": 1 }, "y": 2 } };
    users.update_one(short.clone(), update).await?;
    users
        .update_one(short.clone(), doc! { "$set": { "at.x": 2 } })
        .await?;
    users.delete_one(short).await?;
    Ok(())
}
