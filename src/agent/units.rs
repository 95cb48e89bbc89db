//! The application's units as systemd sees them.

use super::system::{Fault, Invocation, System};

/// The unit of a generation.
pub(super) fn instance(app: &str, generation: &str) -> String {
    format!("{app}@{generation}.service")
}

/// Runs systemctl with these arguments.
///
/// # Errors
/// When it fails, with what it wrote.
pub(super) fn systemctl(arguments: &[&str], system: &dyn System) -> Result<(), Fault> {
    run(&[&["systemctl"], arguments].concat(), system).map(drop)
}

fn run(argv: &[&str], system: &dyn System) -> Result<String, Fault> {
    let what = argv.join(" ");
    let output = system
        .run(&Invocation::new(argv))
        .map_err(|error| Fault::new(&what, error))?;
    Ok(output.checked(&what)?.stdout)
}

/// Generations whose unit runs, starts or drains, with systemd's word for it: `active`, `activating`, `deactivating`.
///
/// # Errors
/// When systemd cannot be asked.
pub(super) fn states(app: &str, system: &dyn System) -> Result<Vec<(String, String)>, Fault> {
    let pattern = format!("{app}@*.service");
    let text = run(
        &[
            "systemctl",
            "list-units",
            "--all",
            "--plain",
            "--no-legend",
            &pattern,
        ],
        system,
    )?;
    let prefix = format!("{app}@");
    Ok(text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let generation = words
                .next()?
                .strip_prefix(&prefix)?
                .strip_suffix(".service")?;
            let active = words.nth(1)?;
            Some((generation.to_owned(), active.to_owned()))
        })
        .filter(|(_, active)| active != "inactive" && active != "failed")
        .collect())
}

/// Generations that serve or are about to.
///
/// # Errors
/// When systemd cannot be asked.
pub(super) fn running(app: &str, system: &dyn System) -> Result<Vec<String>, Fault> {
    let states = states(app, system)?;
    Ok(states
        .into_iter()
        .filter(|(_, active)| active != "deactivating")
        .map(|(generation, _)| generation)
        .collect())
}

/// How many generations still drain.
///
/// # Errors
/// When systemd cannot be asked.
pub(super) fn draining(app: &str, system: &dyn System) -> Result<usize, Fault> {
    let states = states(app, system)?;
    Ok(states
        .iter()
        .filter(|(_, active)| active == "deactivating")
        .count())
}

/// Whether a unit runs.
///
/// # Errors
/// When systemd cannot be asked.
pub(super) fn is_active(unit: &str, system: &dyn System) -> Result<bool, Fault> {
    let invocation = Invocation::new(&["systemctl", "is-active", "--quiet", unit]);
    let output = system
        .run(&invocation)
        .map_err(|error| Fault::new(format!("cannot ask systemd about {unit}"), error))?;
    Ok(output.success())
}

/// A unit's last lines; empty where the journal cannot be read, because a failure must be told even then.
pub(super) fn log(unit: &str, lines: usize, system: &dyn System) -> Vec<String> {
    let count = lines.to_string();
    run(
        &[
            "journalctl",
            "--no-pager",
            "--output=cat",
            "--unit",
            unit,
            "--lines",
            &count,
        ],
        system,
    )
    .map(|text| text.lines().map(str::to_owned).collect())
    .unwrap_or_default()
}

/// Since when a unit runs, as systemd writes it; empty when it does not.
///
/// # Errors
/// When systemd cannot be asked.
pub(super) fn since(unit: &str, system: &dyn System) -> Result<String, Fault> {
    let text = run(
        &[
            "systemctl",
            "show",
            "--property=ActiveEnterTimestamp",
            "--value",
            unit,
        ],
        system,
    )?;
    Ok(text.trim().to_owned())
}
