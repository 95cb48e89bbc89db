//! A host in a folder: real files, a real mongod, and a systemctl that starts it with its configuration file.

mod system;

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use geodeploy::agent::system::Fault;
use geodeploy::resource::mongo::{Connection, fingerprint, settings};
use geodeploy::resource::{Manage, Mongod, MongodCertificates, MongodConfiguration, pending};
use geodeploy::secrets::Secret;

use crate::authority::Authority;
use crate::host::{Run, administrator, application, set};

const STATE: &str = "/var/lib/geodeploy";

/// The unit as this supervisor knows it.
#[derive(Default)]
struct Unit {
    child: Option<Child>,
    /// Microseconds since boot.
    started: u64,
}

/// The host; ends its server when it is dropped.
pub(crate) struct Host {
    folder: tempfile::TempDir,
    binary: PathBuf,
    unit: RefCell<Unit>,
    pub(crate) port: u16,
    pub(crate) authority: Authority,
}

impl Host {
    /// A server with its set, its administrator and the application's user; `None` where there is no real mongod.
    pub(crate) fn start() -> Option<Self> {
        let host = Self {
            binary: crate::server::binary()?,
            folder: tempfile::tempdir().unwrap(),
            unit: RefCell::default(),
            port: crate::server::ports::free(),
            authority: Authority::new("first"),
        };
        fs::create_dir(host.path("data")).unwrap();
        fs::write(host.path("ca.pem"), host.authority.pem()).unwrap();
        private(&host.path("server.pem"), &host.authority.issue("mongod"));
        private(
            &host.path("key"),
            "c2hhcmVkIGJ5IHRoZSBtZW1iZXJzIG9mIHRoZSBzZXQ=",
        );
        fs::write(host.path("mongod.conf"), host.configuration("0.25", "")).unwrap();
        host.systemctl("start");
        let connection = host.connection();
        let bare: [Box<dyn Manage>; 4] = [
            Box::new(host.certificates()),
            Box::new(set(&connection)),
            Box::new(administrator(&connection)),
            Box::new(application(&connection)),
        ];
        // The first also waits for the server to listen.
        let run = Run::new();
        for resource in &bare {
            host.converge(&run, &**resource).unwrap();
        }
        Some(host)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// mongod.conf with so many gigabytes of cache, and more lines.
    pub(crate) fn configuration(&self, cache: &str, more: &str) -> String {
        let folder = self.folder.path().display();
        format!(
            "storage:\n  dbPath: {folder}/data\n  wiredTiger:\n    engineConfig:\n      cacheSizeGB: {cache}\n\
             systemLog:\n  destination: file\n  path: {folder}/log\n  logAppend: true\n\
             net:\n  port: {}\n  bindIp: 127.0.0.1\n  tls:\n    mode: requireTLS\n    \
             certificateKeyFile: {folder}/server.pem\n    CAFile: {folder}/ca.pem\n\
             security:\n  authorization: enabled\n  keyFile: {folder}/key\n\
             replication:\n  replSetName: rs0\n  oplogSizeMB: 990\n{more}",
            self.port
        )
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection {
            port: self.port,
            ca_file: self.path("ca.pem"),
            certificate_file: Some(self.path("server.pem")),
            admin_user: "geodeploy_admin".to_owned(),
            admin_password: Secret::new("first-secret".to_owned()),
        }
    }

    pub(crate) fn file(&self, content: &str) -> MongodConfiguration {
        MongodConfiguration {
            path: self.path("mongod.conf"),
            content: content.to_owned(),
        }
    }

    pub(crate) fn running(&self, content: &str) -> Mongod {
        Mongod {
            connection: self.connection(),
            settings: settings(content),
            version: Some("6.0.5".to_owned()),
        }
    }

    /// What the server must show: what is on disk now.
    pub(crate) fn certificates(&self) -> MongodCertificates {
        MongodCertificates {
            connection: self.connection(),
            fingerprint: fingerprint(&fs::read_to_string(self.path("server.pem")).unwrap()),
            log: Some(self.path("log").display().to_string()),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        let mut unit = self.unit.borrow_mut();
        let child = unit.child.as_mut().unwrap();
        assert_eq!(child.try_wait().unwrap(), None, "the server has ended");
        child.id()
    }

    /// As a run does it: marked, changed, looked at again. Whether anything was to be done.
    pub(crate) fn converge(&self, run: &Run, resource: &dyn Manage) -> Result<bool, Fault> {
        let context = run.context_on(self);
        let Some(change) = run.look_on(self, resource)? else {
            return Ok(false);
        };
        let notifies: Vec<_> = resource.notifies().iter().collect();
        pending::around(&context, &notifies, || resource.apply(&change, &context))?;
        let left = run.look_on(self, resource)?;
        assert_eq!(left, None, "{} did not take its change", resource.id());
        Ok(true)
    }

    pub(crate) fn systemctl(&self, verb: &str) {
        let mut unit = self.unit.borrow_mut();
        if let Some(mut child) = unit.child.take() {
            let pid = rustix::process::Pid::from_child(&child);
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
            child.wait().unwrap();
        }
        if verb == "stop" {
            return;
        }
        let said = fs::File::create(self.path("journal")).unwrap();
        let configuration = self.path("mongod.conf");
        #[expect(clippy::disallowed_methods, reason = "the test's own program")]
        let child = Command::new(&self.binary)
            .arg("--config")
            .arg(configuration)
            .env("MONGODB_CONFIG_OVERRIDE_NOFORK", "1")
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        unit.child = Some(child);
        let uptime = fs::read_to_string("/proc/uptime").unwrap();
        let seconds: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        // The kernel gives hundredths: systemd would know more precisely that it was later than the change.
        unit.started = u64::try_from(Duration::from_secs_f64(seconds + 0.02).as_micros()).unwrap();
    }

    fn show(&self) -> String {
        let mut unit = self.unit.borrow_mut();
        let runs = unit
            .child
            .as_mut()
            .is_some_and(|child| child.try_wait().unwrap().is_none());
        let state = if runs { "active" } else { "failed" };
        format!(
            "LoadState=loaded\nActiveState={state}\nSubState={state}\nUnitFileState=enabled\nNeedDaemonReload=no\n\
             ExecMainStartTimestampMonotonic={}\n",
            unit.started
        )
    }

    /// What is the agent's own lies in the folder.
    fn at(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(STATE) {
            Ok(below) => self.path("state").join(below),
            Err(_) => path.to_owned(),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(mut child) = self.unit.borrow_mut().child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// A file that only its owner reads.
pub(crate) fn private(path: &Path, text: &str) {
    fs::remove_file(path).ok();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
}
