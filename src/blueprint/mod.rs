//! What a region's host should be: inventory and secrets become resources, templates become files. Pure, but for
//! reading templates of the operator's own.
//!
//! The order of the resources is the order in which they are made: it reads as a runbook.

mod context;
mod database;
mod dns;
mod environment;
mod firewall;
mod https;
mod packages;
mod quote;
mod serving;
mod templates;
mod undefined;
mod units;

pub use database::{
    ADMIN, BACKUP, Contents, MONITOR, Promotion, contents, members, promotion,
    refuse_without_member,
};
pub use dns::{embedded as embedded_dns, only_dns};
pub use environment::{Variable, variables};
pub use templates::{NAMES, Rendered, Templates};

use std::path::PathBuf;

use crate::error::{Error, ErrorKind};
use crate::inventory::{Inventory, Region, RegionName};
use crate::resource::{
    Content, Directory, File, Notify, Ownership, Requirement, Resource, Service, Swap, Sysctl, User,
};
use crate::secrets::Secrets;

/// What a region's host should be.
#[derive(Clone, Debug)]
pub struct Blueprint {
    /// Which region.
    pub region: RegionName,
    /// What its host must offer before anything on it is changed.
    pub requirements: Vec<Requirement>,
    /// Everything managed on its host, in the order in which it is made.
    pub resources: Vec<Resource>,
}

/// Kernel settings of a host that holds many long and silent streams, with the reason for each.
const SYSCTLS: [(&str, &str); 4] = [
    // As many connections may wait for a generation to start as the socket's own backlog says.
    ("net.core.somaxconn", "4096"),
    ("net.ipv4.tcp_max_syn_backlog", "4096"),
    // A client that is gone is noticed after some 100 s of unanswered data, not after 15 minutes.
    ("net.ipv4.tcp_retries2", "8"),
    // A stream that was silent goes on at the speed that it had: over 180 ms a slow start is seen.
    ("net.ipv4.tcp_slow_start_after_idle", "0"),
];

/// The blueprint of one region.
///
/// # Errors
/// The region is not in the inventory, a secret was not resolved, or a template does not render; with its file and line.
pub fn region(
    inventory: &Inventory,
    name: &RegionName,
    secrets: &Secrets,
) -> Result<Blueprint, Error> {
    let region = inventory
        .region(name.as_str())
        .map_err(|wrong| Error::new(ErrorKind::Usage, wrong.cause).hint(wrong.remedy))?;
    let build = Build {
        inventory,
        region,
        secrets,
        templates: &Templates::load(inventory)?,
    };
    let mut resources = build.packages()?;
    resources.extend(build.host()?);
    resources.extend(build.database()?);
    resources.extend(build.application()?);
    resources.extend(build.certbot()?);
    resources.extend(build.web_server()?);
    resources.extend(build.dns()?);
    resources.push(firewall::rules(inventory, region));
    resources.extend(build.https()?);
    Ok(Blueprint {
        region: region.name.clone(),
        requirements: build.database_requirements()?,
        resources,
    })
}

/// What is wrong with the templates of a region, those too that no resource needs yet; each with its file and line.
pub fn mistakes(inventory: &Inventory, region: &Region, secrets: &Secrets) -> Vec<Error> {
    let templates = match Templates::load(inventory) {
        Ok(templates) => templates,
        Err(error) => return vec![error],
    };
    let build = Build {
        inventory,
        region,
        secrets,
        templates: &templates,
    };
    let rendered = NAMES.iter().map(|name| match *name {
        environment::TEMPLATE => build.environment_text(),
        name => build.render(name),
    });
    rendered.filter_map(Result::err).collect()
}

/// What every part of a blueprint is made from.
struct Build<'b> {
    inventory: &'b Inventory,
    region: &'b Region,
    secrets: &'b Secrets,
    templates: &'b Templates,
}

impl Build<'_> {
    fn app(&self) -> &str {
        self.inventory.app.name.as_str()
    }

    fn render(&self, template: &str) -> Result<Rendered, Error> {
        self.templates.render(template, &self.context())
    }

    fn context(&self) -> minijinja::Value {
        context::of(self.inventory, self.region)
    }

    /// The rendered environment file; only its variables' values are secret, but the file is kept as one.
    fn environment_text(&self) -> Result<Rendered, Error> {
        let variables = variables(self.inventory, self.region, self.secrets)?;
        environment::render(self.templates, self.inventory, self.region, &variables)
    }

    /// The system around the application: user, folders, kernel, swap, logs, time.
    fn host(&self) -> Result<Vec<Resource>, Error> {
        let app = self.app();
        let mut resources = vec![Resource::User(User {
            name: app.to_owned(),
            home: PathBuf::from(format!("/var/lib/{app}")),
            shell: "/usr/sbin/nologin".to_owned(),
            groups: Vec::new(),
        })];
        let folders = [
            ("/opt/geodeploy".to_owned(), 0o755),
            ("/opt/geodeploy/releases".to_owned(), 0o755),
            ("/opt/geodeploy/generations".to_owned(), 0o755),
            (format!("/etc/{app}"), 0o700),
        ];
        resources.extend(folders.into_iter().map(|(path, mode)| {
            Resource::Directory(Directory {
                path: PathBuf::from(path),
                ownership: Ownership::root(mode),
            })
        }));
        resources.extend(SYSCTLS.into_iter().map(|(name, value)| {
            Resource::Sysctl(Sysctl {
                name: name.to_owned(),
                value: value.to_owned(),
            })
        }));
        if let Some(size) = self.region.system.swap {
            resources.push(Resource::Swap(Swap {
                path: PathBuf::from("/swapfile"),
                megabytes: size.as_mebibytes(),
            }));
        }
        let journal = self.render("journald.conf.j2")?.text;
        resources.push(drop_in("journald", Some(journal)));
        resources.push(service("systemd-journald.service", Some(true)));
        let time = match self.region.system.time_servers.is_empty() {
            true => None,
            false => Some(self.render("timesyncd.conf.j2")?.text),
        };
        resources.push(drop_in("timesyncd", time));
        // Where a host cannot set its clock, as in a container, the unit is enabled and does not run.
        resources.push(service("systemd-timesyncd.service", None));
        Ok(resources)
    }

    /// The environment that the next generation gets.
    fn environment(&self) -> Result<Resource, Error> {
        let text = self.environment_text()?.text;
        Ok(Resource::File(File {
            path: PathBuf::from(format!("/etc/{}/env", self.app())),
            content: Some(Content::Secret(crate::secrets::Secret::new(text))),
            ownership: Ownership::root(0o600),
            notifies: Vec::new(),
        }))
    }
}

/// A drop-in of one of systemd's own daemons, which is restarted when it changes; `None` when there must be none.
fn drop_in(daemon: &str, text: Option<String>) -> Resource {
    Resource::File(File {
        path: PathBuf::from(format!("/etc/systemd/{daemon}.conf.d/60-geodeploy.conf")),
        content: text.map(Content::Plain),
        ownership: Ownership::root(0o644),
        notifies: vec![Notify::restart(format!("systemd-{daemon}.service"))],
    })
}

/// A drop-in of a distribution's unit, which reads it when it starts next; `None` when there must be none.
fn drop_in_of(unit: &str, text: Option<String>) -> Resource {
    Resource::File(File {
        path: PathBuf::from(format!("/etc/systemd/system/{unit}.d/60-geodeploy.conf")),
        content: text.map(Content::Plain),
        ownership: Ownership::root(0o644),
        notifies: Vec::new(),
    })
}

fn service(unit: &str, running: Option<bool>) -> Resource {
    Resource::Service(Service {
        unit: unit.to_owned(),
        enabled: true,
        running,
    })
}

#[cfg(test)]
mod tests;
