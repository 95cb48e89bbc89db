//! One twin: a machine of its own, with systemd, sshd, a network namespace and a file system in layers.

use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::base::Suite;
use super::cgroup::Group;
use super::error::{Error, Result};
use super::layers::Layers;
use super::network::Network;
use super::shell::{Call, Output, tail};
use super::switch::Endpoint;

/// How long a boot may take before it counts as failed; on a quiet machine it takes about a second.
pub const BOOT_TIME: Duration = Duration::from_secs(60);

/// Boots again when the twin asks for a reboot (systemd-nspawn then exits with 133), in a new group each time: a group
/// whose controllers were handed on takes no process any more.
const SUPERVISOR: &str = "group=$1; shift; n=0; while :; do n=$((n+1)); mkdir \"$group/boot-$n\" || exit; \
    (echo 0 > \"$group/boot-$n/cgroup.procs\" && exec \"$@\"); [ $? -eq 133 ] || exit; done";

/// What the container manager must be told to boot under any PID 1, systemd or not.
const NSPAWN_VARIABLES: [(&str, &str); 2] = [
    ("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1"),
    ("SYSTEMD_NSPAWN_API_VFS_WRITABLE", "network"),
];

/// A twin of a lab, running or not.
#[derive(Clone, Debug)]
pub struct Twin {
    /// Its name in the lab, which is its host name.
    pub name: String,
    /// The Debian release that it runs.
    pub suite: Suite,
    /// Its addresses.
    pub endpoint: Endpoint,
    /// Its file system.
    pub layers: Layers,
    pub(super) group: Group,
    pub(super) network: Network,
    pub(super) console: PathBuf,
}

impl Twin {
    /// Where its sshd listens.
    pub fn ssh(&self) -> SocketAddr {
        SocketAddr::from((self.endpoint.ipv4, 22))
    }

    /// Where its file system can be seen from outside; mounted from the first boot on, also while it is off.
    pub fn root(&self) -> PathBuf {
        self.layers.root()
    }

    fn fault(&self, what: &str, why: impl std::fmt::Display) -> Error {
        let remedy = format!("its console is in {}", self.console.display());
        Error::new(format!("{what} the twin {}", self.name), why, remedy)
    }

    /// The process that is the twin's PID 1, while it runs.
    pub fn leader(&self) -> Option<i32> {
        self.group.leader()
    }

    /// Starts it; returns before it is ready. Nothing happens if it runs.
    ///
    /// # Errors
    /// When its file system or its container cannot be made.
    pub fn boot(&self) -> Result<()> {
        if !self.group.processes().is_empty() {
            return Ok(());
        }
        self.layers.mount()?;
        self.network.plug_in(&self.name)?;
        let (root, hostname) = (self.root(), format!("--hostname={}", self.name));
        let namespace = format!(
            "--network-namespace-path=/run/netns/{}",
            self.network.namespace(&self.name)
        );
        // CAP_NET_ADMIN: without it ufw fails. CAP_IPC_LOCK: without it mongod aborts with "Failed to mlock".
        let options = "--quiet --register=no --keep-unit --boot --resolv-conf=off --timezone=off --link-journal=no \
                       --console=read-only --capability=CAP_NET_ADMIN,CAP_IPC_LOCK";
        let (group, root) = (self.group.path().to_string_lossy(), root.to_string_lossy());
        let mut argv = vec!["sh", "-c", SUPERVISOR, "twin", &group, "systemd-nspawn"];
        argv.extend(options.split_whitespace());
        argv.extend(["-D", &root, &namespace, &hostname]);
        let mut call = self.group.below("supervisor").enter(argv)?.clean();
        for (name, value) in NSPAWN_VARIABLES {
            call = call.variable(name, value);
        }
        call.detach(&self.console)
    }

    /// Waits until systemd has started everything and sshd answers at the operator's side of the link; returns how
    /// long that took.
    ///
    /// A system with failed units counts as started: see [`Twin::system_state`].
    ///
    /// # Errors
    /// When the twin ends or is not ready after `deadline`; the end of its console is in the error.
    pub fn wait_ready(&self, deadline: Duration) -> Result<Duration> {
        let started = Instant::now();
        let mut seen = String::from("no process yet");
        while started.elapsed() < deadline {
            match self.system_state() {
                Ok(state) if state == "running" || state == "degraded" => match self.banner() {
                    Ok(banner) if banner == "SSH-2.0" => return Ok(started.elapsed()),
                    Ok(banner) => seen = format!("systemd is {state}, port 22 says {banner:?}"),
                    Err(why) => seen = format!("systemd is {state}, port 22: {why}"),
                },
                Ok(state) => seen = format!("systemd is {state:?}"),
                Err(error) => seen = error.why,
            }
            if self.group.processes().is_empty() && started.elapsed() > Duration::from_secs(3) {
                break;
            }
            sleep(Duration::from_millis(30));
        }
        let console = fs::read_to_string(&self.console).unwrap_or_default();
        let why = format!(
            "{seen} after {:.1} s\n  {}",
            started.elapsed().as_secs_f64(),
            tail(&console, 8)
        );
        Err(self.fault("cannot boot", why))
    }

    fn banner(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.ssh(), Duration::from_secs(3))?;
        stream.set_read_timeout(Some(Duration::from_secs(3)))?;
        let mut bytes = [0; 7];
        stream.read_exact(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What systemd says of the whole system: `running`, `starting`, `degraded`, `stopping`.
    ///
    /// # Errors
    /// When the twin is off.
    pub fn system_state(&self) -> Result<String> {
        let output = self.exec(["systemctl", "is-system-running"])?;
        Ok(output.stdout.trim().to_owned())
    }

    /// Runs a program inside, as root, without SSH and without the link; any exit status is a result.
    ///
    /// # Errors
    /// When the twin is off or the program cannot be started.
    pub fn exec<I>(&self, argv: I) -> Result<Output>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.exec_with(argv, "")
    }

    /// The same with bytes on the program's standard input.
    ///
    /// # Errors
    /// When the twin is off or the program cannot be started.
    pub fn exec_with<I>(&self, argv: I, stdin: impl Into<Vec<u8>>) -> Result<Output>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let leader = self
            .leader()
            .ok_or_else(|| self.fault("cannot run a program in", "it is off"))?;
        let mut words: Vec<_> = ["nsenter", "--all", "--target"].map(str::to_owned).into();
        words.extend([leader.to_string(), "--".to_owned()]);
        words.extend(argv.into_iter().map(|word| word.as_ref().to_owned()));
        Call::new(words).clean().stdin(stdin).run()
    }

    /// Cuts its power: every process ends at once, nothing is told, files stay as they are.
    ///
    /// # Errors
    /// When a process does not end.
    pub fn power_off(&self) -> Result<()> {
        self.network.unplug(&self.name)?;
        self.group.kill()
    }

    /// Shuts it down in order, services stopped and files closed.
    ///
    /// # Errors
    /// When it is still there after 60 s.
    pub fn shut_down(&self) -> Result<()> {
        self.exec(["systemctl", "poweroff", "--no-block"])?;
        let started = Instant::now();
        while !self.group.processes().is_empty() {
            if started.elapsed() > Duration::from_secs(60) {
                return Err(self.fault("cannot shut down", "services still run after 60 s"));
            }
            sleep(Duration::from_millis(20));
        }
        self.power_off()
    }

    /// Reboots it from inside, as its administrator would, and waits until it is ready; returns how long that took.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn reboot(&self) -> Result<Duration> {
        let started = Instant::now();
        let before = self.leader();
        self.exec(["systemctl", "reboot", "--no-block"])?;
        while self.leader() == before || self.leader().is_none() {
            if started.elapsed() > BOOT_TIME {
                return Err(self.fault("cannot reboot", "its old PID 1 still runs"));
            }
            sleep(Duration::from_millis(20));
        }
        self.wait_ready(BOOT_TIME)?;
        Ok(started.elapsed())
    }

    /// Freezes its file system under a name, to come back to; it is shut down in order for that, and booted again if
    /// it ran.
    ///
    /// # Errors
    /// When the name is taken, or the twin does not go down or come back.
    pub fn snapshot(&self, name: &str) -> Result<()> {
        let ran = self.leader().is_some();
        if ran {
            self.shut_down()?;
        }
        self.layers.unmount()?;
        self.layers.snapshot(name)?;
        self.come_back(ran)
    }

    /// Puts its file system back to what it was at a snapshot; its power is cut for that, and it is booted again if
    /// it ran.
    ///
    /// # Errors
    /// When there is no such snapshot, or the twin does not come back.
    pub fn restore(&self, name: &str) -> Result<()> {
        let ran = self.leader().is_some();
        self.power_off()?;
        self.layers.unmount()?;
        self.layers.restore(name)?;
        self.come_back(ran)
    }

    fn come_back(&self, ran: bool) -> Result<()> {
        self.layers.mount()?;
        if ran {
            self.boot()?;
            self.wait_ready(BOOT_TIME)?;
        }
        Ok(())
    }

    /// Its public host key as `known_hosts` and pins want it: `ssh-ed25519 AAAA...`, made when it first booted.
    ///
    /// # Errors
    /// When it has not booted yet.
    pub fn host_key(&self) -> Result<String> {
        let path = self.root().join("etc/ssh/ssh_host_ed25519_key.pub");
        let text = fs::read_to_string(&path).map_err(|why| Error::file(&path, why))?;
        let mut words = text.split_whitespace();
        match (words.next(), words.next()) {
            (Some(kind), Some(key)) => Ok(format!("{kind} {key}")),
            _ => Err(Error::file(&path, "this is no public key")),
        }
    }
}
