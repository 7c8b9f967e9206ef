//! Calls and values with nothing in them but what must be: a case changes the field that it is about, by
//! `Heartbeat { note: Some(note("alive")), ..calls::heartbeat(&claimed) }`.

use kanban_core::{
    AckLease, ArchiveTask, AssignTask, AttachFile, Authority, BlockTask, ClaimNext, ClaimTask,
    Claimed, CommentOn, Complete, CreateMany, DecomposeTask, DeleteTask, DetachFile, EventId,
    Events, Fail, FailKind, Heartbeat, Kin, LeaseEvents, LeaseId, LinkTasks, List, Millis,
    NackLease, NewItem, NewTask, OfTask, OnOpenParents, ParentRef, PauseClaims, PauseTarget,
    PromoteMode, PromoteTask, ReclaimExpired, Release, ReopenTask, RequestChanges, RequestReview,
    RestoreTask, ResumeClaims, RunId, ScheduleTask, Scope, SetWorker, SpecifyTask, Status,
    SubscribeTo, SubscriptionId, SubscriptionMode, Subtask, TaskId, UnblockTask, UnlinkTasks,
    Unsubscribe, UpdateTask, WakeDue, WorkerBlockKind, WorkerProcess,
};

mod values;

pub use self::values::{
    address, json, label, long, note, olga, olga_of, reason, retry, secs, slug, task_id, title,
    ttl, who, worker,
};

/// A task with a title.
#[must_use]
pub fn new(text: &str) -> NewTask {
    NewTask::new(title(text))
}

/// A task that waits for others.
#[must_use]
pub fn child_of(parents: &[&TaskId]) -> NewTask {
    NewTask {
        parents: parents.iter().map(|&id| id.clone()).collect(),
        ..new("a child")
    }
}

/// An item of `create_many`.
#[must_use]
pub fn item(text: &str, parents: Vec<ParentRef>) -> NewItem {
    NewItem {
        task: new(text),
        parents,
    }
}

/// A graph.
#[must_use]
pub const fn many(items: Vec<NewItem>) -> CreateMany {
    CreateMany { items }
}

/// An edit that changes nothing yet.
#[must_use]
pub fn update(task: &TaskId) -> UpdateTask {
    UpdateTask::new(task.clone())
}

/// To a new assignee.
#[must_use]
pub fn assign(task: &TaskId, name: &str) -> AssignTask {
    AssignTask {
        assignee: Some(who(name)),
        ..unassign(task)
    }
}

/// To nobody.
#[must_use]
pub fn unassign(task: &TaskId) -> AssignTask {
    AssignTask {
        task: task.clone(),
        assignee: None,
        actor: Some(label("olga")),
        expected_version: None,
    }
}

/// A dependency.
#[must_use]
pub fn link(parent: &TaskId, child: &TaskId) -> LinkTasks {
    LinkTasks {
        parent: parent.clone(),
        child: child.clone(),
        actor: Some(label("olga")),
    }
}

/// A dependency less.
#[must_use]
pub fn unlink(parent: &TaskId, child: &TaskId) -> UnlinkTasks {
    UnlinkTasks {
        parent: parent.clone(),
        child: child.clone(),
        actor: Some(label("olga")),
    }
}

/// A claim by `w1`, with the policy's ttl.
#[must_use]
pub fn claim(task: &TaskId) -> ClaimTask {
    ClaimTask {
        task: task.clone(),
        claimant: label("w1"),
        ttl: None,
        request_id: None,
    }
}

/// The next task of the board, for `w1`.
#[must_use]
pub fn claim_next() -> ClaimNext {
    ClaimNext::new(label("w1"))
}

/// A sign of life by the worker, with the policy's ttl.
#[must_use]
pub fn heartbeat(claimed: &Claimed) -> Heartbeat {
    heartbeat_by(&claimed.task.id, worker(claimed))
}

/// A sign of life.
#[must_use]
pub fn heartbeat_by(task: &TaskId, authority: Authority) -> Heartbeat {
    Heartbeat {
        task: task.clone(),
        authority,
        extend: None,
        note: None,
    }
}

/// A process on a run.
#[must_use]
pub fn set_worker(task: &TaskId, run: RunId, pid: u32) -> SetWorker {
    SetWorker {
        task: task.clone(),
        run,
        worker: process(pid),
    }
}

/// A process.
#[must_use]
pub fn process(pid: u32) -> WorkerProcess {
    WorkerProcess {
        host: label("host-1"),
        pid,
        started: Some(label("at noon")),
    }
}

/// Up to 100 expired claims.
#[must_use]
pub const fn reclaim() -> ReclaimExpired {
    ReclaimExpired { limit: 100 }
}

/// Up to 100 due tasks.
#[must_use]
pub const fn wake() -> WakeDue {
    WakeDue { limit: 100 }
}

/// A completion by the worker, with nothing handed over.
#[must_use]
pub fn complete(claimed: &Claimed) -> Complete {
    complete_by(&claimed.task.id, worker(claimed))
}

/// A completion with nothing handed over.
#[must_use]
pub fn complete_by(task: &TaskId, authority: Authority) -> Complete {
    Complete::new(task.clone(), authority)
}

/// A failure told by the worker.
#[must_use]
pub fn fail(claimed: &Claimed, kind: FailKind) -> Fail {
    fail_by(&claimed.task.id, worker(claimed), kind)
}

/// A failure.
#[must_use]
pub fn fail_by(task: &TaskId, authority: Authority, kind: FailKind) -> Fail {
    Fail {
        task: task.clone(),
        authority,
        kind,
        error: Some(note("it broke")),
        retry_after: None,
    }
}

/// A release by the worker.
#[must_use]
pub fn release(claimed: &Claimed) -> Release {
    release_by(&claimed.task.id, worker(claimed))
}

/// A release.
#[must_use]
pub fn release_by(task: &TaskId, authority: Authority) -> Release {
    Release {
        task: task.clone(),
        authority,
        retry_after: None,
    }
}

/// A block by the worker.
#[must_use]
pub fn block(claimed: &Claimed, kind: WorkerBlockKind) -> BlockTask {
    block_by(&claimed.task.id, worker(claimed), kind)
}

/// A block.
#[must_use]
pub fn block_by(task: &TaskId, authority: Authority, kind: WorkerBlockKind) -> BlockTask {
    BlockTask {
        task: task.clone(),
        authority,
        kind,
        reason: Some(reason("cannot go on")),
        on: Vec::new(),
        expected_version: None,
    }
}

/// An unblocking by olga.
#[must_use]
pub fn unblock(task: &TaskId) -> UnblockTask {
    UnblockTask {
        task: task.clone(),
        actor: label("olga"),
    }
}

/// A promotion by olga that refuses unsatisfied parents.
#[must_use]
pub fn promote(task: &TaskId) -> PromoteTask {
    PromoteTask {
        task: task.clone(),
        actor: label("olga"),
        open_parents: OnOpenParents::Refuse,
        mode: PromoteMode::Apply,
    }
}

/// A putting-off; without `at` for a human.
#[must_use]
pub fn schedule(task: &TaskId, authority: Authority, at: Option<Millis>) -> ScheduleTask {
    ScheduleTask {
        task: task.clone(),
        authority,
        at,
        reason: Some(reason("later")),
        expected_version: None,
    }
}

/// A handing-in.
#[must_use]
pub fn request_review(task: &TaskId, authority: Authority) -> RequestReview {
    RequestReview {
        task: task.clone(),
        authority,
        summary: Some(note("please look")),
        metadata: None,
        reviewer: None,
    }
}

/// A giving-back.
#[must_use]
pub fn request_changes(task: &TaskId, authority: Authority) -> RequestChanges {
    RequestChanges {
        task: task.clone(),
        authority,
        reason: Some(reason("not yet")),
    }
}

/// A reopening by olga.
#[must_use]
pub fn reopen(task: &TaskId) -> ReopenTask {
    ReopenTask {
        task: task.clone(),
        actor: label("olga"),
        reason: Some(reason("it is not done")),
    }
}

/// A specification that changes no field.
#[must_use]
pub fn specify(task: &TaskId) -> SpecifyTask {
    SpecifyTask {
        task: task.clone(),
        actor: label("olga"),
        title: None,
        body: None,
        assignee: None,
    }
}

/// A piece, which waits for the pieces of these indexes.
#[must_use]
pub fn subtask(text: &str, after: &[usize]) -> Subtask {
    Subtask {
        title: title(text),
        body: None,
        assignee: None,
        priority: None,
        after: after.to_vec(),
        attributes: None,
        idempotency_key: None,
    }
}

/// A division by olga.
#[must_use]
pub fn decompose(task: &TaskId, subtasks: Vec<Subtask>) -> DecomposeTask {
    DecomposeTask {
        task: task.clone(),
        actor: label("olga"),
        subtasks,
    }
}

/// Out of sight.
#[must_use]
pub fn archive(task: &TaskId, authority: Authority) -> ArchiveTask {
    ArchiveTask {
        task: task.clone(),
        authority,
        expected_version: None,
    }
}

/// Back in sight, by olga.
#[must_use]
pub fn restore(task: &TaskId) -> RestoreTask {
    RestoreTask {
        task: task.clone(),
        actor: label("olga"),
    }
}

/// Away for good, by olga.
#[must_use]
pub fn delete(task: &TaskId) -> DeleteTask {
    DeleteTask {
        task: task.clone(),
        actor: label("olga"),
    }
}

/// A comment by anna.
#[must_use]
pub fn comment(task: &TaskId, body: &str) -> CommentOn {
    CommentOn {
        task: task.clone(),
        author: label("anna"),
        body: note(body),
        request_id: None,
    }
}

/// A file, attached by anna.
#[must_use]
pub fn attach(task: &TaskId, file_name: &str) -> AttachFile {
    AttachFile {
        task: task.clone(),
        file_name: label(file_name),
        uri: address("file:///tmp/x"),
        media_type: Some(label("text/plain")),
        size: Some(42),
        actor: Some(label("anna")),
        request_id: None,
    }
}

/// A file less, by anna.
#[must_use]
pub fn detach(task: &TaskId, attachment: kanban_core::AttachmentId) -> DetachFile {
    DetachFile {
        task: task.clone(),
        attachment,
        actor: Some(label("anna")),
    }
}

/// A pause by olga.
#[must_use]
pub fn pause(target: PauseTarget) -> PauseClaims {
    PauseClaims {
        target,
        actor: label("olga"),
        reason: Some(reason("maintenance")),
    }
}

/// Its end, by olga.
#[must_use]
pub fn resume(target: PauseTarget) -> ResumeClaims {
    ResumeClaims {
        target,
        actor: label("olga"),
    }
}

/// A subscription to all kinds, at an address.
#[must_use]
pub fn subscribe(scope: Scope, at: &str) -> SubscribeTo {
    SubscribeTo {
        scope,
        channel: label("chat"),
        address: address(at),
        thread: None,
        kinds: Vec::new(),
        routing: None,
        mode: SubscriptionMode::Notify,
        actor: Some(label("anna")),
    }
}

/// A subscription less.
#[must_use]
pub fn unsubscribe(subscription: SubscriptionId) -> Unsubscribe {
    Unsubscribe {
        subscription,
        actor: Some(label("anna")),
    }
}

/// Up to 100 events, for a minute.
#[must_use]
pub fn lease(subscription: SubscriptionId) -> LeaseEvents {
    LeaseEvents {
        subscription,
        ttl: ttl(60),
        limit: 100,
    }
}

/// Delivered.
#[must_use]
pub const fn ack(subscription: SubscriptionId, lease: LeaseId) -> AckLease {
    AckLease {
        subscription,
        lease,
    }
}

/// Not delivered.
#[must_use]
pub const fn nack(subscription: SubscriptionId, lease: LeaseId) -> NackLease {
    NackLease {
        subscription,
        lease,
        retry_after: None,
    }
}

/// The first page of everything that belongs to a task.
#[must_use]
pub fn all_of<I>(task: &TaskId) -> OfTask<I> {
    OfTask {
        task: task.clone(),
        after: None,
        limit: 1000,
    }
}

/// The first page of parents or children.
#[must_use]
pub fn kin(task: &TaskId) -> Kin {
    Kin {
        task: task.clone(),
        after: None,
        limit: 1000,
    }
}

/// The first page of all tasks, archived ones too.
#[must_use]
pub fn list_all() -> List {
    List {
        statuses: Status::ALL.to_vec(),
        limit: 1000,
        ..List::default()
    }
}

/// The next thousand events of any kind.
#[must_use]
pub fn events_after(after: EventId) -> Events {
    Events {
        after,
        limit: 1000,
        filter: kanban_core::EventFilter::default(),
    }
}
