//! Another member becomes the primary: handed over, or by force when the old one is lost.

use std::time::{Duration, Instant};

use geodeploy::resource::mongo::Member;
use geodeploy::resource::{Primary, SetMembers};
use mongodb::bson::doc;

use crate::host::{Run, converge};
use crate::members::{admin, begun, members, read, shape, write};
use crate::server::Server;

fn promoted(us: &Server, cn: &Server, force: bool) -> SetMembers {
    SetMembers {
        force,
        ..members(&[us, cn], false)
    }
}

fn primary(at: &Server, wanted: &Server) -> Primary {
    Primary {
        connection: at.connection(),
        name: "rs0".to_owned(),
        host: wanted.host(),
    }
}

fn state(server: &Server) -> (bool, String) {
    let hello = admin(server, doc! { "hello": 1 });
    (
        hello.get_bool("isWritablePrimary").unwrap(),
        hello.get_str("primary").unwrap_or("none").to_owned(),
    )
}

fn pair() -> Option<(Server, Server)> {
    let cn = begun()?;
    let us = cn.beside()?;
    assert!(converge(&members(&[&cn, &us], false)));
    Some((cn, us))
}

#[test]
fn without_the_primary_of_the_default_set_the_copy_is_read_and_refuses_writes_in_clear_words() {
    let Some((mut cn, us)) = pair() else { return };
    cn.kill();
    assert_eq!(read(&us), ["first"]);
    let refused = write(&us.connection(), "lost").unwrap_err();
    assert!(refused.contains("not primary"), "{refused}");
    std::thread::sleep(Duration::from_secs(12));
    let refused = write(&us.connection(), "lost").unwrap_err();
    assert!(refused.contains("not primary"), "{refused}");

    // An ordinary run changes nothing there and forces nothing.
    let found = Run::new()
        .look(&promoted(&us, &cn, false))
        .unwrap()
        .unwrap();
    assert!(format!("{:?}", found.before).contains("none: no writes are taken"));
    assert_eq!(shape(&us), [(cn.host(), 1, 10.0), (us.host(), 0, 0.0)]);
}

#[test]
fn a_primary_that_answers_hands_over_without_losing_a_write() {
    let Some((cn, us)) = pair() else { return };
    let mut prepare = members(&[&cn, &us], false);
    prepare.members[1] = Member::voter(us.host(), 11.0);
    assert!(converge(&prepare));
    write(&cn.connection(), "second").unwrap();
    converge(&primary(&cn, &us));
    assert!(converge(&promoted(&us, &cn, false)));
    assert_eq!(state(&us), (true, us.host()));
    assert_eq!(shape(&us), [(cn.host(), 0, 0.0), (us.host(), 1, 10.0)]);
    write(&us.connection(), "third").unwrap();
    assert_eq!(read(&us), ["first", "second", "third"]);
    assert_eq!(Run::new().look(&promoted(&us, &cn, false)).unwrap(), None);

    // The inventory that still names the old one first does not move it back.
    let old = members(&[&cn, &us], false);
    let change = Run::new().look(&old).unwrap().unwrap();
    assert!(
        format!("{:?}", change.before).contains("rolled back"),
        "{change:?}"
    );
    let fault = Run::new().converge(&old).unwrap_err();
    assert!(fault.why.contains("the primary is"), "{fault}");
    assert!(fault.hint.unwrap().contains("db promote"));
    assert_eq!(shape(&us), [(cn.host(), 0, 0.0), (us.host(), 1, 10.0)]);
}

#[test]
fn a_lost_primary_is_replaced_by_force_and_follows_when_it_returns() {
    let Some((mut cn, us)) = pair() else { return };
    cn.kill();
    let force = promoted(&us, &cn, true);
    let change = Run::new().look(&force).unwrap().unwrap();
    let before = format!("{:?}", change.before);
    assert!(before.contains("every write after 20"), "{before}");
    assert!(converge(&force));
    write(&us.connection(), "taken by the promoted one").unwrap();

    cn.up();
    let begun = Instant::now();
    while state(&cn) != (false, us.host()) || !state(&us).0 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{:?} {:?}",
            state(&cn),
            state(&us)
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    println!("the old primary followed after {:?}", begun.elapsed());
    write(&us.connection(), "and after its return").unwrap();
    let begun = Instant::now();
    while Run::new()
        .look(&promoted(&us, &cn, false))
        .unwrap()
        .is_some()
    {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(500));
    }
    while read(&cn).len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", read(&cn));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(!converge(&promoted(&us, &cn, false)));
}
