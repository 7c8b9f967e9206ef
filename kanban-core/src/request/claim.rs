//! Taking work, and keeping it.

use serde::{Deserialize, Serialize};

use crate::model::{
    Assignee, Label, Millis, Note, Phase, Run, RunId, Task, TaskId, Ttl, WorkerProcess,
};

use super::Authority;

/// Claims one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimTask {
    /// Which.
    pub task: TaskId,
    /// Who.
    pub claimant: Label,
    /// For how long; else the policy's.
    pub ttl: Option<Ttl>,
    /// A repeat with the same key gets the same run while it is open.
    pub request_id: Option<Label>,
}

impl ClaimTask {
    /// A claim for the policy's ttl, without a key.
    #[must_use]
    pub const fn new(task: TaskId, claimant: Label) -> Self {
        Self {
            task,
            claimant,
            ttl: None,
            request_id: None,
        }
    }
}

/// Whose tasks a claim looks at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Who {
    /// Everybody's, unassigned ones too.
    #[default]
    Anyone,
    /// Unassigned ones only.
    Nobody,
    /// Those of these assignees (1 to 1,000).
    Only(Vec<Assignee>),
    /// Those of these assignees (1 to 1,000) and unassigned ones.
    OnlyOrNobody(Vec<Assignee>),
}

/// Which tasks a claim looks at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClaimFilter {
    /// Work or review; else both.
    pub phase: Option<Phase>,
    /// Whose.
    pub who: Who,
    /// Of this tenant only.
    pub tenant: Option<Label>,
}

/// How many tasks may run at once. Checked in the claim's own transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caps {
    /// On the whole board.
    pub board: Option<u32>,
    /// Per assignee; unassigned tasks count for the board only.
    pub assignee: Option<u32>,
}

/// Claims the best claimable task: priority high to low, then the oldest, then by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNext {
    /// Which tasks are looked at.
    pub filter: ClaimFilter,
    /// How many may run at once.
    pub caps: Caps,
    /// Who claims.
    pub claimant: Label,
    /// For how long; else the policy's.
    pub ttl: Option<Ttl>,
    /// A repeat with the same key gets the same run while it is open.
    pub request_id: Option<Label>,
}

impl ClaimNext {
    /// Anything on the board.
    #[must_use]
    pub fn new(claimant: Label) -> Self {
        Self {
            filter: ClaimFilter::default(),
            caps: Caps::default(),
            claimant,
            ttl: None,
            request_id: None,
        }
    }
}

/// A claim that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Claimed {
    /// The task, running.
    pub task: Task,
    /// The open run; its id is the fencing token.
    pub run: Run,
}

/// What `claim_next` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NextClaim {
    /// A task.
    Claimed(Box<Claimed>),
    /// Nothing to take now.
    None {
        /// The earliest time at which the back-off of a task of the filter ends. Looks at 1,000 waiting tasks; where
        /// none of them is of the filter, the time up to which it looked: ask again then.
        next_at: Option<Millis>,
        /// Whether claimable tasks were passed over because their assignee is paused.
        paused: bool,
        /// Whether claimable tasks were passed over because of a cap.
        capped: bool,
    },
}

/// Shows that a worker lives, and moves the end of its claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// Which task.
    pub task: TaskId,
    /// Whose run.
    pub authority: Authority,
    /// The claim holds at least this long from now; else the policy's ttl.
    pub extend: Option<Ttl>,
    /// Becomes an event.
    pub note: Option<Note>,
}

impl Heartbeat {
    /// A heartbeat that extends by the policy's ttl and leaves no event.
    #[must_use]
    pub const fn new(task: TaskId, authority: Authority) -> Self {
        Self {
            task,
            authority,
            extend: None,
            note: None,
        }
    }
}

/// Tells which process works on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetWorker {
    /// Which task.
    pub task: TaskId,
    /// The open run.
    pub run: RunId,
    /// The process.
    pub worker: WorkerProcess,
}
