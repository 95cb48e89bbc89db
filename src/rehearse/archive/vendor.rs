//! MongoDB's own apt archive: whether it can be reached from here, its key held against a fingerprint, its newest patch.

use std::path::Path;
use std::time::Duration;

use super::super::error::{Error, Result};
use super::super::layers::remove;
use super::{Archive, Origin, package::SERVER, sign};

/// How long a look may take in all: where there is no way out, the rehearsal should not wait for it.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long one connection may take.
const CONNECT: Duration = Duration::from_secs(4);

/// Where the vendor's archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// The archive's address; apt's is that with `/apt/debian`.
    pub address: String,
    /// The signing key's address.
    pub key: String,
    /// The signing key's fingerprint, 40 hex digits in capitals.
    pub fingerprint: String,
    /// The release series.
    pub series: String,
}

impl Default for Vendor {
    /// MongoDB 8.0, which is supported until October 2029. The fingerprint is the one that Docker's official image pins:
    /// <https://github.com/docker-library/mongo/blob/master/pgp-keys.json>.
    fn default() -> Self {
        Self {
            address: "https://repo.mongodb.org".to_owned(),
            key: "https://pgp.mongodb.com/server-8.0.asc".to_owned(),
            fingerprint: "4B0752C1BCA238C0B4EE14DC41DE058A4E7DCA05".to_owned(),
            series: "8.0".to_owned(),
        }
    }
}

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// An archive that can be used.
    Reached(Archive),
    /// Nothing that answers, and why.
    Unreached(String),
}

impl Vendor {
    /// Looks for the archive as a Debian 12 twin would use it. `cache` is a folder for what gpg needs.
    ///
    /// # Errors
    /// When there is one whose key is not the vendor's: somebody stands in between, and no other archive may hide that.
    pub(super) fn look(&self, cache: &Path) -> Result<Looked> {
        let list = format!(
            "{}/apt/debian/dists/bookworm/mongodb-org/{}/main/binary-amd64/Packages",
            self.address, self.series
        );
        let (packages, key_armored) = match fetch([&list, &self.key]) {
            Ok([packages, key]) => (packages, key),
            Err(why) => return Ok(Looked::Unreached(why)),
        };
        let Some(version) = newest(&packages) else {
            return Ok(Looked::Unreached(format!("{list} names no {SERVER}")));
        };
        let home = cache.join(format!("gnupg-look-{}", std::process::id()));
        let found = sign::fingerprint(&key_armored, &home);
        remove(&home)?;
        let found = found.map_err(|error| error.within(format!("cannot use {}", self.key)))?;
        if found != self.fingerprint {
            return Err(Error::new(
                format!("will not use {}", self.address),
                format!(
                    "{} has the fingerprint {found}, not {}",
                    self.key, self.fingerprint
                ),
                "find out who answers in the vendor's place",
            ));
        }
        Ok(Looked::Reached(Archive {
            origin: Origin::Vendor(self.address.clone()),
            key_armored,
            fingerprint: found,
            version,
        }))
    }
}

/// The texts at some addresses, or why not. On a thread of its own: the caller may be inside a runtime.
fn fetch<const N: usize>(addresses: [&str; N]) -> std::result::Result<[String; N], String> {
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let result = runtime.block_on(async {
            let all = futures_util::future::try_join_all(addresses.map(text));
            tokio::time::timeout(DEADLINE, all)
                .await
                .map_err(|_| format!("no answer within {} s", DEADLINE.as_secs()))?
        });
        // A look-up of a name that hangs in the system's resolver must not hold the end up.
        runtime.shutdown_background();
        result
    };
    let texts = std::thread::scope(|scope| scope.spawn(work).join())
        .map_err(|_| "the look for it failed".to_owned())??;
    texts
        .try_into()
        .map_err(|_| "an answer is missing".to_owned())
}

async fn text(address: &str) -> std::result::Result<String, String> {
    let client = reqwest::Client::builder().connect_timeout(CONNECT).build();
    let answer = async {
        client?
            .get(address)
            .send()
            .await?
            .error_for_status()?
            .text()
            .await
    };
    answer.await.map_err(|error: reqwest::Error| {
        let mut words = vec![error.to_string()];
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            words.push(error.to_string());
            source = error.source();
        }
        words.join(": ")
    })
}

/// The newest released version of the server in a list of packages.
fn newest(packages: &str) -> Option<String> {
    let field = |stanza: &str, name: &str| {
        let value = stanza
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.map(|value| value.trim().to_owned())
    };
    let numbers = |version: &str| {
        version
            .split('.')
            .map(|part| part.parse::<u32>().ok())
            .collect::<Option<Vec<_>>>()
    };
    packages
        .split("\n\n")
        .filter(|stanza| field(stanza, "Package").as_deref() == Some(SERVER))
        .filter_map(|stanza| field(stanza, "Version"))
        .filter_map(|version| Some((numbers(&version)?, version)))
        .max()
        .map(|(_, version)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_patch_is_taken_by_number_and_without_candidates() {
        let stanza = |name: &str, version: &str| {
            format!("Package: {name}\nVersion: {version}\nArchitecture: amd64\n")
        };
        let list = [
            stanza("mongodb-org-server", "8.0.9"),
            stanza("mongodb-org-server", "8.0.21"),
            stanza("mongodb-org-server", "8.0.22~rc0"),
            stanza("mongodb-org-mongos", "8.0.30"),
        ];
        assert_eq!(newest(&list.join("\n")).as_deref(), Some("8.0.21"));
        assert_eq!(newest("<html>"), None);
    }

    #[test]
    fn what_does_not_answer_is_unreached_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let vendor = Vendor {
            key: format!("{address}/key.asc"),
            address,
            ..Vendor::default()
        };
        let Looked::Unreached(why) = vendor.look(folder.path()).unwrap() else {
            panic!("nobody listens there");
        };
        assert!(why.contains("refused"), "{why}");
    }
}
