use super::*;

fn lock(holder: &str) -> Lock {
    Lock {
        holder: holder.to_owned(),
        expires: "2026-11-24T02:00:00Z".parse().unwrap(),
    }
}

#[test]
fn a_holder_with_spaces_is_read_back() {
    let lock = lock("ada@laptop 12ab");
    assert_eq!(parse(&comment(&lock)), Some(lock));
    assert_eq!(parse("somebody's own words"), None);
}

#[test]
fn of_a_holder_that_is_too_long_the_runs_token_is_kept() {
    let lock = lock(&format!("ada@{} 12ab", "laptop.".repeat(30)));
    let comment = comment(&lock);
    assert_eq!(comment.chars().count(), LONGEST_COMMENT);
    assert!(comment.ends_with(" 12ab 2026-11-24T02:00:00Z"), "{comment}");
}
