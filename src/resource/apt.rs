//! apt as a tool: its locks, its lists, its one way to be run without questions.

use std::path::Path;
use std::time::Duration;

use super::{Context, Ownership};
use crate::agent::paths;
use crate::agent::system::{Entry, Fault, Invocation, Output};

/// How long a lock that somebody else holds is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(600);

/// How long one run of apt or dpkg may take: a slow mirror behind 5 Mbps.
const DEADLINE: Duration = Duration::from_secs(3600);

/// Every lock that apt-get and dpkg take (apt-get(8), dpkg(1)).
const LOCKS: [&str; 4] = [
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
];

/// Package lists of this age are refreshed before something is installed.
const FRESH: Duration = Duration::from_secs(24 * 3600);

/// Options of every call: no questions, the operator's configuration files stay, no terminal tricks.
const OPTIONS: [&str; 6] = [
    "-y",
    "-q",
    "-o",
    "Dpkg::Use-Pty=0",
    "-o",
    "Dpkg::Options::=--force-confold",
];

/// Runs `apt-get` with these arguments once no one else holds a lock.
///
/// # Errors
/// When a lock is held for longer than 10 minutes, or apt fails.
pub(super) fn get(context: &Context<'_>, what: &str, arguments: &[&str]) -> Result<Output, Fault> {
    let argv = [&["apt-get"][..], &OPTIONS, arguments].concat();
    let mut patience = Patience::default();
    loop {
        patience.wait_for_locks(context, what)?;
        let output = run(context, what, &argv)?;
        let Some(holder) = taken_by(&output).filter(|_| patience.waited < LOCK_PATIENCE) else {
            return output.checked(what);
        };
        // Taken between our look and apt's, or held where we do not see it.
        patience.pause(context, holder);
    }
}

/// Completes what an interrupted dpkg run left half done; nothing to do costs two looks at files.
///
/// # Errors
/// When a package's own script fails: the fault has its last lines.
pub(super) fn repair(context: &Context<'_>) -> Result<(), Fault> {
    let what = "cannot complete an interrupted installation";
    let half = |state: &str| {
        matches!(
            state,
            "half-installed"
                | "unpacked"
                | "half-configured"
                | "triggers-awaited"
                | "triggers-pending"
        )
    };
    let packages = context.facts.packages(context.system)?;
    let journal = context
        .system
        .list(Path::new("/var/lib/dpkg/updates"))
        .map_err(|error| Fault::new(what, error))?;
    let interrupted = journal.is_some_and(|names| !names.is_empty());
    if !interrupted && !packages.values().any(|package| half(&package.state)) {
        return Ok(());
    }
    Patience::default().wait_for_locks(context, what)?;
    (context.progress)("completing an interrupted installation: dpkg --configure -a");
    let argv = ["dpkg", "--force-confold", "--configure", "-a"];
    let output = run(context, what, &argv)?;
    context.facts.forget();
    output
        .checked(what)
        .map_err(|fault| fault.hint("on the host: `dpkg --audit` names the packages"))?;
    Ok(())
}

/// Refreshes the package lists where they are absent, older than a day, or older than a file that names an archive.
/// Gives whether it did.
///
/// # Errors
/// When the archives do not answer.
pub(super) fn refresh_if_stale(context: &Context<'_>) -> Result<bool, Fault> {
    if lists_present(context)? && refreshed_within(context, FRESH)? {
        return Ok(false);
    }
    refresh(context)?;
    Ok(true)
}

/// Refreshes the package lists.
///
/// # Errors
/// When the archives do not answer.
pub(super) fn refresh(context: &Context<'_>) -> Result<(), Fault> {
    (context.progress)("refreshing the package lists");
    get(context, "cannot refresh the package lists", &["update"])
        .map_err(|fault| fault.hint("check the archives: `apt-get update` on the host"))?;
    let path = paths::refreshed();
    let fault = |error| Fault::new(format!("cannot write {}", path.display()), error);
    if let Some(folder) = path.parent() {
        context.system.make_directory(folder).map_err(fault)?;
    }
    context
        .system
        .write(&path, b"", &Ownership::root(0o644))
        .map_err(fault)
}

/// Whether there are any package lists.
pub(super) fn lists_present(context: &Context<'_>) -> Result<bool, Fault> {
    let names = list(context, "/var/lib/apt/lists")?;
    Ok(names.iter().any(|name| name.contains("_Packages")))
}

/// Whether the lists were refreshed at most `age` ago, and after every change of the files that name the archives.
pub(super) fn refreshed_within(context: &Context<'_>, age: Duration) -> Result<bool, Fault> {
    let time = |path: &str| {
        context
            .system
            .modified(Path::new(path))
            .map_err(|error| Fault::new(format!("cannot read {path}"), error))
    };
    // Others refresh too: apt's own timer leaves this stamp on Ubuntu.
    let refreshed = time(&paths::refreshed().to_string_lossy())?
        .max(time("/var/lib/apt/periodic/update-success-stamp")?);
    let Some(refreshed) = refreshed else {
        return Ok(false);
    };
    let folder = "/etc/apt/sources.list.d";
    let mut sources = vec!["/etc/apt/sources.list".to_owned()];
    sources.extend(
        list(context, folder)?
            .iter()
            .map(|name| format!("{folder}/{name}")),
    );
    for source in sources {
        if time(&source)?.is_some_and(|changed| changed > refreshed) {
            return Ok(false);
        }
    }
    let elapsed = context.system.now().duration_since(refreshed);
    Ok(elapsed.unwrap_or_default() <= age)
}

fn list(context: &Context<'_>, path: &str) -> Result<Vec<String>, Fault> {
    context
        .system
        .list(Path::new(path))
        .map(Option::unwrap_or_default)
        .map_err(|error| Fault::new(format!("cannot list {path}"), error))
}

fn run(context: &Context<'_>, what: &str, argv: &[&str]) -> Result<Output, Fault> {
    let invocation = Invocation::new(argv)
        .variable("DEBIAN_FRONTEND", "noninteractive")
        .variable("APT_LISTCHANGES_FRONTEND", "none")
        // Ubuntu's needrestart would restart services that nobody planned to restart.
        .variable("NEEDRESTART_SUSPEND", "1")
        .deadline(DEADLINE);
    context
        .system
        .run(&invocation)
        .map_err(|error| Fault::new(what, error))
}

/// Who holds the lock that apt could not get, from `E: Could not get lock FILE. It is held by process 812 (apt-get)`.
fn taken_by(output: &Output) -> Option<String> {
    let refusals = [
        "Could not get lock",
        "Unable to lock",
        "Unable to acquire the dpkg frontend lock",
    ];
    let line = output
        .stderr
        .lines()
        .find(|line| refusals.iter().any(|words| line.contains(words)))?;
    let named = line.split_once("held by process ").and_then(|(_, rest)| {
        let (process, rest) = rest.split_once(" (")?;
        Some(format!("{} ({process})", rest.split_once(')')?.0))
    });
    Some(named.unwrap_or_else(|| "another program".to_owned()))
}

/// How long was waited, and for whom.
#[derive(Default)]
struct Patience {
    waited: Duration,
    shown: String,
}

impl Patience {
    fn wait_for_locks(&mut self, context: &Context<'_>, what: &str) -> Result<(), Fault> {
        while let Some(holder) = lock_holder(context)? {
            if self.waited >= LOCK_PATIENCE {
                let seconds = self.waited.as_secs();
                let why = format!("the apt lock was held by {holder} for {seconds} s");
                return Err(Fault::new(what, why)
                    .hint("wait for it to end, then run the same command again"));
            }
            self.pause(context, holder);
        }
        Ok(())
    }

    fn pause(&mut self, context: &Context<'_>, holder: String) {
        if holder != self.shown {
            (context.progress)(&format!("waiting for the apt lock, held by {holder}"));
            self.shown = holder;
        }
        let pause = Duration::from_secs(2);
        context.system.sleep(pause);
        self.waited += pause;
    }
}

/// Who holds one of the locks, as `apt-get (812)`: a process that holds a record lock on some file (/proc/locks)
/// and has one of the lock files open. A container's apt has lock files of the same names, which are others: it has
/// another mount namespace.
fn lock_holder(context: &Context<'_>) -> Result<Option<String>, Fault> {
    let fault = |error| Fault::new("cannot see who holds the apt lock", error);
    let system = context.system;
    let table = system.read(Path::new("/proc/locks")).map_err(fault)?;
    let table = String::from_utf8_lossy(&table.unwrap_or_default()).into_owned();
    let mut processes: Vec<&str> = table.lines().filter_map(locker).collect();
    processes.sort_unstable();
    processes.dedup();
    let namespace = |process: &str| {
        let link = format!("/proc/{process}/ns/mnt");
        let found = system.metadata(Path::new(&link)).ok().flatten();
        found.map(|found| found.entry)
    };
    let ours = namespace("self");
    processes.retain(|process| namespace(process) == ours);
    for process in processes {
        let folder = format!("/proc/{process}/fd");
        // A process that ends in the meantime holds nothing any more.
        let descriptors = system.list(Path::new(&folder)).ok().flatten();
        let holds = descriptors.unwrap_or_default().iter().any(|descriptor| {
            let link = format!("{folder}/{descriptor}");
            let found = system.metadata(Path::new(&link)).ok().flatten();
            found.is_some_and(|found| match found.entry {
                Entry::Symlink(target) => LOCKS.iter().any(|lock| target == Path::new(lock)),
                Entry::File(_) | Entry::Directory | Entry::Other => false,
            })
        });
        if holds {
            let name = system.read(Path::new(&format!("/proc/{process}/comm")));
            let name = name.ok().flatten().unwrap_or_default();
            let name = String::from_utf8_lossy(&name);
            return Ok(Some(format!("{} ({process})", name.trim())));
        }
    }
    Ok(None)
}

/// The process of a line such as `1: POSIX  ADVISORY  WRITE 812 fe:01:1234 0 EOF`; a waiting one has `->` before POSIX.
fn locker(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip(1);
    (words.next()? == "POSIX" && words.nth(1)? == "WRITE").then(|| words.next())?
}

#[cfg(test)]
mod tests;
