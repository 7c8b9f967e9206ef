//! Taking over a board that another program wrote.

use serde::{Deserialize, Serialize};

use crate::model::{
    Address, Assignee, Block, BlockStreak, EventKind, FailureLimit, JsonObject, Label, Link,
    LongText, Millis, Note, Outcome, Phase, Status, SubscriptionMode, TaskId, Title,
};

/// A task as found elsewhere. Values fit our bounds already; whether they agree with each other is for the import
/// to see and to repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignTask {
    /// Kept.
    pub id: TaskId,
    /// Its title.
    pub title: Title,
    /// What is to be done.
    pub body: Option<LongText>,
    /// What came out.
    pub result: Option<LongText>,
    /// Where it stood.
    pub status: Status,
    /// What kind of worker takes it next.
    pub phase: Phase,
    /// Higher first.
    pub priority: i32,
    /// Who is to do it.
    pub assignee: Option<Assignee>,
    /// Whose task it is.
    pub tenant: Option<Label>,
    /// Who created it.
    pub created_by: Option<Label>,
    /// When.
    pub created_at: Millis,
    /// The first claim.
    pub started_at: Option<Millis>,
    /// When it was done. An archived task with it was done before.
    pub completed_at: Option<Millis>,
    /// When it lands by itself, if it is scheduled.
    pub wake_at: Option<Millis>,
    /// Its key.
    pub idempotency_key: Option<Label>,
    /// Counted failures in a row.
    pub failures: u32,
    /// The last failure's error; its first 500 bytes are kept.
    pub last_error: Option<Note>,
    /// How long a run may take, in milliseconds; 0 is no limit.
    pub max_runtime: Option<u64>,
    /// Its own failure limit.
    pub failure_limit: Option<FailureLimit>,
    /// Why it is blocked.
    pub block: Option<Block>,
    /// Worker blocks of one kind in a row.
    pub block_streak: Option<BlockStreak>,
    /// Its open run, among [`ImportForeign::runs`].
    pub open_run: Option<u64>,
    /// Everything else about it.
    pub attributes: Option<JsonObject>,
}

/// A run as found elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignRun {
    /// Kept, if it is 1 to 2^61.
    pub id: u64,
    /// Its task.
    pub task: TaskId,
    /// In which phase.
    pub phase: Phase,
    /// Who was to do it.
    pub assignee: Option<Assignee>,
    /// Who claimed; none for a run that was never claimed.
    pub claimant: Option<Label>,
    /// When the claim ends, if the run is open.
    pub expires_at: Option<Millis>,
    /// The run's last moment, if it is open and had a limit.
    pub must_end_by: Option<Millis>,
    /// The last heartbeat, if the run is open.
    pub heartbeat_at: Option<Millis>,
    /// When it began.
    pub started_at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The worker's words.
    pub summary: Option<Note>,
    /// The error.
    pub error: Option<Note>,
    /// Everything else about it.
    pub metadata: Option<JsonObject>,
}

/// A comment as found elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignComment {
    /// Kept, if it is 1 to 2^61.
    pub id: u64,
    /// Its task.
    pub task: TaskId,
    /// Who said it.
    pub author: Label,
    /// What was said.
    pub body: Note,
    /// When.
    pub at: Millis,
}

/// An attachment as found elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignAttachment {
    /// Kept, if it is 1 to 2^61.
    pub id: u64,
    /// Its task.
    pub task: TaskId,
    /// The file's name.
    pub file_name: Label,
    /// Where it is.
    pub uri: Address,
    /// Its media type.
    pub media_type: Option<Label>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Who attached it.
    pub by: Option<Label>,
    /// When.
    pub at: Millis,
}

/// An event as found elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignEvent {
    /// Kept, if it is 1 to 2^61.
    pub id: u64,
    /// Its task; none for an event of the board.
    pub task: Option<TaskId>,
    /// Its run.
    pub run: Option<u64>,
    /// Verbatim.
    pub kind: EventKind,
    /// Its data.
    pub data: JsonObject,
    /// When.
    pub at: Millis,
}

/// A subscription as found elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignSubscription {
    /// What it covers.
    pub task: TaskId,
    /// The medium.
    pub channel: Label,
    /// Where on the medium.
    pub address: Address,
    /// Where at the address.
    pub thread: Option<Label>,
    /// The kinds wanted; empty means all.
    pub kinds: Vec<EventKind>,
    /// Everything else about it.
    pub routing: Option<JsonObject>,
    /// What is done with an event.
    pub mode: SubscriptionMode,
    /// When it was made.
    pub created_at: Millis,
    /// The last event that was delivered.
    pub cursor: u64,
}

/// The highest numbers that were ever given there, also to rows that are gone. The board counts on from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForeignNumbers {
    /// Of a run.
    pub run: u64,
    /// Of an event.
    pub event: u64,
    /// Of a comment.
    pub comment: u64,
    /// Of an attachment.
    pub attachment: u64,
}

/// Takes over a whole board in one transaction, into a board that has no tasks.
///
/// Every row that breaks a rule of `docs/semantics.md` is repaired, and every repair is in the answer. Numbers of
/// runs, comments, attachments and events are kept; where the board has given some of them itself before, all numbers
/// of that kind are moved up behind its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportForeign {
    /// Who.
    pub actor: Label,
    /// From what, such as `hermes`.
    pub origin: Label,
    /// The highest numbers there.
    pub numbers: ForeignNumbers,
    /// The tasks.
    pub tasks: Vec<ForeignTask>,
    /// The links.
    pub links: Vec<Link>,
    /// The runs.
    pub runs: Vec<ForeignRun>,
    /// The comments.
    pub comments: Vec<ForeignComment>,
    /// The attachments.
    pub attachments: Vec<ForeignAttachment>,
    /// The events.
    pub events: Vec<ForeignEvent>,
    /// The subscriptions.
    pub subscriptions: Vec<ForeignSubscription>,
    /// What the reader had to mend already; the answer begins with it.
    pub repairs: Vec<Repair>,
}

impl ImportForeign {
    /// With no rows yet.
    #[must_use]
    pub fn new(actor: Label, origin: Label) -> Self {
        Self {
            actor,
            origin,
            numbers: ForeignNumbers::default(),
            tasks: Vec::new(),
            links: Vec::new(),
            runs: Vec::new(),
            comments: Vec::new(),
            attachments: Vec::new(),
            events: Vec::new(),
            subscriptions: Vec::new(),
            repairs: Vec::new(),
        }
    }
}

/// A row that broke a rule, and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Repair {
    /// The kind of row: `tasks`, `links`, `runs`, `comments`, `attachments`, `events`, `subscriptions`, or the name
    /// of a table that is not taken over.
    pub table: String,
    /// Which row: its id, `parent>child` for links, `task/channel/address/thread` for subscriptions, `*` for all.
    pub id: String,
    /// Which field, or `row`.
    pub what: String,
    /// As found; none if it was missing.
    pub from: Option<String>,
    /// As taken over; none if it was left out.
    pub to: Option<String>,
}

impl Repair {
    /// A field that got another value.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers and texts come by value, ids by reference"
    )]
    pub fn changed(
        table: &str,
        id: impl ToString,
        what: &str,
        from: impl ToString,
        to: impl ToString,
    ) -> Self {
        Self {
            table: table.to_owned(),
            id: id.to_string(),
            what: what.to_owned(),
            from: Some(from.to_string()),
            to: Some(to.to_string()),
        }
    }

    /// A field, or a whole row, that was left out.
    #[must_use]
    pub fn dropped(table: &str, id: impl ToString, what: &str, from: impl ToString) -> Self {
        Self {
            to: None,
            ..Self::changed(table, id, what, from, "")
        }
    }

    /// A field that was missing.
    #[must_use]
    pub fn added(table: &str, id: impl ToString, what: &str, to: impl ToString) -> Self {
        Self {
            from: None,
            ..Self::changed(table, id, what, "", to)
        }
    }
}

/// What was taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Imported {
    /// Tasks.
    pub tasks: u64,
    /// Links.
    pub links: u64,
    /// Runs.
    pub runs: u64,
    /// Comments.
    pub comments: u64,
    /// Attachments.
    pub attachments: u64,
    /// Events, without the import's own.
    pub events: u64,
    /// Subscriptions.
    pub subscriptions: u64,
    /// Every row that was mended.
    pub repairs: Vec<Repair>,
}
