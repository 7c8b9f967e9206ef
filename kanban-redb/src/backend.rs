//! The backend and its options.

use std::path::Path;
use std::time::Duration;

use kanban_core::{Backend, Durability, OpenBoard, Result, RootMode};
use redb::ConcurrencyMode;

use crate::backup;
use crate::core::{Core, OpenCheck, Settings};
use crate::engine::RedbEngine;
use crate::files::{DATABASE, Place};

/// The redb engine, with its options.
#[derive(Debug, Clone, Copy)]
pub struct RedbBackend {
    settings: Settings,
    busy_deadline: Duration,
    growth_max: u64,
}

impl Default for RedbBackend {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            busy_deadline: Duration::from_secs(5),
            growth_max: 1024 * 1024 * 1024,
        }
    }
}

impl RedbBackend {
    /// The engine with its defaults. How processes share a board is its root's mode
    /// ([`Options::mode`](kanban_core::Options::mode)).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes of the file each open board keeps in memory, read and written; 32 MiB by default.
    #[must_use]
    pub const fn with_cache_len_max(mut self, bytes: usize) -> Self {
        self.settings.cache_len_max = bytes;
        self
    }

    /// What is done about damage when a board is opened; trusted by default.
    #[must_use]
    pub const fn with_open_check(mut self, check: OpenCheck) -> Self {
        self.settings.check = check;
        self
    }

    /// How long a write waits for another writer before it is `Busy`; 5 s by default.
    #[must_use]
    pub const fn with_busy_deadline(mut self, deadline: Duration) -> Self {
        self.busy_deadline = deadline;
        self
    }

    /// By how many bytes more than once its own length the file may grow behind a long read before that is `Busy`;
    /// 1 GiB by default.
    #[must_use]
    pub const fn with_growth_max(mut self, bytes: u64) -> Self {
        self.growth_max = bytes;
        self
    }
}

impl Backend for RedbBackend {
    type Engine = RedbEngine;

    fn name(&self) -> &'static str {
        "redb"
    }

    fn file_name(&self) -> &'static str {
        DATABASE
    }

    fn open(&self, directory: &Path, how: &OpenBoard) -> Result<RedbEngine> {
        let place = Place::of(directory)?;
        let settings = Settings {
            mode: match how.mode {
                RootMode::Shared => ConcurrencyMode::MultiWriter,
                RootMode::Exclusive => ConcurrencyMode::ExclusiveWriter,
            },
            commits: match (how.durability, how.mode) {
                (Durability::Lazy { .. }, RootMode::Exclusive) => redb::Durability::None,
                // What one process keeps in its memory the others would not see.
                _ => redb::Durability::Immediate,
            },
            ..self.settings
        };
        let core = Core::new(place, settings, self.busy_deadline, self.growth_max);
        RedbEngine::open(core, how.create.as_ref())
    }

    fn accept_backup(&self, copy: &Path) -> Result<()> {
        backup::accept(copy)
    }
}
