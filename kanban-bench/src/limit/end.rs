//! How runs end by hand.

use super::told::Told;
use crate::said::SUMMARY;

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The task is done.
    Complete,
    /// The worker fails for the first time, and the task waits.
    Fail,
    /// The claim is given back.
    Release,
    /// The worker needs an answer.
    Block,
    /// The work is handed in.
    Review,
}

impl End {
    /// The task's status then.
    pub(super) const fn status(self) -> &'static str {
        match self {
            Self::Complete => "done",
            Self::Fail | Self::Release => "ready",
            Self::Block => "blocked",
            Self::Review => "review",
        }
    }

    /// The run's.
    pub(super) const fn outcome(self) -> &'static str {
        match self {
            Self::Complete => "completed",
            Self::Fail => "worker_error",
            Self::Release => "released",
            Self::Block => "blocked",
            Self::Review => "review_requested",
        }
    }

    /// What the worker says of it.
    pub(super) const fn summary(self) -> Option<&'static str> {
        match self {
            Self::Complete | Self::Review => Some(SUMMARY),
            Self::Fail | Self::Release | Self::Block => None,
        }
    }

    /// Its event. A task that failed waits until a time; one that is reviewed has a reviewer.
    pub(super) fn told(self, run: i64, retry_at: i64, reviewer: &str) -> Told {
        let (kind, data) = match self {
            Self::Complete => (
                "completed",
                format!(r#"{{"from":"running","result_len":0,"summary":"{SUMMARY}","to":"done"}}"#),
            ),
            Self::Fail => (
                "failed",
                format!(
                    r#"{{"error":"worker_error","failures":1,"from":"running","kind":"worker_error","retry_at":{retry_at},"to":"ready"}}"#
                ),
            ),
            Self::Release => ("released", r#"{"from":"running","to":"ready"}"#.to_owned()),
            Self::Block => (
                "blocked",
                r#"{"from":"running","kind":"needs_input","to":"blocked"}"#.to_owned(),
            ),
            Self::Review => (
                "review_requested",
                format!(r#"{{"from":"running","reviewer":"{reviewer}","to":"review"}}"#),
            ),
        };
        Told::by_worker(kind, data).of(run)
    }
}
