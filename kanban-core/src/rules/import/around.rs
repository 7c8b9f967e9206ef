//! What hangs on tasks: comments, attachments, subscriptions.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Attachment, AttachmentId, Comment, CommentId, EventId, Scope, Subscription, SubscriptionId,
    TaskId,
};
use crate::request::{ForeignSubscription, Repair};
use crate::rules::links::SUBSCRIPTIONS_MAX;

use super::Plan;
use super::numbers::shifted;

/// Takes over the comments.
pub(super) fn comments(plan: &mut Plan<'_>) {
    let mut seen = BTreeSet::new();
    for found in &plan.from.comments {
        let id = shifted(found.id, plan.shifts.comment);
        let id = admit(plan, "comments", found.id, id, &mut seen, &found.task);
        plan.comments.extend(id.map(|id| Comment {
            id: CommentId::new(id),
            task: found.task.clone(),
            author: found.author.clone(),
            body: found.body.clone(),
            at: found.at,
            request_id: None,
        }));
    }
}

/// Takes over the attachments.
pub(super) fn attachments(plan: &mut Plan<'_>) {
    let mut seen = BTreeSet::new();
    for found in &plan.from.attachments {
        let id = shifted(found.id, plan.shifts.attachment);
        let id = admit(plan, "attachments", found.id, id, &mut seen, &found.task);
        plan.attachments.extend(id.map(|id| Attachment {
            id: AttachmentId::new(id),
            task: found.task.clone(),
            file_name: found.file_name.clone(),
            uri: found.uri.clone(),
            media_type: found.media_type.clone(),
            size: found.size,
            by: found.by.clone(),
            at: found.at,
            request_id: None,
        }));
    }
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
            kinds: found.kinds.clone(),
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

fn name(found: &ForeignSubscription) -> String {
    let thread = found.thread.as_ref().map_or("", |thread| thread.as_str());
    format!(
        "{}/{}/{}/{thread}",
        found.task, found.channel, found.address
    )
}
