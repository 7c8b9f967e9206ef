//! Questions about single tasks, and about what belongs to them.

use comfy_table::Cell;
use kanban_core::{
    Attachment, AttachmentId, Comment, CommentId, Kin, Note, OfTask, RunId, Seq, TaskId,
};
use pollster::block_on;
use serde::Serialize;

use crate::cli::{IdsArgs, KinArgs, OfTaskArgs, ReachedArgs, TasksArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, plain, time};

use super::ask::tasks_text;
use super::show::runs_text;
use super::{Board, ids};

pub(super) fn tasks(board: &Board, args: &TasksArgs, output: &mut Output) -> Result<Exit, Failure> {
    let read = block_on(board.store()?.tasks(ids::whole_all(&args.ids)?))?;
    output.read(&read, |tasks, paint| tasks_text(tasks, paint))?;
    Ok(Exit::Done)
}

pub(super) fn ids(board: &Board, args: &IdsArgs, output: &mut Output) -> Result<Exit, Failure> {
    let read = block_on(
        board
            .store()?
            .ids_by_prefix(args.prefix.clone(), args.limit),
    )?;
    output.read(&read, |ids, paint| {
        paint.table(["id"], ids.iter().map(|id| [Cell::new(id)]))
    })?;
    Ok(Exit::Done)
}

pub(super) fn parents(board: &Board, args: &KinArgs, output: &mut Output) -> Result<Exit, Failure> {
    let read = block_on(board.store()?.parents(kin(board, args)?))?;
    output.read(&read, |tasks, paint| tasks_text(tasks, paint))?;
    Ok(Exit::Done)
}

pub(super) fn children(
    board: &Board,
    args: &KinArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let read = block_on(board.store()?.children(kin(board, args)?))?;
    output.read(&read, |tasks, paint| tasks_text(tasks, paint))?;
    Ok(Exit::Done)
}

fn kin(board: &Board, args: &KinArgs) -> Result<Kin, Failure> {
    Ok(Kin {
        task: ids::known(board, &args.id)?,
        after: args.after.as_deref().map(ids::whole).transpose()?,
        limit: args.limit,
    })
}

pub(super) fn runs(board: &Board, args: &OfTaskArgs, output: &mut Output) -> Result<Exit, Failure> {
    let read = block_on(board.store()?.runs(of(board, args, RunId::new)?))?;
    output.read(&read, |runs, paint| runs_text(runs, paint))?;
    Ok(Exit::Done)
}

pub(super) fn comments(
    board: &Board,
    args: &OfTaskArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let read = block_on(board.store()?.comments(of(board, args, CommentId::new)?))?;
    output.read(&read, |comments, paint| comments_text(comments, paint))?;
    Ok(Exit::Done)
}

fn comments_text(comments: &[Comment], paint: Paint) -> String {
    let rows = comments.iter().map(|comment| {
        [
            Cell::new(comment.id),
            Cell::new(time(comment.at)),
            Cell::new(plain(&comment.author)),
            Cell::new(plain(&comment.body)),
        ]
    });
    paint.table(["id", "time", "by", "comment"], rows)
}

pub(super) fn attachments(
    board: &Board,
    args: &OfTaskArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let read = block_on(
        board
            .store()?
            .attachments(of(board, args, AttachmentId::new)?),
    )?;
    output.read(&read, |files, paint| attachments_text(files, paint))?;
    Ok(Exit::Done)
}

fn attachments_text(files: &[Attachment], paint: Paint) -> String {
    let word = |word: Option<String>| Cell::new(word.unwrap_or_else(|| "-".to_owned()));
    let rows = files.iter().map(|file| {
        [
            Cell::new(file.id),
            Cell::new(plain(&file.file_name)),
            word(file.media_type.as_ref().map(plain)),
            word(file.size.map(|size| size.to_string())),
            word(file.by.as_ref().map(plain)),
            Cell::new(plain(&file.uri)),
        ]
    });
    paint.table(["id", "file", "type", "bytes", "by", "uri"], rows)
}

fn of<I>(board: &Board, args: &OfTaskArgs, id: impl Fn(u64) -> I) -> Result<OfTask<I>, Failure> {
    Ok(OfTask {
        task: ids::known(board, &args.id)?,
        after: args.after.map(id),
        limit: args.limit,
    })
}

/// The newest summary of a task.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Summary {
    task: TaskId,
    summary: Note,
}

pub(super) fn summaries(
    board: &Board,
    args: &TasksArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let read = block_on(board.store()?.latest_summaries(ids::whole_all(&args.ids)?))?;
    let summary = |(task, summary)| Summary { task, summary };
    let summaries: Vec<Summary> = read.value.into_iter().map(summary).collect();
    output.answer(Some(read.seq), None, &summaries, |summaries, paint| {
        let rows = summaries
            .iter()
            .map(|row| [Cell::new(&row.task), Cell::new(plain(&row.summary))]);
        paint.table(["id", "summary"], rows)
    })?;
    Ok(Exit::Done)
}

/// How far the board is.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ReachedSeq {
    seq: Seq,
}

pub(super) fn reached(
    board: &Board,
    args: &ReachedArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let seq = block_on(board.store()?.reached(Seq::new(args.seq)))?;
    output.answer(Some(seq), None, &ReachedSeq { seq }, |reached, _| {
        format!("write {}", reached.seq)
    })?;
    Ok(Exit::Done)
}
