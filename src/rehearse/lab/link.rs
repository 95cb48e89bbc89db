//! A lab's link, as its owner changes it while it runs.

use super::super::error::Result;
use super::super::switch::{Client, DirectedLink, Flow, Reply, Request, Shape};

/// A link of a lab, in both directions.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    pub(super) switch: Client,
    pub(super) a: &'a str,
    pub(super) b: &'a str,
}

impl Link<'_> {
    fn both(&self) -> [(String, String); 2] {
        let (a, b) = (self.a.to_owned(), self.b.to_owned());
        [(a.clone(), b.clone()), (b, a)]
    }

    /// Gives both directions a shape.
    ///
    /// # Errors
    /// When the switch does not answer or knows no such link.
    pub fn set(&self, shape: Shape) -> Result<()> {
        self.set_each(shape, shape)
    }

    /// Gives each direction a shape of its own.
    ///
    /// # Errors
    /// When the switch does not answer or knows no such link.
    pub fn set_each(&self, forward: Shape, backward: Shape) -> Result<()> {
        for ((from, to), shape) in self.both().into_iter().zip([forward, backward]) {
            self.switch
                .ask(&Request::Shape(DirectedLink { from, to, shape }))?;
        }
        Ok(())
    }

    /// What the direction from the first to the second end is like.
    ///
    /// # Errors
    /// When the switch does not answer or knows no such link.
    pub fn shape(&self) -> Result<Shape> {
        let (from, to) = (self.a.to_owned(), self.b.to_owned());
        match self.switch.ask(&Request::Describe { from, to })? {
            Reply::Link { shape, .. } => Ok(shape),
            Reply::Done | Reply::Counters(_) | Reply::Refused(_) => Ok(Shape::default()),
        }
    }

    fn flow(&self, flow: Flow) -> Result<()> {
        for (from, to) in self.both() {
            self.switch.ask(&Request::Flow { from, to, flow })?;
        }
        Ok(())
    }

    /// Loses everything from now on, also what is in flight.
    ///
    /// # Errors
    /// When the switch does not answer or knows no such link.
    pub fn cut(&self) -> Result<()> {
        self.flow(Flow::Cut)
    }

    /// Holds everything back from now on, to let it out in order when restored.
    ///
    /// # Errors
    /// When the switch does not answer or knows no such link.
    pub fn stall(&self) -> Result<()> {
        self.flow(Flow::Stalled)
    }

    /// Ends a cut or a stall.
    ///
    /// # Errors
    /// When the switch does not answer or knows no such link.
    pub fn restore(&self) -> Result<()> {
        self.flow(Flow::Open)
    }

    /// Loses a share of the frames, 0 to 1, in both directions; delay and bandwidth stay.
    ///
    /// # Errors
    /// When the switch does not answer or knows no such link.
    pub fn lose(&self, share: f64) -> Result<()> {
        let back = Link {
            switch: self.switch.clone(),
            a: self.b,
            b: self.a,
        };
        let lossy = |shape: Shape| Shape {
            loss: share,
            ..shape
        };
        self.set_each(lossy(self.shape()?), lossy(back.shape()?))
    }
}
