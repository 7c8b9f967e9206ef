//! Time and new ids come from outside, so that tests decide them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use ulid::Ulid;

use crate::model::{Millis, TaskId};

/// Where the time comes from. It may jump.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Millis;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that replaces it"
    )]
    fn now(&self) -> Millis {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |n| -n),
        };
        Millis::new(millis)
    }
}

/// Where new task ids and random numbers come from.
pub trait IdSource: fmt::Debug + Send + Sync + 'static {
    /// An id that no task has. Ids of later times sort later, as far as the clock does not jump.
    fn task_id(&self, now: Millis) -> TaskId;

    /// A random number: for a new board's seed and for store instances.
    fn random(&self) -> u64;
}

/// Ids are `t_` and a ULID in lower case: 48 bits of time, 80 random bits.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn task_id(&self, now: Millis) -> TaskId {
        let millis = u64::try_from(now.get()).unwrap_or(0);
        let ulid = Ulid::from_parts(millis, (u128::from(random()) << 64) | u128::from(random()));
        let id = format!("t_{}", ulid.to_string().to_lowercase());
        TaskId::new(id).expect("a ULID has 26 letters and digits")
    }

    fn random(&self) -> u64 {
        random()
    }
}

/// A random number of the operating system's: no two processes or threads share a stream.
pub(crate) fn random() -> u64 {
    getrandom::u64().expect("the operating system has random numbers")
}
