//! Opens the boards. The only module that names an engine.

use std::path::Path;

use clap::ValueEnum;
use kanban_core::{Boards, Options};

#[cfg(not(feature = "sqlite"))]
compile_error!(
    "kanban-gateway needs a store: build it with the cargo feature `sqlite` (it is on by default)"
);

/// The engines that this program is built with. The first is what a new root gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// SQLite: tables that a person can read
    #[cfg(feature = "sqlite")]
    Sqlite,
}

impl Store {
    /// The engine's name, as a root remembers it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => "sqlite",
        }
    }

    /// Opens the boards under a root, made on first use.
    pub(crate) fn open(self, root: &Path, options: Options) -> kanban_core::Result<Boards> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => Boards::open_root(root, kanban_sqlite::SqliteBackend::new(), options),
        }
    }

    /// The engine that a root belongs to, else the first: a root that is not there gets it, and one of an engine that
    /// this program is not built with refuses it.
    fn of(root: &Path) -> kanban_core::Result<Self> {
        let mark = Boards::mark(root)?;
        let is_its = |store: &Self| {
            mark.as_ref()
                .is_some_and(|mark| mark.engine == store.name())
        };
        let known = Self::value_variants();
        let first = *known
            .first()
            .expect("one engine is built in, or nothing compiles");
        Ok(known.iter().copied().find(is_its).unwrap_or(first))
    }
}

/// Opens the boards under a root with the store that was asked for, else with the root's own.
pub(crate) fn open(
    root: &Path,
    store: Option<Store>,
    options: Options,
) -> kanban_core::Result<Boards> {
    let store = match store {
        Some(store) => store,
        None => Store::of(root)?,
    };
    store.open(root, options)
}
