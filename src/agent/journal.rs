//! The journal of a run: events as lines on disk, written by the run, tailed by whoever is connected.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::message::{Event, write_event};

/// How often a tail looks for more.
const POLL: Duration = Duration::from_millis(40);

/// Appends events durably.
pub struct Journal {
    file: File,
}

impl Journal {
    /// Opens or makes the journal at `path`.
    ///
    /// # Errors
    /// When its folder cannot be made or the file not opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file })
    }

    /// Appends one event and waits until it is on disk.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn append(&mut self, event: &Event) -> io::Result<()> {
        write_event(&mut self.file, event)?;
        self.file.sync_data()
    }
}

/// How long a run that has told its end may take to leave the host to the next.
const LEAVE: Duration = Duration::from_secs(5);

/// Copies a journal's events to `writer` from number `seen` on until one is [`Event::Finished`].
///
/// `alive` says whether the run that writes it still lives; the tail of a dead run ends without that event, and gives `false`.
/// The last event is passed on when the run has gone, so that whoever reads it does not find the host busy.
///
/// # Errors
/// When the journal cannot be read or the writer is gone.
pub fn tail(
    path: &Path,
    seen: usize,
    alive: impl Fn() -> bool,
    writer: &mut impl Write,
) -> io::Result<bool> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = String::new();
    let mut number = 0;
    loop {
        // Asked before reading: what a run wrote before it died is then read after its death was seen.
        let lives = alive();
        let complete = reader.read_line(&mut line)? > 0 && line.ends_with('\n');
        if !complete {
            if !lives {
                return Ok(false);
            }
            std::thread::sleep(POLL);
            continue;
        }
        let last = matches!(serde_json::from_str(&line), Ok(Event::Finished { .. }));
        let told = Instant::now();
        while last && alive() && told.elapsed() < LEAVE {
            std::thread::sleep(Duration::from_millis(2));
        }
        if number >= seen {
            writer.write_all(line.as_bytes())?;
            writer.flush()?;
        }
        if last {
            return Ok(true);
        }
        number += 1;
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::message::Outcome;

    fn note(text: &str) -> Event {
        Event::Note {
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_tail_starts_after_what_was_seen_and_ends_with_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/journal.jsonl");
        let mut journal = Journal::open(&path).unwrap();
        let end = Event::Finished {
            outcome: Outcome::Stale { moved: Vec::new() },
        };
        for event in [note("one"), note("two"), end] {
            journal.append(&event).unwrap();
        }
        let mut out = Vec::new();
        let looks = std::cell::Cell::new(0);
        let alive = || looks.replace(looks.get() + 1) < 9;
        assert!(tail(&path, 1, alive, &mut out).unwrap());
        assert_eq!(looks.get(), 10, "the end is told when the run has gone");
        let text = String::from_utf8(out).unwrap();
        assert!(
            !text.contains("one") && text.contains("two") && text.contains("stale"),
            "{text}"
        );
    }

    #[test]
    fn the_tail_of_a_dead_run_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        Journal::open(&path).unwrap().append(&note("one")).unwrap();
        let mut out = Vec::new();
        assert!(!tail(&path, 0, || false, &mut out).unwrap());
        assert!(String::from_utf8(out).unwrap().contains("one"));
    }
}
