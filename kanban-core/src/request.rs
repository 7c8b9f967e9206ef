//! What a caller asks of a board: one type per operation, valid by construction where one field decides,
//! and what comes back.
//!
//! Each has public fields and a `new` for what cannot be left out:
//! `Complete { summary: Some(text), ..Complete::new(task, authority) }`.

mod answer;
mod ask;
mod claim;
mod create;
mod end;
mod hold;
mod import;
mod keep;
mod life;
mod moving;
mod subscribe;
mod talk;

pub use self::answer::{Effect, More, Read, Written};
pub use self::ask::{
    EventFilter, EventPage, Events, Graph, GraphOf, Kin, List, ListCursor, ListOrder, OfTask, Page,
    Stats, StatsRow, SubscriptionsAfter,
};
pub use self::claim::{
    Caps, ClaimFilter, ClaimNext, ClaimTask, Claimed, Heartbeat, NextClaim, SetWorker, Who,
};
pub use self::create::{
    AssignTask, CreateMany, LinkTasks, NewItem, NewTask, ParentRef, Start, UnlinkTasks, UpdateTask,
};
pub use self::end::{
    Authority, Complete, Ended, Fail, FailKind, ReclaimExpired, Reclaimed, Release, WakeDue,
};
pub use self::hold::{
    BlockTask, OnOpenParents, PauseClaims, PromoteMode, PromoteTask, ResumeClaims, ScheduleTask,
    UnblockTask, Woken,
};
pub use self::import::{
    ForeignAttachment, ForeignComment, ForeignEvent, ForeignNumbers, ForeignRun,
    ForeignSubscription, ForeignTask, ImportForeign, Imported, Repair,
};
pub use self::keep::{CollectEvents, Covered, PurgeSettled, Removed, SetPolicy, Violation};
pub use self::life::{
    ArchiveTask, DecomposeTask, Decomposed, DeleteTask, ReopenTask, Reopened, RequestChanges,
    RequestReview, RestoreTask, SpecifyTask, StoppedRun, Subtask,
};
pub use self::moving::{ImportBackup, ImportLines, ImportSource, KeepClaims, Moved};
pub use self::subscribe::{AckLease, EventLease, LeaseEvents, NackLease, SubscribeTo, Unsubscribe};
pub use self::talk::{AttachFile, CommentOn, DetachFile};
