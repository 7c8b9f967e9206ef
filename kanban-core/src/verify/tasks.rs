//! Each task, with what hangs on it. What must be known of all of them is tallied on the way.

use crate::error::Result;
use crate::model::{ArchivedFrom, BoardState, Link, Status, Task, TaskId};
use crate::rules::detail;
use crate::view::View;

use super::tally::{Tally, phase_of};
use super::{Findings, PAGE, history};

/// Invariants 1, 4, 5, 6, 9, 12, 15, and of 13 what is asked about one task.
pub(super) fn check(findings: &mut Findings, view: &dyn View, board: &BoardState) -> Result<Tally> {
    let mut tally = Tally::default();
    findings.walk(
        "tasks",
        |after: Option<&Task>| view.tasks(after.map(|task| &task.id), PAGE),
        |a, b| a.id < b.id,
        |findings, task| {
            findings.steps.add(1);
            tally.count(task);
            check_row(findings, task);
            detail(view, task.clone())?;
            check_identity(findings, view, task)?;
            check_keys(findings, view, task)?;
            check_parents(findings, view, task, &mut tally)?;
            check_children(findings, view, task, &mut tally)?;
            history::check(findings, view, task, board.horizon, &mut tally)
        },
    )?;
    Ok(tally)
}

/// What a row says about itself.
pub(super) fn check_row(findings: &mut Findings, task: &Task) {
    let Task { id, status, .. } = task;
    let was_done = match &task.archived_from {
        Some(from) => from.status == Status::Done,
        None => *status == Status::Done,
    };
    findings.expect(task.completed_at.is_some() == was_done, 4, || {
        format!(
            "task {id} is {status}, and completed_at is {:?}",
            task.completed_at
        )
    });
    let phase = phase_of(*status).unwrap_or(task.phase);
    findings.expect(task.phase == phase, 6, || {
        format!("task {id} is {status} in phase {}", task.phase)
    });
    findings.expect(
        task.block.is_some() == (*status == Status::Blocked),
        15,
        || format!("task {id} is {status}, and its block is {:?}", task.block),
    );
    findings.expect(
        task.wake_at.is_none() || *status == Status::Scheduled,
        15,
        || format!("task {id} is {status} and has a wake_at"),
    );
    findings.expect(
        task.settled_at.is_some() == status.satisfies_children(),
        15,
        || {
            format!(
                "task {id} is {status}, and settled_at is {:?}",
                task.settled_at
            )
        },
    );
    let from = task.archived_from.as_ref();
    let is_right = from.is_some() == (*status == Status::Archived);
    findings.expect(is_right && from.is_none_or(is_whole), 15, || {
        format!("task {id} is {status}, and archived_from is {from:?}")
    });
    findings.expect(task.waiting == task.must_wait(), 13, || {
        let (mark, at) = (task.waiting, task.not_before);
        format!("task {id} is {status} until {at:?}, and its mark `waiting` is {mark}")
    });
    findings.expect(!task.collectable || task.settled_at.is_some(), 13, || {
        format!("task {id} is {status} and marked as collectable")
    });
}

/// Whether a task can have been this, so that `restore` can go back to it.
fn is_whole(from: &ArchivedFrom) -> bool {
    from.status != Status::Archived
        && from.block.is_some() == (from.status == Status::Blocked)
        && (from.wake_at.is_none() || from.status == Status::Scheduled)
}

fn check_identity(findings: &mut Findings, view: &dyn View, task: &Task) -> Result<()> {
    let id = &task.id;
    let same = view.task(id)?;
    findings.expect(same.as_ref() == Some(task), 13, || {
        format!("task {id} is not answered by id")
    });
    let first = view.task_ids_by_prefix(id.as_str(), 1)?;
    findings.expect(first.first() == Some(id), 13, || {
        format!("task_ids_by_prefix does not answer task {id}")
    });
    Ok(())
}

/// Whoever else is answered for a task's key either has it too, or should not be answered.
fn check_keys(findings: &mut Findings, view: &dyn View, task: &Task) -> Result<()> {
    if let Some(key) = &task.idempotency_key {
        let is_right = |other: &Task| {
            other.status != Status::Archived && other.idempotency_key.as_ref() == Some(key)
        };
        let found = view.task_by_key(key)?;
        let what = format!("idempotency key {key}");
        check_key(findings, view, task, (found, &what), is_right)?;
    }
    let request_of = |task: &Task| task.claim.as_ref()?.request_id.clone();
    if let Some(request_id) = request_of(task) {
        let is_right = |other: &Task| request_of(other).as_ref() == Some(&request_id);
        let found = view.claimed_by_request(&request_id)?;
        let what = format!("open request id {request_id}");
        check_key(findings, view, task, (found, &what), is_right)?;
    }
    Ok(())
}

fn check_key(
    findings: &mut Findings,
    view: &dyn View,
    task: &Task,
    (found, what): (Option<TaskId>, &str),
    is_right: impl Fn(&Task) -> bool,
) -> Result<()> {
    let id = &task.id;
    let holder = match &found {
        Some(found) => view.task(found)?.filter(|holder| is_right(holder)),
        None => None,
    };
    match holder {
        Some(holder) if holder.id != *id && is_right(task) => {
            findings.add(12, format!("tasks {} and {id} have the {what}", holder.id));
        }
        None if found.is_some() || is_right(task) => {
            findings.add(13, format!("the {what} of task {id} finds {found:?}"));
        }
        _ => {}
    }
    Ok(())
}

fn check_parents(
    findings: &mut Findings,
    view: &dyn View,
    task: &Task,
    tally: &mut Tally,
) -> Result<()> {
    let Task { id, status, .. } = task;
    let mut open = 0_u32;
    tally.parents += findings.walk(
        "parents",
        |after| view.parents(id, after, PAGE),
        |a, b| a < b,
        |findings, parent| {
            expect_link(findings, view, parent, id)?;
            // One that is not there holds nobody: invariant 7 is broken, and no other.
            let is_open = |parent: Task| !parent.status.satisfies_children();
            open += u32::from(view.task(parent)?.is_some_and(is_open));
            Ok(())
        },
    )?;
    findings.expect(task.open_parents == open, 5, || {
        format!(
            "task {id} has {open} unsatisfied parents, and open_parents is {}",
            task.open_parents
        )
    });
    let is_placed = match status {
        Status::Todo => open > 0,
        Status::Ready | Status::Review => open == 0,
        _ => true,
    };
    findings.expect(is_placed, 6, || {
        format!("task {id} is {status} with {open} unsatisfied parents")
    });
    Ok(())
}

fn check_children(
    findings: &mut Findings,
    view: &dyn View,
    task: &Task,
    tally: &mut Tally,
) -> Result<()> {
    let id = &task.id;
    let children = findings.walk(
        "children",
        |after| view.children(id, after, PAGE),
        |a, b| a < b,
        |findings, child| expect_link(findings, view, id, child),
    )?;
    tally.children += children;
    let at_most = usize::try_from(children).unwrap_or(usize::MAX);
    let counted = view.count_children(id, at_most.saturating_add(1))?;
    findings.expect(counted == at_most, 13, || {
        format!("task {id} has {children} children, and {counted} are counted")
    });
    Ok(())
}

fn expect_link(
    findings: &mut Findings,
    view: &dyn View,
    parent: &TaskId,
    child: &TaskId,
) -> Result<()> {
    let link = Link {
        parent: parent.clone(),
        child: child.clone(),
    };
    let exists = view.has_link(&link)?;
    findings.expect(exists, 13, || {
        format!("the link {parent} → {child} is answered and is not there")
    });
    Ok(())
}
