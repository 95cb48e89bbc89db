//! The apt archive that MongoDB's package comes from.

use super::offline::Offline;
use super::values::{KeyFingerprint, MongoVersion, Suite};
use crate::inventory::mistake::Wrong;
use crate::inventory::names::PackageName;
use crate::inventory::reader::Table;
use crate::inventory::secret_reference::{FilePath, SecretReference, SecretSource};
use crate::inventory::values::HttpUrl;

/// Where `mongodb-org-server` comes from: the vendor's archive, or a mirror of it with the vendor's signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Base address.
    pub url: String,
    /// Suite; `{codename}` stands for the host's own.
    pub suite: String,
    /// Component.
    pub component: String,
    /// The key that signs it, ASCII-armoured.
    pub key: Option<SecretReference>,
    /// What that key's fingerprint has to be.
    pub fingerprint: Option<KeyFingerprint>,
    /// A file that takes the place of all that.
    pub offline: Option<Offline>,
}

/// The vendor's archive for Ubuntu.
const URL: &str = "https://repo.mongodb.org/apt/ubuntu";

/// The component of the vendor's archive for Ubuntu; Debian's is called `main`.
const COMPONENT: &str = "multiverse";

/// Fingerprint of the key that signs MongoDB 8.0 (docker-library/mongo, pgp-keys.json).
const FINGERPRINT_8_0: &str = "4B0752C1BCA238C0B4EE14DC41DE058A4E7DCA05";

impl Archive {
    /// Reads `archive` of `[database]`; a `needed` one has its key.
    pub(super) fn read(database: &Table<'_>, version: &MongoVersion, needed: bool) -> Self {
        let table = database.section("archive");
        let series = version.series();
        let url: Option<HttpUrl> = table.text("url");
        let suite: Option<Suite> = table.text("suite");
        let component: Option<PackageName> = table.text("component");
        let key = table.text::<FilePath>("key").map(|path| SecretReference {
            source: SecretSource::Public(path.0),
            key: "database.archive.key".to_owned(),
            line: table.line(),
        });
        let fingerprint = table.text("fingerprint");
        let known = match series {
            "8.0" => FINGERPRINT_8_0.parse().ok(),
            _ => None,
        };
        let offline = Offline::read(&table);
        let needed = needed && !table.has("offline");
        if needed && !table.has("key") {
            let cause = "there is no key to check MongoDB's packages with";
            let remedy = format!(
                "type `curl -fo mongodb-{series}.asc https://pgp.mongodb.com/server-{series}.asc`, \
                 and write archive = {{ key = \"mongodb-{series}.asc\" }} below [database]"
            );
            database.wrong("archive", Wrong::new(cause, remedy));
        } else if needed && !table.has("fingerprint") && known.is_none() {
            let cause =
                format!("geodeploy does not know the fingerprint of MongoDB {series}'s key");
            let remedy = "write fingerprint = \"...\" beside the key, from a source that you trust";
            table.wrong("key", Wrong::new(cause, remedy));
        }
        table.finish();
        Self {
            url: url.map_or_else(|| URL.to_owned(), |url| url.as_str().to_owned()),
            suite: suite.map_or_else(
                || format!("{{codename}}/mongodb-org/{series}"),
                |suite| suite.0,
            ),
            component: component.map_or_else(|| COMPONENT.to_owned(), |name| name.to_string()),
            key,
            fingerprint: fingerprint.or(known),
            offline,
        }
    }
}
