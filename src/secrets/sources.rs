//! One function a source: a variable, a file, a program, an age file.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::Secret;
use crate::inventory::{Inventory, SecretSource, VariableName, Wrong};

/// How long a program may take to print a secret.
const DEADLINE: Duration = Duration::from_secs(10);

/// No secret is longer, in bytes; what is longer is the wrong file.
const LONGEST: u64 = 64 * 1024;

/// A secret, and what was unwise on the way to it.
pub(super) struct Fetched {
    pub(super) secret: Secret,
    pub(super) warnings: Vec<Wrong>,
}

/// Fetches a secret; relative paths and programs start in the inventory's folder.
pub(super) fn fetch(source: &SecretSource, inventory: &Inventory) -> Result<Fetched, Wrong> {
    let mut warnings = Vec::new();
    let text = match source {
        SecretSource::Environment(name) => variable(name)?,
        SecretSource::File(path) => {
            let path = located(path, inventory)?;
            warnings.extend(readable_by_others(&path));
            text(read(&path)?, &path.display().to_string())?
        }
        SecretSource::Public(path) => {
            let path = located(path, inventory)?;
            text(read(&path)?, &path.display().to_string())?
        }
        SecretSource::Command(argv) => command(argv, inventory, DEADLINE)?,
        SecretSource::Age { file, identity } => {
            let identity = located(identity, inventory)?;
            warnings.extend(readable_by_others(&identity));
            decrypt(&located(file, inventory)?, &identity)?
        }
    };
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.is_empty() {
        return Err(Wrong::new(
            "the secret is empty",
            "put the secret where the inventory looks for it",
        ));
    }
    Ok(Fetched {
        secret: Secret::new(secret.to_owned()),
        warnings,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "an inventory may name a variable as the source of a secret"
)]
fn variable(name: &VariableName) -> Result<Zeroizing<String>, Wrong> {
    match std::env::var(name.as_str()) {
        Ok(value) => Ok(Zeroizing::new(value)),
        Err(std::env::VarError::NotPresent) => Err(Wrong::new(
            format!("the environment has no variable {name}"),
            format!(
                "type `read -rs {name} && export {name}`, or write another source into the inventory"
            ),
        )),
        Err(std::env::VarError::NotUnicode(_)) => Err(Wrong::new(
            format!("the variable {name} is not UTF-8"),
            "encode it, for example in base64",
        )),
    }
}

/// The path of an inventory as the program can open it: `~/` is the operator's home.
///
/// # Errors
/// When it begins at a home and none is known.
#[expect(
    clippy::disallowed_methods,
    reason = "~/ in an inventory is the operator's home"
)]
pub(crate) fn located(path: &Path, inventory: &Inventory) -> Result<PathBuf, Wrong> {
    let Ok(below_home) = path.strip_prefix("~") else {
        return Ok(inventory.resolve(path));
    };
    match std::env::var("HOME") {
        Ok(home) => Ok(Path::new(&home).join(below_home)),
        Err(_) => Err(Wrong::new(
            format!("{} begins at a home, and HOME is not set", path.display()),
            "write the whole path",
        )),
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    let mut bytes = Zeroizing::new(Vec::new());
    let file =
        std::fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    match file {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Wrong::new(
            format!("{} cannot be read: {error}", path.display()),
            "name a file that you can read; a relative path starts at the inventory's folder",
        )),
    }
}

fn text(bytes: Zeroizing<Vec<u8>>, from: &str) -> Result<Zeroizing<String>, Wrong> {
    if bytes.len() as u64 > LONGEST {
        let cause = format!("{from} gives more than {LONGEST} bytes");
        return Err(Wrong::new(
            cause,
            "name a source that holds the secret and nothing else",
        ));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Wrong::new(
            format!("{from} gives bytes that are not UTF-8"),
            "encode them, for example in base64",
        )),
    }
}

fn readable_by_others(path: &Path) -> Option<Wrong> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        let path = path.display();
        Wrong::new(
            format!("{path} has mode {mode:04o}: others can read or write it"),
            format!("type `chmod 600 {path}`"),
        )
    })
}

/// Runs a program without a shell and without input. What it prints is the secret, so only its standard error is shown.
#[expect(
    clippy::disallowed_methods,
    reason = "an inventory may name a program as the source of a secret"
)]
fn command(
    argv: &[String],
    inventory: &Inventory,
    deadline: Duration,
) -> Result<Zeroizing<String>, Wrong> {
    let remedy = |program: &str| format!("try `{program}` with the same arguments yourself");
    let Some((program, arguments)) = argv.split_first() else {
        return Err(Wrong::new(
            "the command names no program",
            "write command = [\"program\", \"argument\"]",
        ));
    };
    let folder = inventory.resolve(Path::new("."));
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            Wrong::new(
                format!("`{program}` cannot be started: {error}"),
                remedy(program),
            )
        })?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let end = Instant::now() + deadline;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => {
                // It may have ended by itself just now, which is as good.
                drop(child.kill());
                drop(child.wait());
                let cause = format!(
                    "`{program}` printed no secret within {} s",
                    deadline.as_secs_f32()
                );
                return Err(Wrong::new(cause, remedy(program)));
            }
        }
    };
    let left = end
        .saturating_duration_since(Instant::now())
        .max(Duration::from_secs(1));
    if !status.success() {
        let said = stderr.recv_timeout(left).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.trim().lines().collect();
        let said = lines[lines.len().saturating_sub(4)..].join(" / ");
        return Err(Wrong::new(
            format!("`{program}` ended with {status}: {said}"),
            remedy(program),
        ));
    }
    let printed = stdout.recv_timeout(left).map_err(|_| {
        Wrong::new(
            format!("`{program}` ended and something it started still prints"),
            remedy(program),
        )
    })?;
    text(printed, &format!("`{program}`"))
}

/// Reads a pipe to its end beside the caller, so that a full pipe stops nobody.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Zeroizing<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::new());
        let read = pipe.map(|mut pipe| {
            let kept = pipe.by_ref().take(LONGEST + 1).read_to_end(&mut bytes);
            kept.and_then(|_| std::io::copy(&mut pipe, &mut std::io::sink()))
        });
        // A pipe that breaks has given what it had; a caller that has given up wants nothing.
        drop(read);
        drop(sender.send(bytes));
    });
    receiver
}

fn decrypt(file: &Path, identity: &Path) -> Result<Zeroizing<String>, Wrong> {
    let identities = read(identity)?;
    let identities = age::IdentityFile::from_buffer(&identities[..])
        .map_err(|error| error.to_string())
        .and_then(|file| file.into_identities().map_err(|error| error.to_string()))
        .map_err(|error| {
            Wrong::new(
                format!(
                    "{} is not a file of age identities: {error}",
                    identity.display()
                ),
                "name the file that `age-keygen -o FILE` wrote, not encrypted itself",
            )
        })?;
    let sealed = read(file)?;
    let refused = |error: String| {
        Wrong::new(
            format!(
                "{} cannot be decrypted with {}: {error}",
                file.display(),
                identity.display()
            ),
            "name the identity that it was encrypted to, or encrypt it again with `age -r RECIPIENT`",
        )
    };
    let decryptor = age::Decryptor::new(age::armor::ArmoredReader::new(&sealed[..]))
        .map_err(|error| refused(error.to_string()))?;
    let mut reader = decryptor
        .decrypt(
            identities
                .iter()
                .map(|identity| identity.as_ref() as &dyn age::Identity),
        )
        .map_err(|error| refused(error.to_string()))?
        .take(LONGEST + 1);
    let mut bytes = Zeroizing::new(Vec::new());
    reader
        .read_to_end(&mut bytes)
        .map_err(|error| refused(error.to_string()))?;
    text(bytes, &file.display().to_string())
}

#[cfg(test)]
mod tests;
