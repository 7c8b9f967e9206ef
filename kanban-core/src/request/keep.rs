//! Upkeep of a board.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Label, Policy};

use super::More;

/// Sets the board's limits. The whole row is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPolicy {
    /// The new limits.
    pub policy: Policy,
    /// Who.
    pub actor: Label,
}

/// Removes subscriptions of tasks settled that long whose cursor has reached the task's last event. Answers
/// how many, and whether there are more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurgeSettled {
    /// Settled at least this long.
    pub older_than: Duration,
    /// At most this many; 1 to 1,000.
    pub limit: usize,
}

/// What `gc` does with events that a subscription has not delivered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Covered {
    /// Keeps them, and `created`, `claimed`, `completed`.
    #[default]
    Keep,
    /// Removes every event of such tasks.
    Remove,
}

/// Removes events of tasks settled that long. Answers how many, and whether there are more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectEvents {
    /// Settled at least this long.
    pub older_than: Duration,
    /// At most this many; 1 to 10,000.
    pub limit: usize,
    /// What is kept.
    pub covered: Covered,
}

/// What one call of `gc` or `purge_settled` removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// How many.
    pub removed: u64,
    /// Whether another call would remove more.
    pub more: More,
}

/// Something that `verify` found wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Violation {
    /// The invariant's number in section 17 of `docs/semantics.md`; 0 for the engine's own check.
    pub invariant: u8,
    /// What is wrong, and where.
    pub what: String,
}
