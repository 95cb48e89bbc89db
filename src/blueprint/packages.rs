//! Where packages come from, and which are installed.

use std::path::PathBuf;

use super::Build;
use crate::error::Error;
use crate::inventory::{HttpUrl, Upgrade as Wanted};
use crate::resource::{
    AptSource, Content, File, Ownership, Package, Resource, Upgrade, UpgradeScope,
};

/// What the blueprint itself needs. `ca-certificates` is for the link to the other region.
const NEEDED: [&str; 4] = ["nginx", "ufw", "ca-certificates", "systemd-timesyncd"];

impl Build<'_> {
    /// Mirrors, upgrades, packages.
    pub(super) fn packages(&self) -> Result<Vec<Resource>, Error> {
        let mirrors = &self.region.mirrors;
        let proxy = match mirrors.apt_proxy {
            Some(_) => Some(self.render("apt-proxy.conf.j2")?.text),
            None => None,
        };
        let mut resources = vec![Resource::File(File {
            path: PathBuf::from("/etc/apt/apt.conf.d/90geodeploy-proxy"),
            content: proxy.map(Content::Plain),
            ownership: Ownership::root(0o644),
            notifies: Vec::new(),
        })];
        if let Some(archive) = &mirrors.apt {
            let security = mirrors.apt_security.as_ref().unwrap_or(archive);
            resources.push(self.source("mirror", archive, &["{codename}", "{codename}-updates"]));
            resources.push(self.source("mirror-security", security, &["{codename}-security"]));
        }
        let scope = match self.region.packages.upgrade {
            Wanted::None => None,
            Wanted::Security => Some(UpgradeScope::Security),
            Wanted::All => Some(UpgradeScope::All),
        };
        resources.extend(scope.map(|scope| Resource::Upgrade(Upgrade { scope })));
        let extra = self.region.packages.extra.iter().map(|name| name.as_str());
        let dns = super::dns::embedded(self.inventory).map(|_| "gdnsd");
        let certbot = self.inventory.tls.as_ref().map(|_| "certbot");
        let names = NEEDED.into_iter().chain(dns).chain(certbot);
        let mut names: Vec<&str> = names.chain(extra).collect();
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(*name));
        resources.extend(names.into_iter().map(|name| {
            Resource::Package(Package {
                name: name.to_owned(),
                version: None,
                installed: true,
                held: false,
            })
        }));
        Ok(resources)
    }

    fn source(&self, name: &str, archive: &HttpUrl, suites: &[&str]) -> Resource {
        Resource::AptSource(AptSource {
            name: name.to_owned(),
            uris: vec![archive.as_str().to_owned()],
            suites: suites.iter().map(|suite| (*suite).to_owned()).collect(),
            components: self
                .region
                .mirrors
                .apt_components
                .iter()
                .map(ToString::to_string)
                .collect(),
            signed_by: None,
            replaces_default: true,
        })
    }
}
