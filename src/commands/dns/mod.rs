//! `geodeploy dns`.

mod drain;
mod embedded;
mod manual;
mod networks;
mod plan;
mod rollback;
mod route;
mod show;
mod snapshots;
mod status;
mod sync;
pub mod verify;

use super::{Outcome, block_on_unless};
use crate::cli::Globals;
use crate::dns::cloudflare::Cloudflare;
use crate::dns::dnspod::{Credentials, Dnspod, Pace};
use crate::dns::route53::Route53;
use crate::dns::{Asked, Consent, LIFETIME, Provider, Wanted};
use crate::error::{Error, ErrorKind};
use crate::fleet::{Project, mistakes};
use crate::inventory::{Dns, DnsProvider, SecretReference};
use crate::secrets::{Secret, Secrets};

/// Manage the zone's records: which region answers to whom
#[derive(clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the zone.
#[derive(clap::Subcommand)]
#[expect(
    missing_docs,
    reason = "each variant's help is the comment on the arguments it holds"
)]
pub enum Action {
    Plan(plan::Args),
    Sync(sync::Args),
    Rollback(rollback::Args),
    Status(status::Args),
    Route(route::Args),
    Verify(verify::Args),
    Drain(drain::Args),
    Networks(networks::Args),
}

/// What the operator agrees to by name; `--yes` does not stand for it.
#[derive(clap::Args, Default)]
pub struct Consents {
    /// Take over what is there under this name and is not ours; may be repeated
    #[arg(long, value_name = "NAME")]
    adopt: Vec<String>,
    /// Delete what is ours under this name and no longer wanted; may be repeated
    #[arg(long, value_name = "NAME")]
    delete: Vec<String>,
}

impl Consents {
    fn names(self) -> Consent {
        Consent {
            adopt: self.adopt,
            delete: self.delete,
            degraded: false,
        }
    }
}

/// The zone that a verb is about.
struct Zone<'a> {
    project: &'a Project,
    dns: &'a Dns,
    wanted: &'a Wanted,
}

impl Zone<'_> {
    /// `yourapp.com at route53`.
    fn place(&self) -> String {
        format!("{} at {}", self.wanted.zone, self.dns.provider.name())
    }
}

/// Runs the verb.
///
/// # Errors
/// Those of the action; that the inventory has no `[dns]`.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    if let Action::Networks(args) = &args.action {
        return networks::run(globals, args);
    }
    let project = Project::open(globals)?;
    let (Some(dns), Some(Asked { wanted, notes })) =
        (&project.inventory.dns, Wanted::of(&project.inventory))
    else {
        let what = "the inventory has no [dns]: nobody is named who answers for the regions' names";
        let hint = "write [dns] and its provider; `geodeploy init` shows the section";
        return Err(Error::new(ErrorKind::Usage, what).hint(hint));
    };
    let zone = Zone {
        project: &project,
        dns,
        wanted: &wanted,
    };
    if let Action::Route(args) = &args.action {
        return route::run(&zone, args);
    }
    for note in notes {
        project.ui.note(&note);
    }
    if let Action::Verify(args) = &args.action {
        let interrupted = Error::new(ErrorKind::Interrupted, "interrupted");
        let interrupted = interrupted.cause("nothing was changed: questions were asked");
        return block_on_unless(verify::run(&zone, args), interrupted);
    }
    block_on_unless(dispatch(&zone, args.action), interrupted())
}

fn interrupted() -> Error {
    let lifetime = LIFETIME.as_secs();
    Error::new(ErrorKind::Interrupted, "interrupted")
        .cause(format!(
            "if the zone was being changed, it stays locked for {lifetime} s"
        ))
        .hint("run the same command again: it does the rest")
}

async fn dispatch(zone: &Zone<'_>, action: Action) -> Result<Outcome, Error> {
    match &zone.dns.provider {
        DnsProvider::Embedded if zone.dns.geo => embedded::run(zone.project, &action).await,
        _ if matches!(action, Action::Drain(_)) => Err(drain::for_embedded_alone()),
        DnsProvider::Manual => manual::run(zone, &action),
        DnsProvider::Cloudflare { token } => {
            let provider = Cloudflare::new(secret(zone, token)?, zone.dns.endpoint.as_ref())?;
            act(&provider, zone, action).await
        }
        DnsProvider::Route53 {
            access_key_id,
            secret_access_key,
            session_token,
        } => {
            let token = session_token.as_ref();
            let provider = Route53::new(
                zone.dns.endpoint.as_ref(),
                secret(zone, access_key_id)?,
                secret(zone, secret_access_key)?,
                token.map(|token| secret(zone, token)).transpose()?,
                zone.project.inventory.tls.is_some(),
            )?;
            act(&provider, zone, action).await
        }
        DnsProvider::Dnspod {
            secret_id,
            secret_key,
            site,
        } => {
            let credentials = Credentials {
                id: secret(zone, secret_id)?,
                key: secret(zone, secret_key)?,
            };
            let endpoint = zone.dns.endpoint.as_ref();
            let provider = Dnspod::new(*site, endpoint, credentials, Pace::default())?;
            act(&provider, zone, action).await
        }
        // Without a name that answers by geography there is nothing for gdnsd to answer.
        DnsProvider::Embedded => manual::run(zone, &action),
    }
}

fn secret(zone: &Zone<'_>, reference: &SecretReference) -> Result<Secret, Error> {
    Secrets::resolve_one(&zone.project.inventory, reference).map_err(|found| mistakes(&[found]))
}

async fn act<P: Provider>(provider: &P, zone: &Zone<'_>, action: Action) -> Result<Outcome, Error> {
    match action {
        Action::Plan(args) => plan::run(provider, zone, args).await,
        Action::Sync(args) => sync::run(provider, zone, args).await,
        Action::Rollback(args) => rollback::run(provider, zone, args).await,
        Action::Status(_) => status::run(provider, zone).await,
        Action::Route(args) => route::run(zone, &args),
        Action::Verify(args) => verify::run(zone, &args).await,
        Action::Drain(_) | Action::Networks(_) => Err(drain::for_embedded_alone()),
    }
}
