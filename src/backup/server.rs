//! A MongoDB of this machine, call by call: the driver is asynchronous, archives are not.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, RawDocument, RawDocumentBuf, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::{
    AuthMechanism, ClientOptions, Credential, FindOptions, ServerAddress, Tls, TlsOptions,
};
use tokio::runtime::{Builder, Runtime};

use crate::agent::system::Fault;
use crate::agent::system::database::Refusal;
use crate::secrets::Secret;

/// Where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// On 127.0.0.1, with TLS, which is always verified.
    Loopback {
        /// The port.
        port: u16,
        /// The authority that its certificate must come from, PEM.
        ca_file: PathBuf,
        /// Certificate and key that are shown to it, PEM.
        certificate_file: Option<PathBuf>,
    },
    /// On a Unix socket.
    Socket(PathBuf),
}

/// Who logs in, by SCRAM-SHA-256.
#[derive(Clone, Debug)]
pub struct Login {
    /// The database that the user belongs to.
    pub database: String,
    /// The user's name.
    pub name: String,
    /// The password.
    pub password: Secret,
}

/// A connection.
pub struct Server {
    client: Client,
    // `None` only while it is dropped.
    runtime: Option<Runtime>,
}

/// How long the server is looked for; it is on this machine.
const SELECTION: Duration = Duration::from_secs(5);

/// How long one answer may take: an index over everything is built within it. The driver has no limit of its own, and
/// dials a server that has gone again and again.
const ANSWER: Duration = Duration::from_secs(3600);

/// How long the parting may take.
const PARTING: Duration = Duration::from_secs(2);

/// Documents of one insert; the server's limit is 100,000 and 48 MB (`maxWriteBatchSize`, `maxMessageSizeBytes`).
const BATCH: usize = 1000;
/// Bytes after which an insert is sent.
const BATCH_BYTES: usize = 8 << 20;

impl Server {
    /// Logs in, and sees that the login is accepted.
    ///
    /// # Errors
    /// When it does not answer within 5 s or refuses the login.
    pub fn connect(address: &Address, login: Option<&Login>) -> Result<Self, Fault> {
        let what = match address {
            Address::Loopback { port, .. } => format!("cannot log in to MongoDB on port {port}"),
            Address::Socket(path) => format!("cannot log in to MongoDB at {}", path.display()),
        };
        // A thread of its own for the driver: its heartbeat goes on while an archive is written.
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Fault::new(&what, error))?;
        let (host, tls) = match address {
            Address::Loopback {
                port,
                ca_file,
                certificate_file,
            } => {
                let host = ServerAddress::Tcp {
                    host: Ipv4Addr::LOCALHOST.to_string(),
                    port: Some(*port),
                };
                let options = TlsOptions::builder()
                    .ca_file_path(ca_file.clone())
                    .cert_key_file_path(certificate_file.clone())
                    .build();
                (host, Tls::Enabled(options))
            }
            Address::Socket(path) => (ServerAddress::Unix { path: path.clone() }, Tls::Disabled),
        };
        let credential = login.map(|login| {
            Credential::builder()
                .username(login.name.clone())
                .source(login.database.clone())
                .password(login.password.expose().to_owned())
                .mechanism(AuthMechanism::ScramSha256)
                .build()
        });
        let options = ClientOptions::builder()
            .hosts(vec![host])
            .app_name("geodeploy".to_owned())
            .tls(tls)
            .credential(credential)
            .direct_connection(true)
            .max_pool_size(2)
            .connect_timeout(SELECTION)
            .server_selection_timeout(SELECTION)
            .build();
        let client = {
            let _entered = runtime.enter();
            Client::with_options(options).map_err(|error| Fault::new(&what, error))?
        };
        let server = Self {
            client,
            runtime: Some(runtime),
        };
        server
            .run("admin", doc! { "ping": 1 })
            .map_err(|refusal| refusal.during(what))?;
        Ok(server)
    }

    /// Runs a command once.
    ///
    /// # Errors
    /// The reason why there is no answer.
    pub fn run(&self, database: &str, command: Document) -> Result<Document, Refusal> {
        let database = self.client.database(database);
        self.wait(database.run_command(command).into_future())
            .map_err(|error| refusal(&error))
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let gone = || Error::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        let Some(runtime) = &self.runtime else {
            return Err(gone());
        };
        let answer = runtime.block_on(async { tokio::time::timeout(ANSWER, answer).await });
        answer.unwrap_or_else(|_| Err(gone()))
    }

    /// Hands over every document that a query finds, as it is on the wire.
    ///
    /// # Errors
    /// What the server refuses, what `each` refuses.
    pub fn each(
        &self,
        (database, collection): (&str, &str),
        filter: Document,
        options: FindOptions,
        mut each: impl FnMut(&RawDocument) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let what = || format!("cannot read {database}.{collection}");
        let failed = |error: Error| refusal(&error).during(what());
        let found = self
            .client
            .database(database)
            .collection::<RawDocumentBuf>(collection);
        let find = found.find(filter).with_options(options).into_future();
        let mut cursor = self.wait(find).map_err(failed)?;
        while self.wait(cursor.advance()).map_err(failed)? {
            each(cursor.current())?;
        }
        Ok(())
    }

    /// Gathers documents and inserts them in batches; nothing that is there is overwritten.
    pub fn inserter<'s>(&'s self, database: &'s str, collection: &'s str) -> Inserter<'s> {
        Inserter {
            server: self,
            namespace: (database, collection),
            batch: Vec::new(),
            bytes: 0,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else {
            return;
        };
        let parting = self.client.clone().shutdown().immediate(true).into_future();
        drop(runtime.block_on(async { tokio::time::timeout(PARTING, parting).await }));
        runtime.shutdown_background();
    }
}

/// Documents on their way into one collection.
pub struct Inserter<'s> {
    server: &'s Server,
    namespace: (&'s str, &'s str),
    batch: Vec<RawDocumentBuf>,
    bytes: usize,
}

impl Inserter<'_> {
    /// Takes a document.
    ///
    /// # Errors
    /// When the server refuses a batch.
    pub fn push(&mut self, document: RawDocumentBuf) -> Result<(), Fault> {
        self.bytes += document.as_bytes().len();
        self.batch.push(document);
        match self.batch.len() >= BATCH || self.bytes >= BATCH_BYTES {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Inserts what is left.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn flush(&mut self) -> Result<(), Fault> {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        let (database, collection) = self.namespace;
        let target = self
            .server
            .client
            .database(database)
            .collection::<RawDocumentBuf>(collection);
        let insert = target.insert_many(batch).into_future();
        self.server.wait(insert).map(drop).map_err(|error| {
            refusal(&error).during(format!("cannot insert into {database}.{collection}"))
        })
    }
}

fn refusal(error: &Error) -> Refusal {
    match &*error.kind {
        // The driver's own text of a write error holds the document.
        ErrorKind::InsertMany(many) => {
            let first = many.write_errors.iter().flatten().next();
            Refusal::Command {
                code: first.map_or(0, |error| error.code),
                message: format!(
                    "{} documents are refused",
                    many.write_errors.as_ref().map_or(0, Vec::len)
                ),
            }
        }
        _ => Refusal::from(error),
    }
}
