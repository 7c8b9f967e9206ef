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
mod hermes;
mod hermes_board;
mod ids;
mod life;
mod moving;
mod processes;
mod reading;
mod schema;
mod snapshots;
mod untouched;
