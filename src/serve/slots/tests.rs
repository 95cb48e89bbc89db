use super::{Limits, Refused, Slot, Slots};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

fn open(folder: &Path, streams: u32, streams_per_user: u32) -> Arc<Slots> {
    Slots::open(
        folder,
        Limits {
            streams,
            streams_per_user,
        },
    )
    .unwrap()
}

fn fill(slots: &Arc<Slots>, prefix: &str, count: usize) -> Vec<Slot> {
    (0..count)
        .filter_map(|n| slots.acquire(&format!("{prefix}{n}")).ok())
        .collect()
}

#[test]
fn the_user_limit_is_looked_at_before_the_global_one() {
    let folder = tempfile::tempdir().unwrap();
    let slots = open(folder.path(), 1, 1);
    let slot = slots.acquire("ann").unwrap();
    assert!(matches!(slots.acquire("ann"), Err(Refused::User)));
    assert!(matches!(slots.acquire("bob"), Err(Refused::Global)));
    drop(slot);
    assert!(slots.acquire("bob").is_ok());
}

#[test]
fn a_refusal_by_the_global_limit_leaves_the_users_slot_free() {
    let folder = tempfile::tempdir().unwrap();
    let slots = open(folder.path(), 1, 1);
    let slot = slots.acquire("ann").unwrap();
    for _ in 0..3 {
        assert!(matches!(slots.acquire("bob"), Err(Refused::Global)));
    }
    drop(slot);
    assert!(slots.acquire("bob").is_ok());
    assert_eq!(slots.active().unwrap(), 0);
}

#[test]
fn zero_admits_none() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        open(folder.path(), 0, 1).acquire("ann"),
        Err(Refused::Global)
    ));
    assert!(matches!(
        open(folder.path(), 1, 0).acquire("ann"),
        Err(Refused::User)
    ));
}

#[test]
fn two_generations_share_both_limits_and_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (open(folder.path(), 10, 1), open(folder.path(), 10, 1));
    let first = fill(&old, "old", 6);
    assert!(matches!(new.acquire("old3"), Err(Refused::User)));
    let second = fill(&new, "new", 9);
    assert_eq!((first.len(), second.len()), (6, 4));
    assert_eq!((old.active().unwrap(), new.active().unwrap()), (10, 10));
    assert_eq!((old.own(), new.own()), (6, 4));
    assert!(matches!(old.acquire("late"), Err(Refused::Global)));
    drop(first);
    assert_eq!(new.active().unwrap(), 4);
    assert!(new.acquire("old3").is_ok());
    drop(second);
    assert_eq!(old.active().unwrap(), 0);
}

#[test]
fn a_generation_with_a_smaller_limit_admits_none_while_the_older_holds_more() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (open(folder.path(), 10, 1), open(folder.path(), 4, 1));
    let mut held = fill(&old, "old", 8);
    // The older generation keeps four, of which only the last two lie beyond the newer one's limit.
    held.drain(..2);
    held.drain(..2);
    assert_eq!(old.active().unwrap(), 4);
    assert!(matches!(new.acquire("ann"), Err(Refused::Global)));
    held.pop();
    assert!(new.acquire("ann").is_ok());
}

#[test]
fn threads_of_two_generations_never_exceed_the_maximum() {
    let folder = tempfile::tempdir().unwrap();
    let generations = [open(folder.path(), 20, 1), open(folder.path(), 20, 1)];
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for (index, slots) in generations.iter().cycle().take(6).enumerate() {
            let (now, most) = (&now, &most);
            scope.spawn(move || {
                for round in 0..200 {
                    let held = fill(slots, &format!("{index}-{round}-"), 8);
                    most.fetch_max(now.fetch_add(held.len(), SeqCst) + held.len(), SeqCst);
                    assert!(slots.active().unwrap() <= 20);
                    now.fetch_sub(held.len(), SeqCst);
                    drop(held);
                }
            });
        }
    });
    assert!((8..=20).contains(&most.load(SeqCst)), "{most:?}");
    assert_eq!(generations[0].active().unwrap(), 0);
}

#[test]
fn ten_thousand_users_leave_two_files() {
    let folder = tempfile::tempdir().unwrap();
    let slots = open(folder.path(), 200, 1);
    for n in 0..10_000 {
        assert!(slots.acquire(&format!("user{n}")).is_ok());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    assert!(slots.held().users.is_empty());
}
