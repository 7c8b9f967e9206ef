//! What has to be done on a board before or after what is measured.

use std::cell::RefCell;

use kanban_core::{
    ArchiveTask, Authority, BoardStore, ClaimTask, CreateMany, DeleteTask, Label, NewItem,
    ParentRef, Release, Result, RunId, TaskId,
};

use crate::clients::closed;
use crate::fill;
use crate::workload::calls::worker;

/// A run to be ended: whose, and which.
pub(super) type Held = (TaskId, RunId);

/// How many calls a chore makes at once: no more than a queue takes.
const AT_ONCE: usize = 256;
/// How many pairs of tasks one call makes: it takes a thousand tasks at most.
const PAIRS_PER_CALL: usize = 500;

/// Claims tasks, and answers their runs.
pub(super) fn claim(store: &dyn BoardStore, tasks: &[TaskId]) -> Result<Vec<Held>> {
    let worker = worker()?;
    let held = RefCell::new(Vec::new());
    each(tasks, |task| {
        let (worker, held) = (worker.clone(), &held);
        async move {
            let claimed = store.claim(ClaimTask::new(task.clone(), worker)).await?;
            held.borrow_mut().push((task, claimed.value.run.id));
            Ok(())
        }
    })?;
    Ok(held.into_inner())
}

/// Gives claims back, so that the board is as before.
pub(super) fn release(store: &dyn BoardStore, held: &[Held]) -> Result<()> {
    each(held, |(task, run)| async move {
        let release = Release::new(task, Authority::worker(run));
        store.release(release).await.map(drop)
    })
}

/// Makes tasks with one child each. Answers parent and child.
pub(super) async fn pairs(store: &dyn BoardStore, count: usize) -> Result<Vec<(TaskId, TaskId)>> {
    let mut pairs = Vec::with_capacity(count);
    while pairs.len() < count {
        let wanted = (count - pairs.len()).min(PAIRS_PER_CALL);
        let mut items = Vec::with_capacity(wanted * 2);
        for pair in 0..wanted {
            for parents in [Vec::new(), vec![ParentRef::Item(pair * 2)]] {
                let task = fill::task(pair)?;
                items.push(NewItem { task, parents });
            }
        }
        let made = store.create_many(CreateMany { items }).await?.value;
        let (parents, children) = (made.iter().step_by(2), made.iter().skip(1).step_by(2));
        pairs.extend(parents.cloned().zip(children.cloned()));
    }
    Ok(pairs)
}

/// Removes pairs for good, so that the board has as many tasks as before.
pub(super) fn remove(store: &dyn BoardStore, pairs: Vec<(TaskId, TaskId)>) -> Result<()> {
    let actor = Label::new("actor", "bench")?;
    let tasks: Vec<TaskId> = pairs.into_iter().flat_map(|(a, b)| [a, b]).collect();
    each(&tasks, |task| {
        let (actor, authority) = (actor.clone(), Authority::operator(actor.clone()));
        async move {
            let archive = ArchiveTask {
                task: task.clone(),
                authority,
                expected_version: None,
            };
            store.archive(archive).await?;
            store.delete(DeleteTask { task, actor }).await.map(drop)
        }
    })
}

/// Makes one call for each, many at once.
fn each<T: Clone, F: Future<Output = Result<()>>>(all: &[T], call: impl Fn(T) -> F) -> Result<()> {
    let call = &call;
    let rounds = all.len().div_ceil(AT_ONCE);
    closed(AT_ONCE, rounds, |client, nth| {
        let one = all.get(nth * AT_ONCE + client).cloned();
        async move {
            match one {
                Some(one) => call(one).await,
                None => Ok(()),
            }
        }
    })
    .map(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kanban_core::{Boards, Options};

    use super::*;

    #[test]
    fn chores_leave_a_board_as_it_was() {
        let root = tempfile::tempdir().expect("a folder");
        pollster::block_on(async {
            let backend = kanban_sqlite::SqliteBackend::new();
            let boards = Boards::open_root(root.path(), backend, Options::default())?;
            let store: Arc<dyn BoardStore> = boards.open(None).await?;
            let tasks = fill::tasks(&*store, 300).await?;
            let before = store.stats().await?.value.rows;

            let held = claim(&*store, &tasks)?;
            assert_eq!(held.len(), 300);
            release(&*store, &held)?;
            let pairs = pairs(&*store, 501).await?;
            let parents: Vec<TaskId> = pairs.iter().map(|(parent, _)| parent.clone()).collect();
            for (parent, child) in &pairs {
                let kin = store.task(child.clone()).await?.value;
                assert_eq!(kin.task.status, kanban_core::Status::Todo, "after {parent}");
            }
            assert_eq!(claim(&*store, &parents)?.len(), 501);
            remove(&*store, pairs)?;

            assert_eq!(store.stats().await?.value.rows, before);
            boards.close().await
        })
        .expect("the store does its work");
    }
}
