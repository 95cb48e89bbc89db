//! A member of a replica set, in its configuration and in words.

use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use super::number;
use crate::plan::Attributes;

/// A member of a replica set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Name and port that every other member and every client reaches it by: `cn.db.example.com:27017`.
    pub host: String,
    /// The higher, the rather it becomes primary; 0 never.
    pub priority: f64,
    /// 1 or 0.
    pub votes: u8,
    /// Whether clients do not see it.
    pub hidden: bool,
}

impl Member {
    /// A member that copies and neither votes nor ever becomes primary.
    pub fn copy(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            priority: 0.0,
            votes: 0,
            hidden: false,
        }
    }

    /// A member that votes.
    pub fn voter(host: impl Into<String>, priority: f64) -> Self {
        Self {
            priority,
            votes: 1,
            ..Self::copy(host)
        }
    }

    pub(super) fn line(&self) -> String {
        let hidden = if self.hidden { ", hidden" } else { "" };
        format!(
            "{}: priority {}, votes {}{hidden}",
            self.host, self.priority, self.votes
        )
    }

    /// A member out of the server's configuration, its defaults filled in.
    pub(super) fn read(document: &Document) -> Self {
        Self {
            host: document.get_str("host").unwrap_or_default().to_owned(),
            priority: number(document.get("priority")).unwrap_or(1.0),
            votes: u8::from(number(document.get("votes")).unwrap_or(1.0) > 0.0),
            hidden: document.get_bool("hidden").unwrap_or(false),
        }
    }

    pub(super) fn document(&self, id: i32) -> Document {
        doc! {
            "_id": id,
            "host": &self.host,
            "priority": self.priority,
            "votes": i32::from(self.votes),
            "hidden": self.hidden,
        }
    }
}

pub(super) fn describe(name: &str, members: &[Member]) -> Attributes {
    let mut lines: Vec<String> = members.iter().map(Member::line).collect();
    lines.sort();
    Attributes::new().text("name", name).list("members", lines)
}

/// The members of a configuration as documents.
pub(super) fn documents(configuration: &Document) -> Vec<Document> {
    let members = configuration.get_array("members");
    members
        .into_iter()
        .flatten()
        .filter_map(Bson::as_document)
        .cloned()
        .collect()
}

/// Whether the set chooses another primary by itself when it loses the one it has, and why.
pub(super) fn failover(members: &[Member]) -> String {
    let voters = members.iter().filter(|member| member.votes > 0).count();
    let electable = members
        .iter()
        .filter(|member| member.priority > 0.0)
        .count();
    let all = members.len();
    match (voters, electable) {
        (0 | 1, _) if all < 2 => {
            "no: there is one member; two more in other sites would give it".to_owned()
        }
        (0 | 1, _) => format!(
            "no: {voters} of {all} members votes, so without the primary nobody takes writes until `geodeploy db promote`; \
             voting members in three sites would give it"
        ),
        (2, _) => "no: 2 members vote and a majority of 2 is 2, so the loss of either stops writes; a third site \
                   would give it"
            .to_owned(),
        (_, 0 | 1) => format!("no: {voters} members vote, but one alone may become primary"),
        (voters, _) => format!(
            "yes: {voters} of {all} members vote; they choose another primary about 10 s after they lost the one they have"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_members_cannot_fail_over_by_themselves_and_three_voters_can() {
        let default = [Member::voter("cn:27017", 10.0), Member::copy("us:27017")];
        assert!(failover(&default).starts_with("no: 1 of 2 members votes"));
        assert!(failover(&default[..1]).starts_with("no: there is one member"));
        let two = [Member::voter("cn:1", 10.0), Member::voter("us:1", 9.0)];
        assert!(failover(&two).contains("a majority of 2 is 2"));
        let mut three = two.to_vec();
        three.push(Member::voter("sg:1", 8.0));
        assert!(failover(&three).starts_with("yes: 3 of 3 members vote"));
    }
}
