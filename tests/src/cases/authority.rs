//! Who may end or extend a run.

use kanban_core::{
    Authority, Claimed, ErrorKind, FailKind, Outcome, Rejection, Result, RunId, Status, Subject,
    TaskId, WorkerBlockKind,
};

use crate::answers::{data, not_found, refused, rejected, stale};
use crate::calls;
use crate::fixture::Fixture;

/// The calls that take an authority, and `set_worker`.
const CALLS: [&str; 9] = [
    "complete",
    "fail",
    "release",
    "block",
    "request_review",
    "request_changes",
    "schedule",
    "archive",
    "heartbeat",
];

/// Makes one of the calls, and forgets its answer.
async fn call(t: &Fixture, name: &str, id: &TaskId, authority: Authority) -> Result<()> {
    let store = &t.store;
    let other = WorkerBlockKind::Other;
    match name {
        "complete" => drop(store.complete(calls::complete_by(id, authority)).await?),
        "fail" => drop(
            store
                .fail(calls::fail_by(id, authority, FailKind::Crashed))
                .await?,
        ),
        "release" => drop(store.release(calls::release_by(id, authority)).await?),
        "block" => drop(store.block(calls::block_by(id, authority, other)).await?),
        "request_review" => {
            drop(
                store
                    .request_review(calls::request_review(id, authority))
                    .await?,
            );
        }
        "request_changes" => {
            drop(
                store
                    .request_changes(calls::request_changes(id, authority))
                    .await?,
            );
        }
        "schedule" => drop(store.schedule(calls::schedule(id, authority, None)).await?),
        "archive" => drop(store.archive(calls::archive(id, authority)).await?),
        _ => drop(store.heartbeat(calls::heartbeat_by(id, authority)).await?),
    }
    Ok(())
}

/// The worker of the open run may do all that a worker may. [4.1] [4.2]
pub(crate) async fn the_worker_of_the_open_run_is_obeyed(t: &Fixture) {
    for name in CALLS {
        let claimed = t.reviewing().await;
        let worker = calls::worker(&claimed);
        call(t, name, &claimed.task.id, worker).await.expect(name);
    }
}

/// An operator may do the same without naming a run. [4.1] [4.4]
pub(crate) async fn an_operator_needs_no_run(t: &Fixture) {
    for name in CALLS {
        let claimed = t.reviewing().await;
        call(t, name, &claimed.task.id, calls::olga())
            .await
            .expect(name);
    }
}

/// A run that is not open is refused with how it ended, and nothing changes. The answer tells the caller nothing about
/// the run that is open now. [4.2] [4.5]
pub(crate) async fn a_run_that_is_not_open_is_refused_with_how_it_ended(t: &Fixture) {
    let (late, _now) = overtaken(t).await;
    for name in CALLS {
        let result = call(t, name, &late.task.id, calls::worker(&late));
        let expected = Rejection::StaleRun {
            ended_as: Outcome::LeaseExpired,
            ended_at: t.now(),
            by: Some(calls::label("board")),
        };
        assert_eq!(
            rejected(t.nothing_written(result).await),
            expected,
            "by {name}"
        );
    }
}

/// A worker whose own end of the run is told to it is told that nobody else ended it. [4.2]
pub(crate) async fn a_stale_run_says_nothing_of_others_where_its_worker_ended_it(t: &Fixture) {
    let claimed = t.claimed().await;
    t.release(&claimed).await;
    t.advance(60);
    let expected = Rejection::StaleRun {
        ended_as: Outcome::Released,
        ended_at: t.now().before(calls::secs(60)),
        by: None,
    };
    assert_eq!(
        rejected(t.store.heartbeat(calls::heartbeat(&claimed)).await),
        expected
    );
}

/// A worker that wakes up late can end nothing of what the next worker does. [4.5]
pub(crate) async fn a_late_worker_disturbs_nobody(t: &Fixture) {
    let (late, now) = overtaken(t).await;
    for name in CALLS {
        let result = call(t, name, &late.task.id, calls::worker(&late)).await;
        assert_eq!(stale(result).0, Outcome::LeaseExpired, "by {name}");
    }
    assert_eq!(t.task(&now.task.id).await, now.task);
    assert_eq!(t.complete(&now).await.task.status, Status::Done);
}

/// The worker of a run that is not open cannot tell its process. [4.5] [6.13]
pub(crate) async fn a_late_worker_cannot_tell_its_process(t: &Fixture) {
    let (late, _now) = overtaken(t).await;
    let call = calls::set_worker(&late.task.id, late.run.id, 7);
    let result = t.nothing_written(t.store.set_worker(call)).await;
    assert_eq!(stale(result).0, Outcome::LeaseExpired);
}

/// A run that was never a run of the task is not found, whether or not it is one of another task. [4.3]
pub(crate) async fn a_run_of_another_task_is_not_found(t: &Fixture) {
    let (claimed, other) = (t.claimed().await, t.claimed().await);
    for run in [
        other.run.id,
        RunId::new(0),
        RunId::new(999),
        RunId::new(u64::MAX),
    ] {
        for name in CALLS {
            let result = call(t, name, &claimed.task.id, Authority::worker(run));
            let found = not_found(t.nothing_written(result).await);
            assert_eq!(found, Subject::Run(run), "by {name}");
        }
    }
}

/// An operator that names a run that was never one of the task is told that there is none. [4.3] [4.4]
pub(crate) async fn an_operator_must_name_a_run_of_the_task(t: &Fixture) {
    let (claimed, other) = (t.claimed().await, t.claimed().await);
    let authority = calls::olga_of(other.run.id);
    let result = t
        .store
        .complete(calls::complete_by(&claimed.task.id, authority));
    assert_eq!(
        not_found(t.nothing_written(result).await),
        Subject::Run(other.run.id)
    );
}

/// The event of an operator's change names its actor and reason. [4.4] [13.1]
pub(crate) async fn an_operators_event_names_actor_and_reason(t: &Fixture) {
    for name in ["complete", "fail", "release", "request_review", "archive"] {
        let claimed = t.reviewing().await;
        let authority = calls::olga_of(claimed.run.id);
        call(t, name, &claimed.task.id, authority)
            .await
            .expect(name);
        let event = t.last_event(&claimed.task.id).await;
        assert_eq!(event.actor, Some(calls::label("olga")), "by {name}");
        assert_eq!(data(&event, "reason"), "by hand", "by {name}");
    }
}

/// An operator that names the open run is obeyed. [4.4]
pub(crate) async fn an_operator_may_name_the_open_run(t: &Fixture) {
    for name in CALLS {
        let claimed = t.reviewing().await;
        let authority = calls::olga_of(claimed.run.id);
        call(t, name, &claimed.task.id, authority)
            .await
            .expect(name);
    }
}

/// An operator that names a run that is not open is refused, whether or not another is. [4.4]
pub(crate) async fn an_operator_that_names_another_run_is_refused(t: &Fixture) {
    let (late, _now) = overtaken(t).await;
    let authority = calls::olga_of(late.run.id);
    let result = t
        .store
        .complete(calls::complete_by(&late.task.id, authority));
    assert_eq!(
        stale(t.nothing_written(result).await).0,
        Outcome::LeaseExpired
    );
    let released = t.claimed().await;
    t.release(&released).await;
    let authority = calls::olga_of(released.run.id);
    let result = t
        .store
        .complete(calls::complete_by(&released.task.id, authority));
    assert_eq!(stale(t.nothing_written(result).await).0, Outcome::Released);
}

/// A run that an operator ended says so, by name. [4.2] [4.4]
pub(crate) async fn a_run_ended_by_an_operator_names_the_operator(t: &Fixture) {
    let claimed = t.claimed().await;
    let release = calls::release_by(&claimed.task.id, calls::olga());
    t.store.release(release).await.unwrap();
    let result = t.store.complete(calls::complete(&claimed)).await;
    assert_eq!(stale(result), (Outcome::Released, Some("olga".to_owned())));
    let run = t.last_run(&claimed.task.id).await;
    assert_eq!(run.ended_by, Some(calls::label("olga")));
}

/// A claim is valid until it is taken back: its worker may beat and complete also past the deadline. [4.6]
pub(crate) async fn a_claim_past_its_deadline_may_still_be_completed(t: &Fixture) {
    let claimed = t.claimed().await;
    t.advance(86_400);
    let claim = t
        .store
        .heartbeat(calls::heartbeat(&claimed))
        .await
        .unwrap()
        .value;
    assert_eq!(claim.expires_at, t.in_secs(900));
    t.advance(86_400);
    assert_eq!(t.complete(&claimed).await.task.status, Status::Done);
}

/// A claim past its deadline may still be failed, and counts as its worker says. [4.6]
pub(crate) async fn a_claim_past_its_deadline_may_still_be_failed(t: &Fixture) {
    let claimed = t.claimed().await;
    t.advance(86_400);
    let run = t.fail(&claimed, FailKind::RateLimited).await.run.unwrap();
    assert_eq!(
        (run.outcome, run.ended_by),
        (Some(Outcome::RateLimited), None)
    );
}

/// A call about a task that does not exist is told so before anything about the run. [4.3] [18.3]
pub(crate) async fn a_call_about_no_task_is_not_found(t: &Fixture) {
    let (claimed, id) = (t.claimed().await, calls::task_id("t_nobody"));
    for name in CALLS {
        let result = call(t, name, &id, calls::worker(&claimed)).await;
        assert_eq!(
            refused(result),
            ErrorKind::NotFound(Subject::Task(id.clone())),
            "by {name}"
        );
    }
}

/// Two claims of one task in phase review: of the first the time ran out, the second is open.
async fn overtaken(t: &Fixture) -> (Claimed, Claimed) {
    let late = t.reviewing().await;
    t.advance(86_400);
    t.store.reclaim_expired(calls::reclaim()).await.unwrap();
    t.store
        .promote(calls::promote(&late.task.id))
        .await
        .unwrap();
    let now = t.claim(&late.task.id).await;
    (late, now)
}
