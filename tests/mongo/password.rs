//! New passwords: what becomes of connections, and how each user gets one.

use geodeploy::agent::database_link;
use geodeploy::resource::{MongoUser, RetiredMongoUser};
use geodeploy::secrets::Secret;

use crate::host::{Run, administrator, application, converge, login, provisioned};
use crate::link::{environment, refused};

#[test]
fn a_new_password_leaves_open_connections_and_refuses_new_ones_with_the_old_one() {
    use mongodb::bson::doc;
    let Some(server) = provisioned() else {
        return;
    };
    let connection = server.connection();
    let before = application(&connection);
    let open = Run::new();
    let ping = |run: &Run| {
        let find = doc! { "find": "multi_agent_sessions" };
        run.command(&connection, &login(&before), "aiagent", find)
    };
    ping(&open).unwrap();
    let mut after = application(&connection);
    after.password = Secret::new("third-secret".to_owned());
    assert!(converge(&after));
    assert!(!converge(&after), "a second rotation finds nothing to do");
    ping(&open).unwrap();
    assert!(ping(&Run::new()).is_err());
    let refused = refused(&server, "127.0.0.1", "second-secret");
    assert!(refused.hint.unwrap().contains("rotate-password app"));
    let text = environment(&server, "127.0.0.1", "third-secret");
    assert!(database_link::test(text.as_bytes()).unwrap().is_some());
}

#[test]
fn the_administrator_gets_a_new_password_with_the_old_one_and_a_second_run_needs_it_no_more() {
    let Some(server) = provisioned() else {
        return;
    };
    let mut wanted = administrator(&server.connection());
    wanted.password = Secret::new("fourth-secret".to_owned());
    // As the host sees it: the login until now, the password from now on.
    assert!(converge(&wanted));
    wanted.connection.admin_password = wanted.password.clone();
    assert!(!converge(&wanted));
    wanted.connection.admin_password = Secret::new("first-secret".to_owned());
    let fault = Run::new().look(&wanted).unwrap_err();
    assert!(fault.why.contains("refuses the password"), "{fault}");
}

#[test]
fn a_client_with_the_old_password_loses_even_its_open_connections_once_it_needs_a_new_one() {
    use mongodb::bson::doc;
    let Some(server) = provisioned() else {
        return;
    };
    let text = environment(&server, "127.0.0.1", "second-secret");
    let uri = text.split('"').nth(1).unwrap();
    let uri = uri.replace("mongodb://", "mongodb://aiagent_user:second-secret@");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.unwrap();
    let database = runtime.block_on(async {
        let client = mongodb::Client::with_uri_str(&uri).await.unwrap();
        client.database("aiagent")
    });
    let answered = |at_once: usize| {
        let asked = (0..at_once).map(|_| database.run_command(doc! { "find": "conversations" }));
        let all = runtime.block_on(async {
            futures_util::future::join_all(asked.map(std::future::IntoFuture::into_future)).await
        });
        all.iter().filter(|answer| answer.is_ok()).count()
    };
    assert_eq!(answered(1), 1);
    let mut after = application(&server.connection());
    after.password = Secret::new("third-secret".to_owned());
    assert!(converge(&after));
    // More at once than connections are open.
    assert!(answered(24) < 24);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(answered(1), 0);
}

#[test]
fn a_server_that_went_over_to_an_interim_user_never_loses_its_login() {
    let Some(server) = provisioned() else {
        return;
    };
    let connection = server.connection();
    let interim = MongoUser {
        name: "aiagent_user-next".to_owned(),
        password: Secret::new("third-secret".to_owned()),
        ..application(&connection)
    };
    assert!(converge(&interim));
    let works = |user: &MongoUser| {
        let text = environment(&server, "127.0.0.1", user.password.expose());
        let text = text.replace("aiagent_user\n", &format!("{}\n", user.name));
        database_link::test(text.as_bytes()).is_ok()
    };
    let mut own = application(&connection);
    assert!(works(&own) && works(&interim));
    own.password = interim.password.clone();
    assert!(converge(&own));
    assert!(works(&own) && works(&interim));
    let gone = RetiredMongoUser {
        connection: connection.clone(),
        database: interim.database.clone(),
        name: interim.name.clone(),
    };
    assert!(converge(&gone));
    assert!(!converge(&gone), "a second removal finds nothing to do");
    assert!(works(&own) && !works(&interim));
}
