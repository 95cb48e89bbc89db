//! Which step a run is at, told as it goes.

use std::time::Instant;

use crate::agent::message::Event;
use crate::agent::system::Fault;

/// A run's progress.
pub(super) struct Progress<'a> {
    /// Takes each event.
    pub emit: &'a dyn Fn(Event),
    /// The step under way, from 1.
    number: usize,
    /// How many steps there are, as far as is known.
    of: usize,
    /// How many of the resources of the plan were changed; a unit that only hears of a change is none of them.
    pub changed: usize,
    /// Units that were started anew or reread their configuration.
    pub restarted: Vec<String>,
}

impl<'a> Progress<'a> {
    /// Before the first of so many steps.
    pub(super) fn new(emit: &'a dyn Fn(Event), of: usize) -> Self {
        Self {
            emit,
            number: 0,
            of,
            changed: 0,
            restarted: Vec::new(),
        }
    }

    /// Does the work of so many steps at once and tells when it began and ended.
    ///
    /// # Errors
    /// Those of the work.
    pub(super) fn time(
        &mut self,
        steps: usize,
        title: &str,
        work: impl FnOnce() -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.number += steps;
        self.of = self.of.max(self.number);
        (self.emit)(Event::Started {
            number: self.number,
            of: self.of,
            step: title.to_owned(),
        });
        let begun = Instant::now();
        work()?;
        (self.emit)(Event::Done {
            number: self.number,
            milliseconds: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        Ok(())
    }
}
