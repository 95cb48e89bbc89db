//! How busy the machine is: processor, memory and disk, as the guide's monitoring wants them.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

/// Time between two looks.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// The last look at the machine. A gauge that could not be read is absent.
#[derive(Default)]
pub struct Machine {
    folder: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ticks: Option<Ticks>,
    gauges: Vec<(&'static str, &'static str, f64)>,
}

/// Processor time since the machine started, in ticks.
#[derive(Clone, Copy)]
struct Ticks {
    total: u64,
    idle: u64,
}

impl Machine {
    /// Looks at the disk that holds `folder`, or at the root's.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            state: Mutex::default(),
        }
    }

    /// Name, help and value of each gauge of the last look.
    #[must_use]
    pub fn gauges(&self) -> Vec<(&'static str, &'static str, f64)> {
        self.state
            .lock()
            .map(|state| state.gauges.clone())
            .unwrap_or_default()
    }

    /// Looks again. The processor's share is taken between this look and the one before.
    pub fn look(&self) {
        let ticks = std::fs::read_to_string("/proc/stat")
            .ok()
            .and_then(|text| parse_ticks(&text));
        let memory = std::fs::read_to_string("/proc/meminfo")
            .ok()
            .and_then(|text| parse_memory(&text));
        let disk = disk(self.folder.as_deref().unwrap_or(Path::new("/")));
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        let mut gauges = Vec::new();
        if let (Some(before), Some(now)) = (state.ticks, ticks)
            && let Some(share) = busy_share(before, now)
        {
            gauges.push(("cpu_usage", "Busy share of all processors, 0 to 1.", share));
        }
        if let Some((used, total)) = memory {
            gauges.push(("memory_usage", "Memory in use, in bytes.", used));
            gauges.push(("memory_total", "Memory of the machine, in bytes.", total));
        }
        if let Some((used, total)) = disk {
            gauges.push(("disk_usage", "Disk in use, in bytes.", used));
            gauges.push(("disk_total", "Size of the disk, in bytes.", total));
        }
        state.ticks = ticks;
        state.gauges = gauges;
    }
}

/// The first line of `/proc/stat`: user nice system idle iowait irq softirq steal (proc(5)).
fn parse_ticks(text: &str) -> Option<Ticks> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let numbers: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map_while(|number| number.parse().ok())
        .collect();
    let idle = numbers.get(3)? + numbers.get(4)?;
    Some(Ticks {
        total: numbers.iter().sum(),
        idle,
    })
}

fn busy_share(before: Ticks, now: Ticks) -> Option<f64> {
    let total = now
        .total
        .checked_sub(before.total)
        .filter(|total| *total > 0)?;
    let idle = now.idle.saturating_sub(before.idle).min(total);
    Some((total - idle) as f64 / total as f64)
}

/// Used and total bytes; what the kernel can take back at once counts as free.
fn parse_memory(text: &str) -> Option<(f64, f64)> {
    let field = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_end_matches("kB")
            .trim()
            .parse::<u64>()
            .ok()
            .map(|kilobytes| kilobytes * 1024)
    };
    let (total, available) = (field("MemTotal:")?, field("MemAvailable:")?);
    Some((total.saturating_sub(available) as f64, total as f64))
}

fn disk(folder: &Path) -> Option<(f64, f64)> {
    let space = rustix::fs::statvfs(folder).ok()?;
    let used = space.f_blocks.saturating_sub(space.f_bfree);
    Some((
        (used * space.f_frsize) as f64,
        (space.f_blocks * space.f_frsize) as f64,
    ))
}

#[cfg(test)]
mod tests {
    use super::{Machine, Ticks, busy_share, parse_memory, parse_ticks};

    #[test]
    fn the_busy_share_is_taken_between_two_looks() {
        let before = parse_ticks("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1").unwrap();
        let now = parse_ticks("cpu  150 0 150 780 120 0 0 0 0 0\n").unwrap();
        assert_eq!(busy_share(before, now), Some(0.5));
        assert_eq!(busy_share(now, now), None);
        assert_eq!(
            busy_share(Ticks { total: 9, idle: 9 }, Ticks { total: 1, idle: 1 }),
            None
        );
    }

    #[test]
    fn reclaimable_memory_counts_as_free() {
        let text = "MemTotal:  4000 kB\nMemFree:  100 kB\nMemAvailable:  1000 kB\n";
        assert_eq!(parse_memory(text), Some((3_072_000.0, 4_096_000.0)));
        assert_eq!(parse_memory("nothing"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn two_looks_at_this_machine_bring_all_gauges() {
        let machine = Machine::new(None);
        machine.look();
        std::thread::sleep(std::time::Duration::from_millis(50));
        machine.look();
        let names: Vec<_> = machine.gauges().iter().map(|gauge| gauge.0).collect();
        let expected = [
            "cpu_usage",
            "memory_usage",
            "memory_total",
            "disk_usage",
            "disk_total",
        ];
        assert_eq!(names, expected);
    }
}
