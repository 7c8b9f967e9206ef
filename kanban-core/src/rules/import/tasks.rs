//! Tasks: their status agrees with their parents, and every field with their status.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{
    ArchivedFrom, Block, BlockKind, BlockStreak, Label, Millis, Phase, Status, Task, TaskId,
    Version,
};
use crate::request::{ForeignTask, Repair};
use crate::rules::authority::cut;
use crate::rules::create::check_max_runtime;
use crate::rules::end::ERROR_BYTES_MAX;
use crate::rules::hold::check_streak;
use crate::rules::settle::landing;

use super::{Plan, Planned};

/// Takes over the tasks as they are found.
pub(super) fn take(plan: &mut Plan<'_>) {
    for found in &plan.from.tasks {
        if plan.tasks.contains_key(&found.id) {
            plan.repairs
                .push(Repair::dropped("tasks", &found.id, "row", &found.title));
            continue;
        }
        let mut task = as_found(found);
        mend_bounds(&mut task, &mut plan.repairs);
        plan.tasks.insert(found.id.clone(), Planned { task, found });
    }
}

fn as_found(found: &ForeignTask) -> Task {
    Task {
        id: found.id.clone(),
        title: found.title.clone(),
        status: found.status,
        phase: found.phase,
        priority: found.priority,
        assignee: found.assignee.clone(),
        implementer: None,
        reviewer: None,
        tenant: found.tenant.clone(),
        created_by: found.created_by.clone(),
        created_from: None,
        created_at: found.created_at,
        updated_at: found.created_at,
        started_at: found.started_at,
        completed_at: found.completed_at,
        settled_at: None,
        wake_at: found.wake_at,
        not_before: None,
        idempotency_key: found.idempotency_key.clone(),
        version: Version::default(),
        open_parents: 0,
        failures: found.failures,
        deferrals: 0,
        last_error: found
            .last_error
            .as_ref()
            .map(|text| cut(text, ERROR_BYTES_MAX)),
        failure_limit: found.failure_limit,
        max_runtime: found.max_runtime.filter(|millis| *millis > 0),
        block: found.block.clone(),
        block_streak: found.block_streak,
        review_rounds: 0,
        claim: None,
        archived_from: None,
        decomposed_at: None,
        waiting: false,
        collectable: false,
    }
}

/// Leaves out what no command takes.
fn mend_bounds(task: &mut Task, repairs: &mut Vec<Repair>) {
    let is_kept = |millis: &u64| check_max_runtime(Some(Duration::from_millis(*millis))).is_ok();
    if let Some(found) = task.max_runtime.take_if(|millis| !is_kept(millis)) {
        repairs.push(Repair::dropped("tasks", &task.id, "max_runtime_ms", found));
    }
    let is_over = |streak: &mut BlockStreak| check_streak(*streak).is_err();
    if let Some(streak) = task.block_streak.take_if(is_over) {
        repairs.push(Repair::dropped(
            "tasks",
            &task.id,
            "block_streak",
            streak.kind,
        ));
    }
}

/// Counts the unsatisfied parents of every task. No repair changes whether a task is done or archived, so this holds
/// from here on.
pub(super) fn count_open_parents(plan: &mut Plan<'_>) {
    for link in &plan.links {
        let satisfied = plan
            .tasks
            .get(&link.parent)
            .is_none_or(|parent| parent.task.status.satisfies_children());
        if let Some(child) = plan.tasks.get_mut(&link.child)
            && !satisfied
        {
            child.task.open_parents += 1;
        }
    }
}

/// Brings every task's fields into agreement. Claims, versions and dates are there already.
pub(super) fn mend(plan: &mut Plan<'_>) {
    let mut last_ends: BTreeMap<&TaskId, Millis> = BTreeMap::new();
    let mut first_claims: BTreeMap<&TaskId, Millis> = BTreeMap::new();
    for (run, _) in plan.runs.values() {
        if let Some(end) = run.ended_at {
            last_ends.insert(&run.task, end);
        }
        if run.claimant.is_some() {
            let first = first_claims.entry(&run.task).or_insert(run.started_at);
            *first = run.started_at.min(*first);
        }
    }
    let repairs = &mut plan.repairs;
    for (id, planned) in &mut plan.tasks {
        let task = &mut planned.task;
        task.started_at = task.started_at.or(first_claims.get(id).copied());
        mend_status(task, repairs);
        mend_hold(task, repairs);
        let done_at = last_ends.get(id).copied().unwrap_or(task.updated_at);
        mend_end(task, done_at, repairs);
    }
    mend_keys(plan);
}

fn mend_status(task: &mut Task, repairs: &mut Vec<Repair>) {
    let phase = match task.status {
        Status::Review => Phase::Review,
        Status::Ready | Status::Done => Phase::Work,
        _ => task.phase,
    };
    if phase != task.phase {
        repairs.push(Repair::changed(
            "tasks", &task.id, "phase", task.phase, phase,
        ));
        task.phase = phase;
    }
    if matches!(task.status, Status::Todo | Status::Ready | Status::Review) {
        let to = landing(task);
        if to != task.status {
            repairs.push(Repair::changed(
                "tasks",
                &task.id,
                "status",
                task.status,
                to,
            ));
            task.status = to;
        }
    }
}

fn mend_hold(task: &mut Task, repairs: &mut Vec<Repair>) {
    if task.status != Status::Scheduled
        && let Some(at) = task.wake_at.take()
    {
        repairs.push(Repair::dropped("tasks", &task.id, "wake_at", at));
    }
    match (task.status, &task.block) {
        (Status::Blocked, None) => {
            task.block = Some(Block {
                kind: BlockKind::Other,
                reason: None,
                by: None,
                at: task.updated_at,
            });
            repairs.push(Repair::added("tasks", &task.id, "block", BlockKind::Other));
        }
        (Status::Blocked, Some(_)) | (_, None) => {}
        (_, Some(block)) => {
            repairs.push(Repair::dropped("tasks", &task.id, "block", block.kind));
            task.block = None;
        }
    }
}

fn mend_end(task: &mut Task, done_at: Millis, repairs: &mut Vec<Repair>) {
    match (task.status, task.completed_at) {
        (Status::Done, None) => {
            task.completed_at = Some(done_at);
            repairs.push(Repair::added("tasks", &task.id, "completed_at", done_at));
        }
        (Status::Done | Status::Archived, _) | (_, None) => {}
        (_, Some(at)) => {
            task.completed_at = None;
            repairs.push(Repair::dropped("tasks", &task.id, "completed_at", at));
        }
    }
    match task.status {
        Status::Done => task.settled_at = task.completed_at,
        Status::Archived => {
            task.settled_at = Some(task.completed_at.unwrap_or(task.updated_at));
            let status = match task.completed_at {
                Some(_) => Status::Done,
                None => landing(task),
            };
            task.archived_from = Some(ArchivedFrom {
                status,
                block: None,
                wake_at: None,
            });
        }
        _ => {}
    }
    task.collectable = task.settled_at.is_some();
}

/// Leaves each key to the oldest task that is not archived.
fn mend_keys(plan: &mut Plan<'_>) {
    let mut holders: BTreeMap<Label, (Millis, TaskId)> = BTreeMap::new();
    let live = |task: &Task| task.status != Status::Archived;
    for (id, planned) in &plan.tasks {
        let task = &planned.task;
        if let Some(key) = task.idempotency_key.clone()
            && live(task)
        {
            let claim = (task.created_at, id.clone());
            let holder = holders.entry(key).or_insert_with(|| claim.clone());
            if claim < *holder {
                *holder = claim;
            }
        }
    }
    for (id, planned) in &mut plan.tasks {
        let task = &mut planned.task;
        if !live(task) {
            continue;
        }
        if let Some(key) = task.idempotency_key.take() {
            if holders.get(&key).is_some_and(|(_, holder)| holder == id) {
                task.idempotency_key = Some(key);
            } else {
                plan.repairs
                    .push(Repair::dropped("tasks", id, "idempotency_key", key));
            }
        }
    }
}
