//! Calls that several workloads make.

use std::time::Duration;

use kanban_core::{
    Address, Authority, BoardStore, Complete, EventKind, EventLease, Label, LeaseEvents, LeaseId,
    Note, Result, Scope, SubscribeTo, SubscriptionId, SubscriptionMode, TaskId, Ttl,
};

/// A subscription's address on the bench's own channel.
pub(super) fn listener(scope: Scope, address: &str, kinds: Vec<EventKind>) -> Result<SubscribeTo> {
    Ok(SubscribeTo {
        scope,
        channel: Label::new("channel", "bench")?,
        address: Address::new("address", address)?,
        thread: None,
        kinds,
        routing: None,
        mode: SubscriptionMode::Notify,
        actor: None,
    })
}

/// Leases up to `limit` events. None if there were none.
pub(super) async fn lease(
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

/// A completion as a worker makes it.
pub(super) fn written(task: TaskId, right: Authority) -> Result<Complete> {
    let mut call = Complete::new(task, right);
    call.summary = Some(Note::new("summary", "written")?);
    Ok(call)
}
