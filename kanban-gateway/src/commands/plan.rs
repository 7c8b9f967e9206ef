//! Review, planning, and the archive.

use kanban_core::{
    ArchiveTask, Assignee, DeleteTask, JsonObject, ReopenTask, Reopened, RequestChanges,
    RequestReview, RestoreTask, SpecifyTask, StoppedRun, Title, Version,
};
use pollster::block_on;

use crate::cli::{
    ArchiveArgs, ChangesArgs, ReopenArgs, RequestArgs, ReviewCommand, SpecifyArgs, TaskByArgs,
};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, plain};
use crate::values;

use super::hold::reason;
use super::make::{body, line};
use super::work::{authority, ended, note, right};
use super::{Board, ids};

pub(super) fn review(
    board: &Board,
    command: &ReviewCommand,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        ReviewCommand::Request(args) => request_review(board, args, output),
        ReviewCommand::Changes(args) => request_changes(board, args, output),
    }
}

fn request_review(board: &Board, args: &RequestArgs, output: &mut Output) -> Result<Exit, Failure> {
    let metadata = args.metadata.as_deref();
    let metadata = metadata.map(|text| JsonObject::parse("metadata", text));
    let request = RequestReview {
        task: ids::whole(&args.id)?,
        authority: authority(&args.authority)?,
        summary: note("summary", args.summary.as_deref())?,
        metadata: metadata.transpose()?,
        reviewer: args.reviewer.as_deref().map(Assignee::new).transpose()?,
    };
    ended(&block_on(board.store()?.request_review(request))?, output)
}

fn request_changes(
    board: &Board,
    args: &ChangesArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let request = RequestChanges {
        task: ids::whole(&args.id)?,
        authority: right(&args.right, None)?,
        reason: reason(args.reason.as_deref())?,
    };
    ended(&block_on(board.store()?.request_changes(request))?, output)
}

pub(super) fn reopen(
    board: &Board,
    args: &ReopenArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let reopen = ReopenTask {
        task: ids::whole(&args.id)?,
        actor: values::label("actor", &args.actor)?,
        reason: reason(args.reason.as_deref())?,
    };
    let written = block_on(board.store()?.reopen(reopen))?;
    output.written(&written, reopened_text)?;
    Ok(Exit::Done)
}

fn reopened_text(reopened: &Reopened, paint: Paint) -> String {
    let mut lines = vec![line(&reopened.task, paint)];
    for task in &reopened.invalidated {
        lines.push(format!("waits again  {task}"));
    }
    for stopped in &reopened.stopped {
        lines.push(format!("to stop      {}", stopped_line(stopped)));
    }
    lines.join("\n")
}

/// A run whose worker is to be stopped, and where that worker is.
fn stopped_line(stopped: &StoppedRun) -> String {
    let mut words = vec![format!("{}  run {}", stopped.task, stopped.run.id)];
    words.extend(stopped.run.claimant.as_ref().map(plain));
    words.extend(
        stopped
            .run
            .worker
            .as_ref()
            .map(|worker| format!("process {} on {}", worker.pid, plain(&worker.host))),
    );
    words.join("  ")
}

pub(super) fn specify(
    board: &Board,
    args: &SpecifyArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let specify = SpecifyTask {
        task: ids::whole(&args.id)?,
        actor: values::label("actor", &args.actor)?,
        title: args.title.as_ref().map(Title::new).transpose()?,
        body: body(args.body.as_deref(), args.body_file.as_deref())?,
        assignee: args.assignee.as_deref().map(Assignee::new).transpose()?,
    };
    let written = block_on(board.store()?.specify(specify))?;
    output.written(&written, line)?;
    Ok(Exit::Done)
}

pub(super) fn archive(
    board: &Board,
    args: &ArchiveArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let archive = ArchiveTask {
        task: ids::whole(&args.id)?,
        authority: authority(&args.authority)?,
        expected_version: args.if_version.map(Version::new),
    };
    ended(&block_on(board.store()?.archive(archive))?, output)
}

pub(super) fn restore(
    board: &Board,
    args: &TaskByArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let restore = RestoreTask {
        task: ids::whole(&args.id)?,
        actor: values::label("actor", &args.actor)?,
    };
    let written = block_on(board.store()?.restore(restore))?;
    output.written(&written, line)?;
    Ok(Exit::Done)
}

pub(super) fn delete(
    board: &Board,
    args: &TaskByArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let delete = DeleteTask {
        task: ids::whole(&args.id)?,
        actor: values::label("actor", &args.actor)?,
    };
    let written = block_on(board.store()?.delete(delete))?;
    output.written(&written, |title, _| format!("deleted: {}", plain(title)))?;
    Ok(Exit::Done)
}
