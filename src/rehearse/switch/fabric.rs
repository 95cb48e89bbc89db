//! The switch without its devices: endpoints, links between them, frames on their way. Pure: time is an argument.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::time::Instant;

use super::frame::Frame;
use super::link::{Fate, Flow, Link};
use super::{DirectedLink, Endpoint, LinkCounters, Port};

/// A frame on its way: ordered by the time at which it comes out, then by the order in which it went in.
type InFlight = (Reverse<Instant>, Reverse<u64>, usize, u64, Vec<u8>);

/// A frame that comes out now: at which port.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    /// The port's index.
    pub(super) port: usize,
    /// The whole frame.
    pub(super) frame: Vec<u8>,
}

/// Endpoints and everything between them.
#[derive(Debug)]
pub(super) struct Fabric {
    endpoints: Vec<(usize, Endpoint)>,
    links: Vec<Link>,
    /// The longest chain of messages, each sent after the one before had arrived, that ends at an endpoint:
    /// by the same index as the links (Lamport's clock, one for each pair).
    chains: Vec<u64>,
    flying: BinaryHeap<InFlight>,
    held: Vec<(usize, u64, Vec<u8>)>,
    entered: u64,
}

impl Fabric {
    /// Links of the given shapes; endpoints without one are joined without delay.
    pub(super) fn new(ports: &[Port], links: &[DirectedLink], now: Instant) -> Self {
        let endpoints: Vec<_> = ports
            .iter()
            .enumerate()
            .flat_map(|(port, entry)| {
                entry
                    .endpoints
                    .iter()
                    .map(move |endpoint| (port, endpoint.clone()))
            })
            .collect();
        let count = endpoints.len() * endpoints.len();
        let mut fabric = Self {
            links: (0..count)
                .map(|index| Link::new(super::Shape::default(), index as u64 + 1, now))
                .collect(),
            chains: vec![0; count],
            endpoints,
            flying: BinaryHeap::new(),
            held: Vec::new(),
            entered: 0,
        };
        for link in links {
            if let Some(index) = fabric.index(&link.from, &link.to) {
                fabric.links[index].shape = link.shape;
            }
        }
        fabric
    }

    /// The place of a direction, if both its ends are known.
    pub(super) fn index(&self, from: &str, to: &str) -> Option<usize> {
        let place = |name: &str| {
            self.endpoints
                .iter()
                .position(|(_, endpoint)| endpoint.name == name)
        };
        Some(place(from)? * self.endpoints.len() + place(to)?)
    }

    /// A direction, to be changed.
    pub(super) fn link(&mut self, from: &str, to: &str) -> Option<&mut Link> {
        let index = self.index(from, to)?;
        self.links.get_mut(index)
    }

    /// The endpoint at a port that an address belongs to; the first one where the address says nothing.
    fn at_port(&self, port: usize, address: Option<IpAddr>) -> Option<usize> {
        let here = || {
            self.endpoints
                .iter()
                .enumerate()
                .filter(|(_, (at, _))| *at == port)
        };
        let owner = here().find(|(_, (_, endpoint))| {
            address.is_some_and(|address| address == endpoint.ipv4 || address == endpoint.ipv6)
        });
        owner.or_else(|| here().next()).map(|(index, _)| index)
    }

    /// A frame has been read at a port: what comes out at once. The rest is on its way.
    pub(super) fn enter(&mut self, port: usize, bytes: &[u8], now: Instant) -> Vec<Delivery> {
        let Some(frame) = Frame::read(bytes) else {
            return Vec::new();
        };
        let Some(from) = self.at_port(port, frame.from) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for target in self.targets(port, &frame) {
            let index = from * self.endpoints.len() + target;
            let chain = if frame.speaks {
                self.chains[self.reverse(index)] + 1
            } else {
                0
            };
            match self.links[index].enter(bytes.len(), now) {
                Fate::Now => out.extend(self.arrive(index, chain, bytes.to_vec())),
                Fate::At(time) => {
                    self.entered += 1;
                    let order = Reverse(self.entered);
                    self.flying
                        .push((Reverse(time), order, index, chain, bytes.to_vec()));
                }
                Fate::Lost | Fate::Dropped => {}
            }
        }
        out
    }

    fn targets(&self, port: usize, frame: &Frame) -> Vec<usize> {
        let ports = self.endpoints.last().map_or(0, |(last, _)| last + 1);
        (0..ports)
            .filter(|other| *other != port)
            .filter_map(|other| self.at_port(other, frame.to))
            .filter(|target| frame.to_many() || self.endpoints[*target].1.mac == frame.destination)
            .collect()
    }

    fn reverse(&self, index: usize) -> usize {
        let count = self.endpoints.len();
        index % count * count + index / count
    }

    fn arrive(&mut self, index: usize, chain: u64, frame: Vec<u8>) -> Option<Delivery> {
        match self.links[index].flow {
            Flow::Open => {}
            Flow::Cut => {
                self.links[index].counters.lost += 1;
                return None;
            }
            Flow::Stalled => {
                self.held.push((index, chain, frame));
                return None;
            }
        }
        self.links[index].leave(frame.len());
        self.chains[index] = self.chains[index].max(chain);
        let target = index % self.endpoints.len();
        Some(Delivery {
            port: self.endpoints[target].0,
            frame,
        })
    }

    /// When the next frame comes out.
    pub(super) fn next(&self) -> Option<Instant> {
        self.flying.peek().map(|entry| entry.0.0)
    }

    /// The frames that are due, in order.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Delivery> {
        let mut out = Vec::new();
        while self.next().is_some_and(|time| time <= now) {
            if let Some((_, _, index, chain, frame)) = self.flying.pop() {
                out.extend(self.arrive(index, chain, frame));
            }
        }
        out
    }

    /// Opens, cuts or stalls a direction; what a stall held comes out when it ends.
    pub(super) fn set_flow(&mut self, index: usize, flow: Flow) -> Vec<Delivery> {
        self.links[index].flow = flow;
        if flow == Flow::Stalled {
            return Vec::new();
        }
        let (freed, held) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|entry| entry.0 == index);
        self.held = held;
        let freed: Vec<_> = freed;
        freed
            .into_iter()
            .filter_map(|(index, chain, frame)| self.arrive(index, chain, frame))
            .collect()
    }

    /// What went through each direction that was used.
    pub(super) fn counters(&self) -> Vec<LinkCounters> {
        let count = self.endpoints.len();
        (0..self.links.len())
            .filter(|index| index / count != index % count)
            .map(|index| LinkCounters {
                from: self.endpoints[index / count].1.name.clone(),
                to: self.endpoints[index % count].1.name.clone(),
                counters: self.links[index].counters,
                chain: self.chains[index],
            })
            .filter(|entry| entry.counters != super::Counters::default() || entry.chain > 0)
            .collect()
    }

    /// Sets all counters back to nothing.
    pub(super) fn reset_counters(&mut self) {
        self.chains.fill(0);
        for link in &mut self.links {
            link.counters = super::Counters::default();
        }
    }
}

#[cfg(test)]
mod tests;
