//! The append-only log, and what people add to a task.

use serde::{Deserialize, Serialize};

use super::{
    Address, AttachmentId, CommentId, EventId, JsonObject, Label, Millis, Note, RunId, Seq, TaskId,
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// What an event tells.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(from = "String", into = "String")]
        pub enum EventKind {
            $($(#[$doc])* $variant,)*
            /// A kind that an import brought from elsewhere, verbatim.
            Foreign(String),
        }

        impl EventKind {
            /// The board's own kinds.
            pub const OWN: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it in files and answers.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self { $(Self::$variant => $word,)* Self::Foreign(word) => word }
            }
        }

        impl From<&str> for EventKind {
            fn from(word: &str) -> Self {
                match word { $($word => Self::$variant,)* _ => Self::Foreign(word.to_owned()) }
            }
        }
    };
}

kinds! {
    /// A task came to be.
    Created = "created",
    /// Fields of the card changed.
    Updated = "updated",
    /// The assignee changed.
    Assigned = "assigned",
    /// A parent was added.
    Linked = "linked",
    /// A parent was removed.
    Unlinked = "unlinked",
    /// Its parents are satisfied now, or an operator promoted it.
    Promoted = "promoted",
    /// A parent is not satisfied any more.
    Demoted = "demoted",
    /// A run began.
    Claimed = "claimed",
    /// The worker's process is known.
    Spawned = "spawned",
    /// A heartbeat with a note.
    Heartbeat = "heartbeat",
    /// Done.
    Completed = "completed",
    /// A completion named tasks that it did not create.
    CompletionRefused = "completion_refused",
    /// A run failed; the task goes on.
    Failed = "failed",
    /// A run failed; the breaker tripped.
    GaveUp = "gave_up",
    /// The claim was given back.
    Released = "released",
    /// Blocked.
    Blocked = "blocked",
    /// Blocked for the same cause again: to triage.
    BlockLoop = "block_loop",
    /// Unblocked.
    Unblocked = "unblocked",
    /// Put off.
    Scheduled = "scheduled",
    /// Its time has come.
    Woken = "woken",
    /// Handed in for review.
    ReviewRequested = "review_requested",
    /// The reviewer wants changes.
    ChangesRequested = "changes_requested",
    /// Done no more.
    Reopened = "reopened",
    /// An ancestor was reopened.
    Invalidated = "invalidated",
    /// Left triage.
    Specified = "specified",
    /// Was divided into subtasks.
    Decomposed = "decomposed",
    /// Out of sight.
    Archived = "archived",
    /// Back from the archive.
    Restored = "restored",
    /// Removed; a board event.
    Deleted = "deleted",
    /// Somebody commented.
    Commented = "commented",
    /// A file was attached.
    Attached = "attached",
    /// A file was detached.
    Detached = "detached",
    /// Somebody subscribed.
    Subscribed = "subscribed",
    /// Somebody unsubscribed.
    Unsubscribed = "unsubscribed",
    /// The board or an assignee was paused; a board event.
    Paused = "paused",
    /// The pause ended; a board event.
    Resumed = "resumed",
    /// The policy changed; a board event.
    PolicyChanged = "policy_changed",
    /// The board was imported; a board event.
    Imported = "imported",
}

impl EventKind {
    /// Whether an event of this kind moves the task's version: it changed the card.
    #[must_use]
    pub const fn moves_version(&self) -> bool {
        !matches!(
            self,
            Self::Heartbeat
                | Self::Spawned
                | Self::Commented
                | Self::Attached
                | Self::Detached
                | Self::CompletionRefused
        )
    }
}

impl std::fmt::Display for EventKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<String> for EventKind {
    fn from(word: String) -> Self {
        Self::from(word.as_str())
    }
}

impl From<EventKind> for String {
    fn from(kind: EventKind) -> Self {
        kind.as_str().to_owned()
    }
}

/// One entry of the board's log, written in the same transaction as its change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// Its place in the log.
    pub id: EventId,
    /// The command that wrote it.
    pub seq: Seq,
    /// When; informative only, order is by id.
    pub at: Millis,
    /// Its task; none for board events.
    pub task: Option<TaskId>,
    /// Its run.
    pub run: Option<RunId>,
    /// Who did it, where known.
    pub actor: Option<Label>,
    /// What it tells.
    pub kind: EventKind,
    /// Details; a status change has `from` and `to` here.
    pub data: JsonObject,
}

/// Something said about a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Its task.
    pub task: TaskId,
    /// Who said it.
    pub author: Label,
    /// What was said.
    pub body: Note,
    /// When.
    pub at: Millis,
    /// The key under which a repeat is answered the same; unique per task.
    pub request_id: Option<Label>,
}

/// A pointer to a file; the store never opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
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
    /// The key under which a repeat is answered the same; unique per task.
    pub request_id: Option<Label>,
}
