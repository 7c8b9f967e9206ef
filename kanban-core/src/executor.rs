//! Carries out commands and questions on any engine, written once: one writer thread per open board with
//! group commit, one pool of reader threads for all boards, waiting, and closing.
//!
//! A write's way: [`store`] puts it into the board's bounded [`queue`]; the [`writer`] takes all that wait,
//! decides and applies each in one transaction, commits once, and only then answers, refusals too.

#[cfg(test)]
mod harness;
mod job;
mod permits;
mod pool;
mod questions;
mod queue;
mod reply;
#[cfg(all(test, feature = "shuttle"))]
mod schedules;
mod shared;
mod signal;
mod store;
#[cfg(all(test, not(feature = "shuttle")))]
mod tests;
mod timer;
mod writer;

pub(crate) use self::pool::Pool;
pub(crate) use self::signal::Signal;
pub(crate) use self::store::{EngineStore, Keeps, Launch, Opening, start};
pub(crate) use self::timer::Timer;
