//! The backend and its options.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kanban_core::{Backend, OpenBoard, Result};

use crate::board::lock;
use crate::engine::MemoryEngine;
use crate::file;
use crate::registry::{self, Shelf};

/// The engine in memory, with its options.
///
/// Whoever has opened a board of a root through it holds all boards of that root: they live until the last such value, its
/// clones and all stores are dropped. Keep a clone to find them again after everything else is gone.
#[derive(Debug, Clone)]
pub struct MemoryBackend {
    shelves: Arc<Mutex<Vec<Arc<Shelf>>>>,
    busy_deadline: Duration,
}

impl Default for MemoryBackend {
    fn default() -> Self {
        Self {
            shelves: Arc::default(),
            busy_deadline: Duration::from_secs(5),
        }
    }
}

impl MemoryBackend {
    /// The engine with its defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a write waits for another store of this process on the same board before it is `Busy`; 5 s by default.
    #[must_use]
    pub const fn with_busy_deadline(mut self, deadline: Duration) -> Self {
        self.busy_deadline = deadline;
        self
    }
}

impl Backend for MemoryBackend {
    type Engine = MemoryEngine;

    fn name(&self) -> &'static str {
        "memory"
    }

    fn file_name(&self) -> &'static str {
        file::FILE
    }

    fn open(&self, directory: &Path, how: &OpenBoard) -> Result<MemoryEngine> {
        let (opened, row) = registry::open(directory, how)?;
        let mut shelves = lock(&self.shelves);
        if !shelves.iter().any(|held| Arc::ptr_eq(held, &row)) {
            shelves.push(row);
        }
        Ok(MemoryEngine::new(opened, self.busy_deadline))
    }

    fn accept_backup(&self, copy: &Path) -> Result<()> {
        file::accept(copy)
    }
}
