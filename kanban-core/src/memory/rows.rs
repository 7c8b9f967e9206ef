//! Rows to start a test from: valid, and as plain as can be.

use crate::model::{
    Address, Attachment, AttachmentId, Comment, CommentId, Event, EventId, EventKind, JsonObject,
    Label, Millis, Note, Phase, Run, RunId, Scope, Seq, Status, Subscription, SubscriptionId,
    SubscriptionMode, Task, TaskId, Title, Version,
};

/// A task's id.
pub(crate) fn task_id(id: &str) -> TaskId {
    TaskId::new(id).expect("a test's id is well formed")
}

/// A short name.
pub(crate) fn label(text: &str) -> Label {
    Label::new("label", text).expect("a test's label is short")
}

/// A ready task in phase work, unassigned, created at 0.
pub(crate) fn task(id: &str) -> Task {
    Task {
        id: task_id(id),
        title: Title::new(id).expect("an id is a title"),
        status: Status::Ready,
        phase: Phase::Work,
        priority: 0,
        assignee: None,
        implementer: None,
        reviewer: None,
        tenant: None,
        created_by: None,
        created_from: None,
        created_at: Millis::new(0),
        updated_at: Millis::new(0),
        started_at: None,
        completed_at: None,
        settled_at: None,
        wake_at: None,
        not_before: None,
        idempotency_key: None,
        version: Version::new(1),
        open_parents: 0,
        failures: 0,
        deferrals: 0,
        last_error: None,
        failure_limit: None,
        max_runtime: None,
        block: None,
        block_streak: None,
        review_rounds: 0,
        claim: None,
        archived_from: None,
        decomposed_at: None,
        waiting: false,
        collectable: false,
    }
}

/// An open run of a task, claimed at 0 by `worker`.
pub(crate) fn run(id: u64, task: &str) -> Run {
    Run {
        id: RunId::new(id),
        task: task_id(task),
        phase: Phase::Work,
        assignee: None,
        claimant: Some(label("worker")),
        request_id: None,
        worker: None,
        started_at: Millis::new(0),
        ended_at: None,
        outcome: None,
        ended_by: None,
        summary: None,
        error: None,
        metadata: None,
    }
}

/// An event without a number, of a task or of the board.
pub(crate) fn event(task: Option<&str>, kind: EventKind) -> Event {
    Event {
        id: EventId::new(0),
        seq: Seq::new(0),
        at: Millis::new(0),
        task: task.map(task_id),
        run: None,
        actor: None,
        kind,
        data: JsonObject::default(),
    }
}

/// A comment.
pub(crate) fn comment(id: u64, task: &str) -> Comment {
    Comment {
        id: CommentId::new(id),
        task: task_id(task),
        author: label("author"),
        body: Note::new("body", "well said").expect("a short text"),
        at: Millis::new(0),
        request_id: None,
    }
}

/// An attachment.
pub(crate) fn attachment(id: u64, task: &str) -> Attachment {
    Attachment {
        id: AttachmentId::new(id),
        task: task_id(task),
        file_name: label("notes.txt"),
        uri: Address::new("uri", "file:///notes.txt").expect("a short text"),
        media_type: None,
        size: None,
        by: None,
        at: Millis::new(0),
        request_id: None,
    }
}

/// A subscription to all events of a task or of the board, caught up at 0, at an address of its own.
pub(crate) fn subscription(id: u64, scope: Scope) -> Subscription {
    Subscription {
        id: SubscriptionId::new(id),
        scope,
        channel: label("mail"),
        address: Address::new("address", format!("reader-{id}")).expect("a short text"),
        thread: None,
        kinds: Vec::new(),
        routing: None,
        mode: SubscriptionMode::Notify,
        created_at: Millis::new(0),
        cursor: EventId::new(0),
        attempts: 0,
        lease: None,
        acked: None,
        retry_at: None,
    }
}
