//! What arrives at Route 53.

use std::sync::atomic::Ordering;

use geodeploy::dns::LIFETIME;
use geodeploy::dns::Target;

use crate::backend::{Moto, simple};
use crate::moto;
use crate::suite::{Backend, Operator};
use crate::xml::Batch;

/// The names that each batch changes, without the lock's and the marks'.
fn batches(moto: &Moto) -> Vec<Vec<String>> {
    let calls = moto.service.calls.lock().unwrap().clone();
    let batches = calls
        .iter()
        .filter(|call| call.writes() && call.target.ends_with("/rrset"));
    batches
        .map(|call| {
            let changes = Batch::read(&call.body).into_iter();
            let mut names: Vec<String> = changes
                .map(|change| {
                    change
                        .set
                        .key()
                        .0
                        .trim_start_matches("_geodeploy.")
                        .to_owned()
                })
                .filter(|name| !name.starts_with("_geodeploy-lock"))
                .collect();
            names.dedup();
            names
        })
        .filter(|names| !names.is_empty())
        .collect()
}

#[tokio::test]
async fn each_name_is_one_batch_and_targets_come_before_what_stands_for_them() {
    if moto::is_missing("each_name_is_one_batch_and_targets_come_before_what_stands_for_them") {
        return;
    }
    let moto = Moto::start().await;
    Operator::new(moto.provider()).sync().await.unwrap();
    let batches = batches(&moto);
    let names: Vec<&str> = batches.iter().map(|names| names[0].as_str()).collect();
    assert!(
        batches
            .iter()
            .all(|names| names.iter().all(|name| *name == names[0])),
        "{batches:?}"
    );
    let at = |name: &str| names.iter().position(|other| *other == name).unwrap();
    assert_eq!(
        names
            .iter()
            .filter(|name| **name == "api.yourapp.com")
            .count(),
        1
    );
    assert!(
        at("_gd-us.api.yourapp.com") < at("api.yourapp.com"),
        "{names:?}"
    );
    assert!(
        at("_gd-cn.api.yourapp.com") < at("api.yourapp.com"),
        "{names:?}"
    );
}

#[tokio::test]
async fn a_foreign_simple_geo_name_is_replaced_in_one_batch_when_it_is_adopted() {
    if moto::is_missing("a_foreign_simple_geo_name_is_replaced_in_one_batch_when_it_is_adopted") {
        return;
    }
    let moto = Moto::start().await;
    moto.put(&[("api.yourapp.com", "A", simple(300, "192.0.2.5"))])
        .await;
    let error = Operator::new(moto.provider()).sync().await.unwrap_err();
    assert!(
        format!("{error:?}").contains("--adopt api.yourapp.com"),
        "{error:?}"
    );
    let operator = Operator::new(moto.provider()).adopting("api.yourapp.com");
    operator.sync().await.unwrap();
    let api = batches(&moto);
    let api: Vec<_> = api
        .iter()
        .filter(|names| names[0] == "api.yourapp.com")
        .collect();
    // One deletion, and NA, AS and everywhere else for A and for AAAA.
    assert_eq!(api.len(), 1);
    let sets = moto.service.zone(&moto.zone).await;
    let sets: Vec<_> = sets
        .iter()
        .filter(|set| set.key().0 == "api.yourapp.com")
        .collect();
    assert_eq!(sets.len(), 6, "{sets:?}");
    assert!(sets.iter().all(|set| {
        set.alias_target
            .as_ref()
            .is_some_and(|alias| alias.evaluate_target_health)
    }));
}

#[tokio::test]
async fn a_foreign_cname_is_replaced_in_one_batch_when_it_is_adopted() {
    if moto::is_missing("a_foreign_cname_is_replaced_in_one_batch_when_it_is_adopted") {
        return;
    }
    let moto = Moto::start().await;
    moto.put(&[("us.yourapp.com", "CNAME", simple(300, "old.example.com"))])
        .await;
    let operator = Operator::new(moto.provider()).adopting("us.yourapp.com");
    operator.sync().await.unwrap();
    assert_eq!(Operator::new(moto.provider()).sync().await, Ok(0));
}

#[tokio::test]
async fn pages_are_read_to_the_end_and_a_change_is_waited_for() {
    if moto::is_missing("pages_are_read_to_the_end_and_a_change_is_waited_for") {
        return;
    }
    let moto = Moto::start().await;
    moto.service.page.store(7, Ordering::SeqCst);
    moto.seed_foreign(50).await;
    moto.service.pending.store(2, Ordering::SeqCst);
    let foreign = moto.foreign().await;
    Operator::new(moto.provider()).sync().await.unwrap();
    assert_eq!(moto.foreign().await, foreign);
    assert_eq!(Operator::new(moto.provider()).sync().await, Ok(0));
    let calls = moto.service.calls.lock().unwrap();
    let asked = calls
        .iter()
        .filter(|call| call.target.contains("/change/"))
        .count();
    assert!(asked > 2, "{asked}");
}

#[tokio::test]
async fn a_second_project_in_the_zone_is_not_touched() {
    if moto::is_missing("a_second_project_in_the_zone_is_not_touched") {
        return;
    }
    let moto = Moto::start().await;
    let mut other = Operator::new(moto.provider());
    other.wanted.owner = "geodeploy:other".to_owned();
    other.sync().await.unwrap();
    let before = moto.dump().await;
    let error = Operator::new(moto.provider())
        .adopting("us.yourapp.com")
        .sync()
        .await
        .unwrap_err();
    assert!(
        format!("{error:?}").contains("geodeploy:other"),
        "{error:?}"
    );
    assert_eq!(moto.dump().await, before);
}

#[tokio::test]
async fn nothing_secret_is_in_a_body_a_plan_or_a_snapshot() {
    if moto::is_missing("nothing_secret_is_in_a_body_a_plan_or_a_snapshot") {
        return;
    }
    let moto = Moto::start().await;
    let operator = Operator::new(moto.provider());
    let looked = operator.look().await;
    operator
        .carry_out(Target::Inventory, &looked, LIFETIME)
        .await
        .unwrap();
    let mut texts = vec![
        looked.reconciled.plan.render(Default::default()),
        format!("{:?} {:?}", looked.listing.context, moto.provider()),
        operator.snapshots.lock().unwrap()[0].to_json().unwrap(),
    ];
    let calls = moto.service.calls.lock().unwrap();
    texts.extend(
        calls
            .iter()
            .map(|call| format!("{} {}", call.target, call.body)),
    );
    for secret in moto.secrets() {
        for text in &texts {
            assert!(!text.contains(&secret), "{text}");
        }
    }
}
