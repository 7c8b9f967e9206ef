//! What the contract was silent about until a naive oracle, written from it alone, had to ask.

use kanban_core::{
    BlockTask, CollectEvents, Covered, Effect, EventFilter, EventId, EventKind, EventLease, Events,
    Fail, FailKind, NotClaimable, Outcome, PauseClaims, PauseTarget, Rejection, Scope, Status,
    SubscribeTo, SubscriptionsAfter, WorkerBlockKind,
};

use crate::answers::{data, rejected};
use crate::calls::{self, reason};
use crate::fixture::Fixture;

/// A heartbeat that leaves the claim as it is writes nothing at all. [6.12] The oracle counted a command.
pub(crate) async fn a_heartbeat_that_changes_nothing_writes_nothing(t: &Fixture) {
    let claimed = t.claimed().await;
    t.store.heartbeat(calls::heartbeat(&claimed)).await.unwrap();
    let again = t.store.heartbeat(calls::heartbeat(&claimed));
    let again = t.nothing_written(again).await.unwrap();
    assert_eq!(again.effect, Effect::Unchanged);
    assert_eq!(again.value.heartbeat_at, Some(t.now()));
}

/// A task in back-off on a paused board is told to wait for its time: of several reasons the first. [6.4]
pub(crate) async fn of_several_reasons_the_first_is_told(t: &Fixture) {
    let claimed = t.claimed().await;
    let failed = t.fail(&claimed, FailKind::Crashed).await.task;
    let pause = calls::pause(PauseTarget::Board);
    t.store.pause(pause).await.unwrap();
    let refused = t.store.claim(calls::claim(&failed.id)).await;
    let at = failed.not_before.unwrap();
    let why = NotClaimable::NotBefore(at);
    assert_eq!(rejected(refused), Rejection::NotClaimable(why));
}

/// A second pause keeps the time of the first, and the same again is no change. [8.5]
pub(crate) async fn a_second_pause_keeps_the_time_of_the_first(t: &Fixture) {
    let first = calls::pause(PauseTarget::Board);
    let first = t.store.pause(first).await.unwrap().value;
    t.advance(60);
    let other = PauseClaims {
        reason: Some(reason("another")),
        ..calls::pause(PauseTarget::Board)
    };
    let second = t.store.pause(other.clone()).await.unwrap();
    assert_eq!(second.effect, Effect::Applied);
    assert_eq!(
        (second.value.at, second.value.reason),
        (first.at, other.reason.clone())
    );
    t.advance(60);
    let third = t.nothing_written(t.store.pause(other)).await.unwrap();
    assert_eq!(
        (third.effect, third.value.at),
        (Effect::Unchanged, first.at)
    );
}

/// A failure without an error is told by the name of its kind, and the run has no error. [7.7]
pub(crate) async fn a_failure_without_an_error_is_told_by_its_kind(t: &Fixture) {
    let claimed = t.claimed().await;
    let fail = Fail {
        error: None,
        ..calls::fail(&claimed, FailKind::Infrastructure)
    };
    let (ended, events) = t.events_by(t.store.fail(fail)).await;
    let last = ended.task.last_error.unwrap();
    assert_eq!(last.as_str(), "infrastructure");
    assert_eq!(data(&events[0], "error"), "infrastructure");
    assert_eq!(ended.run.unwrap().error, None);
}

/// Claims that end together are taken back by task id, whichever was given first. [6.16] The oracle went by run.
pub(crate) async fn claims_that_end_together_are_taken_back_by_task(t: &Fixture) {
    let (first, second) = (t.ready("first").await, t.ready("second").await);
    t.claim(&second.id).await;
    t.claim(&first.id).await;
    t.advance(3600);
    let call = kanban_core::ReclaimExpired { limit: 100 };
    let reclaimed = t.store.reclaim_expired(call).await.unwrap().value;
    let ended: Vec<_> = reclaimed
        .ended
        .into_iter()
        .map(|ended| ended.task.id)
        .collect();
    assert_eq!(ended, [first.id, second.id]);
}

/// A filter by a task that does not exist is empty, and is no question about it. [15.2] [15.1]
pub(crate) async fn a_filter_by_an_unknown_task_is_empty(t: &Fixture) {
    t.done().await;
    t.subscribe_board("amy").await;
    let task = Some(calls::task_id("t_made_up"));
    let events = Events {
        filter: EventFilter {
            task: task.clone(),
            kinds: Vec::new(),
        },
        ..calls::events_after(EventId::new(0))
    };
    assert_eq!(t.store.events(events).await.unwrap().value.events, []);
    let subscriptions = SubscriptionsAfter {
        task,
        after: None,
        limit: 100,
    };
    let found = t.store.subscriptions(subscriptions).await.unwrap().value;
    assert_eq!(found, []);
}

/// gc keeps nothing for a subscription that does not want it, though it covers the task. [16.9]
pub(crate) async fn gc_keeps_nothing_for_whom_does_not_want_it(t: &Fixture) {
    let task = t.ready("heard of").await;
    let call = SubscribeTo {
        kinds: vec![EventKind::Archived],
        ..calls::subscribe(Scope::Board, "amy")
    };
    t.store.subscribe(call).await.unwrap();
    t.store
        .comment(calls::comment(&task.id, "hm"))
        .await
        .unwrap();
    t.finish_task(&task.id).await;
    t.archive(&task.id).await;
    let call = CollectEvents {
        older_than: calls::secs(0),
        limit: 100,
        covered: Covered::Keep,
    };
    let removed = t.store.gc(call).await.unwrap().value.removed;
    let kept = [
        EventKind::Created,
        EventKind::Completed,
        EventKind::Archived,
    ];
    assert_eq!((removed, t.kinds_of(&task.id).await), (1, kept.to_vec()));
}

/// unlink of a parent that does not exist names it, as link does. [5.15] [18.3]
pub(crate) async fn unlink_of_an_unknown_parent_names_it(t: &Fixture) {
    let child = t.ready("a child").await;
    let parent = calls::task_id("t_made_up");
    let unlink = t.store.unlink(calls::unlink(&parent, &child.id));
    let ids = vec![parent.clone()];
    let refused = rejected(t.nothing_written(unlink).await);
    assert_eq!(refused, Rejection::UnknownTasks { ids });
}

/// A scheduled task that is blocked on nothing loses its time: it waits for a human. [8.8] The oracle kept it.
pub(crate) async fn a_scheduled_task_blocked_on_nothing_loses_its_time(t: &Fixture) {
    let task = t.scheduled().await;
    let block = BlockTask {
        on: Vec::new(),
        ..calls::block_by(&task.id, calls::olga(), WorkerBlockKind::Dependency)
    };
    let task = t.store.block(block).await.unwrap().value.task;
    assert_eq!((task.status, task.wake_at), (Status::Scheduled, None));
}

/// Work that nobody has handed in has no implementer: reopened, it keeps its assignee. [10.5]
pub(crate) async fn reopened_work_without_an_implementer_keeps_its_assignee(t: &Fixture) {
    let task = t.ready_for("amy").await;
    t.finish_task(&task.id).await;
    let reopened = t.store.reopen(calls::reopen(&task.id)).await.unwrap().value;
    assert_eq!(reopened.task.assignee, task.assignee);
    assert_eq!(reopened.task.implementer, None);
}

/// The same graph again is answered, though an item that exists now waits for itself in it; with one new item the
/// circle refuses the call. [5.7] [5.8] [18.11]
pub(crate) async fn a_circle_over_an_item_that_exists_refuses_what_is_new(t: &Fixture) {
    let keyed = |parents| {
        let mut item = calls::item("keyed", parents);
        item.task.idempotency_key = Some(calls::label("key"));
        item
    };
    let itself = || keyed(vec![kanban_core::ParentRef::Item(0)]);
    let made = t.store.create_many(calls::many(vec![keyed(vec![])]));
    let made = made.await.unwrap().value;
    let again = t.store.create_many(calls::many(vec![itself()]));
    let again = t.nothing_written(again).await.unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, made));
    let new = calls::many(vec![itself(), calls::item("new", vec![])]);
    let refused = rejected(t.nothing_written(t.store.create_many(new)).await);
    assert_eq!(refused, Rejection::CycleAmongItems { path: vec![0, 0] });
}

/// A long summary and a long error stand in their events with their first 500 bytes. [7.6] [7.7]
pub(crate) async fn an_event_tells_the_first_500_bytes(t: &Fixture) {
    let long = "é".repeat(300);
    let claimed = t.claimed().await;
    let call = kanban_core::Complete {
        summary: Some(calls::note(&long)),
        ..calls::complete(&claimed)
    };
    let (ended, events) = t.events_by(t.store.complete(call)).await;
    assert_eq!(data(&events[0], "summary"), "é".repeat(250).as_str());
    let run = ended.run.unwrap();
    assert_eq!(run.summary, Some(calls::note(&long)));
    assert_eq!(run.outcome, Some(Outcome::Completed));
}

/// A subscriber who wants other kinds by now ends the delivery that was under way: once the ttl is over, what was handed
/// out is passed by, and its lease is stale. [14.6] The oracle let it be acknowledged.
pub(crate) async fn a_delivery_that_nobody_wants_any_more_is_over(t: &Fixture) {
    let task = t.ready("heard of").await;
    let id = t.subscribe(&task.id, "amy").await.id;
    t.store
        .attach(calls::attach(&task.id, "a.txt"))
        .await
        .unwrap();
    let handed = t.handed(id).await;
    let other = SubscribeTo {
        kinds: vec![EventKind::Claimed],
        ..calls::subscribe(Scope::Task(task.id), "amy")
    };
    t.store.subscribe(other).await.unwrap();
    t.advance(60);
    assert_eq!(t.lease(id).await, EventLease::None { until: None });
    let after = t.subscription(id).await;
    assert_eq!((after.lease, after.attempts), (None, 0));
    let late = t.store.ack(calls::ack(id, handed.lease)).await;
    assert_eq!(rejected(late), Rejection::StaleLease);
}

/// A subtask that was unlinked from its root is none any more: the same division again is no repeat. [10.9]
pub(crate) async fn an_unlinked_subtask_is_no_subtask(t: &Fixture) {
    let root = t.triage().await;
    let mut piece = calls::subtask("a piece", &[]);
    piece.idempotency_key = Some(calls::label("key"));
    let divide = || {
        t.store
            .decompose(calls::decompose(&root.id, vec![piece.clone()]))
    };
    let made = divide().await.unwrap().value;
    assert_eq!(divide().await.unwrap().effect, Effect::Repeated);
    let unlink = calls::unlink(&made.subtasks[0], &root.id);
    t.store.unlink(unlink).await.unwrap();
    let refused = rejected(t.nothing_written(divide()).await);
    assert_eq!(refused.reason(), "wrong_status");
}

/// Of the subscriptions that nobody needs any more those of the smallest ids go first. [14.10]
pub(crate) async fn subscriptions_are_purged_by_their_ids(t: &Fixture) {
    let (first, second) = (t.done().await, t.done().await);
    let gone = t.subscribe(&second.id, "amy").await;
    t.subscribe(&first.id, "amy").await;
    let purge = kanban_core::PurgeSettled {
        older_than: calls::secs(0),
        limit: 1,
    };
    let removed = t.store.purge_settled(purge).await.unwrap().value;
    assert_eq!(
        (removed.removed, removed.more),
        (1, kanban_core::More::More)
    );
    assert!(
        t.subscriptions(&gone.scope.task().unwrap().clone())
            .await
            .is_empty()
    );
}
