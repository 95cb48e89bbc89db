//! A region's application server as a process of this machine, with the environment of its region.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::error::{Error, Result};
use super::shell::tail;

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(15);

/// How long a server without streams may take to end.
const END: Duration = Duration::from_secs(15);

/// A server that runs; it is killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    process: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `geodeploy serve` of this program with these variables and no others.
    ///
    /// `PORT` is replaced by a free one; state, locks and log are in `folder`.
    ///
    /// # Errors
    /// When it does not listen in time, with its last words.
    pub async fn start(mut variables: BTreeMap<String, String>, folder: &Path) -> Result<Self> {
        let fault = |why: String| {
            Error::new(
                "cannot start the server",
                why,
                "its variables are those of the env file; `geodeploy check` names mistakes in the inventory",
            )
        };
        let program = std::env::current_exe().map_err(|why| fault(why.to_string()))?;
        let address = free_port().map_err(|why| fault(why.to_string()))?;
        variables.insert("PORT".to_owned(), address.port().to_string());
        for (name, below) in [("STATE_DIRECTORY", "state"), ("RUNTIME_DIRECTORY", "run")] {
            let path = folder.join(below);
            fs::create_dir_all(&path).map_err(|why| Error::file(&path, why))?;
            variables.insert(name.to_owned(), path.to_string_lossy().into_owned());
        }
        let log = folder.join("server.log");
        let out = File::create(&log).map_err(|why| Error::file(&log, why))?;
        let errors = out.try_clone().map_err(|why| Error::file(&log, why))?;
        let process = Command::new(program)
            .arg("serve")
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .map_err(|why| fault(why.to_string()))?;
        let mut server = Self {
            address,
            process,
            log,
        };
        server.listens().await.map_err(fault)?;
        Ok(server)
    }

    async fn listens(&mut self) -> std::result::Result<(), String> {
        let begun = Instant::now();
        loop {
            if TcpStream::connect(self.address).await.is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.process.try_wait() {
                return Err(format!("{status}\n{}", self.last_words()));
            }
            if begun.elapsed() > START {
                let seconds = START.as_secs();
                let words = self.last_words();
                return Err(format!("it does not listen after {seconds} s\n{words}"));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn last_words(&self) -> String {
        tail(&fs::read_to_string(&self.log).unwrap_or_default(), 10)
    }

    /// Asks it to end as systemd does, with SIGTERM, and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time or ends with another status than 0, with its last words.
    pub async fn end(mut self) -> Result<()> {
        let fault = |why: String| {
            Error::new(
                "the server does not end as it should",
                why,
                "a second run shows whether it does so again",
            )
        };
        let id = self.process.id().and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id.and_then(Pid::from_raw) {
            kill_process(id, Signal::TERM).map_err(|why| fault(why.to_string()))?;
        }
        match timeout(END, self.process.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(fault(format!("{status}\n{}", self.last_words()))),
            Ok(Err(why)) => Err(fault(why.to_string())),
            Err(_) => Err(fault(format!(
                "it still runs {} s after SIGTERM\n{}",
                END.as_secs(),
                self.last_words()
            ))),
        }
    }
}

/// A port of loopback that nobody has, and that is given to nobody else for a while.
fn free_port() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
