//! Programs with a deadline: a program that hangs must not make the run hang.

use std::io::{self, ErrorKind, Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

use crate::agent::system::{Invocation, Output};

/// A run under systemd or sudo may have a short search path, or none.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a program may take to end when it is told to.
const GRACE: Duration = Duration::from_secs(5);

/// Runs a program in an environment of its own, without the caller's variables.
pub(super) fn run(invocation: &Invocation<'_>) -> io::Result<Output> {
    let Some((program, arguments)) = invocation.argv.split_first() else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "no program named"));
    };
    let mut child = match start(program, arguments, invocation) {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Output {
                status: 127,
                stdout: String::new(),
                stderr: format!("{program}: not installed"),
            });
        }
        Err(error) => return Err(error),
    };
    feed(&mut child, invocation.stdin);
    let stdout = Gathered::from(child.stdout.take());
    let stderr = Gathered::from(child.stderr.take());
    let status = wait(child, program, invocation.deadline)?;
    Ok(Output {
        status: status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
        stdout: stdout.text(),
        stderr: stderr.text(),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the door through which programs run on a host"
)]
fn start(program: &str, arguments: &[&str], invocation: &Invocation<'_>) -> io::Result<Child> {
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", SEARCH_PATH)
        .env("HOME", "/root")
        .env("LC_ALL", "C.UTF-8")
        .envs(invocation.environment.iter().copied())
        .current_dir("/")
        .process_group(0)
        .stdin(match invocation.stdin {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

fn feed(child: &mut Child, bytes: Option<&[u8]>) {
    if let (Some(mut pipe), Some(bytes)) = (child.stdin.take(), bytes) {
        let bytes = Zeroizing::new(bytes.to_vec());
        // A program that ends without reading its input says why by its status.
        thread::spawn(move || pipe.write_all(&bytes).ok());
    }
}

fn wait(
    mut child: Child,
    program: &str,
    deadline: Duration,
) -> io::Result<std::process::ExitStatus> {
    let group = Pid::from_child(&child);
    let (sender, ended) = channel();
    thread::spawn(move || sender.send(child.wait()));
    if let Ok(status) = ended.recv_timeout(deadline) {
        return status;
    }
    for signal in [Signal::TERM, Signal::KILL] {
        // It may have ended by itself in between.
        kill_process_group(group, signal).ok();
        if ended.recv_timeout(GRACE).is_ok() {
            break;
        }
    }
    Err(io::Error::new(
        ErrorKind::TimedOut,
        format!(
            "{program} ran for more than {} s and was ended",
            deadline.as_secs()
        ),
    ))
}

/// What came through a pipe so far, and a word when it is closed.
struct Gathered {
    bytes: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
}

impl Gathered {
    fn from(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (sender, closed) = channel();
        let shared = Arc::clone(&bytes);
        thread::spawn(move || {
            let mut pipe = pipe?;
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(&buffer[..count]);
            }
            sender.send(()).ok()
        });
        Self { bytes, closed }
    }

    /// A daemon that the program left behind may hold the pipe for ever: what was written by then is enough.
    fn text(self) -> String {
        self.closed.recv_timeout(Duration::from_secs(1)).ok();
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
