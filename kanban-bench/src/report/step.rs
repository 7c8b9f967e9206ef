//! What a report measures, in order: one step is one line of progress.

use std::fmt;

use kanban_core::Durability;

use super::plan::Plan;
use super::target::MANY;
use crate::pattern::Pattern;
use crate::subject::{LAZY, Store, Subject};

/// One thing to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Task transitions, beside the limit and, where it is told, the patterns.
    Transitions {
        subject: Subject,
        clients: usize,
        patterns: &'static [Pattern],
    },
    /// Task transitions that fall due at an even rate.
    TransitionsOpen { subject: Subject },
    /// Claims from one column.
    Claims { subject: Subject },
    /// Dispatchers, readers, writers and notifiers.
    Mixed { subject: Subject },
    /// Point reads beside the limit, in a closed loop and at an even rate.
    Reads { subject: Subject },
    /// Single operations on boards of all sizes.
    Sizes { subject: Subject, clients: usize },
    /// The memory of an idle store.
    Idle { store: Store },
}

/// All of it. What is about one engine is together, so that its boards can go before the next one's are made.
pub(super) fn all(plan: &Plan) -> Vec<Step> {
    let mut steps = Vec::new();
    for &store in Store::ALL {
        for subject in subjects(store) {
            of(subject, plan, &mut steps);
        }
        // A mode is kept by the root, so another mode would need all the boards once more; no size depends on it.
        for durability in [Durability::Power, Durability::Process] {
            let subject = Subject::new(store).at(durability);
            for clients in [1, MANY] {
                steps.push(Step::Sizes { subject, clients });
            }
        }
        steps.push(Step::Idle { store });
    }
    steps
}

/// What is measured on one board. Of a lazy one only what its durability makes cheaper: writes.
fn of(subject: Subject, plan: &Plan, steps: &mut Vec<Step>) {
    let is_lazy = matches!(subject.durability, Durability::Lazy { .. });
    for &clients in plan.clients {
        if is_lazy && ![1, MANY].contains(&clients) {
            continue;
        }
        let patterns = match subject.store {
            Store::Sqlite if clients == MANY && !is_lazy => Pattern::ALL,
            _ => &[],
        };
        steps.push(Step::Transitions {
            subject,
            clients,
            patterns,
        });
    }
    steps.push(Step::TransitionsOpen { subject });
    if is_lazy {
        return;
    }
    steps.push(Step::Claims { subject });
    steps.push(Step::Mixed { subject });
    if subject.durability == Durability::Power {
        steps.push(Step::Reads { subject });
    }
}

/// An engine in all the ways in which it is compared. Where redb is shared its lazy board is its durable one.
fn subjects(store: Store) -> Vec<Subject> {
    let shared = Subject::new(store);
    let process = shared.at(Durability::Process);
    match store {
        Store::Sqlite => vec![shared, process, shared.at(LAZY)],
        Store::Redb => {
            let exclusive = shared.exclusive();
            vec![shared, process, exclusive, exclusive.at(LAZY)]
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transitions {
                subject, clients, ..
            } => write!(f, "transitions, {subject}, clients: {clients}"),
            Self::TransitionsOpen { subject } => write!(f, "transitions, {subject}, even rate"),
            Self::Claims { subject } => write!(f, "contention, {subject}"),
            Self::Mixed { subject } => write!(f, "mixture, {subject}"),
            Self::Reads { subject } => write!(f, "point reads, {subject}"),
            Self::Sizes { subject, clients } => {
                write!(f, "board sizes, {subject}, clients: {clients}")
            }
            Self::Idle { store } => write!(f, "idle memory, {}", store.as_str()),
        }
    }
}
