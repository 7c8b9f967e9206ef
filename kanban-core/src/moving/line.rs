//! One line of an export.

use serde::{Deserialize, Serialize};

use crate::model::{
    Attachment, BoardState, Comment, Counters, Event, EventId, Link, Millis, Pause, Policy, Run,
    Subscription, TaskDetail,
};

/// The format that this program writes, and the only one that it reads.
pub(super) const FORMAT: u32 = 1;

/// One line, in the order of an export. Within a kind lines are in the order of their keys.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// What this is.
    Header(Header),
    /// The board's own row.
    Board(BoardLine),
    Policy(Policy),
    Pause(Pause),
    Task(Box<TaskDetail>),
    Link(Link),
    Run(Box<Run>),
    Comment(Comment),
    Attachment(Attachment),
    Subscription(Box<Subscription>),
    Event(Event),
    /// How much there was before it.
    Footer(Footer),
}

/// The first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The version of the format.
    pub(super) kanban_export: u32,
}

/// The board's row without what belongs to its files.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct BoardLine {
    pub(super) created_at: Millis,
    pub(super) seed: u64,
    pub(super) counters: Counters,
    pub(super) horizon: EventId,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Footer {
    /// Lines before this one.
    pub(super) lines: u64,
    /// Of all bytes before this line, in hexadecimal digits.
    pub(super) sha256: String,
}

/// Where a line stands: its kind, then its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u8, Key);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Only,
    Number(u64),
    Text(String),
    Pair(String, String),
}

impl From<&BoardState> for BoardLine {
    fn from(board: &BoardState) -> Self {
        Self {
            created_at: board.created_at,
            seed: board.seed,
            counters: board.counters,
            horizon: board.horizon,
        }
    }
}

impl Line {
    /// Its place. An export's lines stand in strictly increasing places.
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Header(_) => Place(0, Key::Only),
            Self::Board(_) => Place(1, Key::Only),
            Self::Policy(_) => Place(2, Key::Only),
            Self::Pause(pause) => Place(3, pause_key(pause)),
            Self::Task(detail) => Place(4, Key::Text(detail.task.id.to_string())),
            Self::Link(link) => Place(
                5,
                Key::Pair(link.parent.to_string(), link.child.to_string()),
            ),
            Self::Run(run) => Place(6, Key::Number(run.id.get())),
            Self::Comment(comment) => Place(7, Key::Number(comment.id.get())),
            Self::Attachment(attachment) => Place(8, Key::Number(attachment.id.get())),
            Self::Subscription(subscription) => Place(9, Key::Number(subscription.id.get())),
            Self::Event(event) => Place(10, Key::Number(event.id.get())),
            Self::Footer(_) => Place(11, Key::Only),
        }
    }
}

/// The board's first, then by assignee: an assignee is never empty.
fn pause_key(pause: &Pause) -> Key {
    match &pause.target {
        crate::model::PauseTarget::Board => Key::Text(String::new()),
        crate::model::PauseTarget::Assignee(name) => Key::Text(name.to_string()),
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
