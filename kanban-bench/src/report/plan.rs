//! How much a report measures.

use std::time::Duration;

use crate::extent::{CLIENTS, Extent, TASKS};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Boards of up to a million tasks. What is quoted.
    Full,
    /// Boards of up to 100,000 tasks, in some minutes.
    Quick,
    /// So little that its figures mean nothing: for tests of the report itself.
    Tiny,
}

impl Scale {
    /// Its name in a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Quick => "quick",
            Self::Tiny => "tiny",
        }
    }

    /// The numbers behind it.
    pub(super) fn plan(self) -> Plan {
        match self {
            Self::Full => Plan {
                rounds: 5,
                span: Duration::from_secs(1),
                clients: CLIENTS,
                tasks: TASKS,
                sizes: Extent::Full.sizes(),
                calls_by_size: 512,
            },
            Self::Quick => Plan {
                rounds: 5,
                span: Duration::from_millis(300),
                clients: CLIENTS,
                tasks: TASKS,
                sizes: Extent::Quick.sizes(),
                calls_by_size: 256,
            },
            Self::Tiny => Plan {
                rounds: 1,
                span: Duration::from_millis(1),
                clients: &[1, 64],
                tasks: 128,
                sizes: &[128, 256],
                calls_by_size: 64,
            },
        }
    }
}

/// The numbers behind a scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How often each side of a comparison is taken. Odd, so that there is one in the middle.
    pub(super) rounds: usize,
    /// About how long one side of a round runs.
    pub(super) span: Duration,
    /// How many clients call at once, in turns. One and [`MANY`](super::target::MANY) are among them.
    pub(super) clients: &'static [usize],
    /// How many tasks a board has on which clients are compared. No fewer than the clients.
    pub(super) tasks: usize,
    /// Boards to compare sizes on. The others are measured against the first; targets are about the last.
    pub(super) sizes: &'static [usize],
    /// How many calls one side of a round makes on a board of each size. No more than the first has tasks.
    pub(super) calls_by_size: usize,
}

impl Plan {
    /// The size that the others are measured against.
    pub(super) fn small(&self) -> usize {
        self.sizes.first().copied().unwrap_or_default()
    }

    /// The size that targets are about.
    pub(super) fn large(&self) -> usize {
        self.sizes.last().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::target::MANY;

    #[test]
    fn every_scale_has_what_its_targets_are_about() {
        for scale in [Scale::Full, Scale::Quick, Scale::Tiny] {
            let plan = scale.plan();
            let name = scale.as_str();
            assert_eq!(plan.rounds % 2, 1, "{name}: expected one in the middle");
            for clients in [1, MANY] {
                assert!(plan.clients.contains(&clients), "{name}: {clients}");
            }
            assert!(plan.clients.iter().all(|clients| *clients <= plan.tasks));
            assert!(plan.calls_by_size <= plan.small(), "{name}");
            assert!(plan.small() < plan.large(), "{name}");
        }
    }
}
