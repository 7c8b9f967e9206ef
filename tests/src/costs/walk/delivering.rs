//! Who hears of what, and upkeep.

use kanban_core::{
    CollectEvents, Covered, EventKind, EventLease, Policy, PurgeSettled, Scope, SetPolicy, TaskId,
};

use crate::calls;
use crate::costs::stage::Stage;

pub(super) async fn walk(s: &Stage) {
    let task = s.ready().await;
    let call = calls::subscribe(Scope::Task(task.clone()), "amy");
    let made = s.cost("subscribe", s.store.subscribe(call)).await.value.id;
    s.claim(&task).await;
    let asked = s.store.pending(10);
    s.cost("pending, 1 of 1 subscription", asked).await;
    let lease = async |operation: Option<&'static str>| {
        let call = s.store.lease_events(calls::lease(made));
        let answer = match operation {
            Some(operation) => s.cost(operation, call).await,
            None => call.await.expect("a lease"),
        };
        match answer.value {
            EventLease::Leased { lease, .. } => lease,
            EventLease::None { .. } => panic!("expected news"),
        }
    };
    let first = lease(Some("lease_events, 1 event")).await;
    s.cost("nack", s.store.nack(calls::nack(made, first))).await;
    let second = lease(None).await;
    s.cost("ack", s.store.ack(calls::ack(made, second))).await;
    let asked = s.store.lease_events(calls::lease(made));
    s.cost("lease_events, no news", asked).await;
    find_a_kind(s, &task).await;
    let call = calls::unsubscribe(made);
    s.cost("unsubscribe", s.store.unsubscribe(call)).await;
}

/// The first event after the cursor is wanted; so many come behind it.
async fn find_a_kind(s: &Stage, task: &TaskId) {
    let mut call = calls::subscribe(Scope::Board, "bob");
    call.kinds = vec![EventKind::Commented];
    let made = s.store.subscribe(call).await.expect("subscribed").value.id;
    for _ in 0..8 {
        let said = s.store.comment(calls::comment(task, "well")).await;
        said.expect("said");
    }
    let mut call = calls::lease(made);
    call.limit = 1;
    let leased = s.store.lease_events(call);
    s.cost("lease_events, 1 event of a kind, 7 behind it", leased)
        .await;
    let gone = s.store.unsubscribe(calls::unsubscribe(made)).await;
    gone.expect("unsubscribed");
}

pub(super) async fn walk_upkeep(s: &Stage) {
    let policy = Policy {
        failure_limit: 3 + s.round,
        ..Policy::default()
    };
    let actor = calls::label("olga");
    let call = SetPolicy { policy, actor };
    s.cost("set_policy", s.store.set_policy(call)).await;

    let purge = PurgeSettled {
        older_than: calls::secs(60),
        limit: 100,
    };
    let collect = CollectEvents {
        older_than: calls::secs(60),
        limit: 10_000,
        covered: Covered::Keep,
    };
    // What the walk has left so far.
    s.advance(60).await;
    s.store.gc(collect).await.expect("a collection");
    let claimed = s.claimed().await;
    let mut call = calls::heartbeat(&claimed);
    call.note = Some(calls::note("it lives"));
    s.store.heartbeat(call).await.expect("a heartbeat");
    s.complete(&claimed).await;
    let call = calls::subscribe(Scope::Task(claimed.task.id), "bob");
    s.store.subscribe(call).await.expect("a subscription");
    s.advance(60).await;
    s.cost("gc, 1 settled task", s.store.gc(collect)).await;
    s.cost("gc, nothing to do", s.store.gc(collect)).await;
    s.cost(
        "purge_settled, 1 of 1 subscription",
        s.store.purge_settled(purge),
    )
    .await;
}
