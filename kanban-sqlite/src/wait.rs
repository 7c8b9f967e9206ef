//! The only place where this crate looks at a clock or sleeps: waiting for a lock of another process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kanban_core::{Error, ErrorKind, Result};

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

/// Until when a reader may hold its snapshot; read by SQLite's progress handler.
#[derive(Debug)]
pub(crate) struct Alarm {
    base: Instant,
    /// Microseconds after the base; 0 is never.
    at: AtomicU64,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Self {
            base: now(),
            at: AtomicU64::new(0),
        }
    }

    /// Sets it a span from now, or to never.
    pub(crate) fn set(&self, span: Option<Duration>) {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let at = span.map_or(0, |span| {
            micros(self.base.elapsed().saturating_add(span)).max(1)
        });
        self.at.store(at, Ordering::Relaxed);
    }

    /// Whether it is past.
    pub(crate) fn rings(&self) -> bool {
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
