//! Refusing claims for a while.

use kanban_core::{
    ClaimTask, Effect, EventKind, FailKind, NewTask, NextClaim, NotClaimable, PauseClaims,
    PauseTarget, Rejection, Status,
};

use crate::answers::{kinds, rejected};
use crate::calls::{self, label, reason, who};
use crate::fixture::Fixture;
use crate::threads::race;

/// While the board is paused claim and `claim_next` are refused, and write nothing. [8.1]
pub(crate) async fn a_paused_board_refuses_every_claim(t: &Fixture) {
    let task = t.ready("waits").await;
    pause(t, PauseTarget::Board).await;
    let refusal = Rejection::NotClaimable(NotClaimable::Paused(PauseTarget::Board));
    let claim = t.store.claim(calls::claim(&task.id));
    assert_eq!(rejected(t.nothing_written(claim).await), refusal);
    let next = t.store.claim_next(calls::claim_next());
    assert_eq!(rejected(t.nothing_written(next).await), refusal);
}

/// A task of a paused assignee is not claimed. [8.2]
pub(crate) async fn a_task_of_a_paused_assignee_is_not_claimed(t: &Fixture) {
    let task = t.ready_for("amy").await;
    pause(t, amy()).await;
    let claim = t.store.claim(calls::claim(&task.id));
    assert_eq!(
        rejected(t.nothing_written(claim).await),
        Rejection::NotClaimable(NotClaimable::Paused(amy()))
    );
}

/// `claim_next` passes over the tasks of a paused assignee, and says so when nothing else is left. [8.2] [6.10]
pub(crate) async fn claim_next_passes_over_a_paused_assignee(t: &Fixture) {
    let urgent = NewTask {
        priority: 9,
        assignee: Some(who("amy")),
        ..calls::new("urgent")
    };
    t.create(urgent).await;
    let other = t.ready_for("bob").await;
    pause(t, amy()).await;
    assert_eq!(t.claim_next().await.unwrap().task.id, other.id);
    let left = t.store.claim_next(calls::claim_next()).await;
    let expected = NextClaim::None {
        next_at: None,
        paused: true,
        capped: false,
    };
    assert_eq!(left.unwrap().value, expected);
}

/// A pause of one assignee covers neither others nor unassigned tasks. [8.2]
pub(crate) async fn a_pause_of_one_assignee_covers_nobody_else(t: &Fixture) {
    let (unassigned, other) = (t.ready("nobody's").await, t.ready_for("bob").await);
    pause(t, amy()).await;
    assert_eq!(t.claim(&unassigned.id).await.task.status, Status::Running);
    assert_eq!(t.claim(&other.id).await.task.status, Status::Running);
}

/// A pause covers a task by the assignee that it has at the claim. [8.2]
pub(crate) async fn a_pause_covers_tasks_assigned_later(t: &Fixture) {
    let (to_amy, to_bob) = (t.ready("hers soon").await, t.ready_for("amy").await);
    pause(t, amy()).await;
    let assign = calls::assign(&to_amy.id, "amy");
    t.store.assign(assign).await.unwrap();
    t.store
        .assign(calls::assign(&to_bob.id, "bob"))
        .await
        .unwrap();
    assert!(t.store.claim(calls::claim(&to_amy.id)).await.is_err());
    assert_eq!(t.claim_next().await.unwrap().task.id, to_bob.id);
}

/// A review waits while its reviewer is paused: the assignee of then counts. [8.2] [9.2]
pub(crate) async fn a_review_waits_while_its_reviewer_is_paused(t: &Fixture) {
    let claimed = t.claimed().await;
    let hand_in = kanban_core::RequestReview {
        reviewer: Some(who("amy")),
        ..calls::request_review(&claimed.task.id, calls::worker(&claimed))
    };
    t.store.request_review(hand_in).await.unwrap();
    pause(t, amy()).await;
    assert!(t.claim_next().await.is_none());
    t.store.resume(calls::resume(amy())).await.unwrap();
    assert!(t.claim_next().await.is_some());
}

/// After `pause` was answered nothing that it covers starts, however many were claiming. [8.3]
pub(crate) async fn nothing_starts_after_a_pause_was_answered(t: &Fixture) {
    t.thousand(&calls::new("one of many")).await;
    race(4, |number| {
        pollster::block_on(async {
            for _ in 0..20 {
                let _ = t.store.claim_next(calls::claim_next()).await;
            }
            if number == 0 {
                pause(t, PauseTarget::Board).await;
            }
            for _ in 0..5 {
                let _ = t.store.claim_next(calls::claim_next()).await;
            }
        });
    });
    let events = t.events().await;
    let paused = events.iter().position(|e| e.kind == EventKind::Paused);
    let after = kinds(&events[paused.unwrap()..]);
    assert!(
        !after.contains(&EventKind::Claimed),
        "a claim after the pause"
    );
}

/// A pause by another process holds in this one from its answer on. [8.3]
pub(crate) async fn a_pause_by_another_process_holds_here(t: &Fixture) {
    let task = t.ready("waits").await;
    let other = t.open().await;
    let board = calls::pause(PauseTarget::Board);
    other.store.pause(board).await.unwrap();
    let refused = rejected(t.store.claim(calls::claim(&task.id)).await);
    let expected = Rejection::NotClaimable(NotClaimable::Paused(PauseTarget::Board));
    assert_eq!(refused, expected);
    other.boards.close().await.unwrap();
}

/// A repeat of a claim that is still open is answered while paused. [8.3] [4.10]
pub(crate) async fn a_repeated_claim_is_answered_while_paused(t: &Fixture) {
    let task = t.ready("claimed by key").await;
    let claim = ClaimTask {
        request_id: Some(label("key")),
        ..calls::claim(&task.id)
    };
    let first = t.store.claim(claim.clone()).await.unwrap();
    pause(t, PauseTarget::Board).await;
    let again = t.nothing_written(t.store.claim(claim)).await.unwrap();
    assert_eq!(again.effect, Effect::Repeated);
    assert_eq!(again.value.run, first.value.run);
}

/// Running work goes on under a pause: heartbeat, complete, fail and release are as without it. [8.4]
pub(crate) async fn running_work_goes_on_under_a_pause(t: &Fixture) {
    let (first, second, third) = (t.claimed().await, t.claimed().await, t.claimed().await);
    pause(t, PauseTarget::Board).await;
    t.store.heartbeat(calls::heartbeat(&first)).await.unwrap();
    assert_eq!(t.complete(&first).await.task.status, Status::Done);
    let failed = t.fail(&second, FailKind::Crashed).await.task;
    assert_eq!((failed.status, failed.failures), (Status::Ready, 1));
    assert_eq!(t.release(&third).await.task.status, Status::Ready);
}

/// Work is created, handed in and settled under a pause: it covers claims alone. [8.4]
pub(crate) async fn a_pause_stops_claims_alone(t: &Fixture) {
    let claimed = t.claimed().await;
    let (parent, child) = t.family().await;
    pause(t, PauseTarget::Board).await;
    assert_eq!(t.hand_in(&claimed).await.status, Status::Review);
    t.finish_task(&parent.id).await;
    assert_eq!(t.task(&child.id).await.status, Status::Ready);
}

/// A second pause of one target replaces actor and reason. [8.5]
pub(crate) async fn a_second_pause_replaces_the_first(t: &Fixture) {
    pause(t, PauseTarget::Board).await;
    t.advance(60);
    let second = PauseClaims {
        target: PauseTarget::Board,
        actor: label("otto"),
        reason: Some(reason("still maintenance")),
    };
    t.store.pause(second).await.unwrap();
    let pauses = t.store.pauses().await.unwrap().value;
    assert_eq!(pauses.len(), 1, "found {pauses:?}");
    assert_eq!(pauses[0].actor, label("otto"));
    assert_eq!(pauses[0].reason, Some(reason("still maintenance")));
}

/// One resume ends a pause, however often it was called. [8.5]
pub(crate) async fn one_resume_ends_two_pauses(t: &Fixture) {
    let task = t.ready("waits").await;
    pause(t, PauseTarget::Board).await;
    pause(t, PauseTarget::Board).await;
    let resume = calls::resume(PauseTarget::Board);
    let ended = t.store.resume(resume).await.unwrap();
    assert_eq!(ended.value.unwrap().target, PauseTarget::Board);
    assert!(t.store.pauses().await.unwrap().value.is_empty());
    assert_eq!(t.claim(&task.id).await.task.status, Status::Running);
}

/// A resume of what is not paused changes nothing. [8.5]
pub(crate) async fn a_resume_of_what_is_not_paused_changes_nothing(t: &Fixture) {
    pause(t, PauseTarget::Board).await;
    let resume = t.store.resume(calls::resume(amy()));
    let answer = t.nothing_written(resume).await.unwrap();
    assert_eq!((answer.effect, answer.value), (Effect::Unchanged, None));
}

/// The pauses of the board and of an assignee are two: each is ended by its own resume. [8.5]
pub(crate) async fn each_pause_is_ended_by_its_own_resume(t: &Fixture) {
    let (hers, his) = (t.ready_for("amy").await, t.ready_for("bob").await);
    pause(t, PauseTarget::Board).await;
    pause(t, amy()).await;
    let resume = calls::resume(PauseTarget::Board);
    t.store.resume(resume).await.unwrap();
    assert_eq!(t.claim(&his.id).await.task.status, Status::Running);
    assert!(t.store.claim(calls::claim(&hers.id)).await.is_err());
}

/// pause and resume write board events that name the target, the actor and the reason. [8.5]
pub(crate) async fn pause_and_resume_write_board_events(t: &Fixture) {
    let (_, paused) = t.events_by(t.store.pause(calls::pause(amy()))).await;
    let (_, resumed) = t.events_by(t.store.resume(calls::resume(amy()))).await;
    assert_eq!(kinds(&paused), [EventKind::Paused]);
    assert_eq!(kinds(&resumed), [EventKind::Resumed]);
    for event in paused.iter().chain(&resumed) {
        assert_eq!((&event.task, &event.run), (&None, &None));
        assert_eq!(event.actor, Some(label("olga")));
        let data = event.data.to_text();
        assert!(data.contains("amy"), "found {data}");
    }
    let data = paused[0].data.to_text();
    assert!(data.contains("maintenance"), "found {data}");
}

/// A pause outlives the store that set it. [8.5] [15.7]
pub(crate) async fn a_pause_outlives_a_reopen_of_the_store(t: &Fixture) {
    let task = t.ready("waits").await;
    pause(t, PauseTarget::Board).await;
    t.close().await;
    let again = t.open().await;
    let pauses = again.store.pauses().await.unwrap().value;
    assert_eq!(pauses[0].target, PauseTarget::Board);
    assert!(again.store.claim(calls::claim(&task.id)).await.is_err());
    again.boards.close().await.unwrap();
}

fn amy() -> PauseTarget {
    PauseTarget::Assignee(who("amy"))
}

async fn pause(t: &Fixture, target: PauseTarget) {
    t.store.pause(calls::pause(target)).await.unwrap();
}
