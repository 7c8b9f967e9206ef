//! What redb says, as the one error of the store.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kanban_core::{Error, ErrorKind, Result, Unavailable};

/// Turns an error of redb into the store's, with what was being done.
pub(crate) fn storage(doing: &str, error: impl Into<redb::Error>) -> Error {
    let error = error.into();
    Error::new(kind_of(&error), doing).with_source(error)
}

/// The same for an error of the operating system met outside of redb.
pub(crate) fn system(doing: &str, error: std::io::Error) -> Error {
    Error::unavailable(why(&error), doing).with_source(error)
}

/// A reader has held its snapshot for too long: the file grows behind it.
pub(crate) fn too_long() -> Error {
    Error::new(
        ErrorKind::Busy,
        "the reader held its snapshot while the file grew too much",
    )
}

/// Calls redb. Where a damaged file makes it panic, that is an error like any other: nothing of a transaction that
/// met one is committed.
pub(crate) fn contained<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        Err(Error::corrupt(format!(
            "redb gave up on the file: {}",
            words(&*panic)
        )))
    })
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("")
}

fn why(error: &std::io::Error) -> Unavailable {
    use std::io::ErrorKind as Io;
    match error.kind() {
        Io::PermissionDenied | Io::ReadOnlyFilesystem => Unavailable::ReadOnly,
        Io::StorageFull | Io::QuotaExceeded => Unavailable::NoSpace,
        _ => Unavailable::Io,
    }
}

fn kind_of(error: &redb::Error) -> ErrorKind {
    use redb::Error as Redb;
    use std::io::ErrorKind as Io;
    match error {
        Redb::DatabaseAlreadyOpen => ErrorKind::Unavailable(Unavailable::InUse),
        Redb::UpgradeRequired(_) | Redb::LockProtocolMismatch => {
            ErrorKind::Unavailable(Unavailable::Library)
        }
        // A file that does not begin as redb's do, or that ends too soon.
        Redb::Io(error) if matches!(error.kind(), Io::InvalidData | Io::UnexpectedEof) => {
            ErrorKind::Corrupt
        }
        // A lock of another process, waited for long enough.
        Redb::Io(error) if error.kind() == Io::TimedOut => ErrorKind::Busy,
        Redb::Io(error) => ErrorKind::Unavailable(why(error)),
        // Opened anew under a reader, or waited for.
        Redb::DatabaseClosed | Redb::WouldBlock | Redb::TransactionInProgress => ErrorKind::Busy,
        Redb::Unsupported => ErrorKind::Unavailable(Unavailable::Filesystem),
        Redb::PreviousIo | Redb::Backend(_) => ErrorKind::Unavailable(Unavailable::Io),
        // A lock is poisoned by a panic, and only a damaged file makes redb panic. A table that is not there, or is
        // another: the file is not what it was when it was opened.
        Redb::Corrupted(_)
        | Redb::LockPoisoned(_)
        | Redb::RepairAborted
        | Redb::TableTypeMismatch { .. }
        | Redb::TableIsMultimap(_)
        | Redb::TableIsNotMultimap(_)
        | Redb::TypeDefinitionChanged { .. }
        | Redb::TableDoesNotExist(_)
        | Redb::TransactionPoisoned => ErrorKind::Corrupt,
        _ => ErrorKind::Internal,
    }
}
