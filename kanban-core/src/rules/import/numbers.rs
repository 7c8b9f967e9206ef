//! Numbers of runs, events, comments and attachments: kept, and never given twice.

use crate::model::{AttachmentId, CommentId, Counters, EventId, RunId};
use crate::request::{ImportForeign, Repair};

use super::Plan;
use crate::rules::draft::Draft;

/// The highest number that a row may bring: behind it the board can count on for ever, and an import of its export
/// takes it over, which ends at 2^62.
const NUMBER_MAX: u64 = 1 << 61;

/// How far the numbers of each kind move up. A board without tasks may have given numbers all the same (to tasks
/// that were deleted, to events of its own), and no number is given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shifts {
    pub(super) run: u64,
    pub(super) event: u64,
    pub(super) comment: u64,
    pub(super) attachment: u64,
}

impl Shifts {
    pub(super) fn of(from: &ImportForeign, given: &Counters) -> Self {
        Self {
            run: shift(given.run.get(), from.runs.iter().map(|run| run.id)),
            event: shift(given.event.get(), from.events.iter().map(|event| event.id)),
            comment: shift(given.comment.get(), from.comments.iter().map(|it| it.id)),
            attachment: shift(
                given.attachment.get(),
                from.attachments.iter().map(|it| it.id),
            ),
        }
    }
}

fn shift(given: u64, ids: impl Iterator<Item = u64>) -> u64 {
    match ids.min() {
        Some(least) if least <= given => given,
        _ => 0,
    }
}

/// The number that a row gets, if its own can be taken over.
pub(super) fn shifted(id: u64, shift: u64) -> Option<u64> {
    (1..=NUMBER_MAX).contains(&id).then(|| id + shift)
}

/// Lists the kinds whose numbers move.
pub(super) fn list_shifts(plan: &mut Plan<'_>) {
    let kinds = [
        ("runs", plan.shifts.run),
        ("events", plan.shifts.event),
        ("comments", plan.shifts.comment),
        ("attachments", plan.shifts.attachment),
    ];
    for (table, shift) in kinds {
        if shift > 0 {
            plan.repairs.push(Repair::changed(
                table,
                "*",
                "id",
                "id",
                format!("id + {shift}"),
            ));
        }
    }
}

/// Moves the board's counters to the highest numbers taken over, or known to have been given there.
pub(super) fn raise(plan: &Plan<'_>, draft: &mut Draft<'_>) {
    let known = plan.from.numbers;
    let shifts = plan.shifts;
    let highest = |known: u64, shift: u64, ids: &mut dyn Iterator<Item = u64>| {
        let known = shifted(known, shift).unwrap_or(0);
        ids.filter_map(|id| shifted(id, shift))
            .max()
            .map_or(known, |id| id.max(known))
    };
    let from = plan.from;
    let run = highest(known.run, shifts.run, &mut from.runs.iter().map(|it| it.id));
    let event = highest(
        known.event,
        shifts.event,
        &mut from.events.iter().map(|it| it.id),
    );
    let comment = highest(
        known.comment,
        shifts.comment,
        &mut from.comments.iter().map(|it| it.id),
    );
    let attachment = highest(
        known.attachment,
        shifts.attachment,
        &mut from.attachments.iter().map(|it| it.id),
    );
    let counters = &mut draft.board_mut().counters;
    counters.run = counters.run.max(RunId::new(run));
    counters.event = counters.event.max(EventId::new(event));
    counters.comment = counters.comment.max(CommentId::new(comment));
    counters.attachment = counters.attachment.max(AttachmentId::new(attachment));
}
