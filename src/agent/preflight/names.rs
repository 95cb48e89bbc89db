//! Names that the host itself must know.

use std::net::IpAddr;

use super::Verdict;
use crate::agent::system::{Fault, Invocation};
use crate::resource::Context;

pub(super) fn look(
    name: &str,
    addresses: &[IpAddr],
    context: &Context<'_>,
) -> Result<Verdict, Fault> {
    let what = format!("cannot ask the host for {name}");
    // The C library's own answer: it is what MongoDB gets.
    let output = context
        .system
        .run(&Invocation::new(&["getent", "ahosts", name]))
        .map_err(|error| Fault::new(&what, error))?;
    if !matches!(output.status, 0 | 2) {
        output.checked(&what)?;
        return Ok(Verdict::Met);
    }
    let words = output
        .stdout
        .lines()
        .filter_map(|line| line.split(' ').next());
    let mut found: Vec<IpAddr> = words.filter_map(|word| word.parse().ok()).collect();
    found.sort();
    found.dedup();
    let fits = |address: &IpAddr| address.is_loopback() || addresses.contains(address);
    if found.iter().any(fits) {
        return Ok(Verdict::Met);
    }
    let list = |addresses: &[IpAddr]| {
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        texts.join(", ")
    };
    let found = match found.is_empty() {
        true => "it is not known there".to_owned(),
        false => format!("it leads to {}", list(&found)),
    };
    let first = addresses
        .first()
        .map_or_else(String::new, ToString::to_string);
    Ok(Verdict::unmet(
        format!("the host does not reach itself as {name}"),
        format!("{found}; the database listens on {}", list(addresses)),
        format!(
            "add the name to DNS, or `{first} {name}` to the host's /etc/hosts; for another address see `bind` of [database]"
        ),
    ))
}
