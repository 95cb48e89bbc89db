//! A user of the database.

use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use super::Connection;
use super::standing::{Standing, missing, unreached};
use crate::agent::system::Fault;
use crate::agent::system::database::{Call, Login, Refusal};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::resource::{Context, Manage};
use crate::secrets::{FingerprintKey, Secret, wire};

/// Where the administrator may come from.
const LOOPBACK: [&str; 2] = ["127.0.0.1", "::1"];

/// A user with exactly these roles, who logs in by SCRAM-SHA-256.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MongoUser {
    /// How the database is reached.
    pub connection: Connection,
    /// The database that the user belongs to, which its clients name as authSource.
    pub database: String,
    /// The user's name.
    pub name: String,
    /// The password. It cannot be read back: it is compared by logging in with it.
    #[serde(with = "wire")]
    pub password: Secret,
    /// All roles.
    pub roles: Vec<Role>,
    /// Whether it is the administrator, the first user: made through the localhost exception, which that closes, and
    /// let in from loopback only. One of its roles on `admin` must allow it to manage users.
    pub first: bool,
}

/// A role on a database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Role {
    /// The role: `readWrite`.
    pub role: String,
    /// On which database.
    pub database: String,
}

impl Role {
    /// A role on a database.
    pub fn new(role: impl Into<String>, database: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            database: database.into(),
        }
    }

    fn document(&self) -> Document {
        doc! { "role": &self.role, "db": &self.database }
    }
}

fn describe(mut roles: Vec<String>, mechanisms: Vec<String>, mut from: Vec<String>) -> Attributes {
    roles.sort();
    from.sort();
    let from = if from.is_empty() {
        vec!["anywhere".to_owned()]
    } else {
        from
    };
    Attributes::new()
        .list("roles", roles)
        .list("mechanisms", mechanisms)
        .list("from", from)
}

fn texts(array: Option<&Bson>) -> Vec<String> {
    let entries = array.and_then(Bson::as_array).into_iter().flatten();
    entries
        .filter_map(Bson::as_str)
        .map(ToOwned::to_owned)
        .collect()
}

pub(super) fn documents(array: Option<&Bson>) -> Vec<&Document> {
    let entries = array.and_then(Bson::as_array).into_iter().flatten();
    entries.filter_map(Bson::as_document).collect()
}

/// What the server knows of a user.
pub(super) fn find(
    connection: &Connection,
    name: &str,
    database: &str,
    context: &Context<'_>,
) -> Result<Option<Document>, Fault> {
    let command = doc! {
        "usersInfo": { "user": name, "db": database },
        "showAuthenticationRestrictions": true,
    };
    let answer = connection
        .ask(context, "admin", command)
        .map_err(|refusal| refusal.during("cannot read the database's users"))?;
    Ok(documents(answer.get("users")).first().copied().cloned())
}

/// What `usersInfo` says of a user, all but the password.
pub(super) fn read(user: &Document) -> Attributes {
    let roles = documents(user.get("roles")).into_iter().map(|role| {
        let text = |name| role.get_str(name).unwrap_or_default();
        format!("{}@{}", text("role"), text("db"))
    });
    let from = documents(user.get("authenticationRestrictions"))
        .into_iter()
        .flat_map(|restriction| texts(restriction.get("clientSource")));
    describe(
        roles.collect(),
        texts(user.get("mechanisms")),
        from.collect(),
    )
}

impl MongoUser {
    fn what(&self) -> String {
        format!("cannot set up the user {}@{}", self.name, self.database)
    }

    fn from(&self) -> Vec<String> {
        if self.first {
            LOOPBACK.map(ToOwned::to_owned).to_vec()
        } else {
            Vec::new()
        }
    }

    fn login(&self) -> Login<'_> {
        Login::User {
            database: &self.database,
            name: &self.name,
            password: &self.password,
        }
    }

    fn find(&self, context: &Context<'_>) -> Result<Option<Document>, Fault> {
        find(&self.connection, &self.name, &self.database, context)
    }

    fn logs_in(&self, context: &Context<'_>) -> Result<bool, Fault> {
        context
            .database
            .accepts(&self.connection.endpoint(), &self.login())
            .map_err(|refusal| {
                refusal.during(format!(
                    "cannot try the login of {}@{}",
                    self.name, self.database
                ))
            })
    }

    fn fields(&self) -> Document {
        let roles: Vec<Document> = self.roles.iter().map(Role::document).collect();
        let mut fields = doc! { "roles": roles, "mechanisms": ["SCRAM-SHA-256"] };
        let restrictions: Vec<Document> = match self.first {
            true => vec![doc! { "clientSource": LOOPBACK.to_vec() }],
            false => Vec::new(),
        };
        fields.insert("authenticationRestrictions", restrictions);
        fields
    }

    /// Through the localhost exception. It grants roles on `admin` alone and sets no restriction (tried on 6.0.5);
    /// the user gives itself the rest, and a run that ends between the two leaves a difference that the next one mends.
    fn create_first(&self, context: &Context<'_>) -> Result<(), Fault> {
        let own = self.roles.iter().filter(|role| role.database == "admin");
        let roles: Vec<Document> = own.map(Role::document).collect();
        let command = doc! {
            "createUser": &self.name,
            "pwd": self.password.expose(),
            "roles": roles,
            "mechanisms": ["SCRAM-SHA-256"],
        };
        match self.connection.tell_as_nobody(context, command) {
            Ok(_) => {}
            // Whether it was carried out is seen by the login that follows.
            Err(Refusal::Lost(_)) => {}
            Err(refusal) => return Err(refusal.during(self.what())),
        }
        self.update(context)
    }

    fn create(&self, context: &Context<'_>) -> Result<(), Fault> {
        let mut command = doc! { "createUser": &self.name, "pwd": self.password.expose() };
        command.extend(self.fields());
        self.send(context, command)
    }

    /// The password is set anew only where a login with it is refused.
    fn update(&self, context: &Context<'_>) -> Result<(), Fault> {
        let mut command = doc! { "updateUser": &self.name };
        if !self.logs_in(context)? {
            command.insert("pwd", self.password.expose());
        }
        command.extend(self.fields());
        self.send(context, command)
    }

    fn send(&self, context: &Context<'_>, command: Document) -> Result<(), Fault> {
        let call = Call::new(&self.database, command);
        match self.connection.tell(context, &call) {
            // The look that follows a change says whether a command whose answer was lost was carried out.
            Ok(_) | Err(Refusal::Lost(_)) => Ok(()),
            Err(refusal) => Err(refusal.during(self.what())),
        }
    }
}

impl Manage for MongoUser {
    fn id(&self) -> Id {
        Id::new(Kind::MongoUser, format!("{}@{}", self.name, self.database))
    }

    fn desired(&self, key: &FingerprintKey) -> Option<Attributes> {
        let roles = self.roles.iter();
        let roles = roles.map(|role| format!("{}@{}", role.role, role.database));
        let mechanisms = vec!["SCRAM-SHA-256".to_owned()];
        let password = key.fingerprint(self.password.expose().as_bytes());
        Some(describe(roles.collect(), mechanisms, self.from()).sealed("password", password))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        match self.connection.standing(context)? {
            Standing::Absent | Standing::Open(_) => return Ok(None),
            Standing::Unreached(why) => return Ok(Some(unreached(&why))),
            Standing::Managed(_) => {}
        }
        let Some(user) = self.find(context)? else {
            return Ok(None);
        };
        Ok(Some(if self.logs_in(context)? {
            let password = context.key.fingerprint(self.password.expose().as_bytes());
            read(&user).sealed("password", password)
        } else {
            read(&user).text("password", "another one")
        }))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        match self.connection.settled(context)? {
            Standing::Open(_) if self.first => {
                self.connection.wait_until_writable(context)?;
                self.create_first(context)
            }
            Standing::Managed(_) => {
                self.connection.wait_until_writable(context)?;
                match self.find(context)? {
                    Some(_) => self.update(context),
                    None => self.create(context),
                }
            }
            standing => Err(missing(&self.what(), &standing)),
        }
    }
}
