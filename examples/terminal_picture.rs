//! Turns a recorded terminal into a picture: the README's one is made by
//! `cargo run --example terminal_picture -- docs/rehearsal.txt > docs/rehearsal.svg`.
//!
//! The recording is what `CI=1 script -qec "geodeploy rehearse --yes" docs/rehearsal.txt` leaves: text with colours, and
//! plain lines in place of moving ones. Its beginning and its end are drawn; a line says how much lies between.

use std::fmt::Write as _;
use std::io::Write as _;

/// What was typed; it is not part of the recording.
const COMMAND: &str = "$ geodeploy rehearse --yes";
/// Lines of the recording's beginning that are drawn.
const FIRST: usize = 12;
/// Lines of its end.
const LAST: usize = 35;
/// Columns; a longer line is cut and ends in an ellipsis.
const COLUMNS: usize = 100;
/// A column's width, a line's height, and the space around all of them, in pixels.
const COLUMN: f64 = 8.0;
const LINE: f64 = 19.0;
const MARGIN: f64 = 20.0;

/// Text of one look. Classes are those of the style sheet in [`picture`].
#[derive(Clone, Debug, PartialEq)]
struct Run {
    text: String,
    class: &'static str,
}

fn main() -> Result<(), String> {
    let file = std::env::args()
        .nth(1)
        .ok_or("usage: terminal_picture RECORDING > PICTURE")?;
    let recording =
        std::fs::read_to_string(&file).map_err(|error| format!("cannot read {file}: {error}"))?;
    std::io::stdout()
        .write_all(render(&recording).as_bytes())
        .map_err(|error| error.to_string())
}

/// The picture of a recording, as SVG.
pub fn render(recording: &str) -> String {
    let recorded = recording
        .lines()
        .filter(|line| !line.starts_with("Script "))
        .map(|line| cut(parse(line.trim_end())));
    let command = Run {
        text: COMMAND.to_owned(),
        class: "strong",
    };
    let lines: Vec<Vec<Run>> = std::iter::once(vec![command]).chain(recorded).collect();
    let end = lines
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(0, |last| last + 1);
    picture(&shorten(&lines[..end]))
}

/// The class of a code that selects a graphic rendition (ECMA-48, 8.3.117): those that the tool writes.
fn class(code: &str) -> &'static str {
    match code {
        "1" => "strong",
        "2" => "faint",
        "31" => "red",
        "32" => "green",
        "33" => "yellow",
        "36" => "cyan",
        _ => "",
    }
}

/// A line's runs. Control sequences other than colours are left out.
fn parse(line: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut class_now = "";
    let mut rest = line;
    while !rest.is_empty() {
        let (text, sequence) = rest.split_once("\u{1b}[").unwrap_or((rest, ""));
        if !text.is_empty() {
            let text = text.replace('\t', "    ").replace('\r', "");
            let class = class_now;
            runs.push(Run { text, class });
        }
        let end = sequence.find(|character: char| character.is_ascii_alphabetic());
        let Some(end) = end else { break };
        if sequence[end..].starts_with('m') {
            class_now = class(&sequence[..end]);
        }
        rest = &sequence[end + 1..];
    }
    runs
}

fn cut(line: Vec<Run>) -> Vec<Run> {
    let mut left = COLUMNS;
    let mut short = Vec::new();
    for run in line {
        let length = run.text.chars().count();
        if length > left {
            let mut text: String = run.text.chars().take(left.saturating_sub(1)).collect();
            text.push('…');
            short.push(Run { text, ..run });
            break;
        }
        left -= length;
        short.push(run);
    }
    short
}

fn shorten(lines: &[Vec<Run>]) -> Vec<Vec<Run>> {
    if lines.len() <= FIRST + LAST + 1 {
        return lines.to_vec();
    }
    let hidden = lines.len() - FIRST - LAST;
    let note = Run {
        text: format!("   ⋮  {hidden} more lines: the plans and every step"),
        class: "faint",
    };
    [&lines[..FIRST], &[vec![note]], &lines[lines.len() - LAST..]].concat()
}

fn picture(lines: &[Vec<Run>]) -> String {
    let (columns, rows) = (COLUMNS as f64, lines.len() as f64);
    let (width, height) = (
        columns.mul_add(COLUMN, 2.0 * MARGIN),
        rows.mul_add(LINE, 2.0 * MARGIN),
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <style>text{{font:13.3px ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,monospace;white-space:pre;fill:#d6dae0}}\
         .strong{{font-weight:bold;fill:#fff}}.faint{{fill:#858d99}}.red{{fill:#f2777a}}.green{{fill:#8fd18f}}\
         .yellow{{fill:#f0c674}}.cyan{{fill:#7fd0d0}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1b1f26\"/>\n"
    );
    for (row, line) in lines.iter().enumerate() {
        let y = (row as f64 + 0.75).mul_add(LINE, MARGIN);
        let mut column = 0;
        for run in line {
            let indent = run.text.chars().take_while(|c| *c == ' ').count();
            let (begin, text) = (column + indent, run.text.trim());
            column += run.text.chars().count();
            let length = text.chars().count();
            if length == 0 {
                continue;
            }
            let x = (begin as f64).mul_add(COLUMN, MARGIN);
            let wide = length as f64 * COLUMN;
            // Writing to a String cannot fail. The length holds columns together in whatever font there is.
            let _ = writeln!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" class=\"{}\" textLength=\"{wide}\">{}</text>",
                run.class,
                escaped(text)
            );
        }
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_and_other_sequences_vanish() {
        let runs = parse("\u{1b}[1mus\u{1b}[0m: \u{1b}[2K\u{1b}[32mok\u{1b}[0m");
        let seen: Vec<_> = runs.iter().map(|run| (&*run.text, run.class)).collect();
        assert_eq!(seen, [("us", "strong"), (": ", ""), ("ok", "green")]);
    }

    #[test]
    fn a_long_recording_shows_its_ends_and_counts_what_lies_between() {
        let recording: String = (0..100).map(|n| format!("line {n} <\n")).collect();
        let svg = render(&recording);
        assert!(svg.contains(">line 0 &lt;<") && svg.contains(">line 99 &lt;<"));
        assert!(!svg.contains(">line 50 ") && svg.contains("54 more lines"));
    }
}
