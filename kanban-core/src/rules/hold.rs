//! Holding work back, and letting it go on.

mod block;
mod promote;

pub(crate) use self::block::check_streak;

use crate::error::Invalid;
use crate::model::{EventKind, Note, Outcome, Pause, Reason, Status, Task};
use crate::request::{Ended, PauseClaims, ResumeClaims, ScheduleTask, UnblockTask};

use super::authority::{RunEnd, close_run, expect_status, expect_version, stand_once};
use super::draft::{Decided, Draft, Entry};
use super::settle::{land, move_to};
use super::{Answered, Command};

impl Command for PauseClaims {
    type Answer = Pause;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Pause> {
        let before = draft.pause(&self.target)?;
        let pause = Pause {
            target: self.target.clone(),
            actor: self.actor.clone(),
            reason: self.reason.clone(),
            at: before.as_ref().map_or(draft.now(), |before| before.at),
        };
        if before.as_ref() != Some(&pause) {
            draft.set_pause(before, Some(pause.clone()));
            draft.event(
                Entry::of_board(EventKind::Paused)
                    .by(Some(&self.actor))
                    .with("target", &self.target)
                    .with("reason", &self.reason),
            )?;
        }
        Ok(Answered::new(pause))
    }
}

impl Command for ResumeClaims {
    type Answer = Option<Pause>;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Option<Pause>> {
        let before = draft.pause(&self.target)?;
        if let Some(pause) = &before {
            draft.set_pause(before.clone(), None);
            draft.event(
                Entry::of_board(EventKind::Resumed)
                    .by(Some(&self.actor))
                    .with("target", &self.target)
                    .with("reason", &pause.reason),
            )?;
        }
        Ok(Answered::new(before))
    }
}

impl Command for UnblockTask {
    type Answer = Task;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Task> {
        let mut task = draft.subject(&self.task)?;
        expect_status(&task, &[Status::Scheduled, Status::Blocked])?;
        task.failures = 0;
        task.deferrals = 0;
        task.not_before = None;
        let (from, to) = land(&mut task, draft.now());
        draft.put_task(task)?;
        draft.event(
            Entry::of(&self.task, EventKind::Unblocked)
                .by(Some(&self.actor))
                .moved(from, to),
        )?;
        Ok(Answered::new(draft.subject(&self.task)?))
    }
}

/// From where a task can be put off.
const SCHEDULABLE: &[Status] = &[
    Status::Todo,
    Status::Scheduled,
    Status::Ready,
    Status::Running,
    Status::Blocked,
    Status::Review,
];

impl Command for ScheduleTask {
    type Answer = Ended;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Ended> {
        if self.at.is_some_and(|at| at <= draft.now()) {
            return Err(Invalid::malformed("at", "in the future").into());
        }
        let mut task = draft.subject(&self.task)?;
        let right = stand_once(draft, &task, &self.authority)?;
        expect_version(&task, self.expected_version)?;
        expect_status(&task, SCHEDULABLE)?;

        let end = RunEnd::new(Outcome::Scheduled, right.ended_by());
        let run = close_run(draft, &mut task, end)?;
        let from = move_to(&mut task, Status::Scheduled, draft.now());
        task.wake_at = self.at;
        draft.put_task(task)?;
        draft.event(
            right
                .sign(Entry::of(&self.task, EventKind::Scheduled))
                .run(run.as_ref().map(|run| run.id))
                .moved(from, Status::Scheduled)
                .with("wake_at", self.at)
                .with("reason", &self.reason),
        )?;
        Ok(Answered::new(Ended {
            task: draft.subject(&self.task)?,
            run,
        }))
    }
}

/// A reason in the place of a run's summary.
pub(super) fn as_note(reason: &Reason) -> Note {
    Note::new("reason", reason.as_str()).expect("a reason is not empty and shorter than a note")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::change::Change;
    use crate::error::{ErrorKind, Rejection, Subject};
    use crate::memory::{label, task_id};
    use crate::model::{
        Assignee, Block, BlockKind, BlockStreak, Millis, PauseTarget, RunId, Version,
    };
    use crate::request::Authority;
    use crate::rules::testbed::{Testbed, boss, note, reason, worker};

    fn pause(actor: &str, why: Option<&str>) -> PauseClaims {
        PauseClaims {
            target: PauseTarget::Assignee(Assignee::new("ann").unwrap()),
            actor: label(actor),
            reason: why.map(reason),
        }
    }

    #[test]
    fn a_pause_is_told_to_the_board() {
        let bed = Testbed::new();
        let call = pause("boss", Some("holiday"));
        let (answer, changes) = bed.changes(&call);
        assert_eq!(
            answer,
            Pause {
                target: call.target.clone(),
                actor: label("boss"),
                reason: Some(reason("holiday")),
                at: bed.now,
            }
        );
        let mut want = bed.expect();
        want.push(Change::Pause {
            before: None,
            after: Some(answer),
        });
        let data = json!({"target": {"assignee": "ann"}, "reason": "holiday"});
        want.event(None, EventKind::Paused, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn a_second_pause_replaces_actor_and_reason() {
        let mut bed = Testbed::new();
        let first = bed.write(&pause("boss", Some("holiday")));
        assert_eq!(bed.unchanged(&pause("boss", Some("holiday"))), first);
        let since = bed.now;
        bed.now = Millis::new(2_000_000);
        let (answer, changes) = bed.changes(&pause("deputy", None));
        assert_eq!((answer.actor.as_str(), answer.at), ("deputy", since));
        let mut want = bed.expect();
        want.push(Change::Pause {
            before: Some(first),
            after: Some(answer),
        });
        let data = json!({"target": {"assignee": "ann"}});
        want.event(None, EventKind::Paused, data).actor = Some(label("deputy"));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn one_resume_ends_a_pause_and_a_second_changes_nothing() {
        let mut bed = Testbed::new();
        let paused = bed.write(&PauseClaims {
            target: PauseTarget::Board,
            ..pause("boss", Some("holiday"))
        });
        let call = ResumeClaims {
            target: PauseTarget::Board,
            actor: label("deputy"),
        };
        let (answer, changes) = bed.changes(&call);
        assert_eq!(answer.as_ref(), Some(&paused));
        let mut want = bed.expect();
        want.push(Change::Pause {
            before: Some(paused),
            after: None,
        });
        let data = json!({"target": "board", "reason": "holiday"});
        want.event(None, EventKind::Resumed, data).actor = Some(label("deputy"));
        assert_eq!(changes, want.list());
        bed.write(&call);
        assert_eq!(bed.unchanged(&call), None);
    }

    fn unblock() -> UnblockTask {
        UnblockTask {
            task: task_id("t"),
            actor: label("boss"),
        }
    }

    #[test]
    fn an_unblocked_task_lands_without_failures_and_keeps_its_streak() {
        let mut bed = Testbed::new();
        bed.put("t", |task| {
            task.status = Status::Blocked;
            task.block = Some(Block {
                kind: BlockKind::Breaker,
                reason: None,
                by: None,
                at: Millis::new(1),
            });
            task.failures = 2;
            task.deferrals = 1;
            task.last_error = Some(note("oom"));
            task.not_before = Some(Millis::new(9_000_000));
            task.block_streak = Some(BlockStreak {
                kind: BlockKind::Other,
                count: 1,
            });
        });
        let (answer, changes) = bed.changes(&unblock());
        assert_eq!(answer.status, Status::Ready);
        let mut want = bed.expect();
        want.card("t", |task| {
            task.status = Status::Ready;
            task.block = None;
            task.failures = 0;
            task.deferrals = 0;
            task.not_before = None;
        });
        let data = json!({"from": "blocked", "to": "ready"});
        want.event(Some("t"), EventKind::Unblocked, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn an_unblocked_scheduled_task_waits_for_its_parents() {
        let mut bed = Testbed::new();
        bed.put("p", |_| {});
        bed.put("t", |task| {
            task.status = Status::Scheduled;
            task.wake_at = Some(Millis::new(9_000_000));
        });
        bed.link("p", "t");
        let answer = bed.write(&unblock());
        assert_eq!((answer.status, answer.wake_at), (Status::Todo, None));
    }

    #[test]
    fn only_blocked_and_scheduled_tasks_are_unblocked() {
        let mut bed = Testbed::new();
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&unblock()), unknown);
        bed.check_statuses(&[Status::Scheduled, Status::Blocked], &unblock());
    }

    fn schedule(authority: Authority) -> ScheduleTask {
        ScheduleTask {
            task: task_id("t"),
            authority,
            at: Some(Millis::new(5_000_000)),
            reason: Some(reason("later")),
            expected_version: None,
        }
    }

    #[test]
    fn a_worker_puts_its_task_off() {
        let mut bed = Testbed::new();
        bed.put_running("t", 1, |task| task.deferrals = 2);
        let (answer, changes) = bed.changes(&schedule(worker(1)));
        let mut want = bed.expect();
        want.card("t", |task| {
            task.status = Status::Scheduled;
            task.wake_at = Some(Millis::new(5_000_000));
            task.claim = None;
            task.deferrals = 0;
        });
        want.close(1, |run| run.outcome = Some(Outcome::Scheduled));
        let data =
            json!({"from": "running", "to": "scheduled", "wake_at": 5_000_000, "reason": "later"});
        let event = want.event(Some("t"), EventKind::Scheduled, data);
        event.actor = Some(label("worker"));
        event.run = Some(RunId::new(1));
        assert_eq!(changes, want.list());
        assert_eq!(answer.run.map(|run| run.id), Some(RunId::new(1)));
    }

    #[test]
    fn scheduling_a_scheduled_task_moves_the_time() {
        let mut bed = Testbed::new();
        bed.put("t", |task| {
            task.status = Status::Scheduled;
            task.wake_at = Some(Millis::new(9_000_000));
        });
        let call = ScheduleTask {
            at: None,
            reason: None,
            ..schedule(boss())
        };
        let (answer, changes) = bed.changes(&call);
        assert_eq!(answer.run, None);
        let mut want = bed.expect();
        want.card("t", |task| task.wake_at = None);
        let data = json!({"authority": "operator", "reason": "because"});
        want.event(Some("t"), EventKind::Scheduled, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn scheduling_is_refused_in_the_order_of_the_contract() {
        let mut bed = Testbed::new();
        let past = ScheduleTask {
            at: Some(bed.now),
            ..schedule(worker(1))
        };
        assert_eq!(bed.invalid(&past), "at");
        let call = ScheduleTask {
            expected_version: Some(Version::new(9)),
            ..schedule(worker(1))
        };
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&call), unknown);
        bed.put_running("t", 1, |_| {});
        bed.write(&schedule(worker(1)));
        let stale = Rejection::StaleRun {
            ended_as: Outcome::Scheduled,
            ended_at: bed.now,
            by: None,
        };
        assert_eq!(bed.rejection(&call), stale, "a repeat is none here");
        bed.put_in("t", Status::Done);
        let call = ScheduleTask {
            authority: boss(),
            ..call
        };
        let current = Version::new(1);
        assert_eq!(bed.rejection(&call), Rejection::VersionMismatch { current });
        bed.check_statuses(SCHEDULABLE, &schedule(boss()));
    }
}
