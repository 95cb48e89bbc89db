//! Who belongs to the replica set, with which votes.

use super::uri::with_port;
use crate::inventory::Inventory;
use crate::resource::mongo::Member;

/// The priority of the first member; those of the others are below it, in the order of the inventory.
pub(super) const HIGHEST: f64 = 10.0;

/// The members of the set as the inventory has them, the primary first; one where it has a single database.
///
/// Without automatic failover the primary alone votes: it is a majority by itself, so that neither another member nor the
/// link to it can stop its writes.
pub fn members(inventory: &Inventory) -> Vec<Member> {
    let mut priority = HIGHEST;
    let mut members = Vec::new();
    for region in inventory.database_regions() {
        let host = with_port(&inventory.database_host(region));
        let votes = members.is_empty() || inventory.database.automatic_failover;
        members.push(match votes {
            true => Member::voter(host, priority),
            false => Member::copy(host),
        });
        priority -= 1.0;
    }
    members
}
