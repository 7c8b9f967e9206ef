//! Links between tasks: adding, removing, and the search for circles.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::error::{Invalid, Rejection, Result};
use crate::model::{Address, EventKind, Label, Link, Scope, Subscription, Task, TaskId};
use crate::request::{LinkTasks, UnlinkTasks};

use super::authority::unknown;
use super::draft::{Decided, Draft, Entry, Refusal};
use super::settle::{PAGE, settle};
use super::{Answered, Command};

/// How many parents a task may have.
pub(crate) const PARENTS_MAX: usize = 1000;
/// How many children a task may have.
pub(crate) const CHILDREN_MAX: usize = 10_000;
/// How many subscriptions a task may have.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 100;
/// How many links a search for a circle looks at.
const LINKS_LOOKED_AT_MAX: usize = 100_000;

impl Command for LinkTasks {
    type Answer = Task;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Task> {
        let child = draft.subject(&self.child)?;
        let missing = unknown(draft, std::slice::from_ref(&self.parent))?;
        if !missing.is_empty() {
            return Err(Rejection::UnknownTasks { ids: missing }.into());
        }
        let link = Link {
            parent: self.parent.clone(),
            child: self.child.clone(),
        };
        if draft.has_link(&link)? {
            return Ok(Answered::new(child));
        }
        check_new_parents(draft, &child.id, std::slice::from_ref(&self.parent))?;
        add_parent(draft, &self.child, &self.parent, self.actor.as_ref())?;
        let child = draft.subject(&self.child)?;
        settle(draft, child, &self.parent, self.actor.as_ref())?;
        inherit(draft, &self.child, std::slice::from_ref(&self.parent))?;
        Ok(Answered::new(draft.subject(&self.child)?))
    }
}

impl Command for UnlinkTasks {
    type Answer = Task;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Task> {
        let child = draft.subject(&self.child)?;
        let missing = unknown(draft, std::slice::from_ref(&self.parent))?;
        if !missing.is_empty() {
            return Err(Rejection::UnknownTasks { ids: missing }.into());
        }
        let link = Link {
            parent: self.parent.clone(),
            child: self.child.clone(),
        };
        if !draft.has_link(&link)? {
            return Ok(Answered::new(child));
        }
        remove_parent(draft, &self.child, &self.parent, self.actor.as_ref())?;
        let child = draft.subject(&self.child)?;
        settle(draft, child, &self.parent, self.actor.as_ref())?;
        Ok(Answered::new(draft.subject(&self.child)?))
    }
}

/// Refuses new parents that are the child itself, close a circle, or are over a limit: in this order, for what only
/// stored rows decide is told last. The parents exist and are not linked yet.
pub(super) fn check_new_parents(
    draft: &Draft<'_>,
    child: &TaskId,
    parents: &[TaskId],
) -> std::result::Result<(), Refusal> {
    let mut above = BTreeSet::new();
    for parent in parents {
        // What has no parent is below nothing: the usual case of a new graph, built from the top.
        if parent == child || !draft.view().parents(parent, None, 1)?.is_empty() {
            above.insert(parent);
        }
    }
    if let Some(path) = path_down(draft, child, &above)? {
        return Err(Rejection::WouldCycle { path }.into());
    }
    let linked = draft.view().parents(child, None, PARENTS_MAX)?.len();
    if linked + parents.len() > PARENTS_MAX {
        return Err(Invalid::too_many("parents", PARENTS_MAX, linked + parents.len()).into());
    }
    parents
        .iter()
        .try_for_each(|parent| check_room_for_child(draft, parent, 1))
}

/// Refuses a parent that has as many children as are allowed.
pub(super) fn check_room_for_child(
    draft: &Draft<'_>,
    parent: &TaskId,
    more: usize,
) -> std::result::Result<(), Refusal> {
    let found = draft.view().count_children(parent, CHILDREN_MAX)? + more;
    if found > CHILDREN_MAX {
        return Err(Invalid::too_many("children", CHILDREN_MAX, found).into());
    }
    Ok(())
}

/// The way from a task down to one of others by existing links, if there is one; both ends are in it.
fn path_down(
    draft: &Draft<'_>,
    from: &TaskId,
    to: &BTreeSet<&TaskId>,
) -> std::result::Result<Option<Vec<TaskId>>, Refusal> {
    if to.is_empty() {
        return Ok(None);
    }
    if to.contains(from) {
        return Ok(Some(vec![from.clone()]));
    }
    let mut came_from: BTreeMap<TaskId, TaskId> = BTreeMap::new();
    let mut queue = VecDeque::from([from.clone()]);
    let mut looked_at = 0;
    while let Some(at) = queue.pop_front() {
        let mut after: Option<TaskId> = None;
        loop {
            let page = draft.view().children(&at, after.as_ref(), PAGE)?;
            looked_at += page.len();
            if looked_at > LINKS_LOOKED_AT_MAX {
                return Err(Rejection::GraphTooLarge.into());
            }
            let is_last = page.len() < PAGE;
            after = page.last().cloned();
            for child in page {
                if &child == from || came_from.contains_key(&child) {
                    continue;
                }
                came_from.insert(child.clone(), at.clone());
                if to.contains(&child) {
                    return Ok(Some(walk_back(&came_from, from, &child)));
                }
                queue.push_back(child);
            }
            if is_last {
                break;
            }
        }
    }
    Ok(None)
}

fn walk_back(came_from: &BTreeMap<TaskId, TaskId>, from: &TaskId, to: &TaskId) -> Vec<TaskId> {
    let mut path = vec![to.clone()];
    let mut at = to;
    while let Some(before) = came_from.get(at) {
        path.push(before.clone());
        at = before;
    }
    debug_assert_eq!(Some(from), path.last(), "the walk back ends where it began");
    path.reverse();
    path
}

/// Adds a link with its event. The child is not settled yet, nor has it inherited.
pub(super) fn add_parent(
    draft: &mut Draft<'_>,
    child: &TaskId,
    parent: &TaskId,
    actor: Option<&Label>,
) -> std::result::Result<(), Refusal> {
    let parent_is_open = !draft.subject(parent)?.status.satisfies_children();
    let mut task = draft.subject(child)?;
    task.open_parents += u32::from(parent_is_open);
    draft.put_task(task)?;
    draft.add_link(Link {
        parent: parent.clone(),
        child: child.clone(),
    });
    draft.event(
        Entry::of(child, EventKind::Linked)
            .by(actor)
            .with("parent", parent),
    )?;
    Ok(())
}

/// Removes a link with its event. The child is not settled yet.
pub(super) fn remove_parent(
    draft: &mut Draft<'_>,
    child: &TaskId,
    parent: &TaskId,
    actor: Option<&Label>,
) -> std::result::Result<(), Refusal> {
    let parent_was_open = !draft.subject(parent)?.status.satisfies_children();
    let mut task = draft.subject(child)?;
    task.open_parents = task.open_parents.saturating_sub(u32::from(parent_was_open));
    draft.put_task(task)?;
    draft.remove_link(Link {
        parent: parent.clone(),
        child: child.clone(),
    });
    draft.event(
        Entry::of(child, EventKind::Unlinked)
            .by(actor)
            .with("parent", parent),
    )?;
    Ok(())
}

/// Gives a task the subscriptions of others: all routing fields, the cursor where the task's log ends, one per
/// place. The last thing a command does, so that none of its own events is news.
pub(super) fn inherit(
    draft: &mut Draft<'_>,
    child: &TaskId,
    from: &[TaskId],
) -> std::result::Result<(), Refusal> {
    let caught_up = draft.board().counters.event;
    let ours = subscriptions_of(draft, child)?;
    let mut places: BTreeSet<_> = ours.iter().map(place).collect();
    for source in from {
        for theirs in subscriptions_of(draft, source)? {
            // Of too many, which refuse the command, only the places are counted.
            if !places.insert(place(&theirs)) || places.len() > SUBSCRIPTIONS_MAX {
                continue;
            }
            let inherited = Subscription {
                id: draft.next_subscription(),
                scope: Scope::Task(child.clone()),
                created_at: draft.now(),
                cursor: caught_up,
                attempts: 0,
                lease: None,
                acked: None,
                retry_at: None,
                ..theirs
            };
            draft.put_subscription(None, Some(inherited));
        }
    }
    if places.len() > SUBSCRIPTIONS_MAX {
        let found = places.len();
        return Err(Invalid::too_many("subscriptions", SUBSCRIPTIONS_MAX, found).into());
    }
    Ok(())
}

/// The subscriptions of a task, as the draft leaves them.
fn subscriptions_of(draft: &Draft<'_>, task: &TaskId) -> Result<Vec<Subscription>> {
    draft.subscriptions_of(&Scope::Task(task.clone()), SUBSCRIPTIONS_MAX)
}

/// What tells the subscriptions of one task apart.
fn place(subscription: &Subscription) -> (Label, Address, Option<Label>) {
    let Subscription {
        channel,
        address,
        thread,
        ..
    } = subscription;
    (channel.clone(), address.clone(), thread.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Change;
    use crate::error::ErrorKind;
    use crate::memory::{FixedIds, subscription, task_id};
    use crate::rules::GroupRows;
    use crate::rules::testbed::{Testbed, ids};

    /// A task may have 1,000 parents with 100 subscriptions each, which are 100,000 rows.
    #[test]
    fn of_more_subscriptions_than_a_task_may_have_the_rows_are_not_kept() {
        const EACH: u64 = 60;
        let parents = ["t_1", "t_2", "t_3", "t_4"];
        let mut bed = Testbed::new();
        bed.put("t_child", |_| {});
        let mut number = 0;
        for parent in parents {
            bed.put(parent, |_| {});
            for _ in 0..EACH {
                number += 1;
                bed.put_subscription(subscription(number, Scope::Task(task_id(parent))));
            }
        }
        let group = GroupRows::read(&bed.board).unwrap();
        let names = FixedIds::default();
        let mut draft = Draft::new(&bed.board, &group, &names, bed.now);
        let refused = inherit(&mut draft, &task_id("t_child"), &ids(&parents)).unwrap_err();
        let too_many = Invalid::too_many("subscriptions", SUBSCRIPTIONS_MAX, 240);
        let Refusal::Rule(error) = refused else {
            panic!("expected a refusal, found {refused:?}");
        };
        assert_eq!(error.kind(), &ErrorKind::Invalid(too_many), "all are told");
        let (kept, _) = draft.into_changes();
        let kept = kept
            .iter()
            .filter(|change| matches!(change, Change::Subscription { .. }));
        assert_eq!(kept.count(), SUBSCRIPTIONS_MAX);
    }
}
