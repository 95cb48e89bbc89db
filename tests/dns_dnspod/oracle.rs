//! Tencent's own SDK as a judge of signatures, of the fields that are sent, and of the fake itself.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use geodeploy::dns::dnspod::Credentials;
use geodeploy::dns::dnspod::signature::Signed;
use geodeploy::secrets::Secret;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::driver::{provider, routing, sync, wanted};
use super::fake::{Fake, SECRET_ID, SECRET_KEY};

const SDK: &str = "tencentcloud-sdk-python-dnspod==3.1.130";

/// Where the SDK is, fetched once; nothing where it cannot be had.
fn sdk() -> Option<&'static PathBuf> {
    static SDK_FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = SDK_FOLDER.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tencent-dnspod-sdk");
        if folder.join("tencentcloud/dnspod").exists() {
            return Some(folder);
        }
        let install = Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--target"])
            .arg(&folder)
            .arg(SDK)
            .output();
        let is_there = install.as_ref().is_ok_and(|output| output.status.success());
        if !is_there {
            println!("SKIPPED: {SDK} cannot be had: {install:?}");
        }
        is_there.then_some(folder)
    });
    folder.as_ref()
}

/// What the SDK says to `given`.
fn ask(what: &str, given: &Value) -> Option<Value> {
    let folder = sdk()?;
    let mut child = Command::new("python3")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/dns_dnspod/oracle.py"
        ))
        .arg(what)
        .env("PYTHONPATH", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(given.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// 20 requests: both clouds and a port of one's own, Chinese text, both sides of midnight in UTC.
fn vectors() -> Vec<Value> {
    const HOSTS: [&str; 3] = [
        "dnspod.tencentcloudapi.com",
        "dnspod.intl.tencentcloudapi.com",
        "127.0.0.1:8443",
    ];
    const BODIES: [&str; 5] = [
        "{}",
        r#"{"Domain":"yourapp.com"}"#,
        r#"{"Domain":"yourapp.com","RecordLine":"默认","Remark":"手工添加 🌏"}"#,
        r#"{"Domain":"我们.cn","SubDomain":"@","Value":"\"quoted\" \u4e2d"}"#,
        "{\"Domain\": \"yourapp.com\",\n \"Offset\": 3000}",
    ];
    // The last second of a day in UTC, the first of the next, a leap day's, and days that are others in Shanghai.
    const TIMES: [i64; 4] = [1_795_564_799, 1_795_564_800, 1_709_251_199, 1_772_380_801];
    let vector = |index: usize| {
        json!({
            "host": HOSTS[index % HOSTS.len()],
            "body": BODIES[index % BODIES.len()],
            "time": TIMES[index % TIMES.len()],
            "id": format!("AKIDexample{index}"),
            "key": format!("key of {index}: 密钥/+="),
        })
    };
    (0..20).map(vector).collect()
}

#[test]
fn signatures_are_those_of_tencents_sdk_for_twenty_requests() {
    let vectors = vectors();
    let Some(theirs) = ask("sign", &json!(vectors)) else {
        return;
    };
    let mut dates = std::collections::BTreeSet::new();
    for (index, vector) in vectors.iter().enumerate() {
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        let credentials = Credentials {
            id: Secret::new(text("id")),
            key: Secret::new(text("key")),
        };
        let signed = Signed {
            host: &text("host"),
            path: "/",
            body: &text("body"),
            time: Timestamp::from_second(vector["time"].as_i64().unwrap()).unwrap(),
        };
        let ours = signed.authorization(&credentials);
        assert_eq!(ours, theirs[index], "{vector}");
        dates.insert(ours.split('/').nth(1).unwrap().to_owned());
    }
    assert_eq!(dates.len(), 4, "{dates:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_body_that_is_sent_is_one_of_the_sdks_models_and_nothing_else() {
    let fake = Fake::start("DP_ULTRA", Duration::ZERO).await;
    fake.world()
        .zone
        .seed("us", "A", "0", "192.0.2.99", "手工添加");
    fake.world().zone.seed("us", "A", "0", "192.0.2.98", "");
    let mut asked = wanted(routing(&[("JP", "us")]));
    sync(&provider(&fake), &asked, true).await.unwrap();
    asked.zone = "youapp.com".parse().unwrap();
    sync(&provider(&fake), &asked, true).await.unwrap_err();
    let calls: Vec<Value> = {
        let world = fake.world();
        let calls = world.calls.iter();
        calls.map(|call| json!([call.action, call.body])).collect()
    };
    let actions: std::collections::BTreeSet<String> = calls
        .iter()
        .map(|call| call[0].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(actions.len(), 8, "{actions:?}");
    let Some(count) = ask("models", &json!(calls)) else {
        return;
    };
    assert_eq!(count, calls.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_itself_reads_what_the_fake_answers() {
    let fake = Fake::start("DP_FREE", Duration::ZERO).await;
    let given = json!([fake.address, SECRET_ID, SECRET_KEY]);
    let answer = tokio::task::spawn_blocking(move || ask("client", &given));
    let Some(seen) = answer.await.unwrap() else {
        return;
    };
    assert_eq!(
        seen,
        json!({
            "grade": "DP_FREE", "least": 600, "value": "192.0.2.2", "line": "默认",
            "remark": "来自 SDK", "total": 1, "default": true, "below": 7, "zones": ["yourapp.com"],
            "refusal": ["InvalidParameter.RecordIdInvalid", true],
        })
    );
    assert_eq!(fake.world().zone.records, []);
}
