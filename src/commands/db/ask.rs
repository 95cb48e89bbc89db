//! What every action on the database's host begins with, and how its answer is read.

use std::path::Path;

use serde_json::Value;
use tokio::io::AsyncRead;

use crate::agent::message::{BackupOrder, Event, Operation};
use crate::blueprint::{self, Contents};
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Member, Project, mistakes};
use crate::host::Reply;
use crate::inventory::Region;
use crate::secrets::Secrets;

/// The region whose host holds the database; the one that was named must be it.
pub(super) fn holder<'p>(project: &'p Project, named: Option<&str>) -> Result<&'p Region, Error> {
    let database = &project.inventory.database;
    let holder = database
        .region
        .as_ref()
        .filter(|_| database.mode.on_hosts());
    let Some(holder) = holder else {
        return Err(Error::new(
            ErrorKind::Usage,
            "the inventory has no MongoDB to look after",
        )
        .hint(
            "write mode = \"single\", or mode = \"replica-set\" with `members`, below [database]",
        ));
    };
    let named = match named {
        Some(name) => project.region(name)?,
        None => project.region(holder.as_str())?,
    };
    match named.name == *holder {
        true => Ok(named),
        false => Err(
            Error::new(ErrorKind::Usage, format!("{} has no database", named.name)).hint(format!(
                "the database is in {holder}: leave the region out, or name that one"
            )),
        ),
    }
}

/// A connection to its host.
pub(super) async fn connect(
    project: &Project,
    region: &Region,
    host_binary: Option<&Path>,
) -> Result<Member, Error> {
    let caller = project.caller(host_binary)?;
    fleet::connect(project, &[region], &caller).await.remove(0)
}

/// What is inside the database, with its passwords.
pub(super) fn contents(project: &Project, region: &Region) -> Result<Contents, Error> {
    let secrets = Secrets::resolve(&project.inventory).map_err(|found| mistakes(&found))?;
    blueprint::contents(&project.inventory, region, &secrets)?
        .ok_or_else(|| Error::new(ErrorKind::Usage, format!("{} has no database", region.name)))
}

/// The report that answers an order.
pub(super) async fn ask(member: &Member, order: BackupOrder) -> Result<Value, Error> {
    let mut heard = Heard::new(member);
    let operation = Operation::Backup(order);
    let reply = member
        .session
        .request(operation, &[], |event| heard.event(event))
        .await?;
    heard.settle(reply)
}

/// The report that answers an order and what is streamed after it.
pub(super) async fn send(
    member: &Member,
    order: BackupOrder,
    body: impl AsyncRead + Send + Unpin + 'static,
) -> Result<Value, Error> {
    let mut heard = Heard::new(member);
    let operation = Operation::Backup(order);
    let reply = member
        .session
        .stream(operation, body, |event| heard.event(event))
        .await?;
    heard.settle(reply)
}

struct Heard<'m> {
    member: &'m Member,
    report: Option<Value>,
}

impl<'m> Heard<'m> {
    fn new(member: &'m Member) -> Self {
        Self {
            member,
            report: None,
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Report { value } => self.report = Some(value),
            Event::Note { text } => self.member.lane.note(&text),
            _ => {}
        }
    }

    fn settle(self, reply: Reply) -> Result<Value, Error> {
        let lost = "what was begun on the host is cleaned up there; run the same command again";
        fleet::reported(self.member.session.region(), reply, self.report, Some(lost))
    }
}
