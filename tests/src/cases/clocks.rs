//! Times, and a clock that is wrong.

use kanban_core::{FailKind, Heartbeat, Millis, Status};

use crate::calls::{self, secs};
use crate::fixture::Fixture;

/// Every time that is stored is the injected clock's, in milliseconds. [1.1]
pub(crate) async fn times_come_from_the_injected_clock(t: &Fixture) {
    let task = t.ready("first").await;
    assert_eq!((task.created_at, task.updated_at), (t.now(), t.now()));
    t.clock.advance(std::time::Duration::from_millis(1));
    let claimed = t.claim(&task.id).await;
    assert_eq!(claimed.run.started_at, t.now());
    assert_eq!(claimed.task.started_at, Some(t.now()));
    assert_eq!(t.last_event(&task.id).await.at, t.now());
}

/// A run that ends while the clock was set back ends when it started. [1.2] [17.3]
pub(crate) async fn a_run_does_not_end_before_it_started(t: &Fixture) {
    let claimed = t.claimed().await;
    t.clock.jump(t.now().before(secs(3600)));
    let run = t.complete(&claimed).await.run.unwrap();
    assert_eq!(run.ended_at, Some(run.started_at));
}

/// A run that ends at a later time ends at that time. [1.2]
pub(crate) async fn a_run_ends_at_the_time_of_its_end(t: &Fixture) {
    let claimed = t.claimed().await;
    t.advance(90);
    let run = t.complete(&claimed).await.run.unwrap();
    assert_eq!(run.ended_at, Some(run.started_at.after(secs(90))));
    assert_eq!(t.run(&claimed.task.id, run.id).await, run);
}

/// Runs are listed by id, also when the clock ran backwards between them. [1.3]
pub(crate) async fn runs_are_listed_by_id_and_not_by_time(t: &Fixture) {
    let task = t.ready("three times").await;
    for _ in 0..3 {
        let claimed = t.claim(&task.id).await;
        t.release(&claimed).await;
        t.clock.jump(t.now().before(secs(600)));
    }
    let runs = t.runs(&task.id).await;
    assert!(runs.is_sorted_by(|a, b| a.id < b.id), "found {runs:?}");
    assert!(runs.is_sorted_by(|a, b| a.started_at > b.started_at));
}

/// Events and comments are listed by id, also when the clock ran backwards between them. [1.3]
pub(crate) async fn events_and_comments_are_listed_by_id_and_not_by_time(t: &Fixture) {
    let task = t.ready("talked about").await;
    for body in ["one", "two", "three"] {
        t.clock.jump(t.now().before(secs(600)));
        t.store
            .comment(calls::comment(&task.id, body))
            .await
            .unwrap();
    }
    let comments = t.comments(&task.id).await;
    let bodies: Vec<_> = comments
        .iter()
        .map(|comment| comment.body.as_str())
        .collect();
    assert_eq!(bodies, ["one", "two", "three"]);
    let events = t.events().await;
    assert!(events.is_sorted_by(|a, b| a.id < b.id), "found {events:?}");
}

/// Work that was begun while the clock was far ahead can be ended once it reads right again. [1.3]
pub(crate) async fn a_clock_that_was_far_ahead_leaves_no_claim_stuck(t: &Fixture) {
    let right = t.now();
    t.clock.jump(Millis::new(i64::MAX));
    let claimed = t.claimed().await;
    let waiting = t.claimed().await;
    t.fail(&waiting, FailKind::RateLimited).await;
    t.clock.jump(right);
    t.store.heartbeat(calls::heartbeat(&claimed)).await.unwrap();
    assert_eq!(t.complete(&claimed).await.task.status, Status::Done);
    t.store
        .promote(calls::promote(&waiting.task.id))
        .await
        .unwrap();
    let again = t.claim(&waiting.task.id).await;
    assert_eq!(t.complete(&again).await.task.status, Status::Done);
}

/// New work goes on as ever after the clock was far ahead. [1.3]
pub(crate) async fn a_clock_that_was_far_ahead_stops_no_new_work(t: &Fixture) {
    let right = t.now();
    t.clock.jump(Millis::new(i64::MAX));
    let task = t.ready("from the future").await;
    t.store
        .comment(calls::comment(&task.id, "hello"))
        .await
        .unwrap();
    t.clock.jump(right);
    assert!(
        t.store
            .reclaim_expired(calls::reclaim())
            .await
            .unwrap()
            .value
            .ended
            .is_empty()
    );
    let first = t.claim_next().await.unwrap();
    assert_eq!(first.task.id, task.id);
    assert_eq!(
        first.task.claim.as_ref().unwrap().expires_at,
        right.after(secs(900))
    );
    t.complete(&first).await;
}

/// Work goes on as ever after the clock was far back. [1.3]
pub(crate) async fn a_clock_that_was_far_back_poisons_nothing(t: &Fixture) {
    let right = t.now();
    t.clock.jump(Millis::new(i64::MIN));
    let claimed = t.claimed().await;
    let other = t.ready("from the past").await;
    t.clock.jump(right);
    t.store.heartbeat(calls::heartbeat(&claimed)).await.unwrap();
    assert_eq!(t.complete(&claimed).await.task.status, Status::Done);
    let next = t.claim_next().await.unwrap();
    assert_eq!(next.task.id, other.id);
    t.complete(&next).await;
}

/// A sum of times beyond the end of time is the end of time. [1.3]
pub(crate) async fn sums_of_times_saturate(t: &Fixture) {
    let task = t.ready("late").await;
    t.clock.jump(Millis::new(i64::MAX - 10));
    let claimed = t.claim(&task.id).await;
    let end = Millis::new(i64::MAX);
    assert_eq!(claimed.task.claim.as_ref().unwrap().expires_at, end);
    let beat = Heartbeat {
        extend: Some(calls::ttl(86_400)),
        ..calls::heartbeat(&claimed)
    };
    assert_eq!(t.store.heartbeat(beat).await.unwrap().value.expires_at, end);
    let failed = t.fail(&claimed, FailKind::Crashed).await.task;
    assert_eq!(failed.not_before, Some(end));
}

/// Two commands at one time are two commands: ids tell their order. [1.1] [1.3]
pub(crate) async fn commands_of_one_millisecond_keep_their_order(t: &Fixture) {
    let first = t.ready("first").await;
    let second = t.ready("second").await;
    assert_eq!(first.created_at, second.created_at);
    let events = t.events().await;
    assert_eq!(events[0].task, Some(first.id));
    assert_eq!(events[1].task, Some(second.id));
    assert!(events[0].id < events[1].id);
}
