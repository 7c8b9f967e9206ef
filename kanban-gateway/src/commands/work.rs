//! Claiming tasks, and ending their runs.

use kanban_core::{
    Assignee, Authority, Caps, ClaimFilter, ClaimNext, ClaimTask, Claimed, Complete, Effect, Ended,
    Fail, FailKind, Heartbeat, Invalid, JsonObject, LongText, Millis, NextClaim, Note, Phase,
    Reason, Release, RunId, Seq, SetWorker, Who, WorkerProcess, Written,
};
use pollster::block_on;
use serde::Serialize;

use crate::cli::{
    AuthorityArgs, ClaimArgs, CompleteArgs, FailArgs, HeartbeatArgs, ReleaseArgs, RightArgs,
    SpawnedArgs,
};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, plain, time};
use crate::values;

use super::{Board, ids};

/// What `claim` says when there is nothing to take.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NothingToClaim {
    task: Option<()>,
    run: Option<()>,
    next_at: Option<Millis>,
    paused: bool,
    capped: bool,
}

pub(super) fn claim(board: &Board, args: &ClaimArgs, output: &mut Output) -> Result<Exit, Failure> {
    let claimant = values::label("claimant", &args.claimant)?;
    let ttl = values::ttl("ttl", args.ttl.as_deref())?;
    let request_id = values::optional_label("request_id", args.request_id.as_deref())?;
    let Some(id) = &args.id else {
        let claim = ClaimNext {
            filter: filter(args)?,
            caps: Caps {
                board: args.max_running,
                assignee: args.max_per_assignee,
            },
            claimant,
            ttl,
            request_id,
        };
        let written = block_on(board.store()?.claim_next(claim))?;
        return claimed_next(written, output);
    };
    let claim = ClaimTask {
        task: ids::whole(id)?,
        claimant,
        ttl,
        request_id,
    };
    let written = block_on(board.store()?.claim(claim))?;
    output.written(&written, claimed_line)?;
    Ok(Exit::Done)
}

fn claimed_next(written: Written<NextClaim>, output: &mut Output) -> Result<Exit, Failure> {
    let (seq, effect): (Option<Seq>, Option<Effect>) = (Some(written.seq), Some(written.effect));
    match written.value {
        NextClaim::Claimed(claimed) => {
            output.answer(seq, effect, &*claimed, claimed_line)?;
            Ok(Exit::Done)
        }
        NextClaim::None {
            next_at,
            paused,
            capped,
        } => {
            let nothing = NothingToClaim {
                task: None,
                run: None,
                next_at,
                paused,
                capped,
            };
            output.answer(seq, effect, &nothing, nothing_line)?;
            Ok(Exit::Nothing)
        }
    }
}

fn filter(args: &ClaimArgs) -> Result<ClaimFilter, Failure> {
    let names: Vec<Assignee> = args
        .assignees
        .iter()
        .map(|name| Assignee::new(name.as_str()))
        .collect::<Result<_, Invalid>>()?;
    let who = match (names.is_empty(), args.unassigned) {
        (true, false) => Who::Anyone,
        (true, true) => Who::Nobody,
        (false, false) => Who::Only(names),
        (false, true) => Who::OnlyOrNobody(names),
    };
    Ok(ClaimFilter {
        phase: args.phase.as_deref().and_then(Phase::parse),
        who,
        tenant: values::optional_label("tenant", args.tenant.as_deref())?,
    })
}

fn claimed_line(claimed: &Claimed, _: Paint) -> String {
    let until = claimed.task.claim.as_ref().map(|claim| claim.expires_at);
    format!(
        "{}  run {}  until {}  {}",
        claimed.task.id,
        claimed.run.id,
        until.map_or_else(String::new, time),
        plain(&claimed.task.title)
    )
}

fn nothing_line(nothing: &NothingToClaim, _: Paint) -> String {
    let mut words = vec!["nothing to claim".to_owned()];
    words.extend(
        nothing
            .next_at
            .map(|at| format!("ask again at {}", time(at))),
    );
    words.extend(nothing.paused.then(|| "some work is paused".to_owned()));
    words.extend(nothing.capped.then(|| "a cap is reached".to_owned()));
    words.join("; ")
}

/// By what right a call is made, of an operation that has no reason of its own.
pub(super) fn authority(args: &AuthorityArgs) -> Result<Authority, Failure> {
    right(&args.right, args.reason.as_deref())
}

/// By what right a call is made. The parser has seen to it that there is one.
pub(super) fn right(args: &RightArgs, reason: Option<&str>) -> Result<Authority, Failure> {
    let run = args.run.map(RunId::new);
    match (&args.operator, run) {
        (Some(actor), run) => Ok(Authority::Operator {
            actor: values::label("operator", actor)?,
            reason: reason.map(|text| Reason::new("reason", text)).transpose()?,
            run,
        }),
        (None, Some(run)) => Ok(Authority::worker(run)),
        (None, None) => Err(Failure::Usage(
            "give --run N as the worker, or --operator NAME".to_owned(),
        )),
    }
}

pub(super) fn note(field: &'static str, text: Option<&str>) -> Result<Option<Note>, Failure> {
    Ok(text.map(|text| Note::new(field, text)).transpose()?)
}

pub(super) fn heartbeat(
    board: &Board,
    args: &HeartbeatArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let heartbeat = Heartbeat {
        task: ids::whole(&args.id)?,
        authority: authority(&args.authority)?,
        extend: values::ttl("extend", args.extend.as_deref())?,
        note: note("note", args.note.as_deref())?,
    };
    let written = block_on(board.store()?.heartbeat(heartbeat))?;
    output.written(&written, |claim, _| {
        format!("run {}  until {}", claim.run, time(claim.expires_at))
    })?;
    Ok(Exit::Done)
}

pub(super) fn spawned(
    board: &Board,
    args: &SpawnedArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let worker = SetWorker {
        task: ids::whole(&args.id)?,
        run: RunId::new(args.run),
        worker: WorkerProcess {
            host: values::label("host", &args.host)?,
            pid: args.pid,
            started: values::optional_label("started", args.started.as_deref())?,
        },
    };
    let written = block_on(board.store()?.set_worker(worker))?;
    output.written(&written, |claim, _| {
        let worker = claim.worker.as_ref();
        let worker = worker.map(|it| format!("process {} on {}", it.pid, plain(&it.host)));
        format!("run {}  {}", claim.run, worker.unwrap_or_default())
    })?;
    Ok(Exit::Done)
}

pub(super) fn complete(
    board: &Board,
    args: &CompleteArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let result = match (&args.result, &args.result_file) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(path)) => Some(values::file_text(path)?),
        (None, None) => None,
    };
    let complete = Complete {
        task: ids::whole(&args.id)?,
        authority: authority(&args.authority)?,
        result: result
            .map(|text| LongText::new("result", text))
            .transpose()?,
        summary: note("summary", args.summary.as_deref())?,
        metadata: args
            .metadata
            .as_deref()
            .map(|text| JsonObject::parse("metadata", text))
            .transpose()?,
        created_tasks: ids::whole_all(&args.created)?,
    };
    ended(&block_on(board.store()?.complete(complete))?, output)
}

pub(super) fn fail(board: &Board, args: &FailArgs, output: &mut Output) -> Result<Exit, Failure> {
    let kind = FailKind::ALL
        .iter()
        .find(|kind| kind.outcome().as_str() == args.kind)
        .ok_or_else(|| Failure::Usage(format!("no such kind of failure: {}", args.kind)))?;
    let fail = Fail {
        task: ids::whole(&args.id)?,
        authority: authority(&args.authority)?,
        kind: *kind,
        error: note("error", args.error.as_deref())?,
        retry_after: values::retry_after(args.retry_after.as_deref())?,
    };
    ended(&block_on(board.store()?.fail(fail))?, output)
}

pub(super) fn release(
    board: &Board,
    args: &ReleaseArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let release = Release {
        task: ids::whole(&args.id)?,
        authority: authority(&args.authority)?,
        retry_after: values::retry_after(args.retry_after.as_deref())?,
    };
    ended(&block_on(board.store()?.release(release))?, output)
}

pub(super) fn ended(written: &Written<Ended>, output: &mut Output) -> Result<Exit, Failure> {
    output.written(written, |ended, paint| {
        let outcome = ended.run.as_ref().and_then(|run| run.outcome);
        let not_before = ended.task.not_before;
        let mut words = vec![super::make::line(&ended.task, paint)];
        words.extend(outcome.map(|outcome| format!("({outcome})")));
        words.extend(not_before.map(|at| format!("not before {}", time(at))));
        words.join("  ")
    })?;
    Ok(Exit::Done)
}
