//! What a board holds. Values are valid by construction: a constructor refuses with [`Invalid`],
//! so a rule never meets an over-long title or a malformed id.

mod board;
mod event;
mod id;
mod json;
mod policy;
mod run;
mod subscription;
mod task;
mod text;
mod time;

pub use self::board::{BoardState, Counters, GroupRecord, Pause, PauseTarget};
pub use self::event::{Attachment, Comment, Event, EventKind};
pub use self::id::{
    Assignee, AttachmentId, BoardSlug, CommentId, EventId, LeaseId, RunId, Seq, SubscriptionId,
    TaskId, Version,
};
pub use self::json::JsonObject;
pub use self::policy::Policy;
pub use self::run::{Outcome, Run, WorkerProcess};
pub use self::subscription::{Lease, Scope, Subscription, SubscriptionMode};
pub use self::task::{
    ArchivedFrom, Block, BlockKind, BlockStreak, Claim, Link, Phase, Status, Task, TaskDetail,
    TextKind, WorkerBlockKind,
};
pub use self::text::{Address, FailureLimit, Label, LongText, Note, Reason, Title};
pub(crate) use self::time::bounded;
pub use self::time::{Millis, RetryAfter, Ttl};
