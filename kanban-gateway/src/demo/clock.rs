//! The system's clock, and how far the demo has put it forward.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kanban_core::{Clock, Millis, SystemClock};

#[derive(Debug, Default)]
pub(super) struct DemoClock {
    ahead_ms: AtomicI64,
}

impl DemoClock {
    /// Puts the clock forward.
    pub(super) fn advance(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap_or(0);
        self.ahead_ms.fetch_add(millis, Ordering::SeqCst);
    }

    /// Puts the clock forward to a time, if that is not past.
    pub(super) fn advance_to(&self, at: Millis) {
        self.advance(at.since(self.now()) + Duration::from_millis(1));
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Millis {
        let ahead = self.ahead_ms.load(Ordering::SeqCst);
        Millis::new(SystemClock.now().get().saturating_add(ahead))
    }
}
