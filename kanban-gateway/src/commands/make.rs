//! Making and joining tasks.

use kanban_core::{
    Address, Assignee, AttachFile, AttachmentId, CommentOn, DetachFile, FailureLimit, JsonObject,
    LinkTasks, LongText, NewTask, Note, Reason, Start, Task, Title, UnlinkTasks,
};
use pollster::block_on;

use crate::cli::{AddArgs, AttachArgs, CommentArgs, DetachArgs, LinkArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, plain};
use crate::values;

use super::{Board, ids};

pub(super) fn add(board: &Board, args: AddArgs, output: &mut Output) -> Result<Exit, Failure> {
    if let Some(path) = &args.graph {
        return super::batch::add_graph(board, path, output);
    }
    let new = new_task(args)?;
    if !new.parents.is_empty() || new.created_from.is_some() {
        board.has_tasks();
    }
    let written = block_on(board.store()?.create(new))?;
    output.written(&written, line)?;
    Ok(Exit::Done)
}

fn new_task(args: AddArgs) -> Result<NewTask, Failure> {
    let body = body(args.body.as_deref(), args.body_file.as_deref())?;
    let start = start(&args)?;
    Ok(NewTask {
        body,
        start,
        priority: args.priority,
        assignee: args.assignee.map(Assignee::new).transpose()?,
        tenant: values::optional_label("tenant", args.tenant.as_deref())?,
        created_by: values::optional_label("created_by", args.created_by.as_deref())?,
        created_from: args.created_from.as_deref().map(ids::whole).transpose()?,
        parents: ids::whole_all(&args.parents)?,
        idempotency_key: values::optional_label("key", args.key.as_deref())?,
        failure_limit: args.failure_limit.map(FailureLimit::new).transpose()?,
        max_runtime: args
            .max_runtime
            .map(|text| values::span("max_runtime", &text))
            .transpose()?,
        attributes: args
            .attributes
            .map(|text| JsonObject::parse("attributes", &text))
            .transpose()?,
        // The parser lets no title out but with `--graph`.
        ..NewTask::new(Title::new(args.title.unwrap_or_default())?)
    })
}

/// A body that was given as a text, or as a file.
pub(super) fn body(text: Option<&str>, file: Option<&str>) -> Result<Option<LongText>, Failure> {
    let text = match (text, file) {
        (Some(text), _) => Some(text.to_owned()),
        (None, Some(path)) => Some(values::file_text(path)?),
        (None, None) => None,
    };
    Ok(text.map(|text| LongText::new("body", text)).transpose()?)
}

fn start(args: &AddArgs) -> Result<Start, Failure> {
    if args.triage {
        return Ok(Start::Triage);
    }
    if let Some(reason) = args.parked.as_deref() {
        let reason = Some(reason).filter(|reason| !reason.is_empty());
        return Ok(Start::Parked {
            reason: reason.map(|text| Reason::new("reason", text)).transpose()?,
        });
    }
    match &args.wake_at {
        Some(at) => Ok(Start::WakeAt(values::instant("wake_at", at)?)),
        None => Ok(Start::Landing),
    }
}

pub(super) fn link(board: &Board, args: &LinkArgs, output: &mut Output) -> Result<Exit, Failure> {
    let link = LinkTasks {
        parent: ids::whole(&args.parent)?,
        child: ids::whole(&args.child)?,
        actor: values::optional_label("actor", args.actor.as_deref())?,
    };
    let written = block_on(board.store()?.link(link))?;
    output.written(&written, line)?;
    Ok(Exit::Done)
}

pub(super) fn unlink(board: &Board, args: &LinkArgs, output: &mut Output) -> Result<Exit, Failure> {
    let unlink = UnlinkTasks {
        parent: ids::whole(&args.parent)?,
        child: ids::whole(&args.child)?,
        actor: values::optional_label("actor", args.actor.as_deref())?,
    };
    let written = block_on(board.store()?.unlink(unlink))?;
    output.written(&written, line)?;
    Ok(Exit::Done)
}

pub(super) fn comment(
    board: &Board,
    args: &CommentArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let text = match args.text.as_str() {
        "-" => values::file_text("-")?,
        text => text.to_owned(),
    };
    let comment = CommentOn {
        task: ids::whole(&args.id)?,
        author: values::label("author", &args.author)?,
        body: Note::new("body", text)?,
        request_id: values::optional_label("request_id", args.request_id.as_deref())?,
    };
    let written = block_on(board.store()?.comment(comment))?;
    output.written(&written, |comment, _| {
        format!("comment {} on {}", comment.id, comment.task)
    })?;
    Ok(Exit::Done)
}

pub(super) fn attach(
    board: &Board,
    args: &AttachArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let last = args.uri.rsplit('/').next().unwrap_or(&args.uri);
    let attach = AttachFile {
        task: ids::whole(&args.id)?,
        file_name: values::label("file_name", args.name.as_deref().unwrap_or(last))?,
        uri: Address::new("uri", args.uri.as_str())?,
        media_type: values::optional_label("media_type", args.media_type.as_deref())?,
        size: args.size,
        actor: values::optional_label("actor", args.actor.as_deref())?,
        request_id: values::optional_label("request_id", args.request_id.as_deref())?,
    };
    let written = block_on(board.store()?.attach(attach))?;
    output.written(&written, |file, _| {
        format!("attachment {} on {}", file.id, file.task)
    })?;
    Ok(Exit::Done)
}

pub(super) fn detach(
    board: &Board,
    args: &DetachArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let detach = DetachFile {
        task: ids::whole(&args.id)?,
        attachment: AttachmentId::new(args.attachment),
        actor: values::optional_label("actor", args.actor.as_deref())?,
    };
    let written = block_on(board.store()?.detach(detach))?;
    output.written(&written, |file, _| {
        format!("attachment {} is gone from {}", file.id, file.task)
    })?;
    Ok(Exit::Done)
}

/// A task in one line.
pub(super) fn line(task: &Task, _: Paint) -> String {
    format!("{}  {}  {}", task.id, task.status, plain(&task.title))
}
