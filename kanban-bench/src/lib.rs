//! What is measured, and how: workloads over [`BoardStore`](kanban_core::BoardStore), the same work written by hand on
//! each engine, and the patterns that programs use without a store.
//!
//! The criterion benches and the report share all of it. A figure of a store stands beside the
//! [`limit`] of its engine, taken in the same run and in turns with it, so that what is quoted is a ratio.

pub mod board;
pub mod clients;
pub mod clock;
pub mod extent;
pub mod fill;
pub mod limit;
pub mod pattern;
pub mod place;
pub mod subject;
pub mod template;
pub mod usage;
pub mod workload;
