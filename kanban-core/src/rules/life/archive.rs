//! Out of sight, back again, or gone for good.

use crate::error::{Error, Rejection, Result};
use crate::model::{ArchivedFrom, EventKind, Link, Outcome, Status, Task, TaskId, Title};
use crate::request::{ArchiveTask, DeleteTask, Ended, RestoreTask};
use crate::rules::authority::{RunEnd, close_run, expect_status, expect_version, stand_once};
use crate::rules::create::NOT_ARCHIVED;
use crate::rules::draft::{Decided, Draft, Entry};
use crate::rules::links::PARENTS_MAX;
use crate::rules::settle::{children, land, move_to, settle_children};
use crate::rules::{Answered, Command};

impl Command for ArchiveTask {
    type Answer = Ended;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Ended> {
        let mut task = draft.subject(&self.task)?;
        let right = stand_once(draft, &task, &self.authority)?;
        expect_version(&task, self.expected_version)?;
        expect_status(&task, NOT_ARCHIVED)?;

        let end = RunEnd::new(Outcome::Archived, right.ended_by());
        let run = close_run(draft, &mut task, end)?;
        let archived_from = ArchivedFrom {
            status: task.status,
            block: task.block.take(),
            wake_at: task.wake_at,
        };
        let from = move_to(&mut task, Status::Archived, draft.now());
        task.archived_from = Some(archived_from);
        draft.put_task(task)?;
        draft.event(
            right
                .sign(Entry::of(&self.task, EventKind::Archived))
                .run(run.as_ref().map(|run| run.id))
                .moved(from, Status::Archived),
        )?;
        let actor = right.actor.as_ref();
        settle_children(draft, &self.task, from, Status::Archived, actor)?;
        Ok(Answered::new(Ended {
            task: draft.subject(&self.task)?,
            run,
        }))
    }
}

impl Command for RestoreTask {
    type Answer = Task;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Task> {
        let mut task = draft.subject(&self.task)?;
        expect_status(&task, &[Status::Archived])?;
        if let Some(key) = &task.idempotency_key
            && let Some(taken_by) = draft.view().task_by_key(key)?
        {
            return Err(Rejection::KeyTaken { task: taken_by }.into());
        }
        let Some(was) = task.archived_from.take() else {
            return Err(Error::corrupt(format!("{} is archived from nowhere", task.id)).into());
        };
        let to = go_back(draft, &mut task, was);
        draft.put_task(task)?;
        draft.event(
            Entry::of(&self.task, EventKind::Restored)
                .by(Some(&self.actor))
                .moved(Status::Archived, to),
        )?;
        settle_children(draft, &self.task, Status::Archived, to, Some(&self.actor))?;
        Ok(Answered::new(draft.subject(&self.task)?))
    }
}

/// To what the task was, with what belongs to it, or to its landing. Answers the status.
fn go_back(draft: &Draft<'_>, task: &mut Task, was: ArchivedFrom) -> Status {
    let now = draft.now();
    let completed_at = task.completed_at;
    let has_passed = was.wake_at.is_some_and(|at| at <= now);
    match was.status {
        Status::Done | Status::Triage | Status::Blocked => {
            move_to(task, was.status, now);
        }
        Status::Scheduled if !has_passed => {
            move_to(task, Status::Scheduled, now);
            task.wake_at = was.wake_at;
        }
        _ => {
            land(task, now);
        }
    }
    if task.status == Status::Blocked {
        task.block = was.block;
    }
    if task.status == Status::Done {
        task.completed_at = completed_at;
    }
    task.status
}

impl Command for DeleteTask {
    type Answer = Title;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Title> {
        let task = draft.subject(&self.task)?;
        expect_status(&task, &[Status::Archived])?;
        remove_links(draft, &self.task)?;
        let title = task.title.clone();
        draft.forget_task(task);
        draft.event(
            Entry::of_board(EventKind::Deleted)
                .by(Some(&self.actor))
                .with("id", &self.task)
                .with("title", &title),
        )?;
        Ok(Answered::new(title))
    }
}

/// An archived parent was satisfied, so that the children lose nothing that they waited for.
fn remove_links(draft: &mut Draft<'_>, task: &TaskId) -> Result<()> {
    for parent in draft.view().parents(task, None, PARENTS_MAX)? {
        draft.remove_link(Link {
            parent,
            child: task.clone(),
        });
    }
    for child in children(draft, task)? {
        draft.remove_link(Link {
            parent: task.clone(),
            child,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::change::Change;
    use crate::error::{ErrorKind, Subject};
    use crate::memory::{label, task_id};
    use crate::model::{Block, BlockKind, Millis, RunId, Version};
    use crate::request::Authority;
    use crate::rules::testbed::{Testbed, boss, worker};

    fn archive(authority: Authority) -> ArchiveTask {
        ArchiveTask {
            task: task_id("t"),
            authority,
            expected_version: None,
        }
    }

    fn restore() -> RestoreTask {
        RestoreTask {
            task: task_id("t"),
            actor: label("boss"),
        }
    }

    fn delete() -> DeleteTask {
        DeleteTask {
            task: task_id("t"),
            actor: label("boss"),
        }
    }

    const fn from(status: Status) -> ArchivedFrom {
        ArchivedFrom {
            status,
            block: None,
            wake_at: None,
        }
    }

    fn archived(status: Status) -> impl FnOnce(&mut Task) {
        move |task| {
            task.status = Status::Archived;
            task.settled_at = Some(Millis::new(5));
            task.collectable = true;
            task.archived_from = Some(from(status));
        }
    }

    #[test]
    fn an_archived_task_ends_its_run_and_lets_its_children_go() {
        let mut bed = Testbed::new();
        bed.put_running("t", 1, |task| task.deferrals = 1);
        bed.put_in("child", Status::Todo);
        bed.link("t", "child");
        let (answer, changes) = bed.changes(&archive(worker(1)));
        let mut want = bed.expect();
        let now = bed.now;
        want.card("child", |task| {
            task.status = Status::Ready;
            task.open_parents = 0;
        });
        want.card("t", |task| {
            task.status = Status::Archived;
            task.claim = None;
            task.deferrals = 0;
            task.settled_at = Some(now);
            task.collectable = true;
            task.archived_from = Some(from(Status::Running));
        });
        want.close(1, |run| run.outcome = Some(Outcome::Archived));
        let data = json!({"from": "running", "to": "archived"});
        let event = want.event(Some("t"), EventKind::Archived, data);
        event.actor = Some(label("worker"));
        event.run = Some(RunId::new(1));
        let data = json!({"from": "todo", "to": "ready", "cause": "t"});
        want.event(Some("child"), EventKind::Promoted, data).actor = Some(label("worker"));
        assert_eq!(changes, want.list());
        assert_eq!(answer.run.unwrap().outcome, Some(Outcome::Archived));
    }

    #[test]
    fn a_done_task_is_archived_and_restored_as_it_was() {
        let mut bed = Testbed::new();
        bed.put("t", |task| {
            task.status = Status::Done;
            task.completed_at = Some(Millis::new(5));
            task.settled_at = Some(Millis::new(5));
            task.collectable = true;
        });
        bed.put("child", |_| {});
        bed.link("t", "child");
        let (_, changes) = bed.changes(&archive(boss()));
        let mut want = bed.expect();
        want.card("t", |task| {
            task.status = Status::Archived;
            task.archived_from = Some(from(Status::Done));
        });
        let data = json!({
            "authority": "operator", "reason": "because",
            "from": "done", "to": "archived",
        });
        want.event(Some("t"), EventKind::Archived, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());

        bed.write(&archive(boss()));
        let (_, changes) = bed.changes(&restore());
        let mut want = bed.expect();
        want.card("t", |task| {
            task.status = Status::Done;
            task.archived_from = None;
        });
        let data = json!({"from": "archived", "to": "done"});
        want.event(Some("t"), EventKind::Restored, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn an_archive_is_refused_in_the_order_of_the_contract() {
        let mut bed = Testbed::new();
        let call = ArchiveTask {
            expected_version: Some(Version::new(9)),
            ..archive(worker(1))
        };
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&call), unknown);
        bed.put_running("t", 1, |_| {});
        bed.write(&archive(worker(1)));
        let stale = Rejection::StaleRun {
            ended_as: Outcome::Archived,
            ended_at: bed.now,
            by: None,
        };
        assert_eq!(bed.rejection(&call), stale);
        let call = ArchiveTask {
            authority: boss(),
            ..call
        };
        let current = Version::new(2);
        assert_eq!(bed.rejection(&call), Rejection::VersionMismatch { current });
        bed.check_statuses(NOT_ARCHIVED, &archive(boss()));
    }

    #[test]
    fn a_restored_task_goes_back_to_its_block_or_its_hour() {
        let block = Block {
            kind: BlockKind::Parked,
            reason: None,
            by: None,
            at: Millis::new(1),
        };
        for (status, block, wake_at, to) in [
            (Status::Blocked, Some(block), None, Status::Blocked),
            (Status::Triage, None, None, Status::Triage),
            (Status::Scheduled, None, None, Status::Scheduled),
            (Status::Scheduled, None, Some(9_000_000), Status::Scheduled),
            (Status::Scheduled, None, Some(1_000_000), Status::Ready),
            (Status::Running, None, None, Status::Ready),
            (Status::Todo, None, None, Status::Ready),
        ] {
            let mut bed = Testbed::new();
            let wake_at = wake_at.map(Millis::new);
            bed.put("t", |task| {
                archived(status)(task);
                task.archived_from = Some(ArchivedFrom {
                    status,
                    block: block.clone(),
                    wake_at,
                });
            });
            let (_, changes) = bed.changes(&restore());
            let mut want = bed.expect();
            want.card("t", |task| {
                task.status = to;
                task.block = block;
                task.wake_at = wake_at.filter(|_| to == Status::Scheduled);
                task.settled_at = None;
                task.archived_from = None;
                task.collectable = false;
            });
            let data = json!({"from": "archived", "to": to});
            want.event(Some("t"), EventKind::Restored, data).actor = Some(label("boss"));
            assert_eq!(changes, want.list(), "from {status}");
        }
    }

    #[test]
    fn children_wait_again_for_a_restored_parent() {
        let mut bed = Testbed::new();
        bed.put("t", archived(Status::Ready));
        bed.put("child", |_| {});
        bed.put_running("goes_on", 1, |_| {});
        bed.link("t", "child");
        bed.link("t", "goes_on");
        let (_, changes) = bed.changes(&restore());
        let mut want = bed.expect();
        want.card("child", |task| {
            task.status = Status::Todo;
            task.open_parents = 1;
        });
        want.task("goes_on", |task| task.open_parents = 1);
        want.card("t", |task| {
            task.status = Status::Ready;
            task.settled_at = None;
            task.archived_from = None;
            task.collectable = false;
        });
        let data = json!({"from": "archived", "to": "ready"});
        want.event(Some("t"), EventKind::Restored, data).actor = Some(label("boss"));
        let data = json!({"from": "ready", "to": "todo", "cause": "t"});
        want.event(Some("child"), EventKind::Demoted, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn a_task_whose_key_is_taken_stays_archived() {
        let mut bed = Testbed::new();
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&restore()), unknown);
        bed.check_statuses(&[Status::Archived], &restore());
        let with_key = |task: &mut Task| task.idempotency_key = Some(label("key"));
        bed.put("other", with_key);
        bed.put("t", |task| {
            archived(Status::Ready)(task);
            with_key(task);
        });
        let taken = Rejection::KeyTaken {
            task: task_id("other"),
        };
        assert_eq!(bed.rejection(&restore()), taken);
    }

    #[test]
    fn a_deleted_task_takes_its_links_along() {
        let mut bed = Testbed::new();
        bed.put("t", archived(Status::Ready));
        bed.put("parent", |_| {});
        bed.put("child", |_| {});
        bed.link("parent", "t");
        bed.link("t", "child");
        let (answer, changes) = bed.changes(&delete());
        assert_eq!(answer.as_str(), "t");
        let mut want = bed.expect();
        want.push(Change::Task {
            before: Some(Box::new(bed.task("t"))),
            after: None,
        });
        want.remove_link("parent", "t");
        want.remove_link("t", "child");
        let data = json!({"id": "t", "title": "t"});
        want.event(None, EventKind::Deleted, data).actor = Some(label("boss"));
        want.push(Change::Forget(task_id("t")));
        assert_eq!(changes, want.list());

        bed.write(&delete());
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&delete()), unknown);
        bed.check_statuses(&[Status::Archived], &delete());
    }
}
