//! What was counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kanban_core::Change;

/// How often, and how many rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) times: u64,
    pub(super) rows: u64,
}

/// What one call of an engine cost, or all calls of an operation together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// By question.
    pub(super) asked: BTreeMap<&'static str, Asked>,
    /// By kind of change.
    pub(super) changes: BTreeMap<&'static str, u64>,
    /// Changes that write a row as it is.
    pub(super) idle_changes: u64,
    /// What the engine counted itself, by its columns.
    pub(super) engine: Vec<u64>,
}

impl Cost {
    pub(super) fn questions(&self) -> u64 {
        self.asked.values().map(|asked| asked.times).sum()
    }

    pub(super) fn rows(&self) -> u64 {
        self.asked.values().map(|asked| asked.rows).sum()
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes.values().sum()
    }

    /// In words, such as `board, children → 10, task ×22`: how often, and how many rows where that is another number.
    pub(super) fn told_questions(&self) -> String {
        let asked = self.asked.iter().map(|(name, asked)| {
            let told = times(name, asked.times);
            match asked.rows == asked.times {
                true => told,
                false => format!("{told} → {}", asked.rows),
            }
        });
        asked.collect::<Vec<_>>().join(", ")
    }

    /// In words, such as `AddEvent ×11, Board`.
    pub(super) fn told_changes(&self) -> String {
        let changed = self.changes.iter().map(|(name, n)| times(name, *n));
        changed.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn add_question(&mut self, name: &'static str, rows: u64) {
        let asked = self.asked.entry(name).or_default();
        asked.times += 1;
        asked.rows += rows;
    }

    pub(super) fn add_change(&mut self, change: &Change) {
        *self.changes.entry(kind_of(change)).or_default() += 1;
        self.idle_changes += u64::from(is_idle(change));
    }

    fn add(mut self, other: Self) -> Self {
        for (name, Asked { times, rows }) in other.asked {
            let asked = self.asked.entry(name).or_default();
            asked.times += times;
            asked.rows += rows;
        }
        for (name, times) in other.changes {
            *self.changes.entry(name).or_default() += times;
        }
        self.idle_changes += other.idle_changes;
        self.engine
            .resize(other.engine.len().max(self.engine.len()), 0);
        for (sum, more) in self.engine.iter_mut().zip(other.engine) {
            *sum += more;
        }
        self
    }
}

/// The calls of an engine, each with its cost, since they were last taken.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Vec<Cost>>);

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Vec<Cost>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, cost: Cost) {
        self.lock().push(cost);
    }

    /// All of them together; none are left.
    pub(super) fn take(&self) -> Cost {
        let calls = std::mem::take(&mut *self.lock());
        calls.into_iter().fold(Cost::default(), Cost::add)
    }

    /// The last of them; none are left.
    pub(super) fn take_last(&self) -> Cost {
        std::mem::take(&mut *self.lock()).pop().unwrap_or_default()
    }
}

fn times(name: &str, times: u64) -> String {
    match times {
        1 => name.to_owned(),
        _ => format!("{name} ×{times}"),
    }
}

const fn kind_of(change: &Change) -> &'static str {
    match change {
        Change::Board { .. } => "Board",
        Change::Policy { .. } => "Policy",
        Change::Pause { .. } => "Pause",
        Change::Task { .. } => "Task",
        Change::Text { .. } => "Text",
        Change::AddLink(_) => "AddLink",
        Change::RemoveLink(_) => "RemoveLink",
        Change::Run { .. } => "Run",
        Change::AddEvent(_) => "AddEvent",
        Change::RemoveEvent(_) => "RemoveEvent",
        Change::AddComment(_) => "AddComment",
        Change::AddAttachment(_) => "AddAttachment",
        Change::RemoveAttachment(_) => "RemoveAttachment",
        Change::Subscription { .. } => "Subscription",
        Change::Forget(_) => "Forget",
        Change::Group(_) => "Group",
    }
}

/// Whether a row is written as it is.
fn is_idle(change: &Change) -> bool {
    match change {
        Change::Board { before, after } => before == after,
        Change::Pause { before, after } => before == after,
        Change::Task { before, after } => before == after,
        Change::Run { before, after } => before.as_ref() == Some(after),
        Change::Subscription { before, after } => before == after,
        _ => false,
    }
}
