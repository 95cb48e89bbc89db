//! What is changed on which host so that another member of the set becomes its primary.

use super::SET;
use super::set::{HIGHEST, members};
use crate::blueprint::{Build, Templates};
use crate::error::{Error, ErrorKind};
use crate::inventory::{DatabaseMode, Inventory, Region};
use crate::resource::mongo::{Connection, Member};
use crate::resource::{Primary, SetMembers};
use crate::secrets::Secrets;

/// The parts of a promotion, in their order.
#[derive(Clone, Debug)]
pub struct Promotion {
    /// On the host of the primary that is: the other one gets a vote and the highest priority.
    pub prepare: SetMembers,
    /// On that host too: it hands over.
    pub hand_over: Primary,
    /// On the promoted host: the set as the inventory has it when that region is named first.
    pub settle: SetMembers,
    /// On the promoted host, in place of all that, when the old primary is lost.
    pub force: SetMembers,
    /// The inventory's `region` and `members` afterwards.
    pub inventory: String,
}

/// The promotion of the member in the region `to`, from the primary in the region `from`.
///
/// # Errors
/// When there is no set with such a member, or a secret was not resolved.
pub fn promotion(
    inventory: &Inventory,
    from: &Region,
    to: &Region,
    secrets: &Secrets,
) -> Result<Promotion, Error> {
    refuse_without_member(inventory, to)?;
    let regions = inventory.database_regions();
    let connection = connection(inventory, to, secrets)?;
    let mut after = inventory.clone();
    after.database.region = Some(to.name.clone());
    after.database.members = regions
        .iter()
        .filter(|region| region.name != to.name)
        .map(|region| region.name.clone())
        .collect();
    // What is written for `region` alone stays with the region that it was written for.
    for region in &regions {
        let place = inventory.database.place(&region.name).cloned();
        after
            .database
            .places
            .insert(region.name.clone(), place.unwrap_or_default());
    }
    let new = members(&after);
    let own = new
        .first()
        .map_or_else(String::new, |member| member.host.clone());
    let set = |members: Vec<Member>, force| SetMembers {
        connection: connection.clone(),
        name: SET.to_owned(),
        members,
        force,
    };
    let mut raised = members_from(inventory, from);
    for member in raised.iter_mut().filter(|member| member.host == own) {
        *member = Member::voter(own.clone(), HIGHEST + 1.0);
    }
    let alone = new.iter().enumerate().map(|(at, member)| match at {
        0 => member.clone(),
        _ => Member::copy(member.host.clone()),
    });
    let others: Vec<String> = after
        .database
        .members
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    Ok(Promotion {
        prepare: set(raised, false),
        hand_over: Primary {
            connection: connection.clone(),
            name: SET.to_owned(),
            host: own,
        },
        force: set(alone.collect(), true),
        settle: set(new, false),
        inventory: format!(
            "region = \"{}\", members = [{}]",
            to.name,
            others.join(", ")
        ),
    })
}

/// Refuses a region that holds no member of a replica set.
///
/// # Errors
/// With the regions that do.
pub fn refuse_without_member(inventory: &Inventory, to: &Region) -> Result<(), Error> {
    let regions = inventory.database_regions();
    let names = || regions.iter().map(|region| region.name.as_str());
    if inventory.database.mode != DatabaseMode::ReplicaSet
        || !names().any(|name| name == to.name.as_str())
    {
        let there: Vec<&str> = names().collect();
        return Err(Error::new(
            ErrorKind::Usage,
            format!("{} holds no member of a replica set", to.name),
        )
        .cause(match there.is_empty() {
            true => "the inventory has no MongoDB".to_owned(),
            false => format!("the inventory's members are: {}", there.join(", ")),
        })
        .hint("write mode = \"replica-set\" and its region into `members` below [database]; `geodeploy db grow` makes it"));
    }
    Ok(())
}

/// The inventory's members, that of the region which is primary first.
fn members_from(inventory: &Inventory, from: &Region) -> Vec<Member> {
    let own = super::uri::with_port(&inventory.database_host(from));
    let mut all = members(inventory);
    all.sort_by_key(|member| member.host != own);
    all
}

fn connection(
    inventory: &Inventory,
    region: &Region,
    secrets: &Secrets,
) -> Result<Connection, Error> {
    let build = Build {
        inventory,
        region,
        secrets,
        templates: &Templates::load(inventory)?,
    };
    build.database_connection()
}
