//! Review, reopening, planning, and the archive.

use serde::{Deserialize, Serialize};

use crate::model::{
    Assignee, JsonObject, Label, LongText, Note, Reason, Run, Task, TaskId, Title, Version,
};

use super::Authority;

/// Hands the work in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestReview {
    /// Which task.
    pub task: TaskId,
    /// By what right.
    pub authority: Authority,
    /// In short; kept with the run.
    pub summary: Option<Note>,
    /// The worker's JSON; kept with the run.
    pub metadata: Option<JsonObject>,
    /// Who reviews; else the last reviewer, else the assignee stays.
    pub reviewer: Option<Assignee>,
}

/// Gives the work back to its implementer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestChanges {
    /// Which task.
    pub task: TaskId,
    /// By what right.
    pub authority: Authority,
    /// What is to change; kept as the run's summary.
    pub reason: Option<Reason>,
}

/// Says that a done task is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReopenTask {
    /// Which.
    pub task: TaskId,
    /// Who.
    pub actor: Label,
    /// Why.
    pub reason: Option<Reason>,
}

/// An open run that a reopening closed: the caller stops its worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoppedRun {
    /// Its task.
    pub task: TaskId,
    /// The run, closed as `invalidated`.
    pub run: Run,
}

/// What a reopening did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reopened {
    /// The task, landed.
    pub task: Task,
    /// The descendants that went back to `todo`.
    pub invalidated: Vec<TaskId>,
    /// The runs that were closed.
    pub stopped: Vec<StoppedRun>,
}

/// Turns a raw idea into a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecifyTask {
    /// Which.
    pub task: TaskId,
    /// Who.
    pub actor: Label,
    /// A new title.
    pub title: Option<Title>,
    /// A new body.
    pub body: Option<LongText>,
    /// A new assignee.
    pub assignee: Option<Assignee>,
}

/// One piece of a task that is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subtask {
    /// Its title.
    pub title: Title,
    /// What is to be done.
    pub body: Option<LongText>,
    /// Who is to do it.
    pub assignee: Option<Assignee>,
    /// Higher first; else the root's.
    pub priority: Option<i32>,
    /// Subtasks that it waits for, by index.
    pub after: Vec<usize>,
    /// The caller's JSON.
    pub attributes: Option<JsonObject>,
    /// A repeat whose subtasks all have the keys of this task's subtasks is answered the same.
    pub idempotency_key: Option<Label>,
}

/// Divides a raw idea into subtasks, for which it then waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecomposeTask {
    /// The root.
    pub task: TaskId,
    /// Who.
    pub actor: Label,
    /// 1 to 1,000.
    pub subtasks: Vec<Subtask>,
}

/// The subtasks of a divided task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decomposed {
    /// The root, waiting.
    pub root: Task,
    /// The subtasks, in the order given.
    pub subtasks: Vec<TaskId>,
}

/// Puts a task out of sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveTask {
    /// Which.
    pub task: TaskId,
    /// By what right.
    pub authority: Authority,
    /// Refused if the card has another version by now.
    pub expected_version: Option<Version>,
}

/// Brings a task back from the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreTask {
    /// Which.
    pub task: TaskId,
    /// Who.
    pub actor: Label,
}

/// Removes an archived task with everything that belongs to it. Answers its id and title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteTask {
    /// Which.
    pub task: TaskId,
    /// Who.
    pub actor: Label,
}
