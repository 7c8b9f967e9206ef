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
use crate::progress::OnProgress;
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

/// One board. Every rule of it is in `docs/semantics.md`, whatever engine is underneath: each method names its own by
/// number.
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
    /// Makes a task. Answers it; with a known idempotency key, the task that has it. Rules 5.2–5.6.
    async fn create(&self, new: NewTask) -> Result<Written<Task>>;
    /// Makes a graph of tasks. Answers their ids in the order given. Rules 5.7–5.8.
    async fn create_many(&self, many: CreateMany) -> Result<Written<Vec<TaskId>>>;
    /// Edits the card. Rules 5.9, 5.11–5.12.
    async fn update(&self, update: UpdateTask) -> Result<Written<Task>>;
    /// Names who is to take the task next, or nobody. Rules 5.10–5.12.
    async fn assign(&self, assign: AssignTask) -> Result<Written<Task>>;
    /// Makes a task wait for another. Answers the child. Rules 5.13–5.14.
    async fn link(&self, link: LinkTasks) -> Result<Written<Task>>;
    /// Ends the waiting of a task for another. Answers the child; no such link is no change. Rule 5.15.
    async fn unlink(&self, unlink: UnlinkTasks) -> Result<Written<Task>>;

    /// Claims one task. Rules 6.1–6.5, 4.10.
    async fn claim(&self, claim: ClaimTask) -> Result<Written<Claimed>>;
    /// Claims the best claimable task. Costs O(k log n), k = assignees looked at. Rules 6.6–6.11, 4.10.
    async fn claim_next(&self, claim: ClaimNext) -> Result<Written<NextClaim>>;
    /// Shows that a worker lives. Answers the claim as it holds now. Rules 6.12, 4.5–4.6.
    async fn heartbeat(&self, heartbeat: Heartbeat) -> Result<Written<Claim>>;
    /// Tells which process works on a run. Rules 6.13, 4.9.
    async fn set_worker(&self, worker: SetWorker) -> Result<Written<Claim>>;
    /// Takes back the claims that are past their end. Rules 6.14, 6.16.
    async fn reclaim_expired(&self, reclaim: ReclaimExpired) -> Result<Written<Reclaimed>>;
    /// Lands the scheduled tasks whose time has come. Rules 6.15–6.16.
    async fn wake_due(&self, wake: WakeDue) -> Result<Written<Woken>>;

    /// Finishes a task. Rules 7.1–7.6, 4.2–4.8.
    async fn complete(&self, complete: Complete) -> Result<Written<Ended>>;
    /// Ends a run as failed. Rules 7.7–7.11, 4.2–4.8.
    async fn fail(&self, fail: Fail) -> Result<Written<Ended>>;
    /// Gives a claim back. Rules 7.12, 4.2–4.8.
    async fn release(&self, release: Release) -> Result<Written<Ended>>;

    /// Refuses claims from now on: after the answer nothing covered starts. Rules 8.1–8.5.
    async fn pause(&self, pause: PauseClaims) -> Result<Written<Pause>>;
    /// Ends a pause. Answers it as it was; none if there was none, which is no change. Rule 8.5.
    async fn resume(&self, resume: ResumeClaims) -> Result<Written<Option<Pause>>>;
    /// Says that a task cannot go on. Rules 8.6–8.8, 4.2–4.8.
    async fn block(&self, block: BlockTask) -> Result<Written<Ended>>;
    /// Lands a blocked or scheduled task. Rule 8.9.
    async fn unblock(&self, unblock: UnblockTask) -> Result<Written<Task>>;
    /// Lands a task now. Rules 8.10–8.11.
    async fn promote(&self, promote: PromoteTask) -> Result<Written<Task>>;
    /// Puts a task off. Rules 8.12, 4.2–4.5.
    async fn schedule(&self, schedule: ScheduleTask) -> Result<Written<Ended>>;

    /// Hands the work in for review. Rules 9.1–9.2, 4.2–4.8.
    async fn request_review(&self, request: RequestReview) -> Result<Written<Ended>>;
    /// Gives the work back to its implementer. Rules 9.3–9.4, 4.2–4.8.
    async fn request_changes(&self, request: RequestChanges) -> Result<Written<Ended>>;
    /// Says that a done task is not done, and its descendants with it. Rules 10.1–10.5.
    async fn reopen(&self, reopen: ReopenTask) -> Result<Written<Reopened>>;
    /// Turns a raw idea into a task. Rule 10.6.
    async fn specify(&self, specify: SpecifyTask) -> Result<Written<Task>>;
    /// Divides a raw idea into subtasks. Rules 10.7–10.9.
    async fn decompose(&self, decompose: DecomposeTask) -> Result<Written<Decomposed>>;

    /// Puts a task out of sight. Rules 11.1, 4.2–4.5.
    async fn archive(&self, archive: ArchiveTask) -> Result<Written<Ended>>;
    /// Brings a task back from the archive. Rules 11.2–11.4.
    async fn restore(&self, restore: RestoreTask) -> Result<Written<Task>>;
    /// Removes an archived task for good. Answers its title. Rules 11.5–11.6.
    async fn delete(&self, delete: DeleteTask) -> Result<Written<Title>>;

    /// Says something about a task. Rules 12.1, 4.11.
    async fn comment(&self, comment: CommentOn) -> Result<Written<Comment>>;
    /// Attaches a pointer to a file. Rules 12.3, 4.11.
    async fn attach(&self, attach: AttachFile) -> Result<Written<Attachment>>;
    /// Removes an attachment. Answers it. Rule 12.3.
    async fn detach(&self, detach: DetachFile) -> Result<Written<Attachment>>;

    /// Makes sure that somebody hears of events. Rules 14.1–14.2.
    async fn subscribe(&self, subscribe: SubscribeTo) -> Result<Written<Subscription>>;
    /// Ends a subscription. Answers it. Rule 14.2.
    async fn unsubscribe(&self, unsubscribe: Unsubscribe) -> Result<Written<Subscription>>;
    /// Hands out the events after a subscription's cursor, to one holder at a time. Rules 14.4–14.6.
    async fn lease_events(&self, lease: LeaseEvents) -> Result<Written<EventLease>>;
    /// Says that leased events were delivered. Answers the cursor. Rules 14.7, 4.13.
    async fn ack(&self, ack: AckLease) -> Result<Written<EventId>>;
    /// Says that leased events were not delivered. Answers the cursor. Rule 14.8.
    async fn nack(&self, nack: NackLease) -> Result<Written<EventId>>;
    /// Removes subscriptions that nobody needs any more. Answers how many. Rule 14.10.
    async fn purge_settled(&self, purge: PurgeSettled) -> Result<Written<Removed>>;

    /// Sets the board's limits. Answers those before. Rule 16.8.
    async fn set_policy(&self, set: SetPolicy) -> Result<Written<Policy>>;
    /// Removes old events. Answers how many. Rule 16.9.
    async fn gc(&self, collect: CollectEvents) -> Result<Written<Removed>>;
    /// How many events `gc` would remove now, if it were called until it is finished: `limit` is not looked at. Costs a look at
    /// each event of the tasks settled that long; of every event where all are asked for. Rule 16.9.
    async fn collectable_events(&self, collect: CollectEvents) -> Result<Read<u64>>;
    /// Takes over a board that another program wrote, into one without tasks. Rules 16.11–16.12.
    async fn import_foreign(&self, import: Box<ImportForeign>) -> Result<Written<Imported>>;

    /// Takes a whole board over as an export tells it, into a board on which nothing was ever written. All of it or
    /// nothing; the error of an export that is not whole and sound names the line. The source is read first, on a thread of
    /// its own, into a file without a name in the board's directory: the disk has room for the export once more. Until then
    /// nothing of the board is held, `close` does not wait, and nothing is imported if this future is dropped. Counts as an
    /// export does. Rules 19.3–19.6.
    async fn import_lines(&self, import: ImportLines) -> Result<Written<Moved>>;

    /// One task with its texts. Rule 15.1.
    async fn task(&self, id: TaskId) -> Result<Read<TaskDetail>>;
    /// Tasks by their ids (at most 1,000), in the order asked; unknown ids are left out. Rule 15.1.
    async fn tasks(&self, ids: Vec<TaskId>) -> Result<Read<Vec<Task>>>;
    /// Ids that begin with a text, in order; at most `limit` (1 to 1,000). Rules 15.9–15.10.
    async fn ids_by_prefix(&self, prefix: String, limit: usize) -> Result<Read<Vec<TaskId>>>;
    /// A page of tasks. Rules 15.2–15.4.
    async fn list(&self, list: List) -> Result<Read<Page<Task>>>;
    /// The direct parents of a task. Rule 15.5.
    async fn parents(&self, kin: Kin) -> Result<Read<Vec<Task>>>;
    /// The direct children of a task. Rule 15.5.
    async fn children(&self, kin: Kin) -> Result<Read<Vec<Task>>>;
    /// A task's surroundings. Rules 15.5, 3.13.
    async fn graph(&self, graph: GraphOf) -> Result<Read<Graph>>;
    /// The runs of a task. Rules 1.3, 15.9.
    async fn runs(&self, of: OfTask<RunId>) -> Result<Read<Vec<Run>>>;
    /// The comments on a task. Rule 12.2.
    async fn comments(&self, of: OfTask<CommentId>) -> Result<Read<Vec<Comment>>>;
    /// The attachments of a task. Rule 12.3.
    async fn attachments(&self, of: OfTask<AttachmentId>) -> Result<Read<Vec<Attachment>>>;
    /// The summary of the newest run that has one, of each of these tasks (at most 1,000). Rule 15.6.
    async fn latest_summaries(&self, ids: Vec<TaskId>) -> Result<Read<Vec<(TaskId, Note)>>>;
    /// The pauses. Rule 15.7.
    async fn pauses(&self) -> Result<Read<Vec<Pause>>>;
    /// The board's limits. Rule 15.7.
    async fn policy(&self) -> Result<Read<Policy>>;
    /// The board in numbers. Costs O(statuses × assignees). Rule 15.8.
    async fn stats(&self) -> Result<Read<Stats>>;
    /// Events, in id order. Rules 13.4, 13.7.
    async fn events(&self, events: Events) -> Result<Read<EventPage>>;
    /// Subscriptions, of one task or all. Rules 15.9–15.10.
    async fn subscriptions(&self, after: SubscriptionsAfter) -> Result<Read<Vec<Subscription>>>;
    /// Subscriptions that have news nobody leases, by id; at most `limit` (1 to 1,000). Rule 14.3.
    async fn pending(&self, limit: usize) -> Result<Read<Vec<Subscription>>>;

    /// Events from a place on, and then for ever. Rules 13.5–13.7.
    fn watch(&self, after: EventId, filter: EventFilter) -> Watch;
    /// Returns once the board's `seq` is at least this one, in this process or another. Rule 15.11.
    async fn reached(&self, seq: Seq) -> Result<Seq>;

    /// The engine's own integrity check, then every invariant of `docs/semantics.md` section 17. Answers the first 100
    /// violations; none is good. Rule 16.10.
    async fn verify(&self) -> Result<Read<Vec<Violation>>>;
    /// Writes the whole board as lines of JSON, from one snapshot, while others write. The same board has the same bytes
    /// on every engine. What was written before an error is of no use: it has no footer.
    ///
    /// The board is read into a file without a name in its directory, on a thread of its own: the disk has room for the
    /// export once more, else `Unavailable(NoSpace)`. Only then the output is written to. However long that stalls, it holds
    /// that file and its thread and nothing of the board. Once the store is closed an export that still reads is `Closed`; one
    /// that writes its output goes on. At most 4 exports, backups and imports of a store are under way: one more is
    /// `Overloaded`. `Busy` if the snapshot was held for too long, or the files had to be opened anew: begin again.
    /// Rule 19.2.
    async fn export(&self, to: Box<dyn std::io::Write + Send>) -> Result<Read<Moved>>;
    /// Copies the board into a new file of the engine's own kind, from one snapshot, while others write. The file is
    /// for its owner only and durable on return; one that exists is never touched. It is taken over by
    /// [`Boards::import_backup`](crate::Boards::import_backup). Counts as an export does, and ends as one that reads does. Rule 19.1.
    async fn backup(&self, to: PathBuf) -> Result<()>;
    /// The same board, with another answer to a full queue. Rule 18.4.
    fn with_admission(&self, admission: Admission) -> Arc<dyn BoardStore>;
    /// The same board, whose exports, backups, imports and `verify` tell how far they are. A restore tells the handle that it
    /// goes into. The rows are counted first, which a handle that tells nobody does not do. Rule 19.8.
    fn with_progress(&self, on_progress: OnProgress) -> Arc<dyn BoardStore>;
    /// Who hears of this handle's progress. Rule 19.8.
    fn on_progress(&self) -> Option<OnProgress>;
    /// Takes no more calls, carries out and answers those it has, and gives up files and threads. A second call
    /// waits for the same end and has the same answer. It does not wait for exports and backups, which end as `Closed`, nor for
    /// the outputs and sources of callers that stall.
    ///
    /// # Errors
    /// The store is closed all the same, and none of them says that nothing was written: a write that was answered is not
    /// repeated for them. Open the board anew, and look.
    /// - `Busy`, at `Lazy`: another process held the board longer than the last flush waited. What was answered within
    ///   the last interval is committed, and a power cut may lose it.
    /// - `Unavailable(Io)`, or what else the storage met, at `Lazy`: writes that were answered within the last interval are
    ///   gone, or could not be flushed.
    /// - `Unavailable(Replaced)`: its files were taken away by hand, and writes that were answered may be gone with them; go
    ///   back to a backup if they are.
    ///
    /// Rules 18.10, 20.1.
    async fn close(&self) -> Result<()>;
}

#[cfg(test)]
mod tests {
    /// The numbers that a line of rules names: the ends of its ranges.
    fn named(line: &str) -> Vec<&str> {
        let is_number = |word: &&str| word.contains('.') && word.starts_with(char::is_numeric);
        let words = line
            .split([' ', ',', '–'])
            .map(|word| word.trim_end_matches('.'));
        words.filter(is_number).collect()
    }

    #[test]
    fn every_method_names_rules_that_there_are() {
        let contract = include_str!("../../docs/semantics.md");
        let source = include_str!("store.rs");
        let (_, body) = source
            .split_once("pub trait BoardStore")
            .expect("it is here");
        let (body, _) = body.split_once("\n}\n").expect("it ends");
        let mut before = "";
        let mut methods = 0;
        for line in body.lines() {
            if line.starts_with("    async fn ") || line.starts_with("    fn ") {
                methods += 1;
                let (_, rules) = before.split_once("Rule").expect(line);
                let numbers = named(rules);
                assert!(!numbers.is_empty(), "{line}: {rules}");
                for number in numbers {
                    let rule = format!("- **{number}** ");
                    assert!(contract.contains(&rule), "{line} names {number}");
                }
            }
            before = line;
        }
        assert!(methods > 50, "the trait was read: {methods}");
    }
}
