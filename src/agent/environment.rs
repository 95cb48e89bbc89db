//! An environment file as systemd reads it (`EnvironmentFile=`, systemd.exec(5)), for those who are not systemd. Pure.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// The variables of an environment file; of two with one name the later wins.
///
/// Blank lines and lines that begin with `#` or `;` are left out, quotes are taken off, a backslash keeps the next
/// letter, and nothing is expanded.
pub fn parse(text: &str) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let mut rest = text.chars().peekable();
    while rest.peek().is_some() {
        let comment = skip_blanks(&mut rest);
        let name: String = until(&mut rest, |letter| "=\n".contains(letter));
        if comment || rest.next() != Some('=') {
            continue;
        }
        variables.insert(name.trim().to_owned(), value(&mut rest));
    }
    variables
}

/// Goes to the first letter of a line; whether the line is a comment, which is skipped.
fn skip_blanks(rest: &mut Peekable<Chars<'_>>) -> bool {
    while rest.next_if(|letter| letter.is_whitespace()).is_some() {}
    if !rest.peek().is_some_and(|letter| "#;".contains(*letter)) {
        return false;
    }
    until(rest, |letter| letter == '\n');
    true
}

fn until(rest: &mut Peekable<Chars<'_>>, end: impl Fn(char) -> bool) -> String {
    let mut text = String::new();
    while let Some(letter) = rest.next_if(|letter| !end(*letter)) {
        text.push(letter);
    }
    text
}

fn value(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut text = String::new();
    // Blanks outside of quotes count only between other letters.
    let mut blanks = String::new();
    let mut quote = None;
    while let Some(letter) = rest.next() {
        match (quote, letter) {
            (None, '\n') => break,
            (None, ' ' | '\t') => {
                blanks.push(letter);
                continue;
            }
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (None | Some('"'), '\\') => match rest.next() {
                Some('\n') | None => {}
                Some(kept) => text.extend([kept]),
            },
            (_, letter) => {
                if !text.is_empty() {
                    text.push_str(&blanks);
                }
                text.push(letter);
            }
        }
        blanks.clear();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> String {
        parse(text).remove("A").unwrap()
    }

    #[test]
    fn plain_and_quoted_values_are_read_as_systemd_reads_them() {
        assert_eq!(one("A=https://x.example/v3\n"), "https://x.example/v3");
        assert_eq!(one(r#"A="a\"b\\c\`d\$e""#), "a\"b\\c`d$e");
        assert_eq!(one("A=\"one\ntwo\"\n"), "one\ntwo");
        assert_eq!(one("A='it \\ is'\n"), "it \\ is");
        assert_eq!(one("A=  one two  \nB=3"), "one two");
        assert_eq!(one("A=\"\"\nB=3"), "");
        assert_eq!(one("A=\nB=3"), "");
        assert_eq!(one("A=one\\\ntwo\n"), "onetwo");
    }

    #[test]
    fn comments_and_blank_lines_are_no_variables_and_the_last_of_a_name_wins() {
        let found = parse("# A=0\n\n; B=0\n  C=1 # not a comment\nC=2\nnothing\nD=4");
        let pairs: Vec<(&str, &str)> = found.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(pairs, [("C", "2"), ("D", "4")]);
    }
}
