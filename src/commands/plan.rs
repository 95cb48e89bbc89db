//! `geodeploy plan`.

use std::path::PathBuf;

use super::{Outcome, block_on, combine};
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Looked, Project};
use crate::plan::{Basis, Plan, SavedPlan};
use crate::state::write_private;

/// Show what provision would change, as a diff; exit with 2 if anything
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region only [default: all]
    pub region: Option<String>,
    /// Save the plan for `provision --plan`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

/// Runs the verb. The one thing that it leaves on a host is the agent.
///
/// # Errors
/// Those of the run.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let regions = project.regions(args.region.as_deref())?;
    let blueprints = project.blueprints(&regions)?;
    let caller = project.caller(args.host_binary.as_deref())?;
    block_on(async {
        let looked = fleet::look(&project, &regions, &blueprints, &caller).await;
        show(&project, &looked);
        if let Some(file) = &args.out {
            save(&project, &looked, file)?;
        }
        let mut ends = Vec::new();
        for looked in looked {
            let name = looked.name();
            ends.push((name, end(looked).await));
        }
        combine(ends)
    })
}

/// Shows all plans, those of hosts that did not answer as far as they are known.
pub(super) fn show(project: &Project, looked: &[Looked<'_>]) {
    let plans: Vec<&Plan> = looked.iter().filter_map(Looked::plan).collect();
    let verbose = project.ui.look().verbose;
    project.ui.report("plans", &plans, |palette| {
        let texts: Vec<String> = looked
            .iter()
            .map(|looked| looked.render(palette, verbose))
            .collect();
        texts.join("\n")
    });
}

/// Whether the region's host is as it should be.
///
/// # Errors
/// The host did not answer, or lacks what it must have.
pub(super) async fn end(looked: Looked<'_>) -> Result<Outcome, Error> {
    if let Some(error) = fleet::unmet(&looked) {
        let (member, _) = looked.answer?;
        member.lane.fail("not as it must be");
        member.close().await;
        return Err(error);
    }
    let (member, inspected) = looked.answer?;
    member.lane.done("compared");
    member.close().await;
    Ok(if inspected.plan.is_empty() {
        Outcome::Done
    } else {
        Outcome::Differences
    })
}

fn save(project: &Project, looked: &[Looked<'_>], file: &std::path::Path) -> Result<(), Error> {
    let key = project.state.fingerprint_key()?;
    let basis = Basis {
        project: project.inventory.app.name.as_str(),
        inventory: &project.digest,
        key: &key,
    };
    let plans = looked.iter().filter_map(Looked::plan).cloned().collect();
    let text = SavedPlan::new(basis, jiff::Timestamp::now(), plans).to_json()?;
    write_private(file, text.as_bytes()).map_err(|error| {
        Error::new(
            ErrorKind::Failed,
            format!("cannot save the plan in {}", file.display()),
        )
        .cause(&error)
    })?;
    project.ui.note(&format!(
        "saved; carry it out with `geodeploy provision --plan {}`",
        file.display()
    ));
    Ok(())
}
