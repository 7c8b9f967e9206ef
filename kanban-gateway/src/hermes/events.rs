//! The log. Kinds are kept verbatim; the payload's keys, and unknown columns, become data.

use std::collections::BTreeMap;

use kanban_core::{EventKind, ForeignEvent, Repair, TaskId};
use serde_json::{Map, Value};

use super::row::{Place, Row, Table, key};

const KIND_MAX: usize = 256;

/// The log, and what it tells about runs and blocks that the other tables have forgotten.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) events: Vec<ForeignEvent>,
    /// Who claimed a run: the claim's lock, which the run loses when it ends.
    pub(super) locks: BTreeMap<u64, String>,
    /// What failed when the breaker ended a run.
    pub(super) triggers: BTreeMap<u64, String>,
    /// What last blocked a task.
    pub(super) blocks: BTreeMap<TaskId, usize>,
}

pub(super) fn read(table: Table, repairs: &mut Vec<Repair>) -> Log {
    let mut log = Log::default();
    for row in table.rows {
        if let Some(event) = event(row, repairs) {
            log.note(&event);
            log.events.push(event);
        }
    }
    log
}

impl Log {
    fn note(&mut self, event: &ForeignEvent) {
        let word = |name: &str| {
            let value = event.data.as_map().get(&key(name));
            value.and_then(Value::as_str).map(str::to_owned)
        };
        match (&event.kind, event.run) {
            (EventKind::Claimed, Some(run)) => {
                self.locks.extend(word("lock").map(|lock| (run, lock)));
            }
            (EventKind::GaveUp, Some(run)) => {
                self.triggers
                    .extend(word("trigger_outcome").map(|word| (run, word)));
            }
            _ => {}
        }
        if matches!(event.kind, EventKind::Blocked | EventKind::GaveUp)
            && let Some(task) = &event.task
        {
            self.blocks.insert(task.clone(), self.events.len());
        }
    }

    /// The event that last blocked a task.
    pub(super) fn block_of(&self, task: &TaskId) -> Option<&ForeignEvent> {
        self.events.get(*self.blocks.get(task)?)
    }
}

fn event(mut row: Row, repairs: &mut Vec<Repair>) -> Option<ForeignEvent> {
    let id = row.number("events", repairs)?;
    let name = id.to_string();
    let task = row.task("task_id", "events", id, repairs)?;
    let run = row.count("run_id");
    let kind = row.bounded(
        "kind",
        KIND_MAX,
        Place::new("events", &name, repairs),
        |_, text| Ok(text),
    );
    let kind = kind.unwrap_or_else(|| {
        repairs.push(Repair::added("events", id, "kind", "unknown"));
        "unknown".to_owned()
    });
    let at = row.seconds("created_at").unwrap_or_default();
    let data = payload(row.text("payload"));
    let data = row.rest("data", data, Place::new("events", &name, repairs));
    Some(ForeignEvent {
        id,
        task: Some(task),
        run,
        kind: EventKind::from(kind.as_str()),
        data: data.unwrap_or_default(),
        at,
    })
}

fn payload(text: Option<String>) -> Map<String, Value> {
    let Some(text) = text else {
        return Map::new();
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(fields)) => fields
            .into_iter()
            .map(|(name, value)| (key(&name), value))
            .collect(),
        Ok(other) => Map::from_iter([(key("payload"), other)]),
        Err(_) => Map::from_iter([(key("payload"), Value::String(text))]),
    }
}
