//! The tables of a board, and the steps that lead to them.

use std::sync::OnceLock;

use kanban_core::{BoardState, Error, Result, Unavailable};
use rusqlite::{Connection, OpenFlags};

use crate::error::storage;
use crate::view::Board;
use crate::wait::Alarm;

/// `kbn1`: tells a board from other databases, also to `file(1)`.
pub(crate) const APPLICATION_ID: u32 = 0x6b62_6e31;

/// Step *n* leads from version *n* to *n* + 1. A released step is never edited.
const STEPS: &[&str] = &[include_str!("schema/0001.sql")];

/// What a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing was ever in it.
    Fresh,
    /// A board of this program's version.
    Current,
    /// A board of an older version: so many steps are done.
    Older(usize),
}

/// Tables and indexes as `sqlite_schema` tells them: type, name, table, text.
type Objects = Vec<(String, String, String, Option<String>)>;

/// Looks what the database is, in one snapshot, without writing. A database that is no board, or a board with anything
/// else in it (a trigger or a view can change what a statement does), is `Corrupt`; a newer one is refused.
pub(crate) fn state(connection: &Connection) -> Result<State> {
    let doing = |error| storage("reading the schema", error);
    let snapshot = connection.unchecked_transaction().map_err(doing)?;
    let id = number(&snapshot, "application_id")?;
    let version = number(&snapshot, "user_version")?;
    let found = objects(&snapshot)?;
    snapshot.finish().map_err(doing)?;
    if id == 0 && version == 0 && found.is_empty() {
        return Ok(State::Fresh);
    }
    if id != i64::from(APPLICATION_ID) {
        return Err(Error::corrupt(format!(
            "the database is no board: its application id is {id}"
        )));
    }
    let newest = STEPS.len();
    let Some(version) = usize::try_from(version).ok().filter(|version| *version > 0) else {
        return Err(Error::corrupt(format!("the schema's version is {version}")));
    };
    if version > newest {
        return Err(Error::unavailable(
            Unavailable::NewerSchema,
            format!("this program knows schema version {newest}, found {version}"),
        ));
    }
    compare(&found, version)?;
    Ok(match version {
        version if version == newest => State::Current,
        version => State::Older(version),
    })
}

/// A file of a few bytes, which SQLite takes for empty and would write over, is no fresh board.
pub(crate) fn expect_empty(connection: &Connection, has_bytes: bool) -> Result<()> {
    match (has_bytes, number(connection, "page_count")?) {
        (true, 0) => Err(Error::corrupt("a file that is no database")),
        _ => Ok(()),
    }
}

/// Takes the steps that are missing, in one transaction, durably and then into the database's own file. Only
/// under the set-up lock. `board` is the row of a fresh board.
pub(crate) fn migrate(connection: &Connection, board: Option<&BoardState>) -> Result<()> {
    let doing = |error| storage("setting the schema up", error);
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(doing)?;
    connection.execute_batch("BEGIN IMMEDIATE").map_err(doing)?;
    let done =
        steps(connection, board).and_then(|()| connection.execute_batch("COMMIT").map_err(doing));
    if done.is_err() && !connection.is_autocommit() {
        // The error that led here is the one to tell.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

fn steps(connection: &Connection, board: Option<&BoardState>) -> Result<()> {
    let doing = |error| storage("setting the schema up", error);
    // Asked again: another process may have been faster.
    let version = usize::try_from(number(connection, "user_version")?).unwrap_or(0);
    if version >= STEPS.len() {
        return Ok(());
    }
    for step in STEPS.iter().skip(version) {
        connection.execute_batch(step).map_err(doing)?;
    }
    connection
        .pragma_update(
            None,
            "user_version",
            i64::try_from(STEPS.len()).unwrap_or(i64::MAX),
        )
        .map_err(doing)?;
    connection
        .pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(doing)?;
    match board {
        Some(board) if version == 0 => Board::on(connection, &Alarm::new()).found(board),
        _ => Ok(()),
    }
}

fn compare(found: &Objects, version: usize) -> Result<()> {
    let expected = expected(version)?;
    if let Some(foreign) = found.iter().find(|object| !expected.contains(object)) {
        let (kind, name, ..) = foreign;
        return Err(Error::corrupt(format!(
            "the schema has a foreign or changed {kind}: {name}"
        )));
    }
    if let Some((kind, name, ..)) = expected.iter().find(|object| !found.contains(object)) {
        return Err(Error::corrupt(format!(
            "the schema lacks the {kind} {name}"
        )));
    }
    Ok(())
}

/// What the steps up to a version leave, found by taking them in memory.
fn expected(version: usize) -> Result<Objects> {
    static NEWEST: OnceLock<Objects> = OnceLock::new();
    let newest = version == STEPS.len();
    if let (true, Some(objects)) = (newest, NEWEST.get()) {
        return Ok(objects.clone());
    }
    let objects = objects(&taken_in_memory(version)?)?;
    if newest {
        return Ok(NEWEST.get_or_init(|| objects).clone());
    }
    Ok(objects)
}

fn taken_in_memory(version: usize) -> Result<Connection> {
    let doing = |error| storage("building the expected schema", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let memory = Connection::open_in_memory_with_flags(flags).map_err(doing)?;
    for step in STEPS.iter().take(version) {
        memory.execute_batch(step).map_err(doing)?;
    }
    Ok(memory)
}

/// The newest schema, with nothing in it.
#[cfg(test)]
pub(crate) fn in_memory() -> Result<Connection> {
    taken_in_memory(STEPS.len())
}

fn objects(connection: &Connection) -> Result<Objects> {
    let doing = |error| storage("reading the schema", error);
    let mut statement = connection
        .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")
        .map_err(doing)?;
    let rows = statement
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .map_err(doing)?;
    rows.collect::<rusqlite::Result<_>>().map_err(doing)
}

fn number(connection: &Connection, pragma: &str) -> Result<i64> {
    connection
        .pragma_query_value(None, pragma, |row| row.get(0))
        .map_err(|error| storage("reading the schema's version", error))
}
