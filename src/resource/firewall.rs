//! ufw: our tagged rules, the defaults, and whether it is on.

mod rules;
mod running;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Context, Manage};
use crate::agent::system::{Fault, Invocation};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;
use rules::{Slot, Tuple};

/// A protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "they are called as they are")]
pub enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    /// As ufw and iptables call it: `tcp`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// One allowed way in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What it is for; becomes the rule's tag `geodeploy:NAME`.
    pub name: String,
    /// Of which protocol.
    pub protocol: Protocol,
    /// The port.
    pub port: u16,
    /// From where; `None` is everywhere, over IPv4 and IPv6.
    pub from: Option<ipnet::IpNet>,
}

/// The host's firewall: all our rules at once, because half of them could lock somebody out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Firewall {
    /// What may come in; everything else is denied.
    pub rules: Vec<Rule>,
}

const RULES: &str = "/etc/ufw/user.rules";
const RULES_IPV6: &str = "/etc/ufw/user6.rules";
const STATE: &str = "/etc/ufw/ufw.conf";
const DEFAULTS: &str = "/etc/default/ufw";

/// Every file that ufw's rules, defaults and state live in: what an undo puts back.
pub fn snapshot_paths() -> Vec<PathBuf> {
    [RULES, RULES_IPV6, STATE, DEFAULTS]
        .map(PathBuf::from)
        .to_vec()
}

/// ufw as its files and the kernel have it.
struct Found {
    enabled: bool,
    ipv6: bool,
    incoming: String,
    outgoing: String,
    tuples: Vec<Tuple>,
    loaded: bool,
}

fn read(context: &Context<'_>, path: &str) -> Result<String, Fault> {
    let bytes = context
        .system
        .read(Path::new(path))
        .map_err(|error| Fault::new(format!("cannot read {path}"), error))?;
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}

/// The value of `NAME=value` or `NAME="value"`.
fn setting<'t>(text: &'t str, name: &str) -> &'t str {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))
        .next_back()
        .map_or("", |value| value.trim().trim_matches('"'))
}

/// ufw's word for a policy of iptables.
fn policy(target: &str) -> String {
    match target {
        "DROP" => "deny",
        "ACCEPT" => "allow",
        "REJECT" => "reject",
        other => other,
    }
    .to_owned()
}

impl Found {
    fn look(context: &Context<'_>) -> Result<Self, Fault> {
        let (v4, v6) = (read(context, RULES)?, read(context, RULES_IPV6)?);
        let defaults = read(context, DEFAULTS)?;
        let enabled = setting(&read(context, STATE)?, "ENABLED").eq_ignore_ascii_case("yes");
        let ipv6 = setting(&defaults, "IPV6").eq_ignore_ascii_case("yes");
        let incoming = policy(setting(&defaults, "DEFAULT_INPUT_POLICY"));
        let mut tuples = rules::parse(&v4, false);
        tuples.extend(rules::parse(&v6, true));
        let loaded = enabled
            && running::has(context, running::Family::V4, &v4, &tuples)?
            && (!ipv6 || running::has(context, running::Family::V6, &v6, &tuples)?);
        Ok(Self {
            enabled,
            ipv6,
            incoming,
            outgoing: policy(setting(&defaults, "DEFAULT_OUTPUT_POLICY")),
            tuples,
            loaded,
        })
    }
}

fn describe(
    enabled: bool,
    ipv6: bool,
    policies: [&str; 2],
    rules: Vec<String>,
    loaded: bool,
) -> Attributes {
    let yes_or_no = |value| if value { "yes" } else { "no" };
    Attributes::new()
        .text("enabled", yes_or_no(enabled))
        .text("ipv6", yes_or_no(ipv6))
        .text("default_incoming", policies[0])
        .text("default_outgoing", policies[1])
        .list("rules", rules)
        .text("loaded", yes_or_no(loaded))
}

fn ufw(context: &Context<'_>, arguments: &[&str]) -> Result<(), Fault> {
    let argv = [&["ufw"], arguments].concat();
    let what = argv.join(" ");
    context
        .system
        .run(&Invocation::new(&argv).deadline(Duration::from_secs(60)))
        .map_err(|error| Fault::new(&what, error))?
        .checked(&what)
        .map(drop)
}

fn installed(context: &Context<'_>) -> Result<bool, Fault> {
    let program = "/usr/sbin/ufw";
    let found = context.system.metadata(Path::new(program));
    found
        .map(|found| found.is_some())
        .map_err(|error| Fault::new(format!("cannot read {program}"), error))
}

/// Switches ufw's IPv6 half on, in place in its file, because ufw has no command for it.
fn switch_ipv6_on(context: &Context<'_>) -> Result<(), Fault> {
    let path = Path::new(DEFAULTS);
    let fault = |error| Fault::new(format!("cannot write {DEFAULTS}"), error);
    let text = read(context, DEFAULTS)?;
    let others = text
        .lines()
        .filter(|line| !line.trim().starts_with("IPV6="));
    let mut lines: Vec<&str> = others.collect();
    lines.push("IPV6=yes");
    let ownership = context
        .system
        .metadata(path)
        .map_err(fault)?
        .map_or(super::Ownership::root(0o644), |found| found.ownership);
    let text = format!("{}\n", lines.join("\n"));
    context
        .system
        .write(path, text.as_bytes(), &ownership)
        .map_err(fault)
}

impl Manage for Firewall {
    fn id(&self) -> Id {
        Id::new(Kind::Firewall, "ufw")
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let rules = rules::readable(&Slot::all(&self.rules));
        Some(describe(true, true, ["deny", "allow"], rules, true))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        if !installed(context)? {
            return Ok(None);
        }
        let found = Found::look(context)?;
        let mut rules = rules::readable(&rules::effective(&Slot::all(&self.rules), &found.tuples));
        rules.extend(rules::unusual(&found.tuples));
        Ok(Some(describe(
            found.enabled,
            found.ipv6,
            [&found.incoming, &found.outgoing],
            rules,
            found.loaded,
        )))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        if !installed(context)? {
            return Err(
                Fault::new("cannot change the firewall", "ufw is not installed")
                    .hint("the package ufw must come before the firewall"),
            );
        }
        let mut found = Found::look(context)?;
        let steps = rules::steps(&Slot::all(&self.rules), &found.tuples)?;
        if !found.ipv6 {
            switch_ipv6_on(context)?;
            if found.enabled {
                ufw(context, &["reload"])?;
            }
        }
        // What is allowed comes before what is taken away and before everything else is denied.
        for step in &steps {
            let words: Vec<&str> = step.iter().map(String::as_str).collect();
            ufw(context, &words)?;
        }
        for (direction, found, wanted) in [
            ("incoming", &found.incoming, "deny"),
            ("outgoing", &found.outgoing, "allow"),
        ] {
            if found != wanted {
                ufw(context, &["default", wanted, direction])?;
            }
        }
        if !found.enabled {
            return ufw(context, &["--force", "enable"])
                .map_err(|fault| fault.hint("ufw needs CAP_NET_ADMIN and the kernel's netfilter"));
        }
        found = Found::look(context)?;
        if found.loaded {
            Ok(())
        } else {
            ufw(context, &["reload"])
        }
    }
}

#[cfg(test)]
mod tests;
