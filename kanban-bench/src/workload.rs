//! What is run: each workload by the store, and where it is honest the same work by hand.

pub(crate) mod calls;
pub mod claim_next;
pub mod creation;
pub mod mixed;
pub mod opening;
pub mod point;
pub mod reads;
pub mod transitions;
