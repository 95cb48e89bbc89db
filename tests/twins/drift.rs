//! Foreign edits, one at a time: named exactly, mended exactly, nothing left.

use super::Test;
use super::edits::{Edit, FIREWALL, HOST, SERVING};
use super::fixture::Twins;

pub(crate) const TESTS: &[Test] = &[
    (
        "a foreign edit is the one thing that a plan names and provision mends",
        |twins| {
            // The regions are apart, and so are their edits.
            std::thread::scope(|scope| {
                scope.spawn(|| all(twins, "cn", &[HOST]));
                all(twins, "us", &[SERVING, FIREWALL]);
            });
        },
    ),
    (
        "what serves is not disturbed by the mending of something else",
        what_serves_is_not_disturbed_by_the_mending_of_something_else,
    ),
];

fn all(twins: &Twins, region: &str, tables: &[&[Edit]]) {
    let _near = twins.near(region);
    let mut wrong = Vec::new();
    for edit in tables.iter().flat_map(|table| table.iter()) {
        if let Err(why) = one(twins, region, edit) {
            eprintln!("{region}: {}: {why}", edit.what);
            wrong.push(format!("{}: {why}", edit.what));
            // So that one failure is one failure.
            twins.operator.run(&["provision", region]);
        }
    }
    assert!(wrong.is_empty(), "{region}:\n{}", wrong.join("\n"));
}

fn one(twins: &Twins, region: &str, edit: &Edit) -> Result<(), String> {
    twins.shell(region, edit.done);
    let named = twins.operator.plan(region);
    if named != edit.named {
        return Err(format!("the plan names {named:?}"));
    }
    let changed = twins.operator.provision(region);
    if changed != edit.named.len() as u64 {
        return Err(format!("provision made {changed} changes"));
    }
    let mended = twins
        .twin(region)
        .exec(["sh", "-euc", edit.mended])
        .unwrap();
    if !mended.success() {
        return Err(format!("it is not mended: {mended:?}"));
    }
    match twins.operator.plan(region) {
        left if left.is_empty() => Ok(()),
        left => Err(format!("a second plan names {left:?}")),
    }
}

fn what_serves_is_not_disturbed_by_the_mending_of_something_else(twins: &Twins) {
    let _near = twins.near("us");
    let before = super::units::starts(twins, "us");
    twins.shell(
        "us",
        "chmod 777 /opt/geodeploy/releases; rm /etc/yourapp/env",
    );
    assert_eq!(twins.operator.provision("us"), 2);
    assert_eq!(super::units::starts(twins, "us"), before);
}
