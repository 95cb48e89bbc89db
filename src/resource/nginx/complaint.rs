//! What nginx said about a staged configuration, led back to the real file and its template.

use std::path::{Path, PathBuf};

use super::Nginx;
use crate::agent::system::Fault;

/// An error of `nginx -t`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    /// The message without its place.
    message: String,
    /// The file as it is called in the real configuration, and the line, counted from 1.
    place: Option<(PathBuf, usize)>,
}

impl Complaint {
    /// The first error of nginx's standard error: `nginx: [emerg] MESSAGE in FILE:LINE`; some have no place.
    pub(super) fn parse(stderr: &str, copy: &Path, real: &Path) -> Self {
        let stderr = stderr.replace(&*copy.to_string_lossy(), &real.to_string_lossy());
        let errors = ["[emerg] ", "[alert] ", "[crit] ", "[error] "];
        let line = stderr.lines().find_map(|line| {
            let found = errors.iter().find_map(|level| line.split_once(level));
            found.map(|(_, message)| without_process(message))
        });
        let Some(line) = line else {
            let message = stderr.trim().to_owned();
            return Self {
                message,
                place: None,
            };
        };
        let placed = line.rsplit_once(" in ").and_then(|(message, place)| {
            let (path, number) = place.rsplit_once(':')?;
            Some((message, PathBuf::from(path), number.parse().ok()?))
        });
        match placed {
            Some((message, path, number)) => Self {
                message: message.to_owned(),
                place: Some((path, number)),
            },
            None => Self {
                message: line.to_owned(),
                place: None,
            },
        }
    }

    /// The fault that an operator can act on.
    pub(super) fn fault(&self, files: &[&Nginx]) -> Fault {
        let Some((path, number)) = &self.place else {
            return Fault::new("nginx refuses its new configuration", &self.message).hint(KEPT);
        };
        let ours = files
            .iter()
            .find(|file| file.path == *path || file.link().as_ref() == Some(path));
        let Some(file) = ours else {
            return Fault::new(format!("nginx refuses {} line {number}", path.display()), &self.message)
                .hint("this file is not geodeploy's: `nginx -t` on the host shows whether it was broken before");
        };
        let source = match file.template_lines.get(number.saturating_sub(1)) {
            Some(line) => format!("{} line {line}", file.template),
            None => file.template.clone(),
        };
        let content = file.content.as_deref().unwrap_or_default();
        let text = content
            .lines()
            .nth(number.saturating_sub(1))
            .unwrap_or_default();
        Fault::new(
            format!(
                "nginx refuses {} line {number}, from {source}",
                file.path.display()
            ),
            format!("{}: `{}`", self.message, text.trim()),
        )
        .hint(KEPT)
    }
}

/// A message that went through an opened error log starts with `PID#TID: `.
fn without_process(message: &str) -> &str {
    match message.split_once(": ") {
        Some((process, rest))
            if process
                .chars()
                .all(|sign| sign.is_ascii_digit() || sign == '#') =>
        {
            rest
        }
        _ => message,
    }
}

const KEPT: &str =
    "correct the template; the configuration on the host is as it was and still serves";
