//! What a run of histories has met.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kanban_core::{ErrorKind, EventKind};

use super::call::{Call, Said};
use crate::oracle::Board;

/// Counts of what was played, answered, refused and written.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    pub(super) histories: u64,
    pub(super) reopened: u64,
    pub(super) moved: u64,
    pub(super) crowds: u64,
    answered: BTreeMap<&'static str, u64>,
    refused: BTreeMap<&'static str, u64>,
    refusals: BTreeMap<String, u64>,
    kinds: BTreeSet<EventKind>,
}

impl Figures {
    pub(super) fn count(&mut self, operation: &'static str, said: &Said) {
        match &said.told {
            Ok(_) => *self.answered.entry(operation).or_default() += 1,
            Err(kind) => {
                *self.refused.entry(operation).or_default() += 1;
                *self.refusals.entry(name(kind)).or_default() += 1;
            }
        }
    }

    /// A history ended with this board.
    pub(super) fn end(&mut self, board: &Board) {
        self.histories += 1;
        for event in &board.events {
            if !self.kinds.contains(&event.kind) {
                self.kinds.insert(event.kind.clone());
            }
        }
    }

    /// Operations that were never answered, never refused, and kinds of events that never came.
    pub(super) fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for operation in Call::OPERATIONS {
            let always_refused = operation.starts_with("import_");
            if !always_refused && !self.answered.contains_key(operation) {
                gaps.push(format!("{operation} was never answered"));
            }
            // These have no argument that could be wrong.
            let never_refused = matches!(*operation, "pauses" | "policy" | "stats" | "reached")
                || matches!(*operation, "pause" | "resume");
            if !never_refused && !self.refused.contains_key(operation) {
                gaps.push(format!("{operation} was never refused"));
            }
        }
        for kind in EventKind::OWN {
            if !self.kinds.contains(kind) {
                gaps.push(format!("no event {kind}"));
            }
        }
        gaps
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answered: u64 = self.answered.values().sum();
        let refused: u64 = self.refused.values().sum();
        writeln!(
            f,
            "{} histories, {} calls: {answered} answered, {refused} refused; {} reopenings, {} moves, {} crowds",
            self.histories,
            answered + refused,
            self.reopened,
            self.moved,
            self.crowds
        )?;
        writeln!(f, "refusals: {:?}", self.refusals)?;
        writeln!(f, "refused: {:?}", self.refused)?;
        writeln!(f, "answered: {:?}", self.answered)?;
        let kinds: Vec<&str> = self.kinds.iter().map(EventKind::as_str).collect();
        writeln!(f, "{} kinds of events: {}", kinds.len(), kinds.join(", "))
    }
}

fn name(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::Rejected(rejection) => rejection.reason().to_owned(),
        ErrorKind::Invalid(_) => "invalid".to_owned(),
        ErrorKind::NotFound(_) => "not_found".to_owned(),
        other => format!("{other:?}"),
    }
}
