//! Real time, which is what a bench measures.

use std::time::{Duration, Instant};

/// The time now, by the clock that never jumps.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures real time; no test depends on it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Whole nanoseconds of a span; a span of 584 years or more counts as that.
#[must_use]
pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
