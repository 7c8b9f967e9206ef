//! Two sides that were taken in turns become a comparison.

use super::figures::Side;
use super::shape::Comparison;
use crate::fill;
use crate::subject::Subject;

/// What was compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    pub(super) workload: &'static str,
    pub(super) subject: Subject,
    pub(super) tasks: usize,
    pub(super) clients: usize,
    pub(super) group_len: Option<f64>,
    pub(super) offered_per_second: Option<f64>,
}

impl Compared {
    /// A workload in a closed loop, of which groups are not looked at.
    pub(super) const fn new(
        workload: &'static str,
        subject: Subject,
        tasks: usize,
        clients: usize,
    ) -> Self {
        Self {
            workload,
            subject,
            tasks,
            clients,
            group_len: None,
            offered_per_second: None,
        }
    }

    /// How it did against another.
    pub(super) fn with(&self, against: &str, store: &Side, other: &Side) -> Comparison {
        let Self {
            workload,
            subject,
            tasks,
            clients,
            ..
        } = *self;
        let (engine, durability) = names(subject);
        let is_closed = self.offered_per_second.is_none();
        Comparison {
            id: format!("{}/{against}", fill::id(workload, subject, tasks, clients)),
            workload: workload.to_owned(),
            engine,
            durability,
            tasks,
            clients,
            against: against.to_owned(),
            group_len: self.group_len,
            offered_per_second: self.offered_per_second,
            throughput: is_closed.then(|| store.throughput_over(other)),
            latency: store.latency_over(other),
            store: store.figures(),
            other: other.figures(),
        }
    }
}

/// An engine with its mode, and a durability, as they stand in an id.
pub(super) fn names(subject: Subject) -> (String, String) {
    let id = subject.to_string();
    let (engine, durability) = id.split_once('/').unwrap_or((&id, ""));
    (engine.to_owned(), durability.to_owned())
}
