//! What DNSPod refuses, and what the operator is told.

use std::time::Duration;

use geodeploy::dns::dnspod::Pace;
use geodeploy::dns::{LockError, Provider};
use geodeploy::error::{Error, ErrorKind};
use geodeploy::text::Palette;

use super::driver::{PACE, carry_out, lock, look, provider, provider_with, routing, sync, wanted};
use super::fake::{Cut, Fake, SECRET_ID, SECRET_KEY};

async fn start() -> Fake {
    Fake::start("DP_FREE", Duration::ZERO).await
}

async fn refused(fake: &Fake) -> Error {
    let asked = wanted(routing(&[]));
    let error = look(&provider(fake), &asked, false).await.err().unwrap();
    assert_eq!(fake.writes(), 0);
    assert!(!error.render(Palette::PLAIN).contains(SECRET_KEY));
    error
}

#[tokio::test]
async fn a_wrong_key_is_a_refused_login_with_tencents_code_and_request_id() {
    let fake = start().await;
    let asked = wanted(routing(&[]));
    for (id, key, code) in [
        (SECRET_ID, "other", "AuthFailure.SignatureFailure"),
        ("other", SECRET_KEY, "AuthFailure.SecretIdNotFound"),
    ] {
        let dnspod = provider_with(&fake, PACE, id, key);
        let error = look(&dnspod, &asked, false).await.err().unwrap();
        assert_eq!(error.exit_code(), 77);
        assert!(error.causes[0].starts_with(code), "{error:?}");
        assert!(
            error.causes[0].contains("(request 00000000-0000-4000-8000-"),
            "{error:?}"
        );
        assert!(error.hints[0].contains("dns.secret_"), "{error:?}");
    }
}

#[tokio::test]
async fn a_wrong_clock_is_named_with_how_wrong_it_is() {
    let fake = start().await;
    fake.world().clock = 900;
    let error = refused(&fake).await;
    assert!(error.causes[0].starts_with("AuthFailure.SignatureExpire"));
    assert!(
        error.hints[0].contains("this machine's clock is wrong"),
        "{error:?}"
    );
    assert!(error.hints[0].contains("s ahead of DNSPod's)"), "{error:?}");
}

#[tokio::test]
async fn every_permission_to_read_that_is_missing_is_named() {
    let fake = start().await;
    fake.world().denied = ["DescribePackageDetail", "DescribeRecordList"]
        .map(str::to_owned)
        .into();
    let error = refused(&fake).await;
    assert_eq!(
        error.what,
        "dnspod: the key lacks the permission dnspod:DescribePackageDetail, dnspod:DescribeRecordList"
    );
    assert!(error.hints[0].contains("CAM"));
}

#[tokio::test]
async fn every_permission_to_write_that_is_missing_is_named_before_anything_is_written() {
    let fake = start().await;
    fake.world().denied = ["ModifyRecord", "DeleteRecord"].map(str::to_owned).into();
    let error = sync(&provider(&fake), &wanted(routing(&[])), false)
        .await
        .unwrap_err();
    assert_eq!(
        error.what,
        "dnspod: the key lacks the permission dnspod:ModifyRecord, dnspod:DeleteRecord"
    );
    assert_eq!(fake.writes(), 0);
    assert_eq!(fake.world().zone.records, []);
}

#[tokio::test]
async fn a_zone_that_is_not_there_is_answered_with_those_that_are() {
    let fake = start().await;
    let mut asked = wanted(routing(&[]));
    asked.zone = "youapp.com".parse().unwrap();
    let error = look(&provider(&fake), &asked, false).await.err().unwrap();
    assert_eq!(error.what, "dnspod: this account has no zone youapp.com");
    assert!(error.causes[0].starts_with("InvalidParameterValue.DomainNotExists"));
    assert!(
        error.hints[0].ends_with("the account has yourapp.com"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_interface_that_does_not_answer_is_unreachable() {
    let mut fake = start().await;
    fake.address = "127.0.0.1:9".to_owned();
    let error = refused(&fake).await;
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.hints[0].contains("dns.endpoint"), "{error:?}");
}

#[tokio::test]
async fn a_limit_on_calls_is_waited_out_within_a_deadline() {
    let fake = start().await;
    let asked = wanted(routing(&[]));
    let patient = Pace {
        throttled: Duration::from_secs(3),
        ..PACE
    };
    fake.world().throttled = 6;
    let dnspod = provider_with(&fake, patient, SECRET_ID, SECRET_KEY);
    assert_eq!(look(&dnspod, &asked, false).await.unwrap().changes.len(), 8);

    fake.world().throttled = usize::MAX;
    let begun = std::time::Instant::now();
    let error = look(&dnspod, &asked, false).await.err().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.what.contains("asks to slow down"), "{error:?}");
}

#[tokio::test]
async fn a_creation_without_an_answer_is_not_sent_again() {
    let fake = start().await;
    let dnspod = provider_with(&fake, Pace::default(), SECRET_ID, SECRET_KEY);
    let shown = look(&dnspod, &wanted(routing(&[])), false).await.unwrap();
    let next = fake.world().calls.len() + 1;
    fake.world().dies_at = Some((next, Cut::Answer));
    let error = carry_out(&dnspod, &shown.changes, &shown.listing)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed);
    assert!(error.hints[0].contains("geodeploy dns plan"), "{error:?}");
    assert_eq!(fake.world().calls.len(), next);
    assert_eq!(fake.writes(), 1);
}

#[tokio::test]
async fn a_refusal_of_a_write_reaches_the_user_with_its_code_and_request_id() {
    let fake = start().await;
    let dnspod = provider(&fake);
    let shown = look(&dnspod, &wanted(routing(&[])), false).await.unwrap();
    let mut changes = shown.changes.clone();
    let after = changes[0].after.clone().unwrap().text("line", "3=11");
    changes[0].after = Some(after);
    let error = carry_out(&dnspod, &changes[..1], &shown.listing)
        .await
        .unwrap_err();
    assert_eq!(error.what, "dnspod refuses CreateRecord");
    assert!(error.causes[0].starts_with("InvalidParameter.RecordLineInvalid: 记录线路不正确"));
    assert!(error.causes[0].contains("(request 00000000-0000-4000-8000-0000000000"));
}

#[tokio::test]
async fn the_key_is_in_nothing_that_is_sent_or_printed() {
    let fake = start().await;
    let dnspod = provider(&fake);
    sync(&dnspod, &wanted(routing(&[])), false).await.unwrap();
    let look = look(&dnspod, &wanted(routing(&[])), false).await.unwrap();
    assert!(!format!("{dnspod:?}").contains(SECRET_KEY));
    assert!(!format!("{:?} {:?}", look.listing, look.desired).contains(SECRET_KEY));
    assert!(!format!("{:?}", fake.world().calls).contains(SECRET_KEY));
    assert!(!format!("{:?}", fake.world().zone.records).contains("AKID"));
    let denied = provider_with(&fake, PACE, SECRET_ID, "wrong");
    let Err(LockError::Failed(error)) = denied
        .place_lock(&lock("ada", 60), &look.listing.context)
        .await
    else {
        panic!("a wrong key places no lock");
    };
    assert_eq!(error.exit_code(), 77);
}
