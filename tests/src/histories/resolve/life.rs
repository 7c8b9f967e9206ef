//! Tasks that come, change, wait for each other, and go.

use std::time::Duration;

use kanban_core::{
    ArchiveTask, AssignTask, CreateMany, DecomposeTask, DeleteTask, FailureLimit, LinkTasks,
    NewItem, NewTask, ParentRef, ReopenTask, RestoreTask, SpecifyTask, Start, Status, Subtask,
    TaskId, UnlinkTasks, UpdateTask,
};

use crate::calls::{self, json, label, long, title, who};
use crate::histories::dice::Dice;

pub(super) fn new(dice: &mut Dice<'_>) -> NewTask {
    let parents = match dice.below(250) {
        249 => vec![calls::task_id("t_nobody"); 1001],
        _ => dice.few(35),
    };
    NewTask {
        parents,
        ..alone(dice)
    }
}

/// A task without parents.
fn alone(dice: &mut Dice<'_>) -> NewTask {
    let start = match dice.below(20) {
        14..17 => Start::Triage,
        17 => Start::Parked {
            reason: dice.reason(),
        },
        18.. => Start::WakeAt(dice.time()),
        _ => Start::Landing,
    };
    let words = dice.one(&["a task", "  another  ", "größer"]);
    NewTask {
        start,
        body: dice.some(20, |_| long("in detail")),
        priority: dice.one(&[0, 0, 1, -1, i32::MAX, i32::MIN]),
        assignee: dice.assignee(),
        tenant: dice.some(20, |dice| dice.one(&[label("acme"), label("other")])),
        created_by: dice.some(50, |dice| {
            dice.one(&[label("w1"), label("amy"), label("zoe")])
        }),
        created_from: dice.some(25, Dice::any),
        idempotency_key: dice.key(20),
        failure_limit: dice.some(15, |dice| limit(dice.one(&[1, 3]))),
        max_runtime: dice.some(20, max_runtime),
        attributes: dice.some(10, |_| json(r#"{"model":"m","deep":{"b":[1,null]}}"#)),
        ..NewTask::new(title(words))
    }
}

fn limit(number: u32) -> FailureLimit {
    FailureLimit::new(number).expect("1 to 1,000 are limits")
}

fn max_runtime(dice: &mut Dice<'_>) -> Duration {
    match dice.below(40) {
        38 => Duration::ZERO,
        39 => Duration::MAX,
        other => Duration::from_secs(if other % 2 == 0 { 120 } else { 2 }),
    }
}

pub(super) fn many(dice: &mut Dice<'_>) -> CreateMany {
    let count = dice.one(&[2, 3, 1, 0]);
    let items = (0..count).map(|number| item(dice, number, count)).collect();
    CreateMany { items }
}

fn item(dice: &mut Dice<'_>, number: usize, count: usize) -> NewItem {
    let mut parents: Vec<ParentRef> = Vec::new();
    if number > 0 && dice.chance(60) {
        parents.push(ParentRef::Item(number - 1));
    }
    if dice.chance(6) {
        parents.push(ParentRef::Item(dice.below(count + 1)));
    }
    if dice.chance(30) {
        parents.push(ParentRef::Task(dice.any()));
    }
    let start = if dice.chance(10) {
        Start::Triage
    } else {
        Start::Landing
    };
    let task = NewTask {
        start,
        idempotency_key: dice.key(25),
        assignee: dice.assignee(),
        parents: dice
            .some(2, |_| calls::task_id("t_nobody"))
            .into_iter()
            .collect(),
        ..calls::new("an item")
    };
    NewItem { task, parents }
}

pub(super) fn update(dice: &mut Dice<'_>) -> UpdateTask {
    let task = dice.any();
    UpdateTask {
        actor: dice.maybe_actor(),
        expected_version: dice.version(&task),
        title: dice.some(30, |dice| title(dice.one(&["a task", "renamed"]))),
        body: dice.some(30, |dice| dice.one(&[None, Some(long("new body"))])),
        priority: dice.some(30, |dice| dice.one(&[0, 2])),
        tenant: dice.some(20, |dice| dice.one(&[None, Some(label("acme"))])),
        attributes: dice.some(20, |dice| dice.one(&[None, Some(json(r#"{"z":1,"a":2}"#))])),
        max_runtime: dice.some(25, |dice| dice.some(70, max_runtime)),
        failure_limit: dice.some(20, |dice| dice.one(&[None, Some(limit(1))])),
        ..UpdateTask::new(task)
    }
}

pub(super) fn assign(dice: &mut Dice<'_>) -> AssignTask {
    let task = dice.any();
    AssignTask {
        assignee: dice.assignee(),
        actor: dice.maybe_actor(),
        expected_version: dice.version(&task),
        task,
    }
}

pub(super) fn link(dice: &mut Dice<'_>) -> LinkTasks {
    let (parent, child) = (dice.any(), dice.any());
    let actor = dice.maybe_actor();
    LinkTasks {
        parent,
        child,
        actor,
    }
}

pub(super) fn unlink(dice: &mut Dice<'_>) -> UnlinkTasks {
    let (mut parent, mut child) = (dice.any(), dice.any());
    let links = &dice.board.links;
    if !links.is_empty() && !dice.chance(20) {
        let link = links[dice.below(dice.board.links.len())].clone();
        (parent, child) = (link.parent, link.child);
    }
    let actor = dice.maybe_actor();
    UnlinkTasks {
        parent,
        child,
        actor,
    }
}

pub(super) fn reopen(dice: &mut Dice<'_>) -> ReopenTask {
    ReopenTask {
        task: dice.task_in(&[Status::Done]),
        actor: dice.actor(),
        reason: dice.reason(),
    }
}

pub(super) fn specify(dice: &mut Dice<'_>) -> SpecifyTask {
    SpecifyTask {
        task: dice.task_in(&[Status::Triage]),
        actor: dice.actor(),
        title: dice.some(40, |dice| title(dice.one(&["a task", "clear"]))),
        body: dice.some(40, |_| long("specified")),
        assignee: dice.some(40, |dice| dice.one(&[who("amy"), who("bob")])),
    }
}

pub(super) fn decompose(dice: &mut Dice<'_>) -> DecomposeTask {
    let task: TaskId = dice.task(|task| {
        task.status == Status::Triage || (task.decomposed_at.is_some() && task.priority < 0)
    });
    let count = dice.one(&[1, 2, 3, 2, 2, 2, 2, 0]);
    let actor = dice.actor();
    let are_keyed = dice.chance(40);
    let subtasks = (0..count)
        .map(|number| {
            let mut after = Vec::new();
            if number > 0 && dice.chance(50) {
                after.push(number - 1);
            }
            if dice.chance(5) {
                after.push(dice.below(count + 1));
            }
            let own = dice.one(&["k1", "k2", "k3", "k5"]);
            Subtask {
                body: dice.some(20, |_| long("a piece")),
                assignee: dice.assignee(),
                priority: dice.some(30, |_| 3),
                attributes: None,
                idempotency_key: are_keyed.then(|| label(own)),
                ..calls::subtask("a piece", &after)
            }
        })
        .collect();
    DecomposeTask {
        task,
        actor,
        subtasks,
    }
}

pub(super) fn archive(dice: &mut Dice<'_>) -> ArchiveTask {
    let task = dice.task(|task| task.status != Status::Archived);
    ArchiveTask {
        authority: dice.authority(&task),
        expected_version: dice.version(&task),
        task,
    }
}

pub(super) fn restore(dice: &mut Dice<'_>) -> RestoreTask {
    let task = dice.task_in(&[Status::Archived]);
    let actor = dice.actor();
    RestoreTask { task, actor }
}

pub(super) fn delete(dice: &mut Dice<'_>) -> DeleteTask {
    let task = dice.task_in(&[Status::Archived]);
    let actor = dice.actor();
    DeleteTask { task, actor }
}
