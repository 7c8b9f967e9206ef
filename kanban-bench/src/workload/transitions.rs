//! Tasks are claimed and completed: the write path of a board with many workers.

use std::path::Path;

use kanban_core::{Authority, BoardStore, ClaimTask, Result, Task, TaskId};

use super::calls::{worker, written};
use crate::clients::{self, Outcome};
use crate::limit::{self, End, HandTask, Limit, Meter};
use crate::subject::Subject;

/// Each client claims and completes its share of the tasks, one after the other: together they go through the tasks in
/// order, as workers go through a queue, and so write neighbouring rows.
///
/// # Errors
/// The store's.
pub fn by_store(store: &dyn BoardStore, clients: usize, tasks: &[TaskId]) -> Result<Outcome> {
    let share = tasks.len() / clients;
    let worker = worker()?;
    let runs: Vec<_> = tasks.iter().map(|_| std::cell::Cell::new(None)).collect();
    clients::closed(clients, share * 2, |client, nth| {
        let at = nth / 2 * clients + client;
        let (task, run, worker) = (tasks.get(at).cloned(), runs.get(at), worker.clone());
        async move {
            let (Some(task), Some(slot)) = (task, run) else {
                return Ok(());
            };
            if let Some(run) = slot.get() {
                store
                    .complete(written(task, Authority::worker(run))?)
                    .await?;
            } else {
                let claimed = store.claim(ClaimTask::new(task, worker)).await?;
                slot.set(Some(claimed.value.run.id));
            }
            Ok(())
        }
    })
}

/// The same by hand on a board's file that nobody has open, in transactions of `group` calls, in the
/// same order.
///
/// # Panics
/// Where the engine fails: then there is nothing to measure.
#[must_use]
pub fn by_hand(subject: Subject, file: &Path, group: usize, tasks: &[Task]) -> Outcome {
    let limit = Limit::open(subject, file).expect("the engine opens the board");
    let mut tasks: Vec<HandTask> = tasks.iter().map(HandTask::of).collect();
    run(&limit, group, &mut tasks).expect("the engine carries it out")
}

fn run(limit: &Limit, group: usize, tasks: &mut [HandTask]) -> limit::Result<Outcome> {
    let mut hand = limit.warm_hand()?;
    let mut meter = Meter::start();
    for chunk in tasks.chunks_mut(group) {
        let calls = chunk.len();
        meter.time(calls, || {
            limit.transact(&mut hand, |rows, hand| {
                let mut tasks = chunk.iter_mut();
                tasks.try_for_each(|task| rows.claim(task, hand))
            })
        })?;
        meter.time(calls, || {
            limit.transact(&mut hand, |rows, hand| {
                let mut tasks = chunk.iter_mut();
                tasks.try_for_each(|task| rows.end(End::Complete, task, hand))
            })
        })?;
    }
    Ok(meter.end())
}
