//! Taking one task.

use std::time::Duration;

use kanban_core::{
    ClaimTask, EventKind, FailKind, NewTask, NotClaimable, PauseTarget, Phase, Rejection, Status,
};

use crate::answers::{data, kinds, missing, rejected};
use crate::calls;
use crate::fixture::Fixture;
use crate::threads::race;

/// A claim makes the task running, opens a run and does not change the assignee. [6.1] [6.2]
pub(crate) async fn a_claim_opens_a_run(t: &Fixture) {
    let task = t.ready_for("ada").await;
    let claimed = t.claim(&task.id).await;
    assert_eq!(claimed.task.status, Status::Running);
    assert_eq!(claimed.task.assignee, Some(calls::who("ada")));
    let claim = claimed.task.claim.as_ref().unwrap();
    assert_eq!(
        (claim.run, &claim.claimant),
        (claimed.run.id, &calls::label("w1"))
    );
    assert!(claimed.run.is_open());
    assert_eq!(claimed.run.started_at, t.now());
    assert_eq!(t.runs(&task.id).await, [claimed.run]);
    assert_eq!(t.task(&task.id).await, claimed.task);
}

/// The run has the task's phase and assignee. [6.2]
pub(crate) async fn a_run_has_the_phase_and_the_assignee_of_its_task(t: &Fixture) {
    let work = t.claimed().await.run;
    assert_eq!((work.phase, work.assignee), (Phase::Work, None));
    let review = t.reviewing().await.run;
    assert_eq!(review.phase, Phase::Review);
}

/// The event of a claim tells run, claimant, deadline and phase. [6.2] [13.2]
pub(crate) async fn the_event_of_a_claim_tells_the_run(t: &Fixture) {
    let task = t.ready("wanted").await;
    let (claimed, events) = t.events_by(t.store.claim(calls::claim(&task.id))).await;
    assert_eq!(kinds(&events), [EventKind::Claimed]);
    assert_eq!(events[0].run, Some(claimed.run.id));
    assert_eq!(data(&events[0], "run"), claimed.run.id.get());
    assert_eq!(data(&events[0], "claimant"), "w1");
    assert_eq!(data(&events[0], "expires_at"), t.in_secs(900).get());
    assert_eq!(data(&events[0], "phase"), "work");
    assert_eq!(data(&events[0], "from"), "ready");
    assert_eq!(data(&events[0], "to"), "running");
}

/// A new claim begins without heartbeat and worker, whatever the last run left. [6.2]
pub(crate) async fn a_new_claim_begins_without_heartbeat_and_worker(t: &Fixture) {
    let first = t.claimed().await;
    t.store.heartbeat(calls::heartbeat(&first)).await.unwrap();
    t.store
        .set_worker(calls::set_worker(&first.task.id, first.run.id, 7))
        .await
        .unwrap();
    t.release(&first).await;
    let second = t.claim(&first.task.id).await;
    let claim = second.task.claim.unwrap();
    assert_eq!((claim.heartbeat_at, claim.worker), (None, None));
    assert_eq!(second.run.worker, None);
    let kept = t.run(&first.task.id, first.run.id).await;
    assert_eq!(kept.worker, Some(calls::process(7)));
}

/// A claim holds for its ttl, else for the policy's. [6.3]
pub(crate) async fn a_claim_holds_for_its_ttl(t: &Fixture) {
    let (given, policy) = (t.ready("given").await, t.ready("policy").await);
    let call = ClaimTask {
        ttl: Some(calls::ttl(60)),
        ..calls::claim(&given.id)
    };
    let claim = t.store.claim(call).await.unwrap().value.task.claim.unwrap();
    assert_eq!((claim.expires_at, claim.must_end_by), (t.in_secs(60), None));
    let claim = t.claim(&policy.id).await.task.claim.unwrap();
    assert_eq!(
        (claim.expires_at, claim.must_end_by),
        (t.in_secs(900), None)
    );
}

/// A claim of a task with a time limit never holds longer than that. [6.3]
pub(crate) async fn a_claim_never_holds_past_the_time_limit(t: &Fixture) {
    let max_runtime = Some(calls::secs(90));
    for (ttl, expires) in [(60, 60), (90, 90), (120, 90)] {
        let task = t
            .create(NewTask {
                max_runtime,
                ..calls::new("timed")
            })
            .await;
        let call = ClaimTask {
            ttl: Some(calls::ttl(ttl)),
            ..calls::claim(&task.id)
        };
        let claim = t.store.claim(call).await.unwrap().value.task.claim.unwrap();
        assert_eq!(claim.expires_at, t.in_secs(expires), "of ttl {ttl}");
        assert_eq!(claim.must_end_by, Some(t.in_secs(90)));
    }
}

/// A claimed task is not claimed again while it runs: `NotClaimable`, and nothing is written. [6.4] [2.3]
pub(crate) async fn a_claimed_task_is_not_claimed_twice(t: &Fixture) {
    let claimed = t.claimed().await;
    let again = t
        .nothing_written(t.store.claim(calls::claim(&claimed.task.id)))
        .await;
    let expected = NotClaimable::Status(Status::Running);
    assert_eq!(rejected(again), Rejection::NotClaimable(expected));
}

/// A task of any other status than `ready` and `review` is not claimed. [6.1] [6.4]
pub(crate) async fn only_ready_and_review_are_claimed(t: &Fixture) {
    for &status in Status::ALL {
        let task = t.in_status(status).await;
        let result = t.store.claim(calls::claim(&task.id)).await;
        if matches!(status, Status::Ready | Status::Review) {
            assert_eq!(result.unwrap().value.task.status, Status::Running);
        } else {
            let expected = NotClaimable::Status(status);
            assert_eq!(rejected(result), Rejection::NotClaimable(expected));
        }
    }
}

/// A task is not claimed before its back-off ends, and is from that moment on. [6.1] [6.4] [6.8]
pub(crate) async fn a_task_is_not_claimed_before_its_time(t: &Fixture) {
    let claimed = t.claimed().await;
    let failed = t.fail(&claimed, FailKind::Crashed).await.task;
    let at = failed.not_before.unwrap();
    t.clock.jump(at.before(Duration::from_millis(1)));
    let early = t
        .nothing_written(t.store.claim(calls::claim(&failed.id)))
        .await;
    let expected = NotClaimable::NotBefore(at);
    assert_eq!(rejected(early), Rejection::NotClaimable(expected));
    t.clock.jump(at);
    assert_eq!(t.claim(&failed.id).await.task.status, Status::Running);
}

/// A task that a pause covers is not claimed, and the refusal names the pause. [6.1] [6.4]
pub(crate) async fn a_paused_task_is_not_claimed(t: &Fixture) {
    let task = t.ready_for("ada").await;
    for target in [PauseTarget::Board, PauseTarget::Assignee(calls::who("ada"))] {
        t.store.pause(calls::pause(target.clone())).await.unwrap();
        let result = t
            .nothing_written(t.store.claim(calls::claim(&task.id)))
            .await;
        let expected = NotClaimable::Paused(target.clone());
        assert_eq!(rejected(result), Rejection::NotClaimable(expected));
        t.store.resume(calls::resume(target)).await.unwrap();
    }
    t.claim(&task.id).await;
}

/// The pause of another assignee holds nobody back. [6.1]
pub(crate) async fn the_pause_of_another_holds_nobody_back(t: &Fixture) {
    let (ada, nobody) = (t.ready_for("ada").await, t.ready("unassigned").await);
    let target = PauseTarget::Assignee(calls::who("bob"));
    t.store.pause(calls::pause(target)).await.unwrap();
    t.claim(&ada.id).await;
    t.claim(&nobody.id).await;
}

/// A claim of a task that does not exist is not found. [6.1] [18.3]
pub(crate) async fn an_unknown_task_is_not_claimed(t: &Fixture) {
    let nobody = calls::task_id("t_nobody");
    missing(
        t.nothing_written(t.store.claim(calls::claim(&nobody)))
            .await,
        &nobody,
    );
}

/// Of 16 racing claims of one task exactly one opens a run. [6.5] [17.1]
pub(crate) async fn of_racing_claims_one_wins(t: &Fixture) {
    for _ in 0..5 {
        let task = t.ready("contested").await;
        let results = race(16, |number| {
            let claimant = calls::label(&format!("racer-{number}"));
            let call = ClaimTask {
                claimant,
                ..calls::claim(&task.id)
            };
            pollster::block_on(t.store.claim(call))
        });
        let won: Vec<_> = results
            .iter()
            .filter_map(|result| result.as_ref().ok())
            .collect();
        assert_eq!(won.len(), 1, "expected one winner, found {won:?}");
        assert_eq!(t.runs(&task.id).await.len(), 1);
        let claim = t.task(&task.id).await.claim.unwrap();
        assert_eq!(claim.claimant, *won[0].value.run.claimant.as_ref().unwrap());
    }
}

/// Racing claims with one request id are one claim. [6.5] [4.10]
pub(crate) async fn racing_claims_with_one_request_id_are_one(t: &Fixture) {
    let task = t.ready("contested").await;
    let call = || ClaimTask {
        request_id: Some(calls::label("r-1")),
        ..calls::claim(&task.id)
    };
    let answers = race(16, |_| pollster::block_on(t.store.claim(call())).unwrap());
    assert!(
        answers
            .iter()
            .all(|answer| answer.value == answers[0].value)
    );
    assert_eq!(t.runs(&task.id).await.len(), 1);
}
