//! The nightly backup on the database's host: a user of its own, its folder, what it needs to know, its timer.

use std::path::PathBuf;

use super::{PORT, TLS};
use crate::backup::config::Config;
use crate::blueprint::{Build, service};
use crate::error::{Error, ErrorKind};
use crate::resource::{Content, Directory, File, Notify, Ownership, Program, Resource, Unit, User};
use crate::secrets::Secret;

/// Where backups are kept.
pub(in crate::blueprint) const BACKUPS: &str = "/var/lib/geodeploy/backup";

/// The system user that makes them.
const USER: &str = "geodeploy-backup";

/// The user of the database that reads everything.
const READER: &str = "geodeploy_backup";

const SERVICE: &str = "geodeploy-backup.service";
const TIMER: &str = "geodeploy-backup.timer";

/// Where systemd puts what `LoadCredential=` names (systemd.exec(5)).
const CREDENTIALS: &str = "/run/credentials/geodeploy-backup.service";

impl Build<'_> {
    /// Nothing where nobody could open a backup.
    pub(super) fn database_backup(&self) -> Result<Vec<Resource>, Error> {
        let database = &self.inventory.database;
        if database.backup.recipients.is_empty() {
            return Ok(Vec::new());
        }
        let password = self.password(database.backup_password.as_ref(), "backup_password")?;
        let password = Secret::new(format!("{}\n", password.expose()));
        let own = |path: &str, mode, user: &str| {
            Resource::Directory(Directory {
                path: PathBuf::from(path),
                ownership: Ownership {
                    mode,
                    owner: user.to_owned(),
                    group: user.to_owned(),
                },
            })
        };
        let file = |path: &str, content, mode| {
            Resource::File(File {
                path: PathBuf::from(path),
                content: Some(content),
                ownership: Ownership::root(mode),
                notifies: Vec::new(),
            })
        };
        let unit = |name: &str, content, notifies| {
            Resource::Unit(Unit {
                name: name.to_owned(),
                content,
                notifies,
            })
        };
        let [program, timer] =
            ["backup.service.j2", "backup.timer.j2"].map(|name| self.render(name));
        let restart = vec![Notify::restart(TIMER)];
        Ok(vec![
            Resource::User(User {
                name: USER.to_owned(),
                home: PathBuf::from(BACKUPS),
                shell: "/usr/sbin/nologin".to_owned(),
                groups: Vec::new(),
            }),
            own("/var/lib/geodeploy", 0o755, "root"),
            own(BACKUPS, 0o700, USER),
            Resource::Program(Program {
                path: PathBuf::from("/opt/geodeploy/bin/geodeploy"),
            }),
            file(
                "/etc/geodeploy/backup.json",
                Content::Plain(self.backup_config()?),
                0o644,
            ),
            file(
                "/etc/geodeploy/backup.password",
                Content::Secret(password),
                0o600,
            ),
            unit(SERVICE, program?.text, Vec::new()),
            unit(TIMER, timer?.text, restart),
            service(TIMER, Some(true)),
        ])
    }

    fn backup_config(&self) -> Result<String, Error> {
        let backup = &self.inventory.database.backup;
        let config = Config {
            name: self.app().to_owned(),
            port: PORT,
            ca_file: PathBuf::from(format!("{TLS}/ca.pem")),
            certificate_file: PathBuf::from(format!("{CREDENTIALS}/certificate")),
            user: READER.to_owned(),
            password_file: PathBuf::from(format!("{CREDENTIALS}/password")),
            folder: PathBuf::from(BACKUPS),
            keep: usize::try_from(backup.keep).unwrap_or(usize::MAX),
            recipients: backup.recipients.iter().map(ToString::to_string).collect(),
        };
        let text = serde_json::to_string_pretty(&config).map_err(|error| {
            Error::new(ErrorKind::Failed, "cannot write the backup's configuration").cause(error)
        })?;
        Ok(format!("{text}\n"))
    }
}
