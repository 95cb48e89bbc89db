//! `geodeploy db promote`.

mod views;

use std::path::PathBuf;

use crate::blueprint::Promotion;
use crate::cli::Globals;
use crate::commands::{Outcome, block_on};
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Job, Member, Project};
use crate::inventory::Region;
use crate::plan::Plan;
use crate::resource::Resource;
use crate::secrets::Secrets;
use views::{View, Way};

/// Make a region's member of the replica set the primary, also where the old primary is lost
#[derive(clap::Args)]
pub struct Args {
    /// The region whose member becomes the primary
    pub region: String,
    /// Agree beforehand, by the region's name; --yes is no consent to this
    #[arg(long, value_name = "REGION")]
    pub promote: Option<String>,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

/// Runs the action. Where the old primary answers it hands over and nothing is lost; where it does not, the promoted
/// member is told to go on without a majority, which nothing else in geodeploy does.
pub(super) fn run(globals: &Globals, args: &Args) -> Result<Outcome, Error> {
    if let Some(given) = args
        .promote
        .as_deref()
        .filter(|given| *given != args.region)
    {
        return Err(Error::new(
            ErrorKind::Usage,
            format!(
                "--promote names `{given}`, and this is about `{}`",
                args.region
            ),
        )
        .hint(format!(
            "type `geodeploy db promote {0} --promote {0}`",
            args.region
        )));
    }
    let project = Project::open(globals)?;
    let inventory = &project.inventory;
    let to = project.region(&args.region)?;
    crate::blueprint::refuse_without_member(inventory, to)?;
    let secrets = Secrets::resolve(inventory).map_err(|found| fleet::mistakes(&found))?;
    let parts = |from: &Region| crate::blueprint::promotion(inventory, from, to, &secrets);
    let hand_over = parts(to)?.hand_over;
    let caller = project.caller(args.host_binary.as_deref())?;
    block_on(async {
        let regions = inventory.database_regions();
        let members = fleet::connect(&project, &regions, &caller).await;
        let mut views = Vec::new();
        for (region, member) in regions.iter().zip(members) {
            views.push(View::of(inventory, region, member, &hand_over).await);
        }
        let way = views::way(&views, to, inventory.database.automatic_failover)?;
        let from = match &way {
            Way::Settle | Way::Force => to,
            Way::HandOver(from) => from,
        };
        let promotion = parts(from)?;
        let ended = carry_out(&project, args, &way, &promotion, &views).await;
        for view in views {
            if let Ok(member) = view.member {
                member.close().await;
            }
        }
        ended
    })
}

async fn carry_out(
    project: &Project,
    args: &Args,
    way: &Way<'_>,
    promotion: &Promotion,
    views: &[View<'_>],
) -> Result<Outcome, Error> {
    let new = host(views, &args.region)?;
    let settle = vec![Resource::SetMembers(match way {
        Way::Force => promotion.force.clone(),
        Way::Settle | Way::HandOver(_) => promotion.settle.clone(),
    })];
    let before = vec![
        Resource::SetMembers(promotion.prepare.clone()),
        Resource::Primary(promotion.hand_over.clone()),
    ];
    let settling = fleet::inspect(new.member, &settle, &[]).await?.plan;
    let handing = match way {
        Way::HandOver(from) => {
            let old = host(views, from.name.as_str())?;
            Some((fleet::inspect(old.member, &before, &[]).await?.plan, old))
        }
        Way::Settle | Way::Force => None,
    };
    let plans: Vec<&Plan> = handing
        .iter()
        .map(|(plan, _)| plan)
        .chain([&settling])
        .collect();
    show(project, &plans);
    if plans.iter().all(|plan| plan.is_empty()) {
        told(
            project,
            args,
            promotion,
            "is the primary already; nothing was changed",
        );
        return Ok(Outcome::Done);
    }
    project.ui.note(way.consequence());
    let question = format!("Make {} the primary?", args.region);
    let given = args.promote.as_deref();
    project
        .ui
        .typed_consent(&question, &args.region, given, "--promote")?;
    project.state.audit(&format!(
        "{} db promote {}: {}",
        jiff::Timestamp::now(),
        args.region,
        way.consequence()
    ))?;
    if let Some((plan, old)) = &handing {
        make(project, old, &before, plan).await?;
    }
    let now = fleet::inspect_again(project, new.member, &settle, &[])
        .await?
        .plan;
    make(project, &new, &settle, &now).await?;
    told(project, args, promotion, "is the primary now");
    Ok(Outcome::Done)
}

struct Host<'v> {
    region: &'v Region,
    member: &'v Member,
}

fn host<'v>(views: &'v [View<'_>], name: &str) -> Result<Host<'v>, Error> {
    let view = views.iter().find(|view| view.region.name.as_str() == name);
    let view =
        view.ok_or_else(|| Error::new(ErrorKind::Failed, format!("{name} was not asked")))?;
    match &view.member {
        Ok(member) => Ok(Host {
            region: view.region,
            member,
        }),
        Err(error) => Err(error.clone()),
    }
}

async fn make(
    project: &Project,
    host: &Host<'_>,
    resources: &[Resource],
    plan: &Plan,
) -> Result<(), Error> {
    let job = Job {
        member: host.member,
        region: host.region,
        resources,
        requirements: &[],
        plan,
    };
    for result in fleet::apply(project, &[job]).await {
        result?;
    }
    Ok(())
}

fn show(project: &Project, plans: &[&Plan]) {
    let verbose = project.ui.look().verbose;
    project.ui.report("plans", &plans, |palette| {
        let look = crate::plan::Look { palette, verbose };
        plans
            .iter()
            .map(|plan| plan.render(look))
            .collect::<Vec<_>>()
            .join("\n")
    });
}

fn told(project: &Project, args: &Args, promotion: &Promotion, what: &str) {
    let document = serde_json::json!({
        "region": args.region,
        "result": what,
        "inventory": promotion.inventory,
    });
    let region = project.inventory.database.region.as_ref();
    let named = region.is_some_and(|name| name.as_str() == args.region);
    project.ui.report("promoted", &document, |_| {
        let mut text = format!("{} {what}; applications follow by themselves", args.region);
        if !named {
            text.push_str(&format!(
                "\nwrite {} below [database]: until then `geodeploy provision` refuses to move it back",
                promotion.inventory
            ));
        }
        text
    });
}
