//! The checks of one region.

use std::time::Instant;

use reqwest::Certificate;

use super::https;
use super::table::Check;
use crate::commands::database_link;
use crate::commands::visitor::Visitor;
use crate::error::Error;
use crate::fleet::{Member, Project};
use crate::inventory::{DatabaseMode, Region};

/// Port of nginx.
const HTTP: u16 = 80;

/// Health and a chat through nginx from here, and the link to the database from the host, at the same time.
pub(super) async fn region(
    project: &Project,
    region: &Region,
    member: Result<Member, Error>,
    (token, roots): (Option<&str>, &[Certificate]),
) -> Vec<Check> {
    let roots = project.inventory.tls.as_ref().map(|_| roots);
    let front = front(region, token, roots);
    let (mut checks, link) = tokio::join!(front, link(project, region, member));
    checks.insert(1, link);
    checks
}

/// `roots` where the region is to be served over HTTPS.
async fn front(region: &Region, token: Option<&str>, roots: Option<&[Certificate]>) -> Vec<Check> {
    let name = region.name.as_str();
    let address = (region.addresses.ipv4, HTTP).into();
    let visitor = match Visitor::new(region, address, "through nginx") {
        Ok(visitor) => visitor,
        Err(error) => return vec![Check::failed(name, "health", 0.0, error)],
    };
    let next = |error: Error| {
        error.hint(format!(
            "see `geodeploy status {name}` and `geodeploy logs {name}`; is port {HTTP} of {} open to you?",
            region.addresses.ipv4
        ))
    };
    let health = timed(name, "health", async {
        visitor.health().await.map_err(next)
    })
    .await;
    let https = match roots {
        Some(roots) => Some(timed(name, "https", https::names(region, roots)).await),
        None => None,
    };
    let served = https.as_ref().is_some_and(|check| !check.is_failed());
    let visitor = match roots.filter(|_| served) {
        Some(roots) => {
            let address = (region.addresses.ipv4, https::HTTPS).into();
            Visitor::over(https::client(roots), region, address, "through nginx").unwrap_or(visitor)
        }
        None => visitor,
    };
    let chat = match token {
        _ if health.is_failed() => Check::skipped(name, "chat", "the health check failed"),
        None => Check::skipped(
            name,
            "chat",
            "users log in with a key whose private half is not here; try it with `geodeploy token --key FILE`",
        ),
        Some(token) => {
            timed(name, "chat", async {
                let hint = format!("see `geodeploy logs {name}`");
                visitor
                    .first_event(token)
                    .await
                    .map_err(|error| error.hint(hint))
            })
            .await
        }
    };
    [Some(health), https, Some(chat)]
        .into_iter()
        .flatten()
        .collect()
}

async fn link(project: &Project, region: &Region, member: Result<Member, Error>) -> Check {
    const CHECK: &str = "database link";
    let name = region.name.as_str();
    let member = match member {
        Ok(member) => member,
        Err(error) => return Check::failed(name, CHECK, 0.0, error),
    };
    let check = if project.inventory.database.mode == DatabaseMode::Embedded {
        Check::skipped(name, CHECK, "the database is embedded in the server")
    } else {
        let begun = Instant::now();
        match database_link::ask(project, &member).await {
            // What the host measured, not how long it took to ask it.
            Ok(Some(link)) => {
                let told = format!(
                    "{}, a new connection {:.0} ms",
                    link.describe(),
                    link.connect_ms
                );
                Check::well(name, CHECK, link.ping_ms, told)
            }
            Ok(None) => Check::skipped(name, CHECK, "the host's environment names no database yet"),
            Err(error) => Check::failed(name, CHECK, milliseconds(begun), error),
        }
    };
    member.lane.done("tried");
    member.close().await;
    check
}

async fn timed(
    region: &str,
    check: &'static str,
    work: impl Future<Output = Result<String, Error>>,
) -> Check {
    let begun = Instant::now();
    match work.await {
        Ok(told) => Check::well(region, check, milliseconds(begun), told),
        Err(error) => Check::failed(region, check, milliseconds(begun), error),
    }
}

fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}
