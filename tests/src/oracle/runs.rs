//! By what right a call ends a run, and the end of it.

use std::sync::Arc;

use kanban_core::{
    Authority, Ended, ErrorKind, JsonObject, Label, Note, Outcome, Reason, Rejection, Run, RunId,
    Status, Subject, Task, TaskId,
};

use super::Board;
use super::board::rejected;
use super::log::Told;

/// A call that has the right to what it asks.
#[derive(Debug, Clone)]
pub(super) struct Right {
    /// The task's open run.
    pub(super) run: Option<RunId>,
    /// Who acts: the claimant, or the operator; nobody where the board itself does.
    pub(super) actor: Option<Label>,
    /// Who ends the run, where that is not its worker.
    pub(super) by: Option<Label>,
    pub(super) is_operator: bool,
    /// The operator's reason.
    pub(super) reason: Option<Reason>,
}

impl Right {
    /// What an event tells of it. [4.4]
    pub(super) fn told(&self) -> Told {
        let reason = self.reason.as_ref().map(Reason::as_str);
        Told::by(self.actor.as_ref())
            .of_run(self.run)
            .with_some("reason", reason)
            .with_some("authority", self.is_operator.then_some("operator"))
    }
}

/// How a right was judged.
#[derive(Debug)]
pub(super) enum Judged {
    Right(Right),
    /// The same worker has done it before. [4.7]
    Repeat(Box<Ended>),
}

impl Board {
    /// Judges a call's right. With an outcome that may be repeated, a repeat is one. [4.2] [4.3] [4.4] [4.7]
    pub(super) fn judge(
        &self,
        task: &TaskId,
        authority: &Authority,
        repeats: Option<Outcome>,
    ) -> Result<Judged, ErrorKind> {
        let open = self.task(task).claim.clone();
        match authority {
            Authority::Worker { run } => {
                let row = self.run_of(task, *run)?;
                if let Some(claim) = open
                    && claim.run == *run
                {
                    return Ok(Judged::Right(Right {
                        run: Some(*run),
                        actor: Some(claim.claimant),
                        by: None,
                        is_operator: false,
                        reason: None,
                    }));
                }
                if row.ended_by.is_none() && row.outcome.is_some() && row.outcome == repeats {
                    return Ok(Judged::Repeat(Box::new(Ended {
                        task: without_claim(self.task(task)),
                        run: Some(row.clone()),
                    })));
                }
                Err(stale(row))
            }
            Authority::Operator { actor, reason, run } => {
                if let Some(run) = run {
                    let row = self.run_of(task, *run)?;
                    if open.as_ref().is_none_or(|claim| claim.run != *run) {
                        return Err(stale(row));
                    }
                }
                Ok(Judged::Right(Right {
                    run: open.map(|claim| claim.run),
                    actor: Some(actor.clone()),
                    by: Some(actor.clone()),
                    is_operator: true,
                    reason: reason.clone(),
                }))
            }
        }
    }

    fn run_of(&self, task: &TaskId, run: RunId) -> Result<&Run, ErrorKind> {
        match self.run(run) {
            Some(row) if row.task == *task => Ok(row),
            _ => Err(ErrorKind::NotFound(Subject::Run(run))),
        }
    }

    /// The right to something that cannot be repeated.
    pub(super) fn right(&self, task: &TaskId, authority: &Authority) -> Result<Right, ErrorKind> {
        match self.judge(task, authority, None)? {
            Judged::Right(right) => Ok(right),
            Judged::Repeat(_) => unreachable!("a repeat is of an outcome"),
        }
    }

    /// Closes a run. [1.2] [3.14]
    pub(super) fn close_run(
        &mut self,
        run: RunId,
        outcome: Outcome,
        by: Option<&Label>,
    ) -> &mut Run {
        let now = self.now;
        let row = self.run_mut(run);
        row.outcome = Some(outcome);
        row.ended_at = Some(now.max(row.started_at));
        row.ended_by = by.cloned();
        row
    }

    /// Closes the open run if there is one; else keeps what is handed over by a run of zero length. [7.2] [7.3]
    pub(super) fn hand_over(
        &mut self,
        task: &TaskId,
        right: &Right,
        outcome: Outcome,
        summary: Option<Note>,
        metadata: Option<JsonObject>,
    ) -> Option<RunId> {
        let run = match right.run {
            Some(run) => run,
            None if summary.is_none() && metadata.is_none() => return None,
            None => self.open_run(task, None, None),
        };
        let row = self.close_run(run, outcome, right.by.as_ref());
        row.summary = summary;
        row.metadata = metadata;
        Some(run)
    }

    /// A new run, open. [6.2]
    pub(super) fn open_run(
        &mut self,
        task: &TaskId,
        claimant: Option<Label>,
        request_id: Option<Label>,
    ) -> RunId {
        self.counters.run = RunId::new(self.counters.run.get() + 1);
        let row = self.task(task);
        let run = Run {
            id: self.counters.run,
            task: task.clone(),
            phase: row.phase,
            assignee: row.assignee.clone(),
            claimant,
            request_id,
            worker: None,
            started_at: self.now,
            ended_at: None,
            outcome: None,
            ended_by: None,
            summary: None,
            error: None,
            metadata: None,
        };
        self.runs.push(Arc::new(run));
        self.counters.run
    }

    /// A task and the run that ended.
    pub(super) fn ended(&self, task: &TaskId, run: Option<RunId>) -> Ended {
        Ended {
            task: self.task(task).clone(),
            run: run.and_then(|run| self.run(run)).cloned(),
        }
    }

    /// Lands a task after the end of its run. Answers where from and where to.
    pub(super) fn land(&mut self, task: &TaskId) -> (Status, Status) {
        let from = self.task(task).status;
        let to = self.landing(task);
        self.set_status(task, to);
        (from, to)
    }
}

fn stale(run: &Run) -> ErrorKind {
    let ended = "a run that is not the claim's has ended";
    rejected(Rejection::StaleRun {
        ended_as: run.outcome.expect(ended),
        ended_at: run.ended_at.expect(ended),
        by: run.ended_by.clone(),
    })
}

/// The answer of a repeat never tells of the current run. [4.2]
fn without_claim(task: &Task) -> Task {
    Task {
        claim: None,
        ..task.clone()
    }
}
