//! Filled boards to copy.

use std::path::Path;

use kanban_core::{Result, Task, TaskId};

use crate::board::{Board, Closed};
use crate::fill;
use crate::subject::Subject;

/// A filled board that nobody opens: it is copied for each measurement, which is faster than to fill one.
#[derive(Debug)]
pub struct Template {
    closed: Closed,
    /// Its tasks, in the order of their creation.
    pub ids: Vec<TaskId>,
}

impl Template {
    /// Fills a board with ready tasks, and closes it.
    ///
    /// # Errors
    /// The store's.
    pub async fn make(subject: Subject, place: &Path, tasks: usize) -> Result<Self> {
        let board = Board::make(subject, place).await?;
        let ids = fill::tasks(&*board.store, tasks).await?;
        let closed = board.close().await?;
        Ok(Self { closed, ids })
    }

    /// A copy, to be opened as a subject says whose engine and mode are the template's.
    ///
    /// # Errors
    /// `Unavailable(Io)`: the files cannot be copied.
    pub fn copy(&self, subject: Subject) -> Result<Closed> {
        self.closed.copy(subject)
    }

    /// The rows of its first tasks, by a copy that is opened for it.
    ///
    /// # Errors
    /// The store's.
    pub async fn tasks(&self, count: usize) -> Result<Vec<Task>> {
        let board = self.copy(self.closed.subject())?.open().await?;
        let ids = self.ids.get(..count.min(self.ids.len()));
        let mut tasks = Vec::with_capacity(count);
        for ids in ids.unwrap_or_default().chunks(fill::BATCH) {
            tasks.extend(board.store.tasks(ids.to_vec()).await?.value);
        }
        board.close().await?;
        Ok(tasks)
    }
}
