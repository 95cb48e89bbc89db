//! The twins' way to packages: an instance of apt-cacher-ng that is ours, near to every twin.
//!
//! A twin has no route out. It asks this proxy for Debian's usual addresses, and the proxy fetches from where this
//! machine itself would. Packages stay in a cache between rehearsals.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::cgroup::Group;
use super::error::{Error, Result};
use super::shell::{check, tail};
use super::sources::Upstream;

/// apt-cacher-ng's usual port.
pub const PORT: u16 = 3142;
/// The path below which a lab's own archives are served.
pub const ARCHIVES: &str = "archives";

/// Where an instance keeps what.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// The address that it listens on, and only there.
    pub address: Ipv4Addr,
    /// Configuration and log.
    pub folder: PathBuf,
    /// Packages fetched before; two instances must not share it.
    pub cache: PathBuf,
    /// A folder served as `http://ADDRESS:3142/archives/`, for archives made for the rehearsal.
    pub archives: PathBuf,
}

impl Mirror {
    /// The proxy's address as apt wants it.
    pub fn url(&self) -> String {
        format!("http://{}:{PORT}", self.address)
    }

    /// What a twin's apt needs to know.
    pub fn apt_configuration(&self) -> String {
        format!(
            "Acquire::http::Proxy \"{url}\";\nAcquire::https::Proxy \"{url}\";\nAcquire::http::Proxy::{address} \"DIRECT\";\n\
             Acquire::Languages \"none\";\n",
            url = self.url(),
            address = self.address
        )
    }

    fn configuration(&self, upstream: &Upstream) -> String {
        let folder = self.folder.display();
        let mut text = format!(
            "CacheDir: {cache}\nLogDir: {folder}\nSupportDir: /usr/lib/apt-cacher-ng\nSocketPath: {folder}/socket\n\
             Port: {PORT}\nBindAddress: {address}\nForeGround: 1\nVerboseLog: 0\nReportPage: \nExThreshold: 30\n\
             PassThroughPattern: .*\nLocalDirs: {ARCHIVES} {archives}\n\
             Remap-debian: deb.debian.org/debian ftp.debian.org/debian ; {debian}\n\
             Remap-security: deb.debian.org/debian-security security.debian.org/debian-security ; {security}\n",
            cache = self.cache.display(),
            address = self.address,
            archives = self.archives.display(),
            debian = upstream.debian,
            security = upstream.security,
        );
        if let Some(proxy) = &upstream.proxy {
            text.push_str(&format!("Proxy: {proxy}\n"));
        }
        text
    }

    /// Starts the instance in a group of processes, as the package's own user, and waits until it listens.
    ///
    /// # Errors
    /// When it ends at once or does not listen within ten seconds; its log is in the error.
    pub(crate) fn start(&self, upstream: &Upstream, group: &Group) -> Result<()> {
        for folder in [&self.folder, &self.cache, &self.archives] {
            fs::create_dir_all(folder).map_err(|why| Error::file(folder, why))?;
        }
        let path = self.folder.join("acng.conf");
        // The address of a proxy may carry a password.
        fs::write(&path, "")
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o600)))
            .and_then(|()| fs::write(&path, self.configuration(upstream)))
            .map_err(|why| Error::file(&path, why))?;
        let (folder, cache) = (self.folder.to_string_lossy(), self.cache.to_string_lossy());
        check(["chown", "-R", "apt-cacher-ng:apt-cacher-ng", &folder])?;
        check(["chown", "apt-cacher-ng:apt-cacher-ng", &cache])?;
        let log = self.folder.join("output.log");
        let user =
            "setpriv --reuid=apt-cacher-ng --regid=apt-cacher-ng --clear-groups apt-cacher-ng -c";
        let argv = user.split(' ').chain([folder.as_ref()]);
        group.enter(argv)?.detach(&log)?;
        self.wait(group, &log)
    }

    fn wait(&self, group: &Group, log: &Path) -> Result<()> {
        let started = Instant::now();
        let address = SocketAddr::from((self.address, PORT));
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            let slow = started.elapsed() > Duration::from_secs(10);
            if slow || (group.processes().is_empty() && started.elapsed() > Duration::from_secs(2))
            {
                let text = fs::read_to_string(log).unwrap_or_default();
                return Err(Error::new(
                    format!("the apt proxy does not listen on {address}"),
                    tail(&text, 5),
                    format!(
                        "see {} and {}",
                        log.display(),
                        self.folder.join("apt-cacher.err").display()
                    ),
                ));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror() -> Mirror {
        Mirror {
            address: Ipv4Addr::new(10, 77, 0, 2),
            folder: "/run/x".into(),
            cache: "/var/cache/x".into(),
            archives: "/srv/x".into(),
        }
    }

    #[test]
    fn the_proxy_fetches_from_this_machines_mirror_through_its_proxy() {
        let upstream = Upstream {
            debian: "https://mirror.example/debian".into(),
            proxy: Some("http://proxy:3128".into()),
            ..Upstream::default()
        };
        let text = mirror().configuration(&upstream);
        assert!(text.contains(
            "deb.debian.org/debian ftp.debian.org/debian ; https://mirror.example/debian\n"
        ));
        assert!(text.contains("\nProxy: http://proxy:3128\n"));
        assert!(text.contains("\nBindAddress: 10.77.0.2\n"));
    }

    #[test]
    fn twins_ask_the_mirror_itself_without_a_proxy() {
        let text = mirror().apt_configuration();
        assert!(text.contains("Acquire::http::Proxy::10.77.0.2 \"DIRECT\";"));
    }
}
