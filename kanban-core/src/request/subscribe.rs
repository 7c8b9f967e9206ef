//! Subscriptions and the delivery of their events.

use serde::{Deserialize, Serialize};

use crate::model::{
    Address, Event, EventKind, JsonObject, Label, LeaseId, Millis, RetryAfter, Scope,
    SubscriptionId, SubscriptionMode, Ttl,
};

/// Makes sure that somebody hears of events. A subscription with the same (scope, channel, address, thread)
/// is returned instead of making another, with kinds, routing and mode as given now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeTo {
    /// What it covers.
    pub scope: Scope,
    /// The medium.
    pub channel: Label,
    /// Where on the medium.
    pub address: Address,
    /// Where at the address.
    pub thread: Option<Label>,
    /// The kinds wanted; empty means all. At most 100.
    pub kinds: Vec<EventKind>,
    /// The gateway's own routing fields.
    pub routing: Option<JsonObject>,
    /// What is done with an event.
    pub mode: SubscriptionMode,
    /// Who.
    pub actor: Option<Label>,
}

/// Ends a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Which.
    pub subscription: SubscriptionId,
    /// Who.
    pub actor: Option<Label>,
}

/// Asks for the events after a subscription's cursor, for delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseEvents {
    /// Which.
    pub subscription: SubscriptionId,
    /// For how long nobody else gets them.
    pub ttl: Ttl,
    /// At most this many; 1 to 1,000.
    pub limit: usize,
}

/// What was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventLease {
    /// Events to deliver, then to ack or nack.
    Leased {
        /// Ack and nack name it.
        lease: LeaseId,
        /// How often these events were handed out, from 1.
        attempt: u32,
        /// Until when nobody else gets them.
        until: Millis,
        /// In id order.
        events: Vec<Event>,
    },
    /// Nothing now.
    None {
        /// When an open lease or a retry wait ends; none if there is simply no news.
        until: Option<Millis>,
    },
}

/// Says that the events of a lease were delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckLease {
    /// Which subscription.
    pub subscription: SubscriptionId,
    /// Which lease.
    pub lease: LeaseId,
}

/// Says that the events of a lease were not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NackLease {
    /// Which subscription.
    pub subscription: SubscriptionId,
    /// Which lease.
    pub lease: LeaseId,
    /// Nobody gets the events again before this long from now.
    pub retry_after: Option<RetryAfter>,
}
