//! The board's own limits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RunId;
use crate::error::Invalid;

/// The board's limits: one row of the board, the same for every process that opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Policy {
    /// Used where a claim names no ttl; 1 s to 30 days.
    pub claim_ttl_ms: u64,
    /// Counted failures in a row that trip the breaker; 1 to 1,000.
    pub failure_limit: u32,
    /// The first back-off step; 1 ms to 30 days.
    pub backoff_base_ms: u64,
    /// The longest back-off step; at least the first, up to 1 year.
    pub backoff_max_ms: u64,
    /// Worker blocks of one kind in a row that send a task to triage; 1 to 1,000.
    pub block_streak_limit: u32,
    /// Requests for changes that block a task; 1 to 1,000.
    pub review_round_limit: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            claim_ttl_ms: 15 * 60 * 1000,
            failure_limit: 2,
            backoff_base_ms: 30 * 1000,
            backoff_max_ms: 60 * 60 * 1000,
            block_streak_limit: 2,
            review_round_limit: 10,
        }
    }
}

impl Policy {
    /// Checks every bound.
    ///
    /// # Errors
    /// [`Invalid`] naming the field that is out of its bounds.
    pub fn check(&self) -> Result<(), Invalid> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        within("claim_ttl_ms", self.claim_ttl_ms, 1000, 30 * DAY_MS)?;
        within("failure_limit", self.failure_limit.into(), 1, 1000)?;
        within("backoff_base_ms", self.backoff_base_ms, 1, 30 * DAY_MS)?;
        within(
            "backoff_max_ms",
            self.backoff_max_ms,
            self.backoff_base_ms,
            366 * DAY_MS,
        )?;
        within(
            "block_streak_limit",
            self.block_streak_limit.into(),
            1,
            1000,
        )?;
        within(
            "review_round_limit",
            self.review_round_limit.into(),
            1,
            1000,
        )
    }

    /// The claim's ttl where none is named.
    #[must_use]
    pub const fn claim_ttl(&self) -> Duration {
        Duration::from_millis(self.claim_ttl_ms)
    }

    /// The back-off after the `nth` end in a row (from 1), before jitter: doubling from the first step,
    /// up to the longest.
    #[must_use]
    pub fn backoff(&self, nth: u32) -> Duration {
        let doublings = nth.saturating_sub(1).min(63);
        let step = self.backoff_base_ms.saturating_mul(1_u64 << doublings);
        Duration::from_millis(step.min(self.backoff_max_ms))
    }

    /// The back-off after the `nth` end in a row, with jitter: the step less up to a quarter of it, by a hash of the
    /// board's seed and the run that ended, so that it can be predicted.
    #[must_use]
    pub fn retry_delay(&self, seed: u64, run: RunId, nth: u32) -> Duration {
        let step = u64::try_from(self.backoff(nth).as_millis()).unwrap_or(u64::MAX);
        let less = mix(seed ^ mix(run.get())) % (step / 4 + 1);
        Duration::from_millis(step - less)
    }
}

/// The finaliser of splitmix64: every bit of the input moves about half of the output's.
const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn within(field: &'static str, found: u64, min: u64, max: u64) -> Result<(), Invalid> {
    if found < min {
        return Err(Invalid::below(field, min, found));
    }
    if found > max {
        return Err(Invalid::above(field, max, found));
    }
    Ok(())
}
