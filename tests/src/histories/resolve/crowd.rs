//! As many as a task may have, and one more: what only stored rows decide comes too rarely by itself.

use kanban_core::{
    BlockTask, NewItem, NewTask, ParentRef, Scope, Start, Status, TaskId, WorkerBlockKind,
};

use crate::calls::{self, olga};
use crate::histories::call::Call;
use crate::histories::dice::Dice;
use crate::oracle::Board;

/// How many parents a task may have.
const PARENTS: usize = 1000;

/// The next of some calls that fill up a task's parents: tasks, their child, and then whatever gives it more.
pub(in crate::histories) fn parents(dice: &mut Dice<'_>) -> Call {
    let ids: Vec<TaskId> = dice.board.tasks.iter().map(|d| d.task.id.clone()).collect();
    if ids.len() < PARENTS + 2 {
        let items = vec![calls::item("one of many", Vec::new()); PARENTS];
        return Call::CreateMany(calls::many(items));
    }
    let Some(child) = child_of_many(dice.board) else {
        let count = dice.one(&[PARENTS, PARENTS - 1, PARENTS - 2]);
        let start = dice.one(&[Start::Landing, Start::Triage]);
        return Call::Create(NewTask {
            parents: ids.into_iter().take(count).collect(),
            start,
            ..calls::new("the child of many")
        });
    };
    let others: Vec<TaskId> = ids.into_iter().filter(|id| *id != child.0).collect();
    let (other, last) = (dice.one(&others), others[others.len() - 1].clone());
    match (dice.below(4), child.1) {
        (3, Status::Triage) => {
            let subtasks = vec![calls::subtask("a piece", &[]); dice.one(&[1, 2])];
            Call::Decompose(calls::decompose(&child.0, subtasks))
        }
        (2, Status::Todo) => Call::Block(BlockTask {
            on: vec![last, other],
            ..calls::block_by(&child.0, olga(), WorkerBlockKind::Dependency)
        }),
        // A task below the child, and then a circle: which of two things that are wrong is told?
        (1, _) => match dice.board.links.iter().find(|link| link.parent == child.0) {
            Some(below) => Call::Link(calls::link(&below.child, &child.0)),
            None => Call::Link(calls::link(&child.0, &other)),
        },
        _ => Call::Link(calls::link(&last, &child.0)),
    }
}

/// A task with almost as many parents as it may have.
fn child_of_many(board: &Board) -> Option<(TaskId, Status)> {
    let tasks = board.tasks.iter().map(|detail| &detail.task);
    let mut candidates = tasks.filter(|task| task.title.as_str() == "the child of many");
    let task = candidates.next()?;
    Some((task.id.clone(), task.status))
}

/// Calls that fill up the subscriptions of two tasks, and give those of both to others.
pub(in crate::histories) fn subscriptions(dice: &mut Dice<'_>) -> Vec<Call> {
    let (one, other) = (dice.any(), dice.any());
    // Together they have 100, 101, 60 or 120, where nobody else listens to them.
    let beside = dice.one(&[40, 41, 0, 60]);
    let subscribe = |task: &TaskId, number: usize| {
        let scope = Scope::Task(task.clone());
        Call::Subscribe(calls::subscribe(scope, &format!("a{number}")))
    };
    let mut all: Vec<Call> = (0..60).map(|number| subscribe(&one, number)).collect();
    all.extend((beside..beside + 60).map(|number| subscribe(&other, number)));
    let item = NewItem {
        task: calls::new("of both"),
        parents: vec![ParentRef::Item(1), ParentRef::Task(other.clone())],
    };
    let first = calls::item("of one", vec![ParentRef::Task(one.clone())]);
    all.push(match dice.below(3) {
        0 => Call::Create(calls::child_of(&[&one, &other])),
        1 => Call::CreateMany(calls::many(vec![item, first])),
        _ => Call::Create(NewTask {
            created_from: Some(one.clone()),
            ..calls::child_of(&[&other])
        }),
    });
    all.push(Call::Link(calls::link(&one, &other)));
    all.extend((60..101).map(|number| subscribe(&one, number)));
    all
}
