//! mongod's settings as `getCmdLineOpts` names them, from the file that it is started with.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Dotted keys and their values as text, from a configuration in YAML's block form: nested keys and plain values, which
/// is all that mongod.conf needs. The running configuration is compared with these, so that a template of the operator's
/// own is compared with what it says itself.
pub fn settings(text: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut path: Vec<(usize, &str)> = Vec::new();
    for line in text.lines() {
        let body = line.trim_start();
        let Some((key, value)) = body.split_once(':').filter(|_| !body.starts_with('#')) else {
            continue;
        };
        let indent = line.len() - body.len();
        path.retain(|(outer, _)| *outer < indent);
        path.push((indent, key.trim().trim_matches(['"', '\''])));
        let value = value.split(" #").next().unwrap_or_default().trim();
        let value = value.trim_matches(['"', '\'']);
        if !value.is_empty() {
            let keys: Vec<&str> = path.iter().map(|(_, key)| *key).collect();
            settings.insert(keys.join("."), value.to_owned());
        }
    }
    settings
}

/// Why a configuration must not be used: a database that everyone reaches, or that is reached without TLS or a login, and
/// a form in which that could not be seen.
pub fn mistakes(text: &str) -> Vec<String> {
    let mut found = unreadable(text);
    found.extend(exposed(&settings(text)));
    found
}

/// What else YAML allows and `settings` does not read: it could hide an address.
fn unreadable(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let content = lines.enumerate().filter(|(_, line)| {
        !(line.is_empty() || line.starts_with('#') || matches!(*line, "---" | "..." | "- "))
    });
    content
        .filter(|(_, line)| match line.split_once(':') {
            // A list, a value that goes on, or a value that is computed.
            None => true,
            Some((key, _)) if key.contains("__") || key.starts_with(['-', '{', '[', '?']) => true,
            Some((_, value)) => value.trim_start().starts_with(['{', '[', '&', '*', '!', '|', '>']),
        })
        .map(|(at, line)| {
            format!(
                "line {}: `{line}` is not of the form `key: value`, the only one that geodeploy reads in it",
                at + 1
            )
        })
        .collect()
}

/// Whom the settings let in that must stay out.
pub(super) fn exposed(settings: &BTreeMap<String, String>) -> Vec<String> {
    let value = |name: &str| settings.get(name).map_or("", String::as_str);
    let mut found = Vec::new();
    if value("net.bindIpAll") == "true" {
        found.push("net.bindIpAll opens the database on every interface".to_owned());
    }
    if let Some(name) = settings.keys().find(|name| name.starts_with("net.bindIp.")) {
        found.push(format!("{name} is not an address"));
    }
    let addresses = value("net.bindIp").split(',').map(str::trim);
    let mut outside = Vec::new();
    for address in addresses.filter(|address| !address.is_empty()) {
        match address
            .parse::<IpAddr>()
            .map(|parsed| parsed.to_canonical())
        {
            Ok(parsed) if parsed.is_unspecified() => found.push(format!(
                "net.bindIp: {address} opens the database on every interface"
            )),
            Ok(parsed) if parsed.is_loopback() => {}
            Err(_) if address == "localhost" || address.starts_with('/') => {}
            Err(_) if address == "*" => {
                found.push("net.bindIp: * opens the database on every interface".to_owned());
            }
            Ok(_) | Err(_) => outside.push(address),
        }
    }
    for (name, wanted) in [
        ("net.tls.mode", "requireTLS"),
        ("security.authorization", "enabled"),
    ] {
        if !outside.is_empty() && value(name) != wanted {
            found.push(format!(
                "net.bindIp: {} lets other hosts in, so {name} must be {wanted}",
                outside.join(",")
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{mistakes, settings};

    fn with(bind: &str, rest: &str) -> Vec<String> {
        mistakes(&format!("net:\n  port: 27017\n  bindIp: {bind}\n{rest}"))
    }

    const SECURE: &str = "  tls:\n    mode: requireTLS\nsecurity:\n  authorization: enabled\n";

    #[test]
    fn every_interface_is_refused_whatever_else_is_set() {
        for bind in [
            "0.0.0.0",
            "127.0.0.1, 0.0.0.0",
            "\"::\"",
            "0:0::0",
            "::ffff:0.0.0.0",
            "'*'",
        ] {
            let found = with(bind, SECURE);
            assert!(
                found.iter().any(|line| line.contains("every interface")),
                "{bind}: {found:?}"
            );
        }
        let all = mistakes(&format!("net:\n  bindIpAll: true\n{SECURE}"));
        assert!(all[0].contains("bindIpAll"), "{all:?}");
    }

    #[test]
    fn an_address_that_others_reach_needs_tls_and_logins() {
        assert_eq!(with("127.0.0.1,10.0.0.5,fd00::5", SECURE), [""; 0]);
        assert_eq!(
            with("localhost,127.0.0.1,::1,/run/mongod.sock", ""),
            [""; 0]
        );
        let open = with("127.0.0.1,10.0.0.5", "");
        assert_eq!(open.len(), 2, "{open:?}");
        assert!(
            open[0].contains("net.tls.mode must be requireTLS"),
            "{open:?}"
        );
        let preferred = SECURE.replace("requireTLS", "preferTLS");
        assert_eq!(with("cn-server.internal", &preferred).len(), 1);
    }

    #[test]
    fn a_form_that_could_hide_an_address_is_refused() {
        for text in [
            "net: {bindIp: 0.0.0.0}\n",
            "net:\n  bindIp:\n    0.0.0.0\n",
            "net:\n  bindIp: 127.0.0.1,\n    fd00::1\n",
            "net:\n  bindIp:\n    __exec: echo 0.0.0.0\n",
            "net:\n  bindIp: &all\n",
            "- net\n",
        ] {
            assert!(!mistakes(text).is_empty(), "{text}");
        }
        assert!(!mistakes("\"net\":\n  \"bindIp\": 0.0.0.0\n").is_empty());
    }

    #[test]
    fn nested_keys_become_dotted_ones_and_comments_are_none() {
        let text = "# a: comment\nnet:\n  port: 27017\n  tls:\n    mode: \"requireTLS\" # why\n\
                    security:\n  keyFile: /etc/x\n";
        let found = settings(text);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(key, value)| (&**key, &**value))
            .collect();
        assert_eq!(
            found,
            [
                ("net.port", "27017"),
                ("net.tls.mode", "requireTLS"),
                ("security.keyFile", "/etc/x"),
            ]
        );
    }

    #[test]
    fn a_value_may_hold_colons() {
        assert_eq!(
            settings("net:\n  bindIp: 127.0.0.1,2001:db8::1\n")["net.bindIp"],
            "127.0.0.1,2001:db8::1"
        );
    }
}
