//! Whether the kernel has the rules that ufw's files have.

use super::rules::Tuple;
use crate::agent::system::{Fault, Invocation};
use crate::resource::Context;

/// An address family, with its program and its chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    fn program(self) -> &'static str {
        match self {
            Self::V4 => "iptables-save",
            Self::V6 => "ip6tables-save",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::V4 => "ufw",
            Self::V6 => "ufw6",
        }
    }
}

/// Whether ufw's chains are in use, every allowed way is among them, and there are as many rules as in the file.
pub(super) fn has(
    context: &Context<'_>,
    family: Family,
    file: &str,
    tuples: &[Tuple],
) -> Result<bool, Fault> {
    let what = "cannot see the firewall's running rules";
    let output = context
        .system
        .run(&Invocation::new(&[family.program(), "-t", "filter"]))
        .map_err(|error| Fault::new(what, error))?
        .checked(what)?;
    Ok(agrees(&output.stdout, family, file, tuples))
}

fn agrees(table: &str, family: Family, file: &str, tuples: &[Tuple]) -> bool {
    let prefix = family.prefix();
    let chain = format!("-A {prefix}-user-input ");
    let running: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with(&chain))
        .collect();
    let written = file.lines().filter(|line| line.starts_with(&chain)).count();
    let used = [
        ":INPUT DROP ".to_owned(),
        format!("-A INPUT -j {prefix}-before-input"),
        format!("-A {prefix}-before-input -j {prefix}-user-input"),
    ];
    used.iter()
        .all(|start| table.lines().any(|line| line.starts_with(start)))
        && running.len() == written
        && tuples.iter().filter(|tuple| tuple.allows()).all(|tuple| {
            let Some(way) = tuple.way else { return true };
            let ours = matches!(
                (way.source, family),
                (ipnet::IpNet::V4(_), Family::V4) | (ipnet::IpNet::V6(_), Family::V6)
            );
            let source = match way.source.prefix_len() {
                0 => String::new(),
                _ => format!("-s {} ", way.source),
            };
            let rule = format!(
                "{chain}{source}-p {0} -m {0} --dport {1} -j ACCEPT",
                way.protocol.word(),
                way.port
            );
            !ours || running.contains(&rule.as_str())
        })
}
