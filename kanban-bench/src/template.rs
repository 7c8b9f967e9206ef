//! Boards that are filled once and copied for each measurement.

use std::path::Path;

use kanban_core::{BoardStore, Durability, List, Result, Status, SubscriptionId, Task, TaskId};

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
        let (board, ids) = filled(subject, place, tasks).await?;
        let closed = board.close().await?;
        Ok(Self { closed, ids, tasks })
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
        let rows = rows(&*board.store, ids).await?;
        board.close().await?;
        Ok(rows)
    }
}

/// A filled board, and what loops by hand want to know of it.
#[derive(Debug)]
pub struct Known {
    /// The board.
    pub template: Template,
    /// The rows of its [`ids`](Template::ids).
    pub tasks: Vec<Task>,
    /// The rows of the tasks that are claimed first, in that order, as many at most. On a large board few of the others are
    /// among them.
    pub first: Vec<Task>,
}

impl Known {
    /// Fills a board, reads what is to be known of it, and closes it.
    ///
    /// # Errors
    /// The store's.
    pub async fn make(subject: Subject, place: &Path, tasks: usize) -> Result<Self> {
        let (board, ids) = filled(subject, place, tasks).await?;
        let rows = rows(&*board.store, &ids).await?;
        let first = first_rows(&*board.store, IDS_MAX).await?;
        let closed = board.close().await?;
        Ok(Self {
            template: Template { closed, ids, tasks },
            tasks: rows,
            first,
        })
    }
}

/// A new board with ready tasks, and the ids to be kept of it.
async fn filled(subject: Subject, place: &Path, tasks: usize) -> Result<(Board, Vec<TaskId>)> {
    // What is on the disk is the same at every durability, and this one is filled soonest.
    let board = Board::make(subject.at(Durability::Process), place).await?;
    let ids = fill::tasks(&*board.store, tasks).await?;
    let step = ids.len().div_ceil(IDS_MAX).max(1);
    Ok((board, ids.into_iter().step_by(step).collect()))
}

async fn rows(store: &dyn BoardStore, ids: &[TaskId]) -> Result<Vec<Task>> {
    let mut rows = Vec::with_capacity(ids.len());
    for page in ids.chunks(fill::BATCH) {
        rows.extend(store.tasks(page.to_vec()).await?.value);
    }
    Ok(rows)
}

async fn first_rows(store: &dyn BoardStore, count: usize) -> Result<Vec<Task>> {
    let mut rows = Vec::new();
    let mut list = List {
        statuses: vec![Status::Ready],
        limit: fill::BATCH,
        ..List::default()
    };
    while rows.len() < count {
        let page = store.list(list.clone()).await?.value;
        rows.extend(page.items);
        list.after = page.next;
        if list.after.is_none() {
            break;
        }
    }
    rows.truncate(count);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::subject::Store;
    use crate::workload::claim_next;

    #[test]
    fn what_is_claimed_first_is_known_in_that_order_also_where_it_fills_no_page() {
        let place = tempfile::tempdir().expect("there is room for a folder");
        let subject = Subject::new(Store::Redb);
        let known = block_on(Known::make(subject, place.path(), fill::BATCH + 10));
        let known = known.expect("a board is filled");
        assert_eq!(known.tasks.len(), fill::BATCH + 10);
        assert_eq!(known.first.len(), fill::BATCH + 10);
        assert!(
            known
                .first
                .is_sorted_by_key(|task| (-task.priority, task.created_at))
        );
        // Fails where the next task is none of these.
        let copy = known.template.copy(subject).expect("the files are copied");
        let _ = claim_next::by_hand(subject, &copy.file(), 1, 5, &known.first[..5]);
    }
}
