//! The backend and its options.

use std::path::Path;
use std::time::Duration;

use kanban_core::{Backend, OpenBoard, Result};

use crate::backup;
use crate::connection::Settings;
use crate::core::Core;
use crate::engine::SqliteEngine;
use crate::files::{DATABASE, Place};
use crate::filesystem::{self, FilesystemCheck};
use crate::gate;
use crate::locks::{self, Locks};

/// The SQLite engine, with its options.
#[derive(Debug, Clone, Copy)]
pub struct SqliteBackend {
    locks: Locks,
    filesystem: FilesystemCheck,
    busy_deadline: Duration,
    read_deadline: Duration,
    wal_len_max: u64,
}

impl Default for SqliteBackend {
    fn default() -> Self {
        Self {
            locks: Locks::default(),
            filesystem: FilesystemCheck::default(),
            busy_deadline: Duration::from_secs(5),
            read_deadline: Duration::from_secs(30),
            wal_len_max: 16 * 1024 * 1024,
        }
    }
}

impl SqliteBackend {
    /// The engine with its defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Which locks SQLite takes on its files. One choice per process: boards opened with another are refused.
    #[must_use]
    pub const fn with_locks(mut self, locks: Locks) -> Self {
        self.locks = locks;
        self
    }

    /// What is done about file systems on which boards do not work; refused by default.
    #[must_use]
    pub const fn with_filesystem_check(mut self, check: FilesystemCheck) -> Self {
        self.filesystem = check;
        self
    }

    /// How long a call waits for a lock of another process before it is `Busy`; 5 s by default.
    #[must_use]
    pub const fn with_busy_deadline(mut self, deadline: Duration) -> Self {
        self.busy_deadline = deadline;
        self
    }

    /// How long a read may hold its snapshot before it is `Busy`; 30 s by default. Behind it the `-wal` grows.
    #[must_use]
    pub const fn with_read_deadline(mut self, deadline: Duration) -> Self {
        self.read_deadline = deadline;
        self
    }

    /// From which length in bytes on the `-wal` is cut when the writer is idle, and checkpointed before a write when it
    /// never is; 16 MiB by default.
    #[must_use]
    pub const fn with_wal_len_max(mut self, bytes: u64) -> Self {
        self.wal_len_max = bytes;
        self
    }
}

impl Backend for SqliteBackend {
    type Engine = SqliteEngine;

    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn file_name(&self) -> &'static str {
        DATABASE
    }

    fn open(&self, directory: &Path, how: &OpenBoard) -> Result<SqliteEngine> {
        gate::check(rusqlite::version_number())?;
        locks::choose(self.locks)?;
        if self.filesystem == FilesystemCheck::Refuse {
            filesystem::check(directory)?;
        }
        let settings = Settings {
            durability: how.durability,
            wal_len_max: self.wal_len_max,
        };
        let core = Core::new(Place::of(directory)?, settings, self.busy_deadline);
        SqliteEngine::open(core, self.read_deadline, how.create.as_ref())
    }

    fn accept_backup(&self, copy: &Path) -> Result<()> {
        backup::accept(copy)
    }
}
