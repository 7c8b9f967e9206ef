//! What is on the board, in plain vectors.

use std::sync::Arc;

use kanban_core::{
    Attachment, Comment, Counters, Effect, ErrorKind, Event, EventId, Invalid, Link, Millis, Pause,
    Policy, Rejection, Run, RunId, Seq, Status, Subject, Subscription, Task, TaskDetail, TaskId,
};

use super::{Refusal, Ruled};
use crate::clock::TestClock;

/// How many parents and subscriptions a task has. It has 10,000 children, more than histories make. [3.10]
const PARENTS_MAX: usize = 1000;
const SUBSCRIPTIONS_MAX: usize = 100;

/// A board. Rows are shared with the copy that a refused command goes back to.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    pub(crate) created_at: Millis,
    pub(crate) seed: u64,
    pub(crate) counters: Counters,
    pub(crate) horizon: EventId,
    pub(crate) policy: Policy,
    pub(crate) pauses: Vec<Pause>,
    /// In the order of their creation.
    pub(crate) tasks: Vec<Arc<TaskDetail>>,
    pub(crate) links: Vec<Link>,
    pub(crate) runs: Vec<Arc<Run>>,
    pub(crate) comments: Vec<Arc<Comment>>,
    pub(crate) attachments: Vec<Arc<Attachment>>,
    pub(crate) subscriptions: Vec<Arc<Subscription>>,
    pub(crate) events: Vec<Arc<Event>>,
    /// The one reading of the clock of the command that is carried out.
    pub(crate) now: Millis,
    /// The ids that the store gave to the tasks of that command: any new ones will do. [1.6]
    given: Vec<TaskId>,
    /// The subscriptions that this command made by inheritance.
    pub(super) inherited: Vec<kanban_core::SubscriptionId>,
}

impl Board {
    /// A board on which nothing was ever written.
    pub(crate) fn empty(created_at: Millis, seed: u64) -> Self {
        Self {
            created_at,
            seed,
            counters: Counters::default(),
            horizon: EventId::new(0),
            policy: first_policy(),
            pauses: Vec::new(),
            tasks: Vec::new(),
            links: Vec::new(),
            runs: Vec::new(),
            comments: Vec::new(),
            attachments: Vec::new(),
            subscriptions: Vec::new(),
            events: Vec::new(),
            now: TestClock::START,
            given: Vec::new(),
            inherited: Vec::new(),
        }
    }

    /// Begins a command. [1.8]
    pub(super) fn begin(&mut self, now: Millis, given: Vec<TaskId>) {
        self.now = now;
        self.given = given;
        self.given
            .retain(|id| self.tasks.iter().all(|d| d.task.id != *id));
        self.counters.seq = Seq::new(self.counters.seq.get() + 1);
    }

    /// The next id that the store gave; a made-up one where it gave none, which the answers then show.
    pub(super) fn new_task_id(&mut self) -> TaskId {
        if self.given.is_empty() {
            return crate::calls::task_id("t_the_store_made_none");
        }
        self.given.remove(0)
    }

    pub(crate) fn find(&self, id: &TaskId) -> Option<&TaskDetail> {
        self.tasks
            .iter()
            .map(|detail| &**detail)
            .find(|detail| detail.task.id == *id)
    }

    /// A task that a rule has found before.
    pub(super) fn task(&self, id: &TaskId) -> &Task {
        &self.find(id).expect("the rule has found it before").task
    }

    /// A task that a call is about. [18.3]
    pub(super) fn known(&self, id: &TaskId) -> Result<&Task, ErrorKind> {
        match self.find(id) {
            Some(detail) => Ok(&detail.task),
            None => Err(ErrorKind::NotFound(Subject::Task(id.clone()))),
        }
    }

    pub(super) fn detail_mut(&mut self, id: &TaskId) -> &mut TaskDetail {
        let mut rows = self.tasks.iter_mut();
        let row = rows.find(|detail| detail.task.id == *id);
        Arc::make_mut(row.expect("the rule has found it before"))
    }

    pub(super) fn task_mut(&mut self, id: &TaskId) -> &mut Task {
        &mut self.detail_mut(id).task
    }

    pub(super) fn run(&self, id: RunId) -> Option<&Run> {
        self.runs.iter().map(|run| &**run).find(|run| run.id == id)
    }

    pub(super) fn run_mut(&mut self, id: RunId) -> &mut Run {
        let mut rows = self.runs.iter_mut();
        Arc::make_mut(rows.find(|run| run.id == id).expect("a claim has its run"))
    }

    /// The parents of a task, by id.
    pub(super) fn parents_of(&self, child: &TaskId) -> Vec<TaskId> {
        let links = self.links.iter().filter(|link| link.child == *child);
        let mut ids: Vec<_> = links.map(|link| link.parent.clone()).collect();
        ids.sort();
        ids
    }

    /// The children of a task, by id.
    pub(super) fn children_of(&self, parent: &TaskId) -> Vec<TaskId> {
        let links = self.links.iter().filter(|link| link.parent == *parent);
        let mut ids: Vec<_> = links.map(|link| link.child.clone()).collect();
        ids.sort();
        ids
    }

    pub(super) fn unsatisfied_parents_of(&self, child: &TaskId) -> Vec<TaskId> {
        let mut parents = self.parents_of(child);
        parents.retain(|parent| !is_satisfied(self.task(parent).status));
        parents
    }

    /// Refuses ids that name no task, each once, in the order given. [18.3]
    pub(super) fn all_known(&self, ids: &[TaskId]) -> Result<(), ErrorKind> {
        let mut unknown: Vec<TaskId> = Vec::new();
        for id in ids {
            if self.find(id).is_none() && !unknown.contains(id) {
                unknown.push(id.clone());
            }
        }
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(rejected(Rejection::UnknownTasks { ids: unknown }))
        }
    }

    /// Refuses what only the rows decide, after everything else. [3.10] [18.11]
    pub(super) fn expect_room(&self) -> Result<(), ErrorKind> {
        let tasks = || self.tasks.iter().map(|detail| &detail.task.id);
        // What a whole board has not, no task has.
        if self.links.len() > PARENTS_MAX {
            for id in tasks() {
                let links = self.links.iter();
                let parents = links.filter(|link| link.child == *id).count();
                within("parents", parents, 0, PARENTS_MAX as u64)?;
            }
        }
        if self.subscriptions.len() > SUBSCRIPTIONS_MAX {
            for id in tasks() {
                let rows = self.subscriptions.iter();
                let listeners = rows.filter(|row| row.scope.task() == Some(id)).count();
                within("subscriptions", listeners, 0, SUBSCRIPTIONS_MAX as u64)?;
            }
        }
        Ok(())
    }

    pub(super) fn expect_version(
        &self,
        task: &TaskId,
        expected: Option<kanban_core::Version>,
    ) -> Result<(), Refusal> {
        let current = self.task(task).version;
        match expected {
            Some(expected) if expected != current => {
                Err(rejected(Rejection::VersionMismatch { current }).into())
            }
            _ => Ok(()),
        }
    }

    /// Refuses every status that the operation does not name. [2.3]
    pub(super) fn expect_status(&self, task: &TaskId, allowed: &[Status]) -> Result<(), ErrorKind> {
        let status = self.task(task).status;
        if allowed.contains(&status) {
            return Ok(());
        }
        let allowed = allowed.to_vec();
        Err(rejected(Rejection::WrongStatus { status, allowed }))
    }
}

/// Whether a parent of this status holds no child. [2.2]
pub(super) fn is_satisfied(status: Status) -> bool {
    matches!(status, Status::Done | Status::Archived)
}

pub(super) fn rejected(rejection: Rejection) -> ErrorKind {
    ErrorKind::Rejected(rejection)
}

pub(super) fn applied<T>(value: T) -> Ruled<T> {
    Ok((Effect::Applied, value))
}

pub(super) fn unchanged<T>(value: T) -> Ruled<T> {
    Ok((Effect::Unchanged, value))
}

pub(super) fn repeated<T>(value: T) -> Ruled<T> {
    Ok((Effect::Repeated, value))
}

/// An argument over or under a bound. [3.12]
pub(super) fn bound(field: &'static str, limit: u64, found: u64) -> ErrorKind {
    ErrorKind::Invalid(Invalid {
        field,
        must: String::new(),
        limit: Some(limit),
        found: Some(found),
    })
}

/// An argument that is wrong in another way.
pub(super) fn malformed(field: &'static str) -> ErrorKind {
    ErrorKind::Invalid(Invalid {
        field,
        must: String::new(),
        limit: None,
        found: None,
    })
}

/// Refuses a number outside its bounds.
pub(super) fn within(
    field: &'static str,
    found: usize,
    min: u64,
    max: u64,
) -> Result<(), ErrorKind> {
    let found = found as u64;
    if found < min {
        return Err(bound(field, min, found));
    }
    if found > max {
        return Err(bound(field, max, found));
    }
    Ok(())
}

/// The limits of a new board, as the contract tells them.
fn first_policy() -> Policy {
    Policy {
        claim_ttl_ms: 900_000,
        failure_limit: 2,
        backoff_base_ms: 30_000,
        backoff_max_ms: 3_600_000,
        block_streak_limit: 2,
        review_round_limit: 10,
    }
}
