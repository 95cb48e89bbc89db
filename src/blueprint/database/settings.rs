//! mongod's settings as `getCmdLineOpts` names them, from the file that it is started with.

use std::collections::BTreeMap;

/// Dotted keys and their values as text, from a configuration in YAML's block form: nested keys and plain values, which
/// is all that mongod.conf needs. The running configuration is compared with these, so that a template of the operator's
/// own is compared with what it says itself.
pub(super) fn settings(text: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut path: Vec<(usize, &str)> = Vec::new();
    for line in text.lines() {
        let body = line.trim_start();
        let Some((key, value)) = body.split_once(':').filter(|_| !body.starts_with('#')) else {
            continue;
        };
        let indent = line.len() - body.len();
        path.retain(|(outer, _)| *outer < indent);
        path.push((indent, key.trim()));
        let value = value.split(" #").next().unwrap_or_default().trim();
        let value = value.trim_matches(['"', '\'']);
        if !value.is_empty() {
            let keys: Vec<&str> = path.iter().map(|(_, key)| *key).collect();
            settings.insert(keys.join("."), value.to_owned());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::settings;

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
