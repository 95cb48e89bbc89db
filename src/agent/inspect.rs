//! Compares desired resources with the host.

use std::path::Path;

use super::message::Facts;
use super::system::{Fault, System};
use crate::plan::Change;
use crate::resource::{Context, Resource};

/// What differs, in order.
///
/// # Errors
/// The first resource that cannot be read.
pub(super) fn changes(resources: &[Resource], context: &Context<'_>) -> Result<Vec<Change>, Fault> {
    let mut changes = Vec::new();
    for resource in resources {
        changes.extend(change(resource, context)?);
    }
    Ok(changes)
}

/// What differs for one resource.
///
/// # Errors
/// When it cannot be read.
pub(super) fn change(resource: &Resource, context: &Context<'_>) -> Result<Option<Change>, Fault> {
    let managed = resource.manage();
    let found = managed.inspect(context)?;
    let change = Change::between(managed.id(), found, managed.desired(context.key));
    Ok(change.map(|mut change| {
        change.consequences = managed
            .notifies()
            .iter()
            .map(|notify| format!("{} {}", notify.action.third_person(), notify.unit))
            .collect();
        if let (Resource::Mongod(_), Some(_)) = (resource, &change.before) {
            change
                .consequences
                .push("restarts mongod.service".to_owned());
        }
        change
    }))
}

/// The host itself. What cannot be read is empty, because a plan must work on a bare host.
pub(super) fn facts(system: &dyn System, peer: Option<String>) -> Facts {
    let text = |path: &str| {
        system
            .read(Path::new(path))
            .ok()
            .flatten()
            .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
            .unwrap_or_default()
    };
    let os_release = text("/etc/os-release");
    let field = |name: &str| {
        os_release
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(|value| value.trim_matches('"').to_owned())
            .unwrap_or_default()
    };
    Facts {
        distribution: field("ID"),
        release: field("VERSION_ID"),
        architecture: std::env::consts::ARCH.to_owned(),
        peer,
        free_disk: system.free_space(Path::new("/")).unwrap_or_default() >> 20,
        boot: text("/proc/sys/kernel/random/boot_id"),
        synchronised: None,
    }
}
