//! The application's link, tried with its environment against a real server.

use geodeploy::agent::database_link;
use geodeploy::agent::system::Fault;

use crate::host::{converge, provisioned, set};
use crate::server::{Server, certificates};

/// The environment of the application as provision writes it, but for port and folder.
pub(crate) fn environment(server: &Server, host: &str, password: &str) -> String {
    let (ca_file, own) = (server.path("ca.pem"), server.path("server.pem"));
    let uri = format!(
        "mongodb://{host}:{}/aiagent?authSource=aiagent&authMechanism=SCRAM-SHA-256&tls=true&tlsCAFile={}\
         &tlsCertificateKeyFile={}&directConnection=true&connectTimeoutMS=5000&minPoolSize=2",
        server.port,
        ca_file.display(),
        own.display(),
    );
    format!("MONGODB_URI=\"{uri}\"\nMONGODB_USER=aiagent_user\nMONGODB_PASSWORD=\"{password}\"\n")
}

pub(crate) fn refused(server: &Server, host: &str, password: &str) -> Fault {
    let fault = database_link::test(environment(server, host, password).as_bytes()).unwrap_err();
    assert!(fault.hint.is_some(), "{fault}");
    assert!(!format!("{fault:?}").contains(password), "{fault:?}");
    println!("{fault}");
    fault
}

#[test]
fn a_link_that_works_is_measured_and_one_that_does_not_says_why() {
    let Some(mut server) = provisioned() else {
        return;
    };
    let own = environment(&server, "127.0.0.1", "second-secret");
    let link = database_link::test(own.as_bytes()).unwrap().unwrap();
    println!(
        "{}, a new connection {} ms",
        link.describe(),
        link.connect_ms
    );
    assert_eq!(link.address, format!("127.0.0.1:{}", server.port));
    assert!(
        link.connect_ms > 0.0 && link.ping_ms < link.connect_ms,
        "{link:?}"
    );
    let by_name = environment(&server, "localhost", "second-secret");
    assert!(database_link::test(by_name.as_bytes()).unwrap().is_some());

    let wrong = refused(&server, "127.0.0.1", "another-secret");
    assert!(
        wrong
            .why
            .contains("login of the application's user is refused"),
        "{wrong}"
    );

    std::fs::rename(server.path("server.pem"), server.path("kept.pem")).unwrap();
    let missing = refused(&server, "127.0.0.1", "second-secret");
    assert!(
        missing
            .why
            .contains("certificates of this host cannot be read"),
        "{missing}"
    );

    // Another authority, and a certificate of its own that the server does not know.
    std::fs::rename(server.path("ca.pem"), server.path("kept-ca.pem")).unwrap();
    certificates(&server.path("ca.pem"), &[server.path("server.pem")]);
    let foreign = refused(&server, "127.0.0.1", "second-secret");
    assert!(foreign.why.contains("another authority"), "{foreign}");
    std::fs::rename(server.path("kept-ca.pem"), server.path("ca.pem")).unwrap();
    let stranger = refused(&server, "127.0.0.1", "second-secret");
    assert!(
        stranger.why.contains("refuses the certificate"),
        "{stranger}"
    );

    std::fs::rename(server.path("kept.pem"), server.path("server.pem")).unwrap();
    server.kill();
    let down = refused(&server, "127.0.0.1", "second-secret");
    assert!(down.why.contains("nothing listens there"), "{down}");
}

/// A certificate of the server's for other names than those that it is dialled by.
fn name_otherwise(server: &Server) {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    let name = &mut authority.distinguished_name;
    name.push(DnType::CommonName, "authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["elsewhere.example".to_owned()]).unwrap();
    let certificate = own.signed_by(&key, &issuer).unwrap();
    for file in ["ca.pem", "server.pem"] {
        std::fs::remove_file(server.path(file)).unwrap();
    }
    std::fs::write(server.path("ca.pem"), issuer.pem()).unwrap();
    let text = format!("{}{}", certificate.pem(), key.serialize_pem());
    std::fs::write(server.path("server.pem"), text).unwrap();
}

#[test]
fn a_certificate_that_does_not_name_the_server_is_said_to_be_one() {
    let Some(mut server) = Server::stopped() else {
        return;
    };
    name_otherwise(&server);
    server.up();
    let fault = refused(&server, "127.0.0.1", "second-secret");
    assert!(fault.why.contains("does not name the address"), "{fault}");
    assert!(fault.hint.unwrap().contains("ca issue"));
}

#[test]
fn a_server_that_is_no_primary_is_no_database_to_serve_from() {
    let Some(server) = Server::start() else {
        return;
    };
    // Without a user the localhost exception answers everybody; without a set there is no primary.
    let text = environment(&server, "127.0.0.1", "x");
    let anonymous = text.lines().next().unwrap();
    let anonymous = anonymous.replace("authSource=aiagent&authMechanism=SCRAM-SHA-256&", "");
    let fault = database_link::test(anonymous.as_bytes()).unwrap_err();
    assert!(fault.why.contains("not the primary"), "{fault}");
    assert!(converge(&set(&server.connection())));
}
