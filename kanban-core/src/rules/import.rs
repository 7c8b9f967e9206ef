//! Taking over a board that another program wrote.
//!
//! Every row that breaks a rule is repaired, and every repair is listed; the whole is one command, so one
//! transaction. What is done about each breach:
//!
//! | breach | repair |
//! | --- | --- |
//! | a second row with an id (or a subscription's place), a number outside 1 to 2^61 | the row is left out |
//! | a row of a task that is not there | the row is left out |
//! | a link to itself, or over the limits of a task's links | the link is left out |
//! | a circle of links | the link that closes it, walking from parents to children in id order, is left out |
//! | an end without an outcome | outcome `invalidated` |
//! | an outcome without an end | it ends when it began |
//! | an end before the start | it ends when it began |
//! | a running task with several open runs | the one that the task names stays, else the newest; the others are closed |
//! | an open run of a task that is not running | closed as `invalidated` by `import`, now |
//! | a running task without an open run | it lands |
//! | a claim without a claimant, or without an end | the run's assignee, else the origin; the policy's ttl from now |
//! | a claim that ends after its run must | it ends with its run |
//! | `todo` with satisfied parents, `ready` or `review` with unsatisfied ones, or in the wrong phase | it lands |
//! | done without `completed_at` | the end of its last run, else its last event, else its creation |
//! | `completed_at`, `wake_at` or a block on a status that has none | left out |
//! | blocked without a block | a block of kind `other` |
//! | an idempotency key that several tasks have, not archived | the oldest keeps it |
//! | a time limit or a size that no engine keeps, a streak of none or of a kind that no worker gives | left out |
//! | a blank author of a comment, a blank file name | `unknown`, `unnamed` |
//! | a blank comment, an event of a blank or over-long kind | the row is left out |
//! | kinds of a subscription that no event has, or beyond the 100th | left out; with none left, the row |
//! | an event's run that is not there | the event keeps no run |
//! | a claimed run without its `claimed` event | the event is added behind the last one, with `imported: true` |
//! | a cursor beyond the last event | the last event |

mod around;
mod links;
mod log;
mod numbers;
mod runs;
mod tasks;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Rejection;
use crate::model::{
    Attachment, Comment, Event, EventId, EventKind, JsonObject, Link, Millis, Policy, Run, RunId,
    Subscription, Task, TaskId, TextKind,
};
use crate::request::{ForeignRun, ForeignTask, ImportForeign, Imported, Repair};

use self::numbers::Shifts;
use super::draft::{Decided, Draft, Entry};
use super::{Answered, Command};

/// The board as it will be, while it is mended.
struct Plan<'a> {
    from: &'a ImportForeign,
    now: Millis,
    policy: Policy,
    shifts: Shifts,
    repairs: Vec<Repair>,
    tasks: BTreeMap<TaskId, Planned<'a>>,
    links: BTreeSet<Link>,
    runs: BTreeMap<RunId, (Run, &'a ForeignRun)>,
    comments: Vec<Comment>,
    attachments: Vec<Attachment>,
    events: BTreeMap<EventId, Event>,
    /// How many of the events are the import's own.
    added_events: u64,
    /// Their ids are given at the end.
    subscriptions: Vec<Subscription>,
}

/// A task, and what it was made from.
struct Planned<'a> {
    task: Task,
    found: &'a ForeignTask,
}

impl Command for Box<ImportForeign> {
    type Answer = Imported;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Imported> {
        if !draft.view().tasks(None, 1)?.is_empty() {
            return Err(Rejection::BoardNotEmpty.into());
        }
        let mut plan = Plan {
            from: self,
            now: draft.now(),
            policy: draft.policy()?,
            shifts: Shifts::of(self, &draft.board().counters),
            repairs: self.repairs.clone(),
            tasks: BTreeMap::new(),
            links: BTreeSet::new(),
            runs: BTreeMap::new(),
            comments: Vec::new(),
            attachments: Vec::new(),
            events: BTreeMap::new(),
            added_events: 0,
            subscriptions: Vec::new(),
        };
        numbers::list_shifts(&mut plan);
        tasks::take(&mut plan);
        links::take(&mut plan);
        tasks::count_open_parents(&mut plan);
        runs::take(&mut plan);
        log::take(&mut plan, draft.seq());
        numbers::raise(&plan, draft);
        runs::give_claims(&mut plan);
        log::add_claims(&mut plan, draft);
        log::date_tasks(&mut plan);
        tasks::mend(&mut plan);
        around::comments(&mut plan);
        around::attachments(&mut plan);
        around::subscriptions(&mut plan, draft.board().counters.event);
        let imported = write(plan, draft)?;
        Ok(Answered::new(imported))
    }
}

/// Puts the plan on the draft.
fn write(plan: Plan<'_>, draft: &mut Draft<'_>) -> crate::error::Result<Imported> {
    let count = |len: usize| len as u64;
    let imported = Imported {
        tasks: count(plan.tasks.len()),
        links: count(plan.links.len()),
        runs: count(plan.runs.len()),
        comments: count(plan.comments.len()),
        attachments: count(plan.attachments.len()),
        events: count(plan.events.len()) - plan.added_events,
        subscriptions: count(plan.subscriptions.len()),
        repairs: plan.repairs,
    };
    for (id, planned) in plan.tasks {
        let found = planned.found;
        draft.put_new_task(planned.task);
        let attributes = found.attributes.as_ref().map(JsonObject::to_text);
        let texts = [
            (TextKind::Body, found.body.as_ref().map(ToString::to_string)),
            (
                TextKind::Result,
                found.result.as_ref().map(ToString::to_string),
            ),
            (TextKind::Attributes, attributes),
        ];
        for (kind, text) in texts {
            if text.is_some() {
                draft.put_text(&id, kind, text);
            }
        }
    }
    plan.links.into_iter().for_each(|link| draft.add_link(link));
    for (run, _) in plan.runs.into_values() {
        draft.put_new_run(run);
    }
    for comment in plan.comments {
        draft.add_comment(comment);
    }
    for attachment in plan.attachments {
        draft.add_attachment(attachment);
    }
    for mut subscription in plan.subscriptions {
        subscription.id = draft.next_subscription();
        draft.put_subscription(None, Some(subscription));
    }
    for event in plan.events.into_values() {
        draft.raw_event(event);
    }
    draft.event(
        Entry::of_board(EventKind::Imported)
            .by(Some(&plan.from.actor))
            .with("origin", &plan.from.origin)
            .with("tasks", imported.tasks)
            .with("links", imported.links)
            .with("runs", imported.runs)
            .with("comments", imported.comments)
            .with("attachments", imported.attachments)
            .with("events", imported.events)
            .with("subscriptions", imported.subscriptions)
            .with("repairs", count(imported.repairs.len())),
    )?;
    Ok(imported)
}
