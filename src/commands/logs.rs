//! `geodeploy logs`.

use tokio::io::AsyncBufReadExt;

use super::{Outcome, block_on};
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Project};
use crate::text::printable_line;

/// Show the server's log
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region
    pub region: String,
    /// Keep printing new lines as they come
    #[arg(short, long)]
    pub follow: bool,
    /// Begin with the last N lines
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub lines: u32,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let region = project.region(&args.region)?;
    let units = format!("{}@*.service", project.inventory.app.name.as_str());
    let lines = args.lines.to_string();
    let mut words = vec![
        "journalctl",
        "--no-pager",
        "--output=short-iso",
        "--unit",
        &units,
        "--lines",
        &lines,
    ];
    if args.follow {
        words.push("--follow");
    }
    let caller = project.caller(None)?;
    block_on(async {
        let member = fleet::connect(&project, &[region], &caller)
            .await
            .remove(0)?;
        let mut channel = member.session.as_root(&words).await?;
        let mut line = Vec::new();
        while !project.ui.closed()
            && channel
                .stdout
                .read_until(b'\n', &mut line)
                .await
                .is_ok_and(|count| count > 0)
        {
            project
                .ui
                .print(&printable_line(String::from_utf8_lossy(&line).trim_end()));
            line.clear();
        }
        if project.ui.closed() {
            return Ok(Outcome::Done);
        }
        let end = channel.end.await?;
        match end.status {
            Some(0) => {
                member.close().await;
                Ok(Outcome::Done)
            }
            None => Err(Error::new(
                ErrorKind::Unreachable,
                format!("{}: the connection was lost", args.region),
            )),
            Some(status) => Err(Error::new(
                ErrorKind::Failed,
                format!("{}: journalctl exit status {status}", args.region),
            )
            .cause(end.stderr.trim())),
        }
    })
}
