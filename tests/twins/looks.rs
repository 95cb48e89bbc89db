//! Looks at a list of resources of any length over one connection of the library's own.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use geodeploy::agent::message::{Event, Operation, Outcome};
use geodeploy::host::{Caller, Destination, HostBinary, OpenSsh, Reply, Session, Transports};
use geodeploy::resource::{Content, Directory, File, Ownership, Resource, Symlink};
use geodeploy::secrets::Secret;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::fixture::Twins;

const FOLDER: &str = "/etc/looked-at";

/// A connection to one twin that is kept open.
pub(crate) struct Looks {
    session: Session,
    runtime: Runtime,
    _home: TempDir,
}

impl Looks {
    /// Connects to a region's twin, on which a list of that length is then as desired.
    pub(crate) fn connect(twins: &Twins, region: &str, most: usize) -> Self {
        make(twins, region, most);
        let home = tempfile::Builder::new()
            .prefix("gd")
            .tempdir_in("/tmp")
            .unwrap();
        let twin = twins.twin(region);
        let destination = Destination {
            region: region.to_owned(),
            host: twin.endpoint.ipv4.to_string(),
            user: Some("root".to_owned()),
            port: Some(22),
            identity: Some(twins.lab.operator_key()),
            host_keys: vec![twin.host_key().unwrap()],
            jumps: Vec::new(),
            timeout: Duration::from_secs(30),
        };
        let binary = Path::new(env!("CARGO_BIN_EXE_geodeploy-host"));
        let caller = Caller {
            operator: "looks".to_owned(),
            key: Secret::new("0".repeat(64)),
            binary: HostBinary::find(Some(binary), home.path()).unwrap(),
        };
        let runtime = Runtime::new().unwrap();
        let transport = runtime
            .block_on(OpenSsh::connect(&destination, home.path(), true))
            .unwrap();
        Self {
            session: Session::new(region, Transports::OpenSsh(transport), caller),
            runtime,
            _home: home,
        }
    }

    /// Looks at that many resources, none of which differs.
    pub(crate) fn look(&self, count: usize) -> Duration {
        let operation = Operation::Inspect {
            resources: resources(count),
            requirements: Vec::new(),
        };
        let mut found = None;
        let begun = Instant::now();
        let reply = self
            .runtime
            .block_on(self.session.request(operation, &[], |event| {
                if let Event::Inspected {
                    resources, changes, ..
                } = event
                {
                    found = Some((resources, changes));
                }
            }));
        let took = begun.elapsed();
        let ended = reply.unwrap();
        assert!(
            matches!(
                ended,
                Reply::Finished(Outcome::Converged { changed: 0, .. })
            ),
            "{ended:?}"
        );
        assert_eq!(found, Some((count, Vec::new())));
        took
    }

    /// Ends the connection.
    pub(crate) fn close(self) {
        self.runtime.block_on(self.session.close());
    }
}

/// A folder, two files and a link, again and again; no two files have the same text.
fn resources(count: usize) -> Vec<Resource> {
    (0..count).map(resource).collect()
}

fn resource(index: usize) -> Resource {
    let path = path(index);
    match index % 4 {
        0 => Resource::Directory(Directory {
            path,
            ownership: Ownership::root(0o755),
        }),
        3 => Resource::Symlink(Symlink {
            path,
            target: Some(PathBuf::from(FOLDER)),
            notifies: Vec::new(),
        }),
        _ => Resource::File(File {
            path,
            content: Some(Content::Plain(text(index))),
            ownership: Ownership::root(0o644),
            notifies: Vec::new(),
        }),
    }
}

fn path(index: usize) -> PathBuf {
    Path::new(FOLDER).join(format!("resource-{index}"))
}

/// As long as a small configuration file, and incompressible in half.
fn text(index: usize) -> String {
    let line = |number: usize| {
        let digest = geodeploy::digest::sha256(format!("{index} {number}").as_bytes());
        format!("setting_number_{number}_of_this_file = {}\n", &digest[..32])
    };
    (0..10).map(line).collect()
}

fn make(twins: &Twins, region: &str, count: usize) {
    for index in 0..count {
        let path = path(index);
        let path = path.display();
        match index % 4 {
            0 => twins.shell(region, &format!("mkdir -p {path}")),
            3 => twins.shell(region, &format!("ln -sfn {FOLDER} {path}")),
            _ => twins.shell(region, &format!("printf '{}' > {path}", text(index))),
        };
    }
}
