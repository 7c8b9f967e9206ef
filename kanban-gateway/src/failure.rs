//! How a command ends, and the exit codes.

mod words;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kanban_core::{Error, ErrorKind, Invalid, Rejection, TaskId, Unavailable};

use self::words::spelled;

/// How a command ended that did what it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done: 0.
    Done,
    /// Found something wrong, and said what: 1.
    Refused,
    /// Arguments that make no sense: 2.
    Usage,
    /// The store cannot be used, or nobody knows what became of the call: 3.
    Unavailable,
    /// Too much to do; later: 4.
    Busy,
    /// Nothing to claim: 5.
    Nothing,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Unavailable => 3,
            Exit::Busy => 4,
            Exit::Nothing => 5,
        }
        .into()
    }
}

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The store's error.
    #[error("{}", spelled(.0))]
    Store(#[source] Error),
    /// The same, with the file that it is about.
    #[error("{}{}", spelled(error), words::place(error, path))]
    File {
        /// The file.
        path: PathBuf,
        /// What is the matter with it.
        #[source]
        error: Error,
    },
    /// The same, with what to do instead.
    #[error("{} ({hint})", spelled(error))]
    Hinted {
        /// What to do.
        hint: &'static str,
        /// What was refused.
        #[source]
        error: Error,
    },
    /// The command was answered, and then the store did not close well: not that nothing was written, whatever the kind.
    #[error(
        "what was answered may not be kept, look before it is repeated: {}{}",
        spelled(error),
        words::place(error, path)
    )]
    Close {
        /// The board's file.
        path: PathBuf,
        /// Why the store did not close well.
        #[source]
        error: Error,
    },
    /// Arguments that make no sense.
    #[error("{0}")]
    Usage(String),
    /// A prefix that several ids have.
    #[error("several tasks begin with {prefix}: {}", listed(ids))]
    Ambiguous {
        /// The prefix.
        prefix: String,
        /// Some of them, in order.
        ids: Vec<TaskId>,
    },
    /// A file that an argument names cannot be read, or is not what the command takes.
    #[error("cannot read {path}: {why}")]
    Input {
        /// Its path.
        path: String,
        /// Why.
        why: String,
    },
    /// The output cannot be written.
    #[error("cannot print the answer, whatever it was: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// An argument names a file that is of no use.
    pub(crate) fn input(path: impl AsRef<Path>, why: &impl ToString) -> Self {
        Self::Input {
            path: path.as_ref().display().to_string(),
            why: why.to_string(),
        }
    }

    /// An argument names a file, or a directory, that cannot be made. Nothing is known of the board by it.
    pub(crate) fn unmade(path: &Path, error: io::Error) -> Self {
        use io::ErrorKind as Io;
        if error.kind() == Io::AlreadyExists {
            return Self::Usage(format!("{} exists: it is not overwritten", path.display()));
        }
        let why = match error.kind() {
            Io::PermissionDenied | Io::ReadOnlyFilesystem => Unavailable::ReadOnly,
            Io::StorageFull | Io::QuotaExceeded => Unavailable::NoSpace,
            _ => Unavailable::Io,
        };
        Self::File {
            path: path.to_owned(),
            error: Error::unavailable(why, "making a file").with_source(error),
        }
    }

    /// An error that is a file's, with the file's path.
    #[must_use]
    pub(crate) fn at(self, path: PathBuf) -> Self {
        match self {
            Self::Store(error) if is_of_file(error.kind()) => Self::File { path, error },
            other => other,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Ambiguous { .. } => Exit::Refused,
            Self::Usage(_) | Self::Input { .. } => Exit::Usage,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) | Self::Close { .. } => Exit::Unavailable,
            Self::Store(error) | Self::File { error, .. } | Self::Hinted { error, .. } => {
                match error.kind() {
                    ErrorKind::Rejected(_) | ErrorKind::NotFound(_) => Exit::Refused,
                    ErrorKind::Invalid(_) => Exit::Usage,
                    ErrorKind::Overloaded | ErrorKind::Busy => Exit::Busy,
                    _ => Exit::Unavailable,
                }
            }
        }
    }
}

/// How a command ended whose store was closed after it. What the command was refused for stands: only where it was answered,
/// also if nobody took the answer, a close that failed says something of it.
pub(crate) fn closed<T>(
    ended: Result<T, Failure>,
    closed: kanban_core::Result<()>,
    file: impl FnOnce() -> PathBuf,
) -> Result<T, Failure> {
    match (ended, closed) {
        (Ok(_) | Err(Failure::Output(_)), Err(error)) => {
            let path = file();
            Err(Failure::Close { path, error })
        }
        (ended, _) => ended,
    }
}

/// Whether an error of this kind is of the file, not of the call.
const fn is_of_file(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Corrupt
            | ErrorKind::Unavailable(_)
            | ErrorKind::Busy
            | ErrorKind::Unknown
            | ErrorKind::Internal
    )
}

fn listed(ids: &[TaskId]) -> String {
    let ids: Vec<&str> = ids.iter().map(TaskId::as_str).collect();
    ids.join(", ")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        Self::Store(invalid.into())
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Store(rejection.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(ended: Result<Exit, Failure>, closed: ErrorKind) -> Exit {
        let closed = Err(Error::new(closed, "closing"));
        let ended = super::closed(ended, closed, PathBuf::new);
        ended.unwrap_or_else(|failure| failure.exit())
    }

    #[test]
    fn a_close_that_fails_after_an_answer_never_asks_for_a_repeat() {
        for kind in [
            ErrorKind::Busy,
            ErrorKind::Unavailable(Unavailable::Io),
            ErrorKind::Unavailable(Unavailable::Replaced),
        ] {
            assert_eq!(end(Ok(Exit::Done), kind.clone()), Exit::Unavailable);
            assert_eq!(end(Ok(Exit::Nothing), kind.clone()), Exit::Unavailable);
            let untaken = io::Error::from(io::ErrorKind::BrokenPipe).into();
            assert_eq!(end(Err(untaken), kind.clone()), Exit::Unavailable);
            let refused = Rejection::BoardNotEmpty.into();
            assert_eq!(end(Err(refused), kind), Exit::Refused);
        }
        let ended = super::closed(Ok(Exit::Nothing), Ok(()), PathBuf::new);
        assert_eq!(ended.expect("closed well"), Exit::Nothing);
    }
}
