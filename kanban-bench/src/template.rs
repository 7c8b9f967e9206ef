//! Boards that are filled once and copied for each measurement.

use std::path::Path;

use kanban_core::{Durability, Result, SubscriptionId, Task, TaskId};

use crate::board::{Board, Closed};
use crate::fill;
use crate::subject::Subject;
use crate::workload::mixed;

/// How many ids of a board are kept: enough to read here and there, few enough to leave memory alone.
const IDS_MAX: usize = 20_000;

/// A filled board that nobody opens: it is copied for each measurement, which is faster than to fill one.
#[derive(Debug)]
pub struct Template {
    pub(crate) closed: Closed,
    /// Ids from all over the board, in the order of their creation; all of them if they are few.
    pub ids: Vec<TaskId>,
    /// How many tasks it has been filled with.
    pub(crate) tasks: usize,
}

impl Template {
    /// Fills a board with ready tasks, and closes it.
    ///
    /// # Errors
    /// The store's.
    pub async fn make(subject: Subject, place: &Path, tasks: usize) -> Result<Self> {
        // What is on the disk is the same at every durability, and this one is filled soonest.
        let board = Board::make(subject.at(Durability::Process), place).await?;
        let ids = fill::tasks(&*board.store, tasks).await?;
        let step = ids.len().div_ceil(IDS_MAX).max(1);
        Ok(Self {
            closed: board.close().await?,
            ids: ids.into_iter().step_by(step).collect(),
            tasks,
        })
    }

    /// A copy on the disk, to be opened as a subject says whose engine and mode are the template's.
    ///
    /// # Errors
    /// `Unavailable(Io)`: the files cannot be copied.
    pub fn copy(&self, subject: Subject) -> Result<Closed> {
        self.closed.copy(subject)
    }

    /// One like it to which many listen.
    pub(crate) async fn with_listeners(
        &self,
        listeners: usize,
    ) -> Result<(Self, Vec<SubscriptionId>)> {
        let board = self.copy(self.closed.subject())?.open().await?;
        let subscriptions = mixed::listen(&*board.store, listeners)?;
        let template = Self {
            closed: board.close().await?,
            ids: self.ids.clone(),
            tasks: self.tasks,
        };
        Ok((template, subscriptions))
    }

    /// The rows of the first tasks of [`ids`](Self::ids).
    ///
    /// # Errors
    /// The store's.
    pub async fn tasks(&self, count: usize) -> Result<Vec<Task>> {
        let ids = self.ids.get(..count).unwrap_or(&self.ids);
        self.rows(ids).await
    }

    /// The rows of some tasks, as a loop by hand wants to know them: by a copy that is opened for it.
    pub(crate) async fn rows(&self, ids: &[TaskId]) -> Result<Vec<Task>> {
        let board = self.copy(self.closed.subject())?.open().await?;
        let mut rows = Vec::with_capacity(ids.len());
        for page in ids.chunks(fill::BATCH) {
            rows.extend(board.store.tasks(page.to_vec()).await?.value);
        }
        board.close().await?;
        Ok(rows)
    }
}
