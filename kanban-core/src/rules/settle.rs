//! Where tasks go when something around them changes.

use crate::error::Result;
use crate::model::{EventKind, Label, Millis, Phase, Status, Task, TaskId};

use super::draft::{Draft, Entry};

/// How many rows a rule asks for at a time.
pub(super) const PAGE: usize = 1000;

/// Where a task goes when nothing holds it.
pub(super) const fn landing(task: &Task) -> Status {
    match (task.open_parents, task.phase) {
        (0, Phase::Work) => Status::Ready,
        (0, Phase::Review) => Status::Review,
        _ => Status::Todo,
    }
}

/// Changes the status and all fields that hang on it. The caller sets what the new status needs (block,
/// `wake_at`, claim, `archived_from`) afterwards. Answers the status before.
pub(super) fn move_to(task: &mut Task, to: Status, now: Millis) -> Status {
    let from = task.status;
    task.status = to;
    task.block = None;
    task.wake_at = None;
    task.claim = None;
    task.archived_from = None;
    if to != Status::Archived {
        task.completed_at = (to == Status::Done).then_some(now);
    }
    task.settled_at = to
        .satisfies_children()
        .then(|| task.settled_at.unwrap_or(now));
    from
}

/// Moves a task to its landing. Answers the statuses before and after.
pub(crate) fn land(task: &mut Task, now: Millis) -> (Status, Status) {
    let to = landing(task);
    (move_to(task, to, now), to)
}

/// What has become of a parent, seen from its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent {
    /// It is done or archived now.
    Satisfied,
    /// It is not any more.
    Open,
}

/// Adjusts and settles the children of a task whose status moved between satisfying and not.
pub(super) fn settle_children(
    draft: &mut Draft<'_>,
    parent: &TaskId,
    from: Status,
    to: Status,
    actor: Option<&Label>,
) -> Result<()> {
    let now_is = match (from.satisfies_children(), to.satisfies_children()) {
        (false, true) => Parent::Satisfied,
        (true, false) => Parent::Open,
        _ => return Ok(()),
    };
    for child in children(draft, parent)? {
        settle_child(draft, &child, parent, now_is, actor)?;
    }
    Ok(())
}

/// All children of a task before this command, in id order; at most 10,000 by the contract.
pub(super) fn children(draft: &Draft<'_>, parent: &TaskId) -> Result<Vec<TaskId>> {
    let mut all: Vec<TaskId> = Vec::new();
    loop {
        let page = draft.view().children(parent, all.last(), PAGE)?;
        let last = page.len() < PAGE;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

/// Adjusts and settles one child.
pub(super) fn settle_child(
    draft: &mut Draft<'_>,
    child: &TaskId,
    parent: &TaskId,
    now_is: Parent,
    actor: Option<&Label>,
) -> Result<()> {
    let Some(mut task) = draft.task(child)? else {
        return Ok(());
    };
    task.open_parents = match now_is {
        Parent::Satisfied => task.open_parents.saturating_sub(1),
        Parent::Open => task.open_parents + 1,
    };
    settle(draft, task, parent, actor)
}

/// Settles a task whose `open_parents` is up to date, and writes it.
pub(super) fn settle(
    draft: &mut Draft<'_>,
    mut task: Task,
    cause: &TaskId,
    actor: Option<&Label>,
) -> Result<()> {
    let kind = match task.status {
        Status::Todo if task.open_parents == 0 => EventKind::Promoted,
        Status::Ready | Status::Review if task.open_parents > 0 => EventKind::Demoted,
        _ => return draft.put_task(task),
    };
    let (from, to) = land(&mut task, draft.now());
    let id = task.id.clone();
    draft.put_task(task)?;
    draft.event(
        Entry::of(&id, kind)
            .by(actor)
            .moved(from, to)
            .with("cause", cause),
    )?;
    Ok(())
}
