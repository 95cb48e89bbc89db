//! Whose an object is, by what stands in its comment or description.

use crate::dns::Mark;

/// How every mark of geodeploy's begins.
const TOOL: &str = "geodeploy:";

/// Whose a record or load balancer is: its comment or description begins with the mark.
pub(super) fn of(text: &str, owner: &str) -> Mark {
    match text.split_whitespace().next() {
        Some(first) if first == owner => Mark::Ours,
        Some(first) if first.starts_with(TOOL) => Mark::OtherProject(first.to_owned()),
        _ => Mark::Foreign,
    }
}

/// The mark of what belongs to the account, where other zones' objects lie too: `geodeploy:APP ZONE DOMAIN`. Two
/// inventories may share an application's name, but not a zone.
pub(super) fn of_account(owner: &str, zone: &str, domain: &str) -> String {
    format!("{owner} {zone} {domain}")
}

/// The domain in a mark of ours in this zone.
pub(super) fn domain<'t>(text: &'t str, owner: &str, zone: &str) -> Option<&'t str> {
    let mut words = text.split(' ');
    let (first, second, third) = (words.next()?, words.next()?, words.next()?);
    (first == owner && second == zone).then_some(third)
}

/// Whose an account's object is.
pub(super) fn in_account(text: &str, owner: &str, zone: &str) -> Mark {
    if domain(text, owner, zone).is_some() {
        return Mark::Ours;
    }
    match of(text, owner) {
        Mark::Ours => Mark::OtherProject(text.to_owned()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_application_in_another_zone_is_another_project() {
        let owner = "geodeploy:yourapp";
        let mark = of_account(owner, "yourapp.com", "us.yourapp.com");
        assert_eq!(in_account(&mark, owner, "yourapp.com"), Mark::Ours);
        assert!(matches!(
            in_account(&mark, owner, "staging.com"),
            Mark::OtherProject(_)
        ));
        assert_eq!(in_account("by hand", owner, "yourapp.com"), Mark::Foreign);
    }

    #[test]
    fn a_mark_may_be_followed_by_words_but_not_by_letters() {
        assert_eq!(of("geodeploy:a do not touch", "geodeploy:a"), Mark::Ours);
        assert_eq!(
            of("geodeploy:ab", "geodeploy:a"),
            Mark::OtherProject("geodeploy:ab".to_owned())
        );
        assert_eq!(of("", "geodeploy:a"), Mark::Foreign);
    }
}
