//! What the clock does: claims that end, and tasks that wake.

use std::time::Duration;

use kanban_core::{
    ClaimTask, EventKind, Heartbeat, More, NewTask, Outcome, ReclaimExpired, Start, Status, TaskId,
    WakeDue,
};

use crate::answers::{data, kinds};
use crate::calls;
use crate::fixture::Fixture;

/// A claim past its deadline is taken back as `lease_expired`: counted, with a back-off, as if it had failed. [6.14]
pub(crate) async fn an_expired_claim_is_taken_back(t: &Fixture) {
    let claimed = t.claimed().await;
    t.store
        .set_worker(calls::set_worker(&claimed.task.id, claimed.run.id, 7))
        .await
        .unwrap();
    t.advance(900);
    let (found, events) = t.events_by(t.store.reclaim_expired(calls::reclaim())).await;
    let [ended] = found.ended.as_slice() else {
        panic!("expected one, found {found:?}")
    };
    let run = ended.run.as_ref().unwrap();
    assert_eq!(
        (run.id, run.outcome),
        (claimed.run.id, Some(Outcome::LeaseExpired))
    );
    assert_eq!(run.error, Some(calls::note("lease_expired")));
    assert_eq!(run.worker, Some(calls::process(7)));
    assert_eq!((ended.task.status, ended.task.failures), (Status::Ready, 1));
    assert_eq!(ended.task.last_error, Some(calls::note("lease_expired")));
    assert!(ended.task.not_before.unwrap() > t.now());
    assert_eq!(found.more, More::Finished);
    assert_eq!(kinds(&events), [EventKind::Failed]);
    assert_eq!(data(&events[0], "kind"), "lease_expired");
}

/// A claim whose run has reached its time limit is taken back as `timed_out`. [6.14]
pub(crate) async fn a_run_at_its_time_limit_is_timed_out(t: &Fixture) {
    let max_runtime = Some(calls::secs(90));
    let task = t
        .create(NewTask {
            max_runtime,
            ..calls::new("timed")
        })
        .await;
    t.claim(&task.id).await;
    t.advance(90);
    let found = t
        .store
        .reclaim_expired(calls::reclaim())
        .await
        .unwrap()
        .value;
    let run = found.ended[0].run.clone().unwrap();
    assert_eq!(run.outcome, Some(Outcome::TimedOut));
    assert_eq!(run.error, Some(calls::note("timed_out")));
}

/// A claim that ends before its time limit is `lease_expired`, also on a task that has one. [6.14]
pub(crate) async fn a_claim_that_ends_before_its_time_limit_is_expired(t: &Fixture) {
    let max_runtime = Some(calls::secs(90));
    let task = t
        .create(NewTask {
            max_runtime,
            ..calls::new("timed")
        })
        .await;
    let call = ClaimTask {
        ttl: Some(calls::ttl(10)),
        ..calls::claim(&task.id)
    };
    t.store.claim(call).await.unwrap();
    t.advance(10);
    let found = t
        .store
        .reclaim_expired(calls::reclaim())
        .await
        .unwrap()
        .value;
    assert_eq!(
        found.ended[0].run.clone().unwrap().outcome,
        Some(Outcome::LeaseExpired)
    );
}

/// A claim is taken back from its deadline on, and not a moment before; one that was extended, later. [6.14] [6.12]
pub(crate) async fn a_claim_is_left_alone_until_its_deadline(t: &Fixture) {
    let (claimed, extended) = (t.claimed().await, t.claimed().await);
    let beat = Heartbeat {
        extend: Some(calls::ttl(1000)),
        ..calls::heartbeat(&extended)
    };
    t.store.heartbeat(beat).await.unwrap();
    let deadline = t.in_secs(900);
    t.clock.jump(deadline.before(Duration::from_millis(1)));
    let call = t.store.reclaim_expired(calls::reclaim());
    assert!(
        t.nothing_written(call)
            .await
            .unwrap()
            .value
            .ended
            .is_empty()
    );
    t.clock.jump(deadline);
    let found = t
        .store
        .reclaim_expired(calls::reclaim())
        .await
        .unwrap()
        .value;
    let ids: Vec<&TaskId> = found.ended.iter().map(|ended| &ended.task.id).collect();
    assert_eq!(ids, [&claimed.task.id]);
    assert_eq!(
        t.task(&extended.task.id).await.claim.unwrap().run,
        extended.run.id
    );
}

/// A claim that is taken back at the limit of failures trips the breaker. [6.14] [7.11]
pub(crate) async fn an_expired_claim_counts_towards_the_breaker(t: &Fixture) {
    let task = t.ready("unlucky").await;
    for expected in [Status::Ready, Status::Blocked] {
        t.claim(&task.id).await;
        t.advance(900);
        let found = t
            .store
            .reclaim_expired(calls::reclaim())
            .await
            .unwrap()
            .value;
        assert_eq!(found.ended[0].task.status, expected);
        t.advance(3600);
    }
    assert_eq!(t.last_event(&task.id).await.kind, EventKind::GaveUp);
}

/// Claims are taken back the earliest deadline first, up to the limit; the answer says whether there are more. [6.16]
pub(crate) async fn claims_are_taken_back_the_earliest_first(t: &Fixture) {
    let mut ids = Vec::new();
    for ttl in [30, 10, 20] {
        let task = t.ready("claimed").await;
        let call = ClaimTask {
            ttl: Some(calls::ttl(ttl)),
            ..calls::claim(&task.id)
        };
        t.store.claim(call).await.unwrap();
        ids.push(task.id);
    }
    t.advance(60);
    let before = t.seq().await.get();
    let first = t
        .store
        .reclaim_expired(ReclaimExpired { limit: 2 })
        .await
        .unwrap();
    let found: Vec<&TaskId> = first
        .value
        .ended
        .iter()
        .map(|ended| &ended.task.id)
        .collect();
    assert_eq!(found, [&ids[1], &ids[2]]);
    assert_eq!(
        (first.value.more, first.seq.get()),
        (More::More, before + 1)
    );
    let second = t
        .store
        .reclaim_expired(ReclaimExpired { limit: 2 })
        .await
        .unwrap()
        .value;
    assert_eq!(second.ended[0].task.id, ids[0]);
    assert_eq!((second.ended.len(), second.more), (1, More::Finished));
}

/// A scheduled task lands when its time has come, with the event `woken`, and not before. [6.15]
pub(crate) async fn a_scheduled_task_is_woken_when_its_time_has_come(t: &Fixture) {
    let task = t.scheduled().await;
    let at = task.wake_at.unwrap();
    t.clock.jump(at.before(Duration::from_millis(1)));
    let early = t
        .nothing_written(t.store.wake_due(calls::wake()))
        .await
        .unwrap();
    assert!(early.value.tasks.is_empty());
    t.clock.jump(at);
    let (woken, events) = t.events_by(t.store.wake_due(calls::wake())).await;
    assert_eq!(
        (woken.tasks[0].status, woken.tasks[0].wake_at),
        (Status::Ready, None)
    );
    assert_eq!(woken.more, More::Finished);
    assert_eq!(kinds(&events), [EventKind::Woken]);
    assert_eq!(
        (data(&events[0], "from"), data(&events[0], "to")),
        (&"scheduled".into(), &"ready".into())
    );
}

/// A woken task whose parents are unsatisfied lands in `todo`. [6.15] [2.2]
pub(crate) async fn a_woken_task_waits_for_its_parents(t: &Fixture) {
    let parent = t.ready("parent").await;
    let start = Start::WakeAt(t.in_secs(60));
    t.create(NewTask {
        start,
        ..calls::child_of(&[&parent.id])
    })
    .await;
    t.advance(60);
    let woken = t.store.wake_due(calls::wake()).await.unwrap().value;
    assert_eq!(woken.tasks[0].status, Status::Todo);
}

/// A scheduled task without a time is never woken. [6.15]
pub(crate) async fn a_scheduled_task_without_a_time_is_never_woken(t: &Fixture) {
    let task = t.ready("for a human").await;
    let schedule = calls::schedule(&task.id, calls::olga(), None);
    t.store.schedule(schedule).await.unwrap();
    t.clock.jump(kanban_core::Millis::new(i64::MAX));
    let woken = t
        .nothing_written(t.store.wake_due(calls::wake()))
        .await
        .unwrap();
    assert!(woken.value.tasks.is_empty());
}

/// Tasks are woken the earliest first, up to the limit; the answer says whether there are more. [6.16]
pub(crate) async fn tasks_are_woken_the_earliest_first(t: &Fixture) {
    let mut ids = Vec::new();
    for seconds in [30, 10, 20] {
        let start = Start::WakeAt(t.in_secs(seconds));
        ids.push(
            t.create(NewTask {
                start,
                ..calls::new("later")
            })
            .await
            .id,
        );
    }
    t.advance(60);
    let first = t.store.wake_due(WakeDue { limit: 2 }).await.unwrap().value;
    let found: Vec<&TaskId> = first.tasks.iter().map(|task| &task.id).collect();
    assert_eq!((found, first.more), (vec![&ids[1], &ids[2]], More::More));
    let second = t.store.wake_due(WakeDue { limit: 2 }).await.unwrap().value;
    assert_eq!(
        (second.tasks[0].id.clone(), second.more),
        (ids[0].clone(), More::Finished)
    );
}

/// A limit that is just reached leaves nothing: `Finished`. [6.16]
pub(crate) async fn a_limit_that_is_just_reached_is_the_end(t: &Fixture) {
    for _ in 0..2 {
        t.claimed().await;
        t.scheduled().await;
    }
    t.advance(3600);
    let reclaimed = t
        .store
        .reclaim_expired(ReclaimExpired { limit: 2 })
        .await
        .unwrap()
        .value;
    assert_eq!((reclaimed.ended.len(), reclaimed.more), (2, More::Finished));
    let woken = t.store.wake_due(WakeDue { limit: 2 }).await.unwrap().value;
    assert_eq!((woken.tasks.len(), woken.more), (2, More::Finished));
}
