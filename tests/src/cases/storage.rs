//! Boards, roots and processes beside each other.

use std::time::Duration;

use kanban_core::{Durability, NewTask, Options, PauseTarget, RootMode, Status};

use crate::answers::{invalid, kind};
use crate::calls;
use crate::children::Child;
use crate::fixture::Fixture;
use crate::threads::race;

/// Two boards share no task, no number, no key and no pause. [16.3]
pub(crate) async fn two_boards_share_nothing(t: &Fixture) {
    let (one, two) = (calls::slug("one"), calls::slug("two"));
    let one = t.boards.open(Some(&one)).await.unwrap();
    let two = t.boards.open(Some(&two)).await.unwrap();
    let keyed = || NewTask {
        idempotency_key: Some(calls::label("key")),
        ..calls::new("keyed")
    };
    let first = one.create(keyed()).await.unwrap();
    let second = two.create(keyed()).await.unwrap();
    assert_ne!(first.value.id, second.value.id);
    assert_eq!(first.seq, second.seq, "each board counts for itself");
    one.pause(calls::pause(PauseTarget::Board)).await.unwrap();
    let run = two
        .claim(calls::claim(&second.value.id))
        .await
        .unwrap()
        .value
        .run
        .id;
    assert_eq!(kind(one.task(second.value.id.clone()).await), "not_found");
    assert_eq!(
        kind(one.claim(calls::claim(&first.value.id)).await),
        "not_claimable"
    );
    one.resume(calls::resume(PauseTarget::Board)).await.unwrap();
    assert_eq!(
        one.claim(calls::claim(&first.value.id))
            .await
            .unwrap()
            .value
            .run
            .id,
        run
    );
    assert_eq!(t.store.stats().await.unwrap().value.total(), 0);
}

/// Stores on different roots share nothing, also under one slug. [16.3]
pub(crate) async fn two_roots_share_nothing(t: &Fixture) {
    let elsewhere = tempfile::tempdir().unwrap();
    let boards = t.open_elsewhere(elsewhere.path()).unwrap();
    let other = boards.open(None).await.unwrap();
    let task = t.ready("here").await;
    assert_eq!(kind(other.task(task.id.clone()).await), "not_found");
    other.create(calls::new("there")).await.unwrap();
    boards.close().await.unwrap();
    assert_eq!(t.store.stats().await.unwrap().value.total(), 1);
    t.claim(&task.id).await;
}

/// A second store on one root works as a second process does: each sees what the other wrote. [15.10] [16.2]
pub(crate) async fn a_second_store_on_a_root_works_as_a_second_process(t: &Fixture) {
    let second = t.open().await;
    let task = t.ready("shared").await;
    let claimed = second.store.claim(calls::claim(&task.id)).await.unwrap();
    assert_eq!(t.task(&task.id).await, claimed.value.task);
    let done = t
        .store
        .complete(calls::complete(&claimed.value))
        .await
        .unwrap();
    assert_eq!(done.seq.get(), claimed.seq.get() + 1);
    let seen = second.store.task(task.id.clone()).await.unwrap();
    assert_eq!((seen.value.task, seen.seq), (done.value.task, done.seq));
    second.boards.close().await.unwrap();
    t.ready("the first goes on").await;
}

/// A store that closes takes nothing from another on the same root. [16.2] [18.10]
pub(crate) async fn a_store_that_closes_leaves_the_other_alone(t: &Fixture) {
    let claimed = t.claimed().await;
    for _ in 0..3 {
        let second = t.open().await;
        second
            .store
            .comment(calls::comment(&claimed.task.id, "hello"))
            .await
            .unwrap();
        second.boards.close().await.unwrap();
        t.store.heartbeat(calls::heartbeat(&claimed)).await.unwrap();
    }
    assert_eq!(t.comments(&claimed.task.id).await.len(), 3);
    let third = t.open().await.store;
    let seen = third
        .task(claimed.task.id.clone())
        .await
        .unwrap()
        .value
        .task;
    assert_eq!(seen, t.task(&claimed.task.id).await);
}

/// No board named means `default`. [16.1]
pub(crate) async fn no_name_and_default_are_one_board(t: &Fixture) {
    let task = t.ready("on no board").await;
    let default = calls::slug("default");
    let named = t.boards.open(Some(&default)).await.unwrap();
    assert_eq!(named.task(task.id.clone()).await.unwrap().value.task, task);
    let existing = t.boards.open_existing(None).await.unwrap();
    let claimed = existing.claim(calls::claim(&task.id)).await.unwrap().value;
    assert_eq!(t.task(&task.id).await, claimed.task);
    assert_eq!(t.boards.list().unwrap().len(), 1);
}

/// Many threads may open a new board at once: it is one board. [16.2]
pub(crate) async fn many_threads_create_one_board(t: &Fixture) {
    let slug = calls::slug("raced");
    race(16, |_| {
        pollster::block_on(async {
            let store = t.boards.open(Some(&slug)).await.unwrap();
            store.create(calls::new("from a thread")).await.unwrap();
        });
    });
    let store = t.boards.open_existing(Some(&slug)).await.unwrap();
    assert_eq!(store.stats().await.unwrap().value.total(), 16);
    assert_eq!(t.boards.list().unwrap().len(), 2);
}

/// Many stores may open a new board of one root at once: it is one board. [16.2]
pub(crate) async fn many_stores_create_one_board(t: &Fixture) {
    let slug = calls::slug("raced");
    race(4, |_| {
        pollster::block_on(async {
            let boards = t.open().await.boards;
            let store = boards.open(Some(&slug)).await.unwrap();
            store.create(calls::new("from a store")).await.unwrap();
            boards.close().await.unwrap();
        });
    });
    let store = t.boards.open_existing(Some(&slug)).await.unwrap();
    assert_eq!(store.stats().await.unwrap().value.total(), 4);
}

/// Four processes may create a board at once: it is one board, with a task of each. [16.2]
pub(crate) async fn four_processes_create_one_board(t: &Fixture) {
    let mut children: Vec<_> = (0..4)
        .map(|_| t.spawn_child("create_board", "raced"))
        .collect();
    for child in &mut children {
        assert_eq!(child.answer(), "ready");
    }
    children.iter_mut().for_each(Child::go);
    let ids: Vec<String> = children.iter_mut().map(Child::answer).collect();
    children.into_iter().for_each(Child::ended);
    let store = t
        .boards
        .open_existing(Some(&calls::slug("raced")))
        .await
        .unwrap();
    for id in &ids {
        store.task(calls::task_id(id)).await.unwrap();
    }
    assert_eq!(store.stats().await.unwrap().value.total(), 4);
}

/// A board that is opened again holds all that it held. [16.5] [1.4]
pub(crate) async fn a_reopened_board_holds_everything(t: &Fixture) {
    for &status in Status::ALL {
        let task = t.in_status(status).await;
        t.store
            .comment(calls::comment(&task.id, "kept"))
            .await
            .unwrap();
        t.store
            .attach(calls::attach(&task.id, "kept.txt"))
            .await
            .unwrap();
        let scope = kanban_core::Scope::Task(task.id);
        t.store
            .subscribe(calls::subscribe(scope, "kept"))
            .await
            .unwrap();
    }
    t.store
        .pause(calls::pause(PauseTarget::Board))
        .await
        .unwrap();
    let before = t.snapshot().await;
    t.close().await;
    let again = t.open().await;
    assert_eq!(t.snapshot_of(&*again.store).await, before);
    again.boards.close().await.unwrap();
}

/// 500 tasks, taken by 4 processes as fast as they can, are each claimed once. [6.5] [17.1]
pub(crate) async fn four_processes_claim_each_task_once(t: &Fixture) {
    let items = || vec![calls::item("one of five hundred", vec![]); 250];
    for _ in 0..2 {
        t.store.create_many(calls::many(items())).await.unwrap();
    }
    let name = |number| format!("process-{number}");
    let mut children: Vec<_> = (0..4)
        .map(|number| t.spawn_child("claim_all", &name(number)))
        .collect();
    for child in &mut children {
        assert_eq!(child.answer(), "ready");
    }
    children.iter_mut().for_each(Child::go);
    let answers: Vec<String> = children.iter_mut().map(Child::answer).collect();
    children.into_iter().for_each(Child::ended);
    let claimed: Vec<&str> = answers
        .iter()
        .flat_map(|answer| answer.split_whitespace())
        .collect();
    let distinct: std::collections::BTreeSet<&str> = claimed.iter().copied().collect();
    let shares: Vec<usize> = answers
        .iter()
        .map(|answer| answer.split_whitespace().count())
        .collect();
    eprintln!(
        "4 processes: {shares:?} claims answered, {} distinct tasks",
        distinct.len()
    );
    assert_eq!((claimed.len(), distinct.len()), (500, 500));
    let stats = t.store.stats().await.unwrap().value;
    assert_eq!((stats.in_status(Status::Done), stats.total()), (500, 500));
    let runs = t.events().await;
    let runs = runs
        .iter()
        .filter(|event| event.kind == kanban_core::EventKind::Claimed)
        .count();
    assert_eq!(runs, 500);
}

/// A close makes all that was answered durable, also where nothing was yet. [20.1]
pub(crate) async fn a_lazy_board_holds_everything_after_a_close(t: &Fixture) {
    let root = t.root().join("elsewhere");
    let open = |durability| {
        let options = Options {
            durability,
            mode: Some(RootMode::Exclusive),
            ..t.options()
        };
        t.open_elsewhere_with(&root, options).unwrap()
    };
    let lazy = Durability::Lazy {
        interval: Duration::from_hours(1),
    };
    let mut closed = Vec::new();
    for (tasks, durability) in (0..).zip([lazy, lazy, Durability::Power]) {
        let boards = open(durability);
        let store = boards.open(None).await.unwrap();
        let stats = store.stats().await.unwrap();
        assert_eq!(stats.value.total(), tasks);
        assert!(stats.seq.get() >= 2 * tasks, "found {stats:?}");
        let made = store.create(calls::new("kept")).await.unwrap();
        store.claim(calls::claim(&made.value.id)).await.unwrap();
        boards.close().await.unwrap();
        // A board in memory is there as long as somebody has had it.
        closed.push(boards);
    }
}

/// An interval below a millisecond or above an hour is refused, and no root is made. [20.2]
pub(crate) async fn an_interval_out_of_bounds_is_refused(t: &Fixture) {
    let root = t.root().join("elsewhere");
    for interval in [Duration::ZERO, Duration::from_millis(3_600_001)] {
        let options = Options {
            durability: Durability::Lazy { interval },
            ..t.options()
        };
        let refused = invalid(t.open_elsewhere_with(&root, options));
        assert_eq!(refused.field, "interval");
        assert!(!root.exists());
    }
}
