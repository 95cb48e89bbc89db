//! Certificates that change while the server runs.

use std::fs;

use geodeploy::agent::system::database::{Call, Database as _, Endpoint, Login};
use geodeploy::resource::{Content, File, MongodCertificates, Notify, Ownership};
use geodeploy::secrets::Secret;
use mongodb::bson::doc;

use crate::authority::Authority;
use crate::host::{Run, administrator, login};
use crate::supervised::{Host, private};

/// A file of the server's whose change it must hear of.
fn file(host: &Host, name: &str, text: &str, mode: u32) -> File {
    File {
        path: host.path(name),
        content: Some(Content::Secret(Secret::new(text.to_owned()))),
        ownership: Ownership::root(mode),
        notifies: vec![Notify::rotate("mongod.service")],
    }
}

fn lay_out(host: &Host, ca: &str, server: &str) -> MongodCertificates {
    let run = Run::new();
    host.converge(&run, &file(host, "ca.pem", ca, 0o644))
        .unwrap();
    host.converge(&run, &file(host, "server.pem", server, 0o400))
        .unwrap();
    host.certificates()
}

/// Whether somebody who shows this certificate gets an answer.
fn admits(host: &Host, name: &str, certificate: &str) -> bool {
    private(&host.path(name), certificate);
    let (ca_file, own) = (host.path("ca.pem"), host.path(name));
    let at = Endpoint {
        port: host.port,
        ca_file: &ca_file,
        certificate_file: Some(&own),
    };
    let hello = Call::new("admin", doc! { "hello": 1 });
    Run::new().driver().ask(&at, &Login::Nobody, &hello).is_ok()
}

#[test]
fn a_new_certificate_is_served_without_a_restart_and_open_connections_go_on() {
    let Some(host) = Host::start() else {
        return;
    };
    let pid = host.pid();
    let connection = host.connection();
    let admin = administrator(&connection);
    let client = Run::new();
    let ping = || client.command(&connection, &login(&admin), "admin", doc! { "ping": 1 });
    ping().unwrap();

    let wanted = lay_out(
        &host,
        &host.authority.pem(),
        &host.authority.issue("mongod"),
    );
    let run = Run::new();
    let change = run.look_on(&host, &wanted).unwrap().unwrap();
    let shown = format!("{change:?}");
    assert!(
        shown.contains("rotate") && !shown.contains("PRIVATE"),
        "{shown}"
    );
    assert!(host.converge(&run, &wanted).unwrap());
    assert_eq!(host.pid(), pid);
    ping().unwrap();
    assert!(!host.converge(&Run::new(), &wanted).unwrap());
    assert!(
        !host
            .converge(&Run::new(), &host.running(&host.configuration("0.25", "")))
            .unwrap()
    );
}

#[test]
fn an_authority_is_replaced_over_an_overlap_of_both_without_a_restart() {
    let Some(host) = Host::start() else {
        return;
    };
    let pid = host.pid();
    let (old, new) = (&host.authority, Authority::new("second"));
    let (old_client, new_client) = (old.issue("client"), new.issue("client"));
    assert!(!admits(&host, "new-client.pem", &new_client));
    let both = format!("{}{}", old.pem(), new.pem());
    let server = fs::read_to_string(host.path("server.pem")).unwrap();
    let steps = [
        (both.clone(), server, [true, true]),
        (both, new.issue("mongod"), [true, true]),
        (new.pem(), String::new(), [false, true]),
    ];
    for (ca, server, admitted) in steps {
        let server = match server.is_empty() {
            true => fs::read_to_string(host.path("server.pem")).unwrap(),
            false => server,
        };
        let wanted = lay_out(&host, &ca, &server);
        assert!(host.converge(&Run::new(), &wanted).unwrap());
        let found = [
            admits(&host, "old-client.pem", &old_client),
            admits(&host, "new-client.pem", &new_client),
        ];
        assert_eq!(found, admitted);
        assert!(!host.converge(&Run::new(), &wanted).unwrap());
    }
    assert_eq!(host.pid(), pid);
}

#[test]
fn an_authority_that_is_replaced_outright_takes_a_restart() {
    let Some(host) = Host::start() else {
        return;
    };
    let pid = host.pid();
    let new = Authority::new("second");
    let wanted = lay_out(&host, &new.pem(), &new.issue("mongod"));
    assert!(host.converge(&Run::new(), &wanted).unwrap());
    assert_ne!(host.pid(), pid);
    assert!(admits(&host, "client.pem", &new.issue("client")));
    assert!(!host.converge(&Run::new(), &wanted).unwrap());
}

#[test]
fn an_administrator_who_may_not_rotate_certificates_restarts_the_server_instead() {
    let Some(host) = Host::start() else {
        return;
    };
    let pid = host.pid();
    let connection = host.connection();
    let admin = administrator(&connection);
    let revoke = doc! { "revokeRolesFromUser": &admin.name, "roles": ["hostManager"] };
    Run::new()
        .command(&connection, &login(&admin), "admin", revoke)
        .unwrap();
    let wanted = lay_out(
        &host,
        &host.authority.pem(),
        &host.authority.issue("mongod"),
    );
    assert!(host.converge(&Run::new(), &wanted).unwrap());
    assert_ne!(host.pid(), pid);
}
