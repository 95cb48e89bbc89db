//! How a running switch is asked and changed: one JSON value a line, over its Unix socket.

use serde::{Deserialize, Serialize};

use super::fabric::{Delivery, Fabric};
use super::link::{Flow, Shape};
use super::{DirectedLink, LinkCounters};

/// A question or an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Whether it runs.
    Ping,
    /// A direction gets another shape; frames in flight keep their time.
    Shape(DirectedLink),
    /// What a direction is like.
    Describe {
        /// Who sends.
        from: String,
        /// Who receives.
        to: String,
    },
    /// A direction is opened, cut or stalled.
    Flow {
        /// Who sends.
        from: String,
        /// Who receives.
        to: String,
        /// What is to become of its frames.
        flow: Flow,
    },
    /// What went through since the last reset.
    Counters,
    /// All counters go back to nothing.
    Reset,
    /// It ends; its devices go with it.
    Stop,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It is done.
    Done,
    /// What went through.
    Counters(Vec<LinkCounters>),
    /// What a direction is like.
    Link {
        /// Delay, bandwidth, queue and loss.
        shape: Shape,
        /// Whether frames flow.
        flow: Flow,
    },
    /// The request was not understood or names nobody.
    Refused(String),
}

/// Does what a line asks; frames that a stall held come out with the answer.
pub(super) fn answer(fabric: &mut Fabric, line: &str) -> (Reply, Vec<Delivery>) {
    let request = match serde_json::from_str(line) {
        Ok(request) => request,
        Err(why) => return (Reply::Refused(why.to_string()), Vec::new()),
    };
    let refused = |from: &str, to: &str| Reply::Refused(format!("no link from {from} to {to}"));
    let reply = match request {
        Request::Ping | Request::Stop => Reply::Done,
        Request::Counters => Reply::Counters(fabric.counters()),
        Request::Reset => {
            fabric.reset_counters();
            Reply::Done
        }
        Request::Shape(link) => match fabric.link(&link.from, &link.to) {
            Some(found) => {
                found.shape = link.shape;
                Reply::Done
            }
            None => refused(&link.from, &link.to),
        },
        Request::Describe { from, to } => match fabric.link(&from, &to) {
            Some(link) => Reply::Link {
                shape: link.shape,
                flow: link.flow,
            },
            None => refused(&from, &to),
        },
        Request::Flow { from, to, flow } => {
            return match fabric.index(&from, &to) {
                Some(index) => (Reply::Done, fabric.set_flow(index, flow)),
                None => (refused(&from, &to), Vec::new()),
            };
        }
    };
    (reply, Vec::new())
}

/// Whether a line asks the switch to end.
pub(super) fn stops(line: &str) -> bool {
    matches!(serde_json::from_str(line), Ok(Request::Stop))
}
