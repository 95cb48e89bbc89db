//! Pending upgrades of the installed packages.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Ownership, apt};
use crate::agent::system::{Fault, Invocation};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// Which pending upgrades are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpgradeScope {
    /// Those from the security archive.
    Security,
    /// All.
    All,
}

/// No upgrades of that scope are pending.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upgrade {
    /// Which.
    pub scope: UpgradeScope,
}

/// Lists of this age say nothing about what is pending.
const TELLING: Duration = Duration::from_secs(7 * 24 * 3600);

/// The last simulation, after a line that says of what.
const CACHE: &str = "/run/geodeploy/upgrades";

/// What a simulation depends on.
const INPUTS: [&str; 6] = [
    "/var/lib/dpkg/status",
    "/var/lib/apt/lists",
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d",
    "/etc/apt/preferences",
    "/etc/apt/preferences.d",
];

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pending {
    name: String,
    from: String,
    to: String,
    security: bool,
}

impl Pending {
    /// A line such as `Inst libssl3 [3.0.11-1] (3.0.15-1 Debian-Security:12/stable-security [amd64])`. A package
    /// without an installed version comes along with one that has it.
    fn parse(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("Inst ")?;
        let (name, rest) = rest.split_once(" [")?;
        let (from, rest) = rest.split_once("] (")?;
        let (to, origin) = rest.split_once(' ')?;
        (!name.contains(' ')).then(|| Self {
            name: name.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            security: origin.to_lowercase().contains("security"),
        })
    }
}

impl Upgrade {
    fn of_scope(&self, simulation: &str) -> Vec<Pending> {
        let pending = simulation.lines().filter_map(Pending::parse);
        pending
            .filter(|pending| self.scope == UpgradeScope::All || pending.security)
            .collect()
    }

    fn describe(lists: &str, pending: &[Pending]) -> Attributes {
        let lines = pending.iter().map(|pending| {
            let Pending { name, from, to, .. } = pending;
            format!("{name} {from} -> {to}")
        });
        Attributes::new()
            .text("lists", lists)
            .list("pending", lines.collect())
    }
}

impl Manage for Upgrade {
    fn id(&self) -> Id {
        Id::new(
            Kind::Upgrade,
            match self.scope {
                UpgradeScope::Security => "security",
                UpgradeScope::All => "all",
            },
        )
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(Self::describe("fresh", &[]))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        if !apt::lists_present(context)? {
            return Ok(None);
        }
        let lists = if apt::refreshed_within(context, TELLING)? {
            "fresh"
        } else {
            "older than a week or than an archive's file"
        };
        let pending = self.of_scope(&simulate(context)?);
        Ok(Some(Self::describe(lists, &pending)))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        apt::repair(context)?;
        apt::refresh_if_stale(context)?;
        let pending = self.of_scope(&simulate(context)?);
        if pending.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = pending.iter().map(|pending| &*pending.name).collect();
        (context.progress)(&format!(
            "upgrading {} packages: {}",
            names.len(),
            names.join(" ")
        ));
        let arguments = match self.scope {
            UpgradeScope::All => vec!["upgrade", "--with-new-pkgs"],
            UpgradeScope::Security => [
                &["install", "--only-upgrade", "--no-install-recommends"],
                &names[..],
            ]
            .concat(),
        };
        let result = apt::get(context, "cannot upgrade the packages", &arguments);
        context.facts.forget();
        result.map(drop)
    }
}

/// What apt would do, asked again only when something that it depends on has changed.
fn simulate(context: &Context<'_>) -> Result<String, Fault> {
    let what = "cannot see which upgrades are pending";
    let fault = |error| Fault::new(what, error);
    let mut key = String::new();
    for input in INPUTS {
        let time = context.system.modified(Path::new(input)).map_err(fault)?;
        let since = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        key.push_str(&format!("{} ", since.unwrap_or_default().as_nanos()));
    }
    let cache = Path::new(CACHE);
    let cached = context
        .system
        .read(cache)
        .map_err(fault)?
        .unwrap_or_default();
    let cached = String::from_utf8_lossy(&cached);
    if let Some((made_from, simulation)) = cached.split_once('\n')
        && made_from == key
    {
        return Ok(simulation.to_owned());
    }
    let argv = [
        "apt-get",
        "--simulate",
        "-q",
        "-o",
        "Debug::NoLocking=1",
        "upgrade",
        "--with-new-pkgs",
    ];
    let output = context
        .system
        .run(&Invocation::new(&argv).deadline(Duration::from_secs(120)))
        .map_err(fault)?
        .checked(what)
        .map_err(|fault| fault.hint("on the host: `apt-get --simulate upgrade`"))?;
    let text = format!("{key}\n{}", output.stdout);
    // Without the cache the next look takes longer, no more.
    if let Some(folder) = cache.parent() {
        context
            .system
            .make_directory(folder)
            .and_then(|()| {
                context
                    .system
                    .write(cache, text.as_bytes(), &Ownership::root(0o600))
            })
            .ok();
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests;
