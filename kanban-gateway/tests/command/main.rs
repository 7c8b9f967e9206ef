//! Runs the program itself, as a shell would.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail by panicking, like the tests themselves"
)]

mod bad_input;
mod deliver;
mod envelopes;
mod flow;
mod harness;
#[cfg(feature = "hermes")]
mod hermes;
#[cfg(feature = "hermes")]
mod hermes_board;
mod ids;
mod life;
mod moving;
mod processes;
mod progress;
mod reading;
mod schema;
#[cfg(all(feature = "sqlite", feature = "hermes"))]
mod snapshots;
#[cfg(all(feature = "sqlite", feature = "redb", feature = "hermes"))]
mod stores;
mod untouched;
