//! All claim from one column, each the task that comes first: what many dispatchers of one board do.

use std::path::Path;

use kanban_core::{BoardStore, ClaimNext, NextClaim, Result, Task};

use super::calls::worker;
use crate::clients::{self, Outcome};
use crate::limit::{self, Failed, Limit};
use crate::subject::Subject;

/// What it is called in an id.
pub const CONTENTION: &str = "contention";

/// Each client claims the best task of any assignee `calls` times. The board holds as many ready tasks, or some calls find none.
///
/// # Errors
/// The store's.
pub fn by_store(store: &dyn BoardStore, clients: usize, calls: usize) -> Result<Outcome> {
    let worker = worker()?;
    clients::closed(clients, calls, |_, _| {
        let call = ClaimNext::new(worker.clone());
        async move {
            let next = store.claim_next(call).await?;
            debug_assert!(matches!(next.value, NextClaim::Claimed(_)), "{next:?}");
            Ok(())
        }
    })
}

/// The same by hand on a board's file that nobody has open, in transactions of `group` calls, `calls` in all: a seek for the
/// first ready task, and the claim. `tasks` are the ready ones of the board, which a loop on redb knows rather than decode
/// the rows.
///
/// # Panics
/// Where the engine fails, or no task is ready: then there is nothing to measure.
#[must_use]
pub fn by_hand(
    subject: Subject,
    file: &Path,
    group: usize,
    calls: usize,
    tasks: &[Task],
) -> Outcome {
    let limit = Limit::open(subject, file).expect("the engine opens the board");
    let mut known = limit::known(tasks);
    let claim = limit.run(group, calls, |rows, hand, _| {
        let id = rows.next_ready()?.ok_or(Failed::Row)?;
        rows.claim(known.get_mut(&id).ok_or(Failed::Row)?, hand)
    });
    claim.expect("the engine carries it out")
}
