//! Users: what they may do, and what drifts.

use geodeploy::resource::mongo::Role;
use geodeploy::secrets::Secret;
use mongodb::bson::doc;

use crate::host::{Run, administrator, application, converge, login, provisioned};

#[test]
fn a_password_that_somebody_changed_is_a_difference_and_is_mended() {
    let Some(server) = provisioned() else {
        return;
    };
    let connection = server.connection();
    let user = application(&connection);
    let admin = administrator(&connection);
    let run = Run::new();
    let change = doc! { "updateUser": &user.name, "pwd": "somebody else's" };
    run.command(&connection, &login(&admin), "aiagent", change)
        .unwrap();
    let change = run.look(&user).unwrap().unwrap();
    assert!(format!("{:?}", change.before).contains("another one"));
    assert!(!format!("{change:?}").contains("secret"), "{change:?}");
    assert!(run.converge(&user).unwrap());
    let insert = doc! { "insert": "messages", "documents": [{ "text": "hello" }] };
    run.command(&connection, &login(&user), "aiagent", insert)
        .unwrap();
}

#[test]
fn a_role_that_somebody_gave_is_taken_back() {
    let Some(server) = provisioned() else {
        return;
    };
    let connection = server.connection();
    let (user, admin) = (application(&connection), administrator(&connection));
    let run = Run::new();
    let grant = doc! {
        "grantRolesToUser": &user.name,
        "roles": [{ "role": "userAdminAnyDatabase", "db": "admin" }],
    };
    run.command(&connection, &login(&admin), "aiagent", grant)
        .unwrap();
    assert!(converge(&user));
    let wanted = geodeploy::resource::MongoUser {
        roles: vec![
            Role::new("readWrite", "aiagent"),
            Role::new("clusterMonitor", "admin"),
        ],
        ..user
    };
    assert!(converge(&wanted));
}

#[test]
fn a_wrong_password_of_the_administrator_is_said_and_changes_nothing() {
    let Some(server) = provisioned() else {
        return;
    };
    let mut connection = server.connection();
    connection.admin_password = Secret::new("wrong".to_owned());
    let admin = administrator(&connection);
    for resource in crate::host::everything(&connection) {
        let fault = Run::new().look(&*resource).unwrap_err();
        assert!(fault.why.contains("refuses the password"), "{fault}");
        assert!(fault.hint.unwrap().contains("nothing was changed"));
    }
    assert!(Run::new().converge(&admin).is_err());
    assert_eq!(
        Run::new()
            .look(&administrator(&server.connection()))
            .unwrap(),
        None
    );
}
