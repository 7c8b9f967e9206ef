//! Every row of a board, apart from its indexes.

use kanban_core::{
    Attachment, BoardState, Change, Comment, Event, Link, Pause, Policy, Run, Subscription, Task,
    TaskId, TextKind,
};
use serde::{Deserialize, Serialize};

use crate::schema::Tables;

/// A row, as a line of a backup says it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Row {
    Board(BoardState),
    Policy(Policy),
    Pause(Pause),
    /// With the marks of the engine, which are not in the JSON of answers.
    Task {
        task: Box<Task>,
        waiting: bool,
        collectable: bool,
    },
    Text {
        task: TaskId,
        kind: TextKind,
        text: String,
    },
    Link(Link),
    Run(Box<Run>),
    Event(Box<Event>),
    Comment(Box<Comment>),
    Attachment(Box<Attachment>),
    Subscription(Box<Subscription>),
    /// How many rows there were.
    End(u64),
}

impl Row {
    /// How it comes to be; none for what every board has, and for the end.
    pub(crate) fn change(self) -> Option<Change> {
        let change = match self {
            Self::Policy(after) => Change::Policy { after },
            Self::Pause(pause) => Change::Pause {
                before: None,
                after: Some(pause),
            },
            Self::Task {
                mut task,
                waiting,
                collectable,
            } => {
                task.waiting = waiting;
                task.collectable = collectable;
                Change::Task {
                    before: None,
                    after: Some(task),
                }
            }
            Self::Text { task, kind, text } => Change::Text {
                task,
                kind,
                after: Some(text),
            },
            Self::Link(link) => Change::AddLink(link),
            Self::Run(after) => Change::Run {
                before: None,
                after,
            },
            Self::Event(event) => Change::AddEvent(event),
            Self::Comment(comment) => Change::AddComment(comment),
            Self::Attachment(attachment) => Change::AddAttachment(attachment),
            Self::Subscription(row) => Change::Subscription {
                before: None,
                after: Some(row),
            },
            Self::Board(_) | Self::End(_) => return None,
        };
        Some(change)
    }
}

/// Every row, those first that others refer to.
pub(crate) fn rows(tables: &Tables) -> impl Iterator<Item = Row> {
    let state = [
        Row::Board(tables.board.clone()),
        Row::Policy(tables.policy.clone()),
    ];
    let pauses = tables.pauses.values().cloned().map(Row::Pause);
    let tasks = tables.tasks.values().map(|task| Row::Task {
        task: Box::new(task.clone()),
        waiting: task.waiting,
        collectable: task.collectable,
    });
    let texts = tables.texts.iter().flat_map(|(task, texts)| {
        texts.iter().map(|(kind, text)| Row::Text {
            task: task.clone(),
            kind: *kind,
            text: text.to_string(),
        })
    });
    let links = tables.links.iter().cloned().map(Row::Link);
    let runs = tables.runs.values().cloned().map(Box::new).map(Row::Run);
    let events = tables.events.values().cloned().map(Box::new);
    let comments = tables.comments.values().cloned().map(Box::new);
    let attachments = tables.attachments.values().cloned().map(Box::new);
    let subscriptions = tables.subscriptions.values().cloned().map(Box::new);
    let owned = (state.into_iter().chain(pauses).chain(tasks)).chain(texts);
    let owned = owned.chain(links).chain(runs);
    owned
        .chain(events.map(Row::Event))
        .chain(comments.map(Row::Comment))
        .chain(attachments.map(Row::Attachment))
        .chain(subscriptions.map(Row::Subscription))
}
