//! The engines' own limits: the same row changes as the store makes, by the shortest hand-written loop, in groups as long
//! as the store's were.
//!
//! A loop works on a board that the store has made and filled, so tables, indexes and rows are the same. It reads the one row
//! that it changes and checks its status. It does not check rules, build answers, hand work between threads or
//! wait for anybody.

pub mod redb;
pub mod sqlite;

/// What a claim or a completion by hand is told. The store takes the same from its callers and its own counters.
#[derive(Debug, Clone)]
pub struct Hand {
    /// The last number given to an event, a run, a `seq`.
    pub last: i64,
    /// The time that rows get.
    pub now: i64,
}

impl Hand {
    /// Begins behind the numbers that filling a board has given.
    #[must_use]
    pub const fn behind(last: i64) -> Self {
        Self {
            last,
            now: 1_800_000_000_000,
        }
    }

    const fn next(&mut self) -> i64 {
        self.last += 1;
        self.now += 1;
        self.last
    }
}

/// Who claims by hand.
const CLAIMANT: &str = "bench-worker-1";
/// How long a claim by hand holds, in milliseconds.
const TTL_MS: i64 = 900_000;

fn claimed_data(run: i64, until: i64) -> String {
    format!(
        r#"{{"claimant":"{CLAIMANT}","expires_at":{until},"from":"ready","phase":"work","run":{run},"to":"running"}}"#
    )
}

fn completed_data() -> String {
    r#"{"from":"running","result_len":0,"summary":"written","to":"done"}"#.to_owned()
}
