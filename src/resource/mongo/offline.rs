//! MongoDB from a file that the operator sent, laid out like its package.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::UNIT;
use crate::agent::paths;
use crate::agent::system::{Fault, Invocation};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::resource::{Context, Manage, Notify, Ownership, apt};
use crate::secrets::FingerprintKey;

/// The name of the vendor's package with the server.
const PACKAGE: &str = "mongodb-org-server";

/// Where the package puts the server.
const PROGRAM: &str = "/usr/bin/mongod";

/// How the file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A Debian package, whose dependencies apt sees to.
    Package,
    /// A gzip-compressed tar archive with `*/bin/mongod`.
    Archive,
}

/// The server out of one file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OfflineMongod {
    /// SHA-256 of the file, hex. The operator sends it before the resource is made.
    pub sha256: String,
    /// How the file is laid out.
    pub form: Form,
    /// The server's unit, which runs the old program until it starts anew.
    pub notifies: Vec<Notify>,
}

/// What was installed from which file: the program itself tells whether it still is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    archive: String,
    program: String,
}

impl OfflineMongod {
    /// As desired, from that file.
    pub fn new(sha256: String, form: Form) -> Self {
        Self {
            sha256,
            form,
            notifies: vec![Notify::restart(UNIT)],
        }
    }

    fn what(&self) -> String {
        format!(
            "cannot install MongoDB from the file {}",
            &self.sha256[..12.min(self.sha256.len())]
        )
    }

    fn run(&self, context: &Context<'_>, argv: &[&str]) -> Result<String, Fault> {
        let patience = Duration::from_secs(300);
        let output = context
            .system
            .run(&Invocation::new(argv).deadline(patience));
        let output = output.map_err(|error| Fault::new(self.what(), error))?;
        output.checked(&self.what()).map(|output| output.stdout)
    }

    /// SHA-256 of the installed program; `None` where there is none.
    fn installed(&self, context: &Context<'_>) -> Result<Option<String>, Fault> {
        let found = context.system.metadata(Path::new(PROGRAM));
        if found
            .map_err(|error| Fault::new(format!("cannot look at {PROGRAM}"), error))?
            .is_none()
        {
            return Ok(None);
        }
        let said = self.run(context, &["sha256sum", "--", PROGRAM])?;
        Ok(said.split(' ').next().map(str::to_owned))
    }

    fn record(&self, context: &Context<'_>) -> Result<Option<Record>, Fault> {
        let path = record();
        let bytes = context.system.read(&path);
        let bytes =
            bytes.map_err(|error| Fault::new(format!("cannot read {}", path.display()), error))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    fn install_package(&self, file: &str, context: &Context<'_>) -> Result<(), Fault> {
        apt::repair(context)?;
        // apt takes a file for a package by its ending.
        let named = format!("{file}.deb");
        self.run(context, &["ln", "-f", "--", file, &named])?;
        let arguments = [
            "install",
            "--no-install-recommends",
            "--allow-downgrades",
            "--allow-change-held-packages",
            "--reinstall",
            &named,
        ];
        let installed = apt::get(context, &self.what(), &arguments);
        context.facts.forget();
        installed.map_err(|fault| {
            fault.hint("the libraries that it names must come from the distribution's archive")
        })?;
        self.run(context, &["rm", "-f", "--", &named])?;
        self.run(context, &["apt-mark", "hold", PACKAGE]).map(drop)
    }

    fn unpack(&self, file: &str, context: &Context<'_>) -> Result<(), Fault> {
        let folder = paths::archive(&self.sha256).with_extension("unpacked");
        let (place, staged) = (folder.to_string_lossy(), "/usr/bin/.mongod.geodeploy");
        self.run(context, &["rm", "-rf", "--", &place])?;
        self.run(context, &["mkdir", "-p", "--", &place])?;
        let tar = [
            "tar",
            "-xzf",
            file,
            "-C",
            &place,
            "--strip-components=2",
            "--no-same-owner",
            "--wildcards",
            "*/bin/mongod",
        ];
        self.run(context, &tar)?;
        let program = format!("{place}/mongod");
        // Before it takes its place: it says which library the host lacks.
        self.run(context, &[&program, "--version"])
            .map_err(|fault| {
                fault.hint(
                    "add the missing libraries to `packages.extra`: libcurl4, libssl3, liblzma5",
                )
            })?;
        self.run(
            context,
            &[
                "install", "-m", "0755", "-o", "root", "-g", "root", &program, staged,
            ],
        )?;
        self.run(context, &["mv", "-f", "--", staged, PROGRAM])?;
        self.run(context, &["rm", "-rf", "--", &place]).map(drop)
    }
}

fn record() -> PathBuf {
    paths::archives().join("mongod.json")
}

fn describe(archive: &str) -> Attributes {
    Attributes::new()
        .text("installed", "yes")
        .text("archive", archive)
}

impl Manage for OfflineMongod {
    fn id(&self) -> Id {
        Id::new(Kind::Package, PACKAGE)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(describe(&self.sha256))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let Some(program) = self.installed(context)? else {
            return Ok(None);
        };
        Ok(Some(match self.record(context)? {
            Some(record) if record.program == program => describe(&record.archive),
            Some(_) => describe("another program than was installed from it"),
            None => describe("another source"),
        }))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let file = paths::archive(&self.sha256);
        let found = context.system.metadata(&file);
        if found
            .map_err(|error| Fault::new(self.what(), error))?
            .is_none()
        {
            return Err(Fault::new(self.what(), "the operator has not sent it")
                .hint("run `geodeploy provision` again, which sends it first"));
        }
        let name = file.to_string_lossy();
        match self.form {
            Form::Package => self.install_package(&name, context)?,
            Form::Archive => self.unpack(&name, context)?,
        }
        let program = self.installed(context)?;
        let program =
            program.ok_or_else(|| Fault::new(self.what(), format!("it brought no {PROGRAM}")))?;
        let fault = |error| Fault::new(self.what(), error);
        let told = Record {
            archive: self.sha256.clone(),
            program,
        };
        let json = serde_json::to_vec(&told).map_err(|error| fault(error.into()))?;
        let written = context
            .system
            .write(&record(), &json, &Ownership::root(0o644));
        written.map_err(fault)?;
        context.system.remove(&file).map_err(fault)
    }

    fn notifies(&self) -> &[Notify] {
        &self.notifies
    }
}

#[cfg(test)]
mod tests;
