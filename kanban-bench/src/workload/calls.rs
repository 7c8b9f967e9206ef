//! Calls that several workloads make.

use std::time::Duration;

use kanban_core::{
    Address, Authority, BoardStore, CommentOn, Complete, EventKind, EventLease, Label, LeaseEvents,
    LeaseId, Note, Result, Scope, SubscribeTo, SubscriptionId, SubscriptionMode, TaskId, Ttl,
};

use crate::said;

/// A subscription's address on the bench's own channel.
pub(crate) fn listener(scope: Scope, address: &str, kinds: Vec<EventKind>) -> Result<SubscribeTo> {
    Ok(SubscribeTo {
        scope,
        channel: Label::new("channel", said::CHANNEL)?,
        address: Address::new("address", address)?,
        thread: None,
        kinds,
        routing: None,
        mode: SubscriptionMode::Notify,
        actor: None,
    })
}

/// Leases up to `limit` events. None if there were none.
pub(crate) async fn lease(
    store: &dyn BoardStore,
    subscription: SubscriptionId,
    limit: usize,
) -> Result<Option<LeaseId>> {
    let call = LeaseEvents {
        subscription,
        ttl: Ttl::new(Duration::from_mins(1))?,
        limit,
    };
    Ok(match store.lease_events(call).await?.value {
        EventLease::Leased { lease, .. } => Some(lease),
        EventLease::None { .. } => None,
    })
}

/// Who works.
pub(crate) fn worker() -> Result<Label> {
    Ok(Label::new("worker", said::WORKER)?)
}

/// What a worker says when it completes a task.
pub(crate) fn summary() -> Result<Note> {
    Ok(Note::new("summary", said::SUMMARY)?)
}

/// A completion as a worker makes it.
pub(crate) fn written(task: TaskId, right: Authority) -> Result<Complete> {
    let mut call = Complete::new(task, right);
    call.summary = Some(summary()?);
    Ok(call)
}

/// A comment as a worker makes it.
pub(crate) fn comment(task: TaskId, worker: Label) -> Result<CommentOn> {
    let body = Note::new("body", said::COMMENT)?;
    Ok(CommentOn::new(task, worker, body))
}
