//! Holding work back, and letting it go on.

use comfy_table::Cell;
use kanban_core::{
    Assignee, BlockTask, OnOpenParents, Pause, PauseClaims, PauseTarget, PromoteMode, PromoteTask,
    Reason, ResumeClaims, ScheduleTask, UnblockTask, Version, WorkerBlockKind,
};
use pollster::block_on;

use crate::cli::{BlockArgs, PauseArgs, PromoteArgs, ResumeArgs, ScheduleArgs, TaskByArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, plain, time};
use crate::values;

use super::make::line;
use super::work::{ended, right};
use super::{Board, ids};

pub(super) fn block(board: &Board, args: &BlockArgs, output: &mut Output) -> Result<Exit, Failure> {
    let kind = WorkerBlockKind::parse(&args.kind)
        .ok_or_else(|| Failure::Usage(format!("no such kind of block: {}", args.kind)))?;
    let block = BlockTask {
        task: ids::whole(&args.id)?,
        authority: right(&args.right, None)?,
        kind,
        reason: reason(args.reason.as_deref())?,
        on: ids::whole_all(&args.on)?,
        expected_version: args.if_version.map(Version::new),
    };
    ended(&block_on(board.store()?.block(block))?, output)
}

pub(super) fn unblock(
    board: &Board,
    args: &TaskByArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let unblock = UnblockTask {
        task: ids::whole(&args.id)?,
        actor: values::label("actor", &args.actor)?,
    };
    let written = block_on(board.store()?.unblock(unblock))?;
    output.written(&written, line)?;
    Ok(Exit::Done)
}

pub(super) fn schedule(
    board: &Board,
    args: &ScheduleArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let at = args.at.as_deref().map(|text| values::instant("at", text));
    let schedule = ScheduleTask {
        task: ids::whole(&args.id)?,
        authority: right(&args.right, None)?,
        at: at.transpose()?,
        reason: reason(args.reason.as_deref())?,
        expected_version: args.if_version.map(Version::new),
    };
    ended(&block_on(board.store()?.schedule(schedule))?, output)
}

pub(super) fn promote(
    board: &Board,
    args: &PromoteArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let promote = PromoteTask {
        task: ids::whole(&args.id)?,
        actor: values::label("actor", &args.actor)?,
        open_parents: match args.unlink {
            true => OnOpenParents::Unlink,
            false => OnOpenParents::Refuse,
        },
        mode: match args.dry_run {
            true => PromoteMode::DryRun,
            false => PromoteMode::Apply,
        },
    };
    let written = block_on(board.store()?.promote(promote))?;
    if args.dry_run {
        let (seq, effect) = (Some(written.seq), Some(written.effect));
        output.answer(seq, effect, &written.value, |task, paint| {
            format!("would become  {}", line(task, paint))
        })?;
    } else {
        output.written(&written, line)?;
    }
    Ok(Exit::Done)
}

pub(super) fn pause(board: &Board, args: &PauseArgs, output: &mut Output) -> Result<Exit, Failure> {
    let pause = PauseClaims {
        target: target(args.assignee.as_deref())?,
        actor: values::label("actor", &args.actor)?,
        reason: reason(args.reason.as_deref())?,
    };
    let written = block_on(board.store()?.pause(pause))?;
    output.written(&written, |pause, _| {
        format!("paused: {}", target_word(&pause.target))
    })?;
    Ok(Exit::Done)
}

pub(super) fn resume(
    board: &Board,
    args: &ResumeArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let resume = ResumeClaims {
        target: target(args.assignee.as_deref())?,
        actor: values::label("actor", &args.actor)?,
    };
    let written = block_on(board.store()?.resume(resume))?;
    let (seq, effect) = (Some(written.seq), Some(written.effect));
    output.answer(seq, effect, &written.value, |pause, _| match pause {
        Some(pause) => format!("resumed: {}", target_word(&pause.target)),
        None => "was not paused".to_owned(),
    })?;
    Ok(Exit::Done)
}

pub(super) fn pauses(board: &Board, output: &mut Output) -> Result<Exit, Failure> {
    let read = block_on(board.store()?.pauses())?;
    output.read(&read, |pauses, paint| pauses_text(pauses, paint))?;
    Ok(Exit::Done)
}

fn pauses_text(pauses: &[Pause], paint: Paint) -> String {
    let rows = pauses.iter().map(|pause| {
        [
            Cell::new(target_word(&pause.target)),
            Cell::new(time(pause.at)),
            Cell::new(plain(&pause.actor)),
            Cell::new(pause.reason.as_ref().map_or_else(String::new, plain)),
        ]
    });
    paint.table(["paused", "since", "by", "reason"], rows)
}

fn target(assignee: Option<&str>) -> Result<PauseTarget, Failure> {
    Ok(match assignee {
        Some(name) => PauseTarget::Assignee(Assignee::new(name)?),
        None => PauseTarget::Board,
    })
}

/// No name can be mistaken for the board: none has a space in it.
fn target_word(target: &PauseTarget) -> String {
    match target {
        PauseTarget::Board => "the board".to_owned(),
        PauseTarget::Assignee(name) => name.to_string(),
    }
}

pub(super) fn reason(text: Option<&str>) -> Result<Option<Reason>, Failure> {
    Ok(text.map(|text| Reason::new("reason", text)).transpose()?)
}
