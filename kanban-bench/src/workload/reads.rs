//! Tasks are read one at a time, in an order that looks random: what a gateway does most.

use std::path::Path;

use kanban_core::{BoardStore, Result, TaskId};

use crate::clients::{self, Outcome, latencies};
use crate::clock::{nanos, now};
use crate::extent::pick;
use crate::limit::BoardFile;
use crate::subject::Subject;

/// Each client reads `calls` tasks with their texts.
///
/// # Errors
/// The store's.
pub fn by_store(
    store: &dyn BoardStore,
    clients: usize,
    calls: usize,
    tasks: &[TaskId],
) -> Result<Outcome> {
    clients::closed(clients, calls, |client, nth| {
        let task = tasks.get(pick(client, nth, tasks.len())).cloned();
        async move {
            if let Some(task) = task {
                store.task(task).await?;
            }
            Ok(())
        }
    })
}

/// As many threads read the same tasks by hand from a board's file: each by its own connection of SQLite with its prepared
/// statements, or all from one database of redb. A read is one snapshot of the row and its texts, every column looked at.
///
/// # Panics
/// Where the engine fails: then there is nothing to measure.
#[must_use]
pub fn by_hand(
    subject: Subject,
    file: &Path,
    threads: usize,
    calls: usize,
    tasks: &[TaskId],
) -> Outcome {
    let file = BoardFile::at(subject, file).expect("the engine opens the board");
    let prepare = |thread| {
        let limit = file.open_reader().expect("the engine opens the board");
        limit.warm().expect("the engine reads the board");
        // Prepares the statements.
        if let Some(task) = tasks.first() {
            limit.read(task.as_str()).expect("the task is there");
        }
        (limit, thread)
    };
    let (all, usage) = clients::threads(threads, prepare, |(limit, thread)| {
        let mut latency = latencies();
        for nth in 0..calls {
            let Some(task) = tasks.get(pick(thread, nth, tasks.len())) else {
                break;
            };
            let due = now();
            let len = limit.read(task.as_str()).expect("the task is there");
            std::hint::black_box(len);
            latency.saturating_record(nanos(due.elapsed()));
        }
        (latency, limit)
    });
    // To close what each thread has opened is no part of reading.
    let (all, _opened): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    clients::merge(&all, usage)
}
