//! Questions, and their answers.

use serde::{Deserialize, Serialize};

use crate::model::{
    Assignee, Event, EventId, EventKind, Label, Link, Millis, Phase, Status, SubscriptionId, Task,
    TaskId,
};

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ListOrder {
    /// Priority high to low, then the oldest, then by id.
    #[default]
    Priority,
    /// Created first.
    Oldest,
    /// Created last.
    Newest,
    /// Updated last.
    Updated,
}

/// Where a list goes on; opaque, good for the same filter and order only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ListCursor(pub(crate) String);

impl ListCursor {
    /// Takes a cursor back from text; a wrong one is refused by the list.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Asks for tasks, a page at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// In one of these; empty means any but `archived`.
    pub statuses: Vec<Status>,
    /// Of this assignee; `Some(None)` means unassigned.
    pub assignee: Option<Option<Assignee>>,
    /// Of this tenant.
    pub tenant: Option<Label>,
    /// Children of this task.
    pub parent: Option<TaskId>,
    /// In this phase.
    pub phase: Option<Phase>,
    /// In this order.
    pub order: ListOrder,
    /// From here on.
    pub after: Option<ListCursor>,
    /// At most this many; 1 to 1,000.
    pub limit: usize,
}

impl Default for List {
    fn default() -> Self {
        Self {
            statuses: Vec::new(),
            assignee: None,
            tenant: None,
            parent: None,
            phase: None,
            order: ListOrder::Priority,
            after: None,
            limit: 100,
        }
    }
}

/// A page of a list. May be short, even empty, while `next` says to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Page<T> {
    /// What was found.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<ListCursor>,
}

/// Asks for the parents or the children of a task, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kin {
    /// Whose.
    pub task: TaskId,
    /// Those after this id.
    pub after: Option<TaskId>,
    /// At most this many; 1 to 1,000.
    pub limit: usize,
}

/// Asks for things that belong to a task, by their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfTask<I> {
    /// Whose.
    pub task: TaskId,
    /// Those after this one.
    pub after: Option<I>,
    /// At most this many; 1 to 1,000.
    pub limit: usize,
}

/// Asks for a task's surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphOf {
    /// The middle.
    pub task: TaskId,
    /// How many links away at most, both up and down.
    pub depth: u32,
}

/// A task's surroundings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Graph {
    /// The tasks, nearest first.
    pub tasks: Vec<Task>,
    /// The links among them.
    pub links: Vec<Link>,
    /// Whether it was cut at 10,000 tasks.
    pub cut: bool,
}

/// Which events are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Of this task only.
    pub task: Option<TaskId>,
    /// Of these kinds only; empty means all. At most 100.
    pub kinds: Vec<EventKind>,
}

/// Asks for events, in id order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// Those after this one.
    pub after: EventId,
    /// At most this many; 1 to 1,000.
    pub limit: usize,
    /// Which.
    pub filter: EventFilter,
}

/// Events, in id order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventPage {
    /// `gc` has removed events after the asked-for place; the newest of them.
    pub truncated: Option<EventId>,
    /// The events.
    pub events: Vec<Event>,
    /// Everything up to here was looked at: ask on from here. A page looks at 10,000 events at most.
    pub through: EventId,
}

/// How many tasks an assignee has in a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatsRow {
    /// The status.
    pub status: Status,
    /// The assignee; none for unassigned.
    pub assignee: Option<Assignee>,
    /// How many; never 0.
    pub tasks: u64,
}

/// The board in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stats {
    /// By status and assignee, sorted.
    pub rows: Vec<StatsRow>,
    /// When the oldest ready task was created.
    pub oldest_ready: Option<Millis>,
}

impl Stats {
    /// How many tasks are in a status.
    #[must_use]
    pub fn in_status(&self, status: Status) -> u64 {
        self.rows
            .iter()
            .filter(|row| row.status == status)
            .map(|row| row.tasks)
            .sum()
    }

    /// How many tasks there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.rows.iter().map(|row| row.tasks).sum()
    }
}

/// Asks for subscriptions, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionsAfter {
    /// Of this task only.
    pub task: Option<TaskId>,
    /// Those after this one.
    pub after: Option<SubscriptionId>,
    /// At most this many; 1 to 1,000.
    pub limit: usize,
}
