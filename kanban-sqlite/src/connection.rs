//! Opening a connection, and what must be in force on it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kanban_core::{Durability, Error, Result, Unavailable};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use crate::error::storage;
use crate::files::Place;
use crate::wait::Alarm;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The board's writer: one per engine, on its writer's thread.
    Writer,
    /// One thread's reader.
    Reader,
}

/// What connections of one engine have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) durability: Durability,
    pub(crate) wal_len_max: u64,
}

/// How many instructions SQLite runs between two looks at the alarm.
const STEPS_BETWEEN_LOOKS: i32 = 1000;
/// Long enough for every text a board holds, short enough that a damaged length does not ask for gigabytes.
const VALUE_LEN_MAX: i32 = 16 * 1024 * 1024;
const WRITER_STATEMENTS_MAX: usize = 256;
const READER_STATEMENTS_MAX: usize = 64;

/// On or off on every connection. A board file is untrusted: nothing in it may run.
const SWITCHES: &[(DbConfig, bool)] = &[
    (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
    (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
    (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
    // Without it a statement whose index is searched from a bound value on is prepared anew whenever that value changes:
    // SQLite might find a better plan for it. Here each has one plan.
    (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    // A close checkpoints only where the engine says so: never a file that was not checked, or that was replaced.
    (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
];

/// The limits on every connection.
const LIMITS: &[(Limit, i32)] = &[
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LENGTH, VALUE_LEN_MAX),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// Opens the board's file, which exists, and puts everything in force. Nothing of the file is changed.
pub(crate) fn open(
    place: &Place,
    role: Role,
    settings: Settings,
    alarm: &Arc<Alarm>,
) -> Result<Connection> {
    let opened = open_file(&place.database)
        .and_then(|mut connection| {
            configure(&mut connection, role, settings, alarm)?;
            Ok(connection)
        })
        .map_err(|error| refine(place, error))?;
    in_force(&opened, role, settings)?;
    Ok(opened)
}

fn open_file(path: &Path) -> rusqlite::Result<Connection> {
    // Without SQLITE_OPEN_CREATE: a file that is gone stays gone. Without SQLITE_OPEN_URI, which the library's own
    // default overrides: the path is absolute, so it never begins with `file:`.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn configure(
    connection: &mut Connection,
    role: Role,
    settings: Settings,
    alarm: &Arc<Alarm>,
) -> rusqlite::Result<()> {
    // Waiting is done by the engine, with jitter and a deadline.
    connection.busy_timeout(Duration::ZERO)?;
    connection.load_extension_disable()?;
    for (switch, on) in SWITCHES {
        connection.set_db_config(*switch, *on)?;
    }
    for (limit, value) in LIMITS {
        connection.set_limit(*limit, *value)?;
    }
    for (pragma, value) in pragmas(role, settings) {
        connection
            .pragma_update_and_check(None, pragma, value, |_| Ok(()))
            .or_else(|error| match error {
                // Some pragmas answer their new value, some nothing.
                rusqlite::Error::QueryReturnedNoRows => Ok(()),
                error => Err(error),
            })?;
    }
    connection.set_prepared_statement_cache_capacity(match role {
        Role::Writer => WRITER_STATEMENTS_MAX,
        Role::Reader => READER_STATEMENTS_MAX,
    });
    let alarm = Arc::clone(alarm);
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || alarm.rings()))
}

/// Pragmas and the values they answer when in force.
fn pragmas(role: Role, settings: Settings) -> Vec<(&'static str, i64)> {
    let wal_len_max = i64::try_from(settings.wal_len_max).unwrap_or(i64::MAX);
    let mut pragmas = vec![
        ("cell_size_check", 1),
        ("mmap_size", 0),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("synchronous", synchronous(settings.durability)),
        ("wal_autocheckpoint", 0),
        ("journal_size_limit", wal_len_max),
        ("temp_store", 2),
        ("busy_timeout", 0),
        (
            "cache_size",
            if role == Role::Writer {
                -16_384
            } else {
                -4_096
            },
        ),
        ("query_only", i64::from(role == Role::Reader)),
    ];
    if cfg!(target_os = "macos") {
        // A plain fsync does not reach the platters there.
        pragmas.extend([("fullfsync", 1), ("checkpoint_fullfsync", 1)]);
    }
    pragmas
}

/// FULL syncs the `-wal` at each commit, NORMAL only at checkpoints.
pub(crate) const fn synchronous(durability: Durability) -> i64 {
    match durability {
        Durability::Process | Durability::Lazy { .. } => 1,
        _ => 2,
    }
}

/// Reads back everything that must be in force, on this very connection: a misspelt pragma is no error to SQLite.
pub(crate) fn in_force(connection: &Connection, role: Role, settings: Settings) -> Result<()> {
    let doing = |error| storage("reading back what is in force", error);
    for (switch, on) in SWITCHES {
        if connection.db_config(*switch).map_err(doing)? != *on {
            return Err(not_in_force(&format!("{switch:?}")));
        }
    }
    for (limit, value) in LIMITS {
        if connection.limit(*limit).map_err(doing)? != *value {
            return Err(not_in_force(&format!("{limit:?}")));
        }
    }
    for (pragma, value) in pragmas(role, settings) {
        let found: i64 = connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .map_err(doing)?;
        if found != value {
            return Err(not_in_force(&format!("{pragma} = {value}, found {found}")));
        }
    }
    // The unix layer opens a file that it may not write for reading only, without a word.
    if connection.is_readonly(MAIN_DB).map_err(doing)? {
        return Err(Error::unavailable(
            Unavailable::ReadOnly,
            "no permission to write the board's file",
        ));
    }
    Ok(())
}

fn not_in_force(what: &str) -> Error {
    Error::unavailable(
        Unavailable::Library,
        format!("not in force on a connection: {what}"),
    )
}

/// SQLite says only that it cannot open a file, not why.
pub(crate) fn refine(place: &Place, error: rusqlite::Error) -> Error {
    let doing = "opening the board's file";
    if error.sqlite_error_code() != Some(rusqlite::ErrorCode::CannotOpen) {
        return storage(doing, error);
    }
    Error::unavailable(place.why_not(), doing).with_source(error)
}
