//! The only place where this crate looks at a clock or sleeps: waiting for a lock of another process.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kanban_core::{Error, ErrorKind, Result};

use crate::files::Place;

/// Until when something is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// A span from now.
    pub(crate) fn after(span: Duration) -> Self {
        let now = now();
        // A span that the clock cannot hold is as good as a year.
        let at = now.checked_add(span);
        Self(at.unwrap_or_else(|| now + Duration::from_hours(24 * 365)))
    }

    fn has_passed(self) -> bool {
        now() >= self.0
    }

    /// Tries until something else than `Busy` comes out, or the deadline has passed. The pauses between grow, with
    /// jitter, so that those who wait for one lock do not meet again.
    pub(crate) fn retry<T>(self, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
        for round in 0_u32.. {
            match attempt() {
                Err(error) if *error.kind() == ErrorKind::Busy && !self.has_passed() => {
                    pause(round);
                }
                other => return other,
            }
        }
        Err(Error::new(ErrorKind::Busy, "waited for another process"))
    }
}

/// How long a reader may hold its snapshot; read by SQLite's progress handler.
#[derive(Debug)]
pub(crate) struct Alarm {
    base: Instant,
    /// Microseconds after the base; 0 is never.
    at: AtomicU64,
    /// A long read has no such time. It ends once the `-wal`, of which no page is used again while a snapshot needs it,
    /// is longer than this.
    bound: Option<(Place, u64)>,
    is_long: AtomicBool,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Self {
            base: now(),
            at: AtomicU64::new(0),
            bound: None,
            is_long: AtomicBool::new(false),
        }
    }

    /// One that can be set for a long read.
    pub(crate) fn bounded(place: Place, wal_len_max: u64) -> Self {
        Self {
            bound: Some((place, wal_len_max)),
            ..Self::new()
        }
    }

    /// Sets it to when the `-wal` has outgrown its bound.
    pub(crate) fn set_long(&self) {
        self.is_long.store(true, Ordering::Relaxed);
    }

    /// Sets it a span from now, or to never.
    pub(crate) fn set(&self, span: Option<Duration>) {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let at = span.map_or(0, |span| {
            micros(self.base.elapsed().saturating_add(span)).max(1)
        });
        self.at.store(at, Ordering::Relaxed);
        self.is_long.store(false, Ordering::Relaxed);
    }

    /// Whether the `-wal` is so long that no reader may keep it from being begun anew.
    pub(crate) fn is_outgrown(&self) -> bool {
        let bound = self.bound.as_ref();
        bound.is_some_and(|(place, wal_len_max)| place.wal_len() > *wal_len_max)
    }

    /// Whether the snapshot was held for too long.
    pub(crate) fn rings(&self) -> bool {
        if self.is_long.load(Ordering::Relaxed) {
            return self.is_outgrown();
        }
        let at = self.at.load(Ordering::Relaxed);
        at != 0 && self.base.elapsed().as_micros() >= u128::from(at)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the store's clock tells the board's time and may stand still; locks of other processes need real time"
)]
fn now() -> Instant {
    Instant::now()
}

fn pause(round: u32) {
    let longest = 500_u64 << round.min(6);
    std::thread::sleep(Duration::from_micros(fastrand::u64(100..=longest)));
}
