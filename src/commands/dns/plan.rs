//! `geodeploy dns plan`.

use super::{Consents, Zone, show};
use crate::commands::Outcome;
use crate::dns::{Provider, Target, Task};
use crate::error::Error;

/// Show what sync would change, as a diff; exit with 2 if anything
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    consents: Consents,
}

/// Runs the verb. It only reads.
///
/// # Errors
/// Those of the provider.
pub(super) async fn run<P: Provider>(
    provider: &P,
    zone: &Zone<'_>,
    args: Args,
) -> Result<Outcome, Error> {
    let task = Task {
        provider,
        wanted: zone.wanted,
        target: Target::Inventory,
        consent: &args.consents.names(),
    };
    let looked = task.look().await?;
    show::report(zone, &looked);
    Ok(if looked.reconciled.is_empty() {
        Outcome::Done
    } else {
        Outcome::Differences
    })
}
