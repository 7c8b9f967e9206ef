//! Tasks, with their statuses and blocks in our words.

use kanban_core::{
    Block, BlockKind, BlockStreak, EventKind, FailureLimit, ForeignTask, Label, LongText, Millis,
    Note, Phase, Reason, Repair, Status, TaskId, Title,
};
use serde_json::{Map, Value};

use super::events::Log;
use super::fit;
use super::row::{Place, Row, Table, key};
use super::runs::assignee;

const TASKS: &str = "tasks";

pub(super) fn read(table: Table, log: &Log, repairs: &mut Vec<Repair>) -> Vec<ForeignTask> {
    let tasks = table.rows.into_iter();
    tasks.filter_map(|row| task(row, log, repairs)).collect()
}

fn task(mut row: Row, log: &Log, repairs: &mut Vec<Repair>) -> Option<ForeignTask> {
    let shown = row.text("id").unwrap_or_default();
    let shown_name = fit::cut(&shown, 64).to_owned();
    row.put_back("id", shown);
    let id = row.task("id", TASKS, &shown_name, repairs)?;
    let title = title(&mut row, &id, repairs);
    let status = status(&mut row, &id, repairs);
    let created_at = created_at(&mut row, &id, repairs);
    let (block, block_streak) = block(&mut row, &id, status, log);
    // A block that the log does not tell of is as old as the task.
    let block = block.map(|block| Block {
        at: block.at.max(created_at),
        ..block
    });
    let label = |row: &mut Row, column: &'static str, repairs: &mut Vec<Repair>| {
        row.bounded(
            column,
            Label::MAX_BYTES,
            Place::new(TASKS, id.as_str(), repairs),
            Label::new,
        )
    };
    let open_run = row.count("current_run_id");
    claim_columns(&mut row, &id, status, repairs);
    let skills = skills(&mut row);
    let failures = row.count("consecutive_failures").unwrap_or(0);
    let max_runtime = row.count("max_runtime_seconds").filter(|limit| *limit > 0);
    Some(ForeignTask {
        body: row.bounded(
            "body",
            LongText::MAX_BYTES,
            Place::new(TASKS, id.as_str(), repairs),
            LongText::new,
        ),
        result: row.bounded(
            "result",
            LongText::MAX_BYTES,
            Place::new(TASKS, id.as_str(), repairs),
            LongText::new,
        ),
        phase: match status {
            Status::Review => Phase::Review,
            _ => Phase::Work,
        },
        priority: priority(&mut row, &id, repairs),
        assignee: assignee(
            &mut row,
            "assignee",
            Place::new(TASKS, id.as_str(), repairs),
        ),
        tenant: label(&mut row, "tenant", repairs),
        created_by: label(&mut row, "created_by", repairs),
        created_at,
        started_at: row.seconds("started_at"),
        completed_at: row.seconds("completed_at"),
        wake_at: None,
        idempotency_key: label(&mut row, "idempotency_key", repairs),
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
        last_error: row.bounded(
            "last_failure_error",
            Note::MAX_BYTES,
            Place::new(TASKS, id.as_str(), repairs),
            Note::new,
        ),
        max_runtime: max_runtime.map(|seconds| seconds.saturating_mul(1000)),
        failure_limit: failure_limit(&mut row, &id, repairs),
        block,
        block_streak,
        open_run,
        attributes: row.rest(
            "attributes",
            skills,
            Place::new(TASKS, id.as_str(), repairs),
        ),
        id: id.clone(),
        title,
        status,
    })
}

fn title(row: &mut Row, id: &TaskId, repairs: &mut Vec<Repair>) -> Title {
    let text = row.text("title").unwrap_or_default();
    let trimmed = text.trim();
    let kept = fit::cut(trimmed, Title::MAX_BYTES);
    if kept.len() < trimmed.len() {
        let (from, to) = (trimmed.len(), kept.len());
        let (from, to) = (format!("{from} bytes"), format!("{to} bytes"));
        repairs.push(Repair::changed(TASKS, id, "title", from, to));
    }
    Title::new(kept).unwrap_or_else(|_| {
        repairs.push(Repair::added(TASKS, id, "title", id));
        Title::new(id.as_str()).expect("an id is a title: not blank, and at most 64 bytes")
    })
}

fn status(row: &mut Row, id: &TaskId, repairs: &mut Vec<Repair>) -> Status {
    let word = row.text("status").unwrap_or_default();
    Status::parse(&word).unwrap_or_else(|| {
        // Somebody has to look at it.
        let from = fit::cut(&word, 64).to_owned();
        repairs.push(Repair::changed(TASKS, id, "status", from, Status::Triage));
        row.put_back("status", word);
        Status::Triage
    })
}

/// The block of a blocked task, and the streak. The kind outlives the block there, for the streak's sake.
fn block(
    row: &mut Row,
    id: &TaskId,
    status: Status,
    log: &Log,
) -> (Option<Block>, Option<BlockStreak>) {
    let word = row.text("block_kind");
    let kind = match word.as_deref() {
        Some("dependency") | None => None,
        Some(word) => Some(BlockKind::parse(word).unwrap_or(BlockKind::Other)),
    };
    if let Some(word) = word
        && kind.is_none_or(|kind| kind.as_str() != word)
    {
        row.put_back("block_kind", word);
    }
    let count = row.count("block_recurrences").unwrap_or(0);
    let streak = (count > 0).then(|| BlockStreak {
        kind: kind.unwrap_or(BlockKind::Other),
        count: u32::try_from(count).unwrap_or(u32::MAX),
    });
    if status != Status::Blocked {
        return (None, streak);
    }
    let event = log.block_of(id);
    let by_breaker = event.is_some_and(|event| event.kind == EventKind::GaveUp);
    let untyped = if by_breaker {
        BlockKind::Breaker
    } else {
        BlockKind::Other
    };
    let reason = event.and_then(|event| {
        let data = event.data.as_map();
        let text = data.get(&key("reason")).or(data.get(&key("error")))?;
        Reason::new("reason", fit::cut(text.as_str()?, Reason::MAX_BYTES)).ok()
    });
    let block = Block {
        kind: kind.unwrap_or(untyped),
        reason,
        by: None,
        at: event.map_or_else(Millis::default, |event| event.at),
    };
    (Some(block), streak)
}

/// A claim is taken over with its run. One that is left on a task that is not running is nobody's: it is listed, and
/// kept with the rest.
fn claim_columns(row: &mut Row, id: &TaskId, status: Status, repairs: &mut Vec<Repair>) {
    if status == Status::Running {
        for column in ["claim_lock", "claim_expires", "last_heartbeat_at"] {
            row.text(column);
        }
    } else if let Some(lock) = row.text("claim_lock") {
        let from = fit::cut(&lock, 256).to_owned();
        repairs.push(Repair::dropped(TASKS, id, "claim_lock", from));
        row.put_back("claim_lock", lock);
    }
}

/// The skills are JSON in a text.
fn skills(row: &mut Row) -> Map<String, Value> {
    let Some(text) = row.text("skills") else {
        return Map::new();
    };
    let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Map::from_iter([(key("skills"), value)])
}

fn priority(row: &mut Row, id: &TaskId, repairs: &mut Vec<Repair>) -> i32 {
    let found = row.integer("priority").unwrap_or(0);
    let bounds = i64::from(i32::MIN)..=i64::from(i32::MAX);
    let kept = i32::try_from(found.clamp(*bounds.start(), *bounds.end())).unwrap_or(0);
    if i64::from(kept) != found {
        repairs.push(Repair::changed(TASKS, id, "priority", found, kept));
    }
    kept
}

fn created_at(row: &mut Row, id: &TaskId, repairs: &mut Vec<Repair>) -> Millis {
    row.seconds("created_at").unwrap_or_else(|| {
        repairs.push(Repair::added(TASKS, id, "created_at", 0));
        Millis::default()
    })
}

fn failure_limit(row: &mut Row, id: &TaskId, repairs: &mut Vec<Repair>) -> Option<FailureLimit> {
    let found = row.integer("max_retries")?;
    let kept = u32::try_from(found.clamp(1, 1000)).unwrap_or(1);
    if i64::from(kept) != found {
        repairs.push(Repair::changed(TASKS, id, "max_retries", found, kept));
    }
    FailureLimit::new(kept).ok()
}
