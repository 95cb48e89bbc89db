use super::*;

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn authority() -> (Authority, Secret) {
    let key = Authority::key().unwrap();
    let certificate = Authority::certificate("yourapp", &key, now()).unwrap();
    (Authority::load(&certificate, &key).unwrap(), key)
}

fn holder(purpose: Purpose) -> Holder {
    Holder {
        name: "cn-server".to_owned(),
        organisation: "yourapp".to_owned(),
        purpose,
        names: vec![
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
            "localhost".to_owned(),
        ],
    }
}

/// A program to ask, or `None`, loudly, where it is not installed.
#[expect(
    clippy::disallowed_methods,
    reason = "the test asks the program that everybody checks certificates with"
)]
fn openssl(arguments: &[&str]) -> Option<std::process::Output> {
    match std::process::Command::new("openssl")
        .args(arguments)
        .output()
    {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!(
                "SKIPPED: openssl cannot be asked ({error}); install it to have this checked"
            );
            None
        }
    }
}

#[test]
fn openssl_accepts_what_was_issued_for_its_purpose_and_its_names_only() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, _) = authority();
    let (foreign, _) = self::authority();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let ca = write("ca.pem", authority.pem());
    let other = write("other.pem", foreign.pem());
    let server = authority.issue(&holder(Purpose::Server), now()).unwrap();
    let server = write("server.pem", server.sealed.expose());
    let client = authority.issue(&holder(Purpose::Client), now()).unwrap();
    let client = write("client.pem", client.sealed.expose());
    let at = now().as_second() + 86_400;
    let verify = |ca: &str, purpose: &str, more: &[&str], file: &str| {
        let at = at.to_string();
        let fixed = [
            "verify",
            "-x509_strict",
            "-attime",
            &at,
            "-CAfile",
            ca,
            "-purpose",
            purpose,
        ];
        openssl(&[&fixed, more, &[file]].concat()).map(|output| output.status.success())
    };
    let Some(accepted) = verify(&ca, "sslserver", &["-verify_ip", "127.0.0.1"], &server) else {
        return;
    };
    assert!(accepted);
    assert_eq!(
        verify(
            &ca,
            "sslserver",
            &["-verify_hostname", "localhost"],
            &server
        ),
        Some(true)
    );
    assert_eq!(verify(&ca, "sslclient", &[], &server), Some(true));
    assert_eq!(verify(&ca, "sslclient", &[], &client), Some(true));
    assert_eq!(verify(&ca, "sslserver", &[], &client), Some(false));
    assert_eq!(
        verify(&ca, "sslserver", &["-verify_ip", "192.0.2.1"], &server),
        Some(false)
    );
    assert_eq!(verify(&other, "sslserver", &[], &server), Some(false));
}

#[test]
fn a_certificate_says_what_it_was_issued_for() {
    let (authority, _) = authority();
    let issued = authority.issue(&holder(Purpose::Server), now()).unwrap();
    let found = describe(&issued.certificate).unwrap();
    assert_eq!(found.name, "cn-server");
    assert_eq!(found.names, ["127.0.0.1", "::1", "localhost"]);
    assert_eq!(found.days_left(now()), CERTIFICATE_DAYS - 1);
    assert_eq!(found.issuer_key, describe(authority.pem()).unwrap().own_key);
    assert!(!found.issuer_key.is_empty());
}

#[test]
fn a_key_that_is_not_the_authoritys_is_refused() {
    let (authority, _) = authority();
    let other = Authority::key().unwrap();
    let refused = Authority::load(authority.pem(), &other).err().unwrap();
    assert!(refused.what.contains("does not belong"), "{refused:?}");
    assert!(Authority::load(authority.pem(), &Secret::new("made up".to_owned())).is_err());
}

#[test]
fn a_members_key_is_one_that_mongod_takes() {
    let key = member_key().unwrap();
    assert!((6..=1024).contains(&key.expose().len()));
    assert!(
        key.expose()
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    );
    assert_ne!(key, member_key().unwrap());
}

#[test]
fn what_is_sealed_opens_with_its_identity_and_is_not_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let identity = folder.path().join("identity.txt");
    Vault::make_identity(&identity).unwrap();
    let vault = Vault::open(folder.path(), &identity).unwrap();
    let path = folder.path().join("x.key.age");
    vault
        .seal(&path, &Secret::new("hunter2".to_owned()))
        .unwrap();
    assert!(!std::fs::read_to_string(&path).unwrap().contains("hunter2"));
    let text = std::fs::read_to_string(&identity).unwrap();
    let identities = age::IdentityFile::from_buffer(text.as_bytes())
        .unwrap()
        .into_identities()
        .unwrap();
    let sealed = std::fs::read(&path).unwrap();
    let reader = age::Decryptor::new(age::armor::ArmoredReader::new(&sealed[..])).unwrap();
    let mut opened = String::new();
    let mut reader = reader
        .decrypt(
            identities
                .iter()
                .map(|one| one.as_ref() as &dyn age::Identity),
        )
        .unwrap();
    std::io::Read::read_to_string(&mut reader, &mut opened).unwrap();
    assert_eq!(opened, "hunter2");
}
