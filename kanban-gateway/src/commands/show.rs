//! One task with its surroundings.

use comfy_table::Cell;
use kanban_core::{
    Attachment, Block, Claim, Comment, Kin, OfTask, Read, Result as StoreResult, Run, Task,
    TaskDetail, TaskId,
};
use pollster::block_on;
use serde::Serialize;

use crate::cli::ShowArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, pairs, plain, span, time};

use super::ask::tasks_text;
use super::{Board, ids};

/// How much is asked for at a time.
const PAGE: usize = 1000;

/// What `show` answers. Each part is one or more snapshots of its own; the envelope's `seq` is the first one's.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Shown {
    #[serde(flatten)]
    task: TaskDetail,
    parents: Vec<Task>,
    children: Vec<Task>,
    runs: Vec<Run>,
    comments: Vec<Comment>,
    attachments: Vec<Attachment>,
}

pub(super) fn show(board: &Board, args: &ShowArgs, output: &mut Output) -> Result<Exit, Failure> {
    let id = ids::known(board, &args.id)?;
    let store = board.store()?;
    let read = block_on(store.task(id.clone()))?;
    let kin = |after: Option<TaskId>| Kin {
        task: id.clone(),
        after,
        limit: PAGE,
    };
    let task_id = |task: &Task| task.id.clone();
    let shown = Shown {
        task: read.value,
        parents: pages(task_id, |after| block_on(store.parents(kin(after))))?,
        children: pages(task_id, |after| block_on(store.children(kin(after))))?,
        runs: pages(
            |run: &Run| run.id,
            |after| block_on(store.runs(of(&id, after))),
        )?,
        comments: pages(
            |comment: &Comment| comment.id,
            |after| block_on(store.comments(of(&id, after))),
        )?,
        attachments: pages(
            |file: &Attachment| file.id,
            |after| block_on(store.attachments(of(&id, after))),
        )?,
    };
    output.answer(Some(read.seq), None, &shown, shown_text)?;
    Ok(Exit::Done)
}

fn of<I>(task: &TaskId, after: Option<I>) -> OfTask<I> {
    OfTask {
        task: task.clone(),
        after,
        limit: PAGE,
    }
}

/// All pages of a question.
fn pages<T, I>(
    key: impl Fn(&T) -> I,
    ask: impl Fn(Option<I>) -> StoreResult<Read<Vec<T>>>,
) -> Result<Vec<T>, Failure> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let page = ask(all.last().map(&key))?.value;
        let last = page.len() < PAGE;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

fn shown_text(shown: &Shown, paint: Paint) -> String {
    let mut parts = vec![pairs(&fields(&shown.task.task))];
    let texts = [("body", &shown.task.body), ("result", &shown.task.result)];
    for (name, text) in texts {
        if let Some(text) = text {
            let lines: Vec<String> = text.as_str().lines().map(plain).collect();
            parts.push(format!("{name}:\n{}", lines.join("\n")));
        }
    }
    if let Some(attributes) = &shown.task.attributes {
        parts.push(format!("attributes: {}", plain(&attributes.to_text())));
    }
    for (name, tasks) in [("parents", &shown.parents), ("children", &shown.children)] {
        if !tasks.is_empty() {
            parts.push(format!("{name}:\n{}", tasks_text(tasks, paint)));
        }
    }
    if !shown.runs.is_empty() {
        parts.push(format!("runs:\n{}", runs_text(&shown.runs, paint)));
    }
    for comment in &shown.comments {
        let author = plain(&comment.author);
        parts.push(format!(
            "{author}, {}: {}",
            time(comment.at),
            plain(&comment.body)
        ));
    }
    for file in &shown.attachments {
        parts.push(format!(
            "file: {}  {}",
            plain(&file.file_name),
            plain(&file.uri)
        ));
    }
    parts.join("\n\n")
}

/// All that a task has. What is nothing, or as it is with most tasks, is left out.
fn fields(task: &Task) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("id", task.id.to_string()),
        ("title", plain(&task.title)),
        ("status", task.status.to_string()),
        ("phase", task.phase.to_string()),
        ("priority", task.priority.to_string()),
        ("version", task.version.to_string()),
    ];
    let mut field = |name, value: Option<String>| {
        fields.extend(value.map(|value| (name, value)));
    };
    field("assignee", task.assignee.as_ref().map(ToString::to_string));
    let implementer = task.implementer.as_ref();
    field("implementer", implementer.map(ToString::to_string));
    field("reviewer", task.reviewer.as_ref().map(ToString::to_string));
    field("tenant", task.tenant.as_ref().map(plain));
    field("key", task.idempotency_key.as_ref().map(plain));
    field("waits for", counted(task.open_parents));
    field("blocked", task.block.as_ref().map(block_text));
    field("claimed", task.claim.as_ref().map(claim_text));
    field("failures", counted(task.failures));
    field("deferrals", counted(task.deferrals));
    field("last error", task.last_error.as_ref().map(plain));
    let limit = task.failure_limit;
    field("failure limit", limit.map(|limit| limit.get().to_string()));
    field("max runtime", task.max_runtime.map(span));
    field(
        "block streak",
        task.block_streak
            .as_ref()
            .map(|streak| format!("{} {}", streak.count, streak.kind)),
    );
    field("review rounds", counted(task.review_rounds));
    let from = task.archived_from.as_ref();
    field("archived from", from.map(|from| from.status.to_string()));
    fields.extend(times(task));
    fields
}

fn times(task: &Task) -> Vec<(&'static str, String)> {
    let mut fields = vec![("created", time(task.created_at))];
    fields.extend(task.created_by.as_ref().map(|by| ("created by", plain(by))));
    let from = task.created_from.as_ref();
    fields.extend(from.map(|from| ("created from", from.to_string())));
    fields.push(("updated", time(task.updated_at)));
    let others = [
        ("started", task.started_at),
        ("completed", task.completed_at),
        ("settled", task.settled_at),
        ("decomposed", task.decomposed_at),
        ("wakes", task.wake_at),
        ("not before", task.not_before),
    ];
    fields.extend(
        others
            .into_iter()
            .filter_map(|(name, at)| Some((name, time(at?)))),
    );
    fields
}

fn counted(count: u32) -> Option<String> {
    (count > 0).then(|| count.to_string())
}

fn block_text(block: &Block) -> String {
    let reason = block.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {}", plain(reason)));
    format!("{}{reason}", block.kind)
}

fn claim_text(claim: &Claim) -> String {
    let until = time(claim.expires_at);
    format!(
        "by {}, run {}, until {until}",
        plain(&claim.claimant),
        claim.run
    )
}

pub(super) fn runs_text(runs: &[Run], paint: Paint) -> String {
    let rows = runs.iter().map(|run| {
        let words = run.summary.as_ref().or(run.error.as_ref());
        [
            Cell::new(run.id),
            Cell::new(run.claimant.as_ref().map_or_else(|| "-".to_owned(), plain)),
            Cell::new(time(run.started_at)),
            Cell::new(run.outcome.map_or("open", |outcome| outcome.as_str())),
            Cell::new(words.map_or_else(String::new, plain)),
        ]
    });
    let head = ["run", "by", "since", "outcome", "summary"];
    paint.table(head, rows)
}
