//! Giving a root to another store.

use std::path::Path;

use kanban_core::{Boards, Error, ErrorKind, Migrated, Options, Subject};
use serde::Serialize;

use crate::cli::MigrateArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Progress};
use crate::store;

/// A root that has another store now.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct MigratedRoot {
    store: &'static str,
    boards: Vec<Migrated>,
}

pub(super) fn migrate(
    root: &Path,
    options: Options,
    args: &MigrateArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if Boards::mark(root)?.is_none() {
        let kind = ErrorKind::NotFound(Subject::Board(kanban_core::BoardSlug::default()));
        let context = format!("there is nothing yet in {}", root.display());
        return Err(Error::new(kind, context).into());
    }
    let progress = Progress::told(output, "migrating");
    let done = store::migrate(root, args.to, options, progress.listener_by_board()?);
    drop(progress);
    let migrated = MigratedRoot {
        store: args.to.name(),
        boards: done?,
    };
    output.answer(None, None, &migrated, |migrated, _| {
        let boards = migrated.boards.iter().map(|Migrated { board, moved }| {
            format!(
                "{}: {} tasks, {} events",
                board.slug, moved.tasks, moved.events
            )
        });
        let last = format!("the store is {} now", migrated.store);
        boards.chain([last]).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Exit::Done)
}
