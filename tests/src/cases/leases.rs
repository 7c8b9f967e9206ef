//! Handing events to one holder at a time.

use kanban_core::{
    Effect, EventKind, EventLease, LeaseEvents, Millis, NackLease, Rejection, RetryAfter, Scope,
    SubscribeTo, SubscriptionId,
};

use crate::answers::{invalid, rejected};
use crate::calls::{self, secs};
use crate::fixture::Fixture;
use crate::threads::race;

/// A lease hands out the events after the cursor that match, in id order, with the first attempt. [14.4]
pub(crate) async fn a_lease_hands_out_the_matching_events(t: &Fixture) {
    let task = t.ready("heard of").await;
    let call = SubscribeTo {
        kinds: vec![EventKind::Claimed, EventKind::Completed],
        ..calls::subscribe(Scope::Task(task.id.clone()), "amy")
    };
    let id = t.store.subscribe(call).await.unwrap().value.id;
    let claimed = t.claim(&task.id).await;
    t.store
        .comment(calls::comment(&task.id, "hm"))
        .await
        .unwrap();
    t.complete(&claimed).await;
    t.done().await;
    let handed = t.handed(id).await;
    assert_eq!(handed.kinds(), [EventKind::Claimed, EventKind::Completed]);
    assert!(
        handed
            .events
            .iter()
            .all(|e| e.task.as_ref() == Some(&task.id))
    );
    assert_eq!((handed.attempt, handed.until), (1, t.in_secs(60)));
    assert_eq!(t.subscription(id).await.attempts, 1);
}

/// A board subscription is handed the events of all tasks and of the board itself. [14.4]
pub(crate) async fn a_board_subscription_is_handed_all_events(t: &Fixture) {
    let id = t.subscribe_board("amy").await.id;
    let start = t.events().await.len();
    t.done().await;
    t.ready("another").await;
    let pause = calls::pause(kanban_core::PauseTarget::Board);
    t.store.pause(pause).await.unwrap();
    let handed = t.handed(id).await;
    assert_eq!(handed.events, t.events().await[start..]);
    assert_eq!(handed.kinds().last(), Some(&EventKind::Paused));
}

/// A lease hands out at most so many events, 1 to 1,000; the next one goes on after them. [14.4]
pub(crate) async fn a_lease_hands_out_at_most_its_limit(t: &Fixture) {
    let id = t.subscribe_board("amy").await.id;
    let start = t.events().await.len();
    t.done().await;
    for limit in [0, 1001] {
        let refused = t.store.lease_events(lease_of(id, limit)).await;
        assert_eq!(invalid(refused).field, "limit");
    }
    let mut found = Vec::new();
    for expected in [2, 1] {
        let leased = t.store.lease_events(lease_of(id, 2)).await.unwrap();
        let EventLease::Leased { lease, events, .. } = leased.value else {
            panic!("expected events");
        };
        assert_eq!(events.len(), expected);
        found.extend(events);
        t.store.ack(calls::ack(id, lease)).await.unwrap();
    }
    assert_eq!(found, t.events().await[start..]);
}

/// Until ack, nack or the ttl nobody else gets the events. [14.5]
pub(crate) async fn leased_events_are_one_holders(t: &Fixture) {
    let (id, _) = news(t).await;
    let handed = t.handed(id).await;
    let until = Some(handed.until);
    let other = t.open().await;
    for store in [&t.store, &other.store] {
        let leased = store.lease_events(calls::lease(id)).await.unwrap();
        assert_eq!(leased.value, EventLease::None { until });
    }
    t.advance(59);
    assert_eq!(t.lease(id).await, EventLease::None { until });
    other.boards.close().await.unwrap();
}

/// Of two holders that ask together one gets the events. [14.5] [14.9]
pub(crate) async fn of_two_holders_that_race_one_gets_the_events(t: &Fixture) {
    let (id, _) = news(t).await;
    let other = t.open().await;
    let found = race(4, |number| {
        let store = if number % 2 == 0 {
            &t.store
        } else {
            &other.store
        };
        pollster::block_on(store.lease_events(calls::lease(id)))
    });
    let leased = found
        .into_iter()
        .filter(|found| matches!(found.as_ref().unwrap().value, EventLease::Leased { .. }));
    assert_eq!(leased.count(), 1);
    other.boards.close().await.unwrap();
}

/// Where no event matches the kinds a lease moves the cursor past them all the same. [14.6]
pub(crate) async fn a_lease_moves_the_cursor_past_other_kinds(t: &Fixture) {
    let call = SubscribeTo {
        kinds: vec![EventKind::Archived],
        ..calls::subscribe(Scope::Board, "amy")
    };
    let made = t.store.subscribe(call).await.unwrap().value;
    t.done().await;
    let last = t.events().await.last().unwrap().id;
    assert_eq!(t.lease(made.id).await, EventLease::None { until: None });
    assert_eq!(t.subscription(made.id).await.cursor, last);
}

/// One lease looks at 10,000 events at most, and the next one goes on. [14.6]
pub(crate) async fn a_lease_looks_at_ten_thousand_events(t: &Fixture) {
    let call = SubscribeTo {
        kinds: vec![EventKind::Archived],
        ..calls::subscribe(Scope::Board, "amy")
    };
    let made = t.store.subscribe(call).await.unwrap().value;
    let mut last = None;
    for _ in 0..11 {
        last = t.thousand(&calls::new("one of many")).await.pop();
    }
    let last = last.unwrap();
    t.archive(&last).await;
    let archived = t.last_event(&last).await.id;
    assert_eq!(t.lease(made.id).await, EventLease::None { until: None });
    let cursor = t.subscription(made.id).await.cursor;
    assert!(made.cursor < cursor && cursor < archived, "found {cursor}");
    assert_eq!(t.handed(made.id).await.kinds(), [EventKind::Archived]);
}

/// ack moves the cursor past the leased events; what came meanwhile is handed out next. [14.7]
pub(crate) async fn ack_moves_the_cursor_past_the_leased_events(t: &Fixture) {
    let (id, claimed) = news(t).await;
    let handed = t.handed(id).await;
    t.complete(&claimed).await;
    let cursor = t.ack(id, &handed).await;
    assert_eq!(cursor, handed.events.last().unwrap().id);
    assert_eq!(t.subscription(id).await.cursor, cursor);
    let next = t.handed(id).await;
    assert_eq!(
        (next.kinds(), next.attempt),
        (vec![EventKind::Completed], 1)
    );
}

/// ack of the last acknowledged lease says `Repeated`, and moves nothing. [4.13] [14.7]
pub(crate) async fn a_repeated_ack_says_so(t: &Fixture) {
    let (id, claimed) = news(t).await;
    let handed = t.handed(id).await;
    let cursor = t.ack(id, &handed).await;
    t.complete(&claimed).await;
    let again = t.store.ack(calls::ack(id, handed.lease));
    let again = t.nothing_written(again).await.unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, cursor));
}

/// ack or nack of an older lease is stale: the newer holder's stands. [14.7]
pub(crate) async fn an_older_lease_is_stale(t: &Fixture) {
    let (id, claimed) = news(t).await;
    let old = t.handed(id).await;
    t.advance(60);
    t.complete(&claimed).await;
    let new = t.handed(id).await;
    assert!(new.lease > old.lease);
    let ack = t.store.ack(calls::ack(id, old.lease));
    assert_eq!(
        rejected(t.nothing_written(ack).await),
        Rejection::StaleLease
    );
    let nack = t.store.nack(calls::nack(id, old.lease));
    assert_eq!(
        rejected(t.nothing_written(nack).await),
        Rejection::StaleLease
    );
    t.ack(id, &new).await;
    let ack = t.store.ack(calls::ack(id, old.lease));
    assert_eq!(
        rejected(t.nothing_written(ack).await),
        Rejection::StaleLease
    );
}

/// A lease past its ttl that nobody else has taken is still its holder's to acknowledge. [14.7] [14.8]
pub(crate) async fn a_late_ack_counts_while_nobody_else_leases(t: &Fixture) {
    let (id, _) = news(t).await;
    let handed = t.handed(id).await;
    t.advance(3600);
    t.ack(id, &handed).await;
    assert_eq!(t.lease(id).await, EventLease::None { until: None });
}

/// nack gives the same events again at once, with the next attempt number. [14.8]
pub(crate) async fn nack_gives_the_same_events_again(t: &Fixture) {
    let (id, _) = news(t).await;
    let first = t.handed(id).await;
    t.store.nack(calls::nack(id, first.lease)).await.unwrap();
    assert_eq!(t.pending().await, [id]);
    let second = t.handed(id).await;
    assert_eq!((second.events, second.attempt), (first.events, 2));
    assert!(second.lease > first.lease);
}

/// After a nack nobody gets the events before `retry_after`. [14.8]
pub(crate) async fn nack_holds_the_events_back(t: &Fixture) {
    let (id, _) = news(t).await;
    let first = t.handed(id).await;
    let nack = NackLease {
        retry_after: Some(RetryAfter::new(secs(30)).unwrap()),
        ..calls::nack(id, first.lease)
    };
    t.store.nack(nack).await.unwrap();
    let end = t.in_secs(30);
    let held = EventLease::None { until: Some(end) };
    assert_eq!(t.lease(id).await, held);
    t.clock.jump(Millis::new(end.get() - 1));
    assert_eq!(t.lease(id).await, held);
    t.clock.jump(end);
    assert_eq!(t.pending().await, [id]);
    assert_eq!(t.handed(id).await.attempt, 2);
}

/// A lease whose ttl is over is given to the next who asks, with the next attempt number. [14.8]
pub(crate) async fn an_expired_lease_is_given_again(t: &Fixture) {
    let (id, _) = news(t).await;
    let first = t.handed(id).await;
    t.advance(60);
    assert_eq!(t.pending().await, [id]);
    let second = t.handed(id).await;
    assert_eq!((second.events, second.attempt), (first.events, 2));
}

/// Attempts count from one again after an ack. [14.8]
pub(crate) async fn attempts_begin_anew_after_an_ack(t: &Fixture) {
    let (id, claimed) = news(t).await;
    let first = t.handed(id).await;
    t.store.nack(calls::nack(id, first.lease)).await.unwrap();
    let second = t.handed(id).await;
    t.ack(id, &second).await;
    assert_eq!(t.subscription(id).await.attempts, 0);
    t.complete(&claimed).await;
    assert_eq!(t.handed(id).await.attempt, 1);
}

/// A holder that dies between taking and sending loses nothing: another gets the events after the ttl. [14.9]
pub(crate) async fn a_holder_that_dies_loses_nothing(t: &Fixture) {
    let (id, _) = news(t).await;
    let other = t.open().await;
    let leased = other.store.lease_events(calls::lease(id)).await.unwrap();
    let EventLease::Leased { events, .. } = leased.value else {
        panic!("expected events");
    };
    other.boards.close().await.unwrap();
    assert!(matches!(t.lease(id).await, EventLease::None { .. }));
    t.advance(60);
    assert_eq!(t.handed(id).await.events, events);
}

/// A subscription with one event that it has not heard: the claim of its task.
async fn news(t: &Fixture) -> (SubscriptionId, kanban_core::Claimed) {
    let task = t.ready("heard of").await;
    let id = t.subscribe(&task.id, "amy").await.id;
    let claimed = t.claim(&task.id).await;
    (id, claimed)
}

fn lease_of(id: SubscriptionId, limit: usize) -> LeaseEvents {
    LeaseEvents {
        limit,
        ..calls::lease(id)
    }
}

/// A lease of a clock that was far ahead holds nobody back once the clock is right. [1.3] [14.5]
pub(crate) async fn a_lease_of_a_wrong_clock_holds_nobody_back(t: &Fixture) {
    let task = t.ready("heard").await;
    let subscription = t.subscribe(&task.id, "a").await;
    t.store
        .comment(calls::comment(&task.id, "news"))
        .await
        .unwrap();
    let right = t.now();
    t.clock.jump(t.in_secs(10 * 365 * 86_400));
    t.handed(subscription.id).await;
    t.clock.jump(right);
    let pending = t.store.pending(10).await.unwrap().value;
    let pending: Vec<_> = pending.iter().map(|pending| pending.id).collect();
    assert_eq!(pending, [subscription.id], "expected to be told of it");
    let lease = t.lease(subscription.id).await;
    assert!(
        matches!(lease, EventLease::Leased { .. }),
        "found {lease:?}"
    );
}
