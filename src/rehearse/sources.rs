//! Where this machine gets Debian from, so that twins get it from the same place.
//!
//! A twin's own sources are Debian's usual ones; the apt proxy sends them to the upstream found here.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::shell::{Call, variable};

/// The archive's address where a machine says nothing else.
pub const DEBIAN: &str = "http://deb.debian.org/debian";
/// The security archive's address where a machine says nothing else.
pub const SECURITY: &str = "http://deb.debian.org/debian-security";

/// Where packages come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// The Debian archive, without a slash at the end.
    pub debian: String,
    /// The security archive, without a slash at the end.
    pub security: String,
    /// The proxy on the way there.
    pub proxy: Option<String>,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            debian: DEBIAN.to_owned(),
            security: SECURITY.to_owned(),
            proxy: None,
        }
    }
}

/// One source line: addresses and suites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Source {
    addresses: Vec<String>,
    suites: Vec<String>,
}

impl Upstream {
    /// What this machine's own apt uses: its sources if it is a Debian, and its proxy.
    pub fn of_this_machine() -> Self {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let field = |name: &str| {
            let value = release
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            value.unwrap_or_default().trim_matches('"').to_owned()
        };
        let mut upstream = Self::default();
        if field("ID") == "debian" {
            upstream.take(
                &sources_below(Path::new("/etc/apt")),
                &field("VERSION_CODENAME"),
            );
        }
        upstream.proxy = proxy_for(&upstream.debian);
        upstream
    }

    /// Takes the addresses that serve the machine's own suite.
    fn take(&mut self, sources: &[Source], codename: &str) {
        let serving = |suite: &str| {
            let source = sources
                .iter()
                .find(|source| source.suites.iter().any(|other| other == suite))?;
            source
                .addresses
                .iter()
                .find_map(|address| plain_address(address))
        };
        if let Some(address) = serving(codename).or_else(|| serving("stable")) {
            self.debian = address;
        }
        let security = [format!("{codename}-security"), "stable-security".to_owned()];
        if let Some(address) = security.iter().find_map(|suite| serving(suite)) {
            self.security = address;
        }
    }
}

/// An address that HTTP can fetch from; a list of mirrors gives its first one.
fn plain_address(address: &str) -> Option<String> {
    if let Some(list) = address.strip_prefix("mirror+file:") {
        let text = fs::read_to_string(list).ok()?;
        return text
            .lines()
            .find_map(|line| plain_address(line.split_whitespace().next()?));
    }
    let web = address.starts_with("http://") || address.starts_with("https://");
    web.then(|| address.trim_end_matches('/').to_owned())
}

fn sources_below(folder: &Path) -> Vec<Source> {
    let mut paths = vec![folder.join("sources.list")];
    let entries = fs::read_dir(folder.join("sources.list.d"))
        .into_iter()
        .flatten()
        .flatten();
    let mut more: Vec<_> = entries.map(|entry| entry.path()).collect();
    more.sort();
    paths.extend(more);
    paths
        .iter()
        .filter_map(|path| Some((path, fs::read_to_string(path).ok()?)))
        .flat_map(
            |(path, text)| match path.extension().and_then(|end| end.to_str()) {
                Some("list") => one_line_style(&text),
                Some("sources") => deb822_style(&text),
                _ => Vec::new(),
            },
        )
        .collect()
}

/// `deb [options] address suite components`: see sources.list(5).
fn one_line_style(text: &str) -> Vec<Source> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("deb "));
    lines
        .filter_map(|line| {
            let line = line.trim();
            let rest = match line.strip_prefix('[') {
                Some(options) => options.split_once(']')?.1,
                None => line,
            };
            let mut words = rest.split_whitespace();
            Some(Source {
                addresses: vec![words.next()?.to_owned()],
                suites: vec![words.next()?.to_owned()],
            })
        })
        .collect()
}

/// Stanzas of fields, a field's value going on in indented lines: see sources.list(5).
fn deb822_style(text: &str) -> Vec<Source> {
    let uncommented: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let joined = uncommented.join("\n");
    let stanzas = joined
        .split("\n\n")
        .filter(|stanza| !stanza.trim().is_empty());
    stanzas
        .filter_map(|stanza| {
            let words = |wanted: &str| -> Vec<String> {
                let mut inside = false;
                let mut found = Vec::new();
                for line in stanza.lines() {
                    let value = if line.starts_with([' ', '\t']) {
                        line
                    } else {
                        let (name, value) = line.split_once(':').unwrap_or((line, ""));
                        inside = name.trim().eq_ignore_ascii_case(wanted);
                        value
                    };
                    if inside {
                        found.extend(value.split_whitespace().map(str::to_owned));
                    }
                }
                found
            };
            let off = words("Enabled")
                .first()
                .is_some_and(|word| word.eq_ignore_ascii_case("no"));
            let binary = words("Types").iter().any(|kind| kind == "deb");
            (binary && !off).then(|| Source {
                addresses: words("URIs"),
                suites: words("Suites"),
            })
        })
        .collect()
}

/// The proxy for an address: apt's own setting first, then the environment's.
fn proxy_for(address: &str) -> Option<String> {
    let scheme = if address.starts_with("https:") {
        "https"
    } else {
        "http"
    };
    let key = format!("Acquire::{scheme}::Proxy");
    let configured = Call::new(["apt-config", "shell", "proxy", &key]).run().ok();
    let line = configured.map(|output| output.stdout).unwrap_or_default();
    let from_apt = line
        .trim()
        .strip_prefix("proxy=")
        .map(|value| value.trim_matches('\'').to_owned());
    from_apt
        .or_else(|| variable(&format!("{scheme}_proxy")))
        .filter(|proxy| !proxy.is_empty() && !proxy.eq_ignore_ascii_case("DIRECT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deb822_stanzas_give_addresses_of_their_suites() {
        let text = "Types: deb\n# a comment\nURIs: http://mirror.example/debian/\nSuites: bookworm bookworm-updates\n\
                    Components: main\n\nTypes: deb\nURIs:\n https://mirror.example/security\nSuites: bookworm-security\n\n\
                    Types: deb-src\nURIs: http://src.example\nSuites: bookworm\n";
        let mut upstream = Upstream::default();
        upstream.take(&deb822_style(text), "bookworm");
        assert_eq!(upstream.debian, "http://mirror.example/debian");
        assert_eq!(upstream.security, "https://mirror.example/security");
    }

    #[test]
    fn one_line_sources_may_have_options_and_other_vendors_do_not_count() {
        let text = "# deb http://no.example x main\ndeb [arch=amd64] https://vendor.example/apt any main\n\
                    deb [ signed-by=/k arch=amd64 ] http://mirror.example/debian bookworm main\n";
        let mut upstream = Upstream::default();
        upstream.take(&one_line_style(text), "bookworm");
        assert_eq!(upstream.debian, "http://mirror.example/debian");
        assert_eq!(upstream.security, SECURITY);
    }

    #[test]
    fn a_disabled_stanza_and_a_disc_are_passed_over() {
        let off = "Types: deb\nEnabled: no\nURIs: http://off.example\nSuites: bookworm\n";
        assert!(deb822_style(off).is_empty());
        assert_eq!(plain_address("cdrom:[Debian 12]/"), None);
    }

    #[test]
    fn a_list_of_mirrors_gives_its_first() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("debian.list");
        fs::write(
            &list,
            "https://cdn.example/debian/ priority:1\nhttp://b.example\n",
        )
        .unwrap();
        let address = format!("mirror+file:{}", list.display());
        assert_eq!(
            plain_address(&address).unwrap(),
            "https://cdn.example/debian"
        );
    }
}
