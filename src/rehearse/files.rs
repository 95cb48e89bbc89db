//! The files of a blueprint, written below a folder instead of on a host.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use crate::blueprint::Blueprint;
use crate::resource::{Content, Resource};

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it would be on the host.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Writes every file whose text the blueprint knows, in the blueprint's order, with `root` in place of `/`.
///
/// A package archive's file is not among them: its text needs the host's release.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(blueprint: &Blueprint, root: &Path) -> Result<Vec<Written>> {
    blueprint
        .resources
        .iter()
        .flat_map(texts)
        .map(|(path, text)| {
            let place = root.join(path.strip_prefix("/").unwrap_or(&path));
            place
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::write(&place, text))
                .map_err(|why| Error::file(&place, why))?;
            let bytes = text.len() as u64;
            Ok(Written { path, bytes })
        })
        .collect()
}

fn texts(resource: &Resource) -> Vec<(PathBuf, &str)> {
    match resource {
        Resource::Gdnsd(gdnsd) => gdnsd.files().to_vec(),
        other => text(other).into_iter().collect(),
    }
}

fn text(resource: &Resource) -> Option<(PathBuf, &str)> {
    match resource {
        Resource::File(file) => match file.content.as_ref()? {
            Content::Plain(text) => Some((file.path.clone(), text)),
            Content::Secret(secret) => Some((file.path.clone(), secret.expose())),
        },
        Resource::Unit(unit) => Some((
            Path::new("/etc/systemd/system").join(&unit.name),
            &unit.content,
        )),
        Resource::Nginx(file) => Some((file.path.clone(), file.content.as_ref()?)),
        Resource::HttpsSite(site) => Some((site.file.path.clone(), site.file.content.as_ref()?)),
        Resource::Failover(failover) => {
            Some((failover.file.path.clone(), failover.file.content.as_ref()?))
        }
        Resource::MongodConfiguration(file) => Some((file.path.clone(), &file.content)),
        Resource::AptSource(_)
        | Resource::Upgrade(_)
        | Resource::Package(_)
        | Resource::User(_)
        | Resource::Directory(_)
        | Resource::Symlink(_)
        | Resource::Program(_)
        | Resource::Sysctl(_)
        | Resource::Swap(_)
        | Resource::Service(_)
        | Resource::Firewall(_)
        | Resource::Gdnsd(_)
        | Resource::Certificate(_)
        | Resource::ReplicaSet(_)
        | Resource::MongoRole(_)
        | Resource::SetMembers(_)
        | Resource::Primary(_)
        | Resource::MongoUser(_)
        | Resource::RetiredMongoUser(_)
        | Resource::MongoIndex(_)
        | Resource::MongodCertificates(_)
        | Resource::OfflineMongod(_)
        | Resource::Mongod(_) => None,
    }
}
