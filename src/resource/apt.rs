//! apt as a tool: its locks, its lists, its one way to be run without questions.

use std::path::Path;
use std::time::Duration;

use super::{Context, Ownership};
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

/// Its time is that of our last complete refresh of the package lists.
const REFRESHED: &str = "/var/lib/geodeploy/apt-refreshed";

/// Package lists of this age are refreshed before something is installed.
const FRESH: Duration = Duration::from_secs(24 * 3600);

/// Options of every call: no questions, the operator's configuration files stay, no terminal tricks, and a lock
/// that is taken between our look and apt's is waited for by apt itself.
const OPTIONS: [&str; 8] = [
    "-y",
    "-q",
    "-o",
    "Dpkg::Use-Pty=0",
    "-o",
    "Dpkg::Options::=--force-confold",
    "-o",
    "DPkg::Lock::Timeout=60",
];

/// Runs `apt-get` with these arguments once no one else holds a lock.
///
/// # Errors
/// When a lock is held for longer than 10 minutes, or apt fails.
pub(super) fn get(context: &Context<'_>, what: &str, arguments: &[&str]) -> Result<Output, Fault> {
    let argv = [&["apt-get"][..], &OPTIONS, arguments].concat();
    let mut waited = Duration::ZERO;
    loop {
        wait_for_locks(context, what, &mut waited)?;
        let output = run(context, what, &argv)?;
        if output.success() || !lock_was_taken(&output) || waited >= LOCK_PATIENCE {
            return output.checked(what);
        }
        pause(context, &mut waited);
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
    let mut waited = Duration::ZERO;
    wait_for_locks(context, what, &mut waited)?;
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
    let fault = |error| Fault::new(format!("cannot write {REFRESHED}"), error);
    let path = Path::new(REFRESHED);
    if let Some(folder) = path.parent() {
        context.system.make_directory(folder).map_err(fault)?;
    }
    context
        .system
        .write(path, b"", &Ownership::root(0o644))
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
    let refreshed = time(REFRESHED)?.max(time("/var/lib/apt/periodic/update-success-stamp")?);
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

fn lock_was_taken(output: &Output) -> bool {
    [
        "Could not get lock",
        "Unable to lock",
        "Unable to acquire the dpkg frontend lock",
    ]
    .iter()
    .any(|words| output.stderr.contains(words))
}

fn pause(context: &Context<'_>, waited: &mut Duration) {
    let pause = Duration::from_secs(2);
    context.system.sleep(pause);
    *waited += pause;
}

fn wait_for_locks(context: &Context<'_>, what: &str, waited: &mut Duration) -> Result<(), Fault> {
    let mut shown = String::new();
    while let Some(holder) = lock_holder(context)? {
        if *waited >= LOCK_PATIENCE {
            let seconds = waited.as_secs();
            return Err(Fault::new(
                what,
                format!("the apt lock was held by {holder} for {seconds} s"),
            )
            .hint("wait for it to end, then run the same command again"));
        }
        if holder != shown {
            (context.progress)(&format!("waiting for the apt lock, held by {holder}"));
            shown = holder;
        }
        pause(context, waited);
    }
    Ok(())
}

/// Who holds one of the locks, as `apt-get (812)`: a process that holds a record lock on some file (/proc/locks)
/// and has one of the lock files open.
fn lock_holder(context: &Context<'_>) -> Result<Option<String>, Fault> {
    let fault = |error| Fault::new("cannot see who holds the apt lock", error);
    let system = context.system;
    let table = system.read(Path::new("/proc/locks")).map_err(fault)?;
    let table = String::from_utf8_lossy(&table.unwrap_or_default()).into_owned();
    let mut processes: Vec<&str> = table.lines().filter_map(locker).collect();
    processes.sort_unstable();
    processes.dedup();
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
