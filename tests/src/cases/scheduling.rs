//! Putting work off.

use kanban_core::{EventKind, Millis, Outcome, ScheduleTask, Status, Task, TaskId};

use crate::answers::{data, invalid, kinds, rejected, stale};
use crate::calls;
use crate::fixture::Fixture;

/// schedule puts a task off from every status that waits, until a time. [8.12]
pub(crate) async fn schedule_puts_off_whatever_waits(t: &Fixture) {
    for status in [Status::Todo, Status::Ready, Status::Blocked, Status::Review] {
        let task = t.in_status(status).await;
        let call = calls::schedule(&task.id, calls::olga(), Some(t.in_secs(60)));
        let (ended, events) = t.events_by(t.store.schedule(call)).await;
        assert_eq!(ended.task.status, Status::Scheduled, "from {status}");
        assert_eq!(ended.task.wake_at, Some(t.in_secs(60)));
        assert_eq!((ended.task.block, ended.run), (None, None));
        assert_eq!(kinds(&events), [EventKind::Scheduled]);
        assert_eq!(data(&events[0], "from"), status.as_str());
    }
}

/// schedule by the worker closes its run as `scheduled`. [8.12]
pub(crate) async fn schedule_closes_an_open_run(t: &Fixture) {
    let claimed = t.claimed().await;
    let id = &claimed.task.id;
    let call = calls::schedule(id, calls::worker(&claimed), None);
    let ended = t.store.schedule(call).await.unwrap().value;
    assert_eq!(ended.task.status, Status::Scheduled);
    assert_eq!(ended.run.unwrap().outcome, Some(Outcome::Scheduled));
    let run = t.run(id, claimed.run.id).await;
    assert_eq!(run.outcome, Some(Outcome::Scheduled));
}

/// A worker's schedule has no repeat: the second one is of a run that is not open. [8.12] [4.7]
pub(crate) async fn a_second_schedule_of_one_run_is_stale(t: &Fixture) {
    let claimed = t.claimed().await;
    let call = calls::schedule(&claimed.task.id, calls::worker(&claimed), None);
    t.store.schedule(call.clone()).await.unwrap();
    let again = t.nothing_written(t.store.schedule(call)).await;
    assert_eq!(stale(again).0, Outcome::Scheduled);
}

/// schedule without a time waits for a human: no clock wakes it. [8.12] [6.15]
pub(crate) async fn schedule_without_a_time_waits_for_a_human(t: &Fixture) {
    let task = t.ready("put off").await;
    let task = schedule(t, &task.id, None).await;
    assert_eq!((task.status, task.wake_at), (Status::Scheduled, None));
    t.clock.jump(Millis::new(i64::MAX));
    let woken = t.store.wake_due(calls::wake()).await.unwrap().value;
    assert!(woken.tasks.is_empty(), "found {woken:?}");
    let landed = t.store.unblock(calls::unblock(&task.id)).await;
    assert_eq!(landed.unwrap().value.status, Status::Ready);
}

/// schedule of a scheduled task moves the time, or takes it away. [8.12]
pub(crate) async fn schedule_of_a_scheduled_task_moves_the_time(t: &Fixture) {
    let task = t.scheduled().await;
    let moved = schedule(t, &task.id, Some(t.in_secs(7200))).await;
    assert_eq!(moved.wake_at, Some(t.in_secs(7200)));
    t.advance(3600);
    let woken = t.store.wake_due(calls::wake()).await.unwrap().value;
    assert!(woken.tasks.is_empty(), "found {woken:?}");
    let moved = schedule(t, &task.id, None).await;
    assert_eq!((moved.status, moved.wake_at), (Status::Scheduled, None));
}

/// A time that is not in the future is `Invalid`; the next millisecond is in the future. [8.12]
pub(crate) async fn a_time_that_is_not_in_the_future_is_invalid(t: &Fixture) {
    let task = t.ready("put off").await;
    for at in [t.now(), Millis::new(t.now().get() - 1)] {
        let call = calls::schedule(&task.id, calls::olga(), Some(at));
        let refused = t.nothing_written(t.store.schedule(call)).await;
        assert_eq!(invalid(refused).field, "at");
    }
    let next = Millis::new(t.now().get() + 1);
    let task = schedule(t, &task.id, Some(next)).await;
    assert_eq!(task.wake_at, Some(next));
}

/// A scheduled task lands at its time, in the phase that it was put off in. [8.12] [6.15]
pub(crate) async fn a_review_that_was_put_off_wakes_as_a_review(t: &Fixture) {
    let task = t.in_review().await;
    schedule(t, &task.id, Some(t.in_secs(60))).await;
    t.advance(60);
    t.store.wake_due(calls::wake()).await.unwrap();
    let task = t.task(&task.id).await;
    assert_eq!((task.status, task.wake_at), (Status::Review, None));
    assert_eq!(t.last_event(&task.id).await.kind, EventKind::Woken);
}

/// schedule of an older card is refused by its version. [5.12] [8.12]
pub(crate) async fn a_schedule_of_an_older_card_is_refused(t: &Fixture) {
    let task = t.ready("put off").await;
    let assigned = t.store.assign(calls::assign(&task.id, "amy")).await;
    let current = assigned.unwrap().value.version;
    let call = ScheduleTask {
        expected_version: Some(task.version),
        ..calls::schedule(&task.id, calls::olga(), None)
    };
    let refused = t.nothing_written(t.store.schedule(call)).await;
    let expected = kanban_core::Rejection::VersionMismatch { current };
    assert_eq!(rejected(refused), expected);
}

async fn schedule(t: &Fixture, id: &TaskId, at: Option<Millis>) -> Task {
    let call = calls::schedule(id, calls::olga(), at);
    t.store.schedule(call).await.unwrap().value.task
}
