//! What hangs on tasks: comments, attachments, subscriptions.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Attachment, AttachmentId, Comment, CommentId, EventId, EventKind, Label, Scope, Subscription,
    SubscriptionId, TaskId,
};
use crate::request::{ForeignSubscription, Repair};
use crate::rules::KINDS_MAX;
use crate::rules::links::SUBSCRIPTIONS_MAX;
use crate::rules::subscribe::check_kind;
use crate::rules::talk::{check_size, expect_text};

use super::Plan;
use super::numbers::shifted;

/// Takes over the comments.
pub(super) fn comments(plan: &mut Plan<'_>) {
    let mut seen = BTreeSet::new();
    for found in &plan.from.comments {
        let id = shifted(found.id, plan.shifts.comment);
        let id = admit(plan, "comments", found.id, id, &mut seen, &found.task);
        let Some(id) = id else { continue };
        if expect_text("body", found.body.as_str()).is_err() {
            let len = format!("{} bytes", found.body.as_str().len());
            plan.repairs
                .push(Repair::dropped("comments", id, "body", len));
            continue;
        }
        let author = named(plan, ("comments", id, "author"), &found.author, "unknown");
        plan.comments.push(Comment {
            id: CommentId::new(id),
            task: found.task.clone(),
            author,
            body: found.body.clone(),
            at: found.at,
            request_id: None,
        });
    }
}

/// Takes over the attachments.
pub(super) fn attachments(plan: &mut Plan<'_>) {
    let mut seen = BTreeSet::new();
    for found in &plan.from.attachments {
        let id = shifted(found.id, plan.shifts.attachment);
        let id = admit(plan, "attachments", found.id, id, &mut seen, &found.task);
        let Some(id) = id else { continue };
        let place = ("attachments", id, "file_name");
        let file_name = named(plan, place, &found.file_name, "unnamed");
        let mut size = found.size;
        if let Some(over) = size.take_if(|size| check_size(Some(*size)).is_err()) {
            plan.repairs
                .push(Repair::dropped("attachments", id, "size", over));
        }
        plan.attachments.push(Attachment {
            id: AttachmentId::new(id),
            task: found.task.clone(),
            file_name,
            uri: found.uri.clone(),
            media_type: found.media_type.clone(),
            size,
            by: found.by.clone(),
            at: found.at,
            request_id: None,
        });
    }
}

/// A name, or another word for a blank one.
fn named(
    plan: &mut Plan<'_>,
    (table, id, field): (&str, u64, &'static str),
    found: &Label,
    instead: &str,
) -> Label {
    if expect_text(field, found.as_str()).is_ok() {
        return found.clone();
    }
    plan.repairs
        .push(Repair::changed(table, id, field, found, instead));
    Label::new(field, instead).expect("the words of the import are short")
}

/// The number of a row that can stay; lists the others.
fn admit(
    plan: &mut Plan<'_>,
    table: &str,
    found: u64,
    id: Option<u64>,
    seen: &mut BTreeSet<u64>,
    task: &TaskId,
) -> Option<u64> {
    let repair = match id {
        None => Repair::dropped(table, found, "id", found),
        Some(id) if seen.contains(&id) => Repair::dropped(table, id, "row", found),
        Some(id) if !plan.tasks.contains_key(task) => Repair::dropped(table, id, "task", task),
        Some(id) => {
            seen.insert(id);
            return Some(id);
        }
    };
    plan.repairs.push(repair);
    None
}

/// Takes over the subscriptions, none of them ahead of the log.
pub(super) fn subscriptions(plan: &mut Plan<'_>, last: EventId) {
    let mut places = BTreeSet::new();
    let mut counts: BTreeMap<&TaskId, usize> = BTreeMap::new();
    for found in &plan.from.subscriptions {
        let name = name(found);
        let place = (&found.task, &found.channel, &found.address, &found.thread);
        let count = counts.entry(&found.task).or_default();
        let what = if !plan.tasks.contains_key(&found.task) {
            Some("task")
        } else if places.contains(&place) {
            Some("row")
        } else if *count >= SUBSCRIPTIONS_MAX {
            Some("limit")
        } else {
            None
        };
        if let Some(what) = what {
            plan.repairs
                .push(Repair::dropped("subscriptions", &name, what, &name));
            continue;
        }
        let kinds = kinds(found);
        if kinds.is_empty() && !found.kinds.is_empty() {
            plan.repairs
                .push(Repair::dropped("subscriptions", &name, "kinds", &name));
            continue;
        }
        if kinds.len() < found.kinds.len() {
            let (from, to) = (found.kinds.len(), kinds.len());
            let repair = Repair::changed("subscriptions", &name, "kinds", from, to);
            plan.repairs.push(repair);
        }
        *count += 1;
        let mut cursor = EventId::new(found.cursor.saturating_add(plan.shifts.event));
        if cursor > last {
            let repair = Repair::changed("subscriptions", &name, "cursor", found.cursor, last);
            plan.repairs.push(repair);
            cursor = last;
        }
        places.insert(place);
        plan.subscriptions.push(Subscription {
            id: SubscriptionId::default(),
            scope: Scope::Task(found.task.clone()),
            channel: found.channel.clone(),
            address: found.address.clone(),
            thread: found.thread.clone(),
            kinds,
            routing: found.routing.clone(),
            mode: found.mode,
            created_at: found.created_at,
            cursor,
            attempts: 0,
            lease: None,
            acked: None,
            retry_at: None,
        });
    }
}

/// The wanted kinds that an event can have, up to the limit.
fn kinds(found: &ForeignSubscription) -> Vec<EventKind> {
    let all = found.kinds.iter();
    let known = all.filter(|kind| check_kind("kinds", kind).is_ok());
    known.take(KINDS_MAX).cloned().collect()
}

fn name(found: &ForeignSubscription) -> String {
    let thread = found.thread.as_ref().map_or("", |thread| thread.as_str());
    format!(
        "{}/{}/{}/{thread}",
        found.task, found.channel, found.address
    )
}
