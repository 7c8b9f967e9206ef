//! What SQLite says, as the one error of the store.

use kanban_core::{Error, ErrorKind, Unavailable};
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// Turns an error of SQLite into the store's, with what was being done.
pub(crate) fn storage(doing: &str, error: rusqlite::Error) -> Error {
    let kind = kind_of(&error);
    let context = match error.sqlite_error_code() {
        // Only the alarm interrupts.
        Some(ErrorCode::OperationInterrupted) => TOO_LONG,
        _ => doing,
    };
    Error::new(kind, context).with_source(error)
}

/// A question has held its snapshot for too long: the `-wal` grows behind it.
pub(crate) fn too_long() -> Error {
    Error::new(ErrorKind::Busy, TOO_LONG)
}

/// The same of a read without a deadline, by its name.
pub(crate) fn outgrown(what: &str) -> Error {
    let context = format!("the {what} held its snapshot too long, the -wal has outgrown its bound");
    Error::new(ErrorKind::Busy, context)
}

const TOO_LONG: &str = "the reader held its snapshot past the deadline";

/// The same for an error of the operating system met outside of SQLite.
pub(crate) fn system(doing: &str, error: std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let why = match error.kind() {
        Io::PermissionDenied | Io::ReadOnlyFilesystem => Unavailable::ReadOnly,
        Io::StorageFull | Io::QuotaExceeded => Unavailable::NoSpace,
        _ => Unavailable::Io,
    };
    Error::unavailable(why, doing).with_source(error)
}

fn kind_of(error: &rusqlite::Error) -> ErrorKind {
    use rusqlite::Error as Sql;
    match error {
        Sql::SqliteFailure(failure, _) => kind_of_code(*failure),
        Sql::SqlInputError { error, .. } => kind_of_code(*error),
        Sql::FromSqlConversionFailure(..)
        | Sql::IntegralValueOutOfRange(..)
        | Sql::Utf8Error(..)
        | Sql::InvalidColumnType(..)
        | Sql::QueryReturnedNoRows => ErrorKind::Corrupt,
        _ => ErrorKind::Internal,
    }
}

fn kind_of_code(failure: ffi::Error) -> ErrorKind {
    let unavailable = ErrorKind::Unavailable;
    match (failure.code, failure.extended_code) {
        // In WAL mode only a -wal that is shorter than its index says is read short.
        (_, ffi::SQLITE_READONLY_DBMOVED | ffi::SQLITE_IOERR_SHORT_READ) => {
            unavailable(Unavailable::Replaced)
        }
        // The -shm file could not grow: what the unix layer says when the disk is full.
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => {
            unavailable(Unavailable::NoSpace)
        }
        (ErrorCode::ReadOnly | ErrorCode::PermissionDenied, _) => {
            unavailable(Unavailable::ReadOnly)
        }
        (
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OperationInterrupted,
            _,
        ) => ErrorKind::Busy,
        // A broken constraint or a table that is not there: the file is not what it was when it was opened. A value past
        // the limit: no text that a board takes is that long.
        (
            ErrorCode::NotADatabase
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::SchemaChanged
            | ErrorCode::TooBig
            | ErrorCode::Unknown,
            _,
        )
        | (_, ffi::SQLITE_IOERR_CORRUPTFS) => ErrorKind::Corrupt,
        (ErrorCode::ApiMisuse | ErrorCode::ParameterOutOfRange, _) => ErrorKind::Internal,
        _ => unavailable(Unavailable::Io),
    }
}
