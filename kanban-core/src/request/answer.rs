//! What every answer carries.

use serde::{Deserialize, Serialize};

use crate::model::Seq;

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It changed the board.
    Applied,
    /// It had been done before; the answer is that of the first time.
    Repeated,
    /// There was nothing to do.
    Unchanged,
}

/// The answer of a write, given after its commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Written<T> {
    /// This command's `seq`; if it wrote nothing, that of the last one before it that did.
    pub seq: Seq,
    /// What it did.
    pub effect: Effect,
    /// The answer proper.
    pub value: T,
}

/// The answer of a read, from one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Read<T> {
    /// The `seq` of the snapshot: everything up to it is in the answer.
    pub seq: Seq,
    /// The answer proper.
    pub value: T,
}

/// Whether a limited piece of upkeep has more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum More {
    /// The limit was reached: call again.
    More,
    /// Nothing is left.
    Finished,
}
