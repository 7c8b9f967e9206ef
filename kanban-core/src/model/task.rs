//! A task, its statuses and the claim on it.

use serde::{Deserialize, Serialize};

use super::{
    Assignee, FailureLimit, JsonObject, Label, LongText, Millis, Note, Reason, RunId, TaskId,
    Title, Version, WorkerProcess,
};

/// Declares a fieldless enum with its stored and printed words.
macro_rules! worded {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it in files and answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The value that a word stands for.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use worded;

worded! {
    /// Where a task stands. `docs/semantics.md` section 2 says what each means.
    Status {
        /// A raw idea; somebody must specify it.
        Triage = "triage",
        /// Waits for unfinished parents.
        Todo = "todo",
        /// Waits for a time, or, with none, for a human.
        Scheduled = "scheduled",
        /// Phase work; may start.
        Ready = "ready",
        /// Claimed: exactly one open run.
        Running = "running",
        /// Waits for a human, or the breaker tripped.
        Blocked = "blocked",
        /// Phase review; waits for a reviewer.
        Review = "review",
        /// Finished.
        Done = "done",
        /// Out of sight; terminal, except for `restore`.
        Archived = "archived",
    }
}

impl Status {
    /// Done or archived: such a parent holds no child.
    #[must_use]
    pub const fn satisfies_children(self) -> bool {
        matches!(self, Self::Done | Self::Archived)
    }

    /// Ready or review: a worker of the phase may claim it.
    #[must_use]
    pub const fn is_claimable(self) -> bool {
        matches!(self, Self::Ready | Self::Review)
    }
}

worded! {
    /// What kind of worker takes the task next.
    Phase {
        /// The task is to be done.
        Work = "work",
        /// The work is handed in and to be reviewed.
        Review = "review",
    }
}

impl Phase {
    /// The status in which a task of this phase may be claimed.
    #[must_use]
    pub const fn claimable_status(self) -> Status {
        match self {
            Self::Work => Status::Ready,
            Self::Review => Status::Review,
        }
    }
}

worded! {
    /// Why a task is blocked.
    BlockKind {
        /// A human must answer something.
        NeedsInput = "needs_input",
        /// The worker lacks a capability.
        Capability = "capability",
        /// Something outside failed for now.
        Transient = "transient",
        /// Anything else.
        Other = "other",
        /// Created blocked, to be started by hand.
        Parked = "parked",
        /// Failed too often in a row.
        Breaker = "breaker",
        /// Too many review rounds.
        ReviewLoop = "review_loop",
    }
}

worded! {
    /// The kinds of block that a caller may name.
    WorkerBlockKind {
        /// A human must answer something.
        NeedsInput = "needs_input",
        /// The worker lacks a capability.
        Capability = "capability",
        /// Something outside failed for now.
        Transient = "transient",
        /// Anything else.
        Other = "other",
        /// Waits for other tasks; never ends in `blocked`.
        Dependency = "dependency",
    }
}

/// Why, by whom and since when a task is blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Block {
    /// The kind.
    pub kind: BlockKind,
    /// In the blocker's words.
    pub reason: Option<Reason>,
    /// Who blocked it; none where the board did (breaker, review loop).
    pub by: Option<Label>,
    /// When.
    pub at: Millis,
}

/// How often in a row workers blocked the task for the same kind of cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BlockStreak {
    /// The kind of the last worker's block.
    pub kind: BlockKind,
    /// How many in a row, from 1.
    pub count: u32,
}

/// The right of one worker to work on a task. Valid until taken back, also past `expires_at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Claim {
    /// The open run; the worker's fencing token.
    pub run: RunId,
    /// Who claimed.
    pub claimant: Label,
    /// From when `reclaim_expired` may take it back.
    pub expires_at: Millis,
    /// The run's last moment, if the task has a `max_runtime`; `expires_at` never passes it.
    pub must_end_by: Option<Millis>,
    /// The last heartbeat of this run.
    pub heartbeat_at: Option<Millis>,
    /// The process that works on it, once told.
    pub worker: Option<WorkerProcess>,
    /// The key under which a repeated claim gets the same run. Unique among open claims.
    pub request_id: Option<Label>,
}

/// What a task was when it was archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArchivedFrom {
    /// Its status.
    pub status: Status,
    /// Its block, if it was blocked.
    pub block: Option<Block>,
    /// Its wake time, if it was scheduled with one.
    pub wake_at: Option<Millis>,
}

/// The unit of work, as every transition rewrites it. Body, result and attributes lie apart:
/// [`TaskDetail`].
///
/// Its serde form is the JSON of answers and no row format: the engine's marks `waiting` and `collectable` are not in
/// it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its title.
    pub title: Title,
    /// Where it stands.
    pub status: Status,
    /// What kind of worker takes it next.
    pub phase: Phase,
    /// Higher first.
    pub priority: i32,
    /// Who is to take it next.
    pub assignee: Option<Assignee>,
    /// Who did the work that is under review.
    pub implementer: Option<Assignee>,
    /// Who reviewed last.
    pub reviewer: Option<Assignee>,
    /// Whose task it is, where several share a board.
    pub tenant: Option<Label>,
    /// Who created it.
    pub created_by: Option<Label>,
    /// The task during which it was created.
    pub created_from: Option<TaskId>,
    /// When it was created.
    pub created_at: Millis,
    /// When an event of it last changed the card.
    pub updated_at: Millis,
    /// The first claim ever; never cleared.
    pub started_at: Option<Millis>,
    /// When it became done; present exactly while done, or archived from done.
    pub completed_at: Option<Millis>,
    /// Since when it is done or archived.
    pub settled_at: Option<Millis>,
    /// When a scheduled task lands by itself.
    pub wake_at: Option<Millis>,
    /// Not claimable before.
    pub not_before: Option<Millis>,
    /// Unique among tasks that are not archived.
    pub idempotency_key: Option<Label>,
    /// Moves with every event that changes the card.
    pub version: Version,
    /// How many direct parents are neither done nor archived.
    pub open_parents: u32,
    /// Counted failures in a row.
    pub failures: u32,
    /// Uncounted ends (rate limits, infrastructure) in a row.
    pub deferrals: u32,
    /// The first 500 bytes of the last failure's error.
    pub last_error: Option<Note>,
    /// The task's own limit, before the policy's.
    pub failure_limit: Option<FailureLimit>,
    /// How long a run may take, in milliseconds; `max_runtime_ms` in JSON and exports, where requests take a `Duration`.
    #[serde(rename = "max_runtime_ms")]
    pub max_runtime: Option<u64>,
    /// Present exactly while blocked.
    pub block: Option<Block>,
    /// Worker blocks of one kind in a row.
    pub block_streak: Option<BlockStreak>,
    /// Requests for changes so far.
    pub review_rounds: u32,
    /// Present exactly while running.
    pub claim: Option<Claim>,
    /// What `restore` goes back to; present exactly while archived.
    pub archived_from: Option<ArchivedFrom>,
    /// When it was decomposed; at most once.
    pub decomposed_at: Option<Millis>,
    /// Engine's question [`waiting`](crate::View::waiting): claimable by status, held back by
    /// `not_before`. Moved by the executor, without event or version.
    #[serde(skip)]
    pub waiting: bool,
    /// Settled, with events that `gc` may still remove.
    #[serde(skip)]
    pub collectable: bool,
}

impl Task {
    /// Whether it could be claimed, were it not held back by `not_before`: what the mark [`waiting`](Self::waiting)
    /// must say.
    pub(crate) fn must_wait(&self) -> bool {
        self.status.is_claimable() && self.not_before.is_some()
    }

    /// Ends the back-off of a claimable task if it is reached, and sets the mark.
    ///
    /// It is cleared, not compared with the clock each time: whoever looked again after the clock was set back would
    /// find a task in the lanes that may not start.
    pub(crate) fn ripen(&mut self, now: Millis) {
        if self.status.is_claimable() {
            self.not_before = self.not_before.filter(|at| *at > now);
        }
        self.waiting = self.must_wait();
    }
}

worded! {
    /// The long texts of a task, each kept apart from its row.
    TextKind {
        /// What is to be done.
        Body = "body",
        /// What came out.
        Result = "result",
        /// The caller's JSON object, as text.
        Attributes = "attributes",
    }
}

/// A task with its long texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskDetail {
    /// The row.
    #[serde(flatten)]
    pub task: Task,
    /// What is to be done.
    pub body: Option<LongText>,
    /// What came out.
    pub result: Option<LongText>,
    /// The caller's JSON object, which the store never reads.
    pub attributes: Option<JsonObject>,
}

/// A dependency: the child waits for the parent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Link {
    /// Must be done or archived first.
    pub parent: TaskId,
    /// Waits.
    pub child: TaskId,
}
