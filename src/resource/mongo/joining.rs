//! What a member of a set must be before it joins, and before it gets a vote.

use super::SetMembers;
use super::member::{Member, documents};
use super::reconfiguration::{Step, next};
use crate::agent::system::Fault;
use crate::resource::Context;

impl SetMembers {
    /// A member that joined and turns out to belong to another set leaves again.
    pub(super) fn check_joined(&self, context: &Context<'_>, step: &Step) -> Result<(), Fault> {
        let Step::Add(host) = step else { return Ok(()) };
        let Err(fault) = self.connection.wait_until_heard(context, host) else {
            return Ok(());
        };
        let configuration = self.connection.set_configuration(context)?;
        let rest: Vec<Member> = documents(&configuration)
            .iter()
            .map(Member::read)
            .filter(|member| member.host != *host)
            .collect();
        let back = next(&configuration, &rest, &[]);
        if let Some((step @ Step::Remove(_), after)) = back {
            (context.progress)(&step.told());
            self.send(context, &step, after)?;
        }
        Err(fault)
    }

    pub(super) fn reachable(&self, context: &Context<'_>, host: &str) -> Result<(), Fault> {
        match context.database.reaches(host) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(Fault::pending(
                format!("{host} takes no part in the replica set {} yet", self.name),
                refusal,
            )
            .hint(
                "its name must resolve here to an address that its mongod binds and its firewall opens to this host; \
                 provision its region, then run the same command again",
            )),
        }
    }

    pub(super) fn copied(&self, context: &Context<'_>, host: &str) -> Result<(), Fault> {
        if host != self.own() {
            self.reachable(context, host)?;
        }
        self.connection.wait_until_copied(context, host)
    }
}
