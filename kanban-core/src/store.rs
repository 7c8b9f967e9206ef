//! The contract of a board, whatever engine is underneath.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::{
    Attachment, AttachmentId, Claim, Comment, CommentId, EventId, Note, Pause, Policy, Run, RunId,
    Seq, Subscription, Task, TaskDetail, TaskId, Title,
};
use crate::options::Admission;
use crate::request::{
    AckLease, ArchiveTask, AssignTask, AttachFile, BlockTask, ClaimNext, ClaimTask, Claimed,
    CollectEvents, CommentOn, Complete, CreateMany, DecomposeTask, Decomposed, DeleteTask,
    DetachFile, Ended, EventFilter, EventLease, EventPage, Events, Fail, Graph, GraphOf, Heartbeat,
    ImportForeign, ImportLines, Imported, Kin, LeaseEvents, LinkTasks, List, Moved, NackLease,
    NewTask, NextClaim, OfTask, Page, PauseClaims, PromoteTask, PurgeSettled, Read, ReclaimExpired,
    Reclaimed, Release, Removed, ReopenTask, Reopened, RequestChanges, RequestReview, RestoreTask,
    ResumeClaims, ScheduleTask, SetPolicy, SetWorker, SpecifyTask, Stats, SubscribeTo,
    SubscriptionsAfter, UnblockTask, UnlinkTasks, Unsubscribe, UpdateTask, Violation, WakeDue,
    Woken, Written,
};
use crate::watch::Watch;

/// One board. Every rule of it is in `docs/semantics.md`, whatever engine is underneath.
///
/// # Contract
/// - Each write is one atomic transaction: all of it with its events, or nothing.
/// - A write is answered after its commit, and then survives what the store's
///   [`Durability`](crate::Durability) promises.
/// - A read that starts after a write was answered sees it. One answer comes from one snapshot.
/// - A refusal writes nothing (but for `PhantomTasks`, which writes one event).
/// - Every answer carries `seq`.
///
/// # Errors
/// Every method: [`Rejected`](crate::ErrorKind::Rejected) and [`Invalid`](crate::ErrorKind::Invalid) (mend the
/// call), [`NotFound`](crate::ErrorKind::NotFound), [`Overloaded`](crate::ErrorKind::Overloaded) and
/// [`Busy`](crate::ErrorKind::Busy) (repeat later), [`Unknown`](crate::ErrorKind::Unknown) (repeat the call, or look),
/// [`Unavailable`](crate::ErrorKind::Unavailable), [`Corrupt`](crate::ErrorKind::Corrupt),
/// [`Internal`](crate::ErrorKind::Internal), [`Closed`](crate::ErrorKind::Closed).
///
/// # Cancellation
/// A write whose future is dropped is carried out all the same once it was polled: it is in the queue by then. A read
/// whose future is dropped may be carried out for nobody.
#[async_trait]
pub trait BoardStore: fmt::Debug + Send + Sync {
    /// Makes a task. Answers it; with a known idempotency key, the task that has it.
    async fn create(&self, new: NewTask) -> Result<Written<Task>>;
    /// Makes a graph of tasks. Answers their ids in the order given.
    async fn create_many(&self, many: CreateMany) -> Result<Written<Vec<TaskId>>>;
    /// Edits the card.
    async fn update(&self, update: UpdateTask) -> Result<Written<Task>>;
    /// Names who is to take the task next, or nobody.
    async fn assign(&self, assign: AssignTask) -> Result<Written<Task>>;
    /// Makes a task wait for another. Answers the child.
    async fn link(&self, link: LinkTasks) -> Result<Written<Task>>;
    /// Ends the waiting of a task for another. Answers the child; no such link is no change.
    async fn unlink(&self, unlink: UnlinkTasks) -> Result<Written<Task>>;

    /// Claims one task.
    async fn claim(&self, claim: ClaimTask) -> Result<Written<Claimed>>;
    /// Claims the best claimable task. Costs O(k log n), k = assignees looked at.
    async fn claim_next(&self, claim: ClaimNext) -> Result<Written<NextClaim>>;
    /// Shows that a worker lives. Answers the claim as it holds now.
    async fn heartbeat(&self, heartbeat: Heartbeat) -> Result<Written<Claim>>;
    /// Tells which process works on a run.
    async fn set_worker(&self, worker: SetWorker) -> Result<Written<Claim>>;
    /// Takes back the claims that are past their end.
    async fn reclaim_expired(&self, reclaim: ReclaimExpired) -> Result<Written<Reclaimed>>;
    /// Lands the scheduled tasks whose time has come.
    async fn wake_due(&self, wake: WakeDue) -> Result<Written<Woken>>;

    /// Finishes a task.
    async fn complete(&self, complete: Complete) -> Result<Written<Ended>>;
    /// Ends a run as failed.
    async fn fail(&self, fail: Fail) -> Result<Written<Ended>>;
    /// Gives a claim back.
    async fn release(&self, release: Release) -> Result<Written<Ended>>;

    /// Refuses claims from now on: after the answer nothing covered starts.
    async fn pause(&self, pause: PauseClaims) -> Result<Written<Pause>>;
    /// Ends a pause. Answers it as it was; none if there was none, which is no change.
    async fn resume(&self, resume: ResumeClaims) -> Result<Written<Option<Pause>>>;
    /// Says that a task cannot go on.
    async fn block(&self, block: BlockTask) -> Result<Written<Ended>>;
    /// Lands a blocked or scheduled task.
    async fn unblock(&self, unblock: UnblockTask) -> Result<Written<Task>>;
    /// Lands a task now.
    async fn promote(&self, promote: PromoteTask) -> Result<Written<Task>>;
    /// Puts a task off.
    async fn schedule(&self, schedule: ScheduleTask) -> Result<Written<Ended>>;

    /// Hands the work in for review.
    async fn request_review(&self, request: RequestReview) -> Result<Written<Ended>>;
    /// Gives the work back to its implementer.
    async fn request_changes(&self, request: RequestChanges) -> Result<Written<Ended>>;
    /// Says that a done task is not done, and its descendants with it.
    async fn reopen(&self, reopen: ReopenTask) -> Result<Written<Reopened>>;
    /// Turns a raw idea into a task.
    async fn specify(&self, specify: SpecifyTask) -> Result<Written<Task>>;
    /// Divides a raw idea into subtasks.
    async fn decompose(&self, decompose: DecomposeTask) -> Result<Written<Decomposed>>;

    /// Puts a task out of sight.
    async fn archive(&self, archive: ArchiveTask) -> Result<Written<Ended>>;
    /// Brings a task back from the archive.
    async fn restore(&self, restore: RestoreTask) -> Result<Written<Task>>;
    /// Removes an archived task for good. Answers its title.
    async fn delete(&self, delete: DeleteTask) -> Result<Written<Title>>;

    /// Says something about a task.
    async fn comment(&self, comment: CommentOn) -> Result<Written<Comment>>;
    /// Attaches a pointer to a file.
    async fn attach(&self, attach: AttachFile) -> Result<Written<Attachment>>;
    /// Removes an attachment. Answers it.
    async fn detach(&self, detach: DetachFile) -> Result<Written<Attachment>>;

    /// Makes sure that somebody hears of events.
    async fn subscribe(&self, subscribe: SubscribeTo) -> Result<Written<Subscription>>;
    /// Ends a subscription. Answers it.
    async fn unsubscribe(&self, unsubscribe: Unsubscribe) -> Result<Written<Subscription>>;
    /// Hands out the events after a subscription's cursor, to one holder at a time.
    async fn lease_events(&self, lease: LeaseEvents) -> Result<Written<EventLease>>;
    /// Says that leased events were delivered. Answers the cursor.
    async fn ack(&self, ack: AckLease) -> Result<Written<EventId>>;
    /// Says that leased events were not delivered. Answers the cursor.
    async fn nack(&self, nack: NackLease) -> Result<Written<EventId>>;
    /// Removes subscriptions that nobody needs any more. Answers how many.
    async fn purge_settled(&self, purge: PurgeSettled) -> Result<Written<Removed>>;

    /// Sets the board's limits. Answers those before.
    async fn set_policy(&self, set: SetPolicy) -> Result<Written<Policy>>;
    /// Removes old events. Answers how many.
    async fn gc(&self, collect: CollectEvents) -> Result<Written<Removed>>;
    /// Takes over a board that another program wrote, into one without tasks.
    async fn import_foreign(&self, import: Box<ImportForeign>) -> Result<Written<Imported>>;

    /// Takes a whole board over as an export tells it, into a board on which nothing was ever written. All of it or
    /// nothing; the error of an export that is not whole and sound names the line.
    async fn import_lines(&self, import: ImportLines) -> Result<Written<Moved>>;

    /// One task with its texts.
    async fn task(&self, id: TaskId) -> Result<Read<TaskDetail>>;
    /// Tasks by their ids (at most 1,000), in the order asked; unknown ids are left out.
    async fn tasks(&self, ids: Vec<TaskId>) -> Result<Read<Vec<Task>>>;
    /// Ids that begin with a text, in order; at most `limit` (1 to 1,000).
    async fn ids_by_prefix(&self, prefix: String, limit: usize) -> Result<Read<Vec<TaskId>>>;
    /// A page of tasks.
    async fn list(&self, list: List) -> Result<Read<Page<Task>>>;
    /// The direct parents of a task.
    async fn parents(&self, kin: Kin) -> Result<Read<Vec<Task>>>;
    /// The direct children of a task.
    async fn children(&self, kin: Kin) -> Result<Read<Vec<Task>>>;
    /// A task's surroundings.
    async fn graph(&self, graph: GraphOf) -> Result<Read<Graph>>;
    /// The runs of a task.
    async fn runs(&self, of: OfTask<RunId>) -> Result<Read<Vec<Run>>>;
    /// The comments on a task.
    async fn comments(&self, of: OfTask<CommentId>) -> Result<Read<Vec<Comment>>>;
    /// The attachments of a task.
    async fn attachments(&self, of: OfTask<AttachmentId>) -> Result<Read<Vec<Attachment>>>;
    /// The summary of the newest run that has one, of each of these tasks (at most 1,000).
    async fn latest_summaries(&self, ids: Vec<TaskId>) -> Result<Read<Vec<(TaskId, Note)>>>;
    /// The pauses.
    async fn pauses(&self) -> Result<Read<Vec<Pause>>>;
    /// The board's limits.
    async fn policy(&self) -> Result<Read<Policy>>;
    /// The board in numbers. Costs O(statuses × assignees).
    async fn stats(&self) -> Result<Read<Stats>>;
    /// Events, in id order.
    async fn events(&self, events: Events) -> Result<Read<EventPage>>;
    /// Subscriptions, of one task or all.
    async fn subscriptions(&self, after: SubscriptionsAfter) -> Result<Read<Vec<Subscription>>>;
    /// Subscriptions that have news nobody leases, by id; at most `limit` (1 to 1,000).
    async fn pending(&self, limit: usize) -> Result<Read<Vec<Subscription>>>;

    /// Events from a place on, and then for ever.
    fn watch(&self, after: EventId, filter: EventFilter) -> Watch;
    /// Returns once the board's `seq` is at least this one, in this process or another.
    async fn reached(&self, seq: Seq) -> Result<Seq>;

    /// The engine's own integrity check, then every invariant of `docs/semantics.md` section 17. Answers the first 100
    /// violations; none is good.
    async fn verify(&self) -> Result<Read<Vec<Violation>>>;
    /// Writes the whole board as lines of JSON, from one snapshot, while others write. The same board has the same bytes
    /// on every engine. What was written before an error is of no use: it has no footer.
    async fn export(&self, to: Box<dyn std::io::Write + Send>) -> Result<Read<Moved>>;
    /// Copies the board into a new file of the engine's own kind, from one snapshot, while others write. The file is
    /// for its owner only and durable on return; one that exists is never touched. It is taken over by
    /// [`Boards::import_backup`](crate::Boards::import_backup).
    async fn backup(&self, to: PathBuf) -> Result<()>;
    /// The same board, with another answer to a full queue.
    fn with_admission(&self, admission: Admission) -> Arc<dyn BoardStore>;
    /// Takes no more calls, carries out and answers those it has, and gives up files and threads. A second call
    /// waits for the same end.
    async fn close(&self) -> Result<()>;
}
