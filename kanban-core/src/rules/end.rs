//! Ends of runs: done, failed, given back.

use std::collections::BTreeSet;

use crate::error::{Invalid, Rejection, Result};
use crate::model::{
    Block, BlockKind, EventKind, Label, Link, Millis, Note, Outcome, Phase, RetryAfter, Status,
    Task, TaskId, TextKind,
};
use crate::request::{Complete, Ended, Fail, FailKind, Release};

use super::authority::{
    Right, Role, RunEnd, Standing, close_run, cut, expect_status, keep_run, stand,
};
use super::draft::{Decided, Draft, Entry, Refusal};
use super::settle::{PAGE, land, move_to, settle_children};
use super::{Answered, Command};

/// How many tasks a completion names.
const CREATED_MAX: usize = 1000;
/// How many unknown references of a summary an event tells.
const UNKNOWN_REFS_MAX: usize = 100;
/// How much of an error a task and an event keep.
pub(crate) const ERROR_BYTES_MAX: usize = 500;

impl Command for Complete {
    type Answer = Ended;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Ended> {
        if self.created_tasks.len() > CREATED_MAX {
            let found = self.created_tasks.len();
            return Err(Invalid::too_many("created_tasks", CREATED_MAX, found).into());
        }
        let task = draft.subject(&self.task)?;
        let right = match stand(draft, &task, &self.authority, Some(Outcome::Completed))? {
            Standing::Go(right) => right,
            Standing::Repeat(run) => return Ok(repeat(task, *run)),
        };
        expect_status(
            &task,
            if right.is_operator() {
                COMPLETABLE
            } else {
                &[Status::Running]
            },
        )?;
        let phantom = phantoms(draft, &task, &self.created_tasks)?;
        if !phantom.is_empty() {
            let run = task.claim.as_ref().map(|claim| claim.run);
            let entry = Entry::of(&task.id, EventKind::CompletionRefused).run(run);
            draft.event(right.sign(entry.with("phantom", &phantom)))?;
            return Err(Refusal::WithTrace(
                Rejection::PhantomTasks { ids: phantom }.into(),
            ));
        }
        Ok(Answered::new(complete(draft, task, self, &right)?))
    }
}

/// From where an operator completes.
const COMPLETABLE: &[Status] = &[
    Status::Todo,
    Status::Scheduled,
    Status::Ready,
    Status::Running,
    Status::Blocked,
    Status::Review,
];

/// The answer of a repeat: the task as it is, but for the claim, and the run as it was closed.
pub(super) fn repeat(mut task: Task, run: crate::model::Run) -> Answered<Ended> {
    // A claim that is there by now is another worker's, and its run is never told.
    task.claim = None;
    Answered::again(Ended {
        task,
        run: Some(run),
    })
}

fn complete(
    draft: &mut Draft<'_>,
    mut task: Task,
    call: &Complete,
    right: &Right<'_>,
) -> std::result::Result<Ended, Refusal> {
    let end = RunEnd {
        summary: call.summary.clone(),
        metadata: call.metadata.clone(),
        ..RunEnd::new(Outcome::Completed, right.ended_by())
    };
    let has_words = end.summary.is_some() || end.metadata.is_some();
    let run = if task.claim.is_some() {
        close_run(draft, &mut task, end)?
    } else if has_words {
        Some(keep_run(draft, &task, end))
    } else {
        None
    };
    let from = move_to(&mut task, Status::Done, draft.now());
    forget_trouble(&mut task);
    task.block_streak = None;
    task.review_rounds = 0;
    if task.phase == Phase::Review {
        task.assignee.clone_from(&task.implementer);
    }
    task.phase = Phase::Work;
    let id = task.id.clone();
    draft.put_task(task)?;
    let result = call.result.as_ref().map(|text| text.as_str().to_owned());
    let result_len = result.as_ref().map_or(0, String::len);
    if draft.text(&id, TextKind::Result)? != result {
        draft.put_text(&id, TextKind::Result, result);
    }
    let unknown_refs = unknown_refs(draft, call.summary.as_ref())?;
    let entry = Entry::of(&id, EventKind::Completed)
        .run(run.as_ref().map(|run| run.id))
        .moved(from, Status::Done)
        .with("result_len", result_len)
        .with(
            "summary",
            call.summary.as_ref().map(|text| cut(text, ERROR_BYTES_MAX)),
        );
    let entry = match unknown_refs.is_empty() {
        true => entry,
        false => entry.with("unknown_refs", unknown_refs),
    };
    draft.event(right.sign(entry))?;
    settle_children(draft, &id, from, Status::Done, right.actor.as_ref())?;
    Ok(Ended {
        task: draft.subject(&id)?,
        run,
    })
}

/// What every fresh start of a task clears.
pub(super) fn forget_trouble(task: &mut Task) {
    task.failures = 0;
    task.deferrals = 0;
    task.last_error = None;
    task.not_before = None;
}

/// Those of the named tasks that this task did not create.
fn phantoms(draft: &Draft<'_>, task: &Task, named: &[TaskId]) -> Result<Vec<TaskId>> {
    let mut phantom = Vec::new();
    let mut workers: Option<BTreeSet<String>> = None;
    for id in super::create::distinct(named) {
        let Some(other) = draft.task(&id)? else {
            phantom.push(id);
            continue;
        };
        let link = Link {
            parent: task.id.clone(),
            child: id.clone(),
        };
        if other.created_from.as_ref() == Some(&task.id) || draft.has_link(&link)? {
            continue;
        }
        let workers = match &mut workers {
            Some(workers) => workers,
            none => none.insert(workers_of(draft, &task.id)?),
        };
        if !other
            .created_by
            .is_some_and(|by| workers.contains(by.as_str()))
        {
            phantom.push(id);
        }
    }
    Ok(phantom)
}

/// The assignees and claimants of a task's runs.
fn workers_of(draft: &Draft<'_>, task: &TaskId) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut after = None;
    loop {
        let runs = draft.view().runs_of(task, after, PAGE)?;
        for run in &runs {
            names.extend(run.assignee.as_ref().map(|name| name.as_str().to_owned()));
            names.extend(run.claimant.as_ref().map(|name| name.as_str().to_owned()));
        }
        match runs.last() {
            Some(last) if runs.len() == PAGE => after = Some(last.id),
            _ => return Ok(names),
        }
    }
}

/// Words of a summary that look like task ids and name none.
fn unknown_refs(draft: &Draft<'_>, summary: Option<&Note>) -> Result<Vec<TaskId>> {
    let Some(summary) = summary else {
        return Ok(Vec::new());
    };
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let words = summary
        .as_str()
        .split(|c| !is_letter(c))
        .filter(|word| has_form_of_id(word));
    let mut unknown = Vec::new();
    for word in words.collect::<BTreeSet<_>>() {
        let Ok(id) = TaskId::new(word) else { continue };
        if draft.task(&id)?.is_none() {
            unknown.push(id);
        }
        if unknown.len() == UNKNOWN_REFS_MAX {
            break;
        }
    }
    Ok(unknown)
}

fn has_form_of_id(word: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    word.strip_prefix("t_")
        .is_some_and(|rest| (6..=62).contains(&rest.len()) && rest.bytes().all(is_part))
}

impl Command for Fail {
    type Answer = Ended;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Ended> {
        let task = draft.subject(&self.task)?;
        let right = match stand(draft, &task, &self.authority, Some(self.kind.outcome()))? {
            Standing::Go(right) => right,
            Standing::Repeat(run) => return Ok(repeat(task, *run)),
        };
        expect_status(&task, &[Status::Running])?;
        let failure = Failure {
            kind: self.kind,
            error: self.error.clone(),
            retry_after: self.retry_after,
            ended_by: right.ended_by(),
            right,
        };
        Ok(Answered::new(fail_task(draft, task, &failure)?))
    }
}

/// A failure of a running task.
#[derive(Debug)]
pub(super) struct Failure<'a> {
    kind: FailKind,
    error: Option<Note>,
    retry_after: Option<RetryAfter>,
    ended_by: Option<Label>,
    right: Right<'a>,
}

impl Failure<'_> {
    /// A failure that the board sees itself, by the clock.
    pub(super) fn of_board(kind: FailKind) -> Self {
        let error = Note::new("error", kind.outcome().as_str());
        Self {
            kind,
            error: Some(error.expect("an outcome's word is short")),
            retry_after: None,
            ended_by: Some(board()),
            right: Right {
                actor: None,
                role: Role::Worker,
            },
        }
    }
}

/// Who ends what nobody else ends.
pub(super) fn board() -> Label {
    Label::new("by", "board").expect("the word is short")
}

/// Closes the run of a running task as failed: to its landing after a while, or to `blocked` at the limit.
pub(super) fn fail_task(
    draft: &mut Draft<'_>,
    mut task: Task,
    failure: &Failure<'_>,
) -> std::result::Result<Ended, Refusal> {
    let policy = draft.policy()?;
    let now = draft.now();
    let limit = task
        .failure_limit
        .map_or(policy.failure_limit, crate::model::FailureLimit::get);
    let word = || Note::new("error", failure.kind.outcome().as_str()).ok();
    let error = failure
        .error
        .as_ref()
        .map(|text| cut(text, ERROR_BYTES_MAX))
        .or_else(word);
    let end = RunEnd {
        error: failure.error.clone(),
        ..RunEnd::new(failure.kind.outcome(), failure.ended_by.clone())
    };
    let run = close_run(draft, &mut task, end)?;
    let run_id = run.as_ref().map(|run| run.id);
    let in_a_row = if failure.kind.is_counted() {
        &mut task.failures
    } else {
        &mut task.deferrals
    };
    *in_a_row = in_a_row.saturating_add(1);
    let nth = *in_a_row;
    task.last_error.clone_from(&error);
    let gives_up = failure.kind.is_counted() && task.failures >= limit;
    let (from, to) = if gives_up {
        let from = move_to(&mut task, Status::Blocked, now);
        task.not_before = None;
        task.block = Some(Block {
            kind: BlockKind::Breaker,
            reason: None,
            by: None,
            at: now,
        });
        (from, Status::Blocked)
    } else {
        let delay = match failure.retry_after {
            Some(after) => after.get(),
            None => policy.retry_delay(draft.board().seed, run_id.unwrap_or_default(), nth),
        };
        task.not_before = Some(now.after(delay));
        land(&mut task, now)
    };
    let id = task.id.clone();
    let (failures, retry_at) = (task.failures, task.not_before);
    draft.put_task(task)?;
    let kind = if gives_up {
        EventKind::GaveUp
    } else {
        EventKind::Failed
    };
    let entry = Entry::of(&id, kind)
        .run(run_id)
        .moved(from, to)
        .with("kind", failure.kind)
        .with("error", error)
        .with("failures", failures)
        .with("retry_at", retry_at);
    let entry = if gives_up {
        entry.with("limit", limit)
    } else {
        entry
    };
    draft.event(failure.right.sign(entry))?;
    Ok(Ended {
        task: draft.subject(&id)?,
        run,
    })
}

impl Command for Release {
    type Answer = Ended;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Ended> {
        let mut task = draft.subject(&self.task)?;
        let right = match stand(draft, &task, &self.authority, Some(Outcome::Released))? {
            Standing::Go(right) => right,
            Standing::Repeat(run) => return Ok(repeat(task, *run)),
        };
        expect_status(&task, &[Status::Running])?;
        let now = draft.now();
        let run = close_run(
            draft,
            &mut task,
            RunEnd::new(Outcome::Released, right.ended_by()),
        )?;
        if right.is_operator() {
            task.failures = 0;
        }
        if let Some(after) = self.retry_after {
            task.not_before = Some(now.after(after.get()));
        }
        let (from, to) = land(&mut task, now);
        let retry_at: Option<Millis> = self.retry_after.and(task.not_before);
        draft.put_task(task)?;
        let entry = Entry::of(&self.task, EventKind::Released)
            .run(run.as_ref().map(|run| run.id))
            .moved(from, to)
            .with("retry_at", retry_at);
        draft.event(right.sign(entry))?;
        Ok(Answered::new(Ended {
            task: draft.subject(&self.task)?,
            run,
        }))
    }
}
