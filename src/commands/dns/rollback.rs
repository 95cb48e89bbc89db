//! `geodeploy dns rollback`.

use super::{Zone, snapshots, sync};
use crate::commands::Outcome;
use crate::dns::{Consent, Provider, Target, Task};
use crate::error::{Error, ErrorKind};

/// Lead the zone back to what it was before a sync, and refuse if somebody else has changed it since
#[derive(clap::Args)]
pub struct Args {
    /// The snapshot to go back to [default: the newest, from before the last run that changed anything]
    snapshot: Option<String>,
    /// Delete what is ours under this name and was not there then; may be repeated
    #[arg(long, value_name = "NAME")]
    delete: Vec<String>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run; that there is no snapshot, or that somebody else has changed what it would touch.
pub(super) async fn run<P: Provider>(
    provider: &P,
    zone: &Zone<'_>,
    args: Args,
) -> Result<Outcome, Error> {
    let all = snapshots::list(zone)?;
    let Some((_, newest)) = all.first() else {
        let what = format!("there is no snapshot of {}", zone.place());
        return Err(Error::new(ErrorKind::Usage, what)
            .cause("one is made on the machine that runs `geodeploy dns sync`, before it writes")
            .hint("run it there"));
    };
    let chosen = match &args.snapshot {
        Some(name) => &snapshots::read(zone, name)?,
        None => newest,
    };
    let consent = Consent {
        delete: args.delete,
        ..Consent::default()
    };
    let task = Task {
        provider,
        wanted: zone.wanted,
        target: Target::Snapshot { to: chosen, newest },
        consent: &consent,
    };
    let looked = task.look().await?;
    sync::carry_out(zone, &task, &looked, "dns-rollback").await
}
