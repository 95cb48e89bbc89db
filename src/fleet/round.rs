//! A round over several regions: connect, inspect, and keep together what belongs to a region.

use futures_util::future::join_all;

use super::{Inspected, Member, Project, connect, inspect, inspect_again, run};
use crate::blueprint::Blueprint;
use crate::error::{Error, ErrorKind};
use crate::host::Caller;
use crate::inventory::Region;
use crate::plan::Plan;
use crate::text::Palette;

/// What was found in one region.
pub struct Looked<'a> {
    /// The region.
    pub region: &'a Region,
    /// What its host should be.
    pub blueprint: &'a Blueprint,
    /// The host and its answer, or why there is none.
    pub answer: Result<(Member, Inspected), Error>,
}

impl Looked<'_> {
    /// The plan, where the host answered.
    pub fn plan(&self) -> Option<&Plan> {
        self.answer
            .as_ref()
            .ok()
            .map(|(_, inspected)| &inspected.plan)
    }

    /// The region's name.
    pub fn name(&self) -> String {
        self.region.name.as_str().to_owned()
    }

    /// The plan as text; for a host that did not answer, what would be looked at there.
    pub fn render(&self, palette: Palette, verbose: bool) -> String {
        if let Some(plan) = self.plan() {
            return plan.render(crate::plan::Look { palette, verbose });
        }
        let mut text = format!(
            "{}: unknown, the host did not answer; it would be compared with:\n",
            self.region.name.as_str()
        );
        for resource in &self.blueprint.resources {
            text.push_str(&format!("  ? {}\n", resource.id()));
        }
        text
    }
}

/// Connects to all regions and compares each with its blueprint, in parallel. A run of the caller's own that is still
/// under way is followed to its end first.
pub async fn look<'a>(
    project: &Project,
    regions: &[&'a Region],
    blueprints: &'a [Blueprint],
    caller: &Caller,
) -> Vec<Looked<'a>> {
    let members = connect(project, regions, caller).await;
    let answers = members
        .into_iter()
        .zip(blueprints)
        .map(|(member, blueprint)| async move {
            let member = member?;
            let inspected = quiet(project, &member, blueprint).await?;
            Ok((member, inspected))
        });
    let answers = join_all(answers).await;
    regions
        .iter()
        .zip(blueprints)
        .zip(answers)
        .map(|((region, blueprint), answer)| Looked {
            region,
            blueprint,
            answer,
        })
        .collect()
}

/// An inspection of a host on which nothing is under way.
async fn quiet(
    project: &Project,
    member: &Member,
    blueprint: &Blueprint,
) -> Result<Inspected, Error> {
    let inspected = inspect(member, &blueprint.resources, &blueprint.requirements).await?;
    let Some(holder) = &inspected.busy else {
        return Ok(inspected);
    };
    if holder.operator != member.caller.operator {
        return Err(run::held(member.session.region(), holder));
    }
    member.lane.note(&format!(
        "your run {} is still under way; following it",
        holder.run
    ));
    run::attach(project, member, &holder.run).await?;
    let (resources, requirements) = (&blueprint.resources, &blueprint.requirements);
    let inspected = inspect_again(project, member, resources, requirements).await?;
    match &inspected.busy {
        None => Ok(inspected),
        Some(holder) => Err(run::held(member.session.region(), holder)),
    }
}

/// Splits off the regions that did not answer.
pub fn failures(looked: &mut Vec<Looked<'_>>) -> Vec<(String, Error)> {
    let mut failed = Vec::new();
    for at in (0..looked.len()).rev() {
        if looked[at].answer.is_err()
            && let Looked {
                region,
                answer: Err(error),
                ..
            } = looked.remove(at)
        {
            failed.push((region.name.as_str().to_owned(), error));
        }
    }
    failed.reverse();
    failed
}

/// What a region's host lacks, all of it as one error; `None` where it has everything or did not answer.
pub fn unmet(looked: &Looked<'_>) -> Option<Error> {
    let (_, inspected) = looked.answer.as_ref().ok()?;
    if inspected.unmet.is_empty() {
        return None;
    }
    let count = crate::text::count(inspected.unmet.len(), "requirement");
    let what = format!(
        "{}: the host does not meet {count}; nothing was changed",
        looked.name()
    );
    let error = Error::new(ErrorKind::Failed, what);
    Some(inspected.unmet.iter().fold(error, |error, unmet| {
        error
            .cause(format!("{}: {}", unmet.what, unmet.found))
            .hint(&unmet.remedy)
    }))
}

/// Whether the plan of the region would shut out the address that the operator comes from.
///
/// # Errors
/// The refusal, with the address and what to change.
pub fn refuse_lockout(looked: &Looked<'_>) -> Result<(), Error> {
    let Ok((_, inspected)) = &looked.answer else {
        return Ok(());
    };
    let Some(peer) = inspected
        .facts
        .peer
        .as_deref()
        .and_then(|peer| peer.parse::<std::net::IpAddr>().ok())
    else {
        return Ok(());
    };
    let touched = inspected
        .plan
        .changes
        .iter()
        .any(|change| change.id.kind == crate::plan::Kind::Firewall);
    let port = looked.region.ssh.login.port.number();
    let firewall = looked
        .blueprint
        .resources
        .iter()
        .find_map(|resource| match resource {
            crate::resource::Resource::Firewall(firewall) => Some(firewall),
            _ => None,
        });
    let Some(firewall) = firewall.filter(|_| touched) else {
        return Ok(());
    };
    let admits = firewall.rules.iter().any(|rule| {
        (rule.protocol, rule.port) == (crate::resource::Protocol::Tcp, port)
            && rule
                .from
                .is_none_or(|network| network.contains(&peer.to_canonical()))
    });
    if admits {
        return Ok(());
    }
    let region = looked.region.name.as_str();
    Err(Error::new(
        ErrorKind::Input,
        format!("{region}: the plan would lock you out: no rule for port {port} admits {peer}"),
    )
    .cause("that is the address you come from, as the server sees it")
    .hint(format!("add \"{peer}\" to `firewall.administrators`")))
}
