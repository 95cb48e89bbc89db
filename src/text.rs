//! Text as an operator may safely see it: no terminal control from elsewhere, colour by request, human sizes and times.

use std::borrow::Cow;
use std::time::Duration;

/// The same text with every character that could steer a terminal written out; line breaks and tabs stay.
///
/// What a host says is not ours: an escape sequence in a log line or a file could rewrite the plan above it.
pub fn printable(text: &str) -> Cow<'_, str> {
    escape(text, |character| {
        steers(character) && character != '\n' && character != '\t'
    })
}

/// Like [`printable`], and line breaks and tabs are written out too, so that the text stays on one line.
pub fn printable_line(text: &str) -> Cow<'_, str> {
    escape(text, steers)
}

/// Control characters (C0, DEL, C1), and those that reorder the text around them (Unicode TR 36, bidirectional controls).
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escape(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if hidden(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// What a piece of text means, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something that comes: green.
    Added,
    /// Something that goes, and errors: red.
    Removed,
    /// Something that changes, and warnings: yellow.
    Changed,
    /// Advice: cyan.
    Hint,
    /// What may be skipped: dim.
    Faint,
    /// A heading: bold.
    Strong,
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    /// Whether ANSI colours are written.
    pub colour: bool,
}

impl Palette {
    /// Without colours.
    pub const PLAIN: Self = Self { colour: false };

    /// `text` in the colour of its tone (ECMA-48, select graphic rendition), or as it is.
    pub fn paint(self, tone: Tone, text: impl Into<String>) -> String {
        let text = text.into();
        if !self.colour {
            return text;
        }
        let code = match tone {
            Tone::Added => "32",
            Tone::Removed => "31",
            Tone::Changed => "33",
            Tone::Hint => "36",
            Tone::Faint => "2",
            Tone::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// `0.4 s`, `12.3 s`, `2 min 05 s`, `1 h 02 min`.
pub fn duration(duration: Duration) -> String {
    let tenths = (duration.as_millis() + 50) / 100;
    let seconds = (duration.as_millis() + 500) / 1000;
    if tenths < 600 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else if seconds < 3600 {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    } else {
        format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60)
    }
}

/// A size in decimal units: `812 B`, `2.6 MB`.
pub fn bytes(count: u64) -> String {
    let (divisor, unit) = match count {
        0..1_000 => return format!("{count} B"),
        1_000..1_000_000 => (100, "kB"),
        1_000_000..1_000_000_000 => (100_000, "MB"),
        _ => (100_000_000, "GB"),
    };
    let tenths = count / divisor;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// `1 line`, `3 lines`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = match number {
        1 => "",
        _ if noun.ends_with('x') => "es",
        _ => "s",
    };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_is_written_out() {
        assert_eq!(printable("a\u{1b}[2Jb\r\n\tc"), "a\\u{1b}[2Jb\\r\n\tc");
        assert_eq!(printable_line("a\nb"), "a\\nb");
        assert_eq!(printable("\u{202e}abc"), "\\u{202e}abc");
        assert!(matches!(printable("größer 服务器"), Cow::Borrowed(_)));
    }

    #[test]
    fn colours_are_written_only_by_request() {
        assert_eq!(Palette::PLAIN.paint(Tone::Added, "x"), "x");
        let colour = Palette { colour: true };
        assert_eq!(colour.paint(Tone::Added, "x"), "\u{1b}[32mx\u{1b}[0m");
    }

    #[test]
    fn times_and_sizes_are_human() {
        let milliseconds = |count| duration(Duration::from_millis(count));
        assert_eq!(milliseconds(1_249), "1.2 s");
        assert_eq!(milliseconds(59_949), "59.9 s");
        assert_eq!(milliseconds(59_960), "1 min 00 s");
        assert_eq!(milliseconds(3_720_000), "1 h 02 min");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(2_640_000), "2.6 MB");
        assert_eq!(count(1, "line"), "1 line");
    }
}
