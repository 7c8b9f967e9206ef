//! Values of the contract, from literals.

use std::time::Duration;

use kanban_core::{
    Address, Assignee, Authority, BoardSlug, Claimed, JsonObject, Label, LongText, Note, Reason,
    RetryAfter, RunId, TaskId, Title, Ttl,
};

const FITS: &str = "a value that the suite writes itself fits its bounds";

/// A title.
#[must_use]
pub fn title(text: &str) -> Title {
    Title::new(text).expect(FITS)
}

/// A short name.
#[must_use]
pub fn label(text: &str) -> Label {
    Label::new("label", text).expect(FITS)
}

/// A comment, summary, error or note.
#[must_use]
pub fn note(text: &str) -> Note {
    Note::new("note", text).expect(FITS)
}

/// A reason.
#[must_use]
pub fn reason(text: &str) -> Reason {
    Reason::new("reason", text).expect(FITS)
}

/// A body or a result.
#[must_use]
pub fn long(text: &str) -> LongText {
    LongText::new("body", text).expect(FITS)
}

/// An address or a URI.
#[must_use]
pub fn address(text: &str) -> Address {
    Address::new("address", text).expect(FITS)
}

/// An assignee.
#[must_use]
pub fn who(name: &str) -> Assignee {
    Assignee::new(name).expect(FITS)
}

/// A board's name.
#[must_use]
pub fn slug(name: &str) -> BoardSlug {
    BoardSlug::new(name).expect(FITS)
}

/// A task's id.
#[must_use]
pub fn task_id(id: &str) -> TaskId {
    TaskId::new(id).expect(FITS)
}

/// A JSON object, from its text.
#[must_use]
pub fn json(text: &str) -> JsonObject {
    JsonObject::parse("json", text).expect(FITS)
}

/// Seconds.
#[must_use]
pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A time to live.
#[must_use]
pub fn ttl(seconds: u64) -> Ttl {
    Ttl::new(secs(seconds)).expect(FITS)
}

/// A wait before the next attempt.
#[must_use]
pub fn retry(seconds: u64) -> RetryAfter {
    RetryAfter::new(secs(seconds)).expect(FITS)
}

/// The operator olga, for whatever run is open.
#[must_use]
pub fn olga() -> Authority {
    Authority::operator(label("olga"))
}

/// The operator olga, for this run only.
#[must_use]
pub fn olga_of(run: RunId) -> Authority {
    Authority::Operator {
        actor: label("olga"),
        reason: Some(reason("by hand")),
        run: Some(run),
    }
}

/// The worker of a claim.
#[must_use]
pub const fn worker(claimed: &Claimed) -> Authority {
    Authority::worker(claimed.run.id)
}
