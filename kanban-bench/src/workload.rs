//! What is run: each workload by the store, and the same work by hand.

pub mod transitions;
