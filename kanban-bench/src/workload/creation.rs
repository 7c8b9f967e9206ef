//! Tasks are created one at a time, each with a body: what planners and people do.

use std::path::Path;

use kanban_core::{BoardStore, Result};

use crate::clients::{self, Outcome};
use crate::fill;
use crate::limit::Limit;
use crate::subject::Subject;

/// Each client creates `calls` tasks.
///
/// # Errors
/// The store's.
pub fn by_store(store: &dyn BoardStore, clients: usize, calls: usize) -> Result<Outcome> {
    clients::closed(clients, calls, |client, nth| async move {
        store.create(fill::task(client * calls + nth)?).await?;
        Ok(())
    })
}

/// The same by hand on a board's file that nobody has open and that holds a task, in transactions of `group` calls, `calls` in
/// all.
///
/// # Panics
/// Where the engine fails: then there is nothing to measure.
#[must_use]
pub fn by_hand(subject: Subject, file: &Path, group: usize, calls: usize) -> Outcome {
    let limit = Limit::open(subject, file).expect("the engine opens the board");
    let create = limit.run(group, calls, |rows, hand, nth| {
        rows.create(nth, None, hand).map(drop)
    });
    create.expect("the engine carries it out")
}
