//! Reopening, and what becomes of the descendants.

use std::sync::Arc;

use kanban_core::{
    Comment, CommentId, EventKind, Label, Outcome, Phase, Reason, ReopenTask, Reopened, Status,
    StoppedRun, Task, TaskId,
};

use super::board::applied;
use super::log::Told;
use super::{Board, Ruled};

impl Board {
    pub(crate) fn reopen(&mut self, call: ReopenTask) -> Ruled<Reopened> {
        let id = call.task;
        self.known(&id)?;
        self.expect_status(&id, &[Status::Done])?;
        begin_again(self.task_mut(&id));
        let (from, to) = self.land(&id);
        let told = Told::by(Some(&call.actor))
            .with_some("reason", call.reason.as_ref().map(Reason::as_str));
        self.tell(&id, EventKind::Reopened, told.moved(from, to));
        let (mut invalidated, mut stopped) = (Vec::new(), Vec::new());
        for below in self.descendants(&id) {
            let was = self.task(&below).status;
            if !matches!(
                was,
                Status::Ready | Status::Review | Status::Running | Status::Done
            ) {
                continue;
            }
            let run = self.task(&below).claim.as_ref().map(|claim| claim.run);
            if let Some(run) = run {
                let closed = self.close_run(run, Outcome::Invalidated, Some(&call.actor));
                let run = closed.clone();
                let task = below.clone();
                stopped.push(StoppedRun { task, run });
            }
            begin_again(self.task_mut(&below));
            self.set_status(&below, Status::Todo);
            let told = Told::by(Some(&call.actor))
                .of_run(run)
                .with("ancestor", id.as_str())
                .with("was", was.as_str());
            self.tell(
                &below,
                EventKind::Invalidated,
                told.moved(was, Status::Todo),
            );
            let text = match &call.reason {
                Some(reason) => format!("Back to todo: {id} was reopened: {reason}"),
                None => format!("Back to todo: {id} was reopened."),
            };
            self.remark(&below, &call.actor, &text);
            invalidated.push(below);
        }
        applied(Reopened {
            task: self.task(&id).clone(),
            invalidated,
            stopped,
        })
    }

    /// Every task below that is not behind an archived one, each once, the nearest first. [10.3]
    fn descendants(&self, id: &TaskId) -> Vec<TaskId> {
        let mut found: Vec<TaskId> = Vec::new();
        let mut next = vec![id.clone()];
        while !next.is_empty() {
            let parent = next.remove(0);
            for child in self.children_of(&parent) {
                let is_archived = self.task(&child).status == Status::Archived;
                if !is_archived && !found.contains(&child) && child != *id {
                    found.push(child.clone());
                    next.push(child);
                }
            }
        }
        found
    }

    /// A comment that is no event.
    pub(super) fn remark(&mut self, task: &TaskId, author: &Label, text: &str) {
        self.counters.comment = CommentId::new(self.counters.comment.get() + 1);
        self.comments.push(Arc::new(Comment {
            id: self.counters.comment,
            task: task.clone(),
            author: author.clone(),
            body: crate::calls::note(text),
            at: self.now,
            request_id: None,
        }));
    }
}

/// [10.5]
fn begin_again(task: &mut Task) {
    task.failures = 0;
    task.deferrals = 0;
    task.last_error = None;
    task.block_streak = None;
    task.review_rounds = 0;
    task.not_before = None;
    // Work that nobody has handed in yet has no implementer: its assignee stays.
    if task.implementer.is_some() || task.phase == Phase::Review {
        task.assignee.clone_from(&task.implementer);
    }
    task.phase = Phase::Work;
}
