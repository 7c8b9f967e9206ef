//! Several boards under one root.

use std::sync::Arc;

use kanban_core::{
    BoardEntry, BoardPlace, BoardSlug, BoardStore, ErrorKind, EventFilter, EventId, NewTask,
    PauseTarget, Policy, Rejection, SetPolicy, Subject, Unavailable,
};

use crate::answers::{not_found, refused, rejected};
use crate::calls::{self, label, slug};
use crate::fixture::Fixture;
use crate::threads::{polled, race};

/// A slug is lower-case letters, digits, `_` and `-`, at most 63, and begins with a letter or digit. [16.1]
pub(crate) async fn a_slug_has_a_form(t: &Fixture) {
    for good in ["a", "0", "a-b_c", &"x".repeat(63)] {
        let slug = BoardSlug::new(good).unwrap();
        t.boards.create(&slug).await.unwrap();
    }
    for bad in [
        "",
        "A",
        "-a",
        "_a",
        "a b",
        "a.b",
        "../a",
        "ä",
        &"x".repeat(64),
    ] {
        assert!(BoardSlug::new(bad).is_err(), "taken: {bad}");
    }
}

/// No slug means `default`, which always exists. [16.1]
pub(crate) async fn default_always_exists(t: &Fixture) {
    let task = t.ready("on default").await;
    for board in [None, Some(slug("default"))] {
        let store = t.boards.open_existing(board.as_ref()).await.unwrap();
        assert!(store.task(task.id.clone()).await.is_ok());
    }
    let created = t.boards.create(&slug("default")).await;
    assert_eq!(rejected(created), Rejection::BoardExists(slug("default")));
    assert_eq!(places(t), [("default".to_owned(), BoardPlace::Active)]);
}

/// list answers all boards by name, and which are archived. [16.1]
pub(crate) async fn boards_are_listed_by_name(t: &Fixture) {
    for name in ["zoo", "apple"] {
        t.boards.create(&slug(name)).await.unwrap();
    }
    t.boards.archive(&slug("zoo")).await.unwrap();
    let expected = [
        ("apple".to_owned(), BoardPlace::Active),
        ("default".to_owned(), BoardPlace::Active),
        ("zoo".to_owned(), BoardPlace::Archived),
    ];
    assert_eq!(places(t), expected);
}

/// create makes a board, and refuses one that exists. [16.2]
pub(crate) async fn create_refuses_an_existing_board(t: &Fixture) {
    let store = t.boards.create(&slug("other")).await.unwrap();
    let task = store.create(calls::new("there")).await.unwrap().value;
    let again = t.boards.create(&slug("other")).await;
    assert_eq!(rejected(again), Rejection::BoardExists(slug("other")));
    assert!(store.task(task.id).await.is_ok());
}

/// open creates a board on first use, and opens it on every other. [16.2]
pub(crate) async fn open_creates_on_first_use(t: &Fixture) {
    let store = t.boards.open(Some(&slug("other"))).await.unwrap();
    let task = store.create(calls::new("there")).await.unwrap().value;
    let again = t.boards.open(Some(&slug("other"))).await.unwrap();
    assert!(again.task(task.id).await.is_ok());
}

/// Of many openers that race for a new board all get the same one. [16.2]
pub(crate) async fn many_openers_get_one_board(t: &Fixture) {
    let other = t.open().await;
    let ids = race(6, |number| {
        let boards = if number % 2 == 0 {
            &t.boards
        } else {
            &other.boards
        };
        pollster::block_on(async {
            let store = boards.open(Some(&slug("new"))).await.unwrap();
            store.create(calls::new("there")).await.unwrap().value.id
        })
    });
    let store = t.boards.open(Some(&slug("new"))).await.unwrap();
    assert_eq!(store.tasks(ids).await.unwrap().value.len(), 6);
    other.boards.close().await.unwrap();
}

/// Of many processes that race for a new board all get the same one. [16.2]
pub(crate) async fn many_processes_get_one_board(t: &Fixture) {
    let mut children: Vec<_> = (0..3)
        .map(|_| t.spawn_child("create_board", "new"))
        .collect();
    for child in &mut children {
        assert_eq!(child.answer(), "ready");
    }
    for child in &mut children {
        child.go();
    }
    let ids: Vec<_> = children
        .iter_mut()
        .map(|child| calls::task_id(&child.answer()))
        .collect();
    for child in children {
        child.ended();
    }
    let store = t.boards.open_existing(Some(&slug("new"))).await.unwrap();
    assert_eq!(store.tasks(ids).await.unwrap().value.len(), 3);
}

/// `open_existing` of an unknown slug is `NotFound`, and creates nothing. [16.2]
pub(crate) async fn open_existing_never_creates(t: &Fixture) {
    let refused = t.boards.open_existing(Some(&slug("ghost"))).await;
    assert_eq!(not_found(refused), Subject::Board(slug("ghost")));
    assert_eq!(places(t).len(), 1);
}

/// Two boards share no task, no event and no key. [16.3]
pub(crate) async fn two_boards_share_no_task(t: &Fixture) {
    let other = t.boards.create(&slug("other")).await.unwrap();
    let keyed = NewTask {
        idempotency_key: Some(label("key")),
        ..calls::new("keyed")
    };
    let here = t.create(keyed.clone()).await;
    let there = other.create(keyed).await.unwrap().value;
    assert_ne!(here.id, there.id);
    assert!(other.task(here.id).await.is_err());
    let events = other.events(calls::events_after(EventId::new(0))).await;
    let events = events.unwrap().value.events;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].task, Some(there.id));
}

/// Two boards count apart: `seq`, events and runs of one do not move those of the other. [16.3]
pub(crate) async fn two_boards_count_apart(t: &Fixture) {
    for _ in 0..3 {
        t.done().await;
    }
    let other = t.boards.create(&slug("other")).await.unwrap();
    let before = t.seq().await;
    let made = other.create(calls::new("there")).await.unwrap();
    assert!(made.seq < before, "found {}", made.seq);
    other.claim(calls::claim(&made.value.id)).await.unwrap();
    assert_eq!(t.seq().await, before);
    let stats = other.stats().await.unwrap().value;
    assert_eq!(stats.total(), 1);
}

/// Pauses and policy are each board's own. [16.3]
pub(crate) async fn pauses_and_policy_are_each_boards_own(t: &Fixture) {
    let other = t.boards.create(&slug("other")).await.unwrap();
    let pause = calls::pause(PauseTarget::Board);
    other.pause(pause).await.unwrap();
    let policy = Policy {
        failure_limit: 9,
        ..Policy::default()
    };
    let actor = label("olga");
    other.set_policy(SetPolicy { policy, actor }).await.unwrap();
    assert!(t.store.pauses().await.unwrap().value.is_empty());
    assert_eq!(t.store.policy().await.unwrap().value, Policy::default());
    let task = t.ready("goes on").await;
    t.claim(&task.id).await;
}

/// Several boards outlive a reopen of the root, each with what is its own. [16.3] [16.2]
pub(crate) async fn several_boards_outlive_a_reopen(t: &Fixture) {
    let here = t.ready("here").await;
    let store = t.boards.create(&slug("other")).await.unwrap();
    let there = store.create(calls::new("there")).await.unwrap().value;
    t.close().await;
    let again = t.open().await;
    let other = again.boards.open_existing(Some(&slug("other"))).await;
    let other = other.unwrap();
    assert!(again.store.task(here.id.clone()).await.is_ok());
    assert!(other.task(there.id.clone()).await.is_ok());
    assert!(other.task(here.id).await.is_err());
    again.boards.close().await.unwrap();
}

/// An archived slug is refused by create, open and `open_existing`. [16.4]
pub(crate) async fn an_archived_slug_is_refused(t: &Fixture) {
    archived(t).await;
    let other = slug("other");
    let refusal = Rejection::BoardArchived(other.clone());
    assert_eq!(rejected(t.boards.create(&other).await), refusal);
    assert_eq!(rejected(t.boards.open(Some(&other)).await), refusal);
    let existing = t.boards.open_existing(Some(&other)).await;
    assert_eq!(rejected(existing), refusal);
    assert_eq!(rejected(t.boards.archive(&other).await), refusal);
}

/// An archived slug is refused by a later opener of the root too. [16.4]
pub(crate) async fn an_archived_slug_stays_archived_over_a_reopen(t: &Fixture) {
    archived(t).await;
    t.close().await;
    let again = t.open().await;
    let opened = again.boards.open(Some(&slug("other"))).await;
    assert_eq!(rejected(opened), Rejection::BoardArchived(slug("other")));
    again.boards.close().await.unwrap();
}

/// restore makes an archived board usable again, with all that it held and its counters. [16.5]
pub(crate) async fn a_restored_board_has_all_that_it_held(t: &Fixture) {
    let (store, id) = archived(t).await;
    drop(store);
    t.boards.restore(&slug("other")).await.unwrap();
    let store = t.boards.open_existing(Some(&slug("other"))).await.unwrap();
    let found = store.task(id.clone()).await.unwrap();
    assert_eq!(found.value.task.title, calls::title("there"));
    let next = store.create(calls::new("next")).await.unwrap();
    assert!(next.seq > found.seq);
    assert_ne!(next.value.id, id);
}

/// delete takes archived boards only; afterwards the slug is free for a new, empty board. [16.5]
pub(crate) async fn a_deleted_boards_slug_is_free(t: &Fixture) {
    let other = slug("other");
    t.boards.create(&other).await.unwrap();
    let refused = t.boards.delete(&other).await;
    assert_eq!(
        rejected(refused),
        Rejection::BoardNotArchived(other.clone())
    );
    t.boards.archive(&other).await.unwrap();
    t.boards.delete(&other).await.unwrap();
    assert_eq!(places(t).len(), 1);
    let existing = t.boards.open_existing(Some(&other)).await;
    assert_eq!(not_found(existing), Subject::Board(other.clone()));
    let store = t.boards.create(&other).await.unwrap();
    assert_eq!(store.stats().await.unwrap().value.total(), 0);
}

/// archive, restore and delete of an unknown board are `NotFound`; restore of one in use is refused. [16.5]
pub(crate) async fn unknown_boards_are_not_found(t: &Fixture) {
    let ghost = slug("ghost");
    let unknown = Subject::Board(ghost.clone());
    assert_eq!(not_found(t.boards.archive(&ghost).await), unknown);
    assert_eq!(not_found(t.boards.restore(&ghost).await), unknown);
    assert_eq!(not_found(t.boards.delete(&ghost).await), unknown);
    t.boards.create(&slug("used")).await.unwrap();
    let used = t.boards.restore(&slug("used")).await;
    assert_eq!(rejected(used), Rejection::BoardNotArchived(slug("used")));
}

/// `default` is neither archived nor deleted, and goes on. [16.6]
pub(crate) async fn default_is_neither_archived_nor_deleted(t: &Fixture) {
    let default = BoardSlug::default();
    let archive = t.boards.archive(&default).await;
    assert_eq!(rejected(archive), Rejection::DefaultBoard);
    assert!(t.boards.delete(&default).await.is_err());
    t.ready("goes on").await;
}

/// Every handle on a board that was archived answers `Closed`, reads, writes and watches alike. [16.7] [18.10]
pub(crate) async fn handles_on_an_archived_board_are_closed(t: &Fixture) {
    let second = t.boards.open(Some(&slug("other"))).await.unwrap();
    let mut watch = second.watch(EventId::new(1_000_000), EventFilter::default());
    let (first, id) = archived_from(t, &second).await;
    for store in [&first, &second] {
        assert_eq!(refused(store.task(id.clone()).await), ErrorKind::Closed);
        let created = store.create(calls::new("late")).await;
        assert_eq!(refused(created), ErrorKind::Closed);
    }
    assert_eq!(refused(watch.next().await), ErrorKind::Closed);
}

/// A handle from before an archive stays closed after a restore; a new one works. [16.7]
pub(crate) async fn an_old_handle_stays_closed_after_a_restore(t: &Fixture) {
    let (old, id) = archived(t).await;
    t.boards.restore(&slug("other")).await.unwrap();
    let new = t.boards.open(Some(&slug("other"))).await.unwrap();
    assert!(new.task(id.clone()).await.is_ok());
    assert_eq!(refused(old.task(id).await), ErrorKind::Closed);
}

/// A handle on a board that was archived and deleted answers `Closed`, also once the slug is another board's. [16.7]
pub(crate) async fn a_handle_on_a_deleted_board_is_closed(t: &Fixture) {
    let (old, id) = archived(t).await;
    t.boards.delete(&slug("other")).await.unwrap();
    assert_eq!(refused(old.task(id.clone()).await), ErrorKind::Closed);
    t.boards.create(&slug("other")).await.unwrap();
    let created = old.create(calls::new("late")).await;
    assert_eq!(refused(created), ErrorKind::Closed);
}

/// A board is not archived while another opener has the root, and goes on for both. [16.7] [18.7]
pub(crate) async fn a_board_that_somebody_else_may_use_is_not_archived(t: &Fixture) {
    let store = t.boards.create(&slug("other")).await.unwrap();
    let second = t.open().await;
    let archive = t.boards.archive(&slug("other")).await;
    assert_eq!(refused(archive), ErrorKind::Unavailable(Unavailable::InUse));
    store.create(calls::new("goes on")).await.unwrap();
    let other = second.boards.open(Some(&slug("other"))).await.unwrap();
    assert_eq!(other.stats().await.unwrap().value.total(), 1);
    second.boards.close().await.unwrap();
    t.boards.archive(&slug("other")).await.unwrap();
}

/// Names and places of all boards.
fn places(t: &Fixture) -> Vec<(String, BoardPlace)> {
    let boards = t.boards.list().unwrap().into_iter();
    boards
        .map(|board| (board.slug.to_string(), board.place))
        .collect()
}

/// The board `other` with a task, archived. Answers a handle from before, and the task.
async fn archived(t: &Fixture) -> (Arc<dyn BoardStore>, kanban_core::TaskId) {
    let store = t.boards.open(Some(&slug("other"))).await.unwrap();
    archived_from(t, &store).await
}

async fn archived_from(
    t: &Fixture,
    store: &Arc<dyn BoardStore>,
) -> (Arc<dyn BoardStore>, kanban_core::TaskId) {
    let task = store.create(calls::new("there")).await.unwrap().value;
    t.boards.archive(&slug("other")).await.unwrap();
    (Arc::clone(store), task.id)
}

/// Of many who create one board, in any store, one does. It was everybody who came before the file. [16.2]
pub(crate) async fn of_many_who_create_one_creates(t: &Fixture) {
    let other = t.open().await;
    let results = race(6, |number| {
        let boards = if number % 2 == 0 {
            &t.boards
        } else {
            &other.boards
        };
        pollster::block_on(boards.create(&slug("new"))).map(|_| ())
    });
    let made = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(made, 1, "expected one creator, found {results:?}");
    for refused in results.into_iter().filter(Result::is_err) {
        assert_eq!(rejected(refused), Rejection::BoardExists(slug("new")));
    }
    other.boards.close().await.unwrap();
}

/// A board that is archived while others open it does not come to be anew. It did, empty, and its name was stuck. [16.4]
pub(crate) async fn an_opening_does_not_remake_an_archived_board(t: &Fixture) {
    t.boards
        .create(&slug("x"))
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
    let name = slug("x");
    let calls: Vec<_> = (0..4).map(|_| polled(t.boards.open(Some(&name)))).collect();
    t.boards.archive(&name).await.unwrap();
    for call in calls {
        let opened = match call {
            Ok(opened) => opened,
            Err(waiting) => waiting.await,
        };
        if let Ok(store) = opened {
            assert_eq!(closed(store.stats().await), ErrorKind::Closed);
        }
    }
    let place = |entry: &BoardEntry| (entry.slug == name).then_some(entry.place);
    let found: Vec<_> = t.boards.list().unwrap().iter().filter_map(place).collect();
    assert_eq!(found, [BoardPlace::Archived]);
    t.boards.restore(&name).await.unwrap();
}

/// Closing twice, also at once, waits for one end. The second made the first wait for ever. [16.7]
pub(crate) async fn closing_twice_is_one_end(t: &Fixture) {
    let other = t.open().await;
    other.boards.open(Some(&slug("more"))).await.unwrap();
    let ends = race(3, |_| pollster::block_on(other.boards.close()));
    assert!(ends.iter().all(Result::is_ok), "found {ends:?}");
    assert_eq!(closed(other.store.stats().await), ErrorKind::Closed);
}

/// A handle that outlives its `Boards` keeps others from taking its board away. [16.7]
pub(crate) async fn a_handle_keeps_the_root(t: &Fixture) {
    let store = t.boards.create(&slug("kept")).await.unwrap();
    store.close().await.unwrap();
    let other = t.open().await;
    let kept = other.boards.open(Some(&slug("kept"))).await.unwrap();
    drop(other);
    let refused = t.boards.archive(&slug("kept")).await.unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::Unavailable(Unavailable::InUse));
    kept.create(calls::new("still here")).await.unwrap();
    kept.close().await.unwrap();
}

fn closed<T: std::fmt::Debug>(result: Result<T, kanban_core::Error>) -> ErrorKind {
    result.unwrap_err().kind().clone()
}
