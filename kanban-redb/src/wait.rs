//! The only place where this crate looks at a clock or sleeps: waiting for another writer.

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

    /// Tries until something else than `Busy` comes out, or the deadline has passed. The pauses between grow, with
    /// jitter, so that those who wait for one lock do not meet again.
    pub(crate) fn retry<T>(self, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
        for round in 0_u32.. {
            match attempt() {
                Err(error) if *error.kind() == ErrorKind::Busy && now() < self.0 => pause(round),
                other => return other,
            }
        }
        Err(Error::new(ErrorKind::Busy, "waited for another process"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the store's clock tells the board's time and may stand still; other writers need real time"
)]
fn now() -> Instant {
    Instant::now()
}

fn pause(round: u32) {
    let longest = 500_u64 << round.min(6);
    std::thread::sleep(Duration::from_micros(fastrand::u64(100..=longest)));
}
