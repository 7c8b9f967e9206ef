//! The indexes of the tasks: which keys a row has in each.

use kanban_core::{Assignee, Label, Millis, Phase, PriorityKey, Status, Task, TaskId};

use super::{Groups, Map, Set, join, leave, remove};

/// A queue of claimable tasks: phase, tenant (none: of all tenants), assignee (none: nobody).
pub(crate) type LaneKey = (Phase, Option<Label>, Option<Assignee>);

/// What questions about tasks look at, besides their ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TaskIndexes {
    pub(crate) by_priority: Set<PriorityKey>,
    /// By `created_at`.
    pub(crate) by_age: Set<(Millis, TaskId)>,
    /// By `updated_at`.
    pub(crate) by_update: Set<(Millis, TaskId)>,
    pub(crate) in_status: Groups<Status, PriorityKey>,
    pub(crate) of_assignee: Groups<Option<Assignee>, PriorityKey>,
    pub(crate) of_tenant: Groups<Label, PriorityKey>,
    /// Claimable and not waiting: of all tenants, and once more of its own.
    pub(crate) lanes: Groups<LaneKey, PriorityKey>,
    /// By `not_before`, of those with the mark `waiting`.
    pub(crate) waiting: Set<(Millis, TaskId)>,
    /// By the end of the claim.
    pub(crate) claims: Set<(Millis, TaskId)>,
    /// By `wake_at`.
    pub(crate) due: Set<(Millis, TaskId)>,
    /// By `settled_at`, of those with the mark `collectable`.
    pub(crate) collectable: Set<(Millis, TaskId)>,
    /// By `created_at`, of those that are ready.
    pub(crate) ready: Set<(Millis, TaskId)>,
    /// Of those that are not archived.
    pub(crate) by_key: Map<Label, TaskId>,
    /// Of open claims.
    pub(crate) by_request: Map<Label, TaskId>,
}

impl TaskIndexes {
    /// Moves a task's keys from where one row has them to where the other does.
    pub(crate) fn replace(&mut self, before: Option<&Task>, after: Option<&Task>) {
        let moved = Moved(before, after);
        moved.key(&mut self.by_priority, |task| Some(PriorityKey::of(task)));
        moved.key(&mut self.by_age, |task| at(Some(task.created_at), task));
        moved.key(&mut self.by_update, |task| at(Some(task.updated_at), task));
        moved.member(&mut self.in_status, |task| Some(task.status));
        moved.member(&mut self.of_assignee, |task| Some(task.assignee.clone()));
        moved.member(&mut self.of_tenant, |task| task.tenant.clone());
        moved.member(&mut self.lanes, |task| lane(task, None));
        moved.member(&mut self.lanes, |task| {
            lane(task, Some(task.tenant.clone()?))
        });
        moved.key(&mut self.waiting, |task| {
            at(task.not_before.filter(|_| task.waiting), task)
        });
        moved.key(&mut self.claims, |task| {
            at(task.claim.as_ref().map(|claim| claim.expires_at), task)
        });
        moved.key(&mut self.due, |task| at(task.wake_at, task));
        moved.key(&mut self.collectable, |task| {
            at(task.settled_at.filter(|_| task.collectable), task)
        });
        moved.key(&mut self.ready, |task| {
            let is_ready = task.status == Status::Ready;
            at(is_ready.then_some(task.created_at), task)
        });
        moved.name(&mut self.by_key, |task| {
            let is_held = task.status != Status::Archived;
            task.idempotency_key.clone().filter(|_| is_held)
        });
        moved.name(&mut self.by_request, |task| {
            task.claim.as_ref()?.request_id.clone()
        });
    }
}

/// In which phase a task of a status is claimed.
const fn claimed_in(status: Status) -> Option<Phase> {
    match status {
        Status::Ready => Some(Phase::Work),
        Status::Review => Some(Phase::Review),
        _ => None,
    }
}

fn at(time: Option<Millis>, task: &Task) -> Option<(Millis, TaskId)> {
    Some((time?, task.id.clone()))
}

fn lane(task: &Task, tenant: Option<Label>) -> Option<LaneKey> {
    let phase = claimed_in(task.status).filter(|_| !task.waiting)?;
    Some((phase, tenant, task.assignee.clone()))
}

/// A row, before and after.
struct Moved<'a>(Option<&'a Task>, Option<&'a Task>);

impl Moved<'_> {
    fn key<K: Ord>(&self, index: &mut Set<K>, key: impl Fn(&Task) -> Option<K>) {
        let (before, after) = (self.0.and_then(&key), self.1.and_then(&key));
        if before == after {
            return;
        }
        if let Some(key) = before {
            remove(index, &key);
        }
        if let Some(key) = after {
            index.insert_mut(key);
        }
    }

    /// The same for an index that is in groups, each by priority.
    fn member<G>(&self, index: &mut Groups<G, PriorityKey>, group: impl Fn(&Task) -> Option<G>)
    where
        G: Ord + Clone,
    {
        let member = |task: &Task| Some((group(task)?, PriorityKey::of(task)));
        let (before, after) = (self.0.and_then(member), self.1.and_then(member));
        if before == after {
            return;
        }
        if let Some((group, key)) = before {
            leave(index, &group, &key);
        }
        if let Some((group, key)) = after {
            join(index, group, key);
        }
    }

    /// The same for a name that one task has at a time. It may have gone to another one within the command.
    fn name(&self, index: &mut Map<Label, TaskId>, name: impl Fn(&Task) -> Option<Label>) {
        let named = |task: &Task| Some((name(task)?, task.id.clone()));
        let (before, after) = (self.0.and_then(named), self.1.and_then(named));
        if before == after {
            return;
        }
        if let Some((name, id)) = before
            && index.get(&name) == Some(&id)
        {
            index.remove_mut(&name);
        }
        if let Some((name, id)) = after {
            index.insert_mut(name, id);
        }
    }
}
