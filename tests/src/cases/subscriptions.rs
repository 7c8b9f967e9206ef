//! Making sure that somebody hears of events.

use std::time::Duration;

use kanban_core::{
    EventKind, EventLease, More, PurgeSettled, Scope, Subject, SubscribeTo, SubscriptionId,
    SubscriptionMode, SubscriptionsAfter,
};

use crate::answers::{invalid, kinds, missing, not_found};
use crate::calls::{self, json, label, secs};
use crate::fixture::Fixture;

/// A subscription keeps its routing, and starts caught up: it hears nothing from before, nor of itself. [14.1]
pub(crate) async fn a_new_subscription_starts_caught_up(t: &Fixture) {
    let task = t.done().await;
    let call = SubscribeTo {
        thread: Some(label("thread-1")),
        routing: Some(json(r#"{"bot":"b1"}"#)),
        kinds: vec![EventKind::Archived],
        mode: SubscriptionMode::Wake,
        ..calls::subscribe(Scope::Task(task.id.clone()), "amy")
    };
    let made = t.store.subscribe(call.clone()).await.unwrap().value;
    assert_eq!((&made.scope, &made.channel), (&call.scope, &call.channel));
    assert_eq!((&made.address, &made.thread), (&call.address, &call.thread));
    assert_eq!((&made.routing, &made.kinds), (&call.routing, &call.kinds));
    assert_eq!((made.mode, made.created_at), (call.mode, t.now()));
    let all = t.subscribe(&task.id, "all kinds").await;
    for id in [made.id, all.id] {
        assert_eq!(t.lease(id).await, EventLease::None { until: None });
    }
    assert!(t.pending().await.is_empty());
}

/// The same again is the same subscription, with the kinds, routing and mode of the new call and the old cursor. [14.1]
pub(crate) async fn the_same_subscription_again_is_the_same(t: &Fixture) {
    let task = t.ready("heard of").await;
    let first = t.subscribe(&task.id, "amy").await;
    t.claim(&task.id).await;
    let again = SubscribeTo {
        kinds: vec![EventKind::Claimed],
        routing: Some(json(r#"{"bot":"b2"}"#)),
        mode: SubscriptionMode::Wake,
        ..calls::subscribe(Scope::Task(task.id.clone()), "amy")
    };
    let second = t.store.subscribe(again.clone()).await.unwrap().value;
    assert_eq!((second.id, second.cursor), (first.id, first.cursor));
    assert_eq!((second.kinds, second.routing), (again.kinds, again.routing));
    assert_eq!(second.mode, SubscriptionMode::Wake);
    assert_eq!(t.subscriptions(&task.id).await.len(), 1);
    assert_eq!(t.handed(first.id).await.kinds(), [EventKind::Claimed]);
}

/// Another scope, channel, address or thread is another subscription. [14.1]
pub(crate) async fn another_place_is_another_subscription(t: &Fixture) {
    let (task, other) = (t.ready("one").await, t.ready("other").await);
    let call = calls::subscribe(Scope::Task(task.id.clone()), "amy");
    let others = [
        calls::subscribe(Scope::Task(other.id.clone()), "amy"),
        calls::subscribe(Scope::Board, "amy"),
        calls::subscribe(Scope::Task(task.id.clone()), "bob"),
        SubscribeTo {
            channel: label("mail"),
            ..call.clone()
        },
        SubscribeTo {
            thread: Some(label("thread")),
            ..call.clone()
        },
    ];
    t.store.subscribe(call).await.unwrap();
    for (made, call) in others.into_iter().enumerate() {
        t.store.subscribe(call).await.unwrap();
        assert_eq!(all(t).await.len(), made + 2);
    }
}

/// A subscription to a task that does not exist is refused. [14.1] [18.3]
pub(crate) async fn a_subscription_to_an_unknown_task_is_not_found(t: &Fixture) {
    let id = calls::task_id("t_made_up");
    let call = calls::subscribe(Scope::Task(id.clone()), "amy");
    missing(t.nothing_written(t.store.subscribe(call)).await, &id);
}

/// subscribe and unsubscribe write their events on the task, or on the board. [14.2]
pub(crate) async fn subscribe_and_unsubscribe_write_events(t: &Fixture) {
    let task = t.ready("heard of").await;
    for scope in [Scope::Task(task.id.clone()), Scope::Board] {
        let call = calls::subscribe(scope.clone(), "amy");
        let (made, events) = t.events_by(t.store.subscribe(call)).await;
        assert_eq!(kinds(&events), [EventKind::Subscribed]);
        assert_eq!(events[0].task.as_ref(), scope.task());
        let call = calls::unsubscribe(made.id);
        let (gone, events) = t.events_by(t.store.unsubscribe(call)).await;
        assert_eq!(gone.id, made.id);
        assert_eq!(kinds(&events), [EventKind::Unsubscribed]);
        assert_eq!(events[0].task.as_ref(), scope.task());
        assert_eq!(events[0].actor, Some(label("anna")));
    }
    assert!(all(t).await.is_empty());
}

/// unsubscribe, a lease, an ack and a nack of an unknown subscription are `NotFound`. [14.2] [18.3]
pub(crate) async fn an_unknown_subscription_is_not_found(t: &Fixture) {
    let id = SubscriptionId::new(99);
    let lease = kanban_core::LeaseId::new(1);
    let unknown = Subject::Subscription(99);
    let refused = t.store.unsubscribe(calls::unsubscribe(id)).await;
    assert_eq!(not_found(refused), unknown);
    let refused = t.store.lease_events(calls::lease(id)).await;
    assert_eq!(not_found(refused), unknown);
    assert_eq!(not_found(t.store.ack(calls::ack(id, lease)).await), unknown);
    let refused = t.store.nack(calls::nack(id, lease)).await;
    assert_eq!(not_found(refused), unknown);
}

/// subscriptions lists by id, of one task or of the whole board, a page at a time. [14.2]
pub(crate) async fn subscriptions_are_listed_by_id(t: &Fixture) {
    let (one, other) = (t.ready("one").await, t.ready("other").await);
    let mut made = Vec::new();
    for (task, at) in [(&one, "a"), (&other, "b"), (&one, "c")] {
        made.push(t.subscribe(&task.id, at).await.id);
    }
    made.push(t.subscribe_board("d").await.id);
    assert_eq!(all(t).await, made);
    let ids =
        |found: Vec<kanban_core::Subscription>| found.iter().map(|s| s.id).collect::<Vec<_>>();
    assert_eq!(ids(t.subscriptions(&one.id).await), [made[0], made[2]]);
    let page = SubscriptionsAfter {
        task: None,
        after: Some(made[0]),
        limit: 2,
    };
    let page = t.store.subscriptions(page).await.unwrap().value;
    assert_eq!(ids(page), made[1..3]);
}

/// pending lists the subscriptions that have news which nobody has leased, and no others. [14.3]
pub(crate) async fn pending_lists_those_with_news_that_nobody_has(t: &Fixture) {
    let (task, other) = (t.ready("one").await, t.ready("other").await);
    let (first, quiet) = (
        t.subscribe(&task.id, "a").await,
        t.subscribe(&other.id, "b").await,
    );
    assert!(t.pending().await.is_empty());
    t.claim(&task.id).await;
    assert_eq!(t.pending().await, [first.id]);
    let handed = t.handed(first.id).await;
    assert!(t.pending().await.is_empty());
    t.ack(first.id, &handed).await;
    assert!(t.pending().await.is_empty());
    t.claim(&other.id).await;
    assert_eq!(t.pending().await, [quiet.id]);
}

/// Events that no kind of a subscription matches are no news to it. [14.3]
pub(crate) async fn events_of_other_kinds_are_no_news(t: &Fixture) {
    let task = t.ready("heard of").await;
    let call = SubscribeTo {
        kinds: vec![EventKind::Completed],
        ..calls::subscribe(Scope::Task(task.id.clone()), "amy")
    };
    let id = t.store.subscribe(call).await.unwrap().value.id;
    let claimed = t.claim(&task.id).await;
    assert!(t.pending().await.is_empty());
    t.complete(&claimed).await;
    assert_eq!(t.pending().await, [id]);
    assert_eq!(t.handed(id).await.kinds(), [EventKind::Completed]);
}

/// pending is of 1 to 1,000, by id. [14.3]
pub(crate) async fn pending_has_a_limit(t: &Fixture) {
    let task = t.ready("heard of").await;
    let first = t.subscribe(&task.id, "a").await;
    t.subscribe(&task.id, "b").await;
    t.claim(&task.id).await;
    let one = t.store.pending(1).await.unwrap().value;
    assert_eq!(one.iter().map(|s| s.id).collect::<Vec<_>>(), [first.id]);
    for limit in [0, 1001] {
        assert_eq!(invalid(t.store.pending(limit).await).field, "limit");
    }
}

/// purge removes the subscriptions of tasks settled that long that have heard everything. [14.10]
pub(crate) async fn purge_removes_what_has_heard_everything(t: &Fixture) {
    let (id, claimed) = news(t).await;
    t.complete(&claimed).await;
    let handed = t.handed(id).await;
    t.ack(id, &handed).await;
    t.advance(3600);
    assert_eq!(purge(t, 3601, 100).await, (0, More::Finished));
    assert_eq!(purge(t, 3600, 100).await, (1, More::Finished));
    assert!(all(t).await.is_empty());
}

/// purge keeps what has not heard everything, what is not settled, and what is the board's. [14.10]
pub(crate) async fn purge_keeps_all_others(t: &Fixture) {
    let (behind, claimed) = news(t).await;
    t.complete(&claimed).await;
    let open = t.ready("not settled").await;
    let open = t.subscribe(&open.id, "amy").await.id;
    let board = t.subscribe_board("amy").await.id;
    t.advance(3600);
    assert_eq!(purge(t, 0, 100).await, (0, More::Finished));
    assert_eq!(all(t).await, [behind, open, board]);
}

/// purge removes at most its limit, 1 to 1,000, and says whether there is more. [14.10]
pub(crate) async fn purge_says_whether_there_is_more(t: &Fixture) {
    for at in ["a", "b", "c"] {
        let task = t.done().await;
        t.subscribe(&task.id, at).await;
    }
    let purged = purge(t, 0, 2).await;
    assert_eq!(purged, (2, More::More));
    assert_eq!(purge(t, 0, 2).await, (1, More::Finished));
    for limit in [0, 1001] {
        let call = PurgeSettled {
            older_than: Duration::ZERO,
            limit,
        };
        assert_eq!(invalid(t.store.purge_settled(call).await).field, "limit");
    }
}

/// A subscription with one event that it has not heard: the claim of its task.
async fn news(t: &Fixture) -> (SubscriptionId, kanban_core::Claimed) {
    let task = t.ready("heard of").await;
    let id = t.subscribe(&task.id, "amy").await.id;
    let claimed = t.claim(&task.id).await;
    (id, claimed)
}

async fn purge(t: &Fixture, seconds: u64, limit: usize) -> (u64, More) {
    let call = PurgeSettled {
        older_than: secs(seconds),
        limit,
    };
    let purged = t.store.purge_settled(call).await.unwrap().value;
    (purged.removed, purged.more)
}

async fn all(t: &Fixture) -> Vec<SubscriptionId> {
    let after = SubscriptionsAfter {
        task: None,
        after: None,
        limit: 1000,
    };
    let found = t.store.subscriptions(after).await.unwrap().value;
    found.into_iter().map(|found| found.id).collect()
}
