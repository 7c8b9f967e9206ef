//! An event, as a rule tells it.

use serde_json::{Map, Value};

use crate::model::{EventKind, Label, RunId, TaskId};

/// An event to be appended.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(super) kind: EventKind,
    pub(super) task: Option<&'a TaskId>,
    pub(super) run: Option<RunId>,
    pub(super) actor: Option<&'a Label>,
    pub(super) data: Map<String, Value>,
}

impl<'a> Entry<'a> {
    /// An event of a task.
    pub(crate) fn of(task: &'a TaskId, kind: EventKind) -> Self {
        Self {
            kind,
            task: Some(task),
            run: None,
            actor: None,
            data: Map::new(),
        }
    }

    /// An event of the board.
    pub(crate) fn of_board(kind: EventKind) -> Self {
        Self {
            kind,
            task: None,
            run: None,
            actor: None,
            data: Map::new(),
        }
    }

    /// Names the run.
    pub(crate) const fn run(mut self, run: Option<RunId>) -> Self {
        self.run = run;
        self
    }

    /// Names who did it.
    pub(crate) const fn by(mut self, actor: Option<&'a Label>) -> Self {
        self.actor = actor;
        self
    }

    /// Adds a detail; an absent one (JSON null) is left out.
    pub(crate) fn with(mut self, key: &str, value: impl serde::Serialize) -> Self {
        let value = serde_json::to_value(value).expect("details are plain values with string keys");
        if !value.is_null() {
            self.data.insert(key.to_owned(), value);
        }
        self
    }

    /// Adds a detail whose absence is told too, as JSON null.
    pub(crate) fn with_or_null(mut self, key: &str, value: impl serde::Serialize) -> Self {
        self.data.insert(key.to_owned(), Value::Null);
        self.with(key, value)
    }

    /// Adds the two statuses of a status change; nothing where the status stays.
    pub(crate) fn moved(self, from: crate::model::Status, to: crate::model::Status) -> Self {
        if from == to {
            return self;
        }
        self.with("from", from).with("to", to)
    }
}
