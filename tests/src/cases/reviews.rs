//! Handing work in, and giving it back.

use kanban_core::{
    Assignee, BlockKind, Claimed, Effect, EventKind, FailKind, Outcome, Phase, Policy, Rejection,
    RequestReview, Status, Task,
};

use crate::answers::{data, kinds, rejected};
use crate::calls::{self, json, note, who};
use crate::fixture::Fixture;

/// `request_review` closes the run with summary and metadata, and lands the task in `review`. [9.1]
pub(crate) async fn work_is_handed_in_with_summary_and_metadata(t: &Fixture) {
    let claimed = t.claimed().await;
    let call = RequestReview {
        metadata: Some(json(r#"{"tests":12}"#)),
        ..calls::request_review(&claimed.task.id, calls::worker(&claimed))
    };
    let (ended, events) = t.events_by(t.store.request_review(call)).await;
    assert_eq!(ended.task.status, Status::Review);
    assert_eq!(ended.task.phase, Phase::Review);
    let run = ended.run.unwrap();
    assert_eq!(run.outcome, Some(Outcome::ReviewRequested));
    assert_eq!(run.summary, Some(note("please look")));
    assert_eq!(run.metadata, Some(json(r#"{"tests":12}"#)));
    assert_eq!(kinds(&events), [EventKind::ReviewRequested]);
    assert_eq!(data(&events[0], "to"), "review");
}

/// Work that is handed in with unsatisfied parents waits in `todo`, in phase review. [9.1] [2.2]
pub(crate) async fn work_handed_in_with_unsatisfied_parents_waits(t: &Fixture) {
    let (parent, claimed) = (t.ready("late").await, t.claimed().await);
    let link = calls::link(&parent.id, &claimed.task.id);
    t.store.link(link).await.unwrap();
    let task = t.hand_in(&claimed).await;
    assert_eq!((task.status, task.phase), (Status::Todo, Phase::Review));
}

/// An operator hands in what nobody has claimed: a run of zero length keeps what was said. [9.1] [7.3]
pub(crate) async fn an_operator_hands_in_a_ready_task(t: &Fixture) {
    let task = t.ready("done by hand").await;
    let call = calls::request_review(&task.id, calls::olga());
    let (ended, events) = t.events_by(t.store.request_review(call)).await;
    assert_eq!(ended.task.status, Status::Review);
    let run = t.last_run(&task.id).await;
    assert_eq!(run.outcome, Some(Outcome::ReviewRequested));
    assert_eq!(run.summary, Some(note("please look")));
    assert_eq!((run.started_at, run.ended_at), (t.now(), Some(t.now())));
    assert_eq!(run.claimant, None);
    assert_eq!(kinds(&events), [EventKind::ReviewRequested]);
}

/// Handing in with nothing to keep makes no run. [9.1] [7.3]
pub(crate) async fn handing_in_with_nothing_to_keep_makes_no_run(t: &Fixture) {
    let task = t.ready("done by hand").await;
    let call = RequestReview {
        summary: None,
        ..calls::request_review(&task.id, calls::olga())
    };
    let ended = t.store.request_review(call).await.unwrap().value;
    assert_eq!((ended.task.status, ended.run), (Status::Review, None));
    assert!(t.runs(&task.id).await.is_empty());
}

/// A repeated hand-in by the same worker is answered the same, and writes nothing. [9.1] [4.7]
pub(crate) async fn a_repeated_hand_in_is_answered_the_same(t: &Fixture) {
    let claimed = t.claimed().await;
    let call = calls::request_review(&claimed.task.id, calls::worker(&claimed));
    let first = t.store.request_review(call.clone()).await.unwrap().value;
    let again = t.store.request_review(call);
    let again = t.nothing_written(again).await.unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, first));
}

/// The given reviewer becomes reviewer and assignee; the assignee so far becomes the implementer. [9.2]
pub(crate) async fn the_given_reviewer_becomes_the_assignee(t: &Fixture) {
    let task = handed_to(t, Some("rita")).await;
    assert_eq!(people(&task), [Some("rita"), Some("amy"), Some("rita")]);
}

/// With no reviewer given and none before the assignee stays. [9.2]
pub(crate) async fn without_a_reviewer_the_assignee_stays(t: &Fixture) {
    let task = handed_to(t, None).await;
    assert_eq!(people(&task), [Some("amy"), Some("amy"), None]);
}

/// With no reviewer given the last one reviews again. [9.2]
pub(crate) async fn the_last_reviewer_reviews_again(t: &Fixture) {
    let task = handed_to(t, Some("rita")).await;
    let call = calls::request_changes(&task.id, calls::olga());
    t.store.request_changes(call).await.unwrap();
    let claimed = t.claim(&task.id).await;
    let task = t.hand_in(&claimed).await;
    assert_eq!(people(&task), [Some("rita"), Some("amy"), Some("rita")]);
}

/// A reviewer who hands a review on does not become the implementer. [9.2]
pub(crate) async fn a_review_that_is_handed_on_keeps_its_implementer(t: &Fixture) {
    let task = handed_to(t, Some("rita")).await;
    let claimed = t.claim(&task.id).await;
    let call = RequestReview {
        reviewer: Some(who("rolf")),
        ..calls::request_review(&task.id, calls::worker(&claimed))
    };
    let task = t.store.request_review(call).await.unwrap().value.task;
    assert_eq!(people(&task), [Some("rolf"), Some("amy"), Some("rolf")]);
    assert_eq!((task.status, task.phase), (Status::Review, Phase::Review));
}

/// `request_changes` gives the work back to the implementer, and counts a round. [9.3]
pub(crate) async fn changes_go_back_to_the_implementer(t: &Fixture) {
    let task = handed_to(t, Some("rita")).await;
    let claimed = t.claim(&task.id).await;
    let call = calls::request_changes(&task.id, calls::worker(&claimed));
    let (ended, events) = t.events_by(t.store.request_changes(call)).await;
    assert_eq!(ended.task.status, Status::Ready);
    assert_eq!(ended.task.phase, Phase::Work);
    assert_eq!(ended.task.review_rounds, 1);
    assert_eq!(ended.task.assignee, Some(who("amy")));
    let run = ended.run.unwrap();
    assert_eq!(run.outcome, Some(Outcome::ChangesRequested));
    assert_eq!(run.summary, Some(note("not yet")));
    assert_eq!(kinds(&events), [EventKind::ChangesRequested]);
}

/// An operator requests changes of a review that nobody has claimed. [9.3]
pub(crate) async fn an_operator_requests_changes_of_a_waiting_review(t: &Fixture) {
    let task = t.in_review().await;
    let call = calls::request_changes(&task.id, calls::olga());
    let (ended, events) = t.events_by(t.store.request_changes(call)).await;
    assert_eq!(ended.task.status, Status::Ready);
    assert_eq!(ended.task.phase, Phase::Work);
    assert_eq!(ended.task.review_rounds, 1);
    assert_eq!(kinds(&events), [EventKind::ChangesRequested]);
    assert_eq!(events[0].actor, Some(calls::label("olga")));
}

/// Changes of running work cannot be requested: there is nothing to review. [9.3]
pub(crate) async fn changes_of_work_are_refused(t: &Fixture) {
    let claimed = t.claimed().await;
    for authority in [calls::worker(&claimed), calls::olga()] {
        let call = calls::request_changes(&claimed.task.id, authority);
        let refused = t.nothing_written(t.store.request_changes(call)).await;
        assert_eq!(rejected(refused).reason(), "wrong_status");
    }
}

/// A repeated request for changes is answered the same, and counts no second round. [9.3] [4.7]
pub(crate) async fn a_repeated_request_for_changes_counts_once(t: &Fixture) {
    let claimed = t.reviewing().await;
    let call = calls::request_changes(&claimed.task.id, calls::worker(&claimed));
    t.store.request_changes(call.clone()).await.unwrap();
    let again = t.store.request_changes(call);
    let again = t.nothing_written(again).await.unwrap();
    assert_eq!(again.effect, Effect::Repeated);
    assert_eq!(again.value.task.review_rounds, 1);
}

/// The tenth round blocks the task, in phase work and with its implementer, by the one event. [9.4]
pub(crate) async fn the_tenth_round_blocks_the_task(t: &Fixture) {
    let task = t.ready_for("amy").await;
    for round in 1..10 {
        let task = round_trip(t, &task).await;
        assert_eq!((task.status, task.review_rounds), (Status::Ready, round));
    }
    let before = t.events_of(&task.id).await.len();
    let task = round_trip(t, &task).await;
    assert_eq!((task.status, task.phase), (Status::Blocked, Phase::Work));
    assert_eq!(task.block.unwrap().kind, BlockKind::ReviewLoop);
    assert_eq!((task.review_rounds, task.assignee), (10, Some(who("amy"))));
    let events = t.events_of(&task.id).await;
    let expected = [
        EventKind::Claimed,
        EventKind::ReviewRequested,
        EventKind::ChangesRequested,
    ];
    assert_eq!(kinds(&events[before..]), expected);
    assert_eq!(data(events.last().unwrap(), "to"), "blocked");
}

/// The policy says how many rounds block a task. [9.4] [16.8]
pub(crate) async fn the_policy_says_how_many_rounds_block(t: &Fixture) {
    t.set_policy(Policy {
        review_round_limit: 1,
        ..Policy::default()
    })
    .await;
    let task = t.ready_for("amy").await;
    let task = round_trip(t, &task).await;
    assert_eq!(task.block.unwrap().kind, BlockKind::ReviewLoop);
}

/// A review that fails, is released or expires lands in `review` again, with the reviewer. [9.5]
pub(crate) async fn a_review_that_ends_badly_lands_in_review_again(t: &Fixture) {
    for way in 0..3 {
        let task = handed_to(t, Some("rita")).await;
        let claimed = t.claim(&task.id).await;
        let task = end_badly(t, &claimed, way).await;
        assert_eq!((task.status, task.phase), (Status::Review, Phase::Review));
        assert_eq!(people(&task), [Some("rita"), Some("amy"), Some("rita")]);
    }
}

/// Review round trips keep the failures of the work. [7.13] [9.3]
pub(crate) async fn a_round_trip_keeps_failures(t: &Fixture) {
    let claimed = t.claimed().await;
    let task = t.fail(&claimed, FailKind::Crashed).await.task;
    t.store.promote(calls::promote(&task.id)).await.unwrap();
    let task = round_trip(t, &task).await;
    assert_eq!((task.status, task.failures), (Status::Ready, 1));
}

/// A review that is finished is done, and belongs to its implementer again. [7.4] [9.2]
pub(crate) async fn a_finished_review_belongs_to_its_implementer(t: &Fixture) {
    let task = handed_to(t, Some("rita")).await;
    let claimed = t.claim(&task.id).await;
    let task = t.complete(&claimed).await.task;
    assert_eq!((task.status, task.phase), (Status::Done, Phase::Work));
    assert_eq!(task.assignee, Some(who("amy")));
}

/// `request_review` of a task that waits for a human or for others is refused, also to an operator. [9.1] [2.3]
pub(crate) async fn what_is_not_ready_is_not_handed_in(t: &Fixture) {
    for status in [Status::Todo, Status::Blocked, Status::Review, Status::Done] {
        let task = t.in_status(status).await;
        let call = calls::request_review(&task.id, calls::olga());
        let refused = t.nothing_written(t.store.request_review(call)).await;
        let Rejection::WrongStatus {
            status: at,
            allowed,
        } = rejected(refused)
        else {
            panic!("expected WrongStatus from {status}");
        };
        assert_eq!(at, status);
        assert!(!allowed.contains(&status), "found {allowed:?}");
    }
}

/// Assignee, implementer and reviewer.
fn people(task: &Task) -> [Option<&str>; 3] {
    [&task.assignee, &task.implementer, &task.reviewer]
        .map(|who| who.as_ref().map(Assignee::as_str))
}

/// A task of amy's, handed in.
async fn handed_to(t: &Fixture, reviewer: Option<&str>) -> Task {
    let task = t.ready_for("amy").await;
    let claimed = t.claim(&task.id).await;
    let call = RequestReview {
        reviewer: reviewer.map(who),
        ..calls::request_review(&task.id, calls::worker(&claimed))
    };
    t.store.request_review(call).await.unwrap().value.task
}

/// Claimed, handed in and given back.
async fn round_trip(t: &Fixture, task: &Task) -> Task {
    let claimed = t.claim(&task.id).await;
    t.hand_in(&claimed).await;
    let call = calls::request_changes(&task.id, calls::olga());
    t.store.request_changes(call).await.unwrap().value.task
}

async fn end_badly(t: &Fixture, claimed: &Claimed, way: u32) -> Task {
    match way {
        0 => t.fail(claimed, FailKind::WorkerError).await.task,
        1 => t.release(claimed).await.task,
        _ => {
            t.advance(3600);
            t.store.reclaim_expired(calls::reclaim()).await.unwrap();
            t.task(&claimed.task.id).await
        }
    }
}
