//! The variables of the database.

use super::reader::Reader;
use crate::secrets::Secret;
use crate::serve::store::mongo::MongoSettings;

impl Reader<'_> {
    /// `MONGODB_URI`, complete with its options; `MONGODB_USER` and `MONGODB_PASSWORD` where the URI names no user.
    pub(super) fn database(&mut self) -> Option<MongoSettings> {
        let uri = self.get("MONGODB_URI")?;
        let login = match (self.get("MONGODB_USER"), self.get("MONGODB_PASSWORD")) {
            (Some(user), Some(password)) => Some((user, Secret::new(password.to_owned()))),
            (None, None) => None,
            (user, _) => {
                let missing = if user.is_some() {
                    "MONGODB_PASSWORD"
                } else {
                    "MONGODB_USER"
                };
                self.refuse(
                    missing,
                    "is missing beside its other half",
                    "write both MONGODB_USER and MONGODB_PASSWORD, or neither and both in MONGODB_URI",
                );
                return None;
            }
        };
        let login = login.as_ref().map(|(user, password)| (*user, password));
        match MongoSettings::new(uri, login) {
            Ok(settings) => Some(settings),
            Err(problem) => {
                self.refuse(
                    "MONGODB_URI",
                    problem,
                    "write for example mongodb://HOST:27017/aiagent?replicaSet=rs0&authSource=admin&tls=true&tlsCAFile=FILE, with the user of MONGODB_USER or none, or leave it unset for the embedded store",
                );
                None
            }
        }
    }
}
