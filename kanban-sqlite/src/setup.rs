//! Opening a board: found ready, or set up under its lock.

use kanban_core::{BoardState, Error, ErrorKind, Result, Unavailable};

use crate::connection::Role;
use crate::core::{Core, Handle};
use crate::schema::{self, State};
use crate::wait::Deadline;
use crate::wal;

/// A writer's connection to a board that needs no setting up; its files are remembered. None if it needs to be.
///
/// While somebody else keeps an index of a `-wal` that was removed, a new one and that index do not go together: a
/// reader would take other bytes for its pages. Such a board is waited for, since a child of this process keeps what
/// it inherited until it executes its program, and then refused.
pub(crate) fn ready(core: &Core) -> Result<Option<Handle>> {
    let mut torn = None;
    let found = Deadline::after(core.busy_deadline).retry(|| match look(core) {
        Err(error) if *error.kind() == ErrorKind::Unavailable(Unavailable::Replaced) => {
            torn = Some(error);
            Err(Error::new(ErrorKind::Busy, "the -wal was replaced"))
        }
        other => {
            torn = None;
            other
        }
    });
    match (found, torn) {
        (Err(_), Some(torn)) => Err(torn),
        (found, _) => found,
    }
}

fn look(core: &Core) -> Result<Option<Handle>> {
    let handle = core.connect(Role::Writer)?;
    let connection = handle.connection();
    if schema::state(connection)? != State::Current || !wal::is_set(connection)? {
        return Ok(None);
    }
    wal::expect_whole(connection, &core.place)?;
    core.remember()?;
    Ok(Some(handle))
}

/// A writer's connection to a board that is there, or was made. Whoever finds it ready does not wait for the lock.
pub(crate) fn set_up(core: &Core, create: Option<&BoardState>) -> Result<Handle> {
    let missing = || Error::unavailable(Unavailable::Io, "there is no board here");
    if core.place.has_database()? {
        match ready(core) {
            Ok(Some(handle)) => return Ok(handle),
            Ok(None) => {}
            // Perhaps somebody is setting it up.
            Err(error) if *error.kind() == ErrorKind::Busy => {}
            Err(error) => return Err(error),
        }
    } else if create.is_none() {
        return Err(missing());
    }
    let deadline = Deadline::after(core.busy_deadline);
    let _lock = core.place.lock(deadline)?;
    let is_there = core.place.has_database()?;
    if !is_there {
        create.ok_or_else(missing)?;
        if core.place.wal_len() > 0 {
            return Err(Error::corrupt("a -wal without its database"));
        }
        core.place.create_database()?;
    }
    let handle = core.connect(Role::Writer)?;
    let connection = handle.connection();
    let state = deadline.retry(|| schema::state(connection))?;
    if state == State::Fresh {
        schema::expect_empty(connection, is_there)?;
        create.ok_or_else(missing)?;
    }
    deadline.retry(|| wal::set(connection))?;
    if state != State::Current {
        deadline.retry(|| schema::migrate(connection, create))?;
        // It was committed at FULL: where a reader stops the checkpoint half-way, the synced -wal still has it.
        wal::checkpoint(connection)?;
    }
    // Opened again with the durability that was asked for.
    drop(handle);
    ready(core)?.ok_or_else(|| Error::corrupt("the board was set up, but is not found to be"))
}
