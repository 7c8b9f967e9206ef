//! Runs, with their outcomes in our words.

use kanban_core::{Assignee, ForeignRun, Label, Millis, Note, Outcome, Phase, Repair};
use serde_json::{Map, Value};

use super::events::Log;
use super::fit;
use super::row::{Place, Row, Table, key};

pub(super) fn read(table: Table, log: &Log, repairs: &mut Vec<Repair>) -> Vec<ForeignRun> {
    let runs = table.rows.into_iter();
    runs.filter_map(|row| run(row, log, repairs)).collect()
}

fn run(mut row: Row, log: &Log, repairs: &mut Vec<Repair>) -> Option<ForeignRun> {
    let id = row.number("runs", repairs)?;
    let name = id.to_string();
    let task = row.task("task_id", "runs", id, repairs)?;
    let started_at = row.seconds("started_at").unwrap_or_default();
    let ended_at = row.seconds("ended_at");
    let mut metadata = metadata(row.text("metadata"));
    let outcome = outcome(&mut row, id, ended_at, log, &mut metadata, repairs);
    let is_open = ended_at.is_none() && outcome.is_none();
    let lock = row
        .bounded(
            "claim_lock",
            Label::MAX_BYTES,
            Place::new("runs", &name, repairs),
            Label::new,
        )
        .or_else(|| {
            let lock = log.locks.get(&id)?;
            Label::new("claim_lock", fit::cut(lock, Label::MAX_BYTES)).ok()
        });
    let (expires_at, heartbeat_at, must_end_by) = if is_open {
        let limit = row.count("max_runtime_seconds").filter(|limit| *limit > 0);
        let end = limit.map(|limit| after(started_at, limit));
        let expires_at = row.seconds("claim_expires");
        (expires_at, row.seconds("last_heartbeat_at"), end)
    } else {
        (None, None, None)
    };
    let assignee = assignee(&mut row, "profile", Place::new("runs", &name, repairs));
    let summary = row.bounded(
        "summary",
        Note::MAX_BYTES,
        Place::new("runs", &name, repairs),
        Note::new,
    );
    let error = row.bounded(
        "error",
        Note::MAX_BYTES,
        Place::new("runs", &name, repairs),
        Note::new,
    );
    Some(ForeignRun {
        id,
        task,
        phase: Phase::Work,
        assignee,
        claimant: lock,
        expires_at,
        must_end_by,
        heartbeat_at,
        started_at,
        ended_at,
        outcome,
        summary,
        error,
        metadata: row.rest("metadata", metadata, Place::new("runs", &name, repairs)),
    })
}

fn after(start: Millis, seconds: u64) -> Millis {
    start.after(std::time::Duration::from_secs(seconds))
}

/// The worker's own metadata stays as it is; what is no object is kept under a key.
fn metadata(text: Option<String>) -> Map<String, Value> {
    let Some(text) = text else {
        return Map::new();
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(fields)) => fields,
        Ok(Value::Null) => Map::new(),
        Ok(other) => Map::from_iter([(key("metadata"), other)]),
        Err(_) => Map::from_iter([(key("metadata"), Value::String(text))]),
    }
}

/// The outcome in our words; the foreign word is kept where it is another one.
fn outcome(
    row: &mut Row,
    id: u64,
    ended_at: Option<Millis>,
    log: &Log,
    metadata: &mut Map<String, Value>,
    repairs: &mut Vec<Repair>,
) -> Option<Outcome> {
    let Some(word) = row.text("outcome") else {
        // Older files have only a status.
        let status = row.text("status")?;
        let outcome = ended_at.and_then(|_| translated(&status, id, log));
        row.put_back("status", status);
        if let Some(outcome) = outcome {
            repairs.push(Repair::added("runs", id, "outcome", outcome));
        }
        return outcome;
    };
    if let Some(outcome) = Outcome::parse(&word) {
        return Some(outcome);
    }
    let outcome = translated(&word, id, log).unwrap_or_else(|| {
        let outcome = Outcome::Invalidated;
        let from = fit::cut(&word, 64);
        repairs.push(Repair::changed("runs", id, "outcome", from, outcome));
        outcome
    });
    metadata.insert(key("outcome"), Value::String(word));
    Some(outcome)
}

fn translated(word: &str, run: u64, log: &Log) -> Option<Outcome> {
    match word {
        "done" => Some(Outcome::Completed),
        "reclaimed" => Some(Outcome::Released),
        "failed" => Some(Outcome::WorkerError),
        // The breaker tripped: what ended the run is in its event.
        "gave_up" => {
            let trigger = log.triggers.get(&run).and_then(|word| Outcome::parse(word));
            Some(trigger.unwrap_or(Outcome::WorkerError))
        }
        word => Outcome::parse(word),
    }
}

/// An assignee in our form; a name that has none is kept beside.
pub(super) fn assignee(row: &mut Row, column: &'static str, place: Place<'_>) -> Option<Assignee> {
    let text = row.text(column)?;
    let assignee = Assignee::new(text.as_str()).ok();
    if assignee.is_none() {
        let Place { table, id, repairs } = place;
        let from = fit::cut(&text, 64).to_owned();
        repairs.push(Repair::dropped(table, id, column, from));
        row.put_back(column, text);
    }
    assignee
}
