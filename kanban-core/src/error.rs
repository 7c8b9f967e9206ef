//! One error, with a kind that says what to do next.

use std::error::Error as StdError;
use std::fmt;

use serde::Serialize;

use crate::model::{
    Assignee, BoardSlug, Label, Millis, Outcome, PauseTarget, RunId, Seq, Status, TaskId, Version,
};

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call was not done. [`kind`](Self::kind) says what to do about it.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    context: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    seq: Option<Seq>,
}

/// What kind of error it is, and so what the caller does next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A rule said no. Do not retry unchanged.
    Rejected(Rejection),
    /// An argument is out of bounds. Mend the call.
    Invalid(Invalid),
    /// What the call is about does not exist.
    NotFound(Subject),
    /// The queue is full. Back off and repeat.
    Overloaded,
    /// Another process held the engine's lock past the deadline, or a read its snapshot for too long. Repeat later.
    Busy,
    /// Whether the commit took effect is not known. Repeat the call (repeats are safe) or look.
    Unknown,
    /// The store cannot be used; nothing was written.
    Unavailable(Unavailable),
    /// The engine's file failed its checks; nothing was overwritten.
    Corrupt,
    /// A rule panicked; nothing was applied. Report it.
    Internal,
    /// The store is closed.
    Closed,
}

/// What was not found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Subject {
    /// No such board.
    Board(BoardSlug),
    /// No such task.
    Task(TaskId),
    /// No such run on the task.
    Run(RunId),
    /// No such attachment.
    Attachment(u64),
    /// No such subscription.
    Subscription(u64),
    /// No lease with this id is or was last open.
    Lease(u64),
}

/// Why the store cannot be used. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unavailable {
    /// The file was written by a newer program.
    NewerSchema,
    /// The root belongs to another engine.
    OtherEngine,
    /// The root has another mode than was asked for.
    OtherMode,
    /// Somebody else has it, and the engine's mode excludes sharing.
    InUse,
    /// No permission to write.
    ReadOnly,
    /// The disk is full.
    NoSpace,
    /// The file system cannot do what the engine needs.
    Filesystem,
    /// The engine's library is too old to be safe.
    Library,
    /// The files were moved or replaced while open.
    Replaced,
    /// Any other I/O error.
    Io,
}

/// Why a claim was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotClaimable {
    /// Its status is neither `ready` nor `review`.
    Status(Status),
    /// Its back-off ends then.
    NotBefore(Millis),
    /// A pause covers it.
    Paused(PauseTarget),
}

/// A rule's refusal, with its typed reason. A value inside the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rejection {
    /// Ids in the arguments name no task.
    #[error("no such tasks: {}", list(ids))]
    UnknownTasks {
        /// The ids.
        ids: Vec<TaskId>,
    },
    /// The operation does not start from this status.
    #[error("the status is {status}, allowed are: {}", list(allowed))]
    WrongStatus {
        /// Where the task stands.
        status: Status,
        /// From where the operation starts.
        allowed: Vec<Status>,
    },
    /// Somebody else changed the card first.
    #[error("the version is {current} by now")]
    VersionMismatch {
        /// The card's version now.
        current: Version,
    },
    /// The run is not the task's open one. The caller stops working on it.
    #[error("the run is not open: {}", how(*ended_as, by.as_ref()))]
    StaleRun {
        /// How the caller's own run ended.
        ended_as: Outcome,
        /// When it ended.
        ended_at: Millis,
        /// Who ended it, where that was not its worker.
        by: Option<Label>,
    },
    /// The task cannot be claimed now.
    #[error("not claimable: {0}")]
    NotClaimable(NotClaimable),
    /// The link would close a circle.
    #[error("the link would close a circle: {}", list(path))]
    WouldCycle {
        /// From the child down to the parent, along existing links.
        path: Vec<TaskId>,
    },
    /// New tasks would wait for each other; indexes into the call's items.
    #[error("items wait for each other: {}", list(path))]
    CycleAmongItems {
        /// One circle, first index repeated at its end.
        path: Vec<usize>,
    },
    /// The search for a circle would look at more links than is allowed.
    #[error("the graph is too large to search for a circle")]
    GraphTooLarge,
    /// A completion named tasks that its task did not create.
    #[error("not created by this task: {}", list(ids))]
    PhantomTasks {
        /// The ids.
        ids: Vec<TaskId>,
    },
    /// Parents are unsatisfied.
    #[error("unfinished parents: {}", list(ids))]
    UnsatisfiedParents {
        /// The parents.
        ids: Vec<TaskId>,
    },
    /// A task that is not archived has the idempotency key, or an open claim of another task or claimant the
    /// request id.
    #[error("the key belongs to {task}")]
    KeyTaken {
        /// That task.
        task: TaskId,
    },
    /// It was decomposed before.
    #[error("decomposed already")]
    AlreadyDecomposed,
    /// A newer lease was given out, or this one was given back.
    #[error("the lease is not the open one")]
    StaleLease,
    /// The board has tasks already.
    #[error("the board is not empty")]
    BoardNotEmpty,
    /// The slug is in the archive.
    #[error("the board {0} is archived")]
    BoardArchived(BoardSlug),
    /// The slug is not in the archive.
    #[error("the board {0} is not archived")]
    BoardNotArchived(BoardSlug),
    /// A board of this slug exists.
    #[error("the board {0} exists already")]
    BoardExists(BoardSlug),
    /// `default` can be neither archived nor deleted.
    #[error("the default board always exists")]
    DefaultBoard,
}

impl Rejection {
    /// Its name in answers, in snake case.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownTasks { .. } => "unknown_tasks",
            Self::WrongStatus { .. } => "wrong_status",
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::StaleRun { .. } => "stale_run",
            Self::NotClaimable(_) => "not_claimable",
            Self::WouldCycle { .. } => "would_cycle",
            Self::CycleAmongItems { .. } => "cycle_among_items",
            Self::GraphTooLarge => "graph_too_large",
            Self::PhantomTasks { .. } => "phantom_tasks",
            Self::UnsatisfiedParents { .. } => "unsatisfied_parents",
            Self::KeyTaken { .. } => "key_taken",
            Self::AlreadyDecomposed => "already_decomposed",
            Self::StaleLease => "stale_lease",
            Self::BoardNotEmpty => "board_not_empty",
            Self::BoardArchived(_) => "board_archived",
            Self::BoardNotArchived(_) => "board_not_archived",
            Self::BoardExists(_) => "board_exists",
            Self::DefaultBoard => "default_board",
        }
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn how(ended_as: Outcome, by: Option<&Label>) -> String {
    match by {
        Some(by) => format!("it ended as {ended_as}, by {by}"),
        None => format!("it ended as {ended_as}"),
    }
}

impl fmt::Display for NotClaimable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the status is {status}"),
            Self::NotBefore(at) => write!(f, "not before {at}"),
            Self::Paused(target) => write!(f, "{target} is paused"),
        }
    }
}

impl fmt::Display for PauseTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Board => f.write_str("the board"),
            Self::Assignee(name) => write!(f, "assignee {}", Assignee::as_str(name)),
        }
    }
}

/// An argument out of its bounds: the field, and where there is one the limit and the size found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field} must be {must}{}", found.map_or(String::new(), |n| format!(", found {n}")))]
pub struct Invalid {
    /// The argument.
    pub field: &'static str,
    /// What it must be.
    pub must: String,
    /// The bound that it is over or under.
    pub limit: Option<u64>,
    /// The size or value found.
    pub found: Option<u64>,
}

impl Invalid {
    pub(crate) fn too_long(field: &'static str, limit: usize, found: usize) -> Self {
        Self::bound(
            field,
            format!("at most {limit} bytes"),
            limit as u64,
            found as u64,
        )
    }

    pub(crate) fn too_many(field: &'static str, limit: usize, found: usize) -> Self {
        Self::bound(
            field,
            format!("at most {limit} items"),
            limit as u64,
            found as u64,
        )
    }

    pub(crate) fn too_deep(field: &'static str, limit: usize, found: usize) -> Self {
        Self::bound(
            field,
            format!("at most {limit} levels deep"),
            limit as u64,
            found as u64,
        )
    }

    pub(crate) fn below(field: &'static str, limit: u64, found: u64) -> Self {
        Self::bound(field, format!("at least {limit}"), limit, found)
    }

    pub(crate) fn above(field: &'static str, limit: u64, found: u64) -> Self {
        Self::bound(field, format!("at most {limit}"), limit, found)
    }

    fn bound(field: &'static str, must: String, limit: u64, found: u64) -> Self {
        Self {
            field,
            must,
            limit: Some(limit),
            found: Some(found),
        }
    }

    pub(crate) fn malformed(field: &'static str, must: &str) -> Self {
        Self {
            field,
            must: must.to_owned(),
            limit: None,
            found: None,
        }
    }

    pub(crate) fn malformed_by(field: &'static str, must: &str, error: &dyn StdError) -> Self {
        Self {
            field,
            must: format!("{must} ({error})"),
            limit: None,
            found: None,
        }
    }
}

impl Error {
    /// An error of a kind, with what was being done.
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            context: context.into(),
            source: None,
            seq: None,
        }))
    }

    /// The store cannot be used.
    pub fn unavailable(why: Unavailable, context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable(why), context)
    }

    /// An error of the operating system, as what it means for the caller.
    pub(crate) fn io(doing: impl Into<String>, error: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let why = match error.kind() {
            Io::PermissionDenied | Io::ReadOnlyFilesystem => Unavailable::ReadOnly,
            Io::StorageFull | Io::QuotaExceeded => Unavailable::NoSpace,
            _ => Unavailable::Io,
        };
        Self::unavailable(why, doing).with_source(error)
    }

    /// A file that was to be restored is no finished backup: what [`accept_backup`](crate::Backend::accept_backup) says.
    #[must_use]
    pub fn no_finished_backup() -> Self {
        Self::corrupt(
            "no finished backup: make one with `kanban backup`, the file of a board may lack writes",
        )
    }

    /// The file failed its checks.
    pub fn corrupt(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, context)
    }

    /// The id that the call is about names nothing.
    #[must_use]
    pub fn not_found(subject: Subject) -> Self {
        Self::new(ErrorKind::NotFound(subject), String::new())
    }

    /// Keeps the error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_seq(mut self, seq: Seq) -> Self {
        self.0.seq = Some(seq);
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The rule's reason, if a rule refused.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        match &self.0.kind {
            ErrorKind::Rejected(rejection) => Some(rejection),
            _ => None,
        }
    }

    /// For a write that a rule refused: the `seq` of the last command before it that wrote.
    #[must_use]
    pub fn seq(&self) -> Option<Seq> {
        self.0.seq
    }

    /// The same error once more, for every member of a group that failed together.
    pub(crate) fn again(&self) -> Self {
        let context = match &self.0.source {
            Some(source) => format!("{}: {source}", self.0.context),
            None => self.0.context.clone(),
        };
        Self(Box::new(Inner {
            kind: self.0.kind.clone(),
            context,
            source: None,
            seq: self.0.seq,
        }))
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::new(ErrorKind::Invalid(invalid), String::new())
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::new(ErrorKind::Rejected(rejection), String::new())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.context.as_str() {
            "" => self.0.kind.fmt(f),
            context => write!(f, "{}: {context}", self.0.kind),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejection) => rejection.fmt(f),
            Self::Invalid(invalid) => invalid.fmt(f),
            Self::NotFound(subject) => write!(f, "no such {subject}"),
            Self::Overloaded => f.write_str("the queue is full"),
            Self::Busy => f.write_str("the board is busy"),
            Self::Unknown => f.write_str("the outcome of the commit is not known"),
            Self::Unavailable(why) => write!(f, "unavailable, {why}"),
            Self::Corrupt => f.write_str("the file is damaged"),
            Self::Internal => f.write_str("internal error"),
            Self::Closed => f.write_str("the store is closed"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Board(slug) => write!(f, "board: {slug}"),
            Self::Task(id) => write!(f, "task: {id}"),
            Self::Run(id) => write!(f, "run: {id}"),
            Self::Attachment(id) => write!(f, "attachment: {id}"),
            Self::Subscription(id) => write!(f, "subscription: {id}"),
            Self::Lease(id) => write!(f, "lease: {id}"),
        }
    }
}

impl Unavailable {
    /// Its name in answers, in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewerSchema => "newer_schema",
            Self::OtherEngine => "other_engine",
            Self::OtherMode => "other_mode",
            Self::InUse => "in_use",
            Self::ReadOnly => "read_only",
            Self::NoSpace => "no_space",
            Self::Filesystem => "filesystem",
            Self::Library => "library",
            Self::Replaced => "replaced",
            Self::Io => "io",
        }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
