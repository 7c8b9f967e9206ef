//! Opens the boards. The only module that names an engine.

use std::path::Path;

use clap::ValueEnum;
use kanban_core::{Boards, Migrated, OnMigration, Options};
use pollster::block_on;

#[cfg(not(any(feature = "sqlite", feature = "redb")))]
compile_error!(
    "kanban-gateway needs a store: build it with one of the cargo features `sqlite` (on by default) and `redb`"
);

/// The engines that this program is built with. The first is what a new root gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// SQLite: tables that a person can read
    #[cfg(feature = "sqlite")]
    Sqlite,
    /// redb: one file, in Rust alone
    #[cfg(feature = "redb")]
    Redb,
}

impl Store {
    /// The engine's name, as a root remembers it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => "sqlite",
            #[cfg(feature = "redb")]
            Self::Redb => "redb",
        }
    }

    /// Opens the boards under a root, made on first use.
    pub(crate) fn open(self, root: &Path, options: Options) -> kanban_core::Result<Boards> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => Boards::open_root(root, sqlite(), options),
            #[cfg(feature = "redb")]
            Self::Redb => Boards::open_root(root, redb(), options),
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

/// Gives all boards of a root to another store.
pub(crate) fn migrate(
    root: &Path,
    to: Store,
    options: Options,
    on_progress: Option<OnMigration>,
) -> kanban_core::Result<Vec<Migrated>> {
    let root = root.to_owned();
    match (Store::of(&root)?, to) {
        #[cfg(all(feature = "sqlite", feature = "redb"))]
        (Store::Sqlite, Store::Redb) => block_on(Boards::migrate(
            root,
            sqlite(),
            redb(),
            options,
            on_progress,
        )),
        #[cfg(all(feature = "sqlite", feature = "redb"))]
        (Store::Redb, Store::Sqlite) => block_on(Boards::migrate(
            root,
            redb(),
            sqlite(),
            options,
            on_progress,
        )),
        // To the same: refused there, with the reason.
        #[cfg(feature = "sqlite")]
        (Store::Sqlite, Store::Sqlite) => block_on(Boards::migrate(
            root,
            sqlite(),
            sqlite(),
            options,
            on_progress,
        )),
        #[cfg(feature = "redb")]
        (Store::Redb, Store::Redb) => {
            block_on(Boards::migrate(root, redb(), redb(), options, on_progress))
        }
    }
}

#[cfg(feature = "sqlite")]
fn sqlite() -> kanban_sqlite::SqliteBackend {
    kanban_sqlite::SqliteBackend::new()
}

#[cfg(feature = "redb")]
fn redb() -> kanban_redb::RedbBackend {
    kanban_redb::RedbBackend::new()
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
