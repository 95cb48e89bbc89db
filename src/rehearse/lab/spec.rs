//! What a lab is to be.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::super::base::Suite;
use super::super::error::{Error, Result};
use super::super::sources::Upstream;
use super::super::switch::{DirectedLink, Shape};
use super::state::{STORAGE, default_cache};

/// One twin to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwinSpec {
    /// Its name and host name: small letters, digits, dashes; at most 30.
    pub name: String,
    /// The Debian release that it runs.
    pub suite: Suite,
}

impl TwinSpec {
    /// A Debian 12 twin.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            suite: Suite::default(),
        }
    }
}

/// What the link between two ends is like: twins' names or `operator`.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSpec {
    /// One end.
    pub a: String,
    /// The other end.
    pub b: String,
    /// From the first to the second.
    pub forward: Shape,
    /// From the second to the first.
    pub backward: Shape,
}

impl LinkSpec {
    /// A link with a round trip and with a bandwidth in megabits a second that is the same both ways.
    pub fn new(
        a: impl Into<String>,
        b: impl Into<String>,
        round_trip: Duration,
        megabits: Option<f64>,
    ) -> Self {
        let shape = Shape::new(round_trip, megabits);
        Self {
            a: a.into(),
            b: b.into(),
            forward: shape,
            backward: shape,
        }
    }
}

/// Who runs the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchProgram {
    /// A program of its own, started with the configuration's path as its last argument: the lab can outlive this
    /// process.
    Program(Vec<String>),
    /// A thread of this process.
    Inside,
}

impl SwitchProgram {
    /// This program's own hidden verb.
    ///
    /// # Errors
    /// When this program's file cannot be found.
    pub fn own() -> Result<Self> {
        let path = std::env::current_exe().map_err(|why| {
            Error::new(
                "cannot find this program's own file",
                why,
                "start it by its full path",
            )
        })?;
        Ok(Self::Program(vec![
            path.to_string_lossy().into_owned(),
            "rehearse-switch".to_owned(),
        ]))
    }
}

/// A lab to be.
#[derive(Clone, Debug, PartialEq)]
pub struct LabSpec {
    /// Its name: small letters, digits, dashes; at most 30.
    pub name: String,
    /// Its twins.
    pub twins: Vec<TwinSpec>,
    /// Its links; ends without one are joined without delay. The mirror is near to all.
    pub links: Vec<LinkSpec>,
    /// Host names that stand in every twin's hosts file, and the twin that each belongs to.
    pub hosts: Vec<(String, String)>,
    /// Who runs the switch.
    pub switch: SwitchProgram,
    /// The folder for twins' file systems: on a file system that allows overlays.
    pub storage: PathBuf,
    /// The folder for base systems and packages, kept between labs.
    pub cache: PathBuf,
    /// Where packages come from.
    pub upstream: Upstream,
}

impl LabSpec {
    /// A lab without links, in the usual folders, with packages from where this machine has its own.
    pub fn new(name: impl Into<String>, twins: Vec<TwinSpec>, switch: SwitchProgram) -> Self {
        Self {
            name: name.into(),
            twins,
            links: Vec::new(),
            hosts: Vec::new(),
            switch,
            storage: PathBuf::from(STORAGE),
            cache: default_cache(),
            upstream: Upstream::of_this_machine(),
        }
    }

    /// Refuses names that are not plain, twice there or unknown.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |why: String| {
            Err(Error::new(
                format!("cannot bring up the lab {:?}", self.name),
                why,
                "change it",
            ))
        };
        let names: Vec<_> = self.twins.iter().map(|twin| twin.name.as_str()).collect();
        for name in names.iter().chain([&self.name.as_str()]) {
            if !plain(name) {
                return refuse(format!(
                    "{name:?} is not 1 to 30 small letters, digits and dashes"
                ));
            }
        }
        for (index, name) in names.iter().enumerate() {
            if super::reserved(name) || names[..index].contains(name) {
                return refuse(format!("the name {name:?} is taken"));
            }
        }
        if names.is_empty() || names.len() > 100 {
            return refuse(format!("{} twins; there can be 1 to 100", names.len()));
        }
        let ends = self.links.iter().flat_map(|link| [&link.a, &link.b]);
        for end in ends.chain(self.hosts.iter().map(|(_, twin)| twin)) {
            if !super::reserved(end) && !names.contains(&end.as_str()) {
                return refuse(format!("there is no twin {end:?} among {names:?}"));
            }
        }
        Ok(())
    }

    /// Its links, each direction for itself.
    pub(super) fn directed(&self) -> Vec<DirectedLink> {
        let each = |from: &String, to: &String, shape: Shape| DirectedLink {
            from: from.clone(),
            to: to.clone(),
            shape,
        };
        let links = self.links.iter();
        links
            .flat_map(|link| {
                [
                    each(&link.a, &link.b, link.forward),
                    each(&link.b, &link.a, link.backward),
                ]
            })
            .collect()
    }
}

fn plain(name: &str) -> bool {
    let letters =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    (1..=30).contains(&name.len())
        && name.chars().all(letters)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// A step on the way up.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A base system is built, which takes a minute; once.
    BuildingBase(Suite),
    /// The switch and the links are made.
    Wiring,
    /// The apt proxy starts.
    StartingMirror,
    /// A twin boots.
    Booting(String),
    /// sshd of a twin answers, so long after its power was switched on.
    Ready(String, Duration),
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuildingBase(suite) => write!(
                formatter,
                "building the base system {} (once, about a minute)",
                suite.name()
            ),
            Self::Wiring => write!(formatter, "connecting the links"),
            Self::StartingMirror => write!(formatter, "starting the package mirror"),
            Self::Booting(twin) => write!(formatter, "booting {twin}"),
            Self::Ready(twin, time) => write!(
                formatter,
                "{twin} answers after {:.1} s",
                time.as_secs_f64()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> LabSpec {
        let twins = vec![TwinSpec::new("us"), TwinSpec::new("cn")];
        LabSpec {
            upstream: Upstream::default(),
            ..LabSpec::new("lab", twins, SwitchProgram::Inside)
        }
    }

    #[test]
    fn names_must_be_plain_single_and_known() {
        spec().check().unwrap();
        let refused = |change: fn(&mut LabSpec)| {
            let mut spec = spec();
            change(&mut spec);
            spec.check().unwrap_err().why
        };
        assert!(refused(|spec| spec.name = "../x".into()).contains("../x"));
        assert!(refused(|spec| spec.twins[1].name = "us".into()).contains("taken"));
        assert!(refused(|spec| spec.twins[1].name = "operator".into()).contains("taken"));
        assert!(refused(|spec| spec.twins.clear()).contains("0 twins"));
        let link = |spec: &mut LabSpec| {
            spec.links
                .push(LinkSpec::new("operator", "eu", Duration::ZERO, None));
        };
        assert!(refused(link).contains("eu"));
    }

    #[test]
    fn a_link_is_two_directions_of_half_a_round_trip() {
        let mut spec = spec();
        spec.links.push(LinkSpec::new(
            "us",
            "cn",
            Duration::from_millis(180),
            Some(5.0),
        ));
        let directed = spec.directed();
        assert_eq!(
            (directed[0].from.as_str(), directed[1].from.as_str()),
            ("us", "cn")
        );
        assert_eq!(directed[1].shape.delay, Duration::from_millis(90));
        assert_eq!(directed[1].shape.bits_per_second, Some(5_000_000));
    }
}
