//! The way of a write: queue, group, answer, and the end of it all.

use std::collections::BTreeSet;
use std::time::Duration;

use kanban_core::{Admission, BoardStore, Effect, ErrorKind, EventId, Options, Seq};

use crate::answers::{kind, refused};
use crate::calls;
use crate::fixture::Fixture;
use crate::threads::{polled, race};

/// A write is refused at once when the queue is full, and is not queued; those before it are answered. [18.4]
pub(crate) async fn a_full_queue_refuses_at_once(t: &Fixture) {
    let store = narrow(t).await;
    let held = t.clock.hold();
    let mut accepted = vec![going(polled(store.create(calls::new("in hand"))))];
    held.until_somebody_waits();
    for _ in 0..2 {
        accepted.push(going(polled(store.create(calls::new("queued")))));
    }
    for _ in 0..3 {
        let Ok(result) = polled(store.create(calls::new("refused"))) else {
            panic!("expected an answer at once, found none")
        };
        assert_eq!(refused(result), ErrorKind::Overloaded);
    }
    drop(held);
    for call in accepted {
        call.await.unwrap();
    }
    assert_eq!(t.store.stats().await.unwrap().value.total(), 3);
}

/// A write that may wait is carried out once there is room. [18.4]
pub(crate) async fn a_write_that_may_wait_is_carried_out(t: &Fixture) {
    let store = narrow(t).await;
    let patient = store.with_admission(Admission::Wait(Duration::from_mins(1)));
    let held = t.clock.hold();
    let first = going(polled(store.create(calls::new("in hand"))));
    held.until_somebody_waits();
    let queued: Vec<_> = (0..2)
        .map(|_| going(polled(store.create(calls::new("queued")))))
        .collect();
    let waiting = going(polled(patient.create(calls::new("waiting"))));
    drop(held);
    first.await.unwrap();
    for call in queued {
        call.await.unwrap();
    }
    waiting.await.unwrap();
    assert_eq!(t.store.stats().await.unwrap().value.total(), 4);
}

/// A write that has waited long enough is refused, and is not queued. [18.4]
pub(crate) async fn a_write_that_has_waited_is_refused(t: &Fixture) {
    let store = narrow(t).await;
    let hasty = store.with_admission(Admission::Wait(Duration::from_millis(1)));
    let held = t.clock.hold();
    let first = going(polled(store.create(calls::new("in hand"))));
    held.until_somebody_waits();
    let queued: Vec<_> = (0..2)
        .map(|_| going(polled(store.create(calls::new("queued")))))
        .collect();
    assert_eq!(
        refused(hasty.create(calls::new("too late")).await),
        ErrorKind::Overloaded
    );
    drop(held);
    first.await.unwrap();
    for call in queued {
        call.await.unwrap();
    }
    assert_eq!(t.store.stats().await.unwrap().value.total(), 3);
}

/// A write whose caller went away after the first poll is carried out all the same. [5.1]
pub(crate) async fn a_write_that_nobody_waits_for_is_carried_out(t: &Fixture) {
    let held = t.clock.hold();
    let first = going(polled(t.store.create(calls::new("waited for"))));
    held.until_somebody_waits();
    drop(going(polled(t.store.create(calls::new("given up")))));
    drop(held);
    first.await.unwrap();
    t.ready("after").await;
    let list = t.store.list(calls::list_all()).await.unwrap().value.items;
    let titles: BTreeSet<&str> = list.iter().map(|task| task.title.as_str()).collect();
    assert_eq!(titles, BTreeSet::from(["after", "given up", "waited for"]));
}

/// A call that was never polled is not carried out. [5.1]
pub(crate) async fn a_call_that_was_never_polled_is_not_made(t: &Fixture) {
    drop(t.store.create(calls::new("never")));
    t.ready("after").await;
    assert_eq!(t.store.stats().await.unwrap().value.total(), 1);
}

/// Writes that are refused together leave nothing behind, and those beside them are carried out. [5.1] [1.8]
pub(crate) async fn refusals_among_writes_leave_nothing(t: &Fixture) {
    let task = t.ready("not blocked").await;
    let held = t.clock.hold();
    let first = going(polled(t.store.create(calls::new("first"))));
    held.until_somebody_waits();
    let bad: Vec<_> = (0..3)
        .map(|_| going(polled(t.store.unblock(calls::unblock(&task.id)))))
        .collect();
    let last = going(polled(t.store.create(calls::new("last"))));
    drop(held);
    let first = first.await.unwrap().seq;
    for call in bad {
        let error = call.await.unwrap_err();
        assert_eq!(
            (error.rejection().unwrap().reason(), error.seq()),
            ("wrong_status", Some(first))
        );
    }
    assert_eq!(last.await.unwrap().seq.get(), first.get() + 1);
    assert_eq!(t.events().await.len(), 3);
}

/// Writes of one caller are carried out in the order of their first polls. [1.8]
pub(crate) async fn writes_are_carried_out_in_the_order_they_came(t: &Fixture) {
    let held = t.clock.hold();
    let calls: Vec<_> = (0..20)
        .map(|_| going(polled(t.store.create(calls::new("in turn")))))
        .collect();
    drop(held);
    let mut seqs = Vec::new();
    for call in calls {
        seqs.push(call.await.unwrap().seq.get());
    }
    assert_eq!(seqs, (1..=20).collect::<Vec<_>>());
}

/// A rule that panics fails its command alone, with `Internal`; the commands beside it are carried out. [18.9]
pub(crate) async fn a_rule_that_panics_fails_alone(t: &Fixture) {
    let task = t.ready("beside").await;
    let held = t.clock.hold();
    let before = going(polled(t.store.comment(calls::comment(&task.id, "before"))));
    held.until_somebody_waits();
    t.ids.panic_once();
    let bad = going(polled(t.store.create(calls::new("panics"))));
    let after = going(polled(t.store.comment(calls::comment(&task.id, "after"))));
    drop(held);
    before.await.unwrap();
    assert_eq!(refused(bad.await), ErrorKind::Internal);
    after.await.unwrap();
    assert_eq!(t.comments(&task.id).await.len(), 2);
    assert_eq!(t.store.stats().await.unwrap().value.total(), 1);
}

/// Close takes no more calls, answers all that it has, and then every call is `Closed`. [18.10]
pub(crate) async fn close_answers_all_that_is_queued(t: &Fixture) {
    let held = t.clock.hold();
    let first = going(polled(t.store.create(calls::new("in hand"))));
    held.until_somebody_waits();
    let queued: Vec<_> = (0..5)
        .map(|_| going(polled(t.store.create(calls::new("queued")))))
        .collect();
    let closing = polled(t.store.close());
    let late = polled(t.store.create(calls::new("late")));
    drop(held);
    if let Err(closing) = closing {
        closing.await.unwrap();
    }
    let late = match late {
        Ok(result) => result,
        Err(call) => call.await,
    };
    assert_eq!(refused(late), ErrorKind::Closed);
    first.await.unwrap();
    for call in queued {
        call.await.unwrap();
    }
    let again = t.open().await.store;
    assert_eq!(again.stats().await.unwrap().value.total(), 6);
}

/// Every call on a closed store is `Closed`: writes, reads and watches; a second close is answered. [18.10]
pub(crate) async fn a_closed_store_answers_closed(t: &Fixture) {
    let task = t.ready("kept").await;
    let mut watch = t
        .store
        .watch(EventId::new(0), kanban_core::EventFilter::default());
    t.close().await;
    let store = &t.store;
    assert_eq!(kind(store.create(calls::new("late")).await), "closed");
    assert_eq!(kind(store.task(task.id.clone()).await), "closed");
    assert_eq!(kind(store.list(calls::list_all()).await), "closed");
    assert_eq!(kind(store.verify().await), "closed");
    assert_eq!(kind(store.reached(Seq::new(9)).await), "closed");
    assert_eq!(kind(watch.next().await), "closed");
    assert_eq!(kind(t.boards.open(None).await), "closed");
    store.close().await.unwrap();
    t.boards.close().await.unwrap();
}

/// 64 concurrent writers are answered 640 different `seq`s, each writer's in order, with none left out. [1.8]
pub(crate) async fn concurrent_writers_get_distinct_seqs_in_order(t: &Fixture) {
    let answers = race(64, |_| -> Vec<u64> {
        let make = |_| pollster::block_on(t.store.create(calls::new("one of 640")));
        (0..10)
            .map(make)
            .map(|answer| answer.unwrap().seq.get())
            .collect()
    });
    for seqs in &answers {
        assert!(seqs.is_sorted_by(|a, b| a < b), "found {seqs:?}");
    }
    let distinct: BTreeSet<u64> = answers.into_iter().flatten().collect();
    eprintln!(
        "64 writers: 640 writes answered, {} distinct seqs",
        distinct.len()
    );
    assert_eq!(distinct, (1..=640).collect());
    assert_eq!(t.seq().await.get(), 640);
}

/// A write that was answered is seen by every read that starts after it, on whatever thread. [15.10]
pub(crate) async fn an_answered_write_is_seen_at_once(t: &Fixture) {
    race(8, |_| {
        pollster::block_on(async {
            for _ in 0..20 {
                let task = t.store.create(calls::new("seen")).await.unwrap();
                let read = t.store.task(task.value.id.clone()).await.unwrap();
                assert_eq!(read.value.task, task.value);
                assert!(
                    read.seq >= task.seq,
                    "expected {} or more, found {}",
                    task.seq,
                    read.seq
                );
            }
        });
    });
    assert_eq!(t.store.stats().await.unwrap().value.total(), 160);
}

/// A handle with another admission is a handle on the same board. [18.4]
pub(crate) async fn a_handle_with_another_admission_is_the_same_board(t: &Fixture) {
    let other = t
        .store
        .with_admission(Admission::Wait(Duration::from_secs(1)));
    let task = t.ready("shared").await;
    let claimed = other.claim(calls::claim(&task.id)).await.unwrap();
    assert_eq!((claimed.effect, claimed.seq.get()), (Effect::Applied, 2));
    assert_eq!(t.task(&task.id).await, claimed.value.task);
}

/// A store of this root whose queue holds two.
async fn narrow(t: &Fixture) -> std::sync::Arc<dyn BoardStore> {
    let options = Options {
        queue_len_max: 2,
        ..t.options()
    };
    t.open_with(options).await.store
}

/// A call that must be on its way.
#[track_caller]
fn going<T: std::fmt::Debug, F>(call: Result<T, F>) -> F {
    match call {
        Ok(found) => panic!("expected a call on its way, found its answer {found:?}"),
        Err(call) => call,
    }
}
