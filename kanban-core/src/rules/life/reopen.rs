//! A done task that is not done, and everything that was built on it.

use std::collections::{BTreeSet, VecDeque};

use crate::error::Result;
use crate::model::{Comment, EventKind, Note, Outcome, Phase, Status, Task, TaskId};
use crate::request::{ReopenTask, Reopened, StoppedRun};
use crate::rules::authority::{RunEnd, close_run, expect_status};
use crate::rules::draft::{Decided, Draft, Entry};
use crate::rules::end::forget_trouble;
use crate::rules::settle::{children, land, move_to};
use crate::rules::talk::expect_text;
use crate::rules::{Answered, Command};

impl Command for ReopenTask {
    type Answer = Reopened;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Reopened> {
        // Who does it is the author of a comment.
        expect_text("actor", self.actor.as_str())?;
        let mut task = draft.subject(&self.task)?;
        expect_status(&task, &[Status::Done])?;
        start_over(&mut task);
        let (from, to) = land(&mut task, draft.now());
        draft.put_task(task)?;
        draft.event(
            Entry::of(&self.task, EventKind::Reopened)
                .by(Some(&self.actor))
                .moved(from, to)
                .with("reason", &self.reason),
        )?;
        let mut walk = Walk::default();
        self.invalidate_descendants(draft, &mut walk)?;
        Ok(Answered::new(Reopened {
            task: draft.subject(&self.task)?,
            invalidated: walk.invalidated,
            stopped: walk.stopped,
        }))
    }
}

/// What the walk over the descendants has found.
#[derive(Debug, Default)]
struct Walk {
    seen: BTreeSet<TaskId>,
    /// Whose children are to be looked at, and whether those lost a satisfied parent in it.
    queue: VecDeque<(TaskId, bool)>,
    invalidated: Vec<TaskId>,
    stopped: Vec<StoppedRun>,
}

impl ReopenTask {
    /// Breadth first. Each descendant gets its own event, and so none of settling: it goes to `todo`, where an
    /// unsatisfied parent is certain, for the parent by which the walk came to it is one.
    fn invalidate_descendants(&self, draft: &mut Draft<'_>, walk: &mut Walk) -> Result<()> {
        walk.seen.insert(self.task.clone());
        walk.queue.push_back((self.task.clone(), true));
        while let Some((parent, has_reopened)) = walk.queue.pop_front() {
            for id in children(draft, &parent)? {
                let Some(mut child) = draft.task(&id)? else {
                    continue;
                };
                if has_reopened {
                    child.open_parents += 1;
                    draft.put_task(child.clone())?;
                }
                if child.status == Status::Archived || !walk.seen.insert(id.clone()) {
                    continue;
                }
                walk.queue.push_back((id, child.status == Status::Done));
                if matches!(
                    child.status,
                    Status::Ready | Status::Review | Status::Running | Status::Done
                ) {
                    self.invalidate(draft, walk, child)?;
                }
            }
        }
        Ok(())
    }

    fn invalidate(&self, draft: &mut Draft<'_>, walk: &mut Walk, mut task: Task) -> Result<()> {
        let id = task.id.clone();
        let end = RunEnd::new(Outcome::Invalidated, Some(self.actor.clone()));
        let run = close_run(draft, &mut task, end)?;
        start_over(&mut task);
        let was = move_to(&mut task, Status::Todo, draft.now());
        draft.put_task(task)?;
        let comment = Comment {
            id: draft.next_comment(),
            task: id.clone(),
            author: self.actor.clone(),
            body: self.notice(),
            at: draft.now(),
            request_id: None,
        };
        draft.add_comment(comment);
        draft.event(
            Entry::of(&id, EventKind::Invalidated)
                .by(Some(&self.actor))
                .run(run.as_ref().map(|run| run.id))
                .moved(was, Status::Todo)
                .with("ancestor", &self.task)
                .with("was", was),
        )?;
        if let Some(run) = run {
            walk.stopped.push(StoppedRun {
                task: id.clone(),
                run,
            });
        }
        walk.invalidated.push(id);
        Ok(())
    }

    fn notice(&self) -> Note {
        let text = match &self.reason {
            Some(reason) => format!("Back to todo: {} was reopened: {reason}", self.task),
            None => format!("Back to todo: {} was reopened.", self.task),
        };
        Note::new("body", text).expect("a reason and an id are shorter than a note")
    }
}

/// Clears what the work so far has left on the card. The result stays until the next completion.
fn start_over(task: &mut Task) {
    forget_trouble(task);
    task.block_streak = None;
    task.review_rounds = 0;
    if task.phase == Phase::Review || task.implementer.is_some() {
        task.assignee.clone_from(&task.implementer);
    }
    task.phase = Phase::Work;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::{ErrorKind, Subject};
    use crate::memory::{comment, label, task_id};
    use crate::model::{BlockKind, BlockStreak, Millis, RunId};
    use crate::rules::testbed::{Testbed, assignee, ids, note, reason};

    fn reopen() -> ReopenTask {
        ReopenTask {
            task: task_id("t"),
            actor: label("boss"),
            reason: Some(reason("wrong")),
        }
    }

    fn done(task: &mut Task) {
        task.status = Status::Done;
        task.completed_at = Some(Millis::new(5));
        task.settled_at = Some(Millis::new(5));
        task.collectable = true;
    }

    fn with_trouble(task: &mut Task) {
        task.failures = 1;
        task.deferrals = 1;
        task.last_error = Some(note("oom"));
        task.block_streak = Some(BlockStreak {
            kind: BlockKind::Other,
            count: 1,
        });
        task.review_rounds = 1;
        task.not_before = Some(Millis::new(5));
        task.phase = Phase::Review;
        task.assignee = Some(assignee("rob"));
        task.implementer = Some(assignee("ann"));
    }

    fn without_trouble(task: &mut Task) {
        forget_trouble(task);
        task.block_streak = None;
        task.review_rounds = 0;
        task.phase = Phase::Work;
        task.assignee = Some(assignee("ann"));
        task.completed_at = None;
        task.settled_at = None;
        task.collectable = false;
        task.claim = None;
    }

    #[test]
    fn a_reopened_task_starts_over() {
        let mut bed = Testbed::new();
        bed.put("t", |task| {
            with_trouble(task);
            done(task);
        });
        let (answer, changes) = bed.changes(&reopen());
        let mut want = bed.expect();
        want.card("t", |task| {
            without_trouble(task);
            task.status = Status::Ready;
        });
        let data = json!({"from": "done", "to": "ready", "reason": "wrong"});
        want.event(Some("t"), EventKind::Reopened, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());
        assert_eq!((answer.invalidated, answer.stopped), (vec![], vec![]));
    }

    /// t → a (done) → b (running) → c (archived) → d (ready);
    /// t → e (blocked) → f (review); t → b; a → g (todo).
    fn family() -> Testbed {
        let mut bed = Testbed::new();
        bed.put("t", done);
        bed.put("a", done);
        bed.put_running("b", 1, with_trouble);
        bed.put("c", |task| {
            task.status = Status::Archived;
            task.settled_at = Some(Millis::new(5));
        });
        bed.put("d", |_| {});
        bed.put_in("e", Status::Blocked);
        bed.put("f", |task| {
            task.status = Status::Review;
            task.phase = Phase::Review;
        });
        bed.put_in("g", Status::Todo);
        for (parent, child) in [
            ("t", "a"),
            ("t", "b"),
            ("t", "e"),
            ("a", "b"),
            ("a", "g"),
            ("b", "c"),
            ("c", "d"),
            ("e", "f"),
        ] {
            bed.link(parent, child);
        }
        bed
    }

    #[test]
    fn every_descendant_is_invalidated_once_but_not_through_the_archive() {
        let bed = family();
        let (answer, changes) = bed.changes(&reopen());
        let mut want = bed.expect();
        want.card("a", |task| {
            task.status = Status::Todo;
            task.completed_at = None;
            task.settled_at = None;
            task.collectable = false;
            task.open_parents = 1;
        });
        want.card("b", |task| {
            without_trouble(task);
            task.status = Status::Todo;
            task.open_parents = 2;
        });
        want.task("e", |task| task.open_parents = 1);
        want.card("f", |task| {
            task.status = Status::Todo;
            task.phase = Phase::Work;
        });
        want.task("g", |task| task.open_parents = 1);
        want.card("t", |task| {
            task.status = Status::Ready;
            task.completed_at = None;
            task.settled_at = None;
            task.collectable = false;
        });
        want.close(1, |run| {
            run.outcome = Some(Outcome::Invalidated);
            run.ended_by = Some(label("boss"));
        });
        for (id, task) in [(1, "a"), (2, "b"), (3, "f")] {
            let mut notice = comment(id, task);
            notice.author = label("boss");
            notice.body = note("Back to todo: t was reopened: wrong");
            notice.at = bed.now;
            want.comment(notice);
        }
        let data = json!({"from": "done", "to": "ready", "reason": "wrong"});
        want.event(Some("t"), EventKind::Reopened, data).actor = Some(label("boss"));
        for (task, was) in [("a", "done"), ("b", "running"), ("f", "review")] {
            let data = json!({"ancestor": "t", "was": was, "from": was, "to": "todo"});
            let event = want.event(Some(task), EventKind::Invalidated, data);
            event.actor = Some(label("boss"));
            event.run = (task == "b").then_some(RunId::new(1));
        }
        assert_eq!(changes, want.list());
        assert_eq!(answer.task.status, Status::Ready);
        assert_eq!(answer.invalidated, ids(&["a", "b", "f"]));
        let stopped: Vec<_> = answer.stopped.iter().map(|s| (&s.task, s.run.id)).collect();
        assert_eq!(stopped, [(&task_id("b"), RunId::new(1))]);
    }

    #[test]
    fn a_reopened_task_waits_for_its_own_parents() {
        let mut bed = Testbed::new();
        bed.put("p", |_| {});
        bed.put("t", done);
        bed.link("p", "t");
        assert_eq!(bed.write(&reopen()).task.status, Status::Todo);
    }

    #[test]
    fn only_a_done_task_is_reopened() {
        let mut bed = Testbed::new();
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&reopen()), unknown);
        bed.check_statuses(&[Status::Done], &reopen());
    }
}
