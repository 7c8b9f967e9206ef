//! Who must hear of events, and how far they have heard.

use serde::{Deserialize, Serialize};

use super::task::worded;
use super::{
    Address, EventId, EventKind, JsonObject, Label, LeaseId, Millis, SubscriptionId, TaskId,
};

/// What a subscription covers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The events of one task.
    Task(TaskId),
    /// All events of the board.
    Board,
}

impl Scope {
    /// The task, if it is one.
    #[must_use]
    pub const fn task(&self) -> Option<&TaskId> {
        match self {
            Self::Task(task) => Some(task),
            Self::Board => None,
        }
    }
}

worded! {
    /// What the subscriber's gateway does with an event.
    SubscriptionMode {
        /// Tells somebody.
        Notify = "notify",
        /// Wakes an agent.
        Wake = "wake",
    }
}

/// The right of one holder to deliver a stretch of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lease {
    /// Its id; ack and nack name it.
    pub id: LeaseId,
    /// Until when nobody else gets the events.
    pub until: Millis,
    /// The last event that it hands out; ack moves the cursor here.
    pub through: EventId,
}

/// Somebody who must hear of a task's, or a board's, events. Unique by (scope, channel, address,
/// thread).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// What it covers.
    pub scope: Scope,
    /// The medium, such as `telegram`.
    pub channel: Label,
    /// Where on the medium.
    pub address: Address,
    /// Where at the address.
    pub thread: Option<Label>,
    /// The kinds wanted; empty means all.
    pub kinds: Vec<EventKind>,
    /// The gateway's own routing fields, which the store never reads.
    pub routing: Option<JsonObject>,
    /// What is done with an event.
    pub mode: SubscriptionMode,
    /// When it was made.
    pub created_at: Millis,
    /// The last event that was delivered or needs no delivery.
    pub cursor: EventId,
    /// How often the events after the cursor were handed out.
    pub attempts: u32,
    /// The open lease, if any. May be past its end.
    pub lease: Option<Lease>,
    /// The last lease that was acknowledged, so that a repeated ack is answered the same.
    pub acked: Option<LeaseId>,
    /// After a nack: nobody gets the events before.
    pub retry_at: Option<Millis>,
}
