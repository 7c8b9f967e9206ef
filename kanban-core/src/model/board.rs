//! What is one per board: counters, pauses, and the marks of commit groups.

use serde::{Deserialize, Serialize};

use super::{
    Assignee, AttachmentId, CommentId, EventId, Label, LeaseId, Millis, Reason, RunId, Seq,
    SubscriptionId,
};

/// The last number given of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counters {
    /// Commands that wrote something.
    pub seq: Seq,
    /// Events.
    pub event: EventId,
    /// Runs.
    pub run: RunId,
    /// Comments.
    pub comment: CommentId,
    /// Attachments.
    pub attachment: AttachmentId,
    /// Subscriptions.
    pub subscription: SubscriptionId,
    /// Leases.
    pub lease: LeaseId,
}

impl Counters {
    /// Combines two sets, kind by kind.
    pub(crate) fn zip(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            seq: Seq::new(with(self.seq.get(), other.seq.get())),
            event: EventId::new(with(self.event.get(), other.event.get())),
            run: RunId::new(with(self.run.get(), other.run.get())),
            comment: CommentId::new(with(self.comment.get(), other.comment.get())),
            attachment: AttachmentId::new(with(self.attachment.get(), other.attachment.get())),
            subscription: SubscriptionId::new(with(
                self.subscription.get(),
                other.subscription.get(),
            )),
            lease: LeaseId::new(with(self.lease.get(), other.lease.get())),
        }
    }
}

/// The board's own row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoardState {
    /// When the board was created.
    pub created_at: Millis,
    /// Random; makes the jitter of this board's back-offs.
    pub seed: u64,
    /// The last number given of each kind.
    pub counters: Counters,
    /// Durably promised: no number up to here is given again, whatever a crash forgets. Zero on a
    /// board that was never written below `Power`.
    pub reserved: Counters,
    /// The machine's boot during which `reserved` was last raised, where the system tells it.
    pub boot: Option<String>,
    /// The newest event that `gc` has removed.
    pub horizon: EventId,
}

/// What a pause covers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PauseTarget {
    /// Every claim on the board.
    Board,
    /// Claims of the tasks of one assignee.
    Assignee(Assignee),
}

/// A standing refusal of claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pause {
    /// What it covers.
    pub target: PauseTarget,
    /// Who paused.
    pub actor: Label,
    /// Why.
    pub reason: Option<Reason>,
    /// Since when.
    pub at: Millis,
}

/// The mark of a store's last commit group, by which it finds out whether an uncertain commit landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupRecord {
    /// The store instance's random id.
    pub instance: u64,
    /// The group's number in that instance, from 1.
    pub number: u64,
    /// When; instances not seen for a day are forgotten.
    pub at: Millis,
}
