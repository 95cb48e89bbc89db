//! A certificate authority for twins: Pebble, Let's Encrypt's own test server, and the names that it looks up.
//!
//! Twins have no route out, and no public authority would vouch for their names. Pebble speaks the same protocol, and
//! refuses more: nonces now and then, so that clients learn to ask again.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::error::{Error, Result};
use super::lab::Lab;
use super::shell::{Call, check, tail, which};

/// Ports of the directory, of Pebble's management, of the names and of theirs; nothing in a lab has them.
const DIRECTORY: u16 = 14_000;
const MANAGEMENT: u16 = 15_000;
const DNS: u16 = 8053;
const NAMES: u16 = 8055;

/// How long either program may take to listen.
const START: Duration = Duration::from_secs(10);

/// An authority that runs at the operator's address of a lab, and goes with the lab.
#[derive(Debug)]
pub struct Authority {
    address: Ipv4Addr,
    root: PathBuf,
}

impl Authority {
    /// Starts one in the lab. Of the nonces that it gave it refuses so many of a hundred.
    ///
    /// # Errors
    /// When Debian's package `pebble` cannot be had, or a program of it does not start.
    pub fn start(lab: &Lab, cache: &Path, refused_nonces: u8) -> Result<Self> {
        let programs = programs(cache)?;
        let folder = lab.folder().join("authority");
        fs::create_dir_all(&folder).map_err(|why| Error::file(&folder, why))?;
        let authority = Self {
            address: lab.operator().ipv4,
            root: folder.join("root.pem"),
        };
        let own = authority.write_own(&folder)?;
        let (pebble, names) = (
            programs.join("pebble"),
            programs.join("pebble-challtestsrv"),
        );
        let (pebble, names) = (pebble.to_string_lossy(), names.to_string_lossy());
        let at = |port| SocketAddr::from((authority.address, port)).to_string();
        let (dns, management) = (at(DNS), at(NAMES));
        let group = lab.group()?.below("authority");
        let log = folder.join("names.log");
        // No default: a name that nobody named does not resolve.
        let argv = [
            &*names,
            "-defaultIPv4",
            "",
            "-defaultIPv6",
            "",
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-dns01",
            &dns,
            "-management",
            &management,
        ];
        group.enter(argv)?.detach(&log)?;
        authority.wait(NAMES, &log)?;
        let configuration = folder.join("pebble.json");
        let configuration = configuration.to_string_lossy();
        let log = folder.join("pebble.log");
        let argv = [&*pebble, "-config", &*configuration, "-dnsserver", &dns];
        let call = group.enter(argv)?.variable("PEBBLE_VA_NOSLEEP", "1");
        let call = call.variable("PEBBLE_AUTHZREUSE", "0");
        call.variable("PEBBLE_WFE_NONCEREJECT", refused_nonces.to_string())
            .detach(&log)?;
        authority.wait(MANAGEMENT, &log)?;
        authority.wait(DIRECTORY, &log)?;
        let url = format!("https://{}:{MANAGEMENT}/roots/0", authority.address);
        let root = check(["curl", "--silent", "--fail", "--insecure", &url])?.stdout;
        // Its directory shows a certificate of its own making, which no root of its covers.
        fs::write(&authority.root, format!("{root}{own}"))
            .map_err(|why| Error::file(&authority.root, why))?;
        Ok(authority)
    }

    /// Address of the ACME directory, as twins reach it.
    pub fn directory(&self) -> String {
        format!("https://{}:{DIRECTORY}/dir", self.address)
    }

    /// A file with the authority's root certificate and that of its directory, PEM.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// From now on the name leads to these addresses.
    ///
    /// # Errors
    /// When the names' server does not answer.
    pub fn resolve(&self, name: &str, addresses: &[IpAddr]) -> Result<()> {
        for (action, four) in [("a", true), ("aaaa", false)] {
            let fitting = addresses.iter().filter(|address| address.is_ipv4() == four);
            let fitting: Vec<String> = fitting.map(ToString::to_string).collect();
            let verb = if fitting.is_empty() { "clear" } else { "add" };
            let url = format!("http://{}:{NAMES}/{verb}-{action}", self.address);
            let body = serde_json::json!({ "host": name, "addresses": fitting }).to_string();
            check(["curl", "--silent", "--fail", "--data", &body, &url])?;
        }
        Ok(())
    }

    /// Writes Pebble's settings, and the certificate of its directory, which is given back.
    fn write_own(&self, folder: &Path) -> Result<String> {
        let own =
            rcgen::generate_simple_self_signed([self.address.to_string()]).map_err(|why| {
                Error::new("cannot make a certificate", why, "report this as a defect")
            })?;
        let (certificate, key) = (folder.join("own.pem"), folder.join("own.key"));
        let at = |port| SocketAddr::from((self.address, port)).to_string();
        let settings = serde_json::json!({ "pebble": {
            "listenAddress": at(DIRECTORY),
            "managementListenAddress": at(MANAGEMENT),
            "certificate": certificate,
            "privateKey": key,
            "httpPort": 80,
            "tlsPort": 443,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        let pem = own.cert.pem();
        for (path, text) in [
            (&certificate, pem.clone()),
            (&key, own.signing_key.serialize_pem()),
            (&folder.join("pebble.json"), settings.to_string()),
        ] {
            fs::write(path, text).map_err(|why| Error::file(path, why))?;
        }
        Ok(pem)
    }

    fn wait(&self, port: u16, log: &Path) -> Result<()> {
        let address = SocketAddr::from((self.address, port));
        let begun = Instant::now();
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            if begun.elapsed() > START {
                let text = fs::read_to_string(log).unwrap_or_default();
                let what = format!("the certificate authority does not listen on {address}");
                let remedy = format!("see {}", log.display());
                return Err(Error::new(what, tail(&text, 5), remedy));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// The folder with Pebble's programs: installed ones, or those of the package, fetched once and not installed.
fn programs(cache: &Path) -> Result<PathBuf> {
    let installed = which("pebble").zip(which("pebble-challtestsrv"));
    if let Some(folder) = installed.and_then(|(pebble, _)| pebble.parent().map(Path::to_owned)) {
        return Ok(folder);
    }
    let folder = cache.join("pebble");
    let programs = folder.join("usr/bin");
    if programs.join("pebble").exists() && programs.join("pebble-challtestsrv").exists() {
        return Ok(programs);
    }
    fs::create_dir_all(&folder).map_err(|why| Error::file(&folder, why))?;
    let place = folder.to_string_lossy();
    let fetch = "cd \"$1\" && apt-get --quiet download pebble && dpkg-deb --extract pebble_*.deb .";
    Call::new(["sh", "-c", fetch, "sh", &*place])
        .check()
        .map_err(|error| error.remedy("install Debian's package pebble: apt-get install pebble"))?;
    Ok(programs)
}
