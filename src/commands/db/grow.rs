//! `geodeploy db grow`.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::journal::Journal;
use super::{census, verified_backup};
use crate::blueprint;
use crate::cli::Globals;
use crate::commands::{Outcome, block_on, provision};
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Project};
use crate::host::Caller;
use crate::inventory::{Inventory, LinkEnd, Region};
use crate::resource::mongo::Connection;
use crate::secrets::Secrets;

/// Grow the database to what the inventory says, one server to several, with its data compared
#[derive(clap::Args)]
pub struct Args {
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

/// How often a copy that lacks something is counted again.
const COUNTS: u32 = 10;

/// Where the inventory describes no link: what the guide's server in China has.
const MEGABITS: u32 = 5;

/// Runs the action: a verified backup, room in the log of operations, the provisioning of all regions in their stages, then
/// the comparison. Each step looks first, so that a growth that was killed goes on where it was.
pub(super) fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let (primary, connection) = primary(&project)?;
    let caller = project.caller(args.host_binary.as_deref())?;
    let mut journal = Journal::open(&project.state)?;
    if let Some(last) = journal.steps.last() {
        project.ui.note(&format!(
            "going on with the growth that was begun at {}, after: {last}",
            journal.begun
        ));
    }
    block_on(async {
        let run = Run {
            project: &project,
            primary,
            connection: &connection,
            caller: &caller,
        };
        let before = run.counted().await?;
        run.refuse_unready(&before)?;
        journal.ended("backup and log of operations")?;
        let provision = provision::Args {
            region: None,
            plan: None,
            shorten_ttl: Vec::new(),
            adopt_data: None,
            data_backup: None,
            host_binary: args.host_binary,
        };
        provision::carry_out(&project, &provision).await?;
        journal.ended("provisioning")?;
        let after = run.compared().await?;
        journal.ended("comparison")?;
        run.report(&after);
        journal.close()?;
        Ok(Outcome::Done)
    })
}

/// The region of the primary and how its database is reached.
fn primary(project: &Project) -> Result<(&Region, Connection), Error> {
    let inventory = &project.inventory;
    let nothing = || {
        Error::new(ErrorKind::Usage, "the inventory has no MongoDB to grow").hint(
            "write mode = \"single\", or mode = \"replica-set\" with `members`, below [database]",
        )
    };
    let primary = inventory
        .database_regions()
        .first()
        .copied()
        .ok_or_else(nothing)?;
    let secrets = Secrets::resolve(inventory).map_err(|found| fleet::mistakes(&found))?;
    let contents = blueprint::contents(inventory, primary, &secrets)?.ok_or_else(nothing)?;
    Ok((primary, contents.mongod.connection))
}

struct Run<'r> {
    project: &'r Project,
    primary: &'r Region,
    connection: &'r Connection,
    caller: &'r Caller,
}

/// What one region's database holds.
struct Counted<'r> {
    region: &'r Region,
    census: Value,
}

impl<'r> Run<'r> {
    fn inventory(&self) -> &'r Inventory {
        &self.project.inventory
    }

    fn host(&self, region: &Region) -> String {
        let name = self.inventory().database_host(region);
        format!("{name}:{}", self.connection.port)
    }

    /// Counts in every region that holds the data, the primary's first.
    async fn counted(&self) -> Result<Vec<Counted<'r>>, Error> {
        let regions = self.inventory().database_regions();
        let members = fleet::connect(self.project, &regions, self.caller).await;
        let hosts: Vec<String> = regions.iter().map(|region| self.host(region)).collect();
        let mut counted = Vec::new();
        for (region, member) in regions.into_iter().zip(members) {
            let member = member?;
            let census = census::ask(self.project, &member, self.connection, &hosts).await;
            member.close().await;
            counted.push(Counted {
                region,
                census: census?,
            });
        }
        Ok(counted)
    }

    /// Where a member is to join data that is there, there is a verified backup, and the log of operations is long enough.
    fn refuse_unready(&self, counted: &[Counted<'_>]) -> Result<(), Error> {
        let name = self.primary.name.as_str();
        let Some((first, others)) = counted.split_first() else {
            return Ok(());
        };
        let joining: Vec<&Counted<'_>> = others
            .iter()
            .filter(|counted| counted.census["state"] != "managed")
            .collect();
        if joining.is_empty() || !census::holds_data(&first.census) {
            self.project
                .ui
                .note("no data has to be copied: no backup is asked for");
            return Ok(());
        }
        let age = verified_backup(name, first.census["verified_at"].as_str(), Timestamp::now())?;
        self.project.ui.note(&format!(
            "the newest backup of {name} was restored for a trial {} min ago",
            age.as_mins()
        ));
        for counted in joining {
            let megabits = self.megabits(counted.region);
            census::refuse_short_oplog(name, &first.census, megabits)?;
        }
        Ok(())
    }

    fn megabits(&self, region: &Region) -> f64 {
        let end = |region: &Region| LinkEnd::Region(region.name.clone());
        let link = self.inventory().link(&end(self.primary), &end(region));
        f64::from(link.map_or(MEGABITS, |link| link.megabits))
    }

    /// Counts until every copy has what the primary had before it.
    async fn compared(&self) -> Result<Vec<Counted<'r>>, Error> {
        let mut tries = 0;
        loop {
            let counted = self.counted().await?;
            let mut lacks = Vec::new();
            if let Some((first, others)) = counted.split_first() {
                for other in others {
                    let own = census::lacks(&first.census, &other.census);
                    lacks.extend(
                        own.into_iter()
                            .map(|lack| format!("{}: {lack}", other.region.name)),
                    );
                }
            }
            tries += 1;
            if lacks.is_empty() {
                return Ok(counted);
            }
            if tries >= COUNTS {
                let error = Error::new(
                    ErrorKind::Partial,
                    "a copy lacks something of the primary's",
                )
                .hint("run `geodeploy db grow` again later, which counts again");
                return Err(lacks.into_iter().fold(error, Error::cause));
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    /// What every region holds, and how far the data is from it, before and now.
    fn report(&self, counted: &[Counted<'_>]) {
        let document: Vec<Value> = counted
            .iter()
            .map(|counted| {
                let mut census = counted.census.clone();
                census["region"] = Value::String(counted.region.name.to_string());
                census
            })
            .collect();
        let far = self.host(self.primary);
        self.project.ui.report("grown", &document, |_| {
            let lines = counted.iter().map(|counted| self.line(counted, &far));
            lines.collect::<Vec<_>>().join("\n")
        });
    }

    fn line(&self, counted: &Counted<'_>, far: &str) -> String {
        let collections = counted.census["collections"].as_object();
        let documents: f64 = collections
            .into_iter()
            .flatten()
            .filter_map(|(_, collection)| collection["documents"].as_f64())
            .sum();
        let name = &counted.region.name;
        let holds = format!(
            "{name}: {documents} documents in {} collections, {} users",
            collections.map_or(0, serde_json::Map::len),
            counted.census["users"]
        );
        let reach = |host: &str| counted.census["reach"][host].as_f64();
        match (reach(far), reach(&self.host(counted.region))) {
            (Some(before), Some(now)) if *name != self.primary.name => format!(
                "{holds}; a read took a round trip of {before} ms to {far}, now one of {now} ms on its own host"
            ),
            _ => holds,
        }
    }
}
