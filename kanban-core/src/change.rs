//! What an engine must write: whole rows, before and after, so that it can see which index keys moved.

use crate::model::{
    Attachment, BoardState, Comment, Event, EventId, GroupRecord, Link, Pause, Policy, Run,
    Subscription, Task, TaskId, TextKind,
};

/// One row that changes. `before` is what the transaction holds now; both absent is never given. Rows of one kind
/// and key occur at most once in a command's list of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The board's own row; always present.
    Board {
        /// The row now.
        before: Box<BoardState>,
        /// The row then.
        after: Box<BoardState>,
    },
    /// The board's limits; always present.
    Policy {
        /// The row then.
        after: Policy,
    },
    /// A pause.
    Pause {
        /// The row now.
        before: Option<Pause>,
        /// The row then.
        after: Option<Pause>,
    },
    /// A task's row. The engine also keeps the counters by (status, assignee).
    Task {
        /// The row now.
        before: Option<Box<Task>>,
        /// The row then.
        after: Option<Box<Task>>,
    },
    /// A long text of a task.
    Text {
        /// Whose.
        task: TaskId,
        /// Which.
        kind: TextKind,
        /// The text then.
        after: Option<String>,
    },
    /// A new link.
    AddLink(Link),
    /// A link that goes.
    RemoveLink(Link),
    /// A run.
    Run {
        /// The row now.
        before: Option<Box<Run>>,
        /// The row then; runs go only by [`Forget`](Self::Forget).
        after: Box<Run>,
    },
    /// A new event.
    AddEvent(Box<Event>),
    /// An event that `gc` removes.
    RemoveEvent(EventId),
    /// A new comment.
    AddComment(Box<Comment>),
    /// A new attachment.
    AddAttachment(Box<Attachment>),
    /// An attachment that goes.
    RemoveAttachment(Box<Attachment>),
    /// A subscription.
    Subscription {
        /// The row now.
        before: Option<Box<Subscription>>,
        /// The row then.
        after: Option<Box<Subscription>>,
    },
    /// Everything that belongs to a deleted task goes: texts, runs, events, comments, attachments, subscriptions. Its
    /// row and its links go by their own changes.
    Forget(TaskId),
    /// The mark of a commit group; written by the executor. Marks of other instances older than a
    /// day before it go.
    Group(GroupRecord),
}

impl Change {
    /// The board's own row.
    #[must_use]
    pub fn board(before: BoardState, after: BoardState) -> Self {
        let [before, after] = [before, after].map(Box::new);
        Self::Board { before, after }
    }
}
