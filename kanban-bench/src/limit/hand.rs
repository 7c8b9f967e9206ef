//! What a loop by hand gives to its rows, and knows of them.

use std::collections::HashMap;

use kanban_core::{Clock, SystemClock, Task};

use crate::fill;
use crate::said::{SUMMARY, WORKER};

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
    pub(super) rank: i32,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) expires_at: i64,
    pub(super) run: u64,
}

impl HandTask {
    /// What a loop must know of a task that is ready.
    #[must_use]
    pub(crate) fn of(task: &Task) -> Self {
        let assignee = task.assignee.as_ref();
        Self {
            id: task.id.as_str().to_owned(),
            assignee: assignee.map_or_else(String::new, |name| name.as_str().to_owned()),
            rank: !task.priority,
            created_at: task.created_at.get(),
            updated_at: task.updated_at.get(),
            expires_at: 0,
            run: 0,
        }
    }

    /// The task with a number of [`fill`], that is created now.
    pub(super) fn new(number: usize, hand: &Hand) -> Self {
        Self {
            id: new_id(hand),
            assignee: fill::assignee_name(number),
            rank: !fill::priority(number),
            created_at: hand.now,
            updated_at: hand.now,
            expires_at: 0,
            run: 0,
        }
    }

    /// Its id.
    #[must_use]
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

/// What a loop must know of tasks that are ready, by their ids.
#[must_use]
pub(crate) fn known(tasks: &[Task]) -> HashMap<String, HandTask> {
    let tasks = tasks.iter().map(HandTask::of);
    tasks.map(|task| (task.id.clone(), task)).collect()
}

/// How long a claim by hand holds, in milliseconds.
pub(super) const TTL_MS: i64 = 900_000;
/// How long a lease by hand holds, in milliseconds.
pub(super) const LEASE_MS: i64 = 60_000;

pub(super) fn claimed_data(run: i64, until: i64) -> String {
    format!(
        r#"{{"claimant":"{WORKER}","expires_at":{until},"from":"ready","phase":"work","run":{run},"to":"running"}}"#
    )
}

pub(super) fn completed_data() -> String {
    format!(r#"{{"from":"running","result_len":0,"summary":"{SUMMARY}","to":"done"}}"#)
}

pub(super) fn created_data(title: &str) -> String {
    format!(r#"{{"title":"{title}","to":"ready"}}"#)
}

pub(super) fn commented_data(comment: i64) -> String {
    format!(r#"{{"comment":{comment}}}"#)
}

/// An id as the store gives them: as long, rising with the time, its tail random.
fn new_id(hand: &Hand) -> String {
    format!("t_{:011x}{:015x}", hand.now, fastrand::u64(..) >> 4)
}
