//! What a line says on its own: nothing that no command writes.
//!
//! The bounds are those of the rules. Without them a row would be taken over that no command can work with, or that an
//! engine cannot keep.

use std::time::Duration;

use crate::error::Invalid;
use crate::model::{Claim, Event, Subscription, Task, Version};
use crate::rules::{
    ERROR_BYTES_MAX, check_comment, check_kind, check_kinds, check_max_runtime, check_size,
    check_streak,
};

use super::super::line::{BoardLine, Line};
use super::claims::{NUMBER_MAX, highest};

/// Refuses a line with a value out of its bounds.
pub(super) fn check(line: &Line) -> Result<(), Invalid> {
    match line {
        Line::Header(_) | Line::Footer(_) | Line::Pause(_) | Line::Link(_) => Ok(()),
        Line::Board(row) => check_board(row),
        Line::Policy(policy) => policy.check(),
        Line::Task(detail) => check_task(&detail.task),
        Line::Run(run) => given("run", run.id.get()),
        Line::Comment(comment) => {
            given("comment", comment.id.get())?;
            check_comment(&comment.author, &comment.body)
        }
        Line::Attachment(attachment) => {
            given("attachment", attachment.id.get())?;
            check_size(attachment.size)
        }
        Line::Subscription(subscription) => check_subscription(subscription),
        Line::Event(event) => check_event(event),
    }
}

fn check_board(row: &BoardLine) -> Result<(), Invalid> {
    at_most("counters", highest(&row.counters), NUMBER_MAX)?;
    at_most("horizon", row.horizon.get(), row.counters.event.get())
}

fn check_task(task: &Task) -> Result<(), Invalid> {
    at_most("version", task.version.get(), Version::MAX.get())?;
    check_max_runtime(task.max_runtime.map(Duration::from_millis))?;
    if let Some(error) = &task.last_error {
        let len = error.as_str().len();
        if len > ERROR_BYTES_MAX {
            return Err(Invalid::too_long("last_error", ERROR_BYTES_MAX, len));
        }
    }
    task.block_streak.map_or(Ok(()), check_streak)?;
    task.claim.as_ref().map_or(Ok(()), check_claim)
}

fn check_claim(claim: &Claim) -> Result<(), Invalid> {
    given("run", claim.run.get())?;
    match claim.must_end_by {
        Some(end) if claim.expires_at > end => {
            Err(Invalid::malformed("expires_at", "at most must_end_by"))
        }
        _ => Ok(()),
    }
}

fn check_subscription(row: &Subscription) -> Result<(), Invalid> {
    given("subscription", row.id.get())?;
    at_most("cursor", row.cursor.get(), NUMBER_MAX)?;
    if let Some(lease) = &row.lease {
        given("lease", lease.id.get())?;
        at_most("through", lease.through.get(), NUMBER_MAX)?;
    }
    row.acked
        .map_or(Ok(()), |acked| given("lease", acked.get()))?;
    check_kinds(&row.kinds)
}

fn check_event(event: &Event) -> Result<(), Invalid> {
    given("event", event.id.get())?;
    given("seq", event.seq.get())?;
    event.run.map_or(Ok(()), |run| given("run", run.get()))?;
    check_kind("kind", &event.kind)
}

/// A number that a board gives: they begin at 1.
fn given(field: &'static str, number: u64) -> Result<(), Invalid> {
    if number == 0 {
        return Err(Invalid::below(field, 1, 0));
    }
    at_most(field, number, NUMBER_MAX)
}

fn at_most(field: &'static str, number: u64, limit: u64) -> Result<(), Invalid> {
    if number > limit {
        return Err(Invalid::above(field, limit, number));
    }
    Ok(())
}
