//! Where tasks stand, and where they go when something around them changes.

use std::sync::Arc;

use kanban_core::{EventKind, Label, Millis, Phase, Status, Task, TaskId};

use super::Board;
use super::board::is_satisfied;
use super::log::Told;

impl Board {
    /// Ends the back-offs that are reached. [6.8]
    pub(super) fn ripen(&mut self, now: Millis) {
        for row in &mut self.tasks {
            let is_claimable = matches!(row.task.status, Status::Ready | Status::Review);
            if is_claimable && row.task.not_before.is_some() {
                ripen(&mut Arc::make_mut(row).task, now);
            }
        }
    }

    /// Where the task goes when nothing holds it. [2.2]
    pub(super) fn landing(&self, id: &TaskId) -> Status {
        if !self.unsatisfied_parents_of(id).is_empty() {
            return Status::Todo;
        }
        match self.task(id).phase {
            Phase::Work => Status::Ready,
            Phase::Review => Status::Review,
        }
    }

    /// Moves a task. What belongs to the status that it leaves goes. [2.8] [3.5] [17.4]
    pub(super) fn set_status(&mut self, id: &TaskId, to: Status) {
        let now = self.now;
        let task = self.task_mut(id);
        let from = task.status;
        task.status = to;
        if to != Status::Blocked {
            task.block = None;
        }
        if to != Status::Scheduled {
            task.wake_at = None;
        }
        if to != Status::Running {
            task.claim = None;
        }
        if matches!(to, Status::Ready | Status::Review) {
            ripen(task, now);
        }
        if !is_satisfied(to) {
            task.completed_at = None;
            task.settled_at = None;
        } else if !is_satisfied(from) {
            task.settled_at = Some(now);
        }
        for child in self.children_of(id) {
            self.count_parents(&child);
        }
    }

    /// Counts the unsatisfied parents anew. [2.7]
    pub(super) fn count_parents(&mut self, id: &TaskId) {
        let open = self.unsatisfied_parents_of(id).len();
        self.task_mut(id).open_parents = u32::try_from(open).expect("a task has 1,000 parents");
    }

    /// Settles a task. [2.4] [2.5]
    pub(super) fn settle(&mut self, id: &TaskId, cause: &TaskId, actor: Option<&Label>) {
        let from = self.task(id).status;
        let to = self.landing(id);
        let kind = match from {
            Status::Todo if to != Status::Todo => EventKind::Promoted,
            Status::Ready | Status::Review if to == Status::Todo => EventKind::Demoted,
            _ => return,
        };
        self.set_status(id, to);
        let told = Told::by(actor).with("cause", cause.as_str());
        self.tell(id, kind, told.moved(from, to));
    }

    /// Settles the children of a task. [2.6]
    pub(super) fn settle_children(&mut self, parent: &TaskId, actor: Option<&Label>) {
        for child in self.children_of(parent) {
            self.settle(&child, parent, actor);
        }
    }
}

/// Ends the back-off of a claimable task if it is reached. [6.8]
pub(super) fn ripen(task: &mut Task, now: Millis) {
    if task.not_before.is_some_and(|at| at <= now) {
        task.not_before = None;
    }
}

/// Clears what another assignee begins anew. [5.10]
pub(super) fn begin_anew(task: &mut Task) {
    task.failures = 0;
    task.deferrals = 0;
    task.last_error = None;
    task.not_before = None;
}
