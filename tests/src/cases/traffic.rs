//! Everything at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kanban_core::{
    BoardStore, Effect, EventKind, EventLease, FailKind, NextClaim, Scope, Status, SubscriptionId,
};

use crate::calls;
use crate::fixture::Fixture;
use crate::threads::race;

/// What was answered, over all threads.
#[derive(Debug, Default)]
struct Answered {
    operations: AtomicU64,
    created: AtomicU64,
    claimed: AtomicU64,
    completed: AtomicU64,
    failed: AtomicU64,
    commented: AtomicU64,
    delivered: AtomicU64,
}

/// Eight threads that create, claim, complete, fail, comment, list, lease and acknowledge lose nothing that was
/// answered, and do nothing twice. [5.1] [17.1] [17.11] [14.5]
pub(crate) async fn eight_threads_of_mixed_traffic_lose_nothing(t: &Fixture) {
    let stores: Vec<_> = (0..8).map(|_| Arc::clone(&t.store)).collect();
    mixed(t, &stores, 60).await;
}

/// The same over four stores of one root, as four processes would. [5.1] [17.1] [17.11] [14.5]
pub(crate) async fn mixed_traffic_over_four_stores_loses_nothing(t: &Fixture) {
    let mut opened = Vec::new();
    for _ in 0..4 {
        opened.push(t.open().await);
    }
    let stores: Vec<_> = opened
        .iter()
        .map(|opened| Arc::clone(&opened.store))
        .collect();
    mixed(t, &stores, 40).await;
    for opened in opened {
        opened.boards.close().await.unwrap();
    }
}

/// Lets each store be used by a thread of its own for so many rounds, then counts.
async fn mixed(t: &Fixture, stores: &[Arc<dyn BoardStore>], rounds: u32) {
    let subscribe = calls::subscribe(Scope::Board, "everything");
    let subscription = t.store.subscribe(subscribe).await.unwrap().value;
    let answered = Answered::default();
    race(stores.len(), |number| {
        for round in 0..rounds {
            pollster::block_on(turn(
                &*stores[number],
                number,
                round,
                subscription.id,
                &answered,
            ));
        }
    });
    while pollster::block_on(deliver(&*t.store, subscription.id, &answered)) {}
    let events = t.events().await;
    let mut kinds = BTreeMap::new();
    for event in &events {
        *kinds.entry(event.kind.clone()).or_insert(0_u64) += 1;
    }
    let of = |kind| kinds.get(&kind).copied().unwrap_or(0);
    let get = |count: &AtomicU64| count.load(Ordering::SeqCst);
    let stats = t.store.stats().await.unwrap().value;
    let lost = get(&answered.created).abs_diff(stats.total())
        + get(&answered.claimed).abs_diff(of(EventKind::Claimed))
        + get(&answered.completed).abs_diff(of(EventKind::Completed))
        + get(&answered.failed).abs_diff(of(EventKind::Failed))
        + get(&answered.commented).abs_diff(of(EventKind::Commented));
    eprintln!(
        "{} threads: {} operations answered, {} events, {lost} lost",
        stores.len(),
        get(&answered.operations),
        events.len()
    );
    assert_eq!(
        lost, 0,
        "expected {answered:?}, found {kinds:?} and {stats:?}"
    );
    assert_eq!(stats.in_status(Status::Done), get(&answered.completed));
    assert_eq!(
        get(&answered.claimed),
        get(&answered.completed) + get(&answered.failed)
    );
    let after = events
        .iter()
        .filter(|event| event.id > subscription.cursor)
        .count();
    assert_eq!(get(&answered.delivered), u64::try_from(after).unwrap());
}

/// One thread's turn: seven operations, all of which must be answered.
async fn turn(
    store: &dyn BoardStore,
    number: usize,
    round: u32,
    subscription: SubscriptionId,
    answered: &Answered,
) {
    let count = |what: &AtomicU64| {
        what.fetch_add(1, Ordering::SeqCst);
        answered.operations.fetch_add(1, Ordering::SeqCst);
    };
    let task = store
        .create(calls::new(&format!("{number}/{round}")))
        .await
        .unwrap()
        .value;
    count(&answered.created);
    let comment = store
        .comment(calls::comment(&task.id, "on its way"))
        .await
        .unwrap();
    assert_eq!(comment.effect, Effect::Applied);
    count(&answered.commented);
    let next = store.claim_next(calls::claim_next()).await.unwrap().value;
    if let NextClaim::Claimed(claimed) = next {
        count(&answered.claimed);
        if round.is_multiple_of(3) {
            store
                .fail(calls::fail(&claimed, FailKind::RateLimited))
                .await
                .unwrap();
            count(&answered.failed);
        } else {
            store.complete(calls::complete(&claimed)).await.unwrap();
            count(&answered.completed);
        }
    }
    store.list(calls::list_all()).await.unwrap();
    deliver(store, subscription, answered).await;
}

/// Takes the next events, if nobody else has them, and acknowledges them.
async fn deliver(
    store: &dyn BoardStore,
    subscription: SubscriptionId,
    answered: &Answered,
) -> bool {
    let lease = store
        .lease_events(calls::lease(subscription))
        .await
        .unwrap()
        .value;
    let EventLease::Leased { lease, events, .. } = lease else {
        return false;
    };
    let ack = store.ack(calls::ack(subscription, lease)).await.unwrap();
    assert_eq!(ack.effect, Effect::Applied);
    answered.operations.fetch_add(2, Ordering::SeqCst);
    let delivered = u64::try_from(events.len()).unwrap();
    answered.delivered.fetch_add(delivered, Ordering::SeqCst);
    true
}
