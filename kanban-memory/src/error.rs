//! What the system says, as the one error of the store.

use std::io;

use kanban_core::{Error, Unavailable};

/// Turns an error of the operating system into the store's, with what was being done.
pub(crate) fn system(doing: &str, error: io::Error) -> Error {
    use io::ErrorKind as Io;
    let why = match error.kind() {
        Io::PermissionDenied | Io::ReadOnlyFilesystem => Unavailable::ReadOnly,
        Io::StorageFull | Io::QuotaExceeded => Unavailable::NoSpace,
        _ => Unavailable::Io,
    };
    Error::unavailable(why, doing).with_source(error)
}
