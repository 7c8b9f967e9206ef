//! Who works on the boards of a bench, and what is said there: by the store and by hand, so that their rows are as long.

/// Who claims, completes and comments.
pub(crate) const WORKER: &str = "bench-worker-1";
/// The summary of a run that is completed.
pub(crate) const SUMMARY: &str = "written";
/// What a comment says.
pub(crate) const COMMENT: &str = "It goes on as planned.";
/// By what channel news are sent.
pub(crate) const CHANNEL: &str = "bench";
/// The kind of event that is news, where one is named.
pub(crate) const NEWS: &str = "created";
