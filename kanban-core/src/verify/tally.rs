//! What is counted while the tasks are walked.

use std::collections::BTreeMap;

use crate::model::{Assignee, Label, Millis, Phase, Status, Task};

/// What the tasks' rows say, and how much the questions about each task answered.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) tasks: u64,
    pub(super) counts: BTreeMap<(Status, Option<Assignee>), u64>,
    pub(super) tenants: BTreeMap<Label, u64>,
    /// Claimable, not waiting tasks, of all tenants (none) and of each.
    pub(super) claimable: BTreeMap<(Phase, Option<Label>), u64>,
    pub(super) waiting: u64,
    pub(super) claims: u64,
    pub(super) due: u64,
    pub(super) collectable: u64,
    pub(super) oldest_ready: Option<Millis>,
    /// Links, asked for from the child's side and from the parent's.
    pub(super) parents: u64,
    pub(super) children: u64,
    pub(super) runs: u64,
    pub(super) events: u64,
    pub(super) comments: u64,
    pub(super) attachments: u64,
    pub(super) subscriptions: u64,
}

impl Tally {
    /// Takes a task in.
    pub(super) fn count(&mut self, task: &Task) {
        self.tasks += 1;
        *self
            .counts
            .entry((task.status, task.assignee.clone()))
            .or_default() += 1;
        if let Some(tenant) = &task.tenant {
            *self.tenants.entry(tenant.clone()).or_default() += 1;
        }
        if let Some(phase) = phase_of(task.status).filter(|_| !task.waiting) {
            *self.claimable.entry((phase, None)).or_default() += 1;
            if let Some(tenant) = &task.tenant {
                *self
                    .claimable
                    .entry((phase, Some(tenant.clone())))
                    .or_default() += 1;
            }
        }
        self.waiting += u64::from(task.waiting && task.not_before.is_some());
        self.claims += u64::from(task.claim.is_some());
        self.due += u64::from(task.wake_at.is_some());
        self.collectable += u64::from(task.collectable && task.settled_at.is_some());
        if task.status == Status::Ready {
            let oldest = self.oldest_ready.unwrap_or(task.created_at);
            self.oldest_ready = Some(oldest.min(task.created_at));
        }
    }
}

/// The phase in which a claimable status is taken.
pub(super) const fn phase_of(status: Status) -> Option<Phase> {
    match status {
        Status::Ready => Some(Phase::Work),
        Status::Review => Some(Phase::Review),
        _ => None,
    }
}
