//! A set that grows over several real servers, and what stops it.

use std::cell::RefCell;

use geodeploy::resource::mongo::{Connection, Member};
use geodeploy::resource::{Manage as _, ReplicaSet, SetMembers};
use mongodb::bson::{Bson, Document, doc};

use crate::host::{Run, administrator, application, converge, login};
use crate::server::Server;

/// The set of these servers, the first being the primary; `votes` for all or for the first alone.
pub(crate) fn members(servers: &[&Server], votes: bool) -> SetMembers {
    let mut members = Vec::new();
    for (at, server) in servers.iter().enumerate() {
        members.push(match at == 0 || votes {
            true => Member::voter(server.host(), 10.0 - f64::from(u8::try_from(at).unwrap())),
            false => Member::copy(server.host()),
        });
    }
    SetMembers {
        connection: servers[0].connection(),
        name: "rs0".to_owned(),
        members,
        force: false,
    }
}

/// A set of one with its users and a document.
pub(crate) fn begun() -> Option<Server> {
    let server = Server::start()?;
    let connection = server.connection();
    let begin = ReplicaSet {
        connection: connection.clone(),
        name: "rs0".to_owned(),
        members: vec![Member::voter(server.host(), 10.0)],
        begins: true,
    };
    assert!(converge(&begin));
    assert!(converge(&administrator(&connection)));
    assert!(converge(&application(&connection)));
    write(&connection, "first").unwrap();
    Some(server)
}

pub(crate) fn write(connection: &Connection, text: &str) -> Result<Document, String> {
    let user = application(connection);
    let command = doc! {
        "insert": "messages",
        "documents": [{ "text": text }],
        "writeConcern": { "w": "majority", "wtimeout": 3000 },
    };
    let run = Run::new();
    let answer = run.command(connection, &login(&user), "aiagent", command);
    let answer = answer.map_err(|refusal| refusal.to_string())?;
    match answer.get("writeConcernError") {
        Some(error) => Err(error.to_string()),
        None => Ok(answer),
    }
}

/// The texts that the application's user reads on that very server.
pub(crate) fn read(server: &Server) -> Vec<String> {
    let connection = server.connection();
    let user = application(&connection);
    let command = doc! { "find": "messages" };
    let answer = Run::new()
        .command(&connection, &login(&user), "aiagent", command)
        .unwrap();
    let cursor = answer.get_document("cursor").unwrap();
    let batch = cursor.get_array("firstBatch").unwrap().iter();
    batch
        .filter_map(Bson::as_document)
        .map(|document| document.get_str("text").unwrap().to_owned())
        .collect()
}

pub(crate) fn admin(server: &Server, command: Document) -> Document {
    let connection = server.connection();
    let admin = administrator(&connection);
    Run::new()
        .command(&connection, &login(&admin), "admin", command)
        .unwrap()
}

fn configuration(server: &Server) -> Document {
    let answer = admin(server, doc! { "replSetGetConfig": 1 });
    answer.get_document("config").unwrap().clone()
}

pub(crate) fn version(server: &Server) -> i32 {
    configuration(server).get_i32("version").unwrap()
}

/// Host, votes and priority of each member.
pub(crate) fn shape(server: &Server) -> Vec<(String, i64, f64)> {
    let number = |value: Option<&Bson>| match value {
        Some(Bson::Int32(number)) => f64::from(*number),
        Some(Bson::Double(number)) => *number,
        other => panic!("{other:?}"),
    };
    let configuration = configuration(server);
    let members = configuration.get_array("members").unwrap().iter();
    members
        .filter_map(Bson::as_document)
        .map(|member| {
            (
                member.get_str("host").unwrap().to_owned(),
                number(member.get("votes")) as i64,
                number(member.get("priority")),
            )
        })
        .collect()
}

#[test]
fn a_member_joins_without_a_vote_by_one_configuration_and_a_second_run_changes_nothing() {
    let Some(cn) = begun() else { return };
    let us = cn.beside().unwrap();
    let set = members(&[&cn, &us], false);
    let before = version(&cn);
    let plan = Run::new().look(&set).unwrap().unwrap();
    let after = format!("{:?}", plan.after);
    assert!(after.contains("no: 1 of 2 members votes"), "{after}");
    assert!(converge(&set));
    assert_eq!(version(&cn) - before, 1);
    assert_eq!(shape(&cn), [(cn.host(), 1, 10.0), (us.host(), 0, 0.0)]);
    assert_eq!(read(&us), ["first"]);
    // The copy has the users too, so that a run on its host can log in.
    assert!(
        Run::new()
            .look(&administrator(&us.connection()))
            .unwrap()
            .is_none()
    );
    let unchanged = version(&cn);
    assert_eq!(Run::new().look(&set).unwrap(), None);
    assert!(!converge(&set));
    assert_eq!(version(&cn), unchanged);
    // The beginning of the set sees no difference in what grew out of it.
    let begin = ReplicaSet {
        connection: cn.connection(),
        name: "rs0".to_owned(),
        members: vec![Member::voter(cn.host(), 10.0)],
        begins: true,
    };
    assert_eq!(Run::new().look(&begin).unwrap(), None);

    // No longer named, it goes by one configuration, and what is left takes writes.
    let alone = members(&[&cn], false);
    let plan = Run::new().look(&alone).unwrap().unwrap();
    assert!(format!("{:?}", plan.before).contains(&us.host()));
    assert!(converge(&alone));
    assert_eq!(version(&cn) - unchanged, 1);
    write(&cn.connection(), "second").unwrap();
}

#[test]
fn three_voters_get_one_vote_a_configuration_and_writes_resume_after_the_primary_is_lost() {
    let Some(mut cn) = begun() else { return };
    let (us, sg) = (cn.beside().unwrap(), cn.beside().unwrap());
    let set = members(&[&cn, &us, &sg], true);
    let before = version(&cn);
    let plan = Run::new().look(&set).unwrap().unwrap();
    assert!(format!("{:?}", plan.after).contains("yes: 3 of 3 members vote"));
    assert!(converge(&set));
    // Two additions, two votes.
    assert_eq!(version(&cn) - before, 4);
    assert_eq!(
        shape(&cn),
        [
            (cn.host(), 1, 10.0),
            (us.host(), 1, 9.0),
            (sg.host(), 1, 8.0)
        ]
    );
    assert_eq!(Run::new().look(&set).unwrap(), None);

    cn.kill();
    let begun = std::time::Instant::now();
    let resumed = || {
        [&us, &sg]
            .iter()
            .any(|server| write(&server.connection(), "after the election").is_ok())
    };
    while !resumed() {
        assert!(begun.elapsed().as_secs() < 60, "no election");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    println!("writes resumed after {:?}", begun.elapsed());
}

#[test]
fn a_member_that_does_not_answer_is_left_pending_and_the_next_run_goes_on() {
    let Some(cn) = begun() else { return };
    let mut us = cn.beside().unwrap();
    us.kill();
    let set = members(&[&cn, &us], false);
    let before = version(&cn);
    let run = Run::new();
    let change = run.look(&set).unwrap().unwrap();
    let fault = set.apply(&change, &run.context()).unwrap_err();
    assert!(fault.pending, "{fault}");
    assert!(fault.what.contains("takes no part"), "{fault}");
    assert!(fault.hint.unwrap().contains("must resolve"));
    assert_eq!(version(&cn), before);
    write(&cn.connection(), "cn takes writes alone").unwrap();
    us.up();
    assert!(converge(&set));
}

#[test]
fn a_run_that_is_killed_after_any_configuration_is_completed_by_the_next_one() {
    let Some(cn) = begun() else { return };
    let (us, sg) = (cn.beside().unwrap(), cn.beside().unwrap());
    let set = members(&[&cn, &us, &sg], true);
    let first = version(&cn);
    for done in 1..=4 {
        // The line of progress comes before each configuration, and a panic there ends the run like a kill.
        let told = RefCell::new(0);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let run = Run::new();
            let change = run.look(&set).unwrap().unwrap();
            let stop = |line: &str| {
                if ["adding", "giving"]
                    .iter()
                    .any(|word| line.starts_with(word))
                {
                    *told.borrow_mut() += 1;
                    assert!(*told.borrow() < 2, "killed");
                }
            };
            let context = geodeploy::resource::Context {
                progress: &stop,
                ..run.context()
            };
            set.apply(&change, &context)
        }));
        assert_eq!(version(&cn) - first, done);
        assert_eq!(ended.is_ok(), done == 4, "after {done}");
    }
    assert_eq!(Run::new().look(&set).unwrap(), None);
}

#[test]
fn a_member_with_data_of_another_set_and_a_set_without_this_host_are_refused() {
    let Some(cn) = begun() else { return };
    let foreign = cn.beside().unwrap();
    let other = ReplicaSet {
        connection: foreign.connection(),
        name: "rs0".to_owned(),
        members: vec![Member::voter(foreign.host(), 10.0)],
        begins: true,
    };
    assert!(converge(&other));
    let fault = Run::new()
        .converge(&members(&[&cn, &foreign], false))
        .unwrap_err();
    assert!(!fault.pending, "{fault}");
    assert!(fault.hint.unwrap().contains("never taken over"));
    // It is out again, and the set takes writes.
    assert_eq!(shape(&cn), [(cn.host(), 1, 10.0)]);
    write(&cn.connection(), "second").unwrap();

    let mut elsewhere = members(&[&cn], false);
    elsewhere.members[0].host = "elsewhere.example:27017".to_owned();
    let fault = Run::new().converge(&elsewhere).unwrap_err();
    assert!(
        fault.why.contains(&format!("rs0 of {}", cn.host())),
        "{fault}"
    );
}
