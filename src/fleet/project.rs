//! What every verb that reaches a host begins with: the inventory, the operator's state, the binary to ship.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::blueprint::{self, Blueprint};
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};
use crate::host::{Caller, Destination, HostBinary, Jump};
use crate::inventory::{self, Inventory, Mistake, Region};
use crate::secrets::Secrets;
use crate::state::State;
use crate::ui::Ui;

/// A project as an operator works on it.
pub struct Project {
    /// The inventory, checked.
    pub inventory: Inventory,
    /// The inventory's file.
    pub file: PathBuf,
    /// SHA-256 of the inventory's text.
    pub digest: String,
    /// What this machine keeps of the project.
    pub state: State,
    /// Output.
    pub ui: Ui,
    /// Consent to what plans show.
    pub yes: bool,
    /// How long a host may take to answer.
    pub timeout: Duration,
}

/// All mistakes as one error.
pub fn mistakes(found: &[Mistake]) -> Error {
    let count = crate::text::count(found.len(), "mistake");
    found.iter().fold(
        Error::new(ErrorKind::Input, format!("the inventory has {count}")),
        |error, mistake| error.cause(mistake),
    )
}

impl Project {
    /// Finds and checks the inventory. Touches no network.
    ///
    /// # Errors
    /// Every mistake in the inventory, or that there is none.
    pub fn open(globals: &Globals) -> Result<Self, Error> {
        let here = std::env::current_dir().map_err(|error| {
            Error::new(ErrorKind::Failed, "the current folder is gone").cause(error)
        })?;
        let file = inventory::find(globals.inventory.as_deref(), &here)
            .map_err(|mistake| Error::new(ErrorKind::Input, mistake.cause).hint(mistake.remedy))?;
        let inventory = Inventory::load(&file).map_err(|found| mistakes(&found))?;
        let text = std::fs::read(&file).map_err(|error| {
            Error::new(ErrorKind::Input, format!("cannot read {}", file.display())).cause(error)
        })?;
        let state = globals.state(inventory.app.name.as_str())?;
        Ok(Self {
            digest: crate::digest::sha256(&text),
            inventory,
            file,
            state,
            ui: globals.ui.clone(),
            yes: globals.yes,
            timeout: globals.timeout,
        })
    }

    /// The regions of a command line: the named one, or all.
    ///
    /// # Errors
    /// When there is no region of that name.
    pub fn regions(&self, named: Option<&str>) -> Result<Vec<&Region>, Error> {
        match named {
            None => Ok(self.inventory.regions.iter().collect()),
            Some(name) => Ok(vec![self.region(name)?]),
        }
    }

    /// The region of that name.
    ///
    /// # Errors
    /// When there is none, with the likeliest.
    pub fn region(&self, name: &str) -> Result<&Region, Error> {
        self.inventory
            .region(name)
            .map_err(|wrong| Error::new(ErrorKind::Usage, wrong.cause).hint(wrong.remedy))
    }

    /// What each region's host should be. Resolves all secrets first, each once.
    ///
    /// # Errors
    /// Every secret that cannot be had; a template that does not render, with its line.
    pub fn blueprints(&self, regions: &[&Region]) -> Result<Vec<Blueprint>, Error> {
        let secrets = Secrets::resolve(&self.inventory).map_err(|found| mistakes(&found))?;
        regions
            .iter()
            .map(|region| blueprint::region(&self.inventory, &region.name, &secrets))
            .collect()
    }

    /// How a region's host is reached.
    pub fn destination(&self, region: &Region) -> Destination {
        let login = &region.ssh.login;
        Destination {
            region: region.name.as_str().to_owned(),
            host: region.ssh.host.as_str().to_owned(),
            user: Some(login.user.as_str().to_owned()),
            port: Some(login.port.number()),
            identity: login
                .identity
                .as_deref()
                .map(|path| self.inventory.resolve(path)),
            host_keys: region
                .ssh
                .host_keys
                .iter()
                .map(ToString::to_string)
                .collect(),
            jumps: login
                .jump
                .iter()
                .map(|jump| Jump {
                    host: jump.host.as_str().to_owned(),
                    user: jump.user.as_ref().map(|user| user.as_str().to_owned()),
                    port: jump.port.map(|port| port.number()),
                    host_keys: Vec::new(),
                })
                .collect(),
            timeout: self.timeout,
        }
    }

    /// Who calls, and what is shipped.
    ///
    /// # Errors
    /// When there is no binary to ship, or the project's key cannot be read.
    pub fn caller(&self, host_binary: Option<&Path>) -> Result<Caller, Error> {
        let binary = HostBinary::find(host_binary, &self.state.releases()?)?;
        Ok(Caller {
            operator: operator(),
            key: self.state.fingerprint_key()?.secret().clone(),
            binary,
        })
    }
}

/// `user@machine` of whoever runs this, for the next operator who finds a host busy.
pub fn operator() -> String {
    let machine = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let user = rustix::process::geteuid().as_raw();
    let name = std::fs::read_to_string("/etc/passwd")
        .ok()
        .and_then(|text| {
            text.lines().find_map(|line| {
                let fields: Vec<&str> = line.split(':').collect();
                (fields.get(2)? == &user.to_string()).then(|| (*fields.first()?).to_owned().into())
            })?
        });
    format!("{}@{machine}", name.unwrap_or_else(|| user.to_string()))
}
