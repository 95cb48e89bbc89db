use super::*;
use crate::plan::{Attributes, Change, Id};

fn plan(user: &str, before: Option<Attributes>, after: Attributes) -> Plan {
    let id = Id::new(Kind::MongoUser, format!("{user}@aiagent"));
    Plan {
        target: "cn".to_owned(),
        resources: 1,
        changes: Change::between(id, before, Some(after))
            .into_iter()
            .collect(),
    }
}

#[test]
fn only_another_password_of_that_very_user_needs_an_interim_user() {
    let with = |password: &str, role: &str| {
        Attributes::new()
            .text("password", password)
            .list("roles", vec![role.to_owned()])
    };
    let new = || with("new", "readWrite");
    let differs = |plan: &Plan| differs_in_password(plan, "app");
    assert!(differs(&plan(
        "app",
        Some(with("another one", "readWrite")),
        new()
    )));
    assert!(!differs(&plan("app", Some(with("new", "read")), new())));
    assert!(!differs(&plan("app", None, new())));
    assert!(!differs(&plan(
        "app-next",
        Some(with("another one", "readWrite")),
        new()
    )));
}

#[test]
fn each_region_is_told_with_its_changes_and_how_often_its_server_was_started() {
    let of = |region: &str, changes, renewed| Rotated {
        region: region.to_owned(),
        changes,
        renewed,
    };
    let text = shown(&[of("us", 2, 2), of("cn", 0, 0)]);
    let expected = "us: 2 changes, its server started anew 2 times\ncn: nothing to change";
    assert_eq!(text, expected);
}
