//! How to reach the database: the complete URI, and optionally the user apart from it.

use std::time::Duration;

use mongodb::options::{ClientOptions, ConnectionString};
use mongodb::{Client, Database};

use crate::secrets::Secret;

/// The database's name where the URI has none.
const DATABASE: &str = "aiagent";
/// The driver's own default of 30 s is longer than a user waits.
const SERVER_SELECTION: Duration = Duration::from_secs(5);
const APP_NAME: &str = "geodeploy";

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct MongoSettings {
    uri: Secret,
}

impl MongoSettings {
    /// Takes a connection string (`MONGODB_URI`) and, where it has none of its own, user and password.
    ///
    /// Everything else, such as `replicaSet`, `authSource`, `tlsCAFile` and `compressors`, is the URI's.
    ///
    /// # Errors
    ///
    /// What is wrong with the URI, in words that repeat no credential.
    pub fn new(uri: &str, login: Option<(&str, &Secret)>) -> Result<Self, String> {
        let uri = match login {
            Some((user, password)) => with_login(uri, user, password)?,
            None => uri.to_owned(),
        };
        match ConnectionString::parse(&uri) {
            Ok(_) => Ok(Self {
                uri: Secret::new(uri),
            }),
            Err(error) => Err(without_login(&error.kind.to_string(), &uri)),
        }
    }

    /// What the driver makes of it, with the server's own defaults. No server is asked yet, but a `mongodb+srv` URI asks
    /// the name service.
    ///
    /// # Errors
    ///
    /// When the servers of a `mongodb+srv` URI are not found.
    pub async fn options(&self) -> Result<ClientOptions, mongodb::error::Error> {
        let mut options = ClientOptions::parse(self.uri.expose()).await?;
        options
            .server_selection_timeout
            .get_or_insert(SERVER_SELECTION);
        options.app_name.get_or_insert_with(|| APP_NAME.to_owned());
        Ok(options)
    }

    /// Makes a client and returns the application's database. No server is asked yet.
    pub(super) async fn connect(&self) -> Result<Database, mongodb::error::Error> {
        let client = Client::with_options(self.options().await?)?;
        Ok(client
            .default_database()
            .unwrap_or_else(|| client.database(DATABASE)))
    }
}

/// The URI with user and password in it, so that the driver's rules for `authSource` apply to them too.
fn with_login(uri: &str, user: &str, password: &Secret) -> Result<String, String> {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return Err("has no scheme".to_owned());
    };
    let hosts = rest.split(['/', '?']).next().unwrap_or_default();
    if let Some((login, _)) = hosts.rsplit_once('@') {
        let own = login.split_once(':').map_or(login, |(user, _)| user);
        if own == percent_encode(user) {
            return Ok(uri.to_owned());
        }
        return Err("names a user of its own".to_owned());
    }
    let (user, password) = (percent_encode(user), percent_encode(password.expose()));
    Ok(format!("{scheme}://{user}:{password}@{rest}"))
}

/// RFC 3986 section 2.1: everything that is not unreserved.
fn percent_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The driver's reason, unless it repeats what stands before the `@`.
fn without_login(reason: &str, uri: &str) -> String {
    let login = uri
        .rsplit_once('@')
        .map_or("", |(before, _)| before)
        .split_once("://")
        .map_or("", |(_, login)| login);
    let repeats = login
        .split(':')
        .any(|part| !part.is_empty() && reason.contains(part));
    if repeats {
        "is not a connection string: user or password are not percent-encoded".to_owned()
    } else {
        format!("is not a connection string: {reason}")
    }
}

#[cfg(test)]
mod tests {
    use super::{MongoSettings, Secret};

    fn uri(uri: &str, user: &str, password: &str) -> Result<String, String> {
        let password = Secret::new(password.to_owned());
        MongoSettings::new(uri, Some((user, &password)))
            .map(|settings| settings.uri.expose().to_owned())
    }

    #[test]
    fn user_and_password_go_into_the_uri_encoded() {
        assert_eq!(
            uri("mongodb://a:1,b:2/aiagent?tls=true", "ann", "p@ss/w:d%é").unwrap(),
            "mongodb://ann:p%40ss%2Fw%3Ad%25%C3%A9@a:1,b:2/aiagent?tls=true"
        );
    }

    #[test]
    fn a_uri_with_a_user_keeps_it_and_another_one_is_refused() {
        let own = "mongodb://ann:secret@a/aiagent?authSource=admin";
        assert_eq!(uri(own, "ann", "other").unwrap(), own);
        assert_eq!(
            uri(own, "bob", "other").unwrap_err(),
            "names a user of its own"
        );
    }

    #[test]
    fn a_bad_uri_is_explained_without_its_password() {
        for (bad, expected) in [
            ("postgres://ann:hunter2@a/b", "is not a connection string"),
            ("mongodb://ann:hun/ter2@a/b", "URL encoded"),
            (
                "mongodb://a/b?minPoolSize=many",
                "is not a connection string",
            ),
        ] {
            let problem = MongoSettings::new(bad, None).unwrap_err();
            assert!(problem.contains(expected), "{bad}: {problem}");
            assert!(!problem.contains("ter2"), "{problem}");
        }
    }

    #[test]
    fn every_option_of_the_rendered_uri_is_known() {
        let uri = "mongodb://app:x@cn.example.com:27017/aiagent?replicaSet=rs0&authSource=admin&tls=true\
            &tlsCAFile=/etc/geodeploy/ca.pem&tlsCertificateKeyFile=/etc/geodeploy/client.pem&compressors=zstd\
            &minPoolSize=2&maxPoolSize=20&connectTimeoutMS=10000&serverSelectionTimeoutMS=15000&retryWrites=true\
            &w=majority&wTimeoutMS=10000&readPreference=nearest&maxStalenessSeconds=90";
        MongoSettings::new(uri, None).unwrap();
    }
}
