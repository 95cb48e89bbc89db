//! Where a secret comes from. An inventory holds the way to a secret, never the secret.

use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use toml::Spanned;
use toml::de::DeValue;

use super::mistake::Wrong;
use super::names::VariableName;
use super::reader::Table;

/// What to write where a secret was written; the braces are TOML's inline table.
const FORMS: &str = "{ env = \"NAME\" }, { file = \"path\" }, { command = [\"pass\", \"show\", \"name\"] } \
     or { age = \"file.age\", identity = \"path\" }";

/// One way to a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretSource {
    /// A variable of the operator's environment.
    Environment(VariableName),
    /// A file's content without the last line end. Relative to the inventory's folder; `~/` is the operator's home.
    File(PathBuf),
    /// A file that is not secret and is needed like one: a certificate, a public key. Its paths are as a file's.
    Public(PathBuf),
    /// Standard output of a program without the last line end: its name and arguments, no shell.
    Command(Vec<String>),
    /// A file encrypted with age, and the file with the identities that open it.
    Age {
        /// The encrypted file, armoured or binary.
        file: PathBuf,
        /// The identity file, as `age-keygen` writes it.
        identity: PathBuf,
    },
}

/// A secret that the inventory needs: where it comes from and who asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretReference {
    /// Where to get it.
    pub source: SecretSource,
    /// The inventory's key, such as `model.api_key`.
    pub key: String,
    /// The line of the key.
    pub line: usize,
}

/// A value that may be public or secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Written in the inventory.
    Plain(String),
    /// To be fetched.
    Secret(SecretReference),
}

impl Setting {
    /// The reference, if the value is secret.
    pub fn reference(&self) -> Option<&SecretReference> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(reference) => Some(reference),
        }
    }
}

/// Text of one line, or of several where `lines` are allowed; no control characters beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlainText(pub(super) String);

impl FromStr for PlainText {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if text
            .chars()
            .any(|letter| letter.is_control() && letter != '\n')
        {
            return Err(Wrong::new(
                "the value holds a control character",
                "write printable text; put binary data into a file and name the file",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Reads a secret that has to be a reference.
pub(super) fn secret(table: &Table<'_>, key: &'static str) -> Option<SecretReference> {
    let value = table.value(key)?;
    match read_value(table, key, value.span(), value)? {
        Setting::Secret(reference) => Some(reference),
        Setting::Plain(_) => {
            table.note(value.span(), literal(key));
            None
        }
    }
}

/// Reads a value that may be either.
pub(super) fn setting(table: &Table<'_>, key: &'static str) -> Option<Setting> {
    let value = table.value(key)?;
    read_value(table, key, value.span(), value)
}

/// Reads the value behind a key that the caller has found.
pub(super) fn read_value(
    table: &Table<'_>,
    key: &str,
    span: Range<usize>,
    value: &Spanned<DeValue<'_>>,
) -> Option<Setting> {
    if let Some(text) = value.get_ref().as_str() {
        return match text.parse::<PlainText>() {
            Ok(text) => Some(Setting::Plain(text.0)),
            Err(wrong) => {
                table.note(span, wrong);
                None
            }
        };
    }
    if value.get_ref().as_table().is_none() {
        table.note(
            span,
            Wrong::new(
                format!("`{key}` must be text or the way to a secret"),
                format!("write it in quotes: {key} = \"...\", or as {FORMS}"),
            ),
        );
        return None;
    }
    let reference = table.inner(key, span.clone(), value);
    let source = source(&reference);
    let line = reference.line_of(&span);
    let key = reference.name().to_owned();
    reference.finish();
    source.map(|source| Setting::Secret(SecretReference { source, key, line }))
}

/// The refusal of a secret that was written out.
pub(super) fn literal(key: &str) -> Wrong {
    Wrong::new(
        format!("`{key}` is a secret, and it is written out here"),
        format!("change that secret where it is in use, then write {key} = {FORMS}"),
    )
}

fn source(table: &Table<'_>) -> Option<SecretSource> {
    let variable = table
        .text::<VariableName>("env")
        .map(SecretSource::Environment);
    let file = table
        .text::<FilePath>("file")
        .map(|path| SecretSource::File(path.0));
    let command = table
        .texts::<Argument>("command")
        .map(|words| words.into_iter().map(|word| word.0).collect());
    let command = command.and_then(|words: Vec<String>| command_of(table, words));
    let encrypted = table.text::<FilePath>("age");
    let identity = table.text::<FilePath>("identity");
    let keys = ["env", "file", "command", "age"];
    let written = keys.iter().filter(|key| table.has(key)).count();
    if written != 1 {
        let cause = format!(
            "`{}` names {written} sources, a secret has one",
            table.name()
        );
        table.wrong("", Wrong::new(cause, format!("write one of {FORMS}")));
        return None;
    }
    if table.has("age") && !table.has("identity") {
        let cause = "an age file needs the identity that opens it";
        let remedy = "write { age = \"file.age\", identity = \"~/.config/age/key.txt\" }";
        table.wrong("age", Wrong::new(cause, remedy));
        return None;
    }
    let age = match (encrypted, identity) {
        (Some(file), Some(identity)) => Some(SecretSource::Age {
            file: file.0,
            identity: identity.0,
        }),
        _ => None,
    };
    variable.or(file).or(command).or(age)
}

fn command_of(table: &Table<'_>, words: Vec<String>) -> Option<SecretSource> {
    let is_list = table
        .value("command")
        .is_some_and(|value| value.get_ref().is_array());
    if !is_list && words.iter().any(|word| word.contains(' ')) {
        table.wrong(
            "command",
            Wrong::new(
                "a command is a list, because no shell splits it",
                "write the program and each argument apart: command = [\"pass\", \"show\", \"name\"]",
            ),
        );
        return None;
    }
    if words.first().is_none_or(String::is_empty) {
        let remedy =
            "write the program and its arguments: command = [\"pass\", \"show\", \"name\"]";
        table.wrong(
            "command",
            Wrong::new("the command names no program", remedy),
        );
        return None;
    }
    Some(SecretSource::Command(words))
}

/// A path that is not empty.
pub(super) struct FilePath(pub(super) PathBuf);

impl FromStr for FilePath {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if text.is_empty() || text.contains('\0') {
            return Err(Wrong::new(
                "this is not a path",
                "write a path, relative to the inventory's folder or absolute",
            ));
        }
        Ok(Self(PathBuf::from(text)))
    }
}

struct Argument(String);

impl FromStr for Argument {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if text.contains('\0') {
            return Err(Wrong::new(
                "an argument cannot hold a zero byte",
                "remove it",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}
