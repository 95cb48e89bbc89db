//! The next configuration on the way from the one that a set has to the one that it should have. Pure.
//!
//! A set takes one change of votes at a time, and a member that joins with a vote before it has the data would count in
//! every majority: so each configuration changes one member, and new members join without a vote.

use mongodb::bson::Document;

use super::member::{Member, documents};
use super::number;

/// What the next configuration changes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// A member that should not be there goes.
    Remove(String),
    /// A member joins, without a vote.
    Add(String),
    /// A member gets the vote or the priority that it should have; it must have the data by then.
    Raise(String),
    /// A member gets another priority or visibility, or loses its vote.
    Adjust(String),
}

impl Step {
    /// The member that it changes.
    pub(super) fn host(&self) -> &str {
        match self {
            Self::Remove(host) | Self::Add(host) | Self::Raise(host) | Self::Adjust(host) => host,
        }
    }

    /// As a line of progress.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Remove(host) => format!("removing {host}"),
            Self::Add(host) => format!("adding {host} without a vote"),
            Self::Raise(host) => format!("giving {host} its vote"),
            Self::Adjust(host) => format!("changing {host}"),
        }
    }
}

/// The next configuration and what it changes; `None` when nothing is left that may be done. Members in `waiting` are not
/// added and get no vote yet.
///
/// Members join first and leave last, and a vote is given before another one is taken away, so that the set is never
/// smaller than on either side.
pub(super) fn next(
    found: &Document,
    wanted: &[Member],
    waiting: &[String],
) -> Option<(Step, Document)> {
    let members = documents(found);
    let waits = |member: &Member| waiting.contains(&member.host);
    let find = |host: &str| {
        members
            .iter()
            .position(|found| Member::read(found).host == host)
    };
    let missing = wanted
        .iter()
        .find(|member| find(&member.host).is_none() && !waits(member));
    if let Some(new) = missing {
        // An id that was a removed member's would be taken for that one.
        let highest = members
            .iter()
            .filter_map(|member| number(member.get("_id")))
            .fold(-1.0, f64::max);
        let mut after = members.clone();
        let joining = Member {
            hidden: new.hidden,
            ..Member::copy(new.host.clone())
        };
        after.push(joining.document(whole(highest) + 1));
        return Some((Step::Add(new.host.clone()), with(found, after)));
    }
    let differing = || {
        wanted.iter().filter_map(|member| {
            let at = find(&member.host)?;
            let before = Member::read(&members[at]);
            (before != *member).then_some((at, before, member))
        })
    };
    let raised = differing().find(|(_, before, after)| before.votes < after.votes && !waits(after));
    let other = || differing().find(|(_, before, after)| before.votes >= after.votes);
    if let Some((at, before, after)) = raised.or_else(other) {
        let mut all = members.clone();
        let id = number(all[at].get("_id")).map_or(0, whole);
        all[at].extend(after.document(id));
        let host = after.host.clone();
        let step = match before.votes < after.votes {
            true => Step::Raise(host),
            false => Step::Adjust(host),
        };
        return Some((step, with(found, all)));
    }
    let surplus = members.iter().position(|found| {
        let host = Member::read(found).host;
        wanted.iter().all(|member| member.host != host)
    })?;
    let mut after = members;
    let gone = Member::read(&after.remove(surplus)).host;
    Some((Step::Remove(gone), with(found, after)))
}

/// The whole of the wanted configuration in one step, members keeping their ids: for a set that has lost its primary.
pub(super) fn whole_of(found: &Document, wanted: &[Member]) -> Document {
    let members = documents(found);
    let id = |host: &str| {
        let known = members
            .iter()
            .find(|found| Member::read(found).host == host);
        known.and_then(|found| number(found.get("_id"))).map(whole)
    };
    let highest = members
        .iter()
        .filter_map(|member| number(member.get("_id")))
        .fold(-1.0, f64::max);
    let mut free = whole(highest);
    let all = wanted.iter().map(|member| {
        let id = id(&member.host).unwrap_or_else(|| {
            free += 1;
            free
        });
        member.document(id)
    });
    with(found, all.collect())
}

fn with(found: &Document, members: Vec<Document>) -> Document {
    let mut next = found.clone();
    next.insert(
        "version",
        whole(number(found.get("version")).unwrap_or(0.0)) + 1,
    );
    next.insert("members", members);
    // The server sets it itself.
    next.remove("term");
    next
}

#[expect(clippy::cast_possible_truncation, reason = "a small whole number")]
fn whole(number: f64) -> i32 {
    number as i32
}

#[cfg(test)]
mod tests {
    use mongodb::bson::doc;

    use super::*;

    fn found(members: &[Member]) -> Document {
        let members: Vec<Document> = members
            .iter()
            .zip([4, 7, 8])
            .map(|(member, id)| member.document(id))
            .collect();
        doc! { "_id": "rs0", "version": 3, "term": 2_i64, "members": members }
    }

    fn steps(from: &[Member], to: &[Member], waiting: &[&str]) -> Vec<Step> {
        let waiting: Vec<String> = waiting.iter().map(|host| (*host).to_owned()).collect();
        let mut at = found(from);
        let mut steps = Vec::new();
        while let Some((step, after)) = next(&at, to, &waiting) {
            assert_eq!(
                after.get_i32("version").unwrap(),
                at.get_i32("version").unwrap() + 1
            );
            let votes = |document: &Document| -> i32 {
                let members = documents(document);
                members
                    .iter()
                    .map(|m| i32::from(Member::read(m).votes))
                    .sum()
            };
            assert!((votes(&after) - votes(&at)).abs() <= 1, "{step:?}");
            assert!(votes(&after) >= 1);
            steps.push(step);
            at = after;
            assert!(steps.len() < 20, "{steps:?}");
        }
        steps
    }

    fn text(host: &str) -> String {
        host.to_owned()
    }

    #[test]
    fn members_join_without_a_vote_and_get_it_one_at_a_time() {
        let alone = [Member::voter("cn", 10.0)];
        let three = [
            Member::voter("cn", 10.0),
            Member::voter("us", 9.0),
            Member::voter("sg", 8.0),
        ];
        assert_eq!(
            steps(&alone, &three, &[]),
            [
                Step::Add(text("us")),
                Step::Add(text("sg")),
                Step::Raise(text("us")),
                Step::Raise(text("sg")),
            ]
        );
        assert_eq!(
            steps(&alone, &three, &["us"]),
            [Step::Add(text("sg")), Step::Raise(text("sg"))]
        );
        assert_eq!(steps(&three, &three, &[]), []);
    }

    #[test]
    fn a_vote_is_given_before_another_is_taken_and_ids_are_kept() {
        let before = [Member::voter("cn", 10.0), Member::copy("us")];
        let after = [Member::voter("us", 10.0), Member::copy("cn")];
        assert_eq!(
            steps(&before, &after, &[]),
            [Step::Raise(text("us")), Step::Adjust(text("cn"))]
        );
        let (_, configuration) = next(&found(&before), &after, &[]).unwrap();
        let ids: Vec<i32> = documents(&configuration)
            .iter()
            .map(|member| member.get_i32("_id").unwrap())
            .collect();
        assert_eq!(ids, [4, 7]);
        let forced = whole_of(&found(&before), &after);
        let us = &documents(&forced)[0];
        assert_eq!(us.get_str("host").unwrap(), "us");
        assert_eq!(us.get_i32("_id").unwrap(), 7);
    }

    #[test]
    fn a_member_that_is_not_wanted_goes_last_and_its_id_is_not_given_again() {
        let before = [Member::voter("cn", 10.0), Member::copy("us")];
        let after = [Member::voter("cn", 10.0), Member::copy("sg")];
        assert_eq!(
            steps(&before, &after, &[]),
            [Step::Add(text("sg")), Step::Remove(text("us"))]
        );
        let (_, configuration) = next(&found(&before), &after, &[]).unwrap();
        let new = documents(&configuration).pop().unwrap();
        assert_eq!(new.get_i32("_id").unwrap(), 8);
    }
}
