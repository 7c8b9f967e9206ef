//! Creating and editing tasks, and the links between them.

use std::time::Duration;

use crate::model::{
    Assignee, FailureLimit, JsonObject, Label, LongText, Millis, Reason, TaskId, Title, Version,
};

/// Where a new task starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Start {
    /// Where it lands: `ready`, or `todo` with unsatisfied parents.
    #[default]
    Landing,
    /// In `triage`: a raw idea.
    Triage,
    /// In `blocked`, kind `parked`.
    Parked {
        /// Why.
        reason: Option<Reason>,
    },
    /// In `scheduled` until then; a time not in the future is dropped.
    WakeAt(Millis),
}

/// A task to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// Its title.
    pub title: Title,
    /// What is to be done.
    pub body: Option<LongText>,
    /// Where it starts.
    pub start: Start,
    /// Higher first.
    pub priority: i32,
    /// Who is to do it.
    pub assignee: Option<Assignee>,
    /// Whose task it is; else its first parent's.
    pub tenant: Option<Label>,
    /// Who creates it; the actor of its event.
    pub created_by: Option<Label>,
    /// The task during which it is created; its subscriptions are inherited.
    pub created_from: Option<TaskId>,
    /// It waits for these; at most 1,000.
    pub parents: Vec<TaskId>,
    /// The task with this key that is not archived is returned instead of making another.
    pub idempotency_key: Option<Label>,
    /// The task's own failure limit.
    pub failure_limit: Option<FailureLimit>,
    /// How long a run may take; at least 1 ms.
    pub max_runtime: Option<Duration>,
    /// The caller's JSON.
    pub attributes: Option<JsonObject>,
}

impl NewTask {
    /// A task with only a title.
    #[must_use]
    pub fn new(title: Title) -> Self {
        Self {
            title,
            body: None,
            start: Start::Landing,
            priority: 0,
            assignee: None,
            tenant: None,
            created_by: None,
            created_from: None,
            parents: Vec::new(),
            idempotency_key: None,
            failure_limit: None,
            max_runtime: None,
            attributes: None,
        }
    }
}

/// A parent of a new item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParentRef {
    /// Another item of the same call, by its index.
    Item(usize),
    /// A task that exists.
    Task(TaskId),
}

/// One task of a graph to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// The task; its own `parents` must be empty.
    pub task: NewTask,
    /// It waits for these.
    pub parents: Vec<ParentRef>,
}

/// Makes a whole graph in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateMany {
    /// 1 to 1,000 items.
    pub items: Vec<NewItem>,
}

/// Edits the card. `None` leaves a field as it is; `Some(None)` clears it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateTask {
    /// Which.
    pub task: TaskId,
    /// Who.
    pub actor: Option<Label>,
    /// Refused if the card has another version by now.
    pub expected_version: Option<Version>,
    /// A new title.
    pub title: Option<Title>,
    /// A new body.
    pub body: Option<Option<LongText>>,
    /// A new priority.
    pub priority: Option<i32>,
    /// A new tenant.
    pub tenant: Option<Option<Label>>,
    /// New attributes, in place of the old object.
    pub attributes: Option<Option<JsonObject>>,
    /// A new limit of a run's time, from the next run on; at least 1 ms.
    pub max_runtime: Option<Option<Duration>>,
    /// A new failure limit.
    pub failure_limit: Option<Option<FailureLimit>>,
}

impl UpdateTask {
    /// No change yet.
    #[must_use]
    pub fn new(task: TaskId) -> Self {
        Self {
            task,
            actor: None,
            expected_version: None,
            title: None,
            body: None,
            priority: None,
            tenant: None,
            attributes: None,
            max_runtime: None,
            failure_limit: None,
        }
    }
}

/// Names who is to take the task next, or nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignTask {
    /// Which.
    pub task: TaskId,
    /// To whom.
    pub assignee: Option<Assignee>,
    /// By whom.
    pub actor: Option<Label>,
    /// Refused if the card has another version by now.
    pub expected_version: Option<Version>,
}

/// Makes `child` wait for `parent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTasks {
    /// Must be finished first.
    pub parent: TaskId,
    /// Waits.
    pub child: TaskId,
    /// By whom.
    pub actor: Option<Label>,
}

/// Ends the waiting of `child` for `parent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlinkTasks {
    /// The parent.
    pub parent: TaskId,
    /// The child.
    pub child: TaskId,
    /// By whom.
    pub actor: Option<Label>,
}
