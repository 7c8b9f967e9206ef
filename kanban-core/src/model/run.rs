//! One attempt at a task.

use serde::{Deserialize, Serialize};

use super::task::worded;
use super::{Assignee, JsonObject, Label, Millis, Note, Phase, RunId, TaskId};

worded! {
    /// How a run ended.
    Outcome {
        /// The task is done.
        Completed = "completed",
        /// The worker could not be started. Counted.
        SpawnFailed = "spawn_failed",
        /// The worker died. Counted.
        Crashed = "crashed",
        /// The run passed its `max_runtime`. Counted.
        TimedOut = "timed_out",
        /// The worker gave up with an error. Counted.
        WorkerError = "worker_error",
        /// No heartbeat came in time. Counted.
        LeaseExpired = "lease_expired",
        /// A rate limit held the worker back. Not counted.
        RateLimited = "rate_limited",
        /// The surroundings failed. Not counted.
        Infrastructure = "infrastructure",
        /// The claim was given back.
        Released = "released",
        /// The worker blocked the task.
        Blocked = "blocked",
        /// The task was put off.
        Scheduled = "scheduled",
        /// The work was handed in for review.
        ReviewRequested = "review_requested",
        /// The reviewer wants changes.
        ChangesRequested = "changes_requested",
        /// An ancestor was reopened, or the board was imported.
        Invalidated = "invalidated",
        /// The task was archived.
        Archived = "archived",
    }
}

/// The operating system's process that works on a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkerProcess {
    /// Its machine.
    pub host: Label,
    /// Its process id there.
    pub pid: u32,
    /// What tells it from a later process of the same id, such as its start time.
    pub started: Option<Label>,
}

/// One attempt: opened by a claim, closed by exactly one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Run {
    /// The fencing token.
    pub id: RunId,
    /// Its task.
    pub task: TaskId,
    /// In which phase it was claimed.
    pub phase: Phase,
    /// The assignee at the claim.
    pub assignee: Option<Assignee>,
    /// Who claimed; none for a run of zero length that only keeps what an operator handed over.
    pub claimant: Option<Label>,
    /// The claim's key.
    pub request_id: Option<Label>,
    /// The process that worked on it, if told.
    pub worker: Option<WorkerProcess>,
    /// When it was claimed.
    pub started_at: Millis,
    /// When it ended; present exactly with an outcome.
    pub ended_at: Option<Millis>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Who ended it, where that was not its worker: an operator's name, or `board`.
    pub ended_by: Option<Label>,
    /// The worker's words.
    pub summary: Option<Note>,
    /// The error, for failures.
    pub error: Option<Note>,
    /// The worker's JSON.
    pub metadata: Option<JsonObject>,
}

impl Run {
    /// Open: no outcome yet.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.outcome.is_none()
    }
}
