//! Ends of runs, by workers, operators and the clock.

use serde::{Deserialize, Serialize};

use crate::model::{
    JsonObject, Label, LongText, Note, Outcome, Reason, RetryAfter, Run, RunId, Task, TaskId,
};

use super::More;

/// By what right a call ends or extends a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// The worker of this run, which must be the task's open one.
    Worker {
        /// The fencing token.
        run: RunId,
    },
    /// A deliberate override, which the event names.
    Operator {
        /// Who.
        actor: Label,
        /// Why.
        reason: Option<Reason>,
        /// Refused unless this is the open run.
        run: Option<RunId>,
    },
}

impl Authority {
    /// The worker of a run.
    #[must_use]
    pub const fn worker(run: RunId) -> Self {
        Self::Worker { run }
    }

    /// An operator, with no reason and for whatever run is open.
    #[must_use]
    pub const fn operator(actor: Label) -> Self {
        Self::Operator {
            actor,
            reason: None,
            run: None,
        }
    }
}

/// A run that ended, if there was one, and the task after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ended {
    /// The task.
    pub task: Task,
    /// The run that was closed by this call, or by the call that this one repeats.
    pub run: Option<Run>,
}

/// Finishes a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    /// Which.
    pub task: TaskId,
    /// By what right.
    pub authority: Authority,
    /// What came out; kept with the task.
    pub result: Option<LongText>,
    /// In short; kept with the run.
    pub summary: Option<Note>,
    /// The worker's JSON; kept with the run.
    pub metadata: Option<JsonObject>,
    /// Tasks that the worker says it created; at most 1,000. Each is checked.
    pub created_tasks: Vec<TaskId>,
}

impl Complete {
    /// With nothing handed over.
    #[must_use]
    pub const fn new(task: TaskId, authority: Authority) -> Self {
        Self {
            task,
            authority,
            result: None,
            summary: None,
            metadata: None,
            created_tasks: Vec::new(),
        }
    }
}

/// How a run failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailKind {
    /// The worker could not be started. Counted.
    SpawnFailed,
    /// The worker died. Counted.
    Crashed,
    /// The run took too long. Counted.
    TimedOut,
    /// The worker gave up with an error. Counted.
    WorkerError,
    /// No heartbeat came in time. Counted.
    LeaseExpired,
    /// A rate limit. Not counted.
    RateLimited,
    /// The surroundings failed. Not counted.
    Infrastructure,
}

impl FailKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::SpawnFailed,
        Self::Crashed,
        Self::TimedOut,
        Self::WorkerError,
        Self::LeaseExpired,
        Self::RateLimited,
        Self::Infrastructure,
    ];

    /// The outcome that the run gets.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::SpawnFailed => Outcome::SpawnFailed,
            Self::Crashed => Outcome::Crashed,
            Self::TimedOut => Outcome::TimedOut,
            Self::WorkerError => Outcome::WorkerError,
            Self::LeaseExpired => Outcome::LeaseExpired,
            Self::RateLimited => Outcome::RateLimited,
            Self::Infrastructure => Outcome::Infrastructure,
        }
    }

    /// Whether it counts towards the breaker.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        !matches!(self, Self::RateLimited | Self::Infrastructure)
    }
}

/// Ends a run as failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fail {
    /// Which task.
    pub task: TaskId,
    /// By what right.
    pub authority: Authority,
    /// How.
    pub kind: FailKind,
    /// The error's text.
    pub error: Option<Note>,
    /// Not again before this long from now; else the policy's back-off.
    pub retry_after: Option<RetryAfter>,
}

impl Fail {
    /// A failure without a text, after which the policy's back-off holds.
    #[must_use]
    pub const fn new(task: TaskId, authority: Authority, kind: FailKind) -> Self {
        Self {
            task,
            authority,
            kind,
            error: None,
            retry_after: None,
        }
    }
}

/// Gives a claim back, not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Which task.
    pub task: TaskId,
    /// By what right.
    pub authority: Authority,
    /// Not again before this long from now.
    pub retry_after: Option<RetryAfter>,
}

impl Release {
    /// A release after which the task can be claimed at once.
    #[must_use]
    pub const fn new(task: TaskId, authority: Authority) -> Self {
        Self {
            task,
            authority,
            retry_after: None,
        }
    }
}

/// Takes back the claims that are past their end, the longest past first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReclaimExpired {
    /// At most this many; 1 to 1,000.
    pub limit: usize,
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reclaimed {
    /// The runs that were closed, each with its task after it.
    pub ended: Vec<Ended>,
    /// Whether more is past its end.
    pub more: More,
}

/// Lands the scheduled tasks whose time has come. Answers them and whether there are more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WakeDue {
    /// At most this many; 1 to 1,000.
    pub limit: usize,
}
