//! Runs that fail, or give their claim back.

use std::sync::Arc;
use std::time::Duration;

use kanban_core::{
    BlockKind, EventKind, Fail, FailKind, FailureLimit, Millis, NewTask, Options, Outcome, Phase,
    Policy, Release, SetPolicy, Status, Task, TaskId, WorkerBlockKind,
};

use crate::answers::{data, kinds};
use crate::calls;
use crate::clock::TestIds;
use crate::fixture::Fixture;

const COUNTED: [FailKind; 5] = [
    FailKind::SpawnFailed,
    FailKind::Crashed,
    FailKind::TimedOut,
    FailKind::WorkerError,
    FailKind::LeaseExpired,
];
const UNCOUNTED: [FailKind; 2] = [FailKind::RateLimited, FailKind::Infrastructure];

/// A failed run is closed with its kind as outcome and its error, and the error is the task's last. [7.7]
pub(crate) async fn a_failed_run_keeps_its_kind_and_error(t: &Fixture) {
    for &kind in FailKind::ALL {
        let claimed = t.claimed().await;
        let ended = t.fail(&claimed, kind).await;
        let run = ended.run.unwrap();
        assert_eq!(
            (run.outcome, run.error),
            (Some(kind.outcome()), Some(calls::note("it broke")))
        );
        assert_eq!(ended.task.last_error, Some(calls::note("it broke")));
        assert_eq!(ended.task.claim, None);
    }
}

/// Five kinds of failure count, and leave the deferrals at none. [7.7]
pub(crate) async fn five_kinds_of_failure_count(t: &Fixture) {
    for kind in COUNTED {
        let claimed = t.claimed().await;
        let task = t.fail(&claimed, kind).await.task;
        assert_eq!((task.failures, task.deferrals), (1, 0), "of {kind:?}");
    }
}

/// Two kinds do not count: they defer, keep the failures and never trip the breaker. [7.8]
pub(crate) async fn two_kinds_of_failure_only_defer(t: &Fixture) {
    for kind in UNCOUNTED {
        let id = failed_once(t).await.id;
        for deferrals in 1..=5 {
            t.advance(3600);
            let claimed = t.claim(&id).await;
            let task = t.fail(&claimed, kind).await.task;
            assert_eq!((task.failures, task.deferrals), (1, deferrals));
            assert_eq!(task.status, Status::Ready);
        }
    }
}

/// A failed task lands in the phase it was in, not before the given time; the event tells it all. [7.9]
pub(crate) async fn a_failed_task_lands_and_waits_as_long_as_told(t: &Fixture) {
    for (claimed, status) in [
        (t.claimed().await, Status::Ready),
        (t.reviewing().await, Status::Review),
    ] {
        let retry_after = Some(calls::retry(77));
        let fail = Fail {
            retry_after,
            ..calls::fail(&claimed, FailKind::Crashed)
        };
        let (ended, events) = t.events_by(t.store.fail(fail)).await;
        assert_eq!(
            (ended.task.status, ended.task.phase),
            (status, claimed.task.phase)
        );
        assert_eq!(ended.task.not_before, Some(t.in_secs(77)));
        assert_eq!(kinds(&events), [EventKind::Failed]);
        assert_eq!(data(&events[0], "kind"), "crashed");
        assert_eq!(data(&events[0], "error"), "it broke");
        assert_eq!(data(&events[0], "failures"), 1);
        assert_eq!(data(&events[0], "retry_at"), t.in_secs(77).get());
        assert_eq!(data(&events[0], "to"), status.as_str());
    }
}

/// A task that fails with unsatisfied parents lands in `todo`. [7.9] [2.2]
pub(crate) async fn a_failed_task_waits_for_its_parents(t: &Fixture) {
    let (claimed, parent) = (t.claimed().await, t.ready("late").await);
    t.store
        .link(calls::link(&parent.id, &claimed.task.id))
        .await
        .unwrap();
    assert_eq!(
        t.fail(&claimed, FailKind::Crashed).await.task.status,
        Status::Todo
    );
}

/// Told to retry at once, a failed task may be claimed at once. [7.9]
pub(crate) async fn a_retry_at_once_is_claimable_at_once(t: &Fixture) {
    let claimed = t.claimed().await;
    let retry_after = Some(calls::retry(0));
    let fail = Fail {
        retry_after,
        ..calls::fail(&claimed, FailKind::Crashed)
    };
    t.store.fail(fail).await.unwrap();
    assert_eq!(t.claim(&claimed.task.id).await.task.failures, 1);
}

/// Without a told time the back-off doubles from 30 seconds to an hour, less up to a quarter. [7.10]
pub(crate) async fn the_back_off_doubles_up_to_an_hour(t: &Fixture) {
    let id = patient(t).await.id;
    for step in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600] {
        let delay = fail_at(t, &id, FailKind::Crashed).await;
        let within = calls::secs(step) * 3 / 4..=calls::secs(step);
        assert!(
            within.contains(&delay),
            "expected {within:?}, found {delay:?}"
        );
    }
}

/// Deferrals have steps of their own, and a failure begins them anew. [7.10] [7.13]
pub(crate) async fn deferrals_have_steps_of_their_own(t: &Fixture) {
    let id = patient(t).await.id;
    let kinds = [
        (FailKind::Crashed, 30),
        (FailKind::RateLimited, 30),
        (FailKind::RateLimited, 60),
        (FailKind::Crashed, 60),
        (FailKind::Infrastructure, 30),
    ];
    for (kind, step) in kinds {
        let delay = fail_at(t, &id, kind).await;
        let within = calls::secs(step) * 3 / 4..=calls::secs(step);
        assert!(
            within.contains(&delay),
            "of {kind:?}: expected {within:?}, found {delay:?}"
        );
    }
}

/// The jitter comes from the board's seed and the run: two boards of one seed jitter alike, and runs differ. [7.10]
pub(crate) async fn the_jitter_can_be_foretold(t: &Fixture) {
    let mut found = Vec::new();
    for _ in 0..2 {
        let root = tempfile::tempdir().unwrap();
        let options = Options {
            ids: Arc::new(TestIds::default()),
            ..t.options()
        };
        let boards = t.open_elsewhere_with(root.path(), options).unwrap();
        let store = boards.open(None).await.unwrap();
        let mut times = Vec::new();
        for _ in 0..8 {
            let task = store.create(calls::new("jittered")).await.unwrap().value;
            let claimed = store.claim(calls::claim(&task.id)).await.unwrap().value;
            let fail = calls::fail(&claimed, FailKind::Crashed);
            times.push(
                store
                    .fail(fail)
                    .await
                    .unwrap()
                    .value
                    .task
                    .not_before
                    .unwrap(),
            );
        }
        boards.close().await.unwrap();
        found.push(times);
    }
    assert_eq!(found[0], found[1]);
    let distinct: std::collections::BTreeSet<Millis> = found[0].iter().copied().collect();
    assert!(distinct.len() > 4, "expected jitter, found {distinct:?}");
}

/// The steps are the board's policy. [7.10] [16.8]
pub(crate) async fn the_steps_are_the_policys(t: &Fixture) {
    let policy = Policy {
        backoff_base_ms: 1000,
        backoff_max_ms: 2000,
        ..Policy::default()
    };
    let set = SetPolicy {
        policy,
        actor: calls::label("olga"),
    };
    t.store.set_policy(set).await.unwrap();
    let id = patient(t).await.id;
    for step in [1, 2, 2] {
        let delay = fail_at(t, &id, FailKind::Crashed).await;
        assert!(delay <= calls::secs(step) && delay >= calls::secs(step) * 3 / 4);
    }
}

/// At the limit of failures, two by default, the breaker blocks the task, with the event `gave_up`. [7.11]
pub(crate) async fn the_breaker_trips_at_the_limit(t: &Fixture) {
    for kind in COUNTED {
        let id = failed_once(t).await.id;
        t.advance(3600);
        let claimed = t.claim(&id).await;
        let (ended, events) = t.events_by(t.store.fail(calls::fail(&claimed, kind))).await;
        assert_eq!(
            (ended.task.status, ended.task.failures),
            (Status::Blocked, 2)
        );
        let block = ended.task.block.unwrap();
        assert_eq!(
            (block.kind, block.by, block.at),
            (BlockKind::Breaker, None, t.now())
        );
        assert_eq!(kinds(&events), [EventKind::GaveUp]);
        assert_eq!(data(&events[0], "kind"), kind.outcome().as_str());
        assert_eq!(data(&events[0], "error"), "it broke");
        assert_eq!(
            (data(&events[0], "failures"), data(&events[0], "limit")),
            (&2.into(), &2.into())
        );
        assert_eq!(ended.run.unwrap().outcome, Some(kind.outcome()));
    }
}

/// The task's own limit goes before the policy's, a lower one and a higher one. [7.9] [7.11]
pub(crate) async fn the_tasks_own_limit_goes_first(t: &Fixture) {
    for limit in [1, 2, 4] {
        let failure_limit = Some(FailureLimit::new(limit).unwrap());
        let id = t
            .create(NewTask {
                failure_limit,
                ..calls::new("limited")
            })
            .await
            .id;
        for failures in 1..=limit {
            let claimed = t.claim(&id).await;
            let task = t.fail(&claimed, FailKind::Crashed).await.task;
            let expected = if failures == limit {
                Status::Blocked
            } else {
                Status::Ready
            };
            assert_eq!((task.status, task.failures), (expected, failures));
            t.advance(3600);
        }
    }
}

/// The policy's limit holds for tasks without one. [7.9] [16.8]
pub(crate) async fn the_policys_limit_holds_for_the_others(t: &Fixture) {
    let policy = Policy {
        failure_limit: 1,
        ..Policy::default()
    };
    let set = SetPolicy {
        policy,
        actor: calls::label("olga"),
    };
    t.store.set_policy(set).await.unwrap();
    let claimed = t.claimed().await;
    assert_eq!(
        t.fail(&claimed, FailKind::Crashed).await.task.status,
        Status::Blocked
    );
}

/// A release gives the claim back, uncounted: the run is closed as `released`. [7.12]
pub(crate) async fn a_release_gives_the_claim_back(t: &Fixture) {
    let claimed = t.claimed().await;
    let (ended, events) = t.events_by(t.store.release(calls::release(&claimed))).await;
    assert_eq!((ended.task.status, ended.task.failures), (Status::Ready, 0));
    assert_eq!((ended.task.not_before, ended.task.claim), (None, None));
    assert_eq!(ended.run.unwrap().outcome, Some(Outcome::Released));
    assert_eq!(kinds(&events), [EventKind::Released]);
}

/// A released task is not claimed before the told time. [7.12]
pub(crate) async fn a_release_may_ask_for_a_pause(t: &Fixture) {
    let claimed = t.reviewing().await;
    let release = Release {
        retry_after: Some(calls::retry(60)),
        ..calls::release(&claimed)
    };
    let task = t.store.release(release).await.unwrap().value.task;
    assert_eq!((task.status, task.phase), (Status::Review, Phase::Review));
    assert_eq!(task.not_before, Some(t.in_secs(60)));
}

/// A worker's release keeps the failures, an operator's clears them. [7.12] [7.13]
pub(crate) async fn only_an_operators_release_clears_the_failures(t: &Fixture) {
    let id = failed_once(t).await.id;
    t.advance(3600);
    let claimed = t.claim(&id).await;
    assert_eq!(t.release(&claimed).await.task.failures, 1);
    t.claim(&id).await;
    let release = calls::release_by(&id, calls::olga());
    let task = t.store.release(release).await.unwrap().value.task;
    assert_eq!((task.failures, task.deferrals), (0, 0));
}

/// Failures are cleared by unblock, specify, reopen and another assignee. [7.13]
pub(crate) async fn failures_are_cleared_by_a_fresh_start(t: &Fixture) {
    let store = &t.store;
    let unblocked = gave_up(t).await.id;
    let task = store
        .unblock(calls::unblock(&unblocked))
        .await
        .unwrap()
        .value;
    assert_eq!(
        (task.status, task.failures, task.not_before),
        (Status::Ready, 0, None)
    );
    let assigned = gave_up(t).await.id;
    let task = store
        .assign(calls::assign(&assigned, "bob"))
        .await
        .unwrap()
        .value;
    assert_eq!((task.status, task.failures), (Status::Blocked, 0));
    let done = gave_up(t).await.id;
    t.finish_task(&done).await;
    let task = store.reopen(calls::reopen(&done)).await.unwrap().value.task;
    assert_eq!(task.failures, 0);
    let specified = looped(t).await;
    assert_eq!((specified.status, specified.failures), (Status::Triage, 1));
    let task = store
        .specify(calls::specify(&specified.id))
        .await
        .unwrap()
        .value;
    assert_eq!((task.status, task.failures), (Status::Ready, 0));
}

/// Failures are kept by a review round trip, by schedule and by promote. [7.13]
pub(crate) async fn failures_are_kept_by_detours(t: &Fixture) {
    let id = failed_once(t).await.id;
    let promoted = t.store.promote(calls::promote(&id)).await.unwrap().value;
    assert_eq!((promoted.failures, promoted.not_before), (1, None));
    let claimed = t.claim(&id).await;
    assert_eq!(t.hand_in(&claimed).await.failures, 1);
    let reviewing = t.claim(&id).await;
    let changes = calls::request_changes(&id, calls::worker(&reviewing));
    let task = t.store.request_changes(changes).await.unwrap().value.task;
    assert_eq!(task.failures, 1);
    let schedule = calls::schedule(&id, calls::olga(), Some(t.in_secs(60)));
    let task = t.store.schedule(schedule).await.unwrap().value.task;
    assert_eq!(task.failures, 1);
    t.advance(60);
    assert_eq!(
        t.store.wake_due(calls::wake()).await.unwrap().value.tasks[0].failures,
        1
    );
}

/// Deferrals are cleared by any end of a run that is not an uncounted failure. [7.13]
pub(crate) async fn deferrals_are_cleared_by_any_other_end(t: &Fixture) {
    for end in 0..6 {
        let claimed = t.claimed().await;
        let id = &claimed.task.id;
        t.fail(&claimed, FailKind::RateLimited).await;
        t.advance(3600);
        let claimed = t.claim(id).await;
        assert_eq!(claimed.task.deferrals, 1);
        let worker = calls::worker(&claimed);
        let task = match end {
            0 => t.fail(&claimed, FailKind::Crashed).await.task,
            1 => t.release(&claimed).await.task,
            2 => t.block(&claimed, WorkerBlockKind::Other).await.task,
            3 => t.hand_in(&claimed).await,
            4 => {
                t.store
                    .schedule(calls::schedule(id, worker, None))
                    .await
                    .unwrap()
                    .value
                    .task
            }
            _ => t.complete(&claimed).await.task,
        };
        assert_eq!(task.deferrals, 0, "after end {end}");
    }
}

/// Blocks of one kind in a row are counted, of another kind anew; an operator's do not count. [7.14] [8.7]
pub(crate) async fn blocks_of_one_kind_in_a_row_are_counted(t: &Fixture) {
    let claimed = t.claimed().await;
    let id = &claimed.task.id;
    let streak = |task: &Task| task.block_streak.map(|streak| (streak.kind, streak.count));
    let task = t.block(&claimed, WorkerBlockKind::NeedsInput).await.task;
    assert_eq!(streak(&task), Some((BlockKind::NeedsInput, 1)));
    let task = t.store.unblock(calls::unblock(id)).await.unwrap().value;
    assert_eq!(streak(&task), Some((BlockKind::NeedsInput, 1)));
    let block = calls::block_by(id, calls::olga(), WorkerBlockKind::NeedsInput);
    let task = t.store.block(block).await.unwrap().value.task;
    assert_eq!(streak(&task), Some((BlockKind::NeedsInput, 1)));
    t.store.unblock(calls::unblock(id)).await.unwrap();
    let claimed = t.claim(id).await;
    let task = t.block(&claimed, WorkerBlockKind::Transient).await.task;
    assert_eq!(streak(&task), Some((BlockKind::Transient, 1)));
}

/// Rounds of review are counted, and cleared by complete and reopen. [7.14]
pub(crate) async fn rounds_of_review_are_counted(t: &Fixture) {
    let task = t.ready("reviewed").await;
    for rounds in 1..=3 {
        let claimed = t.claim(&task.id).await;
        t.hand_in(&claimed).await;
        let reviewing = t.claim(&task.id).await;
        let changes = calls::request_changes(&task.id, calls::worker(&reviewing));
        let task = t.store.request_changes(changes).await.unwrap().value.task;
        assert_eq!((task.review_rounds, task.phase), (rounds, Phase::Work));
    }
    assert_eq!(t.finish_task(&task.id).await.review_rounds, 0);
}

/// A task that failed once.
async fn failed_once(t: &Fixture) -> Task {
    let claimed = t.claimed().await;
    t.fail(&claimed, FailKind::Crashed).await.task
}

/// A task that the breaker blocked.
async fn gave_up(t: &Fixture) -> Task {
    let id = failed_once(t).await.id;
    t.advance(3600);
    let claimed = t.claim(&id).await;
    let task = t.fail(&claimed, FailKind::Crashed).await.task;
    assert_eq!((task.status, task.failures), (Status::Blocked, 2));
    task
}

/// A task that failed once and was sent to triage by two blocks of one kind.
async fn looped(t: &Fixture) -> Task {
    let id = failed_once(t).await.id;
    t.advance(3600);
    for _ in 0..2 {
        let claimed = t.claim(&id).await;
        let task = t.block(&claimed, WorkerBlockKind::Other).await.task;
        if task.status == Status::Blocked {
            t.store.promote(calls::promote(&id)).await.unwrap();
        }
    }
    t.task(&id).await
}

/// A task that may fail a thousand times.
async fn patient(t: &Fixture) -> Task {
    let failure_limit = Some(FailureLimit::new(1000).unwrap());
    t.create(NewTask {
        failure_limit,
        ..calls::new("patient")
    })
    .await
}

/// Claims and fails a task; how long it waits then. Moves the clock to the end of that.
async fn fail_at(t: &Fixture, id: &TaskId, kind: FailKind) -> Duration {
    let claimed = t.claim(id).await;
    let at = t.fail(&claimed, kind).await.task.not_before.unwrap();
    let delay = at.since(t.now());
    t.clock.jump(at);
    delay
}
