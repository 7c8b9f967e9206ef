//! Ends of runs: complete, fail, release.

use kanban_core::{
    Block, BlockKind, Complete, Ended, EventKind, Fail, FailKind, FailureLimit, Millis, Note,
    Outcome, Phase, Rejection, Release, RetryAfter, Status, TaskId,
};
use serde_json::Value;

use super::board::{applied, rejected, repeated, within};
use super::runs::{Judged, Right};
use super::{Board, Refusal, Ruled};

impl Board {
    pub(crate) fn complete(&mut self, call: Complete) -> Ruled<Ended> {
        within("created_tasks", call.created_tasks.len(), 0, 1000)?;
        let id = call.task;
        self.known(&id)?;
        let right = match self.judge(&id, &call.authority, Some(Outcome::Completed))? {
            Judged::Repeat(ended) => return repeated(*ended),
            Judged::Right(right) => right,
        };
        self.expect_status(
            &id,
            &[
                Status::Todo,
                Status::Scheduled,
                Status::Ready,
                Status::Running,
                Status::Blocked,
                Status::Review,
            ],
        )?;
        let phantoms = self.phantoms(&id, &call.created_tasks);
        if !phantoms.is_empty() {
            let named: Vec<Value> = phantoms.iter().map(|id| id.as_str().into()).collect();
            let told = right.told().with("phantom", named);
            self.tell(&id, EventKind::CompletionRefused, told);
            let ids = phantoms;
            return Err(Refusal::Written(rejected(Rejection::PhantomTasks { ids })));
        }
        let from = self.task(&id).status;
        let summary = call.summary.clone();
        let run = self.hand_over(&id, &right, Outcome::Completed, call.summary, call.metadata);
        self.set_status(&id, Status::Done);
        let now = self.now;
        let row = self.detail_mut(&id);
        row.result.clone_from(&call.result);
        let task = &mut row.task;
        if task.phase == Phase::Review {
            task.assignee.clone_from(&task.implementer);
        }
        task.phase = Phase::Work;
        task.completed_at = Some(now);
        task.failures = 0;
        task.deferrals = 0;
        task.last_error = None;
        task.block_streak = None;
        task.review_rounds = 0;
        task.not_before = None;
        let unknown = self.unknown_refs(summary.as_ref());
        let mut told = right.told().of_run(run);
        told = told.with(
            "result_len",
            call.result.map_or(0, |text| text.as_str().len()),
        );
        let short = summary.as_ref().map(first_500_bytes);
        told = told.with_some("summary", short.as_ref().map(Note::as_str));
        if !unknown.is_empty() {
            told = told.with("unknown_refs", unknown);
        }
        self.tell(&id, EventKind::Completed, told.moved(from, Status::Done));
        self.settle_children(&id, right.actor.as_ref());
        applied(self.ended(&id, run))
    }

    pub(crate) fn fail(&mut self, call: Fail) -> Ruled<Ended> {
        let id = call.task;
        self.known(&id)?;
        let right = match self.judge(&id, &call.authority, Some(call.kind.outcome()))? {
            Judged::Repeat(ended) => return repeated(*ended),
            Judged::Right(right) => right,
        };
        self.expect_status(&id, &[Status::Running])?;
        self.fail_run(&id, &right, call.kind, call.error, call.retry_after);
        applied(self.ended(&id, right.run))
    }

    /// Fails the open run. [7.7] to [7.11]
    pub(super) fn fail_run(
        &mut self,
        id: &TaskId,
        right: &Right,
        kind: FailKind,
        error: Option<Note>,
        retry_after: Option<RetryAfter>,
    ) {
        let run = right.run.expect("a running task has its run");
        self.close_run(run, kind.outcome(), right.by.as_ref())
            .error
            .clone_from(&error);
        let (now, policy, seed) = (self.now, self.policy.clone(), self.seed);
        let is_counted = !matches!(kind, FailKind::RateLimited | FailKind::Infrastructure);
        let task = self.task_mut(id);
        let word = crate::calls::note(kind.outcome().as_str());
        let last_error = first_500_bytes(error.as_ref().unwrap_or(&word));
        task.last_error = Some(last_error.clone());
        let in_a_row = if is_counted {
            task.failures = task.failures.saturating_add(1);
            task.deferrals = 0;
            task.failures
        } else {
            task.deferrals = task.deferrals.saturating_add(1);
            task.deferrals
        };
        let failures = task.failures;
        let limit = task
            .failure_limit
            .map_or(policy.failure_limit, FailureLimit::get);
        let told = right
            .told()
            .with("kind", kind.outcome().as_str())
            .with("error", last_error.as_str())
            .with("failures", failures);
        if is_counted && failures >= limit {
            task.not_before = None;
            self.set_status(id, Status::Blocked);
            self.task_mut(id).block = Some(Block {
                kind: BlockKind::Breaker,
                reason: None,
                by: None,
                at: now,
            });
            let told = told.with("limit", limit);
            self.tell(
                id,
                EventKind::GaveUp,
                told.moved(Status::Running, Status::Blocked),
            );
            return;
        }
        let delay = match retry_after {
            Some(given) => given.get(),
            None => policy.retry_delay(seed, run, in_a_row),
        };
        let at = now.after(delay);
        task.not_before = Some(at);
        let (from, to) = self.land(id);
        let told = told.with("retry_at", at.get());
        self.tell(id, EventKind::Failed, told.moved(from, to));
    }

    pub(crate) fn release(&mut self, call: Release) -> Ruled<Ended> {
        let id = call.task;
        self.known(&id)?;
        let right = match self.judge(&id, &call.authority, Some(Outcome::Released))? {
            Judged::Repeat(ended) => return repeated(*ended),
            Judged::Right(right) => right,
        };
        self.expect_status(&id, &[Status::Running])?;
        let run = right.run.expect("a running task has its run");
        self.close_run(run, Outcome::Released, right.by.as_ref());
        let now = self.now;
        let task = self.task_mut(&id);
        task.deferrals = 0;
        if right.is_operator {
            task.failures = 0;
        }
        let retry_at = call.retry_after.map(|wait| now.after(wait.get()));
        task.not_before = retry_at.or(task.not_before);
        let (from, to) = self.land(&id);
        let told = right
            .told()
            .with_some("retry_at", retry_at.map(Millis::get));
        self.tell(&id, EventKind::Released, told.moved(from, to));
        applied(self.ended(&id, right.run))
    }

    /// Those that the task did not create. [7.5]
    fn phantoms(&self, id: &TaskId, named: &[TaskId]) -> Vec<TaskId> {
        let runs = self.runs.iter().filter(|run| run.task == *id);
        let workers: Vec<String> = runs
            .flat_map(|run| {
                let assignee = run.assignee.clone().map(String::from);
                let claimant = run.claimant.clone().map(String::from);
                [assignee, claimant]
            })
            .flatten()
            .collect();
        let mut phantoms: Vec<TaskId> = Vec::new();
        for named in named {
            let is_made = self.find(named).is_some_and(|detail| {
                let by = detail.task.created_by.clone().map(String::from);
                detail.task.created_from.as_ref() == Some(id)
                    || self.has_link(id, named)
                    || by.is_some_and(|by| workers.contains(&by))
            });
            if !is_made && !phantoms.contains(named) {
                phantoms.push(named.clone());
            }
        }
        phantoms
    }

    /// Words of a summary that look like ids and name nothing. [7.6]
    fn unknown_refs(&self, summary: Option<&Note>) -> Vec<Value> {
        let text = summary.map_or("", Note::as_str);
        let mut found: Vec<Value> = Vec::new();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-') {
            let Some(rest) = word.strip_prefix("t_") else {
                continue;
            };
            let is_id = (6..=62).contains(&rest.len())
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            let is_known = self.tasks.iter().any(|d| d.task.id.as_str() == word);
            if is_id && !is_known && !found.contains(&word.into()) && found.len() < 100 {
                found.push(word.into());
            }
        }
        found.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        found
    }
}

/// Cut at a character. [3.6]
fn first_500_bytes(error: &Note) -> Note {
    let mut text = error.as_str();
    while text.len() > 500 {
        let (last, _) = text.char_indices().next_back().expect("it is not empty");
        text = &text[..last];
    }
    crate::calls::note(text)
}
