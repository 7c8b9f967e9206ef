//! What is measured: an engine, how its writes survive, and how its root is shared.

use std::fmt;
use std::time::Duration;

use kanban_core::{Durability, RootMode};

use crate::extent::Extent;

/// The laziest durability that is measured: any crash may lose a tenth of a second.
pub const LAZY: Durability = Durability::Lazy {
    interval: Duration::from_millis(100),
};

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Store {
    /// `kanban-sqlite`.
    Sqlite,
    /// `kanban-redb`.
    Redb,
}

impl Store {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Sqlite, Self::Redb];

    /// Its name in an id.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Redb => "redb",
        }
    }
}

/// An engine, how its writes survive, and how its root is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The engine.
    pub store: Store,
    /// What an answered write survives.
    pub durability: Durability,
    /// How openers share the root.
    pub mode: RootMode,
}

impl Subject {
    /// An engine as it is opened by default.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self {
            store,
            durability: Durability::Power,
            mode: RootMode::Shared,
        }
    }

    /// The same at another durability.
    #[must_use]
    pub const fn at(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The same in a root for one opener.
    #[must_use]
    pub const fn exclusive(mut self) -> Self {
        self.mode = RootMode::Exclusive;
        self
    }
}

/// Engines as they are opened by default.
pub const ENGINES: &[Subject] = &[Subject::new(Store::Sqlite), Subject::new(Store::Redb)];
/// Besides: a durability and a mode that make writes cheaper.
pub const CHEAPER: &[Subject] = &[
    Subject::new(Store::Sqlite).at(Durability::Process),
    Subject::new(Store::Redb).exclusive(),
];
/// Boards of which a crash may lose the last moments. Where redb is shared its lazy board is its durable one.
pub const LAZY_ONES: &[Subject] = &[
    Subject::new(Store::Sqlite).at(LAZY),
    Subject::new(Store::Redb).exclusive().at(LAZY),
];

/// Engines as they are opened by default; in a full run the cheaper ones besides.
#[must_use]
pub fn measured(extent: Extent) -> Vec<Subject> {
    let cheaper = match extent {
        Extent::Full => CHEAPER,
        Extent::Once | Extent::Quick => &[],
    };
    [ENGINES, cheaper].concat()
}

/// As it stands in an id: `redb/power`, `redb_exclusive/lazy_100ms`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.store.as_str())?;
        if self.mode == RootMode::Exclusive {
            f.write_str("_exclusive")?;
        }
        match self.durability {
            Durability::Power => f.write_str("/power"),
            Durability::Process => f.write_str("/process"),
            Durability::Lazy { interval } => write!(f, "/lazy_{}ms", interval.as_millis()),
            _ => f.write_str("/unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_engine_mode_and_durability_with_its_interval() {
        let redb = Subject::new(Store::Redb);
        for (subject, expected) in [
            (redb, "redb/power"),
            (redb.exclusive().at(LAZY), "redb_exclusive/lazy_100ms"),
            (Subject::new(Store::Sqlite).at(LAZY), "sqlite/lazy_100ms"),
        ] {
            assert_eq!(subject.to_string(), expected);
        }
    }
}
