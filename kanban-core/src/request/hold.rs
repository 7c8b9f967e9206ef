//! Holding work back, and letting it go on.

use serde::{Deserialize, Serialize};

use crate::model::{Label, Millis, PauseTarget, Reason, Task, TaskId, Version, WorkerBlockKind};

use super::Authority;

/// Refuses claims from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseClaims {
    /// Which claims.
    pub target: PauseTarget,
    /// Who.
    pub actor: Label,
    /// Why.
    pub reason: Option<Reason>,
}

/// Ends a pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeClaims {
    /// Which one.
    pub target: PauseTarget,
    /// Who.
    pub actor: Label,
}

/// Says that a task cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockTask {
    /// Which.
    pub task: TaskId,
    /// By what right.
    pub authority: Authority,
    /// Why, in one word.
    pub kind: WorkerBlockKind,
    /// Why.
    pub reason: Option<Reason>,
    /// For kind `dependency` only: the tasks it waits for, at most 1,000.
    pub on: Vec<TaskId>,
    /// Refused if the card has another version by now.
    pub expected_version: Option<Version>,
}

impl BlockTask {
    /// A block without a reason, whatever the card's version.
    #[must_use]
    pub const fn new(task: TaskId, authority: Authority, kind: WorkerBlockKind) -> Self {
        Self {
            task,
            authority,
            kind,
            reason: None,
            on: Vec::new(),
            expected_version: None,
        }
    }
}

/// Lands a blocked or scheduled task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnblockTask {
    /// Which.
    pub task: TaskId,
    /// Who.
    pub actor: Label,
}

/// What a promotion does with unsatisfied parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnOpenParents {
    /// Refuses, with their ids.
    #[default]
    Refuse,
    /// Removes those links, each with its event.
    Unlink,
}

/// Whether a promotion is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PromoteMode {
    /// It is.
    #[default]
    Apply,
    /// It is only decided: the answer shows the task as it would be, nothing is written.
    DryRun,
}

/// Lands a task now, whatever it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromoteTask {
    /// Which.
    pub task: TaskId,
    /// Who.
    pub actor: Label,
    /// What becomes of unsatisfied parents.
    pub open_parents: OnOpenParents,
    /// Whether it is carried out.
    pub mode: PromoteMode,
}

/// Puts a task off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleTask {
    /// Which.
    pub task: TaskId,
    /// By what right.
    pub authority: Authority,
    /// Until when; none waits for a human.
    pub at: Option<Millis>,
    /// Why.
    pub reason: Option<Reason>,
    /// Refused if the card has another version by now.
    pub expected_version: Option<Version>,
}

/// Tasks that landed by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Woken {
    /// The tasks, as they are now.
    pub tasks: Vec<Task>,
    /// Whether more are due.
    pub more: super::More,
}
