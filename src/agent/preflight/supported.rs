//! The distribution.

use super::{Verdict, text};
use crate::agent::system::Fault;
use crate::resource::Context;

pub(super) fn look(
    systems: &[(String, String)],
    tolerated: &[(String, String)],
    context: &Context<'_>,
) -> Result<Verdict, Fault> {
    let os_release = text("/etc/os-release", context)?;
    let field = |name: &str| {
        let mut lines = os_release.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().trim_matches('"').to_owned()
    };
    let found = (field("ID"), field("VERSION_ID"));
    if systems.contains(&found) {
        return Ok(Verdict::Met);
    }
    let shown = |(name, release): &(String, String)| format!("{name} {release}");
    if tolerated.contains(&found) {
        return Ok(Verdict::Noted(format!(
            "{} is not supported for production",
            shown(&found)
        )));
    }
    let all: Vec<String> = systems.iter().map(shown).collect();
    let host = match found.0.is_empty() {
        true => "the host's /etc/os-release names no distribution".to_owned(),
        false => format!("the host has {}", shown(&found)),
    };
    Ok(Verdict::unmet(
        "the distribution is not supported",
        host,
        format!("set the host up anew with one of {}", all.join(", ")),
    ))
}
