//! Tasks are claimed and completed: the write path of a board with many workers.

use std::path::Path;

use kanban_core::{Authority, BoardStore, ClaimTask, Complete, Label, Note, Result, Task, TaskId};

use crate::clients::{self, Outcome, latencies};
use crate::clock::{nanos, now};
use crate::limit::Hand;
use crate::limit::redb::{HandTask, Redb};
use crate::limit::sqlite::{Sqlite, Synchronous};
use crate::subject::{Store, Subject};
use crate::usage::Mark;

/// Each client claims and completes its share of the tasks, one after the other.
///
/// # Errors
/// The store's.
pub fn by_store(store: &dyn BoardStore, clients: usize, tasks: &[TaskId]) -> Result<Outcome> {
    let share = tasks.len() / clients;
    let worker = Label::new("claimant", "bench-worker-1")?;
    let runs: Vec<_> = tasks.iter().map(|_| std::cell::Cell::new(None)).collect();
    clients::closed(clients, share * 2, |client, nth| {
        let at = client * share + nth / 2;
        let (task, run, worker) = (tasks.get(at).cloned(), runs.get(at), worker.clone());
        async move {
            let (Some(task), Some(slot)) = (task, run) else {
                return Ok(());
            };
            if let Some(run) = slot.get() {
                let mut call = Complete::new(task, Authority::worker(run));
                call.summary = Some(Note::new("summary", "written")?);
                store.complete(call).await?;
            } else {
                let claimed = store.claim(ClaimTask::new(task, worker)).await?;
                slot.set(Some(claimed.value.run.id));
            }
            Ok(())
        }
    })
}

/// The same by hand on a board's file that nobody has open, in transactions of `group` calls: the tasks in the order in
/// which as many clients reach them, so that the same pages are written together.
///
/// # Panics
/// Where the engine fails: then there is nothing to measure.
#[must_use]
pub fn by_hand(
    subject: Subject,
    file: &Path,
    clients: usize,
    group: usize,
    tasks: &[Task],
) -> Outcome {
    let share = tasks.len() / clients;
    let reached = (0..share).flat_map(|nth| tasks.iter().skip(nth).step_by(share).take(clients));
    match subject.store {
        Store::Sqlite => {
            let synchronous = match subject.durability {
                kanban_core::Durability::Power => Synchronous::Full,
                _ => Synchronous::Normal,
            };
            let database = Sqlite::open(file, synchronous).expect("SQLite opens the board");
            let ids: Vec<&str> = reached.map(|task| task.id.as_str()).collect();
            on_sqlite(&database, group, &ids).expect("SQLite carries it out")
        }
        Store::Redb => {
            let database = Redb::open(file, subject.mode).expect("redb opens the board");
            let mut tasks: Vec<HandTask> = reached.map(HandTask::of).collect();
            on_redb(&database, group, &mut tasks).expect("redb carries it out")
        }
    }
}

fn on_sqlite(database: &Sqlite, group: usize, ids: &[&str]) -> rusqlite::Result<Outcome> {
    let mut hand = Hand::behind(1 << 40);
    let mut meter = Meter::start();
    for chunk in ids.chunks(group) {
        meter.time(chunk.len(), || {
            database.begin()?;
            for id in chunk {
                database.claim(id, &mut hand)?;
            }
            database.commit(&hand)
        })?;
        meter.time(chunk.len(), || {
            database.begin()?;
            for id in chunk {
                database.complete(id, &mut hand)?;
            }
            database.commit(&hand)
        })?;
    }
    Ok(meter.end())
}

fn on_redb(
    database: &Redb,
    group: usize,
    tasks: &mut [HandTask],
) -> Result<Outcome, crate::limit::redb::Failed> {
    let mut hand = Hand::behind(1 << 40);
    let mut meter = Meter::start();
    for chunk in tasks.chunks_mut(group) {
        let calls = chunk.len();
        meter.time(calls, || {
            database.transact(&mut hand, |tables, hand| {
                chunk
                    .iter_mut()
                    .try_for_each(|task| tables.claim(task, hand))
            })
        })?;
        meter.time(calls, || {
            database.transact(&mut hand, |tables, hand| {
                chunk
                    .iter_mut()
                    .try_for_each(|task| tables.complete(task, hand))
            })
        })?;
    }
    Ok(meter.end())
}

/// Times transactions by hand: each call of one takes as long as the whole of it.
struct Meter {
    mark: Mark,
    latency: hdrhistogram::Histogram<u64>,
}

impl Meter {
    fn start() -> Self {
        Self {
            mark: Mark::set(),
            latency: latencies(),
        }
    }

    fn time<E>(
        &mut self,
        calls: usize,
        transaction: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let start = now();
        transaction()?;
        let calls = u64::try_from(calls).unwrap_or(u64::MAX);
        self.latency
            .saturating_record_n(nanos(start.elapsed()), calls);
        Ok(())
    }

    fn end(self) -> Outcome {
        Outcome {
            calls: self.latency.len(),
            usage: self.mark.used(),
            latency: self.latency,
        }
    }
}
