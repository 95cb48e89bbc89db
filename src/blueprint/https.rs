//! Certificates that browsers trust, and the web server's files that need them.

use std::path::PathBuf;

use minijinja::{Value, context};

use super::{Build, drop_in_of, service};
use crate::error::{Error, ErrorKind};
use crate::inventory::{Inventory, PublicTls, Region};
use crate::resource::certificate::{WEBROOT, lineage, live};
use crate::resource::{
    Certificate, Content, Directory, Failover, File, HttpsSite, Nginx, Notify, Ownership, Resource,
};

/// Loopback port of the listener that speaks HTTPS to the other region.
pub(super) const PEER_LISTENER: u16 = 8443;

/// Where Debian and Ubuntu keep the public authorities.
const PUBLIC_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What templates see of `[tls]`.
pub(super) fn context(inventory: &Inventory, tls: &PublicTls) -> Value {
    let app = inventory.app.name.as_str();
    let live = live(&lineage(app));
    let file = |name: &str| live.join(name).display().to_string();
    context! {
        lineage => live.display().to_string(),
        certificate => file("fullchain.pem"),
        key => file("privkey.pem"),
        webroot => WEBROOT,
        folder => folder(app),
        hsts => tls.hsts.map(|time| time.as_secs()),
        trusted => trusted(app, tls).display().to_string(),
    }
}

/// The other regions, as templates see them.
pub(super) fn peers(inventory: &Inventory, region: &Region) -> Vec<Value> {
    let others = inventory.regions.iter();
    let others = others.filter(|other| other.name != region.name);
    let shown = others.map(|other| {
        context! {
            name => other.name.as_str(),
            ipv4 => other.addresses.ipv4.to_string(),
            ipv6 => other.addresses.ipv6.map(|address| address.to_string()),
        }
    });
    shown.collect()
}

/// Parts of nginx's configuration that are there or not, and are included where they are.
fn folder(app: &str) -> String {
    format!("/etc/nginx/{app}")
}

fn private_root(app: &str) -> PathBuf {
    PathBuf::from(format!("/etc/{app}/certificate-authority.pem"))
}

fn trusted(app: &str, tls: &PublicTls) -> PathBuf {
    match tls.root {
        Some(_) => private_root(app),
        None => PathBuf::from(PUBLIC_ROOTS),
    }
}

impl Build<'_> {
    /// What must be there before nginx serves: the folder of tokens, certbot's hook and timer, a private authority's root.
    pub(super) fn certbot(&self) -> Result<Vec<Resource>, Error> {
        let app = self.app();
        let Some(tls) = &self.inventory.tls else {
            return Ok(Vec::new());
        };
        let mut resources = vec![
            Resource::Directory(Directory {
                path: PathBuf::from(WEBROOT),
                ownership: Ownership::root(0o755),
            }),
            Resource::File(File {
                path: PathBuf::from(format!(
                    "/etc/letsencrypt/renewal-hooks/deploy/{}",
                    lineage(app)
                )),
                content: Some(Content::Plain(self.render("renewed.sh.j2")?.text)),
                ownership: Ownership::root(0o755),
                notifies: Vec::new(),
            }),
        ];
        let root = self.root_text()?;
        resources.push(Resource::File(File {
            path: private_root(app),
            content: root.map(Content::Plain),
            ownership: Ownership::root(0o644),
            notifies: vec![Notify::reload("nginx.service")],
        }));
        // The timer's certbot must know a private authority as well.
        let bundle = tls.root.as_ref().map(|_| {
            let root = private_root(app);
            format!(
                "# Written by geodeploy.\n[Service]\nEnvironment=REQUESTS_CA_BUNDLE={}\n",
                root.display()
            )
        });
        resources.push(drop_in_of("certbot.service", bundle));
        resources.push(service("certbot.service", None));
        resources.push(service("certbot.timer", Some(true)));
        Ok(resources)
    }

    /// The certificate, and what is served with it. Without `[tls]` what was served with it goes.
    pub(super) fn https(&self) -> Result<Vec<Resource>, Error> {
        let app = self.app();
        let inventory = self.inventory;
        let region = self.region;
        let mut resources = Vec::new();
        if let Some(tls) = &inventory.tls {
            let names = &region.nginx.server_names;
            resources.push(Resource::Certificate(Certificate {
                lineage: lineage(app),
                names: names.iter().map(ToString::to_string).collect(),
                email: tls.email.as_str().to_owned(),
                directory: tls.directory.as_str().to_owned(),
                root: tls.root.as_ref().map(|_| private_root(app)),
            }));
        }
        let folder = folder(app);
        let files = [
            (
                format!("/etc/nginx/sites-available/{app}-tls"),
                "site-tls.conf.j2",
                true,
            ),
            (format!("{folder}/redirect.conf"), "redirect.conf.j2", false),
        ];
        for (path, template, site) in files {
            let file = self.only_with_tls(path, template, site)?;
            resources.push(Resource::HttpsSite(HttpsSite { file }));
        }
        resources.push(Resource::Failover(self.failover(folder)));
        Ok(resources)
    }

    fn only_with_tls(&self, path: String, template: &str, site: bool) -> Result<Nginx, Error> {
        let rendered = self.render(template)?;
        Ok(Nginx {
            path: PathBuf::from(path),
            content: self.inventory.tls.as_ref().map(|_| rendered.text),
            template: rendered.origin,
            template_lines: rendered.lines,
            enabled_site: site,
        })
    }

    fn failover(&self, folder: String) -> Failover {
        let backup = self.region.nginx.backup.as_ref();
        let backup = backup.and_then(|name| self.inventory.region(name.as_str()).ok());
        let both = self.inventory.tls.as_ref().zip(backup);
        let line = format!(
            "# Written by geodeploy: the listener of the other region.\n\
             server 127.0.0.1:{PEER_LISTENER} backup;\n"
        );
        Failover {
            file: Nginx {
                path: PathBuf::from(format!("{folder}/backup.conf")),
                content: both.map(|_| line),
                template: "templates/site.conf.j2".to_owned(),
                template_lines: Vec::new(),
                enabled_site: false,
            },
            region: backup.map_or_else(String::new, |other| other.name.to_string()),
            domain: backup.map_or_else(String::new, |other| other.domain.to_string()),
            address: backup.map_or_else(String::new, |other| other.addresses.ipv4.to_string()),
            trusted: both.map_or_else(PathBuf::new, |(tls, _)| trusted(self.app(), tls)),
        }
    }

    /// The root of a private authority; it is public, and comes with the secrets because it is a file of the operator's.
    fn root_text(&self) -> Result<Option<String>, Error> {
        let tls = self.inventory.tls.as_ref();
        let Some(reference) = tls.and_then(|tls| tls.root.as_ref()) else {
            return Ok(None);
        };
        let Some(text) = self.secrets.get(reference) else {
            return Err(Error::new(
                ErrorKind::Input,
                format!("no file was read for {}", reference.key),
            )
            .hint("run `geodeploy check`, which reads all of them"));
        };
        Ok(Some(format!("{}\n", text.expose().trim_end())))
    }
}
