//! Whether servers look at the client's network (RFC 7871).

use std::collections::BTreeSet;

use super::{Check, Expected, Tally, Word, list};
use crate::dns::verify::seen::{Exchange, Server};
use crate::inventory::RegionName;

/// The servers that answer every simulated client alike by leaving its network out of account, where answers should
/// differ. Such a server sends clients where their resolver is.
pub(super) fn judge(
    expected: &Expected,
    asked: &[Exchange],
    tally: &mut Tally,
) -> BTreeSet<Server> {
    let Some(geo) = &expected.wanted.geo else {
        return BTreeSet::new();
    };
    let answered = |exchange: &&Exchange| exchange.subnet().is_some() && exchange.answer.is_ok();
    let answered: Vec<&Exchange> = asked.iter().filter(answered).collect();
    let routing = &geo.routing;
    let entries = routing
        .continents
        .values()
        .chain(routing.countries.values());
    let regions: BTreeSet<&RegionName> = entries.chain([&routing.default]).collect();
    if answered.is_empty() || regions.len() < 2 {
        return BTreeSet::new();
    }
    let looks = |exchange: &&&Exchange| {
        let scope = exchange.answer.as_ref().ok().and_then(|reply| reply.scope);
        scope.is_some_and(|bits| bits > 0)
    };
    let all: BTreeSet<&Server> = answered.iter().map(|exchange| &exchange.server).collect();
    let seeing: BTreeSet<&Server> = answered
        .iter()
        .filter(looks)
        .map(|exchange| &exchange.server)
        .collect();
    let blind: BTreeSet<Server> = all.difference(&seeing).copied().cloned().collect();
    if blind.is_empty() {
        let told = format!("{} answers by the client's network", geo.name);
        let finding = tally.add(Check::ClientSubnet, Word::Ok, told);
        finding
            .servers
            .extend(seeing.iter().map(ToString::to_string));
    } else {
        let told = format!(
            "{} is answered by the resolver's own address, whatever the client's network, so what simulated clients get says nothing: {}",
            geo.name,
            list(&blind)
        );
        let finding = tally.add(Check::ClientSubnet, Word::Warning, told);
        finding
            .servers
            .extend(blind.iter().map(ToString::to_string));
        finding.hint("ask from a machine in each region, or let the servers see client subnets (EDNS, RFC 7871)");
    }
    blind
}
