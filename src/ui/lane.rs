//! Progress: a lane for each region, drawn in place on a terminal and as plain lines elsewhere.

use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::{Ui, lock};
use crate::text::{self, Tone, printable_line};

/// A step that takes longer is mentioned while it runs, so that a log that ends there tells where.
const REMIND_AFTER: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(125);

/// The progress of one region. Clones share it; it may be used from any thread.
#[derive(Clone)]
pub struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    ui: Ui,
    /// The region's name, padded so that lanes line up.
    name: String,
    progress: Mutex<Progress>,
    bar: Option<ProgressBar>,
}

struct Progress {
    began: Instant,
    step: Option<Step>,
}

struct Step {
    /// `12/34 package nginx`.
    text: String,
    began: Instant,
    /// Bytes done and in all.
    bytes: Option<(u64, u64)>,
    reminders: u32,
}

impl Ui {
    /// A lane for each name, in this order.
    pub fn lanes(&self, names: &[&str]) -> Vec<Lane> {
        let width = names.iter().map(|name| name.chars().count()).max();
        let width = width.unwrap_or(0);
        names.iter().map(|name| self.padded(name, width)).collect()
    }

    /// One lane.
    pub fn lane(&self, name: &str) -> Lane {
        self.padded(name, 0)
    }

    fn padded(&self, name: &str, width: usize) -> Lane {
        let name = format!("{:width$}", printable_line(name));
        let bar = self.shared.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::no_length().with_style(style()));
            bar.set_prefix(name.clone());
            bar.enable_steady_tick(TICK);
            bar
        });
        let shared = Arc::new(Shared {
            ui: self.clone(),
            name,
            progress: Mutex::new(Progress {
                began: Instant::now(),
                step: None,
            }),
            bar,
        });
        if shared.bar.is_none() {
            let watched = Arc::downgrade(&shared);
            std::thread::spawn(move || remind(&watched));
        }
        Lane { shared }
    }
}

impl Lane {
    /// Step `n` of `of`, counted from 1, begins; the one before it has ended.
    pub fn step(&self, n: usize, of: usize, text: &str) {
        self.shared.end_step("");
        let of = of.to_string();
        let step = Step {
            text: format!(
                "{n:>width$}/{of} {}",
                printable_line(text),
                width = of.len()
            ),
            began: Instant::now(),
            bytes: None,
            reminders: 0,
        };
        if let Some(bar) = &self.shared.bar {
            bar.set_length(of.parse().unwrap_or(0));
            bar.set_position(n.saturating_sub(1) as u64);
            bar.set_message(step.text.clone());
        }
        lock(&self.shared.progress).step = Some(step);
    }

    /// A line to keep, such as `waiting for the apt lock, held by apt-get (812)`.
    pub fn note(&self, line: &str) {
        self.shared.line(&printable_line(line));
    }

    /// How far a transfer within the step is.
    pub fn bytes(&self, done: u64, total: u64) {
        let mut progress = lock(&self.shared.progress);
        let Some(step) = &mut progress.step else {
            return;
        };
        step.bytes = Some((done, total));
        if let Some(bar) = &self.shared.bar {
            bar.set_message(transfer(step, step.began.elapsed()));
        }
    }

    /// The lane ends well: `34 resources as planned`.
    pub fn done(&self, text: &str) {
        self.end(text, "", Tone::Added);
    }

    /// The lane ends badly. The reason is told once, by the error that the run returns.
    pub fn fail(&self, text: &str) {
        self.end(text, "failed after ", Tone::Removed);
    }

    fn end(&self, text: &str, outcome: &str, tone: Tone) {
        self.shared.end_step(outcome);
        let elapsed = lock(&self.shared.progress).began.elapsed();
        let text = self.shared.ui.look().err.paint(tone, printable_line(text));
        let text = format!("{text} … {}", text::duration(elapsed));
        // An ended lane becomes a line like any other, so that what is said later stands below it.
        if let (Some(bar), Some(bars)) = (&self.shared.bar, &self.shared.ui.shared.bars) {
            bar.finish_and_clear();
            bars.remove(bar);
        }
        self.shared.line(&text);
    }
}

impl Shared {
    fn line(&self, text: &str) {
        self.ui.write_err(&format!("{}  {text}", self.name));
    }

    /// Prints the step that ends; on a terminal only with `-v`, for there it was seen.
    fn end_step(&self, outcome: &str) {
        let Some(step) = lock(&self.progress).step.take() else {
            return;
        };
        if self.bar.is_none() || self.ui.look().verbose {
            let size = step
                .bytes
                .map(|(_, total)| format!(" ({})", text::bytes(total)));
            let time = text::duration(step.began.elapsed());
            let size = size.unwrap_or_default();
            self.line(&format!("{}{size} … {outcome}{time}", step.text));
        }
    }

    /// Mentions a step that has been running for 10 s, 20 s, 40 s and so on.
    fn remind(&self) {
        let mut progress = lock(&self.progress);
        let Some(step) = &mut progress.step else {
            return;
        };
        let elapsed = step.began.elapsed();
        if elapsed >= REMIND_AFTER * 2_u32.saturating_pow(step.reminders) {
            step.reminders += 1;
            let text = transfer(step, elapsed);
            drop(progress);
            self.line(&format!("{text} … {} so far", text::duration(elapsed)));
        }
    }
}

/// Ends with the lane: the thread holds it weakly.
fn remind(lane: &Weak<Shared>) {
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let Some(lane) = lane.upgrade() else {
            return;
        };
        lane.remind();
    }
}

/// `1/2 upload, 1.3 MB of 2.6 MB, 4.0 s left`: what is left at the rate so far.
fn transfer(step: &Step, elapsed: Duration) -> String {
    let Some((done, total)) = step.bytes else {
        return step.text.clone();
    };
    let progress = format!(
        "{}, {} of {}",
        step.text,
        text::bytes(done),
        text::bytes(total)
    );
    if done == 0 || done >= total {
        return progress;
    }
    let left = elapsed.mul_f64((total - done) as f64 / done as f64);
    format!("{progress}, {} left", text::duration(left))
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix}  {spinner} {wide_msg} {time}{left}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars("-\\|/ ")
        .with_key(
            "time",
            |state: &ProgressState, to: &mut dyn std::fmt::Write| {
                let _ = to.write_str(&text::duration(state.elapsed()));
            },
        )
        .with_key(
            "left",
            |state: &ProgressState, to: &mut dyn std::fmt::Write| {
                // Before the first step has ended there is nothing to reckon from.
                if state.pos() > 0 && state.len().is_some_and(|len| len > state.pos()) {
                    let _ = write!(to, ", about {} left", text::duration(state.eta()));
                }
            },
        )
}
