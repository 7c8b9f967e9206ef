//! Lists of tasks.

use kanban_core::{List, ListCursor, ListOrder, NewTask, Phase, Start, Status, Task, TaskId};

use crate::answers::{invalid, missing};
use crate::calls::{self, label, who};
use crate::fixture::Fixture;

/// list without statuses answers all tasks but archived ones. [15.2]
pub(crate) async fn a_list_leaves_out_archived_tasks(t: &Fixture) {
    let (done, archived) = (t.done().await, t.archived().await);
    assert_eq!(ids(t, List::default()).await, [done.id]);
    let both = ids(t, calls::list_all()).await;
    assert!(both.contains(&archived.id) && both.len() == 2);
}

/// list filters by statuses. [15.2]
pub(crate) async fn a_list_is_filtered_by_statuses(t: &Fixture) {
    for &status in Status::ALL {
        t.in_status(status).await;
    }
    for &status in Status::ALL {
        let found = found(t, of(&[status])).await;
        assert!(!found.is_empty(), "none in {status}");
        assert!(found.iter().all(|task| task.status == status));
    }
    let two = found(t, of(&[Status::Done, Status::Blocked])).await;
    assert_eq!(two.len(), 2);
}

/// list filters by assignee, or by having none. [15.2]
pub(crate) async fn a_list_is_filtered_by_assignee(t: &Fixture) {
    let (amy, bob, nobody) = (
        t.ready_for("amy").await.id,
        t.ready_for("bob").await.id,
        t.ready("nobody's").await.id,
    );
    for (name, expected) in [(Some("amy"), amy), (Some("bob"), bob), (None, nobody)] {
        let list = List {
            assignee: Some(name.map(who)),
            ..List::default()
        };
        assert_eq!(ids(t, list).await, [expected]);
    }
}

/// list filters by tenant and by phase. [15.2]
pub(crate) async fn a_list_is_filtered_by_tenant_and_phase(t: &Fixture) {
    let ours = NewTask {
        tenant: Some(label("acme")),
        ..calls::new("ours")
    };
    let (ours, review) = (t.create(ours).await, t.in_review().await);
    let tenant = List {
        tenant: Some(label("acme")),
        ..List::default()
    };
    assert_eq!(ids(t, tenant).await, [ours.id]);
    let phase = List {
        phase: Some(Phase::Review),
        ..List::default()
    };
    assert_eq!(ids(t, phase).await, [review.id]);
}

/// list filters by parent. [15.2]
pub(crate) async fn a_list_is_filtered_by_parent(t: &Fixture) {
    let (parent, child) = t.family().await;
    let second = t.child(&parent.id).await;
    t.todo().await;
    let list = List {
        parent: Some(parent.id),
        ..List::default()
    };
    assert_eq!(ids(t, list).await, [child.id, second.id]);
}

/// All filters of a list hold together. [15.2]
pub(crate) async fn the_filters_of_a_list_hold_together(t: &Fixture) {
    let parent = t.ready("parent").await;
    let mut expected = None;
    for bits in 0..8 {
        let new = NewTask {
            assignee: (bits & 1 > 0).then(|| who("amy")),
            tenant: (bits & 2 > 0).then(|| label("acme")),
            parents: if bits & 4 > 0 {
                vec![parent.id.clone()]
            } else {
                vec![]
            },
            ..calls::new("one of eight")
        };
        expected = Some(t.create(new).await.id);
    }
    let list = List {
        statuses: vec![Status::Todo],
        assignee: Some(Some(who("amy"))),
        tenant: Some(label("acme")),
        parent: Some(parent.id),
        phase: Some(Phase::Work),
        ..List::default()
    };
    assert_eq!(ids(t, list).await, [expected.unwrap()]);
}

/// list by priority: high to low, then the oldest, then by id. [15.2]
pub(crate) async fn a_list_by_priority_is_as_claims_are(t: &Fixture) {
    varied(t).await;
    let key = |task: &Task| (-i64::from(task.priority), task.created_at, task.id.clone());
    ordered(t, ListOrder::Priority, key).await;
}

/// list by age: oldest or newest first, ties by id. [15.2]
pub(crate) async fn a_list_by_age_has_ties_by_id(t: &Fixture) {
    varied(t).await;
    let key = |task: &Task| (task.created_at.get(), task.id.clone());
    ordered(t, ListOrder::Oldest, key).await;
    let newest = found(t, by(ListOrder::Newest)).await;
    assert!(newest.is_sorted_by_key(|task| -task.created_at.get()));
    let oldest = ids(t, by(ListOrder::Oldest)).await;
    assert_eq!(newest.len(), oldest.len());
}

/// list by update: the one that was updated last comes first. [15.2]
pub(crate) async fn a_list_by_update_begins_with_the_last_updated(t: &Fixture) {
    varied(t).await;
    let first = found(t, by(ListOrder::Oldest)).await.remove(0);
    t.advance(60);
    t.claim(&first.id).await;
    let found = found(t, by(ListOrder::Updated)).await;
    assert_eq!(found[0].id, first.id);
    assert!(found.is_sorted_by_key(|task| -task.updated_at.get()));
}

/// The pages of a list hold every match once, in every order and under filters. [15.3]
pub(crate) async fn pages_of_a_list_hold_every_match_once(t: &Fixture) {
    varied(t).await;
    for order in [
        ListOrder::Priority,
        ListOrder::Oldest,
        ListOrder::Newest,
        ListOrder::Updated,
    ] {
        for assignee in [None, Some(None), Some(Some(who("amy")))] {
            let whole = List {
                assignee,
                ..by(order)
            };
            let expected = ids(t, whole.clone()).await;
            for limit in [1, 2, 3] {
                let found = paged(
                    t,
                    List {
                        limit,
                        ..whole.clone()
                    },
                )
                .await;
                assert_eq!(found, expected, "by {order:?}, {limit} at a time");
            }
        }
    }
}

/// A page has 1 to 1,000 tasks. [15.3]
pub(crate) async fn a_page_of_a_list_has_a_limit(t: &Fixture) {
    for limit in [0, 1001] {
        let list = List {
            limit,
            ..List::default()
        };
        assert_eq!(invalid(t.store.list(list).await).field, "limit");
    }
}

/// A cursor that no list gave is `Invalid`. [15.3] [18.2]
pub(crate) async fn a_made_up_cursor_is_invalid(t: &Fixture) {
    t.ready("one").await;
    for text in ["", "nonsense", "💥", "{}"] {
        let list = List {
            after: Some(ListCursor::from_text(text)),
            ..List::default()
        };
        invalid(t.store.list(list).await);
    }
}

/// A cursor goes on where it was as text, also after the tasks of its page are gone. [15.3]
pub(crate) async fn a_cursor_outlives_the_task_that_it_stands_at(t: &Fixture) {
    let (first, second) = (t.ready("first").await, t.ready("second").await);
    let list = List {
        limit: 1,
        ..by(ListOrder::Oldest)
    };
    let page = t.store.list(list.clone()).await.unwrap().value;
    assert_eq!(page.items[0].id, first.id);
    t.archive(&first.id).await;
    t.store.delete(calls::delete(&first.id)).await.unwrap();
    let text = page.next.unwrap().as_str().to_owned();
    let next = List {
        after: Some(ListCursor::from_text(text)),
        ..list
    };
    assert_eq!(ids(t, next).await, [second.id]);
}

/// list of the children of an unknown task is `NotFound`, or has none. [15.1] [15.2]
pub(crate) async fn a_list_by_an_unknown_parent_has_no_task(t: &Fixture) {
    t.ready("one").await;
    let parent = calls::task_id("t_made_up");
    let list = List {
        parent: Some(parent.clone()),
        ..List::default()
    };
    match t.store.list(list).await {
        Ok(page) => assert!(page.value.items.is_empty()),
        refused => missing(refused, &parent),
    }
}

/// A page looks at 10,000 rows at most: it may be short, even empty, with a cursor to go on. [15.4]
pub(crate) async fn a_page_looks_at_ten_thousand_rows(t: &Fixture) {
    for _ in 0..11 {
        t.thousand(&calls::new("one of many")).await;
    }
    t.advance(1);
    let start = Start::Landing;
    let rare = NewTask {
        start,
        tenant: Some(label("acme")),
        ..calls::new("rare")
    };
    let rare = t.create(rare).await;
    // No index is of tenant and order together with both: whatever it looks through, the pages hold the one match.
    let list = List {
        tenant: Some(label("acme")),
        limit: 10,
        ..by(ListOrder::Oldest)
    };
    assert_eq!(paged(t, list).await, [rare.id]);
    let review = List {
        phase: Some(Phase::Review),
        ..by(ListOrder::Oldest)
    };
    assert!(paged(t, review).await.is_empty());
}

fn by(order: ListOrder) -> List {
    List {
        order,
        ..calls::list_all()
    }
}

fn of(statuses: &[Status]) -> List {
    List {
        statuses: statuses.to_vec(),
        ..List::default()
    }
}

async fn found(t: &Fixture, list: List) -> Vec<Task> {
    t.store.list(list).await.unwrap().value.items
}

async fn ids(t: &Fixture, list: List) -> Vec<TaskId> {
    found(t, list)
        .await
        .into_iter()
        .map(|task| task.id)
        .collect()
}

/// The tasks of all pages.
async fn paged(t: &Fixture, mut list: List) -> Vec<TaskId> {
    let mut found = Vec::new();
    loop {
        let page = t.store.list(list.clone()).await.unwrap().value;
        assert!(page.items.len() <= list.limit);
        found.extend(page.items.into_iter().map(|task| task.id));
        if page.next.is_none() {
            return found;
        }
        list.after = page.next;
    }
}

async fn ordered<K: Ord>(t: &Fixture, order: ListOrder, key: impl Fn(&Task) -> K) {
    let found = found(t, by(order)).await;
    assert!(found.is_sorted_by_key(key), "found {found:#?}");
}

/// Tasks of two assignees and none, three priorities, at different times and at the same.
async fn varied(t: &Fixture) {
    for number in 0..12_i32 {
        if number % 3 == 0 {
            t.advance(1);
        }
        let new = NewTask {
            priority: number * 7 % 3 - 1,
            assignee: match number % 4 {
                0 => Some(who("amy")),
                1 => Some(who("bob")),
                _ => None,
            },
            ..calls::new("one of twelve")
        };
        t.create(new).await;
    }
}
