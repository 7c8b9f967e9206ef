//! What a loop by hand gives to its rows, and knows of them.

use std::collections::HashMap;

use kanban_core::{Clock, SystemClock, Task};

use crate::fill;

/// The numbers and the time that a loop gives to its rows. The store takes the same from its counters and its clock.
#[derive(Debug, Clone)]
pub(crate) struct Hand {
    /// The last number given to an event, a run, a `seq`.
    pub(crate) last: i64,
    /// The time that rows get.
    pub(crate) now: i64,
    /// The time of the last group's mark.
    pub(super) marked: Option<i64>,
}

impl Hand {
    /// Begins behind a number, now.
    #[must_use]
    pub(crate) fn behind(last: i64) -> Self {
        let now = SystemClock.now().get();
        Self {
            last,
            now,
            marked: None,
        }
    }

    pub(super) const fn next(&mut self) -> i64 {
        self.last += 1;
        self.now += 1;
        self.last
    }
}

/// A task as a loop keeps it in memory: what the keys of its row are made of.
#[derive(Debug, Clone)]
pub(crate) struct HandTask {
    pub(super) id: String,
    pub(super) assignee: String,
    pub(super) place: Place,
    /// Its open run, or the last one.
    pub(super) run: u64,
    /// Whether its claim was kept alive before.
    pub(super) has_beaten: bool,
    pub(super) title_len: usize,
}

/// Where a task stands: what puts the keys of its row where they are, besides its id and its assignee.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) status: &'static str,
    pub(super) rank: i32,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    /// Of the open claim.
    pub(super) expires_at: Option<i64>,
    /// Of a task that waits, though it could be claimed by its status.
    pub(super) not_before: Option<i64>,
    pub(super) settled_at: Option<i64>,
}

impl HandTask {
    /// What a loop must know of a task.
    #[must_use]
    pub(crate) fn of(task: &Task) -> Self {
        let (assignee, claim) = (task.assignee.as_ref(), task.claim.as_ref());
        Self {
            id: task.id.as_str().to_owned(),
            assignee: assignee.map_or_else(String::new, |name| name.as_str().to_owned()),
            place: Place {
                status: task.status.as_str(),
                rank: !task.priority,
                created_at: task.created_at.get(),
                updated_at: task.updated_at.get(),
                expires_at: claim.map(|claim| claim.expires_at.get()),
                not_before: task.not_before.map(kanban_core::Millis::get),
                settled_at: task.settled_at.map(kanban_core::Millis::get),
            },
            run: claim.map_or(0, |claim| claim.run.get()),
            has_beaten: claim.is_some_and(|claim| claim.heartbeat_at.is_some()),
            title_len: task.title.as_str().len(),
        }
    }

    /// The task with a number of [`fill`], that is created now. Below a parent, it waits.
    pub(super) fn new(number: usize, parent: Option<&Self>, hand: &Hand) -> Self {
        Self {
            id: new_id(hand),
            assignee: fill::assignee_name(number),
            place: Place {
                status: if parent.is_some() { "todo" } else { "ready" },
                rank: !fill::priority(number),
                created_at: hand.now,
                updated_at: hand.now,
                expires_at: None,
                not_before: None,
                settled_at: None,
            },
            run: 0,
            has_beaten: false,
            title_len: fill::title(number).len(),
        }
    }

    /// Its id.
    #[must_use]
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

/// What a loop must know of tasks, by their ids.
#[must_use]
pub(crate) fn known<'t>(tasks: impl IntoIterator<Item = &'t Task>) -> HashMap<String, HandTask> {
    let tasks = tasks.into_iter().map(HandTask::of);
    tasks.map(|task| (task.id.clone(), task)).collect()
}

/// How long a claim by hand holds, in milliseconds.
pub(super) const TTL_MS: i64 = 900_000;
/// How long a lease by hand holds, in milliseconds.
pub(super) const LEASE_MS: i64 = 60_000;
/// How long a task waits by hand after its first failure, in milliseconds.
pub(super) const BACKOFF_MS: i64 = 30_000;

/// An id as the store gives them: as long, rising with the time, its tail random.
fn new_id(hand: &Hand) -> String {
    format!("t_{:011x}{:015x}", hand.now, fastrand::u64(..) >> 4)
}
