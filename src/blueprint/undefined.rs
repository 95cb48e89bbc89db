//! Says which name of a template is not defined, and which was probably meant.

use std::collections::HashSet;

use minijinja::Value;

use crate::inventory::did_you_mean;

/// The first of `names` (dotted paths that a template uses) that occurs in `line` and is not in `context`.
pub(super) fn explain(names: &HashSet<String>, line: &str, context: &Value) -> Option<String> {
    let mut used: Vec<&String> = names
        .iter()
        .filter(|name| line.contains(name.as_str()))
        .collect();
    used.sort();
    used.into_iter().find_map(|name| missing(name, context))
}

fn missing(path: &str, context: &Value) -> Option<String> {
    let mut value = context.clone();
    let mut seen = String::new();
    for part in path.split('.') {
        let next = value
            .get_attr(part)
            .ok()
            .filter(|next| !next.is_undefined());
        let Some(next) = next else {
            return Some(suggestion(&seen, part, &value));
        };
        seen.push_str(part);
        seen.push('.');
        value = next;
    }
    None
}

fn suggestion(prefix: &str, part: &str, value: &Value) -> String {
    let known: Vec<String> = value
        .try_iter()
        .into_iter()
        .flatten()
        .map(|key| key.to_string())
        .collect();
    let named = format!("`{prefix}{part}` is not defined");
    match did_you_mean(part, known.iter().map(String::as_str)) {
        Some(meant) => format!("{named}: did you mean `{prefix}{meant}`?"),
        None => format!("{named}; there is {}", known.join(", ")),
    }
}
