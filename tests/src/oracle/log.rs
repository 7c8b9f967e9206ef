//! The log, and what an event does to its card.

use std::sync::Arc;

use kanban_core::{Event, EventId, EventKind, JsonObject, Label, RunId, Status, TaskId};
use serde_json::{Map, Value};

use super::Board;

/// What an event tells besides its kind.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) run: Option<RunId>,
    pub(super) actor: Option<Label>,
    data: Map<String, Value>,
}

impl Told {
    pub(super) fn by(actor: Option<&Label>) -> Self {
        let actor = actor.cloned();
        Self {
            actor,
            ..Self::default()
        }
    }

    pub(super) fn of_run(mut self, run: Option<RunId>) -> Self {
        self.run = run;
        self
    }

    pub(super) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.data.insert(field.to_owned(), value.into());
        self
    }

    /// The field, if there is a value for it.
    pub(super) fn with_some<V: Into<Value>>(self, field: &str, value: Option<V>) -> Self {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    /// A change of the status, if it is one. [13.2]
    pub(super) fn moved(self, from: Status, to: Status) -> Self {
        if from == to {
            return self;
        }
        self.with("from", from.as_str()).with("to", to.as_str())
    }
}

impl Board {
    /// Appends an event of a task. [3.7]
    pub(super) fn tell(&mut self, task: &TaskId, kind: EventKind, told: Told) {
        let disturbs = !matches!(
            kind.as_str(),
            "heartbeat" | "spawned" | "commented" | "attached" | "detached" | "completion_refused"
        );
        self.append(Some(task.clone()), kind, told);
        if disturbs {
            let now = self.now;
            let row = self.task_mut(task);
            row.version = kanban_core::Version::new(row.version.get() + 1);
            row.updated_at = now;
        }
    }

    /// Appends an event of the board itself. [13.1]
    pub(super) fn tell_board(&mut self, kind: EventKind, told: Told) {
        self.append(None, kind, told);
    }

    fn append(&mut self, task: Option<TaskId>, kind: EventKind, told: Told) {
        self.counters.event = EventId::new(self.counters.event.get() + 1);
        let Told { run, actor, data } = told;
        self.events.push(Arc::new(Event {
            id: self.counters.event,
            seq: self.counters.seq,
            at: self.now,
            task,
            run,
            actor,
            kind,
            data: JsonObject::new("data", data).expect("histories tell nothing long"),
        }));
    }
}
