//! Writes pinned host keys into an inventory's text and leaves every other byte as it is.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::host_key::HostKey;
use super::mistake::Wrong;
use super::names::RegionName;

/// The text with `host_key` of that region set to `keys`.
///
/// # Errors
/// The text has no such region as a section of its own.
pub fn with_host_keys(text: &str, region: &RegionName, keys: &[HostKey]) -> Result<String, Wrong> {
    let refused = |cause: String| {
        let list = value(keys);
        Wrong::new(
            cause,
            format!("write it yourself, below [regions.{region}.ssh]: host_key = {list}"),
        )
    };
    let table = DeTable::parse(text)
        .map_err(|error| refused(format!("this is not TOML: {}", error.message())))?;
    let entry = table
        .get_ref()
        .get("regions")
        .and_then(|regions| child(regions, region.as_str()));
    let Some(entry) = entry else {
        return Err(refused(format!(
            "the inventory has no section [regions.{region}]"
        )));
    };
    let ssh = child(entry, "ssh");
    if let Some(written) = ssh.and_then(|ssh| child(ssh, "host_key")) {
        let span = written.span();
        return Ok(format!(
            "{}{}{}",
            &text[..span.start],
            value(keys),
            &text[span.end..]
        ));
    }
    let header = format!("[regions.{region}.ssh]");
    let line = text
        .lines()
        .position(|line| line.trim_start().starts_with(&header));
    let (after, new) = match (line, ssh) {
        (Some(line), Some(_)) => (line, format!("host_key = {}\n", value(keys))),
        (None, None) => (
            text.lines().count().saturating_sub(1),
            format!("\n{header}\nhost_key = {}\n", value(keys)),
        ),
        _ => {
            return Err(refused(format!(
                "the ssh settings of `{region}` are not a section of their own"
            )));
        }
    };
    let mut out = String::with_capacity(text.len() + new.len());
    for (number, line) in text.split_inclusive('\n').enumerate() {
        out.push_str(line);
        if number == after {
            if !line.ends_with('\n') {
                out.push('\n');
            }
            out.push_str(&new);
        }
    }
    Ok(out)
}

fn value(keys: &[HostKey]) -> String {
    match keys {
        [only] => format!("\"{only}\""),
        _ => format!(
            "[{}]",
            keys.iter()
                .map(|key| format!("\"{key}\""))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

fn child<'d>(value: &'d Spanned<DeValue<'d>>, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
    value.get_ref().as_table()?.get(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{EXAMPLE, Inventory};

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    const OTHER: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAtAQUWPVHW2NRyMUWcoJAPsoEOwr9mEdoGMI5XsQ2cX";

    fn pinned(text: &str, region: &str, keys: &[&str]) -> Result<String, Wrong> {
        let keys: Vec<HostKey> = keys.iter().map(|key| key.parse().unwrap()).collect();
        with_host_keys(text, &region.parse().unwrap(), &keys)
    }

    #[test]
    fn a_pin_is_added_and_replaced_and_nothing_else_changes() {
        let once = pinned(EXAMPLE, "cn", &[KEY]).unwrap();
        let inventory = Inventory::parse(&once, "x").unwrap();
        assert_eq!(
            inventory.region("cn").unwrap().ssh.host_keys[0].to_string(),
            KEY
        );
        assert!(inventory.region("us").unwrap().ssh.host_keys.is_empty());
        assert_eq!(
            once.replace(&format!("host_key = \"{KEY}\"\n"), ""),
            EXAMPLE.replace(&format!("host_key = \"{KEY}\"\n"), "")
        );
        let twice = pinned(&once, "cn", &[OTHER, KEY]).unwrap();
        assert_eq!(
            Inventory::parse(&twice, "x")
                .unwrap()
                .region("cn")
                .unwrap()
                .ssh
                .host_keys
                .len(),
            2
        );
    }

    #[test]
    fn a_region_without_an_ssh_section_gets_one() {
        let text = "[regions.us]\nipv4 = \"203.0.113.10\"";
        let pinned = pinned(text, "us", &[KEY]).unwrap();
        assert_eq!(
            pinned,
            format!("{text}\n\n[regions.us.ssh]\nhost_key = \"{KEY}\"\n")
        );
    }

    #[test]
    fn what_cannot_be_edited_is_refused_with_the_line_to_write() {
        let wrong = pinned("[regions.us]\nssh.user = \"root\"\n", "us", &[KEY]).unwrap_err();
        assert!(
            wrong.remedy.contains(&format!("host_key = \"{KEY}\"")),
            "{wrong}"
        );
        assert!(pinned("[regions.us]\n", "cn", &[KEY]).is_err());
    }
}
