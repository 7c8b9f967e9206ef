//! The envelope of an error.

use kanban_core::{Error, ErrorKind, Invalid, Subject};
use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// `{"error":{"kind":…,"reason":…,"message":…, …}}`: the kind says what to do next, the reason why exactly, and the
/// rest are the reason's details.
pub(super) fn envelope(failure: &Failure) -> String {
    let mut body = match failure {
        Failure::Store(error) | Failure::Hinted { error, .. } => of_store(error),
        Failure::File { path, error } => {
            let mut body = of_store(error);
            body.insert("path".to_owned(), json!(path.display().to_string()));
            body
        }
        Failure::Close { path, .. } => {
            let mut body = head("unknown", "close");
            body.insert("path".to_owned(), json!(path.display().to_string()));
            body
        }
        Failure::Usage(_) => head("usage", "usage"),
        Failure::Ambiguous { prefix, ids } => {
            let mut body = head("rejected", "ambiguous_id");
            body.insert("prefix".to_owned(), json!(prefix));
            body.insert("ids".to_owned(), json!(ids));
            body
        }
        Failure::Input { path, .. } => {
            let mut body = head("invalid", "unreadable");
            body.insert("path".to_owned(), json!(path));
            body
        }
        // The command may have been carried out: only its answer is lost.
        Failure::Output(_) => head("unknown", "output"),
    };
    body.insert("message".to_owned(), json!(failure.to_string()));
    json!({ "error": body }).to_string()
}

fn head(kind: &str, reason: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("kind".to_owned(), json!(kind));
    body.insert("reason".to_owned(), json!(reason));
    body
}

fn of_store(error: &Error) -> Map<String, Value> {
    let mut body = match error.kind() {
        ErrorKind::Rejected(rejection) => {
            let mut body = head("rejected", rejection.reason());
            merge(&mut body, json!(rejection));
            body
        }
        ErrorKind::Invalid(invalid) => {
            let mut body = head("invalid", bound(invalid));
            body.insert("field".to_owned(), json!(invalid.field));
            body.insert("must".to_owned(), json!(invalid.must));
            if let Some(limit) = invalid.limit {
                body.insert("limit".to_owned(), json!(limit));
            }
            if let Some(found) = invalid.found {
                body.insert("found".to_owned(), json!(found));
            }
            body
        }
        ErrorKind::NotFound(subject) => {
            let mut body = head("not_found", subject_word(subject));
            body.extend(entries(json!(subject)));
            body
        }
        ErrorKind::Unavailable(why) => head("unavailable", why.as_str()),
        ErrorKind::Overloaded => head("overloaded", "queue_full"),
        ErrorKind::Busy => head("busy", "busy"),
        ErrorKind::Unknown => head("unknown", "commit"),
        ErrorKind::Corrupt => head("corrupt", "corrupt"),
        ErrorKind::Closed => head("closed", "closed"),
        _ => head("internal", "internal"),
    };
    if let Some(seq) = error.seq() {
        body.insert("seq".to_owned(), json!(seq));
    }
    body
}

/// A rejection is its name with its details inside: the details go beside the reason.
fn merge(body: &mut Map<String, Value>, rejection: Value) {
    for (name, details) in entries(rejection) {
        match details {
            Value::Object(fields) => body.extend(fields),
            // The refusals about boards have the slug alone.
            Value::String(slug) if name.starts_with("board_") => {
                body.insert("board".to_owned(), json!(slug));
            }
            other => {
                body.insert("detail".to_owned(), other);
            }
        }
    }
}

fn entries(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn bound(invalid: &Invalid) -> &'static str {
    match (invalid.limit, invalid.found) {
        (Some(limit), Some(found)) if found > limit => "over_limit",
        (Some(_), Some(_)) => "under_limit",
        _ => "malformed",
    }
}

fn subject_word(subject: &Subject) -> &'static str {
    match subject {
        Subject::Board(_) => "board",
        Subject::Task(_) => "task",
        Subject::Run(_) => "run",
        Subject::Attachment(_) => "attachment",
        Subject::Subscription(_) => "subscription",
        Subject::Lease(_) => "lease",
        _ => "other",
    }
}
