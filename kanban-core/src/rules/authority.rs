//! Who may end or extend a run, what a repeat gets, and how runs end.

use crate::error::{Rejection, Result, Subject};
use crate::model::{
    JsonObject, Label, Millis, Note, Outcome, Reason, Run, RunId, Status, Task, TaskId, Version,
};
use crate::request::Authority;

use super::draft::{Draft, Entry, Refusal};

/// By what right a call goes on.
#[derive(Debug)]
pub(super) struct Right<'a> {
    /// The actor of the call's events: the claimant, or the operator.
    pub(super) actor: Option<Label>,
    /// Whether it is the run's own worker or an operator.
    pub(super) role: Role<'a>,
}

/// Whether the caller is the run's own worker or an operator.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role<'a> {
    Worker,
    Operator { reason: Option<&'a Reason> },
}

/// What a check of authority found.
#[derive(Debug)]
pub(super) enum Standing<'a> {
    /// Go on.
    Go(Right<'a>),
    /// The caller's own run was closed by the same call before.
    Repeat(Box<Run>),
}

impl Right<'_> {
    pub(super) const fn is_operator(&self) -> bool {
        matches!(self.role, Role::Operator { .. })
    }

    /// What a run that this call closes has as `ended_by`.
    pub(super) fn ended_by(&self) -> Option<Label> {
        if self.is_operator() {
            self.actor.clone()
        } else {
            None
        }
    }

    /// Names the actor in an event, and the override with its reason if it is one. An operation that has a reason of its own
    /// adds it afterwards, in place of the override's.
    pub(super) fn sign<'e>(&'e self, entry: Entry<'e>) -> Entry<'e> {
        let entry = entry.by(self.actor.as_ref());
        match self.role {
            Role::Worker => entry,
            Role::Operator { reason } => entry.with("authority", "operator").with("reason", reason),
        }
    }
}

/// Checks who calls. `closes` is the outcome that this call gives a run: a worker whose run has it already
/// repeats itself.
pub(super) fn stand<'a>(
    draft: &Draft<'_>,
    task: &Task,
    authority: &'a Authority,
    closes: Option<Outcome>,
) -> std::result::Result<Standing<'a>, Refusal> {
    match authority {
        Authority::Worker { run } => {
            let run = run_of(draft, task, *run)?;
            match run.outcome {
                None => Ok(Standing::Go(Right {
                    actor: run.claimant,
                    role: Role::Worker,
                })),
                Some(outcome) if run.ended_by.is_none() && closes == Some(outcome) => {
                    Ok(Standing::Repeat(Box::new(run)))
                }
                Some(outcome) => Err(stale(&run, outcome).into()),
            }
        }
        Authority::Operator { actor, reason, run } => {
            if let Some(run) = run {
                let run = run_of(draft, task, *run)?;
                if let Some(outcome) = run.outcome {
                    return Err(stale(&run, outcome).into());
                }
            }
            let role = Role::Operator {
                reason: reason.as_ref(),
            };
            Ok(Standing::Go(Right {
                actor: Some(actor.clone()),
                role,
            }))
        }
    }
}

/// As [`stand`], for calls that have no repeat.
pub(super) fn stand_once<'a>(
    draft: &Draft<'_>,
    task: &Task,
    authority: &'a Authority,
) -> std::result::Result<Right<'a>, Refusal> {
    match stand(draft, task, authority, None)? {
        Standing::Go(right) => Ok(right),
        Standing::Repeat(_) => unreachable!("only an outcome makes a repeat"),
    }
}

fn run_of(draft: &Draft<'_>, task: &Task, id: RunId) -> std::result::Result<Run, Refusal> {
    match draft.run(id)? {
        Some(run) if run.task == task.id => Ok(run),
        _ => Err(Subject::Run(id).into()),
    }
}

fn stale(run: &Run, ended_as: Outcome) -> Rejection {
    Rejection::StaleRun {
        ended_as,
        ended_at: run.ended_at.unwrap_or(run.started_at),
        by: run.ended_by.clone(),
    }
}

/// Refuses unless the card has the expected version.
pub(super) fn expect_version(task: &Task, expected: Option<Version>) -> Result<(), Rejection> {
    match expected {
        Some(version) if version != task.version => Err(Rejection::VersionMismatch {
            current: task.version,
        }),
        _ => Ok(()),
    }
}

/// Refuses unless the task is in one of these statuses.
pub(super) fn expect_status(task: &Task, allowed: &[Status]) -> Result<(), Rejection> {
    if allowed.contains(&task.status) {
        return Ok(());
    }
    Err(Rejection::WrongStatus {
        status: task.status,
        allowed: allowed.to_vec(),
    })
}

/// How a run ends.
#[derive(Debug)]
pub(crate) struct RunEnd {
    pub(super) outcome: Outcome,
    pub(super) by: Option<Label>,
    pub(super) summary: Option<Note>,
    pub(super) error: Option<Note>,
    pub(super) metadata: Option<JsonObject>,
}

impl RunEnd {
    pub(crate) const fn new(outcome: Outcome, by: Option<Label>) -> Self {
        Self {
            outcome,
            by,
            summary: None,
            error: None,
            metadata: None,
        }
    }

    const fn is_uncounted(&self) -> bool {
        matches!(self.outcome, Outcome::RateLimited | Outcome::Infrastructure)
    }
}

/// Closes the task's open run, if it has one, and takes the claim off.
pub(super) fn close_run(
    draft: &mut Draft<'_>,
    task: &mut Task,
    end: RunEnd,
) -> Result<Option<Run>> {
    let Some(claim) = &task.claim else {
        return Ok(None);
    };
    let Some(run) = draft.run(claim.run)? else {
        return Err(crate::error::Error::corrupt(format!(
            "run {} of a claim is missing",
            claim.run
        )));
    };
    let run = end_run(task, run, end, draft.now());
    draft.put_run(run.clone())?;
    Ok(Some(run))
}

/// The open run of a task's claim with its end; takes the claim off. Any end but an uncounted failure clears the
/// deferrals.
pub(crate) fn end_run(task: &mut Task, open: Run, end: RunEnd, now: Millis) -> Run {
    task.claim = None;
    if !end.is_uncounted() {
        task.deferrals = 0;
    }
    Run {
        ended_at: Some(now.max(open.started_at)),
        outcome: Some(end.outcome),
        ended_by: end.by,
        summary: end.summary,
        error: end.error,
        metadata: end.metadata,
        ..open
    }
}

/// A run of zero length, for what an operator hands over where no run is open.
pub(super) fn keep_run(draft: &mut Draft<'_>, task: &Task, end: RunEnd) -> Run {
    let now = draft.now();
    let run = Run {
        id: draft.next_run(),
        task: task.id.clone(),
        phase: task.phase,
        assignee: task.assignee.clone(),
        claimant: None,
        request_id: None,
        worker: None,
        started_at: now,
        ended_at: Some(now),
        outcome: Some(end.outcome),
        ended_by: end.by,
        summary: end.summary,
        error: end.error,
        metadata: end.metadata,
    };
    draft.put_new_run(run.clone());
    run
}

/// The first bytes of a text, up to a bound, on a character's border.
pub(super) fn cut(text: &Note, bytes_max: usize) -> Note {
    let text = text.as_str();
    let end = text.floor_char_boundary(bytes_max);
    let head = text.get(..end).unwrap_or(text);
    Note::new("text", head)
        .unwrap_or_else(|_| unreachable!("a character is shorter than the bound"))
}

/// Ids of the arguments that name no task.
pub(super) fn unknown(draft: &Draft<'_>, ids: &[TaskId]) -> Result<Vec<TaskId>> {
    let mut missing = Vec::new();
    for id in ids {
        if draft.task(id)?.is_none() && !missing.contains(id) {
            missing.push(id.clone());
        }
    }
    Ok(missing)
}
