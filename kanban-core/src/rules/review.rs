//! Handing work in, and giving it back.

use crate::error::Rejection;
use crate::model::{Block, BlockKind, EventKind, Outcome, Phase, Status, Task};
use crate::request::{Ended, RequestChanges, RequestReview};

use super::authority::{Right, RunEnd, Standing, close_run, expect_status, keep_run, stand};
use super::draft::{Decided, Draft, Entry};
use super::end::repeat;
use super::hold::as_note;
use super::settle::{land, move_to};
use super::{Answered, Command};

impl Command for RequestReview {
    type Answer = Ended;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Ended> {
        let mut task = draft.subject(&self.task)?;
        let right = match stand(
            draft,
            &task,
            &self.authority,
            Some(Outcome::ReviewRequested),
        )? {
            Standing::Go(right) => right,
            Standing::Repeat(run) => return Ok(repeat(task, *run)),
        };
        expect_status(&task, &[Status::Ready, Status::Running])?;

        let run = if task.claim.is_some() {
            close_run(draft, &mut task, self.run_end(&right))?
        } else if self.summary.is_some() || self.metadata.is_some() {
            Some(keep_run(draft, &task, self.run_end(&right)))
        } else {
            None
        };
        self.hand_over(&mut task);
        let (from, to) = land(&mut task, draft.now());
        let reviewer = task.assignee.clone();
        draft.put_task(task)?;
        draft.event(
            right
                .sign(Entry::of(&self.task, EventKind::ReviewRequested))
                .run(run.as_ref().map(|run| run.id))
                .moved(from, to)
                .with("reviewer", reviewer),
        )?;
        Ok(Answered::new(Ended {
            task: draft.subject(&self.task)?,
            run,
        }))
    }
}

impl RequestReview {
    fn run_end(&self, right: &Right<'_>) -> RunEnd {
        RunEnd {
            summary: self.summary.clone(),
            metadata: self.metadata.clone(),
            ..RunEnd::new(Outcome::ReviewRequested, right.ended_by())
        }
    }

    /// From the implementer to the reviewer. A running review is handed on: its implementer stays.
    fn hand_over(&self, task: &mut Task) {
        if task.phase == Phase::Work {
            task.implementer.clone_from(&task.assignee);
        }
        task.phase = Phase::Review;
        if self.reviewer.is_some() {
            task.reviewer.clone_from(&self.reviewer);
        }
        if task.reviewer.is_some() {
            task.assignee.clone_from(&task.reviewer);
        }
    }
}

impl Command for RequestChanges {
    type Answer = Ended;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Ended> {
        let mut task = draft.subject(&self.task)?;
        let right = match stand(
            draft,
            &task,
            &self.authority,
            Some(Outcome::ChangesRequested),
        )? {
            Standing::Go(right) => right,
            Standing::Repeat(run) => return Ok(repeat(task, *run)),
        };
        expect_review(&task)?;

        let end = RunEnd {
            summary: self.reason.as_ref().map(as_note),
            ..RunEnd::new(Outcome::ChangesRequested, right.ended_by())
        };
        let run = close_run(draft, &mut task, end)?;
        task.phase = Phase::Work;
        task.assignee.clone_from(&task.implementer);
        task.review_rounds = task.review_rounds.saturating_add(1);
        let rounds = task.review_rounds;
        let now = draft.now();
        let (from, to) = if rounds >= draft.policy()?.review_round_limit {
            let from = move_to(&mut task, Status::Blocked, now);
            task.block = Some(Block {
                kind: BlockKind::ReviewLoop,
                reason: self.reason.clone(),
                by: None,
                at: now,
            });
            (from, Status::Blocked)
        } else {
            land(&mut task, now)
        };
        draft.put_task(task)?;
        draft.event(
            right
                .sign(Entry::of(&self.task, EventKind::ChangesRequested))
                .run(run.as_ref().map(|run| run.id))
                .moved(from, to)
                .with("reason", &self.reason)
                .with("review_rounds", rounds),
        )?;
        Ok(Answered::new(Ended {
            task: draft.subject(&self.task)?,
            run,
        }))
    }
}

/// Refuses unless the task is under review, or waits for it.
fn expect_review(task: &Task) -> Result<(), Rejection> {
    if task.status == Status::Running && task.phase == Phase::Work {
        return expect_status(task, &[Status::Review]);
    }
    expect_status(task, &[Status::Running, Status::Review])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::{ErrorKind, Subject};
    use crate::memory::{label, run, task_id};
    use crate::model::{Assignee, JsonObject, RunId};
    use crate::request::Authority;
    use crate::rules::testbed::{Testbed, assignee, boss, note, reason, worker};

    fn hand_in(authority: Authority, reviewer: Option<Assignee>) -> RequestReview {
        RequestReview {
            task: task_id("t"),
            authority,
            summary: Some(note("it works")),
            metadata: Some(JsonObject::parse("metadata", r#"{"pr": 7}"#).unwrap()),
            reviewer,
        }
    }

    fn bare(call: &RequestReview) -> RequestReview {
        RequestReview {
            summary: None,
            metadata: None,
            ..call.clone()
        }
    }

    #[test]
    fn work_goes_to_the_reviewer() {
        let mut bed = Testbed::new();
        bed.put_running("t", 1, |task| {
            task.assignee = Some(assignee("ann"));
            task.failures = 1;
            task.deferrals = 1;
        });
        let (answer, changes) = bed.changes(&hand_in(worker(1), Some(assignee("rob"))));
        let mut want = bed.expect();
        want.card("t", |task| {
            task.status = Status::Review;
            task.phase = Phase::Review;
            task.claim = None;
            task.deferrals = 0;
            task.implementer = Some(assignee("ann"));
            task.reviewer = Some(assignee("rob"));
            task.assignee = Some(assignee("rob"));
        });
        want.close(1, |run| {
            run.outcome = Some(Outcome::ReviewRequested);
            run.summary = Some(note("it works"));
            run.metadata = hand_in(worker(1), None).metadata;
        });
        let data = json!({"from": "running", "to": "review", "reviewer": "rob"});
        let event = want.event(Some("t"), EventKind::ReviewRequested, data);
        event.actor = Some(label("worker"));
        event.run = Some(RunId::new(1));
        assert_eq!(changes, want.list());
        assert_eq!(answer.run.unwrap().assignee, Some(assignee("ann")));
    }

    #[test]
    fn the_last_reviewer_reviews_again_and_a_review_with_open_parents_waits() {
        let mut bed = Testbed::new();
        bed.put("p", |_| {});
        bed.put_running("t", 1, |task| {
            task.assignee = Some(assignee("ann"));
            task.reviewer = Some(assignee("rob"));
        });
        bed.link("p", "t");
        let task = bed.write(&hand_in(worker(1), None)).task;
        assert_eq!((task.status, task.phase), (Status::Todo, Phase::Review));
        assert_eq!(task.assignee, Some(assignee("rob")));
    }

    #[test]
    fn a_review_that_is_handed_on_keeps_its_implementer() {
        let mut bed = Testbed::new();
        bed.put_running("t", 1, |task| {
            task.phase = Phase::Review;
            task.assignee = Some(assignee("rob"));
            task.implementer = Some(assignee("ann"));
        });
        let task = bed.write(&hand_in(worker(1), Some(assignee("sue")))).task;
        assert_eq!(task.implementer, Some(assignee("ann")));
        assert_eq!(task.assignee, Some(assignee("sue")));
        assert_eq!(task.status, Status::Review);
    }

    #[test]
    fn what_an_operator_hands_in_is_kept_by_a_run_of_zero_length() {
        let mut bed = Testbed::new();
        bed.put("t", |task| task.deferrals = 1);
        let call = hand_in(boss(), None);
        let (answer, changes) = bed.changes(&call);
        let mut want = bed.expect();
        want.card("t", |task| {
            task.status = Status::Review;
            task.phase = Phase::Review;
        });
        let mut kept = run(1, "t");
        kept.claimant = None;
        kept.started_at = bed.now;
        kept.ended_at = Some(bed.now);
        kept.outcome = Some(Outcome::ReviewRequested);
        kept.ended_by = Some(label("boss"));
        kept.summary.clone_from(&call.summary);
        kept.metadata.clone_from(&call.metadata);
        want.new_run(kept.clone());
        let data = json!({
            "authority": "operator", "reason": "because",
            "from": "ready", "to": "review",
        });
        let event = want.event(Some("t"), EventKind::ReviewRequested, data);
        event.actor = Some(label("boss"));
        event.run = Some(kept.id);
        assert_eq!(changes, want.list());
        assert_eq!(answer.run, Some(kept));
        assert_eq!(bed.write(&bare(&call)).run, None, "nothing to keep");
    }

    #[test]
    fn a_repeated_hand_in_is_answered_the_same() {
        let mut bed = Testbed::new();
        bed.put_running("t", 1, |_| {});
        let first = bed.write(&hand_in(worker(1), None));
        let again = bare(&hand_in(worker(1), Some(assignee("other"))));
        assert_eq!(bed.repeat(&again), first);
    }

    #[test]
    fn a_hand_in_is_refused_in_the_order_of_the_contract() {
        let mut bed = Testbed::new();
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&hand_in(worker(1), None)), unknown);
        bed.check_statuses(&[Status::Ready, Status::Running], &hand_in(boss(), None));
        bed.put_running("t", 1, |_| {});
        bed.write(&hand_in(boss(), None));
        let stale = Rejection::StaleRun {
            ended_as: Outcome::ReviewRequested,
            ended_at: bed.now,
            by: Some(label("boss")),
        };
        assert_eq!(bed.rejection(&hand_in(worker(1), None)), stale);
    }

    fn send_back(authority: Authority) -> RequestChanges {
        RequestChanges {
            task: task_id("t"),
            authority,
            reason: Some(reason("tests?")),
        }
    }

    fn under_review(task: &mut Task) {
        task.phase = Phase::Review;
        task.assignee = Some(assignee("rob"));
        task.implementer = Some(assignee("ann"));
        task.failures = 1;
    }

    #[test]
    fn changes_go_back_to_the_implementer() {
        let mut bed = Testbed::new();
        bed.put_running("t", 1, under_review);
        let (_, changes) = bed.changes(&send_back(worker(1)));
        let mut want = bed.expect();
        want.card("t", |task| {
            task.status = Status::Ready;
            task.phase = Phase::Work;
            task.claim = None;
            task.assignee = Some(assignee("ann"));
            task.review_rounds = 1;
        });
        want.close(1, |run| {
            run.outcome = Some(Outcome::ChangesRequested);
            run.summary = Some(note("tests?"));
        });
        let data = json!({
            "from": "running", "to": "ready", "reason": "tests?", "review_rounds": 1,
        });
        let event = want.event(Some("t"), EventKind::ChangesRequested, data);
        event.actor = Some(label("worker"));
        event.run = Some(RunId::new(1));
        assert_eq!(changes, want.list());

        let first = bed.write(&send_back(worker(1)));
        assert_eq!(bed.repeat(&send_back(worker(1))), first);
    }

    #[test]
    fn an_operator_sends_back_what_nobody_reviews_yet() {
        let mut bed = Testbed::new();
        bed.put("t", |task| {
            under_review(task);
            task.status = Status::Review;
        });
        let (answer, changes) = bed.changes(&send_back(boss()));
        let mut want = bed.expect();
        want.card("t", |task| {
            task.status = Status::Ready;
            task.phase = Phase::Work;
            task.assignee = Some(assignee("ann"));
            task.review_rounds = 1;
        });
        let data = json!({
            "authority": "operator", "reason": "because",
            "from": "review", "to": "ready", "reason": "tests?", "review_rounds": 1,
        });
        want.event(Some("t"), EventKind::ChangesRequested, data)
            .actor = Some(label("boss"));
        assert_eq!(changes, want.list());
        assert_eq!(answer.run, None);
    }

    #[test]
    fn the_last_round_blocks() {
        let mut bed = Testbed::new();
        bed.board.limits.review_round_limit = 3;
        bed.put_running("t", 1, |task| {
            under_review(task);
            task.review_rounds = 2;
        });
        let (_, changes) = bed.changes(&send_back(worker(1)));
        let mut want = bed.expect();
        let at = bed.now;
        want.card("t", |task| {
            task.status = Status::Blocked;
            task.phase = Phase::Work;
            task.claim = None;
            task.assignee = Some(assignee("ann"));
            task.review_rounds = 3;
            task.block = Some(Block {
                kind: BlockKind::ReviewLoop,
                reason: Some(reason("tests?")),
                by: None,
                at,
            });
        });
        want.close(1, |run| {
            run.outcome = Some(Outcome::ChangesRequested);
            run.summary = Some(note("tests?"));
        });
        let data = json!({
            "from": "running", "to": "blocked", "reason": "tests?", "review_rounds": 3,
        });
        let event = want.event(Some("t"), EventKind::ChangesRequested, data);
        event.actor = Some(label("worker"));
        event.run = Some(RunId::new(1));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn only_a_review_is_sent_back() {
        let mut bed = Testbed::new();
        bed.check_statuses(&[Status::Running, Status::Review], &send_back(boss()));
        bed.put_running("t", 1, |_| {});
        for authority in [worker(1), boss()] {
            let wrong = Rejection::WrongStatus {
                status: Status::Running,
                allowed: vec![Status::Review],
            };
            assert_eq!(bed.rejection(&send_back(authority)), wrong);
        }
        bed.write(&hand_in(worker(1), None));
        let stale = Rejection::StaleRun {
            ended_as: Outcome::ReviewRequested,
            ended_at: bed.now,
            by: None,
        };
        assert_eq!(bed.rejection(&send_back(worker(1))), stale);
    }
}
