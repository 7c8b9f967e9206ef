//! What a case expects of an answer; each says what it expected and what it found.

use std::fmt::Debug;

use kanban_core::{ErrorKind, Invalid, Rejection, Result, Subject};

/// The kind of an error.
///
/// # Panics
/// If the call was answered.
#[track_caller]
pub fn refused<T: Debug>(result: Result<T>) -> ErrorKind {
    match result {
        Ok(value) => panic!("expected an error, found the answer {value:?}"),
        Err(error) => error.kind().clone(),
    }
}

/// The reason of a refusal by a rule.
#[track_caller]
pub fn rejected<T: Debug>(result: Result<T>) -> Rejection {
    match refused(result) {
        ErrorKind::Rejected(rejection) => rejection,
        other => panic!("expected a rejection, found {other:?}"),
    }
}

/// Which argument is out of its bounds.
#[track_caller]
pub fn invalid<T: Debug>(result: Result<T>) -> Invalid {
    match refused(result) {
        ErrorKind::Invalid(invalid) => invalid,
        other => panic!("expected Invalid, found {other:?}"),
    }
}

/// What does not exist.
#[track_caller]
pub fn not_found<T: Debug>(result: Result<T>) -> Subject {
    match refused(result) {
        ErrorKind::NotFound(subject) => subject,
        other => panic!("expected NotFound, found {other:?}"),
    }
}

/// The error kind of a call that must be refused, by its name without the details.
#[track_caller]
pub fn kind<T: Debug>(result: Result<T>) -> &'static str {
    match refused(result) {
        ErrorKind::Rejected(rejection) => rejection.reason(),
        ErrorKind::Invalid(_) => "invalid",
        ErrorKind::NotFound(_) => "not_found",
        ErrorKind::Overloaded => "overloaded",
        ErrorKind::Busy => "busy",
        ErrorKind::Unknown => "unknown",
        ErrorKind::Unavailable(_) => "unavailable",
        ErrorKind::Corrupt => "corrupt",
        ErrorKind::Internal => "internal",
        ErrorKind::Closed => "closed",
        other => panic!("expected a kind of error that the suite knows, found {other:?}"),
    }
}

/// Asserts that a value was refused for being over, or under, a limit by one.
#[track_caller]
pub fn at_limit<T: Debug>(
    result: std::result::Result<T, Invalid>,
    field: &str,
    limit: u64,
    found: u64,
) {
    let invalid = result.expect_err("expected Invalid, found a value");
    assert_eq!(
        (invalid.field, invalid.limit, invalid.found),
        (field, Some(limit), Some(found)),
        "expected field, limit and size found"
    );
}

/// Asserts that a task does not exist.
#[track_caller]
pub fn missing<T: Debug>(result: Result<T>, id: &kanban_core::TaskId) {
    assert_eq!(
        not_found(result),
        Subject::Task(id.clone()),
        "expected that the task is missing"
    );
}

/// A field of an event's data.
#[track_caller]
#[must_use]
pub fn data<'a>(event: &'a kanban_core::Event, field: &str) -> &'a serde_json::Value {
    let map = event.data.as_map();
    map.get(field)
        .unwrap_or_else(|| panic!("expected {field} in the data, found {event:?}"))
}

/// The kinds of events, in their order.
#[must_use]
pub fn kinds(events: &[kanban_core::Event]) -> Vec<kanban_core::EventKind> {
    events.iter().map(|event| event.kind.clone()).collect()
}

/// How a run ended that a caller still believes open.
#[track_caller]
pub fn stale<T: Debug>(result: Result<T>) -> (kanban_core::Outcome, Option<String>) {
    match rejected(result) {
        Rejection::StaleRun { ended_as, by, .. } => (ended_as, by.map(String::from)),
        other => panic!("expected StaleRun, found {other:?}"),
    }
}

/// Asserts that an argument was refused for being over a limit.
#[track_caller]
pub fn over<T: Debug>(result: Result<T>, field: &str, limit: u64, found: u64) {
    at_limit::<T>(Err(invalid(result)), field, limit, found);
}
