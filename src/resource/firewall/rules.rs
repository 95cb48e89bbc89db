//! ufw's rules as values: what is in its files, what is wanted, and the commands between them. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Protocol, Rule};
use crate::agent::system::Fault;

const TAG: &str = "geodeploy:";

/// A rule as a line of user.rules says it: `### tuple ### allow tcp 22 0.0.0.0/0 any 203.0.113.7 in comment=HEX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tuple {
    /// `allow`, `deny`, `limit`, `reject`, some with `_log`.
    action: String,
    /// The way in that it speaks of, where it is one port from one source to every address.
    pub(super) way: Option<Way>,
    /// The decoded comment.
    comment: String,
    /// The line's words without the comment.
    text: String,
}

/// One port from one source of one address family; everywhere is the family's whole space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    pub(super) protocol: Protocol,
    pub(super) port: u16,
    pub(super) source: IpNet,
}

/// A way in with the name of what it is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    way: Way,
    name: String,
}

const EVERYWHERE: [IpNet; 2] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0)),
];

impl Tuple {
    pub(super) fn allows(&self) -> bool {
        self.action == "allow"
    }

    fn name(&self) -> Option<&str> {
        self.comment.strip_prefix(TAG)
    }
}

impl Slot {
    /// The ways of all rules, the first name of each; everywhere is one way for each family.
    pub(super) fn all(rules: &[Rule]) -> Vec<Self> {
        let mut ways = BTreeMap::new();
        for rule in rules {
            let sources = rule
                .from
                .map_or(EVERYWHERE.to_vec(), |from| vec![from.trunc()]);
            for source in sources {
                let way = Way {
                    protocol: rule.protocol,
                    port: rule.port,
                    source,
                };
                ways.entry(way).or_insert_with(|| rule.name.clone());
            }
        }
        ways.into_iter()
            .map(|(way, name)| Self { way, name })
            .collect()
    }
}

/// The rules of one of ufw's files.
pub(super) fn parse(text: &str, ipv6: bool) -> Vec<Tuple> {
    text.lines()
        .filter_map(|line| line.strip_prefix("### tuple ### "))
        .map(|line| tuple(line, ipv6))
        .collect()
}

fn tuple(line: &str, ipv6: bool) -> Tuple {
    let (text, comment) = match line.split_once(" comment=") {
        Some((text, hex)) => (text, decode(hex.trim())),
        None => (line, String::new()),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let everywhere = EVERYWHERE[usize::from(ipv6)];
    let way = match words[..] {
        [_, protocol, port, to, "any", from, "in"] if net(to) == Some(everywhere) => {
            let mut protocols = [Protocol::Tcp, Protocol::Udp].into_iter();
            let protocol = protocols.find(|known| known.word() == protocol);
            let way = protocol.zip(port.parse().ok()).zip(net(from));
            way.map(|((protocol, port), source)| Way {
                protocol,
                port,
                source,
            })
        }
        _ => None,
    };
    Tuple {
        action: words
            .first()
            .map_or_else(String::new, |word| (*word).to_owned()),
        way,
        comment,
        text: text.to_owned(),
    }
}

/// A network, or a single address as ufw writes it.
fn net(text: &str) -> Option<IpNet> {
    let address = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(address)
}

/// ufw writes comments as hexadecimal UTF-8.
fn decode(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().collect();
    let bytes: Vec<u8> = digits
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok())
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The ways in that are open under our name. A way that somebody else's rule opens as well is as desired: ufw has
/// one rule a way, and theirs stays theirs.
pub(super) fn effective(desired: &[Slot], tuples: &[Tuple]) -> Vec<Slot> {
    let open = tuples.iter().filter(|tuple| tuple.allows());
    let slots = open.filter_map(|tuple| {
        let way = tuple.way?;
        match tuple.name() {
            Some(name) => Some(Slot {
                way,
                name: name.to_owned(),
            }),
            None => desired.iter().find(|slot| slot.way == way).cloned(),
        }
    });
    let slots: BTreeSet<Slot> = slots.collect();
    slots.into_iter().collect()
}

/// Rules with our tag that we never make: somebody edited them.
pub(super) fn unusual(tuples: &[Tuple]) -> Vec<String> {
    let edited = tuples
        .iter()
        .filter(|tuple| tuple.name().is_some() && (tuple.way.is_none() || !tuple.allows()));
    edited
        .map(|tuple| format!("{} ({})", tuple.text, tuple.comment))
        .collect()
}

/// `22/tcp from 203.0.113.7/32 (ssh)`; a rule for everywhere that only one family has says so.
pub(super) fn readable(slots: &[Slot]) -> Vec<String> {
    let line = |slot: &Slot| {
        let Slot { way, name } = slot;
        let Way { port, source, .. } = way;
        let port = format!("{port}/{}", way.protocol.word());
        let [everywhere, everywhere_ipv6] = EVERYWHERE;
        let other = if *source == everywhere {
            everywhere_ipv6
        } else {
            everywhere
        };
        let both = slots.iter().any(|slot| {
            slot.name == *name
                && slot.way
                    == Way {
                        source: other,
                        ..*way
                    }
        });
        match EVERYWHERE.contains(source) {
            true if both => {
                (*source == everywhere).then(|| format!("{port} from everywhere ({name})"))
            }
            true => {
                let family = if *source == everywhere {
                    "IPv4"
                } else {
                    "IPv6"
                };
                Some(format!(
                    "{port} from everywhere over {family} only ({name})"
                ))
            }
            false => Some(format!("{port} from {source} ({name})")),
        }
    };
    slots.iter().filter_map(line).collect()
}

/// ufw's arguments that lead to the desired ways, additions first; rules without our tag are never named in them.
///
/// # Errors
/// When somebody else's rule of the same way does not allow it: ufw would replace theirs.
pub(super) fn steps(desired: &[Slot], tuples: &[Tuple]) -> Result<Vec<Vec<String>>, Fault> {
    let mut add = Vec::new();
    let mut delete = Vec::new();
    for slot in desired {
        let same = tuples.iter().find(|tuple| tuple.way == Some(slot.way));
        match same {
            Some(tuple) if tuple.name().is_none() && !tuple.allows() => {
                return Err(in_the_way(slot, tuple));
            }
            Some(tuple) if tuple.name().is_none() => {}
            Some(tuple) if tuple.allows() && tuple.name() == Some(&slot.name) => {}
            _ => add.push((slot.way, slot.name.as_str())),
        }
    }
    for tuple in tuples.iter().filter(|tuple| tuple.name().is_some()) {
        let Some(way) = tuple.way else {
            return Err(edited(tuple));
        };
        if !desired.iter().any(|slot| slot.way == way) {
            delete.push((way, tuple.action.as_str()));
        }
    }
    let add = together(&add).into_iter().map(|(source, (way, name))| {
        let tag = format!("{TAG}{name}");
        let words = specification("allow", &source, way);
        [words, vec!["comment".to_owned(), tag]].concat()
    });
    let delete = together(&delete)
        .into_iter()
        .map(|(source, (way, action))| {
            let words = specification(action, &source, way);
            [vec!["delete".to_owned()], words].concat()
        });
    Ok(add.chain(delete).collect())
}

/// Each way with its source as ufw takes it. One call does both families of everywhere where both are to be done,
/// because a call takes ufw half a second; a whole family as the source makes it do that family alone.
fn together<'t>(ways: &[(Way, &'t str)]) -> Vec<(String, (Way, &'t str))> {
    let [everywhere, everywhere_ipv6] = EVERYWHERE;
    let has = |source, (way, word): (Way, &str)| ways.contains(&(Way { source, ..way }, word));
    ways.iter()
        .filter(|entry| entry.0.source != everywhere_ipv6 || !has(everywhere, **entry))
        .map(|entry| {
            let both = entry.0.source == everywhere && has(everywhere_ipv6, *entry);
            let source = if both {
                "any".to_owned()
            } else {
                entry.0.source.to_string()
            };
            (source, *entry)
        })
        .collect()
}

fn specification(action: &str, source: &str, way: Way) -> Vec<String> {
    let (protocol, port) = (way.protocol.word(), way.port.to_string());
    let words = [
        action, "proto", protocol, "from", source, "to", "any", "port", &port,
    ];
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn in_the_way(slot: &Slot, tuple: &Tuple) -> Fault {
    let Way { port, source, .. } = slot.way;
    let protocol = slot.way.protocol.word();
    Fault::new(
        format!("cannot allow {port}/{protocol} from {source} ({})", slot.name),
        format!("a rule that is not geodeploy's speaks of the same: `{}`", tuple.text),
    )
    .hint(format!(
        "if it is yours to change: `ufw delete {} proto {protocol} from {source} to any port {port}` on the host",
        tuple.action.trim_end_matches("_log")
    ))
}

fn edited(tuple: &Tuple) -> Fault {
    Fault::new(
        "cannot delete a rule of the firewall",
        format!(
            "somebody changed a rule that carries geodeploy's tag: `{}`",
            tuple.text
        ),
    )
    .hint("`ufw status numbered` on the host shows its number, `ufw delete NUMBER` removes it")
}
