//! The engine as the executor uses it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "all of it is a test, also what clippy does not see under a #[test]"
)]

mod files;
mod locks;
mod questions;
mod replaced;
mod round_trip;
mod support;
mod wal;
