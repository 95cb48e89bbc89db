//! A zone's plan as an operator reads it.

use serde::Serialize;

use super::Zone;
use crate::dns::{Conflict, Desired, Looked, Reconciled};
use crate::plan::{Id, Look, Plan};
use crate::text::{Palette, Tone, printable_line};

/// What `--json` shows of a zone.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    provider: &'static str,
    plan: &'a Plan,
    /// What is not ours and in the way.
    conflicts: &'a [Conflict],
    /// What the plan deletes, as far as it was not agreed to by name.
    unconsented: &'a [Id],
    notes: &'a [String],
    degraded: &'a [String],
}

pub(super) fn document<'a, C>(zone: &Zone<'_>, looked: &'a Looked<C>) -> Document<'a> {
    let Reconciled {
        plan,
        conflicts,
        unconsented,
        ..
    } = &looked.reconciled;
    Document {
        provider: zone.dns.provider.name(),
        plan,
        conflicts,
        unconsented,
        notes: &looked.desired.notes,
        degraded: &looked.desired.degraded,
    }
}

/// Reports the plan of a zone.
pub(super) fn report<C>(zone: &Zone<'_>, looked: &Looked<C>) {
    let ui = &zone.project.ui;
    tell(zone, &looked.desired);
    let verbose = ui.look().verbose;
    ui.report("dns-plan", &document(zone, looked), |palette| {
        text(&looked.reconciled, palette, verbose)
    });
}

/// Says what the provider does otherwise than the inventory asks.
pub(super) fn tell(zone: &Zone<'_>, desired: &Desired) {
    let ui = &zone.project.ui;
    for note in &desired.notes {
        ui.note(note);
    }
    for sentence in &desired.degraded {
        ui.warn(sentence);
    }
}

/// The plan, what is in the way, and what needs consent by name.
pub(super) fn text(reconciled: &Reconciled, palette: Palette, verbose: bool) -> String {
    let mut text = reconciled.plan.render(Look { palette, verbose });
    for conflict in &reconciled.conflicts {
        let what = format!("! {}", printable_line(&conflict.what()));
        let what = palette.paint(Tone::Removed, what);
        text.push_str(&format!("  {what}\n      {}\n", conflict.remedy()));
    }
    if let Err(error) = reconciled.deletions() {
        for hint in error.hints {
            text.push_str(&format!("{hint}\n"));
        }
    }
    text
}
