//! Who listens on a port.

use std::path::{Path, PathBuf};

use super::{Verdict, text};
use crate::agent::system::{Entry, Fault};
use crate::resource::Context;

pub(super) fn look(port: u16, unit: &str, context: &Context<'_>) -> Result<Verdict, Fault> {
    let mut sockets = listening(port, &text("/proc/net/tcp", context)?);
    sockets.extend(listening(port, &text("/proc/net/tcp6", context)?));
    if sockets.is_empty() {
        return Ok(Verdict::Met);
    }
    let links: Vec<PathBuf> = sockets
        .iter()
        .map(|inode| PathBuf::from(format!("socket:[{inode}]")))
        .collect();
    for process in processes(unit, context)? {
        if holds(&process, &links, context)? {
            return Ok(Verdict::Met);
        }
    }
    Ok(Verdict::unmet(
        format!("port {port} is taken"),
        format!(
            "{} listens on it, which is not {unit}",
            holder(&links, context)?
        ),
        format!(
            "on the host: `ss -ltnp 'sport = :{port}'`; end that program, or move it to another port"
        ),
    ))
}

/// Inodes of the sockets that listen on the port (proc_net_tcp.rst of the kernel: state 0A; port in hex).
fn listening(port: u16, table: &str) -> Vec<String> {
    let local = format!(":{port:04X}");
    let rows = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.len() > 9 && row[1].ends_with(&local) && row[3] == "0A")
        .map(|row| row[9].to_owned())
        .collect()
}

/// The unit's processes, by its control group in either hierarchy.
fn processes(unit: &str, context: &Context<'_>) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    for hierarchy in ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd"] {
        let path = format!("{hierarchy}/system.slice/{unit}/cgroup.procs");
        found.extend(text(&path, context)?.lines().map(str::to_owned));
    }
    Ok(found)
}

fn holds(process: &str, links: &[PathBuf], context: &Context<'_>) -> Result<bool, Fault> {
    let folder = Path::new("/proc").join(process).join("fd");
    let fault = |error| Fault::new(format!("cannot look at process {process}"), error);
    // It may end while it is looked at.
    let Some(descriptors) = context.system.list(&folder).map_err(fault)? else {
        return Ok(false);
    };
    for descriptor in descriptors {
        let found = context
            .system
            .metadata(&folder.join(descriptor))
            .map_err(fault)?;
        if let Some(Entry::Symlink(target)) = found.map(|found| found.entry)
            && links.contains(&target)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn holder(links: &[PathBuf], context: &Context<'_>) -> Result<String, Fault> {
    let names = context.system.list(Path::new("/proc"));
    let names = names.map_err(|error| Fault::new("cannot look at the processes", error))?;
    for process in names.unwrap_or_default() {
        if process.bytes().all(|byte| byte.is_ascii_digit()) && holds(&process, links, context)? {
            let name = text(&format!("/proc/{process}/comm"), context)?;
            return Ok(format!("{} (process {process})", name.trim()));
        }
    }
    Ok("a program in another namespace".to_owned())
}
