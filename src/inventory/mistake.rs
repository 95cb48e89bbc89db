//! What is wrong with an inventory, and what to write instead.

use std::fmt;

/// One mistake: where it is, what was written there, why it is wrong, what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file as the operator named it.
    pub file: String,
    /// Line in the file, counted from 1; absent when no line is to blame.
    pub line: Option<usize>,
    /// The line's text; the value is left out where it may be a secret.
    pub text: String,
    /// What is wrong.
    pub cause: String,
    /// What to write or type instead.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        writeln!(formatter, ": {}", self.cause)?;
        if !self.text.is_empty() {
            writeln!(formatter, "    | {}", self.text)?;
        }
        write!(formatter, "    = {}", self.remedy)
    }
}

impl std::error::Error for Mistake {}

/// Why a single value is refused; the place is added by whoever read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong with the value.
    pub cause: String,
    /// What to write instead.
    pub remedy: String,
}

impl Wrong {
    /// A refusal with its remedy.
    pub fn new(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.cause, self.remedy)
    }
}

impl std::error::Error for Wrong {}

/// The word of `known` that `word` was probably meant to be.
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// Whether a name says that its value is a secret: `MONGODB_PASSWORD`, `api_key`.
///
/// A public key is none.
pub fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let said = |part: &str| name.split(['_', '-', '.']).any(|word| word == part);
    !said("public")
        && !name.ends_with("host_key")
        && [
            "password",
            "passphrase",
            "passwd",
            "secret",
            "token",
            "key",
            "apikey",
            "credential",
            "credentials",
        ]
        .iter()
        .any(|part| said(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_is_recognised_and_a_foreign_one_is_not() {
        let known = ["administrators", "database_peers"];
        assert_eq!(did_you_mean("administators", known), Some("administrators"));
        assert_eq!(did_you_mean("colour", known), None);
    }

    #[test]
    fn names_of_secrets_are_recognised_by_whole_words() {
        assert!(names_a_secret("MONGODB_PASSWORD"));
        assert!(names_a_secret("api_key"));
        assert!(!names_a_secret("host_key"));
        assert!(!names_a_secret("JWT_PUBLIC_KEY"));
        assert!(!names_a_secret("KEYBOARD"));
    }
}
