//! The board contract, its rules and the executor that carries them out on any engine.
//!
//! Callers hold an [`Arc<dyn BoardStore>`](BoardStore), opened through [`Boards`]. Engine authors implement
//! [`Backend`], [`Engine`], [`Txn`] and [`View`]. Rules are private: what they do is in `docs/semantics.md`.

mod boards;
mod change;
mod clock;
mod engine;
mod error;
mod executor;
#[cfg(test)]
mod memory;
mod model;
mod moving;
mod options;
mod progress;
mod request;
mod rules;
mod store;
mod sync;
mod verify;
mod view;
mod watch;

pub use self::boards::{BoardEntry, BoardPlace, Boards, Migrated, OnMigration, RootMark};
pub use self::change::Change;
pub use self::clock::{Clock, IdSource, RandomIds, SystemClock};
pub use self::engine::{Backend, Copied, Engine, OpenBoard, Txn, Upkeep, Verdict, WriteEnd};
pub use self::error::{
    Error, ErrorKind, Invalid, NotClaimable, Rejection, Result, Subject, Unavailable,
};
pub use self::model::{
    Address, ArchivedFrom, Assignee, Attachment, AttachmentId, Block, BlockKind, BlockStreak,
    BoardSlug, BoardState, Claim, Comment, CommentId, Counters, Event, EventId, EventKind,
    FailureLimit, GroupRecord, JsonObject, Label, Lease, LeaseId, Link, LongText, Millis, Note,
    Outcome, Pause, PauseTarget, Phase, Policy, Reason, RetryAfter, Run, RunId, Scope, Seq, Status,
    Subscription, SubscriptionId, SubscriptionMode, Task, TaskDetail, TaskId, TextKind, Title, Ttl,
    Version, WorkerBlockKind, WorkerProcess,
};
pub use self::options::{Admission, Durability, Options, RootMode};
pub use self::progress::{OnProgress, Progress, Stage};
pub use self::request::{
    AckLease, ArchiveTask, AssignTask, AttachFile, Authority, BlockTask, Caps, ClaimFilter,
    ClaimNext, ClaimTask, Claimed, CollectEvents, CommentOn, Complete, Covered, CreateMany,
    DecomposeTask, Decomposed, DeleteTask, DetachFile, Effect, Ended, EventFilter, EventLease,
    EventPage, Events, Fail, FailKind, ForeignAttachment, ForeignComment, ForeignEvent,
    ForeignNumbers, ForeignRun, ForeignSubscription, ForeignTask, Graph, GraphOf, Heartbeat,
    ImportBackup, ImportForeign, ImportLines, ImportSource, Imported, KeepClaims, Kin, LeaseEvents,
    LinkTasks, List, ListCursor, ListOrder, More, Moved, NackLease, NewItem, NewTask, NextClaim,
    OfTask, OnOpenParents, Page, ParentRef, PauseClaims, PromoteMode, PromoteTask, PurgeSettled,
    Read, ReclaimExpired, Reclaimed, Release, Removed, ReopenTask, Reopened, Repair,
    RequestChanges, RequestReview, RestoreTask, ResumeClaims, ScheduleTask, SetPolicy, SetWorker,
    SpecifyTask, Start, Stats, StatsRow, StoppedRun, SubscribeTo, SubscriptionsAfter, Subtask,
    UnblockTask, UnlinkTasks, Unsubscribe, UpdateTask, Violation, WakeDue, Who, Woken, Written,
};
pub use self::store::BoardStore;
pub use self::view::{Lane, LaneHead, ListIndex, ListKey, PriorityKey, View};
pub use self::watch::{Watch, WatchItem};
