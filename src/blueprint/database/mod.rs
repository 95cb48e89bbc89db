//! The database's host, and what the application of every region needs to talk to it.

mod backup;
mod contents;
mod promotion;
mod requirements;
mod set;
mod uri;

use std::path::PathBuf;

pub(super) use backup::BACKUPS;
pub use contents::{ADMIN, BACKUP, Contents, MONITOR, contents};
pub use promotion::{Promotion, promotion, refuse_without_member};
pub use set::members;
pub(super) use uri::uri;

use super::{Build, service};
use crate::error::{Error, ErrorKind};
use crate::inventory::{OfflineForm, SecretReference};
use crate::resource::mongo::{Form, mistakes};
use crate::resource::{
    AptSource, Content, Directory, File, MongodConfiguration, Notify, OfflineMongod, Ownership,
    Package, Resource, Sysctl, Unit, User,
};
use crate::secrets::Secret;

/// Port of MongoDB.
pub(super) const PORT: u16 = 27017;

/// The folder of certificates and keys on hosts.
pub(super) const TLS: &str = "/etc/geodeploy/tls";

/// The replica set's name.
pub(super) const SET: &str = "rs0";

/// MongoDB's unit.
const UNIT: &str = "mongod.service";

/// The user that MongoDB's package makes.
const USER: &str = "mongodb";

impl Build<'_> {
    fn holds_database(&self) -> bool {
        self.inventory
            .database_regions()
            .iter()
            .any(|region| region.name == self.region.name)
    }

    /// What the application needs to talk to the database: the authority's certificate, and its own.
    fn database_client(&self) -> Result<Vec<Resource>, Error> {
        let tls = &self.inventory.database.tls;
        let own = tls.clients.get(&self.region.name);
        let app = self.app();
        let mut resources: Vec<Resource> = ["/etc/geodeploy", TLS]
            .map(|path| {
                Resource::Directory(Directory {
                    path: PathBuf::from(path),
                    ownership: Ownership::root(0o755),
                })
            })
            .into();
        let authority = self.needed(&tls.authority)?;
        // A running server takes them without a restart; the application's next generation reads the new ones.
        let notifies = match self.holds_database() {
            true => vec![Notify::rotate(UNIT)],
            false => Vec::new(),
        };
        resources.push(Resource::File(File {
            path: PathBuf::from(format!("{TLS}/ca.pem")),
            content: Some(Content::Plain(format!("{}\n", authority.expose()))),
            ownership: Ownership::root(0o644),
            notifies,
        }));
        if let Some(own) = own {
            resources.push(Resource::File(File {
                path: PathBuf::from(format!("{TLS}/client.pem")),
                content: Some(self.private(own)?),
                ownership: owned(app),
                notifies: Vec::new(),
            }));
        }
        Ok(resources)
    }

    /// On the host of its region MongoDB itself: archive, package, keys, configuration, service. On the others what their
    /// application needs to talk to it.
    pub(super) fn database(&self) -> Result<Vec<Resource>, Error> {
        if !self.inventory.database.mode.on_hosts() {
            return Ok(Vec::new());
        }
        if !self.holds_database() {
            return self.database_client();
        }
        let mut resources = self.database_program()?;
        // The application's files and the database's share a folder and an authority.
        resources.extend(self.database_client()?);
        let tls = &self.inventory.database.tls;
        for (name, reference, notify) in [
            (
                "mongod.pem",
                tls.servers.get(&self.region.name),
                Notify::rotate(UNIT),
            ),
            ("mongod.key", Some(&tls.member_key), Notify::restart(UNIT)),
        ] {
            let Some(reference) = reference else { continue };
            resources.push(Resource::File(File {
                path: PathBuf::from(format!("{TLS}/{name}")),
                content: Some(self.private(reference)?),
                ownership: owned(USER),
                notifies: vec![notify],
            }));
        }
        resources.extend(self.database_kernel());
        resources.push(Resource::MongodConfiguration(MongodConfiguration {
            path: PathBuf::from("/etc/mongod.conf"),
            content: self.configuration()?,
        }));
        resources.push(Resource::Unit(Unit {
            name: UNIT.to_owned(),
            content: self.render("mongod.service.j2")?.text,
            notifies: vec![Notify::restart(UNIT)],
        }));
        resources.push(service(UNIT, Some(true)));
        resources.extend(self.database_inside()?);
        resources.extend(self.database_backup()?);
        Ok(resources)
    }

    /// The text of mongod.conf, also of a template of the operator's own, held against what no database may do.
    fn configuration(&self) -> Result<String, Error> {
        const TEMPLATE: &str = "mongod.conf.j2";
        let rendered = self.render(TEMPLATE)?;
        let mistakes = mistakes(&rendered.text);
        if mistakes.is_empty() {
            return Ok(rendered.text);
        }
        let what = format!("{} makes a database that must not run", rendered.origin);
        let error = Error::new(ErrorKind::Input, what);
        Err(mistakes
            .into_iter()
            .fold(error, Error::cause)
            .hint("geodeploy's own template binds loopback and the addresses of `bind`, with TLS and logins"))
    }

    /// From an apt archive, or from a file of the operator's; then with what the package would bring.
    fn database_program(&self) -> Result<Vec<Resource>, Error> {
        let Some(offline) = &self.inventory.database.archive.offline else {
            return Ok(vec![self.database_archive()?, self.database_package()]);
        };
        let mongod =
            |form| Resource::OfflineMongod(OfflineMongod::new(offline.sha256.clone(), form));
        if offline.form == OfflineForm::Package {
            return Ok(vec![mongod(Form::Package)]);
        }
        let mut resources = vec![
            Resource::User(User {
                name: USER.to_owned(),
                home: PathBuf::from("/var/lib/mongodb"),
                shell: "/usr/sbin/nologin".to_owned(),
                groups: Vec::new(),
            }),
            mongod(Form::Archive),
        ];
        for path in ["/var/lib/mongodb", "/var/log/mongodb"] {
            resources.push(Resource::Directory(Directory {
                path: PathBuf::from(path),
                ownership: Ownership {
                    mode: 0o755,
                    ..owned(USER)
                },
            }));
        }
        Ok(resources)
    }

    fn database_archive(&self) -> Result<Resource, Error> {
        let database = &self.inventory.database;
        let archive = &database.archive;
        let key = match &archive.key {
            Some(reference) => Some(format!("{}\n", self.needed(reference)?.expose())),
            None => None,
        };
        Ok(Resource::AptSource(AptSource {
            name: format!("mongodb-org-{}", database.version.series()),
            uris: vec![archive.url.clone()],
            suites: vec![archive.suite.clone()],
            components: vec![archive.component.clone()],
            signed_by: key,
            replaces_default: false,
        }))
    }

    /// The server alone: shells and tools stay off the host. It is held, so that no upgrade restarts it unasked.
    fn database_package(&self) -> Resource {
        Resource::Package(Package {
            name: "mongodb-org-server".to_owned(),
            version: self.inventory.database.version.release().map(str::to_owned),
            installed: true,
            held: true,
        })
    }

    fn database_kernel(&self) -> Vec<Resource> {
        // A connection over a link that was cut is noticed within minutes, not hours (MongoDB's production notes).
        let mut wanted = vec![("net.ipv4.tcp_keepalive_time", "120")];
        if self.region.system.swap.is_some() {
            // Swap is for emergencies, not for the cache.
            wanted.push(("vm.swappiness", "1"));
        }
        let sysctl = |(name, value): (&str, &str)| {
            Resource::Sysctl(Sysctl {
                name: name.to_owned(),
                value: value.to_owned(),
            })
        };
        wanted.into_iter().map(sysctl).collect()
    }

    /// A secret that the inventory's checks have seen to be there.
    fn needed(&self, reference: &SecretReference) -> Result<&Secret, Error> {
        self.secrets.get(reference).ok_or_else(|| {
            Error::new(
                ErrorKind::Input,
                format!("no secret was resolved for {}", reference.key),
            )
            .hint("run `geodeploy check`, which resolves all of them")
        })
    }

    /// A private key's file, with the line end that its reader took away.
    fn private(&self, reference: &SecretReference) -> Result<Content, Error> {
        let text = format!("{}\n", self.needed(reference)?.expose());
        Ok(Content::Secret(Secret::new(text)))
    }
}

/// A private key of that user's: nobody else may read it, and it need not write it.
fn owned(user: &str) -> Ownership {
    Ownership {
        mode: 0o400,
        owner: user.to_owned(),
        group: user.to_owned(),
    }
}
