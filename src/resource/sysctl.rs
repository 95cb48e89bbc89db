//! A kernel setting, now and after a reboot.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Ownership, restore};
use crate::agent::system::{Fault, Invocation};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// A kernel setting: written to /etc/sysctl.d/60-geodeploy-NAME.conf and set in the running kernel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sysctl {
    /// Its dotted name: `net.core.somaxconn`.
    pub name: String,
    /// Its value, fields separated by one space.
    pub value: String,
}

const UNSET: &str = "not set";

impl Sysctl {
    fn file(&self) -> PathBuf {
        let name = self.name.replace('/', "-");
        Path::new("/etc/sysctl.d").join(format!("60-geodeploy-{name}.conf"))
    }

    fn running(&self, context: &Context<'_>) -> Result<Option<String>, Fault> {
        let path = Path::new("/proc/sys").join(self.name.replace('.', "/"));
        let bytes = context
            .system
            .read(&path)
            .map_err(|error| Fault::new(format!("cannot read {}", path.display()), error))?;
        // The kernel separates fields by tabs.
        Ok(bytes.map(|bytes| fields(&String::from_utf8_lossy(&bytes))))
    }

    fn at_boot(&self, context: &Context<'_>) -> Result<Option<String>, Fault> {
        let path = self.file();
        let bytes = context
            .system
            .read(&path)
            .map_err(|error| Fault::new(format!("cannot read {}", path.display()), error))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let value = text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == self.name).then(|| fields(value))
        });
        Ok(value)
    }

    fn describe(running: &str, at_boot: &str) -> Attributes {
        Attributes::new()
            .text("running", running)
            .text("at_boot", at_boot)
    }

    fn set(&self, context: &Context<'_>) -> Result<(), Fault> {
        let what = format!("cannot set {}", self.name);
        if self
            .running(context)?
            .is_some_and(|found| found == fields(&self.value))
        {
            return Ok(());
        }
        let assignment = format!("{}={}", self.name, self.value);
        let output = context
            .system
            .run(&Invocation::new(&["sysctl", "-w", &assignment]))
            .map_err(|error| Fault::new(&what, error))?
            .checked(&what)
            .map_err(|fault| fault.hint(REFUSED))?;
        match self.running(context)? {
            Some(found) if found == fields(&self.value) => Ok(()),
            // sysctl may say why on standard error and still exit with 0.
            found => Err(Fault::new(
                what,
                format!(
                    "the kernel keeps {}: {}",
                    found.unwrap_or_default(),
                    output.stderr.trim()
                ),
            )
            .hint(REFUSED)),
        }
    }
}

const REFUSED: &str = "in a container the machine that runs it owns this setting: set it there, or take it out of the inventory";

fn fields(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Manage for Sysctl {
    fn id(&self) -> Id {
        Id::new(Kind::Sysctl, &self.name)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let value = fields(&self.value);
        Some(Self::describe(&value, &value))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let running = self.running(context)?;
        let at_boot = self.at_boot(context)?;
        Ok(Some(Self::describe(
            running.as_deref().unwrap_or("unknown to this kernel"),
            at_boot.as_deref().unwrap_or(UNSET),
        )))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        if self.running(context)?.is_none() {
            return Err(Fault::new(
                format!("cannot set {}", self.name),
                "this kernel or its namespace does not have it",
            )
            .hint(
                "check the name: `sysctl -a` on the host; a module may have to be loaded first",
            ));
        }
        let path = self.file();
        let fault = |error| Fault::new(format!("cannot write {}", path.display()), error);
        restore::guard(std::slice::from_ref(&path), context.system, fault, || {
            let text = format!("{} = {}\n", self.name, fields(&self.value));
            context
                .system
                .make_directory(Path::new("/etc/sysctl.d"))
                .and_then(|()| {
                    context
                        .system
                        .write(&path, text.as_bytes(), &Ownership::root(0o644))
                })
                .map_err(fault)?;
            self.set(context)
        })
    }
}
