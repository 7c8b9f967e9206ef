//! Calls that are made twice.

use kanban_core::{
    ClaimNext, ClaimTask, Claimed, CommentOn, Complete, Effect, Ended, EventLease, FailKind,
    NewTask, NextClaim, Outcome, PauseTarget, Rejection, Scope, Status, WorkerBlockKind, Written,
};

use crate::answers::{rejected, stale};
use crate::calls;
use crate::fixture::Fixture;

/// A repeated complete by the worker of the run is answered the same, and nothing is written. [4.7]
pub(crate) async fn a_repeated_complete_is_answered_the_same(t: &Fixture) {
    let claimed = t.claimed().await;
    let complete = calls::complete(&claimed);
    let first = t.store.complete(complete.clone()).await.unwrap();
    let again = t.nothing_written(t.store.complete(complete)).await.unwrap();
    same(&first, &again);
}

/// A repeated fail by the worker of the run is answered the same. [4.7]
pub(crate) async fn a_repeated_fail_is_answered_the_same(t: &Fixture) {
    for &kind in FailKind::ALL {
        let claimed = t.claimed().await;
        let fail = calls::fail(&claimed, kind);
        let first = t.store.fail(fail.clone()).await.unwrap();
        let again = t.nothing_written(t.store.fail(fail)).await.unwrap();
        same(&first, &again);
    }
}

/// A repeated release by the worker of the run is answered the same. [4.7]
pub(crate) async fn a_repeated_release_is_answered_the_same(t: &Fixture) {
    let claimed = t.claimed().await;
    let first = t.store.release(calls::release(&claimed)).await.unwrap();
    let again = t
        .nothing_written(t.store.release(calls::release(&claimed)))
        .await
        .unwrap();
    same(&first, &again);
}

/// A repeated block by the worker of the run is answered the same, and does not count twice. [4.7] [7.14]
pub(crate) async fn a_repeated_block_is_answered_the_same(t: &Fixture) {
    let claimed = t.claimed().await;
    let block = calls::block(&claimed, WorkerBlockKind::NeedsInput);
    let first = t.store.block(block.clone()).await.unwrap();
    let again = t.nothing_written(t.store.block(block)).await.unwrap();
    same(&first, &again);
    assert_eq!(again.value.task.block_streak.unwrap().count, 1);
}

/// A repeated `request_review` and `request_changes` by the worker of the run is answered the same. [4.7]
pub(crate) async fn a_repeated_review_is_answered_the_same(t: &Fixture) {
    let claimed = t.claimed().await;
    let call = calls::request_review(&claimed.task.id, calls::worker(&claimed));
    let first = t.store.request_review(call.clone()).await.unwrap();
    let again = t
        .nothing_written(t.store.request_review(call))
        .await
        .unwrap();
    same(&first, &again);
    let reviewing = t.claim(&claimed.task.id).await;
    let call = calls::request_changes(&claimed.task.id, calls::worker(&reviewing));
    let first = t.store.request_changes(call.clone()).await.unwrap();
    let again = t
        .nothing_written(t.store.request_changes(call))
        .await
        .unwrap();
    same(&first, &again);
    assert_eq!(again.value.task.review_rounds, 1);
}

/// A repeat does not compare what is handed over: the first stands. [4.7]
pub(crate) async fn a_repeat_with_another_payload_changes_nothing(t: &Fixture) {
    let claimed = t.claimed().await;
    let with = |text| Complete {
        result: Some(calls::long(text)),
        summary: Some(calls::note(text)),
        ..calls::complete(&claimed)
    };
    t.store.complete(with("first")).await.unwrap();
    let again = t
        .nothing_written(t.store.complete(with("second")))
        .await
        .unwrap();
    assert_eq!(again.effect, Effect::Repeated);
    assert_eq!(again.value.run.unwrap().summary.unwrap().as_str(), "first");
    let result = t.detail(&claimed.task.id).await.result;
    assert_eq!(result.unwrap().as_str(), "first");
}

/// A repeat is answered also when the task was claimed again since, is done, or archived. [4.7]
pub(crate) async fn a_repeat_is_answered_when_the_task_has_moved_on(t: &Fixture) {
    let claimed = t.claimed().await;
    let release = || t.store.release(calls::release(&claimed));
    let first = release().await.unwrap();
    let next = t.claim(&claimed.task.id).await;
    repeated(&first, &t.nothing_written(release()).await.unwrap());
    t.complete(&next).await;
    repeated(&first, &t.nothing_written(release()).await.unwrap());
    t.archive(&claimed.task.id).await;
    repeated(&first, &t.nothing_written(release()).await.unwrap());
}

/// With another outcome than the stored one it is no repeat: the run is stale. [4.8]
pub(crate) async fn another_outcome_is_no_repeat(t: &Fixture) {
    let claimed = t.claimed().await;
    t.complete(&claimed).await;
    let failed = t
        .nothing_written(t.store.fail(calls::fail(&claimed, FailKind::Crashed)))
        .await;
    assert_eq!(stale(failed), (Outcome::Completed, None));
    let released = t
        .nothing_written(t.store.release(calls::release(&claimed)))
        .await;
    assert_eq!(stale(released), (Outcome::Completed, None));
}

/// A fail of another kind than the stored one is no repeat. [4.8]
pub(crate) async fn a_fail_of_another_kind_is_no_repeat(t: &Fixture) {
    let claimed = t.claimed().await;
    t.fail(&claimed, FailKind::Crashed).await;
    let call = calls::fail(&claimed, FailKind::WorkerError);
    assert_eq!(
        stale(t.nothing_written(t.store.fail(call)).await),
        (Outcome::Crashed, None)
    );
}

/// A run that an operator closed is stale for its worker, also with the same outcome. [4.8]
pub(crate) async fn what_an_operator_did_is_no_repeat_of_the_workers(t: &Fixture) {
    let claimed = t.claimed().await;
    t.finish_task(&claimed.task.id).await;
    let result = t
        .nothing_written(t.store.complete(calls::complete(&claimed)))
        .await;
    assert_eq!(stale(result), (Outcome::Completed, Some("olga".to_owned())));
}

/// A run that was taken back is stale for its worker, also with the same outcome. [4.8]
pub(crate) async fn what_the_clock_did_is_no_repeat_of_the_workers(t: &Fixture) {
    let claimed = t.claimed().await;
    t.advance(900);
    t.store.reclaim_expired(calls::reclaim()).await.unwrap();
    let call = calls::fail(&claimed, FailKind::LeaseExpired);
    let found = stale(t.nothing_written(t.store.fail(call)).await);
    assert_eq!(found, (Outcome::LeaseExpired, Some("board".to_owned())));
}

/// A run that a reopening closed is stale for its worker. [4.8] [10.4]
pub(crate) async fn what_a_reopening_did_is_no_repeat_of_the_workers(t: &Fixture) {
    let (parent, child) = t.family().await;
    t.finish_task(&parent.id).await;
    let claimed = t.claim(&child.id).await;
    t.store.reopen(calls::reopen(&parent.id)).await.unwrap();
    let result = t
        .nothing_written(t.store.complete(calls::complete(&claimed)))
        .await;
    let (ended_as, by) = stale(result);
    assert_eq!(ended_as, Outcome::Invalidated);
    assert!(by.is_some(), "expected who ended it, found nobody");
}

/// A worker's process told twice is told once; another one replaces it. [4.9] [6.13]
pub(crate) async fn a_repeated_set_worker_is_one(t: &Fixture) {
    let claimed = t.claimed().await;
    let call = |pid| {
        t.store
            .set_worker(calls::set_worker(&claimed.task.id, claimed.run.id, pid))
    };
    assert_eq!(call(7).await.unwrap().effect, Effect::Applied);
    let again = t.nothing_written(call(7)).await.unwrap();
    assert_eq!(again.effect, Effect::Repeated);
    assert_eq!(call(8).await.unwrap().effect, Effect::Applied);
}

/// A claim with the request id of its open claim is answered the same run, without a new deadline. [4.10]
pub(crate) async fn a_repeated_claim_is_answered_the_same_run(t: &Fixture) {
    let task = t.ready("wanted").await;
    let first = t.store.claim(keyed(&task.id, "w1")).await.unwrap();
    t.advance(60);
    let call = t.store.claim(keyed(&task.id, "w1"));
    let again = t.nothing_written(call).await.unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, first.value));
}

/// A `claim_next` with the request id of an open claim of its claimant is answered the same run. [4.10]
pub(crate) async fn a_repeated_claim_next_is_answered_the_same_run(t: &Fixture) {
    t.ready("first").await;
    t.ready("second").await;
    let first = next(t, "w1").await;
    t.advance(60);
    let again = t
        .nothing_written(t.store.claim_next(keyed_next("w1")))
        .await
        .unwrap();
    assert_eq!(again.effect, Effect::Repeated);
    assert_eq!(again.value, NextClaim::Claimed(Box::new(first)));
}

/// A claim without a request id is never a repeat. [4.10] [6.4]
pub(crate) async fn a_claim_without_a_request_id_is_no_repeat(t: &Fixture) {
    let claimed = t.claimed().await;
    let again = t.store.claim(calls::claim(&claimed.task.id)).await;
    assert_eq!(crate::answers::kind(again), "not_claimable");
}

/// A repeated claim is answered also while paused. [4.10] [8.3]
pub(crate) async fn a_repeated_claim_is_answered_while_paused(t: &Fixture) {
    let task = t.ready("wanted").await;
    let first = t.store.claim(keyed(&task.id, "w1")).await.unwrap();
    t.store
        .pause(calls::pause(PauseTarget::Board))
        .await
        .unwrap();
    let again = t
        .nothing_written(t.store.claim(keyed(&task.id, "w1")))
        .await
        .unwrap();
    assert_eq!(
        (again.effect, &again.value),
        (Effect::Repeated, &first.value)
    );
    let again = t
        .nothing_written(t.store.claim_next(keyed_next("w1")))
        .await
        .unwrap();
    assert_eq!(again.effect, Effect::Repeated);
}

/// A request id that the open claim of another task holds is taken. [4.10]
pub(crate) async fn a_request_id_of_another_tasks_claim_is_taken(t: &Fixture) {
    let (one, two) = (t.ready("one").await, t.ready("two").await);
    t.store.claim(keyed(&one.id, "w1")).await.unwrap();
    let other = t.nothing_written(t.store.claim(keyed(&two.id, "w1"))).await;
    assert_eq!(rejected(other), Rejection::KeyTaken { task: one.id });
}

/// A request id that the open claim of another claimant holds is taken. [4.10]
pub(crate) async fn a_request_id_of_another_claimant_is_taken(t: &Fixture) {
    let one = t.ready("one").await;
    t.ready("two").await;
    t.store.claim(keyed(&one.id, "w1")).await.unwrap();
    let taken = Rejection::KeyTaken {
        task: one.id.clone(),
    };
    let claim = t.nothing_written(t.store.claim(keyed(&one.id, "w2"))).await;
    assert_eq!(rejected(claim), taken);
    let next = t
        .nothing_written(t.store.claim_next(keyed_next("w2")))
        .await;
    assert_eq!(rejected(next), taken);
}

/// A request id is free again once its claim has ended, in whatever way. [4.10]
pub(crate) async fn a_request_id_is_free_once_its_claim_has_ended(t: &Fixture) {
    let (one, two) = (t.ready("one").await, t.ready("two").await);
    let first = t.store.claim(keyed(&one.id, "w1")).await.unwrap().value;
    t.release(&first).await;
    let second = t.store.claim(keyed(&one.id, "w2")).await.unwrap();
    assert_eq!(second.effect, Effect::Applied);
    assert!(second.value.run.id > first.run.id);
    t.advance(900);
    t.store.reclaim_expired(calls::reclaim()).await.unwrap();
    assert_eq!(next(t, "w3").await.task.id, two.id);
}

/// A comment with a request id that its task has seen is the first comment. [4.11]
pub(crate) async fn a_repeated_comment_is_one(t: &Fixture) {
    let (task, other) = (t.ready("talked about").await, t.ready("other").await);
    let keyed = |id, body| CommentOn {
        request_id: Some(calls::label("c-1")),
        ..calls::comment(id, body)
    };
    let first = t.store.comment(keyed(&task.id, "first")).await.unwrap();
    let again = t
        .nothing_written(t.store.comment(keyed(&task.id, "second")))
        .await
        .unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, first.value));
    let elsewhere = t.store.comment(keyed(&other.id, "third")).await.unwrap();
    assert_eq!(elsewhere.effect, Effect::Applied);
}

/// An attachment with a request id that its task has seen for one is the first; a comment's request id is another
/// matter. [4.11]
pub(crate) async fn a_repeated_attach_is_one(t: &Fixture) {
    let task = t.ready("with files").await;
    let key = Some(calls::label("c-1"));
    let comment = CommentOn {
        request_id: key.clone(),
        ..calls::comment(&task.id, "same key")
    };
    t.store.comment(comment).await.unwrap();
    let attach = kanban_core::AttachFile {
        request_id: key,
        ..calls::attach(&task.id, "a.txt")
    };
    let first = t.store.attach(attach.clone()).await.unwrap();
    assert_eq!(first.effect, Effect::Applied);
    let again = t.nothing_written(t.store.attach(attach)).await.unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, first.value));
}

/// Without a key a repeated create, `create_many`, comment or attach doubles. [4.12]
pub(crate) async fn without_a_key_a_repeat_doubles(t: &Fixture) {
    let (first, second) = (t.ready("same").await, t.ready("same").await);
    assert_ne!(first.id, second.id);
    let many = calls::many(vec![calls::item("same", vec![])]);
    let once = t.store.create_many(many.clone()).await.unwrap().value;
    assert_ne!(t.store.create_many(many).await.unwrap().value, once);
    for _ in 0..2 {
        t.store
            .comment(calls::comment(&first.id, "same"))
            .await
            .unwrap();
        t.store
            .attach(calls::attach(&first.id, "same"))
            .await
            .unwrap();
    }
    assert_eq!(t.comments(&first.id).await.len(), 2);
    let files = t.store.attachments(calls::all_of(&first.id)).await.unwrap();
    assert_eq!(files.value.len(), 2);
}

/// With keys a repeated create and `create_many` is one. [4.12] [5.3] [5.8]
pub(crate) async fn with_keys_a_repeat_is_one(t: &Fixture) {
    let new = |key: &str| NewTask {
        idempotency_key: Some(calls::label(key)),
        ..calls::new("same")
    };
    let first = t.store.create(new("a")).await.unwrap();
    let again = t.nothing_written(t.store.create(new("a"))).await.unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, first.value));
    let item = |key| kanban_core::NewItem {
        task: new(key),
        parents: vec![],
    };
    let many = calls::many(vec![item("b"), item("c")]);
    let first = t.store.create_many(many.clone()).await.unwrap();
    let again = t.nothing_written(t.store.create_many(many)).await.unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, first.value));
}

/// A repeated ack of the last lease says so, and moves nothing. [4.13]
pub(crate) async fn a_repeated_ack_moves_nothing(t: &Fixture) {
    let subscribe = calls::subscribe(Scope::Board, "a");
    let subscription = t.store.subscribe(subscribe).await.unwrap().value.id;
    t.ready("news").await;
    let lease = t
        .store
        .lease_events(calls::lease(subscription))
        .await
        .unwrap()
        .value;
    let EventLease::Leased { lease, .. } = lease else {
        panic!("expected news, found {lease:?}")
    };
    let first = t.store.ack(calls::ack(subscription, lease)).await.unwrap();
    t.ready("more news").await;
    let again = t
        .nothing_written(t.store.ack(calls::ack(subscription, lease)))
        .await
        .unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, first.value));
}

/// The same answer, as a repeat.
#[track_caller]
fn same(first: &Written<Ended>, again: &Written<Ended>) {
    assert_eq!(
        (first.effect, again.effect),
        (Effect::Applied, Effect::Repeated)
    );
    assert_eq!((&again.value, again.seq), (&first.value, first.seq));
}

/// The same run, as a repeat, whatever became of the task.
#[track_caller]
fn repeated(first: &Written<Ended>, again: &Written<Ended>) {
    assert_eq!(again.effect, Effect::Repeated);
    assert_eq!(again.value.run, first.value.run);
}

fn keyed(id: &kanban_core::TaskId, claimant: &str) -> ClaimTask {
    ClaimTask {
        claimant: calls::label(claimant),
        request_id: Some(calls::label("r-1")),
        ..calls::claim(id)
    }
}

fn keyed_next(claimant: &str) -> ClaimNext {
    ClaimNext {
        request_id: Some(calls::label("r-1")),
        ..ClaimNext::new(calls::label(claimant))
    }
}

async fn next(t: &Fixture, claimant: &str) -> Claimed {
    let found = t
        .store
        .claim_next(keyed_next(claimant))
        .await
        .unwrap()
        .value;
    let NextClaim::Claimed(claimed) = found else {
        panic!("expected a task, found {found:?}")
    };
    assert_eq!(claimed.task.status, Status::Running);
    *claimed
}

/// A repeat is never told another worker's run. It was, in the claim of the task that it is answered. [4.2] [4.7]
pub(crate) async fn a_repeat_never_tells_another_workers_run(t: &Fixture) {
    let first = t.claimed().await;
    t.release(&first).await;
    let second = t.claim(&first.task.id).await;
    let again = t.store.release(calls::release(&first)).await.unwrap();
    assert_eq!(again.effect, Effect::Repeated);
    let claim = again.value.task.claim;
    assert_eq!(claim, None, "expected no sight of run {}", second.run.id);
}
