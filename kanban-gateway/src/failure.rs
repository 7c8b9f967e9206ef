//! How a command ends, and the exit codes.

use std::io;
use std::process::ExitCode;

use kanban_core::{Error, ErrorKind, Invalid, Rejection, TaskId};

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
    /// A file that an argument names cannot be read.
    #[error("cannot read {path}: {source}")]
    Input {
        /// Its path.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("cannot print the answer, whatever it was: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Ambiguous { .. } => Exit::Refused,
            Self::Usage(_) | Self::Input { .. } => Exit::Usage,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) => Exit::Unavailable,
            Self::Store(error) => match error.kind() {
                ErrorKind::Rejected(_) | ErrorKind::NotFound(_) => Exit::Refused,
                ErrorKind::Invalid(_) => Exit::Usage,
                ErrorKind::Overloaded | ErrorKind::Busy => Exit::Busy,
                _ => Exit::Unavailable,
            },
        }
    }
}

/// The error, and what lies underneath it.
fn spelled(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
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
