//! Times by hand.

use hdrhistogram::Histogram;

use super::Result;
use crate::clients::{Outcome, latencies};
use crate::clock::{nanos, now};
use crate::usage::Mark;

/// Times transactions by hand: each call of one takes as long as the whole of it.
pub(crate) struct Meter {
    mark: Mark,
    latency: Histogram<u64>,
}

impl Meter {
    pub(crate) fn start() -> Self {
        // Before the mark: to make room for it takes as long as many reads.
        let latency = latencies();
        Self {
            mark: Mark::set(),
            latency,
        }
    }

    pub(crate) fn time<T, E>(
        &mut self,
        calls: usize,
        transaction: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let start = now();
        let done = transaction()?;
        let calls = u64::try_from(calls).unwrap_or(u64::MAX);
        self.latency
            .saturating_record_n(nanos(start.elapsed()), calls);
        Ok(done)
    }

    pub(crate) fn end(self) -> Outcome {
        Outcome {
            calls: self.latency.len(),
            usage: self.mark.used(),
            latency: self.latency,
        }
    }
}
