//! How a host is reached.

use std::path::PathBuf;
use std::str::FromStr;

use super::host_key::HostKey;
use super::mistake::Wrong;
use super::names::{HostName, UserName};
use super::reader::Table;
use super::secret_reference::{FilePath, SecretReference, secret};
use super::values::Port;

/// What `[ssh]` says for all regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshDefaults {
    /// Login name; anyone but root needs sudo.
    pub user: UserName,
    /// Port of sshd.
    pub port: Port,
    /// Private key to use; absent leaves the choice to the operator's ssh_config and agent.
    pub identity: Option<PathBuf>,
    /// Password of the user for sudo; absent means sudo asks for none.
    pub sudo_password: Option<SecretReference>,
    /// Hosts to go through, the nearest first.
    pub jump: Vec<JumpHost>,
}

/// How one region's host is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// Name or address to connect to; the region's IPv4 address unless the inventory says otherwise.
    pub host: HostName,
    /// Pinned keys; none means that nobody has looked yet and nothing but `trust` may connect.
    pub host_keys: Vec<HostKey>,
    /// The rest.
    pub login: SshDefaults,
}

/// A host that connections pass through: `user@host:port`, of which user and port may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JumpHost {
    /// Login name, where it is not the operator's ssh_config that knows.
    pub user: Option<UserName>,
    /// Name or address.
    pub host: HostName,
    /// Port, where it is not the operator's ssh_config that knows.
    pub port: Option<Port>,
}

impl SshDefaults {
    /// Reads the keys that `[ssh]` and a region's `ssh` have in common; what is left out is as in `base`.
    pub(super) fn read(table: &Table<'_>, base: Option<&Self>) -> Option<Self> {
        let user = match base {
            Some(base) if !table.has("user") => Some(base.user.clone()),
            _ => table.required("user", "root"),
        };
        let port = match table.value("port") {
            Some(_) => table
                .whole("port", 1..=65535)
                .and_then(|port| u16::try_from(port).ok()),
            None => Some(base.map_or(22, |base| base.port.number())),
        };
        let identity = table.text::<FilePath>("identity").map(|path| path.0);
        let sudo_password = secret(table, "sudo_password");
        let jump = table.texts("jump");
        Some(Self {
            user: user?,
            port: Port::new(port?)?,
            identity: identity.or_else(|| base?.identity.clone()),
            sudo_password: sudo_password.or_else(|| base?.sudo_password.clone()),
            jump: jump
                .or_else(|| Some(base?.jump.clone()))
                .unwrap_or_default(),
        })
    }
}

impl Ssh {
    /// Reads a region's `ssh`.
    pub(super) fn read(
        table: Table<'_>,
        base: Option<&SshDefaults>,
        address: Option<HostName>,
    ) -> Option<Self> {
        let login = match base {
            None if table.is_absent() => None,
            _ => SshDefaults::read(&table, base),
        };
        let host = if table.value("host").is_some() {
            table.text("host")
        } else {
            address
        };
        let host_keys = table.texts("host_key");
        table.finish();
        Some(Self {
            host: host?,
            host_keys: host_keys.unwrap_or_default(),
            login: login?,
        })
    }
}

impl FromStr for JumpHost {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let (user, rest) = match text.split_once('@') {
            Some((user, rest)) => (Some(user.parse()?), rest),
            None => (None, text),
        };
        let (host, port) = match rest
            .strip_prefix('[')
            .and_then(|inner| inner.split_once(']'))
        {
            Some((address, port)) => (address, port.strip_prefix(':')),
            None => match rest.rsplit_once(':') {
                Some((host, port)) if !host.contains(':') => (host, Some(port)),
                _ => (rest, None),
            },
        };
        let port = match port {
            Some(port) => Some(port.parse().ok().and_then(Port::new).ok_or_else(|| {
                Wrong::new(
                    format!("`{port}` is not a port"),
                    "write user@host:port with a port from 1 to 65535",
                )
            })?),
            None => None,
        };
        Ok(Self {
            user,
            host: host.parse()?,
            port,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_host_may_leave_out_user_and_port() {
        let full: JumpHost = "ops@bastion.example.com:2222".parse().unwrap();
        assert_eq!(full.port, Port::new(2222));
        assert_eq!(full.user.unwrap().as_str(), "ops");
        let bare: JumpHost = "bastion".parse().unwrap();
        assert_eq!((bare.user, bare.port), (None, None));
        let six: JumpHost = "[2001:db8::1]:22".parse().unwrap();
        assert_eq!(six.host.as_str(), "2001:db8::1");
    }

    #[test]
    fn a_jump_host_that_ssh_would_read_as_an_option_is_refused() {
        for text in [
            "-J",
            "-oProxyCommand=id@host",
            "user@-l",
            "user@host:0",
            "user@host;id",
        ] {
            assert!(text.parse::<JumpHost>().is_err(), "{text}");
        }
    }
}
