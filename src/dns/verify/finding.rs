//! What is well, and what is not.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::seen::Exchange;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Who answers for the zone, as the zone above and the zone itself say.
    Delegation,
    /// Whether each server answers, over UDP and TCP, as an authority.
    Servers,
    /// Addresses that nobody in the inventory has.
    Foreign,
    /// Which region a client is sent to.
    Geo,
    /// The addresses of hosts.
    Hosts,
    /// Whether servers, and transports, answer alike.
    Agreement,
    /// How long an answer may be kept.
    Ttl,
    /// Whether servers look at the client's network.
    ClientSubnet,
    /// What a public resolver answers.
    Public,
}

impl Check {
    /// As the table has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delegation => "delegation",
            Self::Servers => "servers",
            Self::Foreign => "foreign",
            Self::Geo => "geo",
            Self::Hosts => "hosts",
            Self::Agreement => "agreement",
            Self::Ttl => "ttl",
            Self::ClientSubnet => "client subnet",
            Self::Public => "public",
        }
    }

    /// Whether it is about what clients are answered, and not about how.
    pub fn is_answer(self) -> bool {
        matches!(self, Self::Geo | Self::Hosts)
    }
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// As the inventory says.
    Ok,
    /// To know; no client is sent to the wrong place by it.
    Warning,
    /// Not as the inventory says.
    Differs,
    /// Not to be had.
    Unreachable,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub check: Check,
    /// How it is.
    pub word: Word,
    /// In a sentence.
    pub told: String,
    /// The servers that it was seen at.
    pub servers: BTreeSet<String>,
    /// The clients that it was seen for: `49.96.0.0/24 JP`.
    pub clients: BTreeSet<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'static str>,
}

/// Findings as they come up; the same one of several servers and clients is one.
#[derive(Debug, Default)]
pub(super) struct Tally {
    found: Vec<Finding>,
}

impl Tally {
    /// Notes it, and gives it back to say where it was seen.
    pub(super) fn add(
        &mut self,
        check: Check,
        word: Word,
        told: impl fmt::Display,
    ) -> &mut Finding {
        let told = told.to_string();
        let same =
            |found: &Finding| found.check == check && found.word == word && found.told == told;
        let at = self.found.iter().position(same).unwrap_or_else(|| {
            self.found.push(Finding {
                check,
                word,
                told: told.clone(),
                servers: BTreeSet::new(),
                clients: BTreeSet::new(),
                hint: None,
            });
            self.found.len() - 1
        });
        &mut self.found[at]
    }

    /// Whether anything worse than a warning is noted of that check.
    pub(super) fn is_bad(&self, check: Check) -> bool {
        let mut found = self.found.iter();
        found.any(|found| found.check == check && found.word > Word::Warning)
    }

    /// The findings by check, the worst first.
    pub(super) fn findings(mut self) -> Vec<Finding> {
        self.found
            .sort_by_key(|found| (found.check, std::cmp::Reverse(found.word)));
        self.found
    }
}

impl Finding {
    /// It was seen there.
    pub(super) fn at(&mut self, exchange: &Exchange, country: Option<String>) -> &mut Self {
        self.servers.insert(exchange.server.to_string());
        if let Some(subnet) = exchange.subnet() {
            let country = country
                .map(|country| format!(" {country}"))
                .unwrap_or_default();
            self.clients.insert(format!("{subnet}{country}"));
        }
        self
    }

    /// What to do about it.
    pub(super) fn hint(&mut self, hint: &'static str) -> &mut Self {
        self.hint = Some(hint);
        self
    }
}
