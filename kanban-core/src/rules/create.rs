//! Creating tasks, alone and as graphs, and editing the card.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::{Error, Invalid, Rejection, Result};
use crate::model::{
    Block, BlockKind, EventKind, Label, Phase, Status, Task, TaskId, TextKind, Version,
};
use crate::request::{AssignTask, CreateMany, NewItem, NewTask, ParentRef, Start, UpdateTask};

use super::authority::{expect_status, expect_version, unknown};
use super::draft::{Decided, Draft, Entry, Refusal};
use super::links::{PARENTS_MAX, check_room_for_child, inherit};
use super::settle::{landing, move_to};
use super::{Answered, Command};

/// How many tasks one call makes.
pub(super) const ITEMS_MAX: usize = 1000;

/// Every status but `archived`.
pub(super) const NOT_ARCHIVED: &[Status] = &[
    Status::Triage,
    Status::Todo,
    Status::Scheduled,
    Status::Ready,
    Status::Running,
    Status::Blocked,
    Status::Review,
    Status::Done,
];

impl Command for NewTask {
    type Answer = Task;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Task> {
        let parents = distinct(&self.parents);
        check_new(self, self.parents.len())?;
        if let Some(task) = with_key(draft, self.idempotency_key.as_ref())? {
            return Ok(Answered::again(task));
        }
        check_known(draft, parents.iter().chain(&self.created_from))?;
        for parent in &parents {
            check_room_for_child(draft, parent, 1)?;
        }
        let id = draft.new_task_id();
        make_task(draft, &id, self, &parents)?;
        Ok(Answered::new(draft.subject(&id)?))
    }
}

impl Command for CreateMany {
    type Answer = Vec<TaskId>;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Vec<TaskId>> {
        check_items(&self.items)?;
        let mut ids = Vec::with_capacity(self.items.len());
        let mut is_new = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let known = with_key(draft, item.task.idempotency_key.as_ref())?;
            is_new.push(known.is_none());
            ids.push(known.map_or_else(|| draft.new_task_id(), |task| task.id));
        }
        if !is_new.contains(&true) {
            return Ok(Answered::again(ids));
        }
        let new = self
            .items
            .iter()
            .zip(&is_new)
            .filter(|(_, is_new)| **is_new);
        let named = new.flat_map(|(item, _)| {
            let parents = item.parents.iter().filter_map(|parent| match parent {
                ParentRef::Task(id) => Some(id),
                ParentRef::Item(_) => None,
            });
            parents.chain(&item.task.created_from)
        });
        check_known(draft, named)?;
        let order = parents_first(&self.items)?;
        let plan = Plan {
            items: &self.items,
            ids: &ids,
            is_new: &is_new,
        };
        plan.check_rooms(draft)?;
        for index in order {
            plan.make(draft, index)?;
        }
        Ok(Answered::new(ids))
    }
}

/// The items of a call with the ids that they have or get.
struct Plan<'a> {
    items: &'a [NewItem],
    ids: &'a [TaskId],
    is_new: &'a [bool],
}

impl Plan<'_> {
    fn parents_of(&self, item: &NewItem) -> Vec<TaskId> {
        let parents = item.parents.iter().filter_map(|parent| match parent {
            ParentRef::Item(index) => self.ids.get(*index).cloned(),
            ParentRef::Task(id) => Some(id.clone()),
        });
        distinct(&parents.collect::<Vec<_>>())
    }

    /// Refuses if an existing parent would have too many children; new ones have at most as many as there are items.
    fn check_rooms(&self, draft: &Draft<'_>) -> std::result::Result<(), Refusal> {
        let mut wanted = std::collections::BTreeMap::<TaskId, usize>::new();
        for (item, _) in self
            .items
            .iter()
            .zip(self.is_new)
            .filter(|(_, is_new)| **is_new)
        {
            for parent in self.parents_of(item) {
                *wanted.entry(parent).or_default() += 1;
            }
        }
        for (parent, more) in wanted {
            check_room_for_child(draft, &parent, more)?;
        }
        Ok(())
    }

    fn make(&self, draft: &mut Draft<'_>, index: usize) -> std::result::Result<(), Refusal> {
        let (Some(item), Some(id), Some(true)) = (
            self.items.get(index),
            self.ids.get(index),
            self.is_new.get(index),
        ) else {
            return Ok(());
        };
        make_task(draft, id, &item.task, &self.parents_of(item))
    }
}

/// Writes a new task with its links, texts, event and inherited subscriptions. Everything was checked.
pub(super) fn make_task(
    draft: &mut Draft<'_>,
    id: &TaskId,
    new: &NewTask,
    parents: &[TaskId],
) -> std::result::Result<(), Refusal> {
    let task = first_row(draft, id, new, parents)?;
    let to = task.status;
    draft.put_new_task(task);
    for (kind, text) in [
        (
            TextKind::Body,
            new.body.as_ref().map(|body| body.as_str().to_owned()),
        ),
        (
            TextKind::Attributes,
            new.attributes
                .as_ref()
                .map(crate::model::JsonObject::to_text),
        ),
    ] {
        if text.is_some() {
            draft.put_text(id, kind, text);
        }
    }
    for parent in parents {
        draft.add_link(crate::model::Link {
            parent: parent.clone(),
            child: id.clone(),
        });
    }
    let entry = Entry::of(id, EventKind::Created)
        .by(new.created_by.as_ref())
        .with("to", to)
        .with("title", new.title.as_str())
        .with("created_from", &new.created_from);
    let entry = if parents.is_empty() {
        entry
    } else {
        entry.with("parents", parents)
    };
    draft.event(entry)?;
    let mut sources = parents.to_vec();
    sources.extend(
        new.created_from
            .clone()
            .filter(|from| !parents.contains(from)),
    );
    inherit(draft, id, &sources)
}

fn first_row(draft: &Draft<'_>, id: &TaskId, new: &NewTask, parents: &[TaskId]) -> Result<Task> {
    let now = draft.now();
    let mut open_parents = 0;
    let mut tenant = new.tenant.clone();
    for (index, parent) in parents.iter().enumerate() {
        let Some(parent) = draft.task(parent)? else {
            continue;
        };
        open_parents += u32::from(!parent.status.satisfies_children());
        if index == 0 && tenant.is_none() {
            tenant = parent.tenant;
        }
    }
    let mut task = Task {
        id: id.clone(),
        title: new.title.clone(),
        status: Status::Triage,
        phase: Phase::Work,
        priority: new.priority,
        assignee: new.assignee.clone(),
        implementer: None,
        reviewer: None,
        tenant,
        created_by: new.created_by.clone(),
        created_from: new.created_from.clone(),
        created_at: now,
        updated_at: now,
        started_at: None,
        completed_at: None,
        settled_at: None,
        wake_at: None,
        not_before: None,
        idempotency_key: new.idempotency_key.clone(),
        version: Version::default(),
        open_parents,
        failures: 0,
        deferrals: 0,
        last_error: None,
        failure_limit: new.failure_limit,
        max_runtime: new.max_runtime.map(millis),
        block: None,
        block_streak: None,
        review_rounds: 0,
        claim: None,
        archived_from: None,
        decomposed_at: None,
        waiting: false,
        collectable: false,
    };
    match &new.start {
        Start::Triage => {}
        Start::Parked { reason } => {
            move_to(&mut task, Status::Blocked, now);
            task.block = Some(Block {
                kind: BlockKind::Parked,
                reason: reason.clone(),
                by: new.created_by.clone(),
                at: now,
            });
        }
        Start::WakeAt(at) if *at > now => {
            move_to(&mut task, Status::Scheduled, now);
            task.wake_at = Some(*at);
        }
        Start::WakeAt(_) | Start::Landing => {
            let to = landing(&task);
            move_to(&mut task, to, now);
        }
    }
    Ok(task)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Each once, in the order of their first place.
pub(super) fn distinct(ids: &[TaskId]) -> Vec<TaskId> {
    let mut seen = BTreeSet::new();
    ids.iter().filter(|id| seen.insert(*id)).cloned().collect()
}

fn check_new(new: &NewTask, parents: usize) -> std::result::Result<(), Invalid> {
    if parents > PARENTS_MAX {
        return Err(Invalid::too_many("parents", PARENTS_MAX, parents));
    }
    check_max_runtime(new.max_runtime)
}

/// Refuses no time at all, and more than every engine keeps.
pub(crate) fn check_max_runtime(span: Option<Duration>) -> std::result::Result<(), Invalid> {
    match span {
        Some(span) if millis(span) == 0 => Err(Invalid::below("max_runtime", 1, 0)),
        Some(span) if i64::try_from(span.as_millis()).is_err() => Err(Invalid::above(
            "max_runtime",
            i64::MAX.unsigned_abs(),
            millis(span),
        )),
        _ => Ok(()),
    }
}

fn check_items(items: &[NewItem]) -> std::result::Result<(), Invalid> {
    check_item_count("items", items.len())?;
    let mut keys = BTreeSet::new();
    for item in items {
        if !item.task.parents.is_empty() {
            return Err(Invalid::malformed(
                "parents",
                "given on the item, not on its task",
            ));
        }
        check_new(&item.task, item.parents.len())?;
        if let Some(key) = &item.task.idempotency_key
            && !keys.insert(key)
        {
            return Err(Invalid::malformed(
                "idempotency_key",
                "different for each item",
            ));
        }
        for parent in &item.parents {
            check_index(parent, items.len())?;
        }
    }
    Ok(())
}

fn check_index(parent: &ParentRef, items: usize) -> std::result::Result<(), Invalid> {
    match parent {
        ParentRef::Item(index) if *index >= items => {
            Err(Invalid::above("parents", items as u64 - 1, *index as u64))
        }
        _ => Ok(()),
    }
}

/// Refuses an empty or over-long list of items.
pub(super) fn check_item_count(
    field: &'static str,
    found: usize,
) -> std::result::Result<(), Invalid> {
    match found {
        0 => Err(Invalid::below(field, 1, 0)),
        1..=ITEMS_MAX => Ok(()),
        _ => Err(Invalid::too_many(field, ITEMS_MAX, found)),
    }
}

/// The task with a key that is not archived.
pub(super) fn with_key(draft: &Draft<'_>, key: Option<&Label>) -> Result<Option<Task>> {
    let Some(key) = key else { return Ok(None) };
    let Some(id) = draft.view().task_by_key(key)? else {
        return Ok(None);
    };
    let task = draft.task(&id)?;
    task.map(Some)
        .ok_or_else(|| Error::corrupt(format!("the key of task {id} names no task")))
}

fn check_known<'a>(
    draft: &Draft<'_>,
    ids: impl Iterator<Item = &'a TaskId>,
) -> std::result::Result<(), Refusal> {
    let ids: Vec<TaskId> = ids.cloned().collect();
    let missing = unknown(draft, &ids)?;
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Rejection::UnknownTasks { ids: missing }.into())
    }
}

/// The items in an order in which parents come before children; by index where that is free.
fn parents_first(items: &[NewItem]) -> std::result::Result<Vec<usize>, Rejection> {
    let edges: Vec<Vec<usize>> = items
        .iter()
        .map(|item| {
            let indexes = item.parents.iter().filter_map(|parent| match parent {
                ParentRef::Item(index) => Some(*index),
                ParentRef::Task(_) => None,
            });
            indexes.collect()
        })
        .collect();
    order_of(&edges).map_err(|path| Rejection::CycleAmongItems { path })
}

/// Orders indexes so that each comes after those it names, or answers a circle (first index repeated at
/// its end).
pub(super) fn order_of(after: &[Vec<usize>]) -> std::result::Result<Vec<usize>, Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Placed,
    }
    let mut marks = vec![Mark::New; after.len()];
    let mut order = Vec::with_capacity(after.len());
    for start in 0..after.len() {
        // Each entry of the path: an index and how many of its predecessors were looked at.
        let mut path = vec![(start, 0)];
        while let Some((index, looked_at)) = path.last_mut() {
            let index = *index;
            if marks.get(index) == Some(&Mark::Placed) {
                path.pop();
                continue;
            }
            let next = after
                .get(index)
                .and_then(|before| before.get(*looked_at))
                .copied();
            *looked_at += 1;
            if let Some(mark) = marks.get_mut(index) {
                *mark = if next.is_some() {
                    Mark::Open
                } else {
                    Mark::Placed
                };
            }
            match next {
                None => {
                    order.push(index);
                    path.pop();
                }
                Some(next) if marks.get(next) == Some(&Mark::Open) => {
                    let from = path.iter().position(|(at, _)| *at == next).unwrap_or(0);
                    let mut circle: Vec<usize> =
                        path.iter().skip(from).map(|(at, _)| *at).collect();
                    circle.push(next);
                    return Err(circle);
                }
                Some(next) => path.push((next, 0)),
            }
        }
    }
    Ok(order)
}

impl Command for UpdateTask {
    type Answer = Task;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Task> {
        check_max_runtime(self.max_runtime.flatten())?;
        let task = draft.subject(&self.task)?;
        expect_version(&task, self.expected_version)?;
        expect_status(&task, NOT_ARCHIVED)?;
        let mut after = task.clone();
        let mut fields = Vec::new();
        set(&mut after.title, self.title.clone(), "title", &mut fields);
        set(&mut after.priority, self.priority, "priority", &mut fields);
        set(
            &mut after.tenant,
            self.tenant.clone(),
            "tenant",
            &mut fields,
        );
        let max_runtime = self.max_runtime.map(|span| span.map(millis));
        set(
            &mut after.max_runtime,
            max_runtime,
            "max_runtime",
            &mut fields,
        );
        set(
            &mut after.failure_limit,
            self.failure_limit,
            "failure_limit",
            &mut fields,
        );
        for (kind, text) in [
            (
                TextKind::Body,
                self.body
                    .as_ref()
                    .map(|text| text.as_ref().map(|t| t.as_str().to_owned())),
            ),
            (
                TextKind::Attributes,
                self.attributes
                    .as_ref()
                    .map(|json| json.as_ref().map(crate::model::JsonObject::to_text)),
            ),
        ] {
            let Some(text) = text else { continue };
            if draft.text(&task.id, kind)? != text {
                draft.put_text(&task.id, kind, text);
                fields.push(kind.as_str());
            }
        }
        if fields.is_empty() {
            return Ok(Answered::new(task));
        }
        fields.sort_unstable();
        draft.put_task(after)?;
        let entry = Entry::of(&self.task, EventKind::Updated).by(self.actor.as_ref());
        draft.event(entry.with("fields", fields))?;
        Ok(Answered::new(draft.subject(&self.task)?))
    }
}

fn set<T: PartialEq>(
    field: &mut T,
    value: Option<T>,
    name: &'static str,
    changed: &mut Vec<&'static str>,
) {
    if let Some(value) = value
        && *field != value
    {
        *field = value;
        changed.push(name);
    }
}

impl Command for AssignTask {
    type Answer = Task;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Task> {
        let mut task = draft.subject(&self.task)?;
        expect_version(&task, self.expected_version)?;
        let allowed: Vec<Status> = NOT_ARCHIVED
            .iter()
            .copied()
            .filter(|status| *status != Status::Running)
            .collect();
        expect_status(&task, &allowed)?;
        if task.assignee == self.assignee {
            return Ok(Answered::new(task));
        }
        let from = std::mem::replace(&mut task.assignee, self.assignee.clone());
        task.failures = 0;
        task.deferrals = 0;
        task.last_error = None;
        task.not_before = None;
        draft.put_task(task)?;
        let entry = Entry::of(&self.task, EventKind::Assigned).by(self.actor.as_ref());
        draft.event(
            entry
                .with_or_null("from", from)
                .with_or_null("to", &self.assignee),
        )?;
        Ok(Answered::new(draft.subject(&self.task)?))
    }
}
