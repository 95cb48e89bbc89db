//! A new password of the application's user, with no moment in which a server has no login.
//!
//! A server that runs knows one login. If its password changed under it, it would lose its connections with the first new
//! one that it needs, and with them what it still has to write while it drains. So there are two users for a while: every
//! server goes over to an interim user who has the new password; when none knows the user with the old one any more, that
//! user gets the new password, the servers go back, and the interim user goes. Where a run has come is seen by looking:
//! one that was cut is completed by the next.

use futures_util::future::join_all;

use super::concerned::{self, User};
use super::renew::{self, Server};
use super::{Args, Rotated, differs_in_password, make, shown};
use crate::blueprint::{self, Blueprint};
use crate::commands::{Outcome, block_on, combine};
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Looked, Project, mistakes};
use crate::inventory::{Inventory, Region};
use crate::resource::{Resource, RetiredMongoUser};
use crate::secrets::Secrets;

/// What the hosts should be between the steps and in the end, each in the order of the regions.
struct Goals {
    /// The interim user's name.
    interim: String,
    /// With the interim user.
    between: Vec<Blueprint>,
    /// With the user that the inventory names.
    end: Vec<Blueprint>,
    /// The interim user, gone.
    gone: Vec<Blueprint>,
}

pub(super) fn run(project: &Project, args: &Args) -> Result<Outcome, Error> {
    let regions = project.regions(None)?;
    let goals = Goals::new(&project.inventory, &regions)?;
    let caller = project.caller(args.host_binary.as_deref())?;
    let mut all = goals.end.clone();
    for (blueprint, gone) in all.iter_mut().zip(&goals.gone) {
        blueprint.resources.extend(gone.resources.clone());
    }
    block_on(async {
        let mut looked = fleet::look(project, &regions, &all, &caller).await;
        if let Some((_, error)) = fleet::failures(&mut looked).into_iter().next() {
            // A server that was left behind would lose its database.
            return Err(error.hint("nothing was changed, in no region"));
        }
        let servers = renew::servers(project, &looked).await?;
        let ended = rotate(project, &looked, &servers, &goals).await;
        super::close(looked).await;
        let rotated = ended?;
        project.ui.report("rotated", &rotated, |_| shown(&rotated));
        Ok(Outcome::Done)
    })
}

impl Goals {
    fn new(inventory: &Inventory, regions: &[&Region]) -> Result<Self, Error> {
        let secrets = Secrets::resolve(inventory).map_err(|found| mistakes(&found))?;
        let of = |inventory: &Inventory| -> Result<Vec<Blueprint>, Error> {
            let all = regions.iter().map(|region| {
                let mut blueprint = blueprint::region(inventory, &region.name, &secrets)?;
                concerned::keep(User::App, inventory, &mut blueprint);
                Ok(blueprint)
            });
            all.collect()
        };
        let interim = interim(inventory)?;
        let between = of(&interim)?;
        let mut gone = between.clone();
        for blueprint in &mut gone {
            let users = blueprint
                .resources
                .iter()
                .filter_map(|resource| match resource {
                    Resource::MongoUser(user) => {
                        Some(Resource::RetiredMongoUser(RetiredMongoUser {
                            connection: user.connection.clone(),
                            database: user.database.clone(),
                            name: user.name.clone(),
                        }))
                    }
                    _ => None,
                });
            blueprint.resources = users.collect();
        }
        Ok(Self {
            interim: concerned::name(User::App, &interim).to_owned(),
            between,
            end: of(inventory)?,
            gone,
        })
    }
}

/// The same inventory with another name of the application's user, at most as long as MongoDB's names here may be.
fn interim(inventory: &Inventory) -> Result<Inventory, Error> {
    const END: &str = "-next";
    let own = concerned::name(User::App, inventory);
    let begin: String = own.chars().take(32 - END.len()).collect();
    let name = format!("{begin}{END}");
    let user = name.parse().ok().filter(|_| name != own);
    let user = user.ok_or_else(|| {
        let what = format!("the user {own} has no name for the time between two passwords");
        Error::new(ErrorKind::Input, what).hint("write another `user` below [database]")
    })?;
    let mut interim = inventory.clone();
    interim.database.user = Some(user);
    Ok(interim)
}

async fn rotate(
    project: &Project,
    looked: &[Looked<'_>],
    servers: &[Server],
    goals: &Goals,
) -> Result<Vec<Rotated>, Error> {
    let user = concerned::name(User::App, &project.inventory);
    let running: Vec<&str> = servers.iter().filter_map(Server::running).collect();
    let two_steps = !running.is_empty()
        && looked
            .iter()
            .filter_map(Looked::plan)
            .any(|plan| differs_in_password(plan, user));
    let question = match (running.as_slice(), two_steps) {
        ([], _) => format!("Give {user} the inventory's password?"),
        (running, true) => format!(
            "Give {user} the inventory's password, starting the servers of {} anew twice, with a drain each time?",
            running.join(" and ")
        ),
        (running, false) => format!(
            "Give {user} the inventory's password and start the servers of {} anew?",
            running.join(" and ")
        ),
    };
    if two_steps {
        project.ui.note(&format!(
            "in between the servers log in as {}, who is made for that and removed in the end",
            goals.interim
        ));
    }
    let stale = servers.iter().any(Server::is_stale);
    if !super::agree(project, looked, stale, &question)? {
        return Ok(Rotated::none(looked));
    }
    let mut rotated = Rotated::none(looked);
    if two_steps {
        step(project, looked, servers, &goals.between, &mut rotated).await?;
    }
    step(project, looked, servers, &goals.end, &mut rotated).await?;
    every(
        looked,
        &mut rotated,
        make(project, looked, &goals.gone).await,
    )?;
    Ok(rotated)
}

/// Brings all hosts to that goal, then their servers, and waits until nobody needs the login before it.
async fn step(
    project: &Project,
    looked: &[Looked<'_>],
    servers: &[Server],
    goal: &[Blueprint],
    rotated: &mut [Rotated],
) -> Result<(), Error> {
    every(looked, rotated, make(project, looked, goal).await)?;
    let renewed = looked.iter().zip(servers).map(|(looked, server)| async {
        let renewed = renew::renew(project, looked, server).await?;
        renew::drained(project, looked).await?;
        Ok(usize::from(renewed))
    });
    let ends: Vec<Result<usize, Error>> = join_all(renewed).await;
    for (rotated, end) in rotated.iter_mut().zip(&ends) {
        rotated.renewed += end.as_ref().map_or(0, |renewed| *renewed);
    }
    let ends = ends.into_iter().map(|end| end.map(|_| 0)).collect();
    every(looked, rotated, ends)
}

/// Counts the changes of each region; the next step needs all of them.
fn every(
    looked: &[Looked<'_>],
    rotated: &mut [Rotated],
    ends: Vec<Result<usize, Error>>,
) -> Result<(), Error> {
    let mut all = Vec::new();
    for ((looked, rotated), end) in looked.iter().zip(rotated).zip(ends) {
        rotated.changes += end.as_ref().map_or(0, |changes| *changes);
        all.push((looked.name(), end.map(|_| Outcome::Done)));
    }
    combine(all).map(drop).map_err(|error| {
        error.hint(
            "every login that is in use goes on working; run the same command again for the rest",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::db::rotate_password::concerned::tests::inventory;
    use crate::secrets::Secret;

    #[test]
    fn the_interim_user_has_a_name_of_its_own_that_fits() {
        let mut inventory = inventory();
        let name = |inventory: &Inventory| {
            let interim = interim(inventory).unwrap();
            concerned::name(User::App, &interim).to_owned()
        };
        assert_eq!(name(&inventory), "aiagent_user-next");
        inventory.database.user = "a".repeat(32).parse().ok();
        assert_eq!(name(&inventory), format!("{}-next", "a".repeat(27)));
    }

    #[test]
    fn between_the_steps_every_environment_names_the_interim_user_and_it_alone_is_made() {
        let inventory = interim(&inventory()).unwrap();
        let secrets = Secrets::made_up(&inventory, |_| Secret::new("s".repeat(64)));
        for region in &inventory.regions {
            let mut blueprint = blueprint::region(&inventory, &region.name, &secrets).unwrap();
            concerned::keep(User::App, &inventory, &mut blueprint);
            let users = blueprint.resources.iter().filter(|resource| {
                matches!(resource, Resource::MongoUser(user) if user.name == "aiagent_user-next")
            });
            assert_eq!(users.count(), usize::from(region.name.as_str() == "cn"));
            let variables = blueprint::variables(&inventory, region, &secrets).unwrap();
            let user = variables
                .iter()
                .find(|variable| variable.name == "MONGODB_USER");
            assert_eq!(user.unwrap().value.expose(), "aiagent_user-next");
        }
    }
}
