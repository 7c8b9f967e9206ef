//! New tasks, alone and many at once.

use std::sync::Arc;

use kanban_core::{
    Block, BlockKind, CreateMany, ErrorKind, EventKind, Label, Link, NewTask, ParentRef, Phase,
    Rejection, Start, Status, Task, TaskDetail, TaskId, Version,
};
use serde_json::Value;

use super::board::{applied, bound, malformed, rejected, repeated, unchanged, within};
use super::log::Told;
use super::{Board, Ruled};

impl Board {
    pub(crate) fn create(&mut self, new: NewTask) -> Ruled<Task> {
        within("parents", new.parents.len(), 0, 1000)?;
        bounded(&new)?;
        if let Some(known) = self.keyed(new.idempotency_key.as_ref()) {
            return repeated(known.clone());
        }
        let mut named = new.parents.clone();
        named.extend(new.created_from.clone());
        self.all_known(&named)?;
        let id = self.new_task_id();
        let mut parents: Vec<TaskId> = Vec::new();
        for parent in &new.parents {
            if !parents.contains(parent) {
                parents.push(parent.clone());
            }
        }
        self.make(&id, new, &parents);
        applied(self.task(&id).clone())
    }

    pub(crate) fn create_many(&mut self, many: CreateMany) -> Ruled<Vec<TaskId>> {
        let items = many.items;
        within("items", items.len(), 1, 1000)?;
        let count = items.len();
        for (number, item) in items.iter().enumerate() {
            if !item.task.parents.is_empty() {
                return Err(malformed("parents").into());
            }
            within("parents", item.parents.len(), 0, 1000)?;
            bounded(&item.task)?;
            let key = &item.task.idempotency_key;
            let mut before = items.iter().take(number);
            if key.is_some() && before.any(|other| other.task.idempotency_key == *key) {
                return Err(malformed("idempotency_key").into());
            }
            for parent in &item.parents {
                if let ParentRef::Item(index) = parent {
                    within("parents", *index, 0, count as u64 - 1)?;
                }
            }
        }
        let known: Vec<Option<TaskId>> = items
            .iter()
            .map(|item| self.keyed(item.task.idempotency_key.as_ref()))
            .map(|task| task.map(|task| task.id.clone()))
            .collect();
        let mut named = Vec::new();
        let mut waits: Vec<Vec<usize>> = Vec::new();
        for (item, known) in items.iter().zip(&known) {
            let mut indexes = Vec::new();
            for parent in &item.parents {
                match parent {
                    ParentRef::Item(index) => indexes.push(*index),
                    // One that exists needs none of the parents that it is given. [5.8]
                    ParentRef::Task(id) if known.is_none() => named.push(id.clone()),
                    ParentRef::Task(_) => {}
                }
            }
            if known.is_none() {
                named.extend(item.task.created_from.clone());
            }
            waits.push(indexes);
        }
        // What has been made before is answered before anything else is looked at. [18.11]
        if let Some(ids) = known.iter().cloned().collect::<Option<Vec<TaskId>>>() {
            return repeated(ids);
        }
        self.all_known(&named)?;
        let Some(order) = sorted_by_need(&waits) else {
            return Err(rejected(Rejection::CycleAmongItems { path: vec![] }).into());
        };
        let ids: Vec<TaskId> = known
            .iter()
            .map(|known| known.clone().unwrap_or_else(|| self.new_task_id()))
            .collect();
        // Parents come first, so that a child finds what it inherits from them.
        for number in order {
            if known[number].is_some() {
                continue;
            }
            let mut parents: Vec<TaskId> = Vec::new();
            for parent in &items[number].parents {
                let id = match parent {
                    ParentRef::Task(id) => id.clone(),
                    ParentRef::Item(index) => ids[*index].clone(),
                };
                if !parents.contains(&id) {
                    parents.push(id);
                }
            }
            self.make(&ids[number], items[number].task.clone(), &parents);
        }
        applied(ids)
    }

    /// The task that has a key and is not archived. [5.3]
    pub(super) fn keyed(&self, key: Option<&Label>) -> Option<&Task> {
        let key = key?;
        self.tasks.iter().map(|detail| &detail.task).find(|task| {
            task.idempotency_key.as_ref() == Some(key) && task.status != Status::Archived
        })
    }

    /// Makes a task with its links and its event. [5.2] [5.5] [5.6]
    pub(super) fn make(&mut self, id: &TaskId, new: NewTask, parents: &[TaskId]) {
        let inherited = parents.first().and_then(|id| self.task(id).tenant.clone());
        let now = self.now;
        let created_from = new.created_from.clone();
        let actor = new.created_by.clone();
        let title = new.title.clone();
        let task = Task {
            id: id.clone(),
            title: new.title,
            status: Status::Todo,
            phase: Phase::Work,
            priority: new.priority,
            assignee: new.assignee,
            implementer: None,
            reviewer: None,
            tenant: new.tenant.or(inherited),
            created_by: new.created_by.clone(),
            created_from: new.created_from,
            created_at: now,
            updated_at: now,
            started_at: None,
            completed_at: None,
            settled_at: None,
            wake_at: None,
            not_before: None,
            idempotency_key: new.idempotency_key,
            version: Version::new(0),
            open_parents: 0,
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
        self.tasks.push(Arc::new(TaskDetail {
            task,
            body: new.body,
            result: None,
            attributes: new.attributes,
        }));
        for parent in parents {
            self.links.push(Link {
                parent: parent.clone(),
                child: id.clone(),
            });
        }
        self.count_parents(id);
        let status = match &new.start {
            Start::Triage => Status::Triage,
            Start::Parked { .. } => Status::Blocked,
            Start::WakeAt(at) if *at > now => Status::Scheduled,
            Start::Landing | Start::WakeAt(_) => self.landing(id),
        };
        let task = self.task_mut(id);
        task.status = status;
        match new.start {
            Start::Parked { reason } => {
                task.block = Some(Block {
                    kind: BlockKind::Parked,
                    reason,
                    by: new.created_by,
                    at: now,
                });
            }
            Start::WakeAt(at) if at > now => task.wake_at = Some(at),
            _ => {}
        }
        let named: Vec<Value> = parents.iter().map(|id| id.as_str().into()).collect();
        let named = Some(named).filter(|named| !named.is_empty());
        let told = Told::by(actor.as_ref())
            .with("title", title.as_str())
            .with("to", status.as_str())
            .with_some("parents", named)
            .with_some("created_from", created_from.as_ref().map(TaskId::as_str));
        self.tell(id, EventKind::Created, told);
        for source in parents.iter().chain(&created_from) {
            self.inherit(id, source);
        }
    }
}

/// Numbers out of their bounds. [3.2]
fn bounded(new: &NewTask) -> Result<(), ErrorKind> {
    match new.max_runtime {
        Some(span) => spanned(span),
        None => Ok(()),
    }
}

/// A run takes some time, and no more than a time can tell. [3.2]
pub(super) fn spanned(max_runtime: std::time::Duration) -> Result<(), ErrorKind> {
    let (limit, found) = (u64::MAX / 2, millis(max_runtime));
    match found {
        0 => Err(bound("max_runtime", 1, 0)),
        found if found > limit => Err(bound("max_runtime", limit, found)),
        _ => Ok(()),
    }
}

pub(super) fn millis(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The items in their order, each right after those that it waits for; none if some wait for each other.
pub(super) fn sorted_by_need(waits: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut order = Vec::new();
    for number in 0..waits.len() {
        place(number, waits, &mut Vec::new(), &mut order)?;
    }
    Some(order)
}

fn place(
    number: usize,
    waits: &[Vec<usize>],
    below: &mut Vec<usize>,
    order: &mut Vec<usize>,
) -> Option<()> {
    if order.contains(&number) {
        return Some(());
    }
    if below.contains(&number) {
        return None;
    }
    below.push(number);
    for index in &waits[number] {
        place(*index, waits, below, order)?;
    }
    below.pop();
    order.push(number);
    Some(())
}

/// Nothing to do for an answer that stays as it is.
pub(super) fn as_it_is(task: &Task) -> Ruled<Task> {
    unchanged(task.clone())
}
