//! The application's link to its database, tried from its host with its own address, user and certificates.
//!
//! Names are looked up and addresses dialled before the driver is asked, because it says of all that fails only that no
//! server was found.

mod reason;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mongodb::bson::{Document, doc};
use mongodb::event::EventHandler;
use mongodb::event::cmap::CmapEvent;
use mongodb::options::{ClientOptions, ServerAddress};
use mongodb::{Client, error::Error};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::environment;
use super::message::Event;
use super::system::Fault;
use crate::secrets::Secret;
use crate::serve::store::mongo::MongoSettings;

/// How long one address may take to accept a connection.
const DIAL: Duration = Duration::from_secs(5);
/// How long the driver may look for a server that takes writes. Over 180 ms a new connection takes about a second.
const SELECTION: Duration = Duration::from_secs(10);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(20);
/// Pings of which the median is taken.
const PINGS: usize = 5;

/// A link that works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The database as the application dials it: `cn-server.yourapp.com:27017`.
    pub address: String,
    /// Milliseconds that a new connection takes: TCP, TLS and login.
    pub connect_ms: f64,
    /// Milliseconds from a question to its answer, the median of five.
    pub ping_ms: f64,
}

impl Link {
    /// `database cn-server.yourapp.com:27017 181 ms, login ok`.
    pub fn describe(&self) -> String {
        let milliseconds = match self.ping_ms {
            short if short < 10.0 => format!("{short:.1}"),
            long => format!("{long:.0}"),
        };
        format!("database {} {milliseconds} ms, login ok", self.address)
    }
}

/// Tries the link of an environment file; `None` where it names no database.
///
/// # Errors
/// Why the application would not reach its database, and what to do about it.
pub fn test(environment: &[u8]) -> Result<Option<Link>, Fault> {
    let mut variables = environment::parse(&String::from_utf8_lossy(environment));
    let mut take = |name: &str| variables.remove(name).filter(|text| !text.is_empty());
    let Some(uri) = take("MONGODB_URI") else {
        return Ok(None);
    };
    let password = take("MONGODB_PASSWORD").map(Secret::new);
    let user = take("MONGODB_USER");
    let login = user.as_deref().zip(password.as_ref());
    let what = "the database's address cannot be used";
    let settings = MongoSettings::new(&uri, login).map_err(|problem| {
        Fault::new(what, format!("MONGODB_URI {problem}"))
            .hint("mend [database] or the template of env, then run `geodeploy provision`")
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::new(what, error))?;
    runtime.block_on(attempt(&settings)).map(Some)
}

/// Lets a generation start only where its environment reaches its database: it would never become healthy otherwise, and
/// why is told better before.
pub(super) fn gate(environment: &[u8], emit: &dyn Fn(Event)) -> Result<(), Fault> {
    let found = test(environment).map_err(|fault| Fault {
        what: format!("nothing was switched: {}", fault.what),
        ..fault
    })?;
    if let Some(link) = found {
        let text = link.describe();
        emit(Event::Note { text });
    }
    Ok(())
}

async fn attempt(settings: &MongoSettings) -> Result<Link, Fault> {
    let options = settings
        .options()
        .await
        .map_err(|error| reason::fault("the database", &error))?;
    let address = options
        .hosts
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",");
    let dialled = join_all(options.hosts.iter().map(dial)).await;
    // Of several members one may be down.
    if dialled.iter().all(Result::is_err)
        && let Some(fault) = dialled.into_iter().find_map(Result::err)
    {
        return Err(fault);
    }
    measure(options, &address).await
}

/// Whether something accepts connections there.
async fn dial(server: &ServerAddress) -> Result<(), Fault> {
    let ServerAddress::Tcp { host, port } = server else {
        return Ok(());
    };
    let port = port.unwrap_or(27017);
    // A name in brackets is an address of version 6, which only a URI needs bracketed.
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let found = timeout(DIAL, tokio::net::lookup_host((name, port))).await;
    let addresses: Vec<SocketAddr> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(reason::unknown_name(name, &error.to_string())),
        Err(_) => {
            return Err(reason::unknown_name(
                name,
                "the name service does not answer",
            ));
        }
    };
    let mut last = reason::unknown_name(name, "it has no address");
    for address in addresses {
        let dialled = timeout(DIAL, TcpStream::connect(address)).await;
        let error = match dialled {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => io::Error::from(io::ErrorKind::TimedOut),
        };
        last = reason::not_accepted(&server.to_string(), address, &error);
    }
    Err(last)
}

async fn measure(mut options: ClientOptions, address: &str) -> Result<Link, Fault> {
    let connected = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&connected);
    options.cmap_event_handler = Some(EventHandler::callback(move |event| {
        if let CmapEvent::ConnectionReady(ready) = event {
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(ready.duration);
        }
    }));
    options.server_selection_timeout = Some(SELECTION);
    // One connection, so that each ping goes over the same one.
    (options.min_pool_size, options.max_pool_size) = (None, Some(1));
    let client = Client::with_options(options).map_err(|error| reason::fault(address, &error))?;
    let answers = async {
        let hello = ask(&client, doc! { "hello": 1 }).await?;
        let mut pings = Vec::new();
        for _ in 0..PINGS {
            let begun = Instant::now();
            ask(&client, doc! { "ping": 1 }).await?;
            pings.push(begun.elapsed());
        }
        Ok((hello, median(pings)))
    };
    let answers = answers.await;
    client.shutdown().immediate(true).await;
    let (hello, ping) = answers.map_err(|why| match why {
        Some(error) => reason::fault(address, &error),
        None => reason::silent(address, ANSWER),
    })?;
    if !hello.get_bool("isWritablePrimary").unwrap_or(false) {
        return Err(reason::no_primary(address, hello.get_str("primary").ok()));
    }
    let connect = *connected.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Link {
        address: address.to_owned(),
        connect_ms: milliseconds(connect.unwrap_or_default()),
        ping_ms: milliseconds(ping),
    })
}

/// A command in a task of its own, because the driver's futures must not be dropped half-way; `None` is no answer in time.
async fn ask(client: &Client, command: Document) -> Result<Document, Option<Error>> {
    let database = client.database("admin");
    let task: JoinHandle<Result<Document, Error>> =
        tokio::spawn(async move { database.run_command(command).await });
    match timeout(ANSWER, task).await {
        Ok(Ok(answer)) => answer.map_err(Some),
        Ok(Err(_)) | Err(_) => Err(None),
    }
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// With one decimal.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_without_a_database_has_no_link_to_try() {
        assert_eq!(test(b"REGION=US\nMONGODB_URI=\"\"\n").unwrap(), None);
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_its_password() {
        let fault = test(b"MONGODB_URI=postgres://ann:hunter2@a/b\n").unwrap_err();
        assert!(fault.why.starts_with("MONGODB_URI is not"), "{fault}");
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }

    #[test]
    fn a_name_that_does_not_resolve_is_said_to_be_one() {
        let uri = b"MONGODB_URI=mongodb://nowhere.invalid:27017/aiagent?directConnection=true\n";
        let fault = test(uri).unwrap_err();
        assert!(fault.why.contains("does not resolve"), "{fault}");
        assert!(fault.hint.unwrap().contains("database.host"));
    }

    #[test]
    fn a_port_on_which_nothing_listens_is_said_to_be_refused() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let uri = format!("MONGODB_URI=mongodb://127.0.0.1:{port}/aiagent?directConnection=true\n");
        let fault = test(uri.as_bytes()).unwrap_err();
        assert!(fault.why.contains("refused"), "{fault}");
    }

    #[test]
    fn a_link_is_told_in_milliseconds_and_the_median_is_the_one_in_the_middle() {
        let of = |all: &[u64]| median(all.iter().copied().map(Duration::from_millis).collect());
        assert_eq!(of(&[900, 181, 180, 182, 179]), Duration::from_millis(181));
        let mut link = Link {
            address: "cn-server.yourapp.com:27017".to_owned(),
            connect_ms: 912.4,
            ping_ms: 180.6,
        };
        let told = "database cn-server.yourapp.com:27017 181 ms, login ok";
        assert_eq!(link.describe(), told);
        link.ping_ms = 0.4;
        assert!(link.describe().contains(" 0.4 ms"));
    }
}
