//! A user of the database that must not be there any more.

use mongodb::bson::doc;
use serde::{Deserialize, Serialize};

use super::Connection;
use super::standing::{Standing, missing, unreached};
use super::user;
use crate::agent::system::Fault;
use crate::agent::system::database::{Call, Refusal};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::resource::{Context, Manage};
use crate::secrets::FingerprintKey;

/// The server's code for a user that is not there.
const USER_NOT_FOUND: i32 = 11;

/// A user that must not be there any more. Whoever is logged in as that user is not allowed anything from then on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RetiredMongoUser {
    /// How the database is reached.
    pub connection: Connection,
    /// The database that the user belongs to.
    pub database: String,
    /// The user's name.
    pub name: String,
}

impl Manage for RetiredMongoUser {
    fn id(&self) -> Id {
        Id::new(Kind::MongoUser, format!("{}@{}", self.name, self.database))
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        None
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        match self.connection.standing(context)? {
            Standing::Absent | Standing::Open(_) => Ok(None),
            Standing::Unreached(why) => Ok(Some(unreached(&why))),
            Standing::Managed(_) => {
                let found = user::find(&self.connection, &self.name, &self.database, context)?;
                Ok(found.as_ref().map(user::read))
            }
        }
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let what = format!("cannot remove the user {}@{}", self.name, self.database);
        let standing = self.connection.standing(context)?;
        if !matches!(standing, Standing::Managed(_)) {
            return Err(missing(&what, &standing));
        }
        self.connection.wait_until_writable(context)?;
        let call = Call::new(&self.database, doc! { "dropUser": &self.name });
        match self.connection.tell(context, &call) {
            // The look that follows a change says whether a command whose answer was lost was carried out.
            Ok(_) | Err(Refusal::Lost(_)) => Ok(()),
            Err(refusal) if refusal.is(USER_NOT_FOUND) => Ok(()),
            Err(refusal) => Err(refusal.during(what)),
        }
    }
}
