//! The words of an error. Those of the store are in milliseconds; people read times and durations.

use std::error::Error as _;
use std::path::Path;

use kanban_core::{Error, ErrorKind, Invalid, NotClaimable, Rejection};

use crate::output::{span, time};

/// Fields that are durations, besides those whose name ends in the unit.
const SPANS: [&str; 3] = ["ttl", "retry_after", "max_runtime"];

/// The error, and what lies underneath it.
pub(super) fn spelled(error: &Error) -> String {
    let mut text = readable(error);
    let mut next = error.source();
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

/// Where the trouble is, unless the error says so itself.
pub(super) fn place(error: &Error, path: &Path) -> String {
    let path = path.display().to_string();
    if spelled(error).contains(&path) {
        return String::new();
    }
    format!(" ({path})")
}

fn readable(error: &Error) -> String {
    let text = error.to_string();
    let kind = error.kind();
    let words = match kind {
        ErrorKind::Rejected(Rejection::NotClaimable(NotClaimable::NotBefore(at))) => {
            Some(format!("not claimable before {}", time(*at)))
        }
        ErrorKind::Rejected(Rejection::BoardNotEmpty) => {
            Some("the board is not empty: import into a new one, which --board names".to_owned())
        }
        ErrorKind::Invalid(invalid) => of_span(invalid),
        _ => None,
    };
    // What stands behind the kind is what was being done.
    let rest = text.strip_prefix(&kind.to_string()).map(str::to_owned);
    match (words, rest) {
        (Some(words), Some(rest)) => words + &rest,
        _ => text,
    }
}

/// A duration that is out of its bounds.
fn of_span(invalid: &Invalid) -> Option<String> {
    let name = invalid.field.strip_suffix("_ms");
    let name = name.or_else(|| SPANS.contains(&invalid.field).then_some(invalid.field))?;
    let (limit, found) = (invalid.limit?, invalid.found?);
    let must = if found > limit { "at most" } else { "at least" };
    let (limit, found) = (span(limit), span(found));
    Some(format!("{name} must be {must} {limit}, found {found}"))
}
