//! moto, a Route 53 of somebody else's making, in a virtual environment below `target/`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Fixed, since its gaps are filled by [`crate::strict`].
const PACKAGE: &str = "moto[server]==5.2.1";

struct Running {
    port: u16,
    /// Its standard input ends with this process, and so does it.
    _child: Child,
}

#[expect(clippy::disallowed_methods, reason = "the test's own programs")]
fn command(program: &Path) -> Command {
    Command::new(program)
}

/// The port of the one server of this process, or why there is none.
fn server() -> &'static Result<Running, String> {
    static SERVER: OnceLock<Result<Running, String>> = OnceLock::new();
    SERVER.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dns_route53/moto_server.py");
        let mut child = command(&python()?)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("no output")?;
        BufReader::new(out)
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
        let port = line.trim().parse();
        Ok(Running {
            port: port.map_err(|_| format!("moto does not start: {line:?}"))?,
            _child: child,
        })
    })
}

/// A Python that has moto; fetched from PyPI by its ordinary client, once.
fn python() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moto-5.2.1");
    let python = folder.join("bin/python");
    let done = folder.join("complete");
    if done.exists() {
        return Ok(python);
    }
    let run = |program: &Path, arguments: &[&str]| {
        let output = command(program).args(arguments).output();
        match output {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(format!("{}: {error}", program.display())),
        }
    };
    let place = folder.to_string_lossy();
    run(Path::new("python3"), &["-m", "venv", &place])?;
    run(&python, &["-m", "pip", "install", "--quiet", PACKAGE])?;
    std::fs::write(done, "").map_err(|error| error.to_string())?;
    Ok(python)
}

/// Where it listens.
pub(crate) fn port() -> u16 {
    server().as_ref().map(|running| running.port).unwrap()
}

/// Says loudly that a test is skipped, where there is no moto.
pub(crate) fn is_missing(test: &str) -> bool {
    match server() {
        Ok(_) => false,
        Err(why) => {
            println!("SKIPPED: {test}: no moto to test with: {why}");
            true
        }
    }
}
