//! Raw ideas: made into tasks, or divided.

use kanban_core::{
    DecomposeTask, Decomposed, Effect, EventKind, FailKind, NewTask, Rejection, SpecifyTask, Start,
    Status, Subtask, Task, WorkerBlockKind,
};

use crate::answers::{data, invalid, kinds, over, rejected};
use crate::calls::{self, label, long, subtask, title, who};
use crate::fixture::Fixture;

/// specify lands a raw idea with what it is given: title, body and assignee. [10.6]
pub(crate) async fn specify_lands_a_raw_idea_with_what_it_is_given(t: &Fixture) {
    let task = t.triage().await;
    let call = SpecifyTask {
        title: Some(title("a clear task")),
        body: Some(long("in detail")),
        assignee: Some(who("amy")),
        ..calls::specify(&task.id)
    };
    let (task, events) = t.events_by(t.store.specify(call)).await;
    assert_eq!(
        (task.status, &task.title),
        (Status::Ready, &title("a clear task"))
    );
    assert_eq!(task.assignee, Some(who("amy")));
    assert_eq!(t.detail(&task.id).await.body, Some(long("in detail")));
    let moved = events.iter().find(|e| e.data.as_map().contains_key("to"));
    assert_eq!(moved.unwrap().kind, EventKind::Specified);
    assert_eq!(data(moved.unwrap(), "from"), "triage");
}

/// specify leaves an audit comment by its actor where something changed. [10.6]
pub(crate) async fn specify_comments_on_what_it_changed(t: &Fixture) {
    let task = t.triage().await;
    let call = SpecifyTask {
        title: Some(title("a clear task")),
        ..calls::specify(&task.id)
    };
    t.store.specify(call).await.unwrap();
    let comments = t.comments(&task.id).await;
    assert_eq!(comments.len(), 1, "found {comments:?}");
    assert_eq!(comments[0].author, label("olga"));
}

/// specify leaves no comment where nothing changed: nothing was given, or the same. [10.6]
pub(crate) async fn specify_that_changes_nothing_leaves_no_comment(t: &Fixture) {
    let (first, second) = (t.triage().await, t.triage().await);
    let same = SpecifyTask {
        title: Some(second.title.clone()),
        ..calls::specify(&second.id)
    };
    for call in [calls::specify(&first.id), same] {
        let (task, events) = t.events_by(t.store.specify(call)).await;
        assert_eq!(task.status, Status::Ready);
        assert_eq!(kinds(&events), [EventKind::Specified]);
        assert!(t.comments(&task.id).await.is_empty());
    }
}

/// specify with unsatisfied parents lands in `todo`. [10.6] [2.2]
pub(crate) async fn specify_with_unsatisfied_parents_lands_in_todo(t: &Fixture) {
    let parent = t.ready("first").await;
    let idea = NewTask {
        start: Start::Triage,
        ..calls::child_of(&[&parent.id])
    };
    let idea = t.create(idea).await;
    let task = t.store.specify(calls::specify(&idea.id)).await.unwrap();
    assert_eq!(task.value.status, Status::Todo);
}

/// specify of what blocks brought to triage begins failures and streak anew. [10.6] [7.13] [7.14]
pub(crate) async fn specify_clears_failures_and_streak(t: &Fixture) {
    let claimed = t.claimed().await;
    let task = t.fail(&claimed, FailKind::Crashed).await.task;
    t.store.promote(calls::promote(&task.id)).await.unwrap();
    let idea = looped(t, &task).await;
    assert_eq!(idea.failures, 1);
    let task = t
        .store
        .specify(calls::specify(&idea.id))
        .await
        .unwrap()
        .value;
    assert_eq!((task.status, task.failures), (Status::Ready, 0));
    assert_eq!((task.block_streak, task.review_rounds), (None, 0));
}

/// decompose makes subtasks for which the root waits, created from it, in one command. [10.7] [10.8]
pub(crate) async fn decompose_makes_subtasks_for_which_the_root_waits(t: &Fixture) {
    let root = t.triage().await;
    let call = calls::decompose(&root.id, vec![subtask("a", &[]), subtask("b", &[])]);
    let (made, events) = t.events_by(t.store.decompose(call)).await;
    assert_eq!(
        (made.root.status, made.root.open_parents),
        (Status::Todo, 2)
    );
    assert_eq!(made.root.decomposed_at, Some(t.now()));
    assert_eq!(t.parents(&root.id).await, made.subtasks);
    for id in &made.subtasks {
        let task = t.task(id).await;
        assert_eq!(
            (task.status, task.created_from),
            (Status::Ready, Some(root.id.clone()))
        );
    }
    let seqs: std::collections::BTreeSet<_> = events.iter().map(|e| e.seq).collect();
    assert_eq!(seqs.len(), 1);
    assert_eq!(t.kinds_of(&made.subtasks[0]).await[0], EventKind::Created);
    assert!(kinds(&events).contains(&EventKind::Decomposed));
}

/// Subtasks wait for each other as their indexes say; all are parents of the root. [10.7]
pub(crate) async fn subtasks_wait_for_each_other_by_index(t: &Fixture) {
    let root = t.triage().await;
    let pieces = vec![subtask("a", &[2]), subtask("b", &[0]), subtask("c", &[])];
    let made = decompose(t, &root, pieces).await;
    let [a, b, c] = &made.subtasks[..] else {
        panic!("expected three subtasks, found {made:?}");
    };
    assert_eq!(t.parents(a).await, std::slice::from_ref(c));
    assert_eq!(t.parents(b).await, std::slice::from_ref(a));
    assert_eq!(t.task(c).await.status, Status::Ready);
    assert_eq!(t.task(b).await.status, Status::Todo);
    assert_eq!(t.task(&root.id).await.open_parents, 3);
}

/// Fields of a subtask are taken; its priority is the root's where it has none. [10.7]
pub(crate) async fn a_subtask_takes_its_priority_from_the_root(t: &Fixture) {
    let idea = NewTask {
        start: Start::Triage,
        priority: 5,
        tenant: Some(label("acme")),
        ..calls::new("divide me")
    };
    let root = t.create(idea).await;
    let own = Subtask {
        priority: Some(8),
        assignee: Some(who("amy")),
        body: Some(long("in detail")),
        ..subtask("own", &[])
    };
    let made = decompose(t, &root, vec![subtask("plain", &[]), own]).await;
    assert_eq!(t.task(&made.subtasks[0]).await.priority, 5);
    let own = t.detail(&made.subtasks[1]).await;
    assert_eq!(
        (own.task.priority, own.task.assignee),
        (8, Some(who("amy")))
    );
    assert_eq!(own.body, Some(long("in detail")));
}

/// Subtasks without a parent among themselves get the root's parents, and the others do not. [10.8]
pub(crate) async fn first_subtasks_get_the_roots_parents(t: &Fixture) {
    let parent = t.ready("before all").await;
    let idea = NewTask {
        start: Start::Triage,
        ..calls::child_of(&[&parent.id])
    };
    let root = t.create(idea).await;
    let made = decompose(t, &root, vec![subtask("a", &[]), subtask("b", &[0])]).await;
    assert_eq!(t.parents(&made.subtasks[0]).await, [parent.id]);
    assert_eq!(
        t.parents(&made.subtasks[1]).await,
        [made.subtasks[0].clone()]
    );
    assert_eq!(t.task(&made.subtasks[0]).await.status, Status::Todo);
}

/// The root lands when all of its subtasks are done or archived. [10.8]
pub(crate) async fn the_root_lands_after_its_subtasks(t: &Fixture) {
    let root = t.triage().await;
    let made = decompose(t, &root, vec![subtask("a", &[]), subtask("b", &[])]).await;
    t.finish_task(&made.subtasks[0]).await;
    assert_eq!(t.task(&root.id).await.status, Status::Todo);
    t.archive(&made.subtasks[1]).await;
    assert_eq!(t.task(&root.id).await.status, Status::Ready);
}

/// Subtasks inherit the root's subscriptions: they are created from it. [10.7] [5.6]
pub(crate) async fn subtasks_inherit_the_roots_subscriptions(t: &Fixture) {
    let root = t.triage().await;
    t.subscribe(&root.id, "amy").await;
    let made = decompose(t, &root, vec![subtask("a", &[])]).await;
    let found = t.subscriptions(&made.subtasks[0]).await;
    assert_eq!(found.len(), 1, "found {found:?}");
    assert_eq!(found[0].address, calls::address("amy"));
}

/// Subtasks that wait for each other in a circle refuse the whole decomposition. [10.7]
pub(crate) async fn a_cycle_among_subtasks_refuses_all(t: &Fixture) {
    let root = t.triage().await;
    let circle = vec![subtask("a", &[1]), subtask("b", &[0]), subtask("c", &[])];
    let itself = vec![subtask("a", &[]), subtask("b", &[1])];
    for pieces in [circle, itself] {
        let call = t.store.decompose(calls::decompose(&root.id, pieces));
        let refused = t.nothing_written(call).await;
        let Rejection::CycleAmongItems { path } = rejected(refused) else {
            panic!("expected CycleAmongItems");
        };
        assert_eq!(path.first(), path.last());
        assert!(path.len() > 1 && !path.contains(&2), "found {path:?}");
    }
}

/// An index out of range refuses the whole decomposition. [10.7]
pub(crate) async fn an_index_of_a_subtask_out_of_range_is_invalid(t: &Fixture) {
    let root = t.triage().await;
    let pieces = vec![subtask("a", &[]), subtask("b", &[2])];
    let call = t.store.decompose(calls::decompose(&root.id, pieces));
    invalid(t.nothing_written(call).await);
}

/// A task is divided into 1 to 1,000 subtasks. [10.7] [3.10]
pub(crate) async fn decompose_takes_one_to_a_thousand_subtasks(t: &Fixture) {
    let root = t.triage().await;
    let none = t.store.decompose(calls::decompose(&root.id, vec![]));
    invalid(t.nothing_written(none).await);
    let many = |count| vec![subtask("one of many", &[]); count];
    let call = t.store.decompose(calls::decompose(&root.id, many(1001)));
    let refused = t.nothing_written(call).await;
    over(refused, "subtasks", 1000, 1001);
    let made = decompose(t, &root, many(1000)).await;
    assert_eq!((made.subtasks.len(), made.root.open_parents), (1000, 1000));
}

/// Only a raw idea is divided. [10.7] [2.3]
pub(crate) async fn only_a_raw_idea_is_divided(t: &Fixture) {
    let task = t.ready("clear").await;
    let call = calls::decompose(&task.id, vec![subtask("a", &[])]);
    let refused = t.nothing_written(t.store.decompose(call)).await;
    let expected = Rejection::WrongStatus {
        status: Status::Ready,
        allowed: vec![Status::Triage],
    };
    assert_eq!(rejected(refused), expected);
}

/// A task is divided once, also when it has come back to triage. [10.9]
pub(crate) async fn a_task_is_divided_once(t: &Fixture) {
    let root = t.triage().await;
    let made = decompose(t, &root, vec![subtask("a", &[])]).await;
    t.finish_task(&made.subtasks[0]).await;
    let idea = looped(t, &root).await;
    let call = calls::decompose(&idea.id, vec![subtask("b", &[])]);
    let refused = t.nothing_written(t.store.decompose(call)).await;
    assert_eq!(rejected(refused), Rejection::AlreadyDecomposed);
}

/// A repeat whose subtasks all have the keys of this task's is answered the same, wherever the root is by now. [10.9] [4.12]
pub(crate) async fn a_repeated_decomposition_is_answered_the_same(t: &Fixture) {
    let root = t.triage().await;
    let call = calls::decompose(&root.id, vec![keyed("k1", &[]), keyed("k2", &[0])]);
    let first = t.store.decompose(call.clone()).await.unwrap().value;
    let claimed = t.claim(&first.subtasks[0]).await;
    t.complete(&claimed).await;
    let again = t.nothing_written(t.store.decompose(call)).await.unwrap();
    assert_eq!(again.effect, Effect::Repeated);
    assert_eq!(again.value.subtasks, first.subtasks);
    assert_eq!(again.value.root, t.task(&root.id).await);
}

/// A repeat is one though a subtask was archived since. [10.9] [4.12]
pub(crate) async fn an_archived_subtask_is_found_by_a_repeated_decomposition(t: &Fixture) {
    // A history met this where the oracle had read the rule in another way.
    let root = t.triage().await;
    let call = calls::decompose(&root.id, vec![keyed("k1", &[]), keyed("k2", &[])]);
    let first = t.store.decompose(call.clone()).await.unwrap().value;
    t.archive(&first.subtasks[0]).await;
    let again = t.nothing_written(t.store.decompose(call)).await.unwrap();
    assert_eq!(again.effect, Effect::Repeated);
    assert_eq!(again.value.subtasks, first.subtasks);
}

/// Subtasks of which only some have known keys are no repeat. [10.9]
pub(crate) async fn a_decomposition_with_a_new_key_is_no_repeat(t: &Fixture) {
    let root = t.triage().await;
    decompose(t, &root, vec![keyed("k1", &[])]).await;
    let pieces = vec![keyed("k1", &[]), keyed("k2", &[])];
    let call = t.store.decompose(calls::decompose(&root.id, pieces));
    assert!(t.nothing_written(call).await.is_err());
}

/// A subtask's key that another task has refuses the decomposition. [10.9]
pub(crate) async fn a_subtask_with_the_key_of_another_task_is_refused(t: &Fixture) {
    let taken = NewTask {
        idempotency_key: Some(label("k1")),
        ..calls::new("has the key")
    };
    let (task, root) = (t.create(taken).await.id, t.triage().await);
    let pieces = vec![subtask("a", &[]), keyed("k1", &[])];
    let call = t.store.decompose(calls::decompose(&root.id, pieces));
    let refused = t.nothing_written(call).await;
    assert_eq!(rejected(refused), Rejection::KeyTaken { task });
}

/// A key that only an archived task has may be used for a subtask. [10.9] [5.3]
pub(crate) async fn a_subtask_takes_the_key_of_an_archived_task(t: &Fixture) {
    let old = NewTask {
        idempotency_key: Some(label("k1")),
        ..calls::new("had the key")
    };
    let old = t.create(old).await;
    t.archive(&old.id).await;
    let root = t.triage().await;
    let made = decompose(t, &root, vec![keyed("k1", &[])]).await;
    assert_ne!(made.subtasks[0], old.id);
}

async fn decompose(t: &Fixture, root: &Task, pieces: Vec<Subtask>) -> Decomposed {
    let call = DecomposeTask {
        actor: label("olga"),
        ..calls::decompose(&root.id, pieces)
    };
    t.store.decompose(call).await.unwrap().value
}

fn keyed(key: &str, after: &[usize]) -> Subtask {
    Subtask {
        idempotency_key: Some(label(key)),
        ..subtask(key, after)
    }
}

/// A ready task, blocked until it is in triage.
async fn looped(t: &Fixture, task: &Task) -> Task {
    let claimed = t.claim(&task.id).await;
    t.block(&claimed, WorkerBlockKind::Other).await;
    // As operator promote lands it too, and unlike unblock keeps the failures.
    t.store.promote(calls::promote(&task.id)).await.unwrap();
    let claimed = t.claim(&task.id).await;
    let task = t.block(&claimed, WorkerBlockKind::Other).await.task;
    assert_eq!(task.status, Status::Triage);
    task
}
