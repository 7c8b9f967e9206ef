//! WAL mode: set up once, never left, with checkpoints of our own.

use kanban_core::{Error, ErrorKind, Result, Unavailable};
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, DEFAULT_NAME};

use crate::error::storage;
use crate::files::Place;

/// What stands before each page in the `-wal`, in bytes.
const FRAME_HEADER_LEN: u64 = 24;

/// How far a checkpoint got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checkpoint {
    /// The whole `-wal` is in the database.
    Complete,
    /// A reader, or another process that checkpoints, is in the way. Later.
    Partial,
}

/// Whether the database is in WAL mode.
pub(crate) fn is_set(connection: &Connection) -> Result<bool> {
    let mode: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .map_err(|error| storage("reading the journal mode", error))?;
    Ok(mode == "wal")
}

/// Sets WAL mode, unless it is set. The row that comes back is believed, not the lack of an error: some file
/// systems refuse without one. Only under the set-up lock.
pub(crate) fn set(connection: &Connection) -> Result<()> {
    if is_set(connection)? {
        return Ok(());
    }
    let reached: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(|error| storage("setting WAL mode", error))?;
    if reached == "wal" {
        return Ok(());
    }
    Err(Error::unavailable(
        Unavailable::Filesystem,
        format!("WAL mode was refused, the journal mode is {reached}"),
    ))
}

/// Fails with `Replaced` if the `-wal` is shorter than what its index, which all openers share, says is in it: it was
/// removed, and made anew by this connection, under somebody who has the old one open.
pub(crate) fn expect_whole(connection: &Connection, place: &Place) -> Result<()> {
    let doing = |error| storage("comparing the -wal with its index", error);
    let (frames, _) = connection
        .wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::NOOP)
        .map_err(doing)?;
    let page_len: u64 = connection
        .pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0))
        .map_err(doing)?
        .into();
    let frames = u64::try_from(frames).unwrap_or(0);
    let (found, expected) = (place.wal_len(), frames * (page_len + FRAME_HEADER_LEN));
    if found >= expected {
        return Ok(());
    }
    Err(Error::unavailable(
        Unavailable::Replaced,
        format!("the -wal has {found} bytes, its index says {expected}"),
    ))
}

/// Copies what it can from the `-wal` into the database, without waiting for anybody.
pub(crate) fn checkpoint(connection: &Connection) -> Result<Checkpoint> {
    run(connection, CheckpointMode::PASSIVE)
}

/// Copies all of it and cuts the `-wal` to nothing, if nobody reads or writes right now.
pub(crate) fn truncate(connection: &Connection) -> Result<Checkpoint> {
    run(connection, CheckpointMode::TRUNCATE)
}

fn run(connection: &Connection, mode: CheckpointMode) -> Result<Checkpoint> {
    let result = connection
        .wal_checkpoint_v2(DEFAULT_NAME, mode)
        .map_err(|error| storage("checkpointing", error));
    match result {
        // -1: the database is not in WAL mode any more. Nobody may have done that.
        Ok((-1, _)) => Err(Error::corrupt("the board has left WAL mode")),
        Ok((frames, copied)) if copied >= frames => Ok(Checkpoint::Complete),
        Ok(_) => Ok(Checkpoint::Partial),
        Err(error) if *error.kind() == ErrorKind::Busy => Ok(Checkpoint::Partial),
        Err(error) => Err(error),
    }
}
