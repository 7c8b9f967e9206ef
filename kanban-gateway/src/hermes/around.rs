//! What hangs on tasks: links, comments, attachments, subscriptions.

use kanban_core::{
    Address, EventKind, ForeignAttachment, ForeignComment, ForeignSubscription, JsonObject, Label,
    Link, Note, Repair, SubscriptionMode,
};
use serde_json::Map;

use super::fit;
use super::row::{Place, Row, Table};

/// What hermes-agent tells its subscribers: how things end, not every step. In its words and in ours.
const TOLD: [EventKind; 5] = [
    EventKind::Completed,
    EventKind::Blocked,
    EventKind::BlockLoop,
    EventKind::GaveUp,
    EventKind::Failed,
];
const TOLD_THERE: [&str; 2] = ["crashed", "timed_out"];

pub(super) fn links(table: Table, repairs: &mut Vec<Repair>) -> Vec<Link> {
    let link = |mut row: Row| {
        let parent = row.text("parent_id").unwrap_or_default();
        let child = row.text("child_id").unwrap_or_default();
        let name = format!("{}>{}", fit::cut(&parent, 64), fit::cut(&child, 64));
        row.put_back("parent_id", parent);
        row.put_back("child_id", child);
        Some(Link {
            parent: row.task("parent_id", "links", &name, repairs)?,
            child: row.task("child_id", "links", &name, repairs)?,
        })
    };
    table.rows.into_iter().filter_map(link).collect()
}

pub(super) fn comments(table: Table, repairs: &mut Vec<Repair>) -> Vec<ForeignComment> {
    let rows = table.rows.into_iter();
    rows.filter_map(|row| comment(row, repairs)).collect()
}

fn comment(mut row: Row, repairs: &mut Vec<Repair>) -> Option<ForeignComment> {
    let id = row.number("comments", repairs)?;
    let name = id.to_string();
    let task = row.task("task_id", "comments", id, repairs)?;
    let author = row.bounded(
        "author",
        Label::MAX_BYTES,
        Place::new("comments", &name, repairs),
        Label::new,
    );
    let author = author.unwrap_or_else(|| {
        repairs.push(Repair::added("comments", id, "author", "unknown"));
        Label::new("author", "unknown").expect("a short word")
    });
    let body = row.bounded(
        "body",
        Note::MAX_BYTES,
        Place::new("comments", &name, repairs),
        Note::new,
    );
    let Some(body) = body else {
        repairs.push(Repair::dropped("comments", id, "body", ""));
        return None;
    };
    let at = row.seconds("created_at").unwrap_or_default();
    list_rest(row, Place::new("comments", &name, repairs));
    Some(ForeignComment {
        id,
        task,
        author,
        body,
        at,
    })
}

pub(super) fn attachments(table: Table, repairs: &mut Vec<Repair>) -> Vec<ForeignAttachment> {
    let rows = table.rows.into_iter();
    rows.filter_map(|row| attachment(row, repairs)).collect()
}

fn attachment(mut row: Row, repairs: &mut Vec<Repair>) -> Option<ForeignAttachment> {
    let id = row.number("attachments", repairs)?;
    let name = id.to_string();
    let task = row.task("task_id", "attachments", id, repairs)?;
    let uri = row.bounded(
        "stored_path",
        Address::MAX_BYTES,
        Place::new("attachments", &name, repairs),
        Address::new,
    );
    let Some(uri) = uri else {
        repairs.push(Repair::dropped("attachments", id, "stored_path", ""));
        return None;
    };
    let file_name = row.bounded(
        "filename",
        Label::MAX_BYTES,
        Place::new("attachments", &name, repairs),
        Label::new,
    );
    let file_name = file_name.unwrap_or_else(|| {
        repairs.push(Repair::added("attachments", id, "filename", "unnamed"));
        Label::new("filename", "unnamed").expect("a short word")
    });
    let media_type = row.bounded(
        "content_type",
        Label::MAX_BYTES,
        Place::new("attachments", &name, repairs),
        Label::new,
    );
    let by = row.bounded(
        "uploaded_by",
        Label::MAX_BYTES,
        Place::new("attachments", &name, repairs),
        Label::new,
    );
    let size = row.count("size");
    let at = row.seconds("created_at").unwrap_or_default();
    list_rest(row, Place::new("attachments", &name, repairs));
    Some(ForeignAttachment {
        id,
        task,
        file_name,
        uri,
        media_type,
        size,
        by,
        at,
    })
}

/// Comments and attachments have no place for what is not ours: it is listed.
fn list_rest(row: Row, place: Place<'_>) {
    let mut cuts = Vec::new();
    let Place { table, id, repairs } = place;
    let within = Place::new(table, id, &mut cuts);
    let rest: JsonObject = row.rest("rest", Map::new(), within).unwrap_or_default();
    for (name, value) in rest.as_map() {
        let from = value.to_string();
        let from = fit::cut(&from, 64);
        repairs.push(Repair::dropped(table, id, name, from));
    }
}

pub(super) fn subscriptions(table: Table, repairs: &mut Vec<Repair>) -> Vec<ForeignSubscription> {
    let rows = table.rows.into_iter();
    rows.filter_map(|row| subscription(row, repairs)).collect()
}

fn subscription(mut row: Row, repairs: &mut Vec<Repair>) -> Option<ForeignSubscription> {
    let mut shown = Vec::new();
    for column in ["task_id", "platform", "chat_id", "thread_id"] {
        let text = row.text(column).unwrap_or_default();
        shown.push(fit::cut(&text, 64).to_owned());
        row.put_back(column, text);
    }
    let name = shown.join("/");
    let task = row.task("task_id", "subscriptions", &name, repairs)?;
    let channel = row.bounded(
        "platform",
        Label::MAX_BYTES,
        Place::new("subscriptions", &name, repairs),
        Label::new,
    );
    let address = row.bounded(
        "chat_id",
        Address::MAX_BYTES,
        Place::new("subscriptions", &name, repairs),
        Address::new,
    );
    let (Some(channel), Some(address)) = (channel, address) else {
        repairs.push(Repair::dropped("subscriptions", &name, "row", &name));
        return None;
    };
    let thread = row.bounded(
        "thread_id",
        Label::MAX_BYTES,
        Place::new("subscriptions", &name, repairs),
        Label::new,
    );
    let created_at = row.seconds("created_at").unwrap_or_default();
    let cursor = row.count("last_event_id").unwrap_or(0);
    let delivery = row.text("delivery_mode");
    let wakes = delivery.as_ref().is_some_and(|word| word.contains("wake"));
    if let Some(word) = delivery {
        row.put_back("delivery_mode", word);
    }
    let foreign = TOLD_THERE.iter().map(|word| EventKind::from(*word));
    Some(ForeignSubscription {
        task,
        channel,
        address,
        thread,
        kinds: TOLD.into_iter().chain(foreign).collect(),
        routing: row.rest(
            "routing",
            Map::new(),
            Place::new("subscriptions", &name, repairs),
        ),
        mode: if wakes {
            SubscriptionMode::Wake
        } else {
            SubscriptionMode::Notify
        },
        created_at,
        cursor,
    })
}
