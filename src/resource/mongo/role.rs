//! A role of the database's own, where the built-in ones allow too much.

use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use super::standing::{Standing, missing, unreached};
use super::user::documents;
use super::{Connection, Role};
use crate::agent::system::Fault;
use crate::agent::system::database::{Call, Refusal};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::resource::{Context, Manage};
use crate::secrets::FingerprintKey;

/// A role that allows exactly these actions on every collection of its own database, and inherits nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MongoRole {
    /// How the database is reached.
    pub connection: Connection,
    /// The database that it belongs to and that its actions are allowed on.
    pub database: String,
    /// The role's name.
    pub name: String,
    /// Privilege actions of the server: `find`, `insert`.
    pub actions: Vec<String>,
}

fn describe(mut privileges: Vec<String>, mut inherited: Vec<String>) -> Attributes {
    privileges.sort();
    inherited.sort();
    Attributes::new()
        .list("privileges", privileges)
        .list("inherits", inherited)
}

/// `find on aiagent.*`; a resource that is no namespace as the server writes it.
fn spell(action: &str, resource: &Document) -> String {
    match (resource.get_str("db"), resource.get_str("collection")) {
        (Ok(database), Ok("")) if !database.is_empty() => format!("{action} on {database}.*"),
        (Ok(database), Ok(collection)) if !database.is_empty() => {
            format!("{action} on {database}.{collection}")
        }
        _ => format!("{action} on {resource}"),
    }
}

/// What `rolesInfo` says of a role.
fn read(role: &Document) -> Attributes {
    let privileges = documents(role.get("privileges"))
        .into_iter()
        .flat_map(|privilege| {
            let resource = privilege.get_document("resource");
            let resource = resource.cloned().unwrap_or_default();
            let actions = privilege.get_array("actions").cloned().unwrap_or_default();
            let spelt = actions.into_iter().map(move |action| match action {
                Bson::String(action) => spell(&action, &resource),
                other => spell(&other.to_string(), &resource),
            });
            spelt.collect::<Vec<_>>()
        });
    let inherited = documents(role.get("roles")).into_iter().map(|role| {
        let text = |name| role.get_str(name).unwrap_or_default();
        format!("{}@{}", text("role"), text("db"))
    });
    describe(privileges.collect(), inherited.collect())
}

impl MongoRole {
    /// The role as a user has it.
    #[must_use]
    pub fn granted(&self) -> Role {
        Role::new(&self.name, &self.database)
    }

    fn what(&self) -> String {
        format!("cannot set up the role {}@{}", self.name, self.database)
    }

    fn resource(&self) -> Document {
        doc! { "db": &self.database, "collection": "" }
    }

    fn find(&self, context: &Context<'_>) -> Result<Option<Document>, Fault> {
        let command = doc! {
            "rolesInfo": { "role": &self.name, "db": &self.database },
            "showPrivileges": true,
        };
        let answer = self
            .connection
            .ask(context, &self.database, command)
            .map_err(|refusal| refusal.during("cannot read the database's roles"))?;
        Ok(documents(answer.get("roles")).first().copied().cloned())
    }

    fn send(&self, command: &str, context: &Context<'_>) -> Result<(), Fault> {
        let privilege = doc! { "resource": self.resource(), "actions": self.actions.clone() };
        let nothing: [Document; 0] = [];
        let command = doc! {
            command: &self.name,
            "privileges": [privilege],
            "roles": nothing.to_vec(),
        };
        let call = Call::new(&self.database, command);
        match self.connection.tell(context, &call) {
            // The look that follows a change says whether a command whose answer was lost was carried out.
            Ok(_) | Err(Refusal::Lost(_)) => Ok(()),
            Err(refusal) => Err(refusal.during(self.what())),
        }
    }
}

impl Manage for MongoRole {
    fn id(&self) -> Id {
        Id::new(Kind::MongoRole, format!("{}@{}", self.name, self.database))
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let resource = self.resource();
        let privileges = self.actions.iter().map(|action| spell(action, &resource));
        Some(describe(privileges.collect(), Vec::new()))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        match self.connection.standing(context)? {
            Standing::Absent | Standing::Open(_) => return Ok(None),
            Standing::Unreached(why) => return Ok(Some(unreached(&why))),
            Standing::Managed(_) => {}
        }
        Ok(self.find(context)?.as_ref().map(read))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        match self.connection.settled(context)? {
            Standing::Managed(_) => {}
            standing => return Err(missing(&self.what(), &standing)),
        }
        self.connection.wait_until_writable(context)?;
        match self.find(context)? {
            Some(_) => self.send("updateRole", context),
            None => self.send("createRole", context),
        }
    }
}
