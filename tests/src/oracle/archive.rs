//! Out of sight, back, and away for good.

use kanban_core::{
    ArchiveTask, ArchivedFrom, DeleteTask, Ended, EventKind, Outcome, Rejection, RestoreTask,
    Scope, Status, Task, Title,
};

use super::board::{applied, rejected};
use super::log::Told;
use super::{Board, Ruled};

impl Board {
    pub(crate) fn archive(&mut self, call: ArchiveTask) -> Ruled<Ended> {
        let id = call.task;
        self.known(&id)?;
        let right = self.right(&id, &call.authority)?;
        self.expect_version(&id, call.expected_version)?;
        self.expect_status(
            &id,
            &[
                Status::Triage,
                Status::Todo,
                Status::Scheduled,
                Status::Ready,
                Status::Running,
                Status::Blocked,
                Status::Review,
                Status::Done,
            ],
        )?;
        if let Some(run) = right.run {
            self.close_run(run, Outcome::Archived, right.by.as_ref());
            self.task_mut(&id).deferrals = 0;
        }
        let task = self.task_mut(&id);
        let from = task.status;
        task.archived_from = Some(ArchivedFrom {
            status: from,
            block: task.block.clone(),
            wake_at: task.wake_at,
        });
        self.set_status(&id, Status::Archived);
        let told = right.told().moved(from, Status::Archived);
        self.tell(&id, EventKind::Archived, told);
        self.settle_children(&id, right.actor.as_ref());
        applied(self.ended(&id, right.run))
    }

    pub(crate) fn restore(&mut self, call: RestoreTask) -> Ruled<Task> {
        let id = call.task;
        self.known(&id)?;
        self.expect_status(&id, &[Status::Archived])?;
        if let Some(other) = self.keyed(self.task(&id).idempotency_key.as_ref()) {
            let task = other.id.clone();
            return Err(rejected(Rejection::KeyTaken { task }).into());
        }
        let now = self.now;
        let was = self.task_mut(&id).archived_from.take();
        let was = was.expect("an archived task remembers what it was");
        let is_over = was.wake_at.is_some_and(|at| at <= now);
        let to = match was.status {
            Status::Scheduled if is_over => self.landing(&id),
            Status::Done | Status::Triage | Status::Blocked | Status::Scheduled => was.status,
            _ => self.landing(&id),
        };
        self.set_status(&id, to);
        let task = self.task_mut(&id);
        if to == Status::Blocked {
            task.block = was.block;
        }
        if to == Status::Scheduled {
            task.wake_at = was.wake_at;
        }
        let told = Told::by(Some(&call.actor)).moved(Status::Archived, to);
        self.tell(&id, EventKind::Restored, told);
        self.settle_children(&id, Some(&call.actor));
        applied(self.task(&id).clone())
    }

    pub(crate) fn delete(&mut self, call: DeleteTask) -> Ruled<Title> {
        let id = call.task;
        self.known(&id)?;
        self.expect_status(&id, &[Status::Archived])?;
        let title = self.task(&id).title.clone();
        let scope = Scope::Task(id.clone());
        self.links
            .retain(|link| link.parent != id && link.child != id);
        self.comments.retain(|row| row.task != id);
        self.attachments.retain(|row| row.task != id);
        self.runs.retain(|row| row.task != id);
        self.events.retain(|row| row.task.as_ref() != Some(&id));
        self.subscriptions.retain(|row| row.scope != scope);
        self.tasks.retain(|row| row.task.id != id);
        let told = Told::by(Some(&call.actor))
            .with("id", id.as_str())
            .with("title", title.as_str());
        self.tell_board(EventKind::Deleted, told);
        applied(title)
    }
}
