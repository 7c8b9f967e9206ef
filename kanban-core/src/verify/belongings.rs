//! Comments, attachments and subscriptions.

use crate::error::Result;
use crate::model::{Attachment, BoardState, Comment, Scope, Subscription, TaskId};
use crate::view::View;

use super::history::subscriptions_of;
use super::tally::Tally;
use super::{Findings, PAGE};

/// Invariant 10, and of 11 and 13 what is about these rows.
pub(super) fn check(
    findings: &mut Findings,
    view: &dyn View,
    board: &BoardState,
    tally: &Tally,
) -> Result<()> {
    let of_tasks = check_comments(findings, view, board)?;
    findings.expect_count("comments_of, over all tasks,", of_tasks, tally.comments);
    let of_tasks = check_attachments(findings, view, board)?;
    findings.expect_count(
        "attachments_of, over all tasks,",
        of_tasks,
        tally.attachments,
    );
    let of_board = subscriptions_of(findings, view, &Scope::Board)?;
    let all = check_subscriptions(findings, view, board)?;
    findings.expect_count(
        "subscriptions_of, over all",
        all,
        of_board + tally.subscriptions,
    );
    Ok(())
}

/// Whether a task is there; 1 or 0, to be counted.
fn expect_task(findings: &mut Findings, view: &dyn View, task: &TaskId, what: &str) -> Result<u64> {
    let exists = view.task(task)?.is_some();
    findings.expect(exists, 13, || {
        format!("{what} is of task {task}, which is not there")
    });
    Ok(u64::from(exists))
}

fn check_comments(findings: &mut Findings, view: &dyn View, board: &BoardState) -> Result<u64> {
    let mut of_tasks = 0;
    let newest = board.counters.comment;
    findings.walk(
        "comments",
        |after: Option<&Comment>| view.comments(after.map(|row| row.id), PAGE),
        |a, b| a.id < b.id,
        |findings, row| {
            findings.steps.add(1);
            let what = format!("comment {}", row.id);
            findings.expect(row.id <= newest, 11, || {
                format!("{what} is above its counter {newest}")
            });
            let same = view.comment(row.id)?;
            findings.expect(same.as_ref() == Some(row), 13, || {
                format!("{what} is not answered by id")
            });
            if let Some(request_id) = &row.request_id {
                let same = view.comment_by_request(&row.task, request_id)?;
                findings.expect(same.as_ref() == Some(row), 13, || {
                    format!("{what} is not answered by its request id")
                });
            }
            of_tasks += expect_task(findings, view, &row.task, &what)?;
            Ok(())
        },
    )?;
    Ok(of_tasks)
}

fn check_attachments(findings: &mut Findings, view: &dyn View, board: &BoardState) -> Result<u64> {
    let mut of_tasks = 0;
    let newest = board.counters.attachment;
    findings.walk(
        "attachments",
        |after: Option<&Attachment>| view.attachments(after.map(|row| row.id), PAGE),
        |a, b| a.id < b.id,
        |findings, row| {
            findings.steps.add(1);
            let what = format!("attachment {}", row.id);
            findings.expect(row.id <= newest, 11, || {
                format!("{what} is above its counter {newest}")
            });
            let same = view.attachment(row.id)?;
            findings.expect(same.as_ref() == Some(row), 13, || {
                format!("{what} is not answered by id")
            });
            if let Some(request_id) = &row.request_id {
                let same = view.attachment_by_request(&row.task, request_id)?;
                findings.expect(same.as_ref() == Some(row), 13, || {
                    format!("{what} is not answered by its request id")
                });
            }
            of_tasks += expect_task(findings, view, &row.task, &what)?;
            Ok(())
        },
    )?;
    Ok(of_tasks)
}

/// Answers how many there are, of the board and of tasks that are there.
fn check_subscriptions(
    findings: &mut Findings,
    view: &dyn View,
    board: &BoardState,
) -> Result<u64> {
    let mut all = 0;
    let counters = &board.counters;
    findings.walk(
        "subscriptions",
        |after: Option<&Subscription>| view.subscriptions(after.map(|row| row.id), PAGE),
        |a, b| a.id < b.id,
        |findings, row| {
            findings.steps.add(1);
            let what = format!("subscription {}", row.id);
            let leased = row.lease.as_ref().map_or(row.cursor, |lease| lease.through);
            findings.expect(row.cursor.max(leased) <= counters.event, 10, || {
                format!("the cursor of {what} is {}, or its lease goes to {leased}, above the last event {}",
                    row.cursor, counters.event)
            });
            let lease = row.lease.as_ref().map(|lease| lease.id).max(row.acked).unwrap_or_default();
            findings.expect(row.id <= counters.subscription && lease <= counters.lease, 11, || {
                format!("{what} or its lease {lease} is above its counter")
            });
            let same = view.subscription(row.id)?;
            findings.expect(same.as_ref() == Some(row), 13, || format!("{what} is not answered by id"));
            let thread = row.thread.as_ref();
            let same = view.subscription_at(&row.scope, &row.channel, &row.address, thread)?;
            findings.expect(same.as_ref() == Some(row), 13, || {
                format!("{what} is not answered by its place")
            });
            all += match row.scope.task() {
                Some(task) => expect_task(findings, view, task, &what)?,
                None => 1,
            };
            Ok(())
        },
    )?;
    Ok(all)
}
