//! What is inside the database: how it runs, its set, its users, its indexes.

use std::path::Path;

use super::set;
use super::{PORT, SET, TLS};
use crate::blueprint::{Build, Templates};
use crate::error::{Error, ErrorKind};
use crate::inventory::{AppRole, DatabaseMode, Inventory, Region, SecretReference};
use crate::resource::mongo::{Connection, Reader, Role, fingerprint, settings};
use crate::resource::{
    MongoIndex, MongoRole, MongoUser, Mongod, MongodCertificates, ReplicaSet, Resource, SetMembers,
};
use crate::secrets::{Secret, Secrets};
use crate::serve::collections::COLLECTIONS;

/// The inside of the database of one host, in the order in which it is made.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Its set, which begins with the member on this host; users and indexes need a primary.
    pub set: ReplicaSet,
    /// The application's role, where it is none of the server's own.
    pub role: Option<MongoRole>,
    /// Its users: the administrator, who makes the role and the others, first.
    pub users: Vec<MongoUser>,
    /// The application's indexes, as the server declares them.
    pub indexes: Vec<MongoIndex>,
    /// The members of a set over several hosts, who join when their hosts are made.
    pub members: Option<SetMembers>,
    /// How it runs; looked at last, when somebody can log in.
    pub mongod: Mongod,
}

/// Where the server keeps its data.
pub(super) fn data_folder(mongod: &Mongod) -> &str {
    let named = mongod.settings.get("storage.dbPath");
    // The server's own default.
    named.map_or("/data/db", String::as_str)
}

/// The administrator: users, indexes and the set, and no conversation.
pub const ADMIN: &str = "geodeploy_admin";

/// Who looks at the database and sees no document.
pub const MONITOR: &str = "geodeploy_monitor";

/// Who makes backups.
pub const BACKUP: &str = "geodeploy_backup";

/// The role of an application that touches documents alone.
const DOCUMENTS: &str = "geodeploy_documents";

/// What is inside the database on the host of that region, whose data it is; `None` where it has none or a copy.
///
/// # Errors
/// A secret was not resolved, or the template of the configuration does not render.
pub fn contents(
    inventory: &Inventory,
    region: &Region,
    secrets: &Secrets,
) -> Result<Option<Contents>, Error> {
    let build = Build {
        inventory,
        region,
        secrets,
        templates: &Templates::load(inventory)?,
    };
    build.database_contents()
}

impl Build<'_> {
    /// The same as resources, in their order; none where the region has no database.
    pub(super) fn database_inside(&self) -> Result<Vec<Resource>, Error> {
        let Some(contents) = self.database_contents()? else {
            if !self.holds_database() {
                return Ok(Vec::new());
            }
            let mongod = self.mongod()?;
            return Ok(vec![
                Resource::MongodCertificates(self.certificates(&mongod)?),
                Resource::Mongod(mongod),
            ]);
        };
        let mut resources = vec![
            Resource::MongodCertificates(self.certificates(&contents.mongod)?),
            Resource::ReplicaSet(contents.set),
        ];
        let mut users = contents.users.into_iter().map(Resource::MongoUser);
        resources.extend(users.next());
        resources.extend(contents.role.map(Resource::MongoRole));
        resources.extend(users);
        resources.extend(contents.indexes.into_iter().map(Resource::MongoIndex));
        resources.push(Resource::Mongod(contents.mongod));
        resources.extend(contents.members.map(Resource::SetMembers));
        Ok(resources)
    }

    fn certificates(&self, mongod: &Mongod) -> Result<MongodCertificates, Error> {
        let server = self.inventory.database.tls.servers.get(&self.region.name);
        let pem = server.map(|reference| self.needed(reference)).transpose()?;
        Ok(MongodCertificates {
            connection: mongod.connection.clone(),
            fingerprint: fingerprint(pem.map_or("", Secret::expose)),
            log: mongod.settings.get("systemLog.path").cloned(),
        })
    }

    pub(super) fn database_contents(&self) -> Result<Option<Contents>, Error> {
        let database = &self.inventory.database;
        let primary = database.region.as_ref() == Some(&self.region.name);
        if !database.mode.on_hosts() || !primary {
            return Ok(None);
        }
        let connection = self.database_connection()?;
        let all = set::members(self.inventory);
        let grows = database.mode == DatabaseMode::ReplicaSet;
        Ok(Some(Contents {
            set: ReplicaSet {
                connection: connection.clone(),
                name: SET.to_owned(),
                members: all.iter().take(1).cloned().collect(),
                begins: grows,
            },
            role: self.database_role(&connection),
            users: self.database_users(&connection)?,
            indexes: self.database_indexes(&connection)?,
            members: grows.then(|| SetMembers {
                connection,
                name: SET.to_owned(),
                members: all,
                force: false,
            }),
            mongod: self.mongod()?,
        }))
    }

    pub(super) fn mongod(&self) -> Result<Mongod, Error> {
        let version = self.inventory.database.version.release();
        Ok(Mongod {
            settings: settings(&self.configuration()?),
            version: version.map(str::to_owned),
            connection: self.database_connection()?,
        })
    }

    pub(super) fn database_connection(&self) -> Result<Connection, Error> {
        let tls = Path::new(TLS);
        let password = self.inventory.database.admin_password.as_ref();
        Ok(Connection {
            port: PORT,
            ca_file: tls.join("ca.pem"),
            certificate_file: Some(tls.join("mongod.pem")),
            admin_user: ADMIN.to_owned(),
            admin_password: self.password(password, "admin_password")?.clone(),
        })
    }

    /// `readWrite` may drop collections and indexes; the server needs no more than these actions.
    fn database_role(&self, connection: &Connection) -> Option<MongoRole> {
        let database = &self.inventory.database;
        (database.role == AppRole::Documents).then(|| MongoRole {
            connection: connection.clone(),
            database: database.name.to_string(),
            name: DOCUMENTS.to_owned(),
            actions: ["find", "insert", "update", "remove"]
                .map(str::to_owned)
                .to_vec(),
        })
    }

    fn database_users(&self, connection: &Connection) -> Result<Vec<MongoUser>, Error> {
        let database = &self.inventory.database;
        let own = database.name.as_str();
        let app_role = match database.role {
            AppRole::ReadWrite => "readWrite",
            AppRole::Documents => DOCUMENTS,
        };
        let app = database.user.as_ref().map_or("", |user| user.as_str());
        let all = [
            (
                ADMIN,
                "admin",
                database.admin_password.as_ref(),
                "admin_password",
                &[
                    ("userAdminAnyDatabase", "admin"),
                    ("clusterManager", "admin"),
                    ("clusterMonitor", "admin"),
                    // Takes new certificates without a restart.
                    ("hostManager", "admin"),
                    ("dbAdmin", own),
                ][..],
            ),
            (
                app,
                own,
                database.password.as_ref(),
                "password",
                &[(app_role, own)],
            ),
            (
                MONITOR,
                "admin",
                database.monitor_password.as_ref(),
                "monitor_password",
                &[("clusterMonitor", "admin")],
            ),
            (
                BACKUP,
                "admin",
                database.backup_password.as_ref(),
                "backup_password",
                &[("backup", "admin")],
            ),
        ];
        all.into_iter()
            .map(|(name, home, password, key, roles)| {
                Ok(MongoUser {
                    connection: connection.clone(),
                    database: home.to_owned(),
                    name: name.to_owned(),
                    password: self.password(password, key)?.clone(),
                    roles: roles
                        .iter()
                        .map(|(role, database)| Role::new(*role, *database))
                        .collect(),
                    first: name == ADMIN,
                })
            })
            .collect()
    }

    fn database_indexes(&self, connection: &Connection) -> Result<Vec<MongoIndex>, Error> {
        let database = &self.inventory.database;
        let password = self.password(database.password.as_ref(), "password")?;
        let reader = database.user.as_ref().map(|user| Reader {
            name: user.to_string(),
            password: password.clone(),
        });
        let every = COLLECTIONS.iter().flat_map(|collection| {
            collection
                .indexes
                .iter()
                .map(|index| (collection.name, index))
        });
        Ok(every
            .map(|(collection, index)| MongoIndex {
                connection: connection.clone(),
                database: self.inventory.database.name.to_string(),
                collection: collection.to_owned(),
                keys: index
                    .keys
                    .iter()
                    .map(|(field, direction)| ((*field).to_owned(), *direction))
                    .collect(),
                expire_after_seconds: index.expire_after_seconds.map(u64::from),
                unique: false,
                name: index.name(),
                // A shorter life deletes documents: nobody has agreed to that here.
                shorten: false,
                reader: reader.clone(),
            })
            .collect())
    }

    pub(super) fn password(
        &self,
        reference: Option<&SecretReference>,
        key: &str,
    ) -> Result<&crate::secrets::Secret, Error> {
        let Some(reference) = reference else {
            return Err(Error::new(
                ErrorKind::Input,
                format!("[database] has no `{key}`"),
            ));
        };
        self.needed(reference)
    }
}
