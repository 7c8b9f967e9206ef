//! Making many tasks at once.

use kanban_core::{CreateMany, EventKind, NewItem, NewTask, ParentRef, Rejection, Status, TaskId};

use crate::answers::{invalid, kinds, rejected};
use crate::calls::{self, item};
use crate::fixture::Fixture;

use ParentRef::{Item, Task};

/// `create_many` makes a whole graph in one command: links name items of the call, before or after, or tasks that
/// exist. [5.7] [1.9]
pub(crate) async fn a_graph_is_made_in_one_command(t: &Fixture) {
    let known = t.ready("known").await.id;
    let before = t.seq().await.get();
    let items = vec![
        item("last", vec![Item(1), Item(2)]),
        item("left", vec![Item(2)]),
        item("first", vec![Task(known.clone())]),
    ];
    let (ids, events) = t.events_by(t.store.create_many(calls::many(items))).await;
    assert_eq!(kinds(&events), vec![EventKind::Created; 3]);
    assert!(events.iter().all(|event| event.seq.get() == before + 1));
    assert_eq!(t.task(&ids[0]).await.title.as_str(), "last");
    assert_eq!(
        sorted(t.parents(&ids[0]).await),
        sorted(vec![ids[1].clone(), ids[2].clone()])
    );
    assert_eq!(t.parents(&ids[1]).await, std::slice::from_ref(&ids[2]));
    assert_eq!(t.parents(&ids[2]).await, [known]);
    for id in &ids {
        assert_eq!(t.task(id).await.status, Status::Todo);
    }
}

/// Items without links land in `ready`. [5.7] [2.2]
pub(crate) async fn items_without_links_land_in_ready(t: &Fixture) {
    let done = t.done().await.id;
    let items = vec![item("free", vec![]), item("freed", vec![Task(done)])];
    let ids = t.store.create_many(calls::many(items)).await.unwrap().value;
    for id in &ids {
        assert_eq!(t.task(id).await.status, Status::Ready);
    }
}

/// One item that is refused refuses all. [5.7] [5.1]
pub(crate) async fn one_refused_item_refuses_all(t: &Fixture) {
    let nobody = calls::task_id("t_nobody");
    let items = vec![
        item("good", vec![]),
        item("bad", vec![Task(nobody.clone())]),
        item("good too", vec![Item(0)]),
    ];
    let refusal = rejected(
        t.nothing_written(t.store.create_many(calls::many(items)))
            .await,
    );
    assert_eq!(refusal, Rejection::UnknownTasks { ids: vec![nobody] });
}

/// A circle among the items is refused with its path. [5.7]
pub(crate) async fn a_circle_among_items_is_refused(t: &Fixture) {
    let items = vec![
        item("aside", vec![]),
        item("a", vec![Item(3)]),
        item("b", vec![Item(1), Item(0)]),
        item("c", vec![Item(2)]),
    ];
    let refusal = rejected(
        t.nothing_written(t.store.create_many(calls::many(items)))
            .await,
    );
    let Rejection::CycleAmongItems { path } = refusal else {
        panic!("found {refusal:?}")
    };
    assert_eq!(
        (path.len(), path.first()),
        (4, path.last()),
        "found {path:?}"
    );
    let distinct: std::collections::BTreeSet<usize> = path.iter().copied().collect();
    assert_eq!(distinct.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
}

/// An item that waits for itself is a circle. [5.7]
pub(crate) async fn an_item_that_waits_for_itself_is_refused(t: &Fixture) {
    let items = vec![item("waits for itself", vec![Item(0)])];
    let refusal = rejected(
        t.nothing_written(t.store.create_many(calls::many(items)))
            .await,
    );
    assert_eq!(refusal, Rejection::CycleAmongItems { path: vec![0, 0] });
}

/// A link to an index out of range is `Invalid`. [5.7]
pub(crate) async fn an_index_out_of_range_is_invalid(t: &Fixture) {
    for index in [1, 2, usize::MAX] {
        let items = calls::many(vec![item("waits for nobody", vec![Item(index)])]);
        let found = invalid(t.nothing_written(t.store.create_many(items)).await);
        assert_eq!(found.field, "parents", "found {found:?}");
    }
}

/// Parents of an item stand beside its task, not in it. [5.7]
pub(crate) async fn an_item_whose_task_has_parents_of_its_own_is_invalid(t: &Fixture) {
    let known = t.ready("known").await.id;
    let items = vec![NewItem {
        task: calls::child_of(&[&known]),
        parents: vec![],
    }];
    invalid(
        t.nothing_written(t.store.create_many(calls::many(items)))
            .await,
    );
}

/// An item that exists by its key is answered as it is and gets no new parents; new items may wait for it. [5.8]
pub(crate) async fn an_item_that_exists_is_answered_as_it_is(t: &Fixture) {
    let known = t.create(keyed("k")).await;
    let items = vec![
        item("new", vec![Item(1)]),
        NewItem {
            task: keyed("k"),
            parents: vec![Item(2)],
        },
        item("ignored as a parent", vec![]),
    ];
    let ids = t.store.create_many(calls::many(items)).await.unwrap().value;
    assert_eq!(ids[1], known.id);
    assert_eq!(t.task(&known.id).await, known);
    assert_eq!(t.parents(&ids[0]).await, std::slice::from_ref(&known.id));
    assert!(t.parents(&known.id).await.is_empty());
}

/// Two items with one key are `Invalid`. [5.8]
pub(crate) async fn two_items_with_one_key_are_invalid(t: &Fixture) {
    let item = |key| NewItem {
        task: keyed(key),
        parents: vec![],
    };
    let items = calls::many(vec![item("k"), item("other"), item("k")]);
    let found = invalid(t.nothing_written(t.store.create_many(items)).await);
    assert!(
        found.field.contains("key"),
        "expected the key, found {found:?}"
    );
}

/// A repeated graph whose items all have keys is the first one, with no link more. [5.8] [4.12]
pub(crate) async fn a_repeated_graph_with_keys_makes_nothing(t: &Fixture) {
    let graph = || {
        let item = |key, parents| NewItem {
            task: keyed(key),
            parents,
        };
        calls::many(vec![item("a", vec![]), item("b", vec![Item(0)])])
    };
    let first = t.store.create_many(graph()).await.unwrap().value;
    let again = t
        .nothing_written(t.store.create_many(graph()))
        .await
        .unwrap();
    assert_eq!(again.value, first);
}

/// Items inherit tenant and subscriptions as single tasks do. [5.7] [5.5] [5.6]
pub(crate) async fn items_inherit_as_single_tasks_do(t: &Fixture) {
    let tenant = Some(calls::label("acme"));
    let parent = t
        .create(NewTask {
            tenant: tenant.clone(),
            ..calls::new("parent")
        })
        .await;
    let scope = kanban_core::Scope::Task(parent.id.clone());
    t.store
        .subscribe(calls::subscribe(scope, "room"))
        .await
        .unwrap();
    let items = vec![
        item("heir", vec![Task(parent.id)]),
        item("grandchild", vec![Item(0)]),
    ];
    let ids = t.store.create_many(calls::many(items)).await.unwrap().value;
    for id in &ids {
        assert_eq!(t.task(id).await.tenant, tenant, "of {id}");
        assert_eq!(t.subscriptions(id).await.len(), 1, "of {id}");
    }
}

fn keyed(key: &str) -> NewTask {
    NewTask {
        idempotency_key: Some(calls::label(key)),
        ..calls::new(key)
    }
}

fn sorted(mut ids: Vec<TaskId>) -> Vec<TaskId> {
    ids.sort();
    ids
}

/// An item that exists needs none of the parents that it is given. They were looked for all the same. [5.8]
pub(crate) async fn an_item_that_exists_needs_no_parents(t: &Fixture) {
    let keyed = |parents| {
        let mut item = calls::item("keyed", parents);
        item.task.idempotency_key = Some(calls::label("key"));
        item
    };
    let made = t
        .store
        .create_many(CreateMany {
            items: vec![keyed(vec![])],
        })
        .await
        .unwrap();
    let gone = ParentRef::Task(calls::task_id("t_gone"));
    let items = vec![
        keyed(vec![gone]),
        calls::item("new", vec![ParentRef::Item(0)]),
    ];
    let again = t.store.create_many(CreateMany { items }).await.unwrap();
    assert_eq!(again.value[0], made.value[0]);
}
