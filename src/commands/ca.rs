//! `geodeploy ca`.

mod due;
mod issue;
mod show;

use std::path::PathBuf;

use jiff::Timestamp;

use super::Outcome;
use crate::ca::{self, Authority, Vault};
use crate::cli::Globals;
use crate::error::{Error, ErrorContext, ErrorKind};
use crate::fleet::{Project, mistakes};
use crate::inventory::{Inventory, SecretReference, SecretSource, tls};
use crate::secrets::{Secret, Secrets};

/// The name of the authority's certificate and key in the folder.
const AUTHORITY: &str = "ca";

/// Make and renew the database's certificates
#[derive(clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the authority.
#[derive(clap::Subcommand)]
pub enum Action {
    /// Make the authority: its key, its certificate and the members' key; what is there stays
    Init,
    /// Issue the certificates that are missing, expire soon or name other addresses than the inventory
    Issue {
        /// Only those of this region
        region: Option<String>,
        /// Issue the others too, with new keys
        #[arg(long)]
        rotate: bool,
    },
    /// Show the certificates, what they are good for and until when
    Show,
}

/// Runs the verb. It writes files beside the inventory and reaches no host.
///
/// # Errors
/// When the inventory has no MongoDB, or a key or file cannot be had.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    if !project.inventory.database.mode.on_hosts() {
        return Err(Error::new(
            ErrorKind::Usage,
            "the inventory has no MongoDB, and nothing else needs these certificates",
        )
        .hint("write mode = \"single\" below [database]"));
    }
    match args.action {
        Action::Init => init(&project),
        Action::Issue { region, rotate } => issue::run(&project, region.as_deref(), rotate),
        Action::Show => show::run(&project),
    }
}

fn init(project: &Project) -> Result<Outcome, Error> {
    let inventory = &project.inventory;
    let identity = place(inventory, &inventory.database.tls.identity)?;
    let mut made: Vec<PathBuf> = Vec::new();
    if !identity.exists() {
        Vault::make_identity(&identity)?;
        project.ui.note(&format!(
            "{} opens everything that is encrypted here: keep a copy of it where it is safe",
            identity.display()
        ));
        made.push(identity);
    }
    let vault = vault(inventory)?;
    if vault.read(AUTHORITY)?.is_none() {
        let file = sealed(inventory, AUTHORITY)?;
        let elsewhere = inventory.database.tls.ca_key.is_some();
        if !elsewhere && !file.exists() {
            vault.seal(&file, &Authority::key()?)?;
            made.push(file);
        }
        let certificate = Authority::certificate(
            inventory.app.name.as_str(),
            &authority_key(inventory)?,
            Timestamp::now(),
        )?;
        vault.write(AUTHORITY, &certificate)?;
        made.push(vault.certificate(AUTHORITY));
    }
    let member = sealed(inventory, tls::MEMBER)?;
    if !member.exists() {
        vault.seal(&member, &ca::member_key()?)?;
        made.push(member);
    }
    let made: Vec<String> = made.iter().map(|path| path.display().to_string()).collect();
    let document = serde_json::json!({ "made": made });
    project.ui.report("ca-init", &document, |_| {
        if made.is_empty() {
            return "the authority is there, nothing was made".to_owned();
        }
        format!(
            "made {}\nnow type `geodeploy ca issue`",
            made.join("\n     ")
        )
    });
    Ok(Outcome::Done)
}

/// The authority as it was made.
fn authority(inventory: &Inventory, vault: &Vault) -> Result<Authority, Error> {
    let Some(certificate) = vault.read(AUTHORITY)? else {
        return Err(Error::new(
            ErrorKind::Input,
            format!("{} is not there", vault.certificate(AUTHORITY).display()),
        )
        .hint("make the authority: `geodeploy ca init`"));
    };
    Authority::load(&certificate, &authority_key(inventory)?)
}

fn authority_key(inventory: &Inventory) -> Result<Secret, Error> {
    let folder = &inventory.database.tls;
    let own = || SecretReference {
        source: SecretSource::Age {
            file: tls::sealed(&folder.folder, AUTHORITY),
            identity: folder.identity.clone(),
        },
        key: tls::KEY.to_owned(),
        line: folder.authority.line,
    };
    let reference = folder.ca_key.clone().unwrap_or_else(own);
    Secrets::resolve_one(inventory, &reference).map_err(|mistake| mistakes(&[mistake]))
}

fn vault(inventory: &Inventory) -> Result<Vault, Error> {
    let tls = &inventory.database.tls;
    Vault::open(
        &place(inventory, &tls.folder)?,
        &place(inventory, &tls.identity)?,
    )
}

/// The encrypted file of that name.
fn sealed(inventory: &Inventory, name: &str) -> Result<PathBuf, Error> {
    place(
        inventory,
        &tls::sealed(&inventory.database.tls.folder, name),
    )
}

fn place(inventory: &Inventory, path: &std::path::Path) -> Result<PathBuf, Error> {
    crate::secrets::located(path, inventory).context(ErrorKind::Input, || {
        format!("cannot find {}", path.display())
    })
}
