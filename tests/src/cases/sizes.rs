//! How many a list, a family or an answer may hold.

use kanban_core::{
    Assignee, ClaimFilter, ClaimNext, Complete, GraphOf, List, NewTask, ParentRef, ReclaimExpired,
    Rejection, Scope, Status, TaskId, WakeDue, Who,
};

use crate::answers::{invalid, over, rejected};
use crate::calls;
use crate::fixture::Fixture;

/// A task has up to 1,000 parents: one more is refused, by create and by link. [3.10] [3.12]
pub(crate) async fn a_task_has_at_most_1000_parents(t: &Fixture) {
    let mut parents = many(t, 1000, &[]).await;
    let child = t
        .create(NewTask {
            parents: parents.clone(),
            ..calls::new("waits")
        })
        .await;
    assert_eq!((child.status, child.open_parents), (Status::Todo, 1000));
    let other = t.ready("one too many").await;
    let seq = t.seq().await;
    over(
        t.store.link(calls::link(&other.id, &child.id)).await,
        "parents",
        1000,
        1001,
    );
    parents.push(other.id);
    let new = NewTask {
        parents,
        ..calls::new("waits for more")
    };
    over(t.store.create(new).await, "parents", 1000, 1001);
    assert_eq!(t.seq().await, seq, "expected that nothing is written");
}

/// A task has up to 10,000 children: one more is refused. A graph answer holds 10,000 tasks, and says when it was cut.
/// [3.10] [3.13] [15.5]
pub(crate) async fn a_task_has_at_most_10000_children_and_a_graph_as_many_tasks(t: &Fixture) {
    let parent = t.ready("a large family").await.id;
    for _ in 0..10 {
        many(t, 1000, std::slice::from_ref(&parent)).await;
    }
    let child = calls::child_of(&[&parent]);
    over(t.store.create(child).await, "children", 10_000, 10_001);
    let other = t.ready("not adopted").await.id;
    over(
        t.store.link(calls::link(&parent, &other)).await,
        "children",
        10_000,
        10_001,
    );
    let graph = GraphOf {
        task: parent,
        depth: 1,
    };
    let graph = t.store.graph(graph).await.unwrap().value;
    assert_eq!((graph.tasks.len(), graph.cut), (10_000, true));
}

/// A task has up to 100 subscriptions: one more is refused. [3.10] [3.12]
pub(crate) async fn a_task_has_at_most_100_subscriptions(t: &Fixture) {
    let task = t.ready("popular").await.id;
    let subscribe = |number: u32| {
        let call = calls::subscribe(Scope::Task(task.clone()), &format!("reader-{number}"));
        t.store.subscribe(call)
    };
    for number in 0..100 {
        subscribe(number).await.unwrap();
    }
    over(
        t.nothing_written(subscribe(100)).await,
        "subscriptions",
        100,
        101,
    );
    subscribe(7).await.unwrap();
    assert_eq!(t.subscriptions(&task).await.len(), 100);
}

/// What a child would inherit counts as a whole, and refuses it: by create, by link and as an item of a graph.
/// [3.10] [3.12] [5.6] [18.11]
pub(crate) async fn a_child_of_too_many_subscriptions_is_refused(t: &Fixture) {
    // The first one too many was told once, 101, where the rule asks for the size that was found.
    let (one, other) = (t.ready("heard of").await.id, t.ready("as well").await.id);
    for number in 0..60 {
        t.subscribe(&one, &format!("reader-{number}")).await;
        t.subscribe(&other, &format!("listener-{number}")).await;
    }
    let of_both = calls::child_of(&[&one, &other]);
    let item = calls::item(
        "of both",
        [&one, &other].map(|id| ParentRef::Task(id.clone())).into(),
    );
    let graph = t.store.create_many(calls::many(vec![item]));
    over(t.nothing_written(graph).await, "subscriptions", 100, 120);
    let link = t.store.link(calls::link(&one, &other));
    over(t.nothing_written(link).await, "subscriptions", 100, 120);
    let create = t.store.create(of_both);
    over(t.nothing_written(create).await, "subscriptions", 100, 120);
}

/// A circle is told before a limit that only the rows decide. [18.11] [5.13] [3.10]
pub(crate) async fn a_circle_comes_before_too_many_parents(t: &Fixture) {
    // The limit was looked at first once.
    let parents = many(t, 1000, &[]).await;
    let new = NewTask {
        parents,
        ..calls::new("full")
    };
    let full = t.create(new).await.id;
    let below = t.create(calls::child_of(&[&full])).await.id;
    let link = t.store.link(calls::link(&below, &full));
    let refused = rejected(t.nothing_written(link).await);
    let path = vec![full, below];
    assert_eq!(refused, Rejection::WouldCycle { path });
}

/// A list of ids has at most 1,000 items. [3.10] [3.12]
pub(crate) async fn a_list_of_ids_has_at_most_1000_items(t: &Fixture) {
    let ids = |count: usize| -> Vec<TaskId> {
        (0..count)
            .map(|n| calls::task_id(&format!("t_none{n}")))
            .collect()
    };
    assert!(t.store.tasks(ids(1000)).await.unwrap().value.is_empty());
    over(t.store.tasks(ids(1001)).await, "ids", 1000, 1001);
    over(t.store.latest_summaries(ids(1001)).await, "ids", 1000, 1001);
    let claimed = t.claimed().await;
    let complete = Complete {
        created_tasks: ids(1001),
        ..calls::complete(&claimed)
    };
    over(
        t.nothing_written(t.store.complete(complete)).await,
        "created_tasks",
        1000,
        1001,
    );
}

/// A list of new tasks has 1 to 1,000 items. [3.10] [3.12]
pub(crate) async fn a_list_of_new_tasks_has_1_to_1000_items(t: &Fixture) {
    let items = |count: usize| calls::many(vec![calls::item("one of many", vec![]); count]);
    let none = t.nothing_written(t.store.create_many(items(0))).await;
    assert_eq!(invalid(none).field, "items");
    over(
        t.nothing_written(t.store.create_many(items(1001))).await,
        "items",
        1000,
        1001,
    );
    assert_eq!(
        t.store.create_many(items(1000)).await.unwrap().value.len(),
        1000
    );
}

/// A claim looks at up to 1,000 assignees. [3.10] [6.7]
pub(crate) async fn a_claim_filter_has_1_to_1000_assignees(t: &Fixture) {
    let claim = |count: usize| {
        let names: Vec<Assignee> = (0..count).map(|n| calls::who(&format!("a{n}"))).collect();
        let who = Who::Only(names);
        let filter = ClaimFilter {
            who,
            ..ClaimFilter::default()
        };
        t.store.claim_next(ClaimNext {
            filter,
            ..calls::claim_next()
        })
    };
    let wanted = t.ready_for("a999").await;
    assert_eq!(invalid(claim(0).await).field, "assignees");
    over(claim(1001).await, "assignees", 1000, 1001);
    assert_eq!(t.task(&wanted.id).await.status, Status::Ready);
    claim(1000).await.unwrap();
    assert_eq!(t.task(&wanted.id).await.status, Status::Running);
}

/// The limit of a list, and of a piece of upkeep, is 1 to 1,000. [3.10] [15.3] [6.16]
pub(crate) async fn a_limit_is_1_to_1000(t: &Fixture) {
    for limit in [0, 1001] {
        let list = List {
            limit,
            ..calls::list_all()
        };
        assert_eq!(invalid(t.store.list(list).await).field, "limit");
        let reclaim = ReclaimExpired { limit };
        assert_eq!(
            invalid(t.store.reclaim_expired(reclaim).await).field,
            "limit"
        );
        assert_eq!(
            invalid(t.store.wake_due(WakeDue { limit }).await).field,
            "limit"
        );
    }
}

/// A search for a circle looks at 100,000 links; beyond that the link is refused. [3.13]
pub(crate) async fn a_search_for_a_circle_in_a_huge_graph_is_given_up(t: &Fixture) {
    // A circle is a path from the child to the parent: below the top there are 320 × 320 links.
    let (top, bottom) = layers(t).await;
    let (parent, leaf) = (t.todo().await.id, t.ready("a leaf").await.id);
    let link = calls::link(&parent, &top);
    let seq = t.seq().await;
    assert_eq!(rejected(t.store.link(link).await), Rejection::GraphTooLarge);
    assert_eq!(t.seq().await, seq, "expected that nothing is written");
    // Below a leaf there is nothing to search.
    t.store.link(calls::link(&bottom, &leaf)).await.unwrap();
}

/// Makes a task, 320 children of it, 320 children of each of these, and a child of all those: the first and the last.
async fn layers(t: &Fixture) -> (TaskId, TaskId) {
    let top = t.ready("the top").await.id;
    let upper = many(t, 320, std::slice::from_ref(&top)).await;
    let mut lower = Vec::new();
    for _ in 0..4 {
        lower.extend(many(t, 80, &upper).await);
    }
    let parents = lower;
    let bottom = t
        .create(NewTask {
            parents,
            ..calls::new("the bottom")
        })
        .await;
    (top, bottom.id)
}

/// Makes tasks with the same parents in one command.
async fn many(t: &Fixture, count: usize, parents: &[TaskId]) -> Vec<TaskId> {
    let parents: Vec<ParentRef> = parents.iter().cloned().map(ParentRef::Task).collect();
    let items = (0..count).map(|_| calls::item("one of many", parents.clone()));
    let made = t.store.create_many(calls::many(items.collect())).await;
    made.unwrap().value
}
