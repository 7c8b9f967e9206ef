//! What a report measures, in order: one step is one line of progress.

use std::fmt;

use kanban_core::Durability;

use super::plan::Plan;
use super::target::MANY;
use crate::pattern::Pattern;
use crate::subject::{Store, Subject};

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
            for &clients in plan.clients {
                let patterns = match store {
                    Store::Sqlite if clients == MANY => Pattern::ALL,
                    _ => &[],
                };
                steps.push(Step::Transitions {
                    subject,
                    clients,
                    patterns,
                });
            }
            steps.push(Step::TransitionsOpen { subject });
            steps.push(Step::Claims { subject });
            steps.push(Step::Mixed { subject });
            if subject.durability == Durability::Power {
                steps.push(Step::Reads { subject });
            }
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

/// An engine in all the ways in which it is compared.
fn subjects(store: Store) -> Vec<Subject> {
    let shared = Subject::new(store);
    let mut all = vec![shared, shared.at(Durability::Process)];
    if store == Store::Redb {
        all.push(shared.exclusive());
    }
    all
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transitions {
                subject, clients, ..
            } => write!(f, "transitions, {subject}, clients: {clients}"),
            Self::TransitionsOpen { subject } => write!(f, "transitions, {subject}, even rate"),
            Self::Claims { subject } => write!(f, "contended claims, {subject}"),
            Self::Mixed { subject } => write!(f, "mixture, {subject}"),
            Self::Reads { subject } => write!(f, "point reads, {subject}"),
            Self::Sizes { subject, clients } => {
                write!(f, "board sizes, {subject}, clients: {clients}")
            }
            Self::Idle { store } => write!(f, "idle memory, {}", store.as_str()),
        }
    }
}
