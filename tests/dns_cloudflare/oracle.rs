//! Every request of a whole life, held against the types of Cloudflare's official Python SDK.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use geodeploy::dns::Wanted;
use serde_json::{Value, json};

use crate::fake::{Call, Server};
use crate::suite::{Backend, Operator, wanted};

/// From PyPI.
const SDK: &str = "cloudflare==5.9.*";

#[expect(clippy::disallowed_methods, reason = "the tests' door to Python")]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// A Python with the SDK, made once, or why there is none.
fn python() -> Result<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/cloudflare-sdk");
    let python = folder.join("bin/python").display().to_string();
    let run = |program: &str, arguments: &[&str]| {
        let output = command(program).args(arguments).output();
        let output = output.map_err(|error| format!("{program} cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("{program} {arguments:?}: {said}"))
    };
    let has = [
        "-c",
        "import cloudflare, pydantic; assert cloudflare.__version__.startswith('5.9.')",
    ];
    if run(&python, &has).is_err() {
        run("python3", &["-m", "venv", &folder.display().to_string()])?;
        run(&python, &["-m", "pip", "install", "--quiet", SDK])?;
        run(&python, &has)?;
    }
    Ok(python)
}

/// What the SDK's types say of the requests.
fn judged(python: &str, calls: &[Call]) -> Output {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/dns_cloudflare/oracle.py"
    );
    let mut child = command(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    for call in calls {
        lines +=
            &json!({ "method": call.method, "path": call.path, "body": call.body }).to_string();
        lines.push('\n');
    }
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// First sync, drift of every kind of object, adoption, rollback's way back, other addresses, and the end of geography.
async fn life() -> Vec<Call> {
    let server = Server::start().await;
    server.seed_conflict().await;
    let first = Operator::new(server.provider()).adopting("us.yourapp.com");
    first.sync().await.unwrap();
    {
        let mut store = server.store();
        store.monitors[0]["interval"] = json!(120);
        store.pools[0]["enabled"] = json!(false);
        store.balancers[0]["proxied"] = json!(true);
        store.records[0]["ttl"] = json!(300);
    }
    assert_eq!(Operator::new(server.provider()).sync().await, Ok(4));
    let mut plain = Operator::new(server.provider());
    plain.wanted = Wanted {
        geo: None,
        ..wanted()
    };
    let gone = plain.look().await.reconciled.unconsented;
    plain.consent.delete = gone.into_iter().map(|id| id.name).collect();
    assert_eq!(plain.sync().await, Ok(5));
    server.writes()
}

#[tokio::test]
async fn every_request_is_taken_by_the_official_sdks_types_and_a_wrong_one_is_not() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return eprintln!("SKIPPED: Cloudflare's SDK cannot be had: {why}"),
    };
    let calls = life().await;
    let output = judged(&python, &calls);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let counts: BTreeMap<String, usize> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(counts.values().sum::<usize>(), calls.len());
    for kind in [
        "MonitorCreateParams",
        "MonitorUpdateParams",
        "PoolCreateParams",
        "PoolUpdateParams",
        "LoadBalancerCreateParams",
        "LoadBalancerUpdateParams",
        "RecordBatchParams",
        "TXTRecord",
        "no body",
    ] {
        assert!(counts.contains_key(kind), "{kind} in {counts:?}");
    }
    for (what, call) in spoiled(&calls) {
        let judged = judged(&python, std::slice::from_ref(&call));
        assert!(!judged.status.success(), "{what} is taken: {call:?}");
    }
}

/// Requests with a mistake each: spellings of other tools, a missing field, a key that there is not, a wrong type in a list.
fn spoiled(calls: &[Call]) -> Vec<(&'static str, Call)> {
    let with = |end: &str, key: &str, value: Value| {
        let mut calls = calls.iter();
        let found = calls.find(|call| call.path.ends_with(end));
        let mut call = found.unwrap().clone();
        call.body[key] = value;
        call
    };
    let (balancer, pool) = ("/load_balancers", "/load_balancers/pools");
    let mut missing = with(balancer, "ttl", json!(60));
    missing
        .body
        .as_object_mut()
        .unwrap()
        .remove("default_pools");
    vec![
        (
            "a steering",
            with(balancer, "steering_policy", json!("dynamiclatency")),
        ),
        (
            "a mode",
            with(
                balancer,
                "location_strategy",
                json!({ "mode": "resolverip" }),
            ),
        ),
        (
            "an affinity",
            with(balancer, "session_affinity", json!("ipcookie")),
        ),
        ("a body without its pools", missing),
        (
            "an unknown key",
            with("/load_balancers/monitors", "periode", json!(60)),
        ),
        (
            "an address",
            with(pool, "origins", json!([{ "address": 7 }])),
        ),
    ]
}
