//! Backups as an operator asks for them: which there are, one more, one put back, one tried out.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::message::{self, BackupOrder, Event, Holder, MongoLogin, Outcome};
use super::scratch::Scratch;
use super::system::{Fault, Invocation, System};
use super::{converged, failed, paths, run};
use crate::backup::folder::{Folder, Verified};
use crate::backup::manifest::Manifest;
use crate::backup::restore::{self, Restored, user};
use crate::backup::server::{Address, Login, Server};
use crate::resource::mongo::Connection;

/// The unit that makes a backup.
const UNIT: &str = "geodeploy-backup.service";

/// The unit's own limit, and a little.
const LONGEST: Duration = Duration::from_secs(6 * 3600 + 60);

/// Answers; a lost operator ends no restore half-way through its cleaning up.
pub(super) fn answer(
    order: &BackupOrder,
    operator: &str,
    stdin: &mut impl Read,
    stdout: &mut impl Write,
    system: &dyn System,
) -> io::Result<Outcome> {
    let stdout = std::cell::RefCell::new(stdout);
    let tell = |event: &Event| drop(message::write_event(&mut **stdout.borrow_mut(), event));
    let progress = |text: &str| {
        tell(&Event::Note {
            text: text.to_owned(),
        });
    };
    let answered = match order {
        BackupOrder::List => list(),
        BackupOrder::Make => make(system),
        BackupOrder::Restore {
            connection,
            manifest,
        } => locked(operator, "restore").and_then(|_lock| {
            let restored = restore(connection, manifest, stdin, &progress)?;
            Ok(json!(restored))
        }),
        BackupOrder::Drill {
            file,
            manifest,
            user,
        } => locked(operator, "drill")
            .and_then(|_lock| drill(file, manifest, user, stdin, system, &progress)),
    };
    match answered {
        Ok(value) => {
            tell(&Event::Report { value });
            Ok(converged(0))
        }
        Err(fault) => Ok(failed(&fault)),
    }
}

/// Nothing else changes the host meanwhile.
fn locked(operator: &str, what: &str) -> Result<run::Lock, Fault> {
    let holder = Holder {
        run: format!("{what}-{}", std::process::id()),
        operator: operator.to_owned(),
        since: jiff::Timestamp::now().to_string(),
        what: what.to_owned(),
    };
    run::Lock::take(&holder).map_err(|refused| match refused {
        run::Refused::Busy(other) => Fault::new(
            format!("no {what} now"),
            format!(
                "{} runs {} since {}",
                other.operator, other.what, other.since
            ),
        )
        .hint("wait for it and run the same command again"),
        run::Refused::Io(error) => Fault::new("cannot take the host's lock", error),
    })
}

fn list() -> Result<Value, Fault> {
    let folder = Folder::new(&paths::backups());
    if !folder.path().exists() {
        return Ok(json!({ "backups": [], "verified": null }));
    }
    let files = folder.backups()?;
    let backups: Vec<_> = files
        .iter()
        .map(|file| folder.summary(file))
        .collect::<Result<_, _>>()?;
    Ok(json!({ "backups": backups, "verified": folder.verified()? }))
}

fn make(system: &dyn System) -> Result<Value, Fault> {
    let what = "no backup was made";
    let started = system
        .run(&Invocation::new(&["systemctl", "start", UNIT]).deadline(LONGEST))
        .map_err(|error| Fault::new(what, error))?;
    if !started.success() {
        if started.stderr.contains("not found") {
            return Err(Fault::new(what, format!("the host has no {UNIT}"))
                .hint("write recipients below [database.backup] and run `geodeploy provision`"));
        }
        let journal = [
            "journalctl",
            "--unit",
            UNIT,
            "--lines=5",
            "--output=cat",
            "--no-pager",
        ];
        let log = system.run(&Invocation::new(&journal));
        let log = log.map(|output| output.stdout).unwrap_or_default();
        return Err(Fault::new(what, log.trim()).hint(format!(
            "see the whole of it on the host: `journalctl -u {UNIT}`"
        )));
    }
    let folder = Folder::new(&paths::backups());
    let newest = folder.backups()?.into_iter().next();
    let newest = newest.ok_or_else(|| Fault::new(what, format!("{UNIT} left none")))?;
    Ok(json!(folder.summary(&newest)?))
}

fn restore(
    connection: &Connection,
    manifest: &Manifest,
    input: &mut impl Read,
    progress: &dyn Fn(&str),
) -> Result<Restored, Fault> {
    let address = Address::Loopback {
        port: connection.port,
        ca_file: connection.ca_file.clone(),
        certificate_file: connection.certificate_file.clone(),
    };
    let administrator = Login {
        database: "admin".to_owned(),
        name: connection.admin_user.clone(),
        password: connection.admin_password.clone(),
    };
    let administrator = Server::connect(&address, Some(&administrator))?;
    user::with(
        &administrator,
        |login| Server::connect(&address, Some(login)),
        |server| restore::run(server, manifest, input, false, progress),
    )
}

fn drill(
    file: &str,
    manifest: &Manifest,
    user: &MongoLogin,
    input: &mut impl Read,
    system: &dyn System,
    progress: &dyn Fn(&str),
) -> Result<Value, Fault> {
    let clock = Instant::now();
    let scratch = Scratch::start(&paths::drill(), &paths::mongod().to_string_lossy(), system)?;
    let restored = try_out(&scratch, manifest, user, input, progress);
    scratch.remove()?;
    let restored = restored?;
    let rto_seconds = clock.elapsed().as_secs();
    if restored.differences.is_empty() {
        Folder::new(&paths::backups()).set_verified(&Verified {
            verified_at: jiff::Timestamp::now().to_string(),
            file: file.to_owned(),
            rto_seconds,
        })?;
    }
    let mut report = json!(restored);
    report["rto_seconds"] = rto_seconds.into();
    report["file"] = file.into();
    Ok(report)
}

/// Restores into the scratch server and logs in there as the application does.
fn try_out(
    scratch: &Scratch<'_>,
    manifest: &Manifest,
    user: &MongoLogin,
    input: &mut impl Read,
    progress: &dyn Fn(&str),
) -> Result<Restored, Fault> {
    let server = scratch.connect(None)?;
    let mut restored = restore::run(&server, manifest, input, true, progress)?;
    let login = Login {
        database: user.database.clone(),
        name: user.name.clone(),
        password: user.password.clone(),
    };
    if let Err(fault) = scratch.connect(Some(&login)) {
        let line = format!(
            "{}@{} cannot log in: {}",
            user.name, user.database, fault.why
        );
        restored.differences.push(line);
    }
    Ok(restored)
}

#[cfg(test)]
mod tests;
