//! Reviews.

use kanban_core::{
    Block, BlockKind, Ended, EventKind, Outcome, Phase, Reason, RequestChanges, RequestReview,
    Status,
};

use super::board::{applied, repeated};
use super::runs::Judged;
use super::{Board, Ruled};

impl Board {
    pub(crate) fn request_review(&mut self, call: RequestReview) -> Ruled<Ended> {
        let id = call.task;
        self.known(&id)?;
        let judged = self.judge(&id, &call.authority, Some(Outcome::ReviewRequested))?;
        let right = match judged {
            Judged::Repeat(ended) => return repeated(*ended),
            Judged::Right(right) => right,
        };
        self.expect_status(&id, &[Status::Ready, Status::Running])?;
        let from = self.task(&id).status;
        let run = self.hand_over(
            &id,
            &right,
            Outcome::ReviewRequested,
            call.summary,
            call.metadata,
        );
        let task = self.task_mut(&id);
        if right.run.is_some() {
            task.deferrals = 0;
        }
        if task.phase == Phase::Work {
            task.implementer.clone_from(&task.assignee);
        }
        task.phase = Phase::Review;
        if call.reviewer.is_some() {
            task.reviewer = call.reviewer;
        }
        if task.reviewer.is_some() {
            task.assignee.clone_from(&task.reviewer);
        }
        let reviewer = task.assignee.clone().map(String::from);
        let (_, to) = self.land(&id);
        let told = right.told().of_run(run).with_some("reviewer", reviewer);
        self.tell(&id, EventKind::ReviewRequested, told.moved(from, to));
        applied(self.ended(&id, run))
    }

    pub(crate) fn request_changes(&mut self, call: RequestChanges) -> Ruled<Ended> {
        let id = call.task;
        self.known(&id)?;
        let judged = self.judge(&id, &call.authority, Some(Outcome::ChangesRequested))?;
        let right = match judged {
            Judged::Repeat(ended) => return repeated(*ended),
            Judged::Right(right) => right,
        };
        let from = self.task(&id).status;
        let in_work = from == Status::Running && self.task(&id).phase == Phase::Work;
        let allowed: &[Status] = if in_work {
            &[Status::Review]
        } else {
            &[Status::Running, Status::Review]
        };
        self.expect_status(&id, allowed)?;
        if let Some(run) = right.run {
            let summary = call.reason.as_ref();
            let summary = summary.map(|reason| crate::calls::note(reason.as_str()));
            let row = self.close_run(run, Outcome::ChangesRequested, right.by.as_ref());
            row.summary = summary;
            self.task_mut(&id).deferrals = 0;
        }
        let (now, limit) = (self.now, self.policy.review_round_limit);
        let task = self.task_mut(&id);
        task.phase = Phase::Work;
        task.assignee.clone_from(&task.implementer);
        task.review_rounds += 1;
        let rounds = task.review_rounds;
        let to = if rounds >= limit {
            self.set_status(&id, Status::Blocked);
            self.task_mut(&id).block = Some(Block {
                kind: BlockKind::ReviewLoop,
                reason: call.reason.clone(),
                by: None,
                at: now,
            });
            Status::Blocked
        } else {
            self.land(&id).1
        };
        let told = right
            .told()
            .with_some("reason", call.reason.as_ref().map(Reason::as_str))
            .with("review_rounds", rounds);
        self.tell(&id, EventKind::ChangesRequested, told.moved(from, to));
        applied(self.ended(&id, right.run))
    }
}
