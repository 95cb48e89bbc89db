//! Regions and secrets -> resources. Pure.

use crate::error::Error;
use crate::inventory::{Inventory, RegionName};
use crate::resource::{Content, File, Ownership, Resource};
use crate::secrets::Secrets;

/// What a region's host should be.
pub struct Blueprint {
    /// In the order in which they are applied.
    pub resources: Vec<Resource>,
}

/// The blueprint of that region.
///
/// # Errors
/// A template that does not render.
pub fn region(
    inventory: &Inventory,
    region: &RegionName,
    _secrets: &Secrets,
) -> Result<Blueprint, Error> {
    let text = format!("{} of {}\n", region.as_str(), inventory.app.name.as_str());
    Ok(Blueprint {
        resources: vec![Resource::File(File {
            path: "/etc/geodeploy-region".into(),
            content: Some(Content::Plain(text)),
            ownership: Ownership::root(0o644),
            notifies: Vec::new(),
        })],
    })
}
