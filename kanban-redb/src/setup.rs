//! Opening a board: found, or made under its lock.
//!
//! A board is made beside its place and then renamed into it, so that whoever finds the file finds all of it: nobody,
//! at no crash, sees one that is half made.

use std::fs::File;

use kanban_core::{BoardState, Error, ErrorKind, Result, Unavailable};
use redb::backends::FileBackend;
use redb::{ConcurrencyMode, Database, ReadableDatabase};

use crate::core::{Core, Settings};
use crate::error::{contained, storage, system};
use crate::files::{self, Identity, identity, sync_directory};
use crate::schema;
use crate::wait::Deadline;

/// Opens the board, which is there, or makes it.
pub(crate) fn set_up(core: &Core, create: Option<&BoardState>) -> Result<(Database, Identity)> {
    if !core.place.has_database()? {
        let Some(board) = create else {
            return Err(Error::unavailable(
                Unavailable::Io,
                "there is no board here",
            ));
        };
        let _lock = core.place.lock(Deadline::after(core.busy_deadline))?;
        if !core.place.has_database()? {
            // What a crash has left of an earlier attempt.
            files::remove(&core.place.unborn);
            let file = files::make(&core.place.unborn)?;
            build(file, |txn| schema::found(txn, board))?;
            core.place.bear()?;
        }
    }
    // Also where it is found: who made it may have been killed before its name was on the disk, and what is answered
    // from here on must not go with it.
    sync_directory(&core.place.directory)?;
    open(core)
}

/// Opens the board, which is there.
pub(crate) fn open(core: &Core) -> Result<(Database, Identity)> {
    let file = core.place.open()?;
    let found = file
        .metadata()
        .map_err(|error| system("looking at the board's file", error))?;
    let backend = core.storage(file)?;
    let database = contained(|| {
        let database = core.settings.builder().create_with_backend(backend.clone());
        database.map_err(|error| storage("opening the board", error))
    })?;
    let is_current = contained(|| {
        let txn = database
            .begin_read()
            .map_err(|error| storage("reading the board", error))?;
        schema::expect_current(&txn)
    });
    // What is refused has the bytes that it had: nothing of what redb did to open it has reached the file (but see 0011).
    let is_open = is_current.and_then(|()| {
        let done = backend.let_through().map_err(redb::StorageError::from);
        done.map_err(|error| storage("opening the board", error))
    });
    match is_open {
        Ok(()) => Ok((database, identity(&found))),
        Err(error) => {
            close(database);
            Err(error)
        }
    }
}

/// Fills a new file in one transaction, durably. One that is a database already is written.
pub(crate) fn build(
    new: File,
    fill: impl FnOnce(&redb::WriteTransaction) -> Result<()>,
) -> Result<()> {
    let doing = |error: redb::Error| storage("writing a new file", error);
    let whole = new
        .try_clone()
        .map_err(|error| system("writing a new file", error))?;
    let backend = FileBackend::new(new).map_err(|error| doing(error.into()))?;
    let settings = Settings {
        mode: ConcurrencyMode::ExclusiveWriter,
        ..Settings::default()
    };
    let database = settings
        .builder()
        .create_with_backend(backend)
        .map_err(|error| doing(error.into()))?;
    let txn = database
        .begin_write()
        .map_err(|error| doing(error.into()))?;
    let filled = contained(|| fill(&txn));
    let done = match filled {
        Ok(()) => txn.commit().map_err(|error| doing(error.into())),
        Err(error) => {
            // The error that led here is the one to tell.
            let _ = txn.abort();
            Err(error)
        }
    };
    done.and(database.close().map_err(|error| doing(error.into())))?;
    whole
        .sync_all()
        .map_err(|error| system("syncing a new file", error))
}

/// Closes a database of which nothing is wanted any more.
pub(crate) fn close(database: Database) {
    // What it could not write is not durable, or is written again by whoever opens the file next.
    let _ = try_close(database);
}

/// Closes a database, which makes durable what was committed and is not.
pub(crate) fn try_close(database: Database) -> Result<()> {
    contained(|| {
        database
            .close()
            .map_err(|error| storage("closing the board", error))
    })
}

/// Whether an error means that redb takes no more I/O on this database.
pub(crate) fn is_latched(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable(_))
}
