//! What the processor and the kernel allow.

use super::{Verdict, text};
use crate::agent::system::Fault;
use crate::resource::Context;

/// Bits of capabilities (capabilities(7); linux/capability.h).
const CAP_IPC_LOCK: u32 = 14;
const CAP_SYS_RESOURCE: u32 = 24;

/// With less than this mongod ends at its start (tried on 6.0.5: 64 KiB are enough, 0 are not).
const LOCKED: u64 = 64 << 10;

pub(super) fn vectors(context: &Context<'_>) -> Result<Verdict, Fault> {
    let cpuinfo = text("/proc/cpuinfo", context)?;
    let line = |name: &str| {
        let mut lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        lines.find_map(|(key, value)| (key.trim() == name).then_some(value))
    };
    let has = |flags: &str, wanted: &str| flags.split_whitespace().any(|flag| flag == wanted);
    let (met, missing) = match (line("flags"), line("Features")) {
        (Some(flags), _) => (has(flags, "avx"), "AVX"),
        // ARMv8.1-A brought the atomic instructions; no processor has 8.2 without them.
        (None, Some(features)) => (has(features, "atomics"), "ARMv8.2-A"),
        (None, None) => {
            return Ok(Verdict::Noted(
                "cannot tell whether the processor can run MongoDB: /proc/cpuinfo names no features"
                    .to_owned(),
            ));
        }
    };
    if met {
        return Ok(Verdict::Met);
    }
    let model = line("model name").map_or_else(String::new, |name| format!(" ({})", name.trim()));
    Ok(Verdict::unmet(
        format!("the processor lacks {missing}, which MongoDB needs from 5.0 on"),
        format!("/proc/cpuinfo does not name it{model}"),
        "choose another type of server; of a virtual machine, pass the host's processor through",
    ))
}

pub(super) fn locked_memory(context: &Context<'_>) -> Result<Verdict, Fault> {
    let status = text("/proc/1/status", context)?;
    let limits = text("/proc/1/limits", context)?;
    let bounds = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let Some(bounds) = bounds.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()) else {
        return Ok(Verdict::Noted(
            "cannot tell whether programs may lock memory: /proc/1/status names no capabilities"
                .to_owned(),
        ));
    };
    let may = |capability: u32| bounds & (1 << capability) != 0;
    let limit = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max locked memory"))
        .and_then(|line| line.split_whitespace().nth(1));
    let little = limit.is_some_and(|limit| limit.parse::<u64>().is_ok_and(|bytes| bytes < LOCKED));
    let found = if !may(CAP_IPC_LOCK) {
        "the container has no CAP_IPC_LOCK".to_owned()
    } else if little && !may(CAP_SYS_RESOURCE) {
        format!(
            "the limit is {} bytes, MongoDB needs {LOCKED}, and systemd may not raise it",
            limit.unwrap_or_default()
        )
    } else {
        return Ok(Verdict::Met);
    };
    Ok(Verdict::unmet(
        "programs may not lock memory, without which MongoDB ends at its start",
        found,
        "give the container CAP_IPC_LOCK, or use a virtual machine",
    ))
}
