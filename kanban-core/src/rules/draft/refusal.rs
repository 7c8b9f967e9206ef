//! Why a command was not done.

use crate::error::{Error, Invalid, Rejection, Subject};

/// Why a decision gave no answer.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A rule said no: nothing of the draft is written.
    Rule(Error),
    /// A rule said no, and what the draft holds is written all the same (`PhantomTasks`).
    WithTrace(Error),
    /// The storage failed while the rule asked.
    Storage(Error),
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rule(rejection.into())
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::Rule(invalid.into())
    }
}

/// `?` on a question to the view: rules never turn those into refusals.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Storage(error)
    }
}

impl From<Subject> for Refusal {
    fn from(subject: Subject) -> Self {
        Self::Rule(Error::not_found(subject))
    }
}
