//! A database with everything that a single server gets, and what is done with it.

use std::cell::RefCell;
use std::rc::Rc;

use geodeploy::agent::database::Driver;
use geodeploy::agent::machine::Machine;
use geodeploy::agent::system::database::{Call, Database as _, Endpoint, Login, Refusal};
use geodeploy::agent::system::{Fault, System};
use geodeploy::blueprint;
use geodeploy::inventory::{DatabaseMode, EXAMPLE, Inventory};
use geodeploy::plan::Change;
use geodeploy::resource::mongo::{Connection, Member, Reader, Role};
use geodeploy::resource::{Context, Facts, Manage, MongoIndex, MongoRole, MongoUser, ReplicaSet};
use geodeploy::secrets::{FingerprintKey, Secret, Secrets};
use mongodb::bson::Document;

use crate::server::Server;

/// One run of the agent: connections and facts of its own.
pub(crate) struct Run {
    driver: Driver,
    facts: Facts,
    key: FingerprintKey,
    said: Rc<RefCell<Vec<String>>>,
    progress: Box<dyn Fn(&str)>,
}

impl Run {
    pub(crate) fn new() -> Self {
        let said = Rc::new(RefCell::new(Vec::new()));
        let heard = Rc::clone(&said);
        Self {
            driver: Driver::default(),
            facts: Facts::default(),
            key: FingerprintKey::new(Secret::new("key".to_owned())),
            said,
            progress: Box::new(move |line| heard.borrow_mut().push(line.to_owned())),
        }
    }

    /// The lines that the operator would have seen.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.borrow().clone()
    }

    /// The door to the database.
    pub(crate) fn driver(&self) -> &Driver {
        &self.driver
    }

    pub(crate) fn context(&self) -> Context<'_> {
        self.context_on(&Machine)
    }

    pub(crate) fn context_on<'c>(&'c self, system: &'c dyn System) -> Context<'c> {
        Context {
            system,
            database: &self.driver,
            key: &self.key,
            facts: &self.facts,
            progress: &*self.progress,
        }
    }

    pub(crate) fn look(&self, resource: &dyn Manage) -> Result<Option<Change>, Fault> {
        self.look_on(&Machine, resource)
    }

    pub(crate) fn look_on(
        &self,
        system: &dyn System,
        resource: &dyn Manage,
    ) -> Result<Option<Change>, Fault> {
        self.facts.forget();
        let found = resource.inspect(&self.context_on(system))?;
        Ok(Change::between(
            resource.id(),
            found,
            resource.desired(&self.key),
        ))
    }

    /// Makes it as desired, and says whether anything was to be done.
    pub(crate) fn converge(&self, resource: &dyn Manage) -> Result<bool, Fault> {
        let Some(change) = self.look(resource)? else {
            return Ok(false);
        };
        resource.apply(&change, &self.context())?;
        let left = self.look(resource)?;
        assert_eq!(left, None, "{} did not take its change", resource.id());
        Ok(true)
    }

    /// A command as a user of `admin` or of the application's database.
    pub(crate) fn command(
        &self,
        connection: &Connection,
        login: &Login<'_>,
        database: &str,
        command: Document,
    ) -> Result<Document, Refusal> {
        let at = Endpoint {
            port: connection.port,
            ca_file: &connection.ca_file,
            certificate_file: connection.certificate_file.as_deref(),
        };
        self.driver.tell(&at, login, &Call::new(database, command))
    }
}

/// A change in a new run.
pub(crate) fn converge(resource: &dyn Manage) -> bool {
    Run::new()
        .converge(resource)
        .unwrap_or_else(|fault| panic!("{fault:?}"))
}

/// What differs among those, in one new run.
pub(crate) fn differing(resources: &[Box<dyn Manage>]) -> Vec<String> {
    let run = Run::new();
    let changes = resources
        .iter()
        .map(|resource| run.look(&**resource).unwrap());
    changes
        .flatten()
        .map(|change| change.id.to_string())
        .collect()
}

pub(crate) fn set(connection: &Connection) -> ReplicaSet {
    ReplicaSet {
        connection: connection.clone(),
        name: "rs0".to_owned(),
        members: vec![Member {
            host: format!("127.0.0.1:{}", connection.port),
            priority: 10.0,
            votes: 1,
            hidden: false,
        }],
        begins: false,
    }
}

pub(crate) fn administrator(connection: &Connection) -> MongoUser {
    MongoUser {
        connection: connection.clone(),
        database: "admin".to_owned(),
        name: connection.admin_user.clone(),
        password: connection.admin_password.clone(),
        roles: vec![
            Role::new("userAdminAnyDatabase", "admin"),
            Role::new("clusterManager", "admin"),
            Role::new("clusterMonitor", "admin"),
            Role::new("hostManager", "admin"),
            Role::new("dbAdmin", "aiagent"),
        ],
        first: true,
    }
}

pub(crate) fn application(connection: &Connection) -> MongoUser {
    MongoUser {
        connection: connection.clone(),
        database: "aiagent".to_owned(),
        name: "aiagent_user".to_owned(),
        password: Secret::new("second-secret".to_owned()),
        roles: vec![Role::new("readWrite", "aiagent")],
        first: false,
    }
}

/// The role of an application that touches documents alone.
pub(crate) fn documents(connection: &Connection) -> MongoRole {
    MongoRole {
        connection: connection.clone(),
        database: "aiagent".to_owned(),
        name: "geodeploy_documents".to_owned(),
        actions: ["find", "insert", "update", "remove"]
            .map(str::to_owned)
            .to_vec(),
    }
}

/// The application's user with that role in place of `readWrite`.
pub(crate) fn restrict(connection: &Connection) -> MongoUser {
    let role = documents(connection);
    let user = MongoUser {
        roles: vec![role.granted()],
        ..application(connection)
    };
    assert!(converge(&role));
    assert!(converge(&user));
    user
}

/// `MONGODB_URI` as it is rendered for the application beside the database, with the test's folder and port.
pub(crate) fn uri(server: &Server) -> String {
    let mut inventory = Inventory::parse(EXAMPLE, "example.toml").unwrap();
    inventory.database.mode = DatabaseMode::Single;
    inventory.database.region = "cn".parse().ok();
    let secrets = Secrets::made_up(&inventory, |_| Secret::new("made up".to_owned()));
    let region = inventory.region("cn").unwrap();
    let variables = blueprint::variables(&inventory, region, &secrets).unwrap();
    let uri = variables.iter().find(|one| one.name == "MONGODB_URI");
    let uri = uri.unwrap().value.expose();
    uri.replace(
        "/etc/geodeploy/tls",
        &server.folder.path().to_string_lossy(),
    )
    .replace("27017", &server.port.to_string())
}

pub(crate) fn login(user: &MongoUser) -> Login<'_> {
    Login::User {
        database: &user.database,
        name: &user.name,
        password: &user.password,
    }
}

/// An index of the sessions by these fields; `life` in seconds makes it a TTL index.
pub(crate) fn index(connection: &Connection, fields: &[&str], life: Option<u64>) -> MongoIndex {
    let keys = fields.iter().map(|field| ((*field).to_owned(), 1));
    MongoIndex {
        connection: connection.clone(),
        database: "aiagent".to_owned(),
        collection: "multi_agent_sessions".to_owned(),
        keys: keys.collect(),
        expire_after_seconds: life,
        unique: false,
        name: format!("{}_1", fields.join("_1_")),
        shorten: false,
        reader: Some(Reader {
            name: "aiagent_user".to_owned(),
            password: Secret::new("second-secret".to_owned()),
        }),
    }
}

/// Everything that a single server gets, in order.
pub(crate) fn everything(connection: &Connection) -> Vec<Box<dyn Manage>> {
    vec![
        Box::new(set(connection)),
        Box::new(administrator(connection)),
        Box::new(application(connection)),
        Box::new(index(connection, &["expiresAt"], Some(0))),
        Box::new(index(connection, &["sessionId", "userId"], None)),
    ]
}

/// A server on which everything is made.
pub(crate) fn provisioned() -> Option<Server> {
    provisioned_with(&[])
}

/// The same with parameters of mongod's own.
pub(crate) fn provisioned_with(parameters: &[&'static str]) -> Option<Server> {
    let mut server = Server::stopped()?;
    server.parameters = parameters.to_vec();
    server.up();
    for resource in everything(&server.connection()) {
        assert!(converge(&*resource));
    }
    Some(server)
}
