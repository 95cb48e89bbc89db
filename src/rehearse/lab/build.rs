//! Bringing a lab up, step by step.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use super::super::base;
use super::super::error::{Error, Result};
use super::super::network::{MIRROR, OPERATOR};
use super::super::requirements;
use super::super::seed::Seed;
use super::super::shell::{check, tail};
use super::super::switch::{self, Client, Request, SwitchConfig};
use super::super::twin::{BOOT_TIME, Twin};
use super::Lab;
use super::spec::{Event, LabSpec, SwitchProgram};
use super::state::State;

/// A switch that runs as a thread of this process.
#[derive(Debug)]
pub(super) struct InsideSwitch(JoinHandle<Result<()>>);

impl InsideSwitch {
    /// Asks it to end and waits for that.
    pub(super) fn stop(self, client: &Client) {
        if client.ask(&Request::Stop).is_ok() {
            self.0.join().ok();
        }
    }
}

/// Refuses what this machine cannot do, and takes name and network.
pub(super) fn claim(spec: &LabSpec) -> Result<State> {
    let missing = requirements::missing(&spec.storage);
    if let Some(first) = missing.first() {
        let list: Vec<_> = missing
            .iter()
            .map(|item| format!("{}: {}", item.what, item.why))
            .collect();
        let what = "twins cannot boot on this machine";
        return Err(Error::new(what, list.join("\n  "), first.remedy.clone()));
    }
    let twins = spec
        .twins
        .iter()
        .map(|twin| (twin.name.clone(), twin.suite))
        .collect();
    State::claim(
        &spec.name,
        twins,
        (spec.storage.clone(), spec.cache.clone()),
    )
}

/// Makes everything of a lab whose name and network are taken.
pub(super) fn build(
    lab: &mut Lab,
    spec: &LabSpec,
    progress: &(dyn Fn(Event) + Sync),
) -> Result<()> {
    for (suite, path) in &mut lab.state.bases {
        *path = base::ensure(&spec.cache, *suite, &spec.upstream, || {
            progress(Event::BuildingBase(*suite));
        })?;
    }
    lab.state.write()?;
    lab.twins = lab.state.twins()?;
    let key = lab.state.key();
    check([
        "ssh-keygen",
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        "rehearsal",
        "-f",
        &key.to_string_lossy(),
    ])?;
    progress(Event::Wiring);
    lab.inside = start_switch(&lab.state, spec)?;
    lab.state.network.raise_operator()?;
    for twin in &lab.twins {
        lab.state.network.add_twin(&twin.name)?;
    }
    progress(Event::StartingMirror);
    let mirror = lab.state.mirror();
    mirror.start(&spec.upstream, &lab.state.group()?.below("mirror"))?;
    let private = lab.state.storage.join("twins");
    let made = fs::create_dir_all(&private);
    made.and_then(|()| fs::set_permissions(&private, fs::Permissions::from_mode(0o700)))
        .map_err(|why| Error::file(&private, why))?;
    boot_all(lab, spec, progress)
}

fn start_switch(state: &State, spec: &LabSpec) -> Result<Option<InsideSwitch>> {
    let config = SwitchConfig {
        socket: state.socket(),
        ports: state.network.ports(),
        links: spec.directed(),
    };
    let log = state.folder().join("switch.log");
    let inside = match &spec.switch {
        SwitchProgram::Inside => Some(InsideSwitch(thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build();
            let runtime = runtime
                .map_err(|why| Error::new("cannot start the switch", why, "free some memory"))?;
            runtime.block_on(switch::run(config))
        }))),
        SwitchProgram::Program(argv) => {
            let path = state.folder().join("switch.json");
            let text = serde_json::to_string(&config).map_err(|why| Error::file(&path, why))?;
            fs::write(&path, text).map_err(|why| Error::file(&path, why))?;
            let path = path.to_string_lossy();
            // Twins at work on all processors must not make frames late.
            let argv = ["nice", "-n", "-20"]
                .into_iter()
                .chain(argv.iter().map(String::as_str))
                .chain([path.as_ref()]);
            state.group()?.below("switch").enter(argv)?.detach(&log)?;
            None
        }
    };
    wait_for_switch(state, inside, &log)
}

fn wait_for_switch(
    state: &State,
    inside: Option<InsideSwitch>,
    log: &Path,
) -> Result<Option<InsideSwitch>> {
    let client = Client {
        socket: state.socket(),
    };
    let group = state.group()?.below("switch");
    let started = Instant::now();
    loop {
        let elapsed = started.elapsed();
        let ended =
            inside.is_none() && group.processes().is_empty() && elapsed > Duration::from_secs(1);
        match client.ask(&Request::Ping) {
            Ok(_) => return Ok(inside),
            Err(_) if inside.as_ref().is_some_and(|inside| inside.0.is_finished()) => {
                let ended = inside.map(|inside| inside.0.join());
                let fallback = Error::new(
                    "the switch ended",
                    "without a reason",
                    "report this as a defect",
                );
                return Err(match ended {
                    Some(Ok(Err(error))) => error,
                    _ => fallback,
                });
            }
            Err(error) if ended || elapsed > Duration::from_secs(10) => {
                let text = fs::read_to_string(log).unwrap_or_default();
                let why = format!("{}\n  {}", error.why, tail(&text, 5));
                return Err(Error::new(
                    "cannot start the switch",
                    why,
                    "see the last line of its log",
                ));
            }
            Err(_) => sleep(Duration::from_millis(10)),
        }
    }
}

/// Every twin's `/etc/hosts`: all machines of the lab and the names that were asked for.
fn hosts(state: &State, spec: &LabSpec) -> String {
    let mut text = String::from("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    let mut add = |name: &str, end: &str| {
        let endpoint = match end {
            OPERATOR => Some(state.network.operator()),
            MIRROR => Some(state.network.mirror()),
            twin => state.network.twin(twin),
        };
        if let Some(endpoint) = endpoint {
            text.push_str(&format!(
                "{} {name}\n{} {name}\n",
                endpoint.ipv4, endpoint.ipv6
            ));
        }
    };
    for end in state
        .network
        .twins
        .iter()
        .map(String::as_str)
        .chain([OPERATOR, MIRROR])
    {
        add(end, end);
    }
    for (name, end) in &spec.hosts {
        add(name, end);
    }
    text
}

fn boot_all(lab: &Lab, spec: &LabSpec, progress: &(dyn Fn(Event) + Sync)) -> Result<()> {
    let public = lab.state.key().with_extension("pub");
    let authorized_key = fs::read_to_string(&public).map_err(|why| Error::file(&public, why))?;
    let (hosts, mirror) = (hosts(&lab.state, spec), lab.state.mirror());
    let boot = |twin: &Twin| -> Result<()> {
        let seed = Seed {
            hostname: twin.name.clone(),
            hosts: hosts.clone(),
            authorized_key: authorized_key.clone(),
            apt: mirror.apt_configuration(),
        };
        progress(Event::Booting(twin.name.clone()));
        let started = Instant::now();
        twin.layers.mount()?;
        seed.write(&twin.root())?;
        twin.boot()?;
        twin.wait_ready(BOOT_TIME)?;
        progress(Event::Ready(twin.name.clone(), started.elapsed()));
        let probe = twin.exec([
            "curl",
            "--silent",
            "--output",
            "/dev/null",
            "--max-time",
            "10",
            &mirror.url(),
        ])?;
        if probe.success() {
            return Ok(());
        }
        let interface = lab.state.network.operator_interface();
        Err(Error::new(
            format!(
                "the twin {} does not reach the package mirror {}",
                twin.name,
                mirror.url()
            ),
            format!("curl ended with status {}", probe.status),
            format!("let it through this machine's own firewall: ufw allow in on {interface}"),
        ))
    };
    thread::scope(|scope| {
        let running: Vec<_> = lab
            .twins
            .iter()
            .map(|twin| scope.spawn(|| boot(twin)))
            .collect();
        let ended = || {
            Err(Error::new(
                "cannot boot the twins",
                "a thread ended",
                "report this as a defect",
            ))
        };
        running
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| ended()))
    })
}
