//! A board that was filled once and is measured many times.

use std::fs;
use std::io;
use std::path::Path;

use kanban_core::{Durability, SubscriptionId, Task, TaskId};

use super::Failed;
use super::figures::count;
use super::shape::BoardFile;
use super::target::MANY;
use crate::board::{Board, Closed};
use crate::fill;
use crate::subject::Subject;
use crate::workload::mixed;

/// How many ids of a board are kept: enough to read here and there, few enough to leave memory alone.
const IDS_MAX: usize = 20_000;
/// How many tasks one question may ask for.
const PAGE: usize = 1000;

/// A filled board that nobody has open.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) closed: Closed,
    /// Ids from all over the board, in the order of creation; all of them if they are few.
    pub(super) ids: Vec<TaskId>,
    /// How many tasks it has been filled with.
    pub(super) tasks: usize,
}

impl Filled {
    /// Makes a board and fills it.
    pub(super) async fn make(subject: Subject, place: &Path, tasks: usize) -> Result<Self, Failed> {
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

    /// A board like it, to be written on and thrown away. It is on the disk before it is answered: a flush that is measured
    /// later has nothing of it left to write.
    pub(super) fn copy(&self, subject: Subject) -> Result<Closed, Failed> {
        let copy = self.closed.copy(subject)?;
        flush_all(copy.root()).map_err(Failed::io("flushing the copy of a board"))?;
        Ok(copy)
    }

    /// One like it to which many listen.
    pub(super) async fn with_listeners(&self) -> Result<(Self, Vec<SubscriptionId>), Failed> {
        let board = self.copy(self.closed.subject())?.open().await?;
        let subscriptions = mixed::listen(&*board.store, MANY)?;
        let filled = Self {
            closed: board.close().await?,
            ids: self.ids.clone(),
            tasks: self.tasks,
        };
        Ok((filled, subscriptions))
    }

    /// The rows of some tasks, as a loop by hand wants to know them.
    pub(super) async fn rows(&self, ids: &[TaskId]) -> Result<Vec<Task>, Failed> {
        let board = self.closed.copy(self.closed.subject())?.open().await?;
        let mut rows = Vec::with_capacity(ids.len());
        for page in ids.chunks(PAGE) {
            rows.extend(board.store.tasks(page.to_vec()).await?.value);
        }
        board.close().await?;
        Ok(rows)
    }

    /// How long its file is.
    pub(super) fn length(&self, engine: &str) -> Result<BoardFile, Failed> {
        let file = fs::metadata(self.closed.file());
        let bytes = file.map_err(Failed::io("measuring a board's file"))?.len();
        let text: usize = (0..self.tasks)
            .map(|number| fill::title(number).len() + fill::body().len())
            .sum();
        Ok(BoardFile {
            engine: engine.to_owned(),
            tasks: self.tasks,
            bytes,
            bytes_per_task: count(bytes) / count(self.tasks as u64),
            ratio_to_text: count(bytes) / count(text as u64),
        })
    }
}

fn flush_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            flush_all(&path)?;
        } else {
            fs::File::open(&path)?.sync_all()?;
        }
    }
    Ok(())
}
