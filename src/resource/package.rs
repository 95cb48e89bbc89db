//! A Debian package, installed.

use serde::{Deserialize, Serialize};

use super::{Context, Manage, apt};
use crate::agent::system::{Fault, Invocation};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// A package that must be installed, or must not be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The exact version; `None` takes what the archive has and never upgrades it.
    pub version: Option<String>,
    /// Whether it must be there.
    pub installed: bool,
    /// Whether apt must not upgrade it by itself.
    pub held: bool,
}

impl Package {
    fn describe(&self, state: &str, version: &str, held: bool) -> Attributes {
        let attributes = Attributes::new()
            .text("installed", state)
            .text("held", if held { "yes" } else { "no" });
        match self.version {
            Some(_) => attributes.text("version", version),
            None => attributes,
        }
    }

    /// As apt-get takes it: `nginx`, `mongodb-org=8.0.4`, `apache2-` for one that goes.
    fn specification(&self) -> String {
        match (&self.version, self.installed) {
            (_, false) => format!("{}-", self.name),
            (Some(version), true) => format!("{}={version}", self.name),
            (None, true) => self.name.clone(),
        }
    }
}

impl Manage for Package {
    fn id(&self) -> Id {
        Id::new(Kind::Package, &self.name)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let version = self.version.as_deref().unwrap_or_default();
        self.installed
            .then(|| self.describe("yes", version, self.held))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let packages = context.facts.packages(context.system)?;
        let Some(found) = packages.get(&self.name) else {
            return Ok(None);
        };
        Ok(match &*found.state {
            "not-installed" | "config-files" => None,
            "installed" => Some(self.describe("yes", &found.version, found.held)),
            state => Some(self.describe(state, &found.version, found.held)),
        })
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        apply_all(&[self], context)
    }
}

/// Brings all these packages to their states in one apt transaction, after completing what an interrupted one left.
///
/// # Errors
/// When a lock is held for longer than 10 minutes, the archives do not answer, or a package cannot be installed.
/// What dpkg has completed by then stays.
pub fn apply_all(packages: &[&Package], context: &Context<'_>) -> Result<(), Fault> {
    apt::repair(context)?;
    let result = transact(packages, context).and_then(|()| set_holds(packages, context));
    context.facts.forget();
    result
}

fn transact(packages: &[&Package], context: &Context<'_>) -> Result<(), Fault> {
    let known = context.facts.packages(context.system)?;
    let wanting = packages.iter().filter(|package| {
        let found = known
            .get(&package.name)
            .filter(|found| found.state == "installed");
        match (found, &package.version) {
            (None, _) => package.installed,
            (Some(_), _) if !package.installed => true,
            (Some(found), Some(version)) => found.version != *version,
            (Some(_), None) => false,
        }
    });
    let wanted: Vec<String> = wanting.map(|package| package.specification()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let refreshed = apt::refresh_if_stale(context)?;
    let what = format!("cannot install {}", wanted.join(", "));
    (context.progress)(&format!("apt-get install {}", wanted.join(" ")));
    // A version that is older than the installed one, or held, is what was asked for.
    let mut arguments = vec!["install", "--no-install-recommends"];
    if packages.iter().any(|package| package.version.is_some()) {
        arguments.extend(["--allow-downgrades", "--allow-change-held-packages"]);
    }
    arguments.extend(wanted.iter().map(String::as_str));
    let result = apt::get(context, &what, &arguments);
    let outdated = |fault: &Fault| {
        [
            "Unable to locate",
            "was not found",
            "no installation candidate",
            "Failed to fetch",
        ]
        .iter()
        .any(|words| fault.why.contains(words))
    };
    match result {
        Err(fault) if !refreshed && outdated(&fault) => {
            apt::refresh(context)?;
            apt::get(context, &what, &arguments)
        }
        other => other,
    }
    .map(drop)
    .map_err(|fault| fault.hint("`apt-cache policy NAME` on the host shows what its archives have"))
}

fn set_holds(packages: &[&Package], context: &Context<'_>) -> Result<(), Fault> {
    context.facts.forget();
    let known = context.facts.packages(context.system)?;
    for (verb, held) in [("hold", true), ("unhold", false)] {
        let differing = packages.iter().filter(|package| {
            let found = known.get(&package.name).is_some_and(|found| found.held);
            package.installed && package.held == held && found != held
        });
        let names: Vec<&str> = differing.map(|package| &*package.name).collect();
        if names.is_empty() {
            continue;
        }
        let what = format!("cannot {verb} {}", names.join(", "));
        let argv = [&["apt-mark", verb], &names[..]].concat();
        context
            .system
            .run(&Invocation::new(&argv))
            .map_err(|error| Fault::new(&what, error))?
            .checked(&what)?;
    }
    Ok(())
}
