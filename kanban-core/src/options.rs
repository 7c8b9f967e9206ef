//! How a root of boards is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{Clock, IdSource, RandomIds, SystemClock};
use crate::error::Invalid;
use crate::model::bounded;

const INTERVAL_MIN: Duration = Duration::from_millis(1);
const INTERVAL_MAX: Duration = Duration::from_hours(1);

/// What an answered write survives. At every level a crash never damages the board and never loses the
/// middle of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// A power cut.
    #[default]
    Power,
    /// A killed process; a power cut may lose the last moments. Never reuses a number all the same: they are
    /// reserved durably, in blocks.
    Process,
    /// Nothing at once: any crash may lose what was answered within the last interval, and nothing older. Never reuses a
    /// number all the same. An engine may keep more.
    ///
    /// The flush begins after half the interval, also while nobody writes; the other half is for the disk. While a disk
    /// takes longer no write is answered. An error of the disk is no crash: the store that finds answered writes gone ends,
    /// and tells all its callers so.
    Lazy {
        /// From 1 ms to 1 h.
        interval: Duration,
    },
}

impl Durability {
    /// # Errors
    /// [`Invalid`] for an interval outside its bounds, which it names in milliseconds.
    pub(crate) fn check(self) -> Result<(), Invalid> {
        match self {
            Self::Lazy { interval } => {
                bounded("interval", interval, INTERVAL_MIN, INTERVAL_MAX).map(|_| ())
            }
            Self::Power | Self::Process => Ok(()),
        }
    }
}

/// What a write does when the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Admission {
    /// It is refused at once: `Overloaded`.
    #[default]
    Refuse,
    /// It waits for a place up to this long, then `Overloaded`.
    Wait(Duration),
}

/// How openers share a root. Chosen when the root is made, and kept in its `kanban.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootMode {
    /// All may have it open at once, in this process and in others, and all may write.
    #[default]
    Shared,
    /// One at a time: a second opener is refused, `Unavailable(InUse)`. What it saves depends on the engine.
    Exclusive,
}

impl fmt::Display for RootMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shared => "shared",
            Self::Exclusive => "exclusive",
        })
    }
}

/// How a root of boards is opened. The same for all its boards.
#[derive(Debug, Clone)]
pub struct Options {
    /// What an answered write survives.
    pub durability: Durability,
    /// How openers are to share the root. None is what the root has, and `Shared` for one that is made now.
    pub mode: Option<RootMode>,
    /// What a write does when the queue is full; a handle can differ
    /// ([`with_admission`](crate::BoardStore::with_admission)).
    pub admission: Admission,
    /// How many writes may wait, per board, and how many questions, for all boards together. 0 counts as 1.
    pub queue_len_max: usize,
    /// How many writes share a commit at most. 0 counts as 1.
    pub group_len_max: usize,
    /// How many threads answer reads, for all boards together. 0 counts as 1.
    pub reader_threads: usize,
    /// How often changes of other processes are looked for while somebody watches; less than 1 ms counts as that.
    pub poll_interval: Duration,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where new ids come from.
    pub ids: Arc<dyn IdSource>,
}

impl Default for Options {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            durability: Durability::Power,
            mode: None,
            admission: Admission::Refuse,
            queue_len_max: 4096,
            group_len_max: 256,
            reader_threads: cores.clamp(2, 16),
            poll_interval: Duration::from_millis(100),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_from_a_millisecond_to_an_hour() {
        let check = |interval| Durability::Lazy { interval }.check();
        for allowed in [Duration::from_millis(1), Duration::from_hours(1)] {
            assert!(check(allowed).is_ok(), "{allowed:?}");
        }
        for (refused, limit) in [
            (Duration::ZERO, 1),
            (Duration::from_micros(999), 1),
            (Duration::from_millis(3_600_001), 3_600_000),
            (Duration::MAX, 3_600_000),
        ] {
            let invalid = check(refused).expect_err("out of bounds");
            assert_eq!((invalid.field, invalid.limit), ("interval", Some(limit)));
        }
    }
}
