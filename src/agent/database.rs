//! The database's door over MongoDB's driver.
//!
//! Clients are kept for the run, so that any number of resources shares one connection a login. The driver is
//! asynchronous: its tasks live on a runtime of this thread and move while a command waits.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::options::{AuthMechanism, ClientOptions, Credential, ServerAddress, Tls, TlsOptions};
use tokio::runtime::{Builder, Runtime};

use super::system::database::{Call, Database, Endpoint, Login, Refusal};

/// How long the driver looks for the server; it is on this machine.
const SELECTION: Duration = Duration::from_secs(5);

/// Which client: port, authority, own certificate, and who.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    endpoint: (u16, std::path::PathBuf, Option<std::path::PathBuf>),
    user: Option<(String, String, [u8; 32])>,
}

/// Connections to the machine's mongod, made when first needed.
#[derive(Default)]
pub struct Driver {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    clients: HashMap<Key, Client>,
    // After the clients, whose tasks it runs.
    runtime: Option<Runtime>,
}

impl Driver {
    fn once(&self, at: &Endpoint<'_>, login: &Login<'_>, call: &Call) -> Result<Document, Refusal> {
        let mut state = self.state.borrow_mut();
        let key = key(at, login);
        let State { clients, runtime } = &mut *state;
        let runtime = started(runtime)?;
        let client = match clients.get(&key) {
            Some(client) => client.clone(),
            None => {
                listening(at.port)?;
                let client = connect(runtime, at, login)?;
                clients.insert(key.clone(), client.clone());
                client
            }
        };
        let answer = perform(runtime, client, call.clone());
        if let Err(Refusal::Lost(_) | Refusal::Login) = answer
            && let Some(client) = clients.remove(&key)
        {
            runtime.block_on(client.shutdown().immediate(true).into_future());
        }
        answer
    }
}

impl Database for Driver {
    fn ask(&self, at: &Endpoint<'_>, login: &Login<'_>, call: &Call) -> Result<Document, Refusal> {
        match self.once(at, login, call) {
            Err(Refusal::Lost(_)) => self.once(at, login, call),
            answer => answer,
        }
    }

    fn tell(&self, at: &Endpoint<'_>, login: &Login<'_>, call: &Call) -> Result<Document, Refusal> {
        self.once(at, login, call)
    }

    fn served(&self, at: &Endpoint<'_>) -> Result<Vec<u8>, Refusal> {
        super::handshake::certificate(at.port, at.certificate_file)
    }

    fn accepts(&self, at: &Endpoint<'_>, login: &Login<'_>) -> Result<bool, Refusal> {
        listening(at.port)?;
        let mut state = self.state.borrow_mut();
        let runtime = started(&mut state.runtime)?;
        let client = connect(runtime, at, login)?;
        let answer = perform(
            runtime,
            client.clone(),
            Call::new("admin", doc! { "ping": 1 }),
        );
        runtime.block_on(client.shutdown().immediate(true).into_future());
        match answer {
            Ok(_) => Ok(true),
            Err(Refusal::Login) => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    fn reaches(&self, host: &str) -> Result<Duration, Refusal> {
        let lost = |why: std::io::Error| Refusal::Lost(format!("{host}: {why}"));
        let addresses: Vec<SocketAddr> = host.to_socket_addrs().map_err(lost)?.collect();
        let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            let begun = Instant::now();
            match TcpStream::connect_timeout(&address, SELECTION) {
                Ok(_) => return Ok(begun.elapsed()),
                Err(error) => last = error,
            }
        }
        Err(lost(last))
    }
}

fn key(at: &Endpoint<'_>, login: &Login<'_>) -> Key {
    use sha2::{Digest as _, Sha256};
    Key {
        endpoint: (
            at.port,
            at.ca_file.to_owned(),
            at.certificate_file.map(ToOwned::to_owned),
        ),
        user: match login {
            Login::Nobody => None,
            Login::User {
                database,
                name,
                password,
            } => Some((
                (*database).to_owned(),
                (*name).to_owned(),
                Sha256::digest(password.expose().as_bytes()).into(),
            )),
        },
    }
}

/// A refused connection is told at once; the driver would look for its server until its time is over.
fn listening(port: u16) -> Result<(), Refusal> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpStream::connect_timeout(&address, SELECTION) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => Err(Refusal::Absent),
        Err(error) => Err(Refusal::Lost(error.to_string())),
    }
}

fn started(runtime: &mut Option<Runtime>) -> Result<&Runtime, Refusal> {
    if runtime.is_none() {
        let made = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Refusal::Lost(error.to_string()))?;
        *runtime = Some(made);
    }
    runtime
        .as_ref()
        .ok_or_else(|| Refusal::Lost("no runtime".to_owned()))
}

fn connect(runtime: &Runtime, at: &Endpoint<'_>, login: &Login<'_>) -> Result<Client, Refusal> {
    let tls = TlsOptions::builder()
        .ca_file_path(at.ca_file.to_owned())
        .cert_key_file_path(at.certificate_file.map(ToOwned::to_owned))
        .build();
    let credential = match login {
        Login::Nobody => None,
        Login::User {
            database,
            name,
            password,
        } => Some(
            Credential::builder()
                .username((*name).to_owned())
                .source((*database).to_owned())
                .password(password.expose().to_owned())
                .mechanism(AuthMechanism::ScramSha256)
                .build(),
        ),
    };
    let options = ClientOptions::builder()
        .hosts(vec![ServerAddress::Tcp {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: Some(at.port),
        }])
        .app_name("geodeploy".to_owned())
        .tls(Tls::Enabled(tls))
        .credential(credential)
        // A member that is not initiated yet is spoken to as well.
        .direct_connection(true)
        .max_pool_size(1)
        .connect_timeout(SELECTION)
        .server_selection_timeout(SELECTION)
        .build();
    let _entered = runtime.enter();
    Client::with_options(options).map_err(|error| Refusal::from(&error))
}

/// Runs a command as a task of its own: a driver's future that is dropped half-way loses its connection's place.
fn perform(runtime: &Runtime, client: Client, call: Call) -> Result<Document, Refusal> {
    let deadline = call.deadline;
    let task = runtime.spawn(async move {
        client
            .database(&call.database)
            .run_command(call.command)
            .await
    });
    match runtime.block_on(async { tokio::time::timeout(deadline, task).await }) {
        Ok(Ok(answer)) => answer.map_err(|error| Refusal::from(&error)),
        Ok(Err(error)) => Err(Refusal::Lost(error.to_string())),
        Err(_) => Err(Refusal::Lost(format!(
            "no answer within {} s",
            deadline.as_secs()
        ))),
    }
}
