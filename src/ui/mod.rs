//! All output, prompts and progress. Results go to standard output, everything else to standard error.

mod consent;
mod lane;
mod look;

use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

pub use lane::Lane;
pub use look::{Look, Terminal};

use crate::error::{Error, ErrorKind};
use crate::text::{Palette, Tone, printable};

/// The version of every JSON document that the tool prints.
pub const SCHEMA: u32 = 1;

/// The operator's terminal, or what stands in its place. Clones share it.
#[derive(Clone)]
pub struct Ui {
    shared: Arc<Shared>,
}

struct Shared {
    look: Look,
    out: Mutex<Output>,
    err: Mutex<Box<dyn Write + Send>>,
    input: Mutex<Box<dyn BufRead + Send>>,
    /// Where lanes are drawn; `None` where lines are printed instead.
    bars: Option<MultiProgress>,
}

struct Output {
    to: Box<dyn Write + Send>,
    failure: Option<io::Error>,
}

impl Ui {
    /// The process's own streams.
    pub fn new(look: Look) -> Self {
        let bars = look
            .bars
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self::with_streams(
            look,
            bars,
            Box::new(io::stdout()),
            Box::new(io::stderr()),
            Box::new(io::BufReader::new(io::stdin())),
        )
    }

    fn with_streams(
        look: Look,
        bars: Option<MultiProgress>,
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        input: Box<dyn BufRead + Send>,
    ) -> Self {
        let out = Output {
            to: out,
            failure: None,
        };
        let shared = Shared {
            look,
            out: Mutex::new(out),
            err: Mutex::new(err),
            input: Mutex::new(input),
            bars,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// How it looks: JSON or text, verbose, coloured.
    pub fn look(&self) -> Look {
        self.shared.look
    }

    /// A result: `text` on standard output, or with `--json` one line `{"schema":1,NAME:value}`. An empty text is no line.
    pub fn report<T: Serialize>(
        &self,
        name: &str,
        value: &T,
        text: impl FnOnce(Palette) -> String,
    ) {
        if self.look().json {
            self.json(name, value);
        } else {
            let text = text(self.look().out);
            if !text.is_empty() {
                self.print(&text);
            }
        }
    }

    /// A result that is the same with and without `--json`, such as a shell's completions or a token. A missing last
    /// line break is added.
    pub fn print(&self, text: &str) {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        self.write_out(&format!("{text}{end}"));
    }

    /// Something to know, on standard error.
    pub fn note(&self, text: &str) {
        self.write_err(&printable(text));
    }

    /// Something to know for those who asked with `-v`.
    pub fn detail(&self, text: &str) {
        if self.look().verbose {
            self.write_err(&self.look().err.paint(Tone::Faint, printable(text)));
        }
    }

    /// Something that may go wrong later.
    pub fn warn(&self, text: &str) {
        let label = self.look().err.paint(Tone::Changed, "warning:");
        self.write_err(&format!("{label} {}", printable(text)));
    }

    /// A failure: on standard error, and with `--json` on standard output too, as `{"schema":1,"error":{…}}`.
    pub fn error(&self, error: &Error) {
        if self.look().json {
            let document = serde_json::json!({
                "exit": error.exit_code(),
                "kind": error.kind,
                "what": error.what,
                "causes": error.causes,
                "hints": error.hints,
            });
            self.json("error", &document);
        }
        self.write_err(&error.render(self.look().err));
    }

    /// Whether nobody reads standard output any more, as after `geodeploy logs -f | head`: a verb that follows stops.
    pub fn closed(&self) -> bool {
        lock(&self.shared.out).failure.is_some()
    }

    /// Nothing, or why results did not reach standard output. A reader that left early is no failure.
    ///
    /// # Errors
    /// When a write failed for another reason: a full disk, say.
    pub fn finish(&self) -> Result<(), Error> {
        match &lock(&self.shared.out).failure {
            Some(failure) if failure.kind() != io::ErrorKind::BrokenPipe => {
                let what = "cannot write to standard output";
                Err(Error::new(ErrorKind::Failed, what).source(failure))
            }
            _ => Ok(()),
        }
    }

    fn json<T: Serialize>(&self, name: &str, value: &T) {
        let body = serde_json::to_string(value);
        let name = serde_json::to_string(name);
        match (name, body) {
            (Ok(name), Ok(body)) => {
                self.write_out(&format!("{{\"schema\":{SCHEMA},{name}:{body}}}\n"));
            }
            (Err(error), _) | (_, Err(error)) => {
                let mut out = lock(&self.shared.out);
                out.failure.get_or_insert(io::Error::other(error));
            }
        }
    }

    fn write_out(&self, text: &str) {
        self.beside_bars(|| {
            let mut out = lock(&self.shared.out);
            if out.failure.is_some() {
                return;
            }
            let written = out.to.write_all(text.as_bytes());
            out.failure = written.and_then(|()| out.to.flush()).err();
        });
    }

    fn write_err(&self, text: &str) {
        self.beside_bars(|| {
            let end = if text.ends_with('\n') { "" } else { "\n" };
            let mut err = lock(&self.shared.err);
            // There is no place left to report that standard error does not work.
            drop(err.write_all(format!("{text}{end}").as_bytes()));
            drop(err.flush());
        });
    }

    /// Takes the lanes off the terminal while something else is written. Not by `MultiProgress::println`, which drops
    /// its text without a word where the terminal is hidden.
    fn beside_bars<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.shared.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

/// A writer that panicked leaves a stream that is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
