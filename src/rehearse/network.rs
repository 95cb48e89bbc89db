//! Addresses of a lab, and the namespaces and interfaces that carry them.
//!
//! Lab number N has 10.77.N.0/24 and fd77:0:0:N::/64. Nothing is routed and nothing is translated: a frame of a twin
//! ends at another twin or at the operator.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::shell::{Call, Output, check};
use super::switch::{Endpoint, Port};

/// The operator's name in links and counters.
pub const OPERATOR: &str = "operator";
/// The package mirror's name in links and counters.
pub const MIRROR: &str = "mirror";

/// The number of the first twin's address within its network.
const FIRST_TWIN: u8 = 11;

/// One lab's addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The third part of the IPv4 network, 0 to 255: unique on this machine.
    pub number: u8,
    /// The twins, in the order of their addresses.
    pub twins: Vec<String>,
}

impl Network {
    fn endpoint(&self, name: &str, host: u8, interface_of: u8) -> Endpoint {
        Endpoint {
            name: name.to_owned(),
            mac: [0x02, 0x67, 0x64, 0, self.number, interface_of],
            ipv4: Ipv4Addr::new(10, 77, self.number, host),
            // The last part reads like the IPv4 one: fd77::3:0:0:0:11 belongs to 10.77.3.11.
            ipv6: Ipv6Addr::new(0xfd77, 0, 0, u16::from(self.number), 0, 0, 0, decimal(host)),
        }
    }

    /// The operator's side: where SSH comes from.
    pub fn operator(&self) -> Endpoint {
        self.endpoint(OPERATOR, 1, 1)
    }

    /// The package mirror: the same interface as the operator's, told apart by its address.
    pub fn mirror(&self) -> Endpoint {
        self.endpoint(MIRROR, 2, 1)
    }

    /// A twin's addresses, if the lab has it.
    pub fn twin(&self, name: &str) -> Option<Endpoint> {
        let index = self.twins.iter().position(|twin| twin == name)?;
        let host = u8::try_from(index).ok()?.checked_add(FIRST_TWIN)?;
        Some(self.endpoint(name, host, host))
    }

    /// The switch's ports: the operator's with the mirror, then one a twin.
    pub fn ports(&self) -> Vec<Port> {
        let mut ports = vec![Port {
            interface: self.operator_interface(),
            endpoints: vec![self.operator(), self.mirror()],
        }];
        ports.extend(
            self.twins
                .iter()
                .filter_map(|name| self.twin(name))
                .map(|twin| Port {
                    interface: format!("gd{}-{}", self.number, twin.mac[5]),
                    endpoints: vec![twin],
                }),
        );
        ports
    }

    /// The operator's interface.
    pub fn operator_interface(&self) -> String {
        format!("gd{}-op", self.number)
    }

    /// A twin's network namespace, as `ip netns` names it.
    pub fn namespace(&self, twin: &str) -> String {
        format!("gd{}-{twin}", self.number)
    }

    /// Gives the operator's interface its addresses.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn raise_operator(&self) -> Result<()> {
        let interface = self.operator_interface();
        let commands = self.commands_for(&interface, &[self.operator(), self.mirror()]);
        ip(&[], &commands)
    }

    fn known(&self, name: &str) -> Result<Endpoint> {
        self.twin(name).ok_or_else(|| {
            let why = format!("there are {:?}", self.twins);
            Error::new(format!("no twin {name:?}"), why, "use one of them")
        })
    }

    /// Makes a twin's namespace and moves its interface there as `eth0`, not yet plugged in.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn add_twin(&self, name: &str) -> Result<()> {
        let namespace = self.namespace(name);
        let interface = format!("gd{}-{}", self.number, self.known(name)?.mac[5]);
        check(["ip", "netns", "add", &namespace])?;
        check([
            "ip", "link", "set", "dev", &interface, "netns", &namespace, "name", "eth0",
        ])?;
        ip(&["-n", &namespace], &["link set dev lo up".to_owned()])
    }

    /// Plugs a twin in: its interface is up and has its addresses. Nothing changes if it is.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn plug_in(&self, name: &str) -> Result<()> {
        ip(
            &["-n", &self.namespace(name)],
            &self.commands_for("eth0", &[self.known(name)?]),
        )
    }

    /// Unplugs a twin: without this the kernel would go on answering for a machine whose power is cut.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn unplug(&self, name: &str) -> Result<()> {
        ip(
            &["-n", &self.namespace(name)],
            &["link set dev eth0 down".to_owned()],
        )
    }

    /// Up, with addresses, and with the hardware addresses of all others: between continents nobody asks for those,
    /// and a question would cost a round trip that the real link does not have.
    fn commands_for(&self, interface: &str, endpoints: &[Endpoint]) -> Vec<String> {
        let has_ipv6 = std::path::Path::new("/proc/net/if_inet6").exists();
        let own = endpoints
            .first()
            .map(|endpoint| endpoint.mac)
            .unwrap_or_default();
        let mut commands = vec![format!(
            "link set dev {interface} address {} up",
            hardware(own)
        )];
        for (index, endpoint) in endpoints.iter().enumerate() {
            // Only the first is a source: IPv6 would otherwise take the newest, and the operator come as the mirror.
            let lifetime = if index == 0 { "" } else { " preferred_lft 0" };
            commands.push(format!(
                "address replace {}/24 dev {interface}",
                endpoint.ipv4
            ));
            if has_ipv6 {
                commands.push(format!(
                    "address replace {}/64 dev {interface} nodad{lifetime}",
                    endpoint.ipv6
                ));
            }
        }
        let all = self.ports().into_iter().flat_map(|port| port.endpoints);
        for other in all.filter(|other| other.mac != own) {
            let rest = format!(
                "lladdr {} dev {interface} nud permanent",
                hardware(other.mac)
            );
            commands.push(format!("neighbour replace {} {rest}", other.ipv4));
            if has_ipv6 {
                commands.push(format!("neighbour replace {} {rest}", other.ipv6));
            }
        }
        commands
    }

    /// Removes the namespaces; the interfaces go with the switch.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn lower(&self) -> Result<()> {
        let present = namespaces()?;
        for twin in &self.twins {
            let namespace = self.namespace(twin);
            if present.contains(&namespace) {
                check(["ip", "netns", "del", &namespace])?;
            }
        }
        Ok(())
    }
}

/// A number as a hexadecimal one that reads the same: 11 becomes 0x11.
fn decimal(number: u8) -> u16 {
    let number = u16::from(number);
    (number / 100) << 8 | (number / 10 % 10) << 4 | (number % 10)
}

/// A hardware address as `ip` writes it.
fn hardware(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// The names of all network namespaces.
pub(crate) fn namespaces() -> Result<Vec<String>> {
    let output = check(["ip", "netns", "list"])?;
    let names = output
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    Ok(names.map(str::to_owned).collect())
}

/// The lab numbers whose addresses this machine already uses or routes.
pub(crate) fn numbers_in_use() -> Result<Vec<u8>> {
    let routes = check(["ip", "-4", "route", "show", "table", "all"])?.stdout;
    Ok(numbers_in(&routes))
}

fn numbers_in(routes: &str) -> Vec<u8> {
    let after = routes.split("10.77.").skip(1);
    after
        .filter_map(|rest| rest.split(['.', '/', ' ']).next()?.parse().ok())
        .collect()
}

fn ip(options: &[&str], commands: &[String]) -> Result<()> {
    let argv = ["ip"].iter().chain(options).chain(&["-batch", "-"]);
    let _output: Output = Call::new(argv).stdin(commands.join("\n") + "\n").check()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        Network {
            number: 3,
            twins: vec!["us".into(), "cn".into()],
        }
    }

    #[test]
    fn addresses_of_both_families_read_alike() {
        let twin = network().twin("cn").unwrap();
        assert_eq!(twin.ipv4.to_string(), "10.77.3.12");
        assert_eq!(twin.ipv6.to_string(), "fd77:0:0:3::12");
        assert!(network().twin("eu").is_none());
    }

    #[test]
    fn operator_and_mirror_share_a_port_and_a_hardware_address() {
        let ports = network().ports();
        assert_eq!(ports.len(), 3);
        assert_eq!(ports[0].endpoints.len(), 2);
        assert_eq!(ports[0].endpoints[0].mac, ports[0].endpoints[1].mac);
        assert!(ports.iter().all(|port| port.interface.len() <= 15));
    }

    #[test]
    fn networks_in_use_are_found_in_the_routing_table() {
        let routes = "default via 192.0.2.1 dev eth0\n10.77.0.0/24 dev gd0-op\nlocal 10.77.12.1 dev gd12-op\n";
        assert_eq!(numbers_in(routes), [0, 12]);
        assert_eq!(numbers_in("10.77.0.0/16 via 10.0.0.1\n"), [0]);
    }
}
