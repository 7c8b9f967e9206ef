//! What the process has used: processor time, bytes handed to the system, memory.

use std::time::{Duration, Instant};

use crate::clock::now;

/// The process's counters at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    at: Instant,
    cpu: Duration,
    handed: Option<u64>,
}

/// What was used between a mark and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Real time.
    pub elapsed: Duration,
    /// Processor time of all threads, user and system.
    pub cpu: Duration,
    /// Bytes that the process handed to the system in calls that write; none where the system does not tell.
    pub handed: Option<u64>,
}

impl Mark {
    /// The counters now.
    #[must_use]
    pub(crate) fn set() -> Self {
        Self {
            at: now(),
            cpu: cpu(),
            handed: handed(),
        }
    }

    /// What was used since.
    #[must_use]
    pub(crate) fn used(&self) -> Usage {
        let handed = handed();
        Usage {
            elapsed: self.at.elapsed(),
            cpu: cpu().saturating_sub(self.cpu),
            handed: handed
                .zip(self.handed)
                .map(|(now, then)| now.saturating_sub(then)),
        }
    }
}

/// `write_bytes` beside it counts whole parts of the page cache as they become dirty, however little of each was written: how
/// many that is depends on how the file came to be in the cache. This counts what the engine asked for.
fn handed() -> Option<u64> {
    proc_number("/proc/self/io", "wchar:")
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}

/// The most memory that the process has held so far, in bytes.
#[must_use]
pub(crate) fn memory_high_water() -> Option<u64> {
    proc_number("/proc/self/status", "VmHWM:").map(|kib| kib * 1024)
}

/// Lets [`memory_high_water`] begin anew, where the system allows it.
pub(crate) fn forget_memory_high_water() {
    // 5 resets the mark and nothing else. Where it is refused, the mark is that of the process's whole life.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The memory that the process holds now, in bytes.
#[must_use]
pub(crate) fn memory_held() -> Option<u64> {
    proc_number("/proc/self/status", "VmRSS:").map(|kib| kib * 1024)
}

fn proc_number(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    #[test]
    fn bytes_are_counted_as_they_are_handed_over_also_where_no_new_page_becomes_dirty() {
        let mut file = tempfile::tempfile().expect("there is room for a file");
        file.write_all(&[1; 4096]).expect("it is written");
        let mark = Mark::set();
        for _ in 0..100 {
            file.rewind().expect("a file has a beginning");
            file.write_all(&[2; 1000]).expect("it is written");
        }
        // Other tests write meanwhile.
        let handed = mark.used().handed;
        assert!(
            handed.is_none_or(|handed| handed >= 100_000),
            "found {handed:?}"
        );
    }
}
