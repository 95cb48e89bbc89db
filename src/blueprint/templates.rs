//! Templates: built in, overridable by a folder, strict about names that are not defined.

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use super::undefined;
use crate::error::{Error, ErrorKind};
use crate::inventory::{Inventory, did_you_mean};

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        /// The templates' names, which are the files' names in a folder of one's own.
        pub const NAMES: &[&str] = &[$($name),*];
        const TEXTS: &[&str] = &[$(include_str!(concat!("../../templates/", $name))),*];
    };
}

built_in!(
    "apt-proxy.conf.j2",
    "journald.conf.j2",
    "timesyncd.conf.j2",
    "env.j2",
    "app.socket.j2",
    "app@.service.j2",
    "app.service.j2",
    "nginx.conf.j2",
    "site.conf.j2",
    "gdnsd.conf.j2",
    "gdnsd.zone.j2",
    "gdnsd.service.j2",
    "site-tls.conf.j2",
    "locations.conf.j2",
    "redirect.conf.j2",
    "renewed.sh.j2",
    "mongod.conf.j2",
    "mongod.service.j2",
    "backup.service.j2",
    "backup.timer.j2",
);

/// Templates that others include.
const PARTS: &[&str] = &["locations.conf.j2"];

/// All templates, each with where it came from.
#[derive(Clone, Debug)]
pub struct Templates(BTreeMap<&'static str, Source>);

#[derive(Clone, Debug)]
struct Source {
    /// As messages call it: `templates/site.conf.j2`.
    origin: String,
    text: String,
}

/// A rendered template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// The template's file, as messages call it.
    pub origin: String,
    /// For each line of the text the line of the template that it came from, counted from 1; empty where that is not known.
    pub lines: Vec<u32>,
}

impl Templates {
    /// The built-in ones.
    pub fn built_in() -> Self {
        let sources = NAMES.iter().zip(TEXTS).map(|(name, text)| {
            let origin = format!("templates/{name}");
            (
                *name,
                Source {
                    origin,
                    text: (*text).to_owned(),
                },
            )
        });
        Self(sources.collect())
    }

    /// The built-in ones, and in their place those of the folder that the inventory names, if it names one.
    ///
    /// # Errors
    /// The folder or a file in it cannot be read, or a file has a name that no template has.
    pub fn load(inventory: &Inventory) -> Result<Self, Error> {
        let mut templates = Self::built_in();
        if let Some(folder) = &inventory.templates {
            templates.overlay(&inventory.resolve(folder))?;
        }
        Ok(templates)
    }

    fn overlay(&mut self, folder: &Path) -> Result<(), Error> {
        let unreadable = |path: &Path, error: std::io::Error| {
            Error::new(ErrorKind::Input, format!("cannot read {}", path.display()))
                .cause(error)
                .hint("name a folder of templates as `templates` in the inventory, or remove that key")
        };
        for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            let path = entry.map_err(|error| unreadable(folder, error))?.path();
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            if !name.ends_with(".j2") {
                continue;
            }
            let Some(known) = NAMES.iter().find(|known| **known == name) else {
                let hint = match did_you_mean(&name, NAMES.iter().copied()) {
                    Some(known) => format!("did you mean {known}?"),
                    None => format!("templates are called {}", NAMES.join(", ")),
                };
                return Err(Error::new(
                    ErrorKind::Input,
                    format!("{}: no template has this name", path.display()),
                )
                .hint(hint));
            };
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            self.0.insert(
                known,
                Source {
                    origin: path.display().to_string(),
                    text,
                },
            );
        }
        Ok(())
    }

    /// Renders a template.
    ///
    /// # Errors
    /// What is wrong with it, with its file, its line and the line's text.
    pub fn render(&self, name: &str, context: &Value) -> Result<Rendered, Error> {
        let Some(source) = self.0.get(name) else {
            return Err(Error::new(
                ErrorKind::Failed,
                format!("there is no template {name}"),
            ));
        };
        let text = self
            .rendered(&source.text, context)
            .map_err(|error| self.refusal(source, &error, context))?;
        let lines = match self.rendered(&marked(&source.text), context) {
            Ok(marked) => line_numbers(&marked, &text),
            Err(_) => Vec::new(),
        };
        Ok(Rendered {
            text,
            origin: source.origin.clone(),
            lines,
        })
    }

    fn rendered(&self, text: &str, context: &Value) -> Result<String, minijinja::Error> {
        let mut environment = environment();
        for part in PARTS {
            if let Some(part_source) = self.0.get(part) {
                environment.add_template(part, &part_source.text)?;
            }
        }
        environment.template_from_str(text)?.render(context)
    }

    /// What is wrong, where it is wrong: in a part, if it is there.
    fn refusal(&self, source: &Source, error: &minijinja::Error, context: &Value) -> Error {
        let mut inner = error;
        while let Some(cause) = std::error::Error::source(inner)
            .and_then(|cause| cause.downcast_ref::<minijinja::Error>())
        {
            inner = cause;
        }
        let part = inner.name().and_then(|name| self.0.get(name));
        refusal(part.unwrap_or(source), inner, context)
    }
}

fn environment<'t>() -> Environment<'t> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    if let Ok(syntax) = syntax {
        environment.set_syntax(syntax);
    }
    environment
}

fn refusal(source: &Source, error: &minijinja::Error, context: &Value) -> Error {
    let line = error.line().unwrap_or(1);
    let written = source
        .text
        .lines()
        .nth(line.saturating_sub(1))
        .unwrap_or_default()
        .trim();
    let what = format!(
        "{}:{line}: the template does not render: {}",
        source.origin,
        error.kind()
    );
    let refusal = Error::new(ErrorKind::Input, what).cause(format!("the line is `{written}`"));
    let refusal = match error.detail() {
        Some(detail) => refusal.cause(detail),
        None => refusal,
    };
    let environment = environment();
    let names = environment
        .template_from_str(&source.text)
        .map(|template| template.undeclared_variables(true));
    match undefined::explain(&names.unwrap_or_default(), written, context) {
        Some(hint) => refusal.hint(hint),
        None => refusal.hint(
            "templates are written in Jinja: https://docs.rs/minijinja/latest/minijinja/syntax/",
        ),
    }
}

/// The template with its line's number at the start of every line's text: `\u{1}12\u{1}`. Lines that begin with a tag
/// are left alone, because a mark would change how white space around tags is cut.
fn marked(text: &str) -> String {
    let mut marked = String::with_capacity(text.len() * 2);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let body = line.trim_start();
        let tag = ["{%", "{#", "{{-"].iter().any(|tag| body.starts_with(tag));
        if body.is_empty() || tag {
            marked.push_str(line);
        } else {
            let number = index + 1;
            marked.push_str(&line[..line.len() - body.len()]);
            marked.push_str(&format!("\u{1}{number}\u{1}{body}"));
        }
    }
    marked
}

/// The lines' numbers in the template, from a text that was rendered with marks; none where the marks changed the text.
fn line_numbers(marked: &str, text: &str) -> Vec<u32> {
    let mut bare = String::with_capacity(text.len());
    let mut numbers = Vec::new();
    let mut last = 1;
    for line in marked.split_inclusive('\n') {
        let mut found = None;
        for (index, piece) in line.split('\u{1}').enumerate() {
            if index % 2 == 0 {
                bare.push_str(piece);
            } else if found.is_none() {
                found = piece.parse().ok();
            }
        }
        last = found.unwrap_or(last);
        numbers.push(last);
    }
    if bare == text { numbers } else { Vec::new() }
}

#[cfg(test)]
mod tests;
