//! What may be in the dependency tree: the bans of `deny.toml` that matter most, held without cargo-deny.

#![expect(clippy::unwrap_used, reason = "a test's helper fails as its test does")]

use std::path::Path;

/// Versions of each package in the lock file, by name.
fn locked(text: &str) -> Vec<(String, String, String)> {
    let lock: toml::Table = toml::from_str(text).unwrap();
    let packages = lock["package"].as_array().unwrap();
    let field = |package: &toml::Value, name: &str| {
        let value = package.get(name).and_then(toml::Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    packages
        .iter()
        .map(|package| {
            (
                field(package, "name"),
                field(package, "version"),
                field(package, "source"),
            )
        })
        .collect()
}

/// What the tree must not have: an OpenSSL, a second copy of what is heavy, a source other than crates.io.
fn banned(text: &str) -> Vec<String> {
    let packages = locked(text);
    let mut found = Vec::new();
    for name in [
        "openssl",
        "openssl-sys",
        "native-tls",
        "aws-lc-rs",
        "aws-lc-sys",
    ] {
        if packages.iter().any(|package| package.0 == name) {
            found.push(format!("{name} is in the tree"));
        }
    }
    for name in ["reqwest", "hyper", "rustls", "tokio", "axum", "ring"] {
        let versions: Vec<&str> = packages
            .iter()
            .filter(|package| package.0 == name)
            .map(|package| package.1.as_str())
            .collect();
        if versions.len() != 1 {
            found.push(format!(
                "{name} is in the tree in {} versions {versions:?}",
                versions.len()
            ));
        }
    }
    for (name, _, source) in &packages {
        let own = source.is_empty() && name == "geodeploy";
        if !own && source != "registry+https://github.com/rust-lang/crates.io-index" {
            found.push(format!("{name} comes from {source:?}"));
        }
    }
    found
}

#[test]
fn the_tree_has_no_openssl_no_second_heavy_crate_and_one_source() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    let found = banned(&std::fs::read_to_string(lock).unwrap());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_is_shipped_to_hosts_has_no_operators_code() {
    // Searched as text: the standard library is optimized where this test is not, and the binaries are large.
    let text_of = |binary: &str| {
        let bytes = std::fs::read(binary).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let operator = text_of(env!("CARGO_BIN_EXE_geodeploy"));
    let host = text_of(env!("CARGO_BIN_EXE_geodeploy-host"));
    // Texts of the command line, of a prompt and of the inventory: names alone would be found in debugging information.
    for text in [
        "Make hosts what the inventory says",
        "agree beforehand with",
        "everything that geodeploy deploys",
    ] {
        assert!(operator.contains(text), "{text:?} is no trace to look for");
        assert!(!host.contains(text), "{text:?} is shipped to hosts");
    }
}

#[test]
fn a_banned_tree_is_caught() {
    let source = "registry+https://github.com/rust-lang/crates.io-index";
    let mut text = String::new();
    for (name, source) in [
        ("geodeploy", ""),
        ("native-tls", source),
        ("reqwest", source),
        ("reqwest", source),
        ("hyper", source),
        ("rustls", source),
        ("tokio", source),
        ("axum", source),
        ("ring", "git+https://example.com/ring"),
    ] {
        text +=
            &format!("[[package]]\nname = {name:?}\nversion = \"1.0.0\"\nsource = {source:?}\n");
    }
    assert_eq!(
        banned(&text),
        [
            "native-tls is in the tree",
            "reqwest is in the tree in 2 versions [\"1.0.0\", \"1.0.0\"]",
            "ring comes from \"git+https://example.com/ring\"",
        ]
    );
}
