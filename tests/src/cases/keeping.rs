//! Policy, the removal of old events, and the check of a board.

use kanban_core::{
    Claimed, CollectEvents, Covered, Effect, EventId, EventKind, FailKind, Heartbeat, More,
    PauseTarget, Policy, SetPolicy, Status, Task,
};

use crate::answers::{invalid, kinds};
use crate::calls::{self, label, note, secs};
use crate::fixture::Fixture;

/// A change of the policy applies from the next command on, also in another process. [16.8]
pub(crate) async fn a_policy_applies_from_the_next_command_on(t: &Fixture) {
    let other = t.open().await;
    let policy = Policy {
        failure_limit: 1,
        claim_ttl_ms: 60_000,
        ..Policy::default()
    };
    t.set_policy(policy.clone()).await;
    assert_eq!(other.store.policy().await.unwrap().value, policy);
    let task = t.ready("breaks").await;
    let claimed = other.store.claim(calls::claim(&task.id)).await;
    let claimed = claimed.unwrap().value;
    let claim = claimed.task.claim.as_ref().unwrap();
    assert_eq!(claim.expires_at, t.in_secs(60));
    let failed = calls::fail(&claimed, FailKind::Crashed);
    let ended = other.store.fail(failed).await.unwrap().value;
    assert_eq!(ended.task.status, Status::Blocked);
    other.boards.close().await.unwrap();
}

/// The policy outlives the store that set it; set answers the one before, and writes a board event. [16.8]
pub(crate) async fn the_policy_is_a_row_of_the_board(t: &Fixture) {
    let policy = Policy {
        failure_limit: 7,
        ..Policy::default()
    };
    let set = SetPolicy {
        policy: policy.clone(),
        actor: label("olga"),
    };
    let (before, events) = t.events_by(t.store.set_policy(set)).await;
    assert_eq!(before, Policy::default());
    assert_eq!(kinds(&events), [EventKind::PolicyChanged]);
    assert_eq!(
        (&events[0].task, &events[0].actor),
        (&None, &Some(label("olga")))
    );
    t.close().await;
    let again = t.open().await;
    assert_eq!(again.store.policy().await.unwrap().value, policy);
    again.boards.close().await.unwrap();
}

/// A policy with a field out of its bounds is `Invalid`, and names the field. [16.8] [18.2]
pub(crate) async fn a_policy_has_bounds(t: &Fixture) {
    let good = Policy::default;
    let wrong: [(&str, Policy); 6] = [
        (
            "claim_ttl_ms",
            Policy {
                claim_ttl_ms: 999,
                ..good()
            },
        ),
        (
            "failure_limit",
            Policy {
                failure_limit: 0,
                ..good()
            },
        ),
        (
            "backoff_base_ms",
            Policy {
                backoff_base_ms: 0,
                ..good()
            },
        ),
        (
            "backoff_max_ms",
            Policy {
                backoff_max_ms: 1,
                ..good()
            },
        ),
        (
            "block_streak_limit",
            Policy {
                block_streak_limit: 1001,
                ..good()
            },
        ),
        (
            "review_round_limit",
            Policy {
                review_round_limit: 0,
                ..good()
            },
        ),
    ];
    for (field, policy) in wrong {
        let actor = label("olga");
        let set = t.store.set_policy(SetPolicy { policy, actor });
        assert_eq!(invalid(t.nothing_written(set).await).field, field);
    }
}

/// gc removes the events of a settled task, but for `created`, `claimed` and `completed`. [16.9]
pub(crate) async fn gc_keeps_the_outline_of_a_task(t: &Fixture) {
    let task = chatty(t).await;
    assert_eq!(gc(t, 0, 1000, Covered::Keep).await, (3, More::Finished));
    let expected = [EventKind::Created, EventKind::Claimed, EventKind::Completed];
    assert_eq!(t.kinds_of(&task.id).await, expected);
    assert_eq!(gc(t, 0, 1000, Covered::Keep).await, (0, More::Finished));
}

/// gc removes every event of a settled task if asked to, and still no task and no run. [16.9] [17.9]
pub(crate) async fn gc_removes_everything_if_asked_to(t: &Fixture) {
    let task = chatty(t).await;
    let runs = t.runs(&task.id).await;
    let before = t.task(&task.id).await;
    assert_eq!(gc(t, 0, 1000, Covered::Remove).await.0, 6);
    assert!(t.events_of(&task.id).await.is_empty());
    assert_eq!(t.task(&task.id).await, before);
    assert_eq!(
        (t.runs(&task.id).await, t.comments(&task.id).await.len()),
        (runs, 1)
    );
}

/// gc keeps the events of tasks that were not settled that long. [16.9]
pub(crate) async fn gc_keeps_what_was_settled_later(t: &Fixture) {
    let old = chatty(t).await;
    t.advance(3600);
    let new = chatty(t).await;
    assert_eq!(gc(t, 3601, 1000, Covered::Keep).await, (0, More::Finished));
    assert_eq!(gc(t, 3600, 1000, Covered::Keep).await, (3, More::Finished));
    assert_eq!(t.events_of(&old.id).await.len(), 3);
    assert_eq!(t.events_of(&new.id).await.len(), 6);
}

/// gc keeps every event of tasks that are not settled, and of the board itself. [16.9]
pub(crate) async fn gc_keeps_what_is_not_settled(t: &Fixture) {
    let claimed = t.claimed().await;
    talk(t, &claimed).await;
    let pause = calls::pause(PauseTarget::Board);
    t.store.pause(pause).await.unwrap();
    t.advance(3600);
    let before = t.events().await;
    let collect = t.store.gc(collect(0, 1000, Covered::Remove));
    let answer = t.nothing_written(collect).await.unwrap();
    assert_eq!(answer.effect, Effect::Unchanged);
    assert_eq!(t.events().await, before);
}

/// gc keeps the events of a reopened task: it is settled no more. [16.9] [3.5]
pub(crate) async fn gc_keeps_what_was_reopened(t: &Fixture) {
    let task = chatty(t).await;
    t.store.reopen(calls::reopen(&task.id)).await.unwrap();
    t.advance(3600);
    assert_eq!(gc(t, 0, 1000, Covered::Remove).await, (0, More::Finished));
}

/// gc collects archived tasks too. [16.9]
pub(crate) async fn gc_collects_archived_tasks(t: &Fixture) {
    let task = t.ready("given up").await;
    t.store
        .comment(calls::comment(&task.id, "no"))
        .await
        .unwrap();
    t.archive(&task.id).await;
    assert_eq!(gc(t, 0, 1000, Covered::Keep).await, (2, More::Finished));
    assert_eq!(t.kinds_of(&task.id).await, [EventKind::Created]);
}

/// gc keeps what a subscription of the task has not delivered, until it has. [16.9]
pub(crate) async fn gc_keeps_what_a_subscription_has_not_delivered(t: &Fixture) {
    let task = t.ready("heard of").await;
    let id = t.subscribe(&task.id, "amy").await.id;
    let claimed = t.claim(&task.id).await;
    talk(t, &claimed).await;
    t.complete(&claimed).await;
    // `subscribed` itself is before the cursor.
    assert_eq!(gc(t, 0, 1000, Covered::Keep).await, (1, More::Finished));
    let handed = t.handed(id).await;
    assert_eq!(handed.events.len(), 5);
    t.ack(id, &handed).await;
    assert_eq!(gc(t, 0, 1000, Covered::Keep).await, (3, More::Finished));
}

/// gc keeps what a subscription of the board has not delivered, unless asked to. [16.9]
pub(crate) async fn gc_keeps_what_a_board_subscription_has_not_delivered(t: &Fixture) {
    let id = t.subscribe_board("amy").await.id;
    chatty(t).await;
    assert_eq!(gc(t, 0, 1000, Covered::Keep).await, (0, More::Finished));
    assert_eq!(gc(t, 0, 1000, Covered::Remove).await.0, 6);
    let left = t.lease(id).await;
    assert_eq!(left, kanban_core::EventLease::None { until: None });
}

/// gc removes at most its limit in one command, and says when nothing is left. [16.9]
pub(crate) async fn gc_removes_at_most_its_limit(t: &Fixture) {
    for _ in 0..3 {
        chatty(t).await;
    }
    let there_are = || t.store.collectable_events(collect(0, 2, Covered::Keep));
    assert_eq!(there_are().await.unwrap().value, 9);
    let mut removed = 0;
    loop {
        let (some, more) = gc(t, 0, 2, Covered::Keep).await;
        assert!(some <= 2, "found {some}");
        removed += some;
        if more == More::Finished {
            break;
        }
        assert!(some > 0, "more, and nothing removed");
    }
    assert_eq!(removed, 9);
    assert_eq!(there_are().await.unwrap().value, 0);
}

/// gc takes a limit of 1 to 10,000. [16.9] [18.2]
pub(crate) async fn gc_has_a_limit(t: &Fixture) {
    for limit in [0, 10_001] {
        let refused = t.store.gc(collect(0, limit, Covered::Keep)).await;
        assert_eq!(invalid(refused).field, "limit");
    }
    assert_eq!(gc(t, 0, 10_000, Covered::Keep).await, (0, More::Finished));
}

/// The horizon is the greatest id that gc removed, and outlives a reopen of the store. [16.9] [13.7]
pub(crate) async fn the_horizon_is_the_greatest_id_removed(t: &Fixture) {
    let first = chatty(t).await;
    gc(t, 0, 1000, Covered::Keep).await;
    let second = chatty(t).await;
    let talked = t.events_of(&second.id).await;
    let last = talked.iter().rfind(|e| e.kind == EventKind::Commented);
    let expected = Some(last.unwrap().id);
    gc(t, 0, 1000, Covered::Keep).await;
    let ask = calls::events_after(EventId::new(0));
    let page = t.store.events(ask.clone()).await.unwrap().value;
    assert_eq!(page.truncated, expected);
    t.close().await;
    let again = t.open().await;
    let page = again.store.events(ask).await.unwrap().value;
    assert_eq!(page.truncated, expected);
    assert!(again.store.task(first.id).await.is_ok());
    again.boards.close().await.unwrap();
}

/// Ids of events that gc removed are not given again. [16.9] [1.4]
pub(crate) async fn ids_that_gc_removed_are_not_given_again(t: &Fixture) {
    let task = chatty(t).await;
    let last = t.last_event(&task.id).await.id;
    gc(t, 0, 1000, Covered::Remove).await;
    let next = t.ready("next").await;
    assert!(t.last_event(&next.id).await.id > last);
}

/// verify finds nothing on a sound board, and tells the `seq` that it looked at. [16.10]
pub(crate) async fn verify_finds_nothing_on_a_sound_board(t: &Fixture) {
    for &status in Status::ALL {
        t.in_status(status).await;
    }
    let verified = t.store.verify().await.unwrap();
    assert_eq!((verified.value, verified.seq), (vec![], t.seq().await));
    let other = t.boards.create(&calls::slug("empty")).await.unwrap();
    assert_eq!(other.verify().await.unwrap().value, vec![]);
}

/// verify works beside writers, from one snapshot. [16.10] [15.9]
pub(crate) async fn verify_works_beside_writers(t: &Fixture) {
    crate::threads::race(2, |number| {
        pollster::block_on(async {
            for _ in 0..15 {
                if number == 0 {
                    t.done().await;
                } else {
                    assert_eq!(t.store.verify().await.unwrap().value, vec![]);
                }
            }
        });
    });
}

fn collect(seconds: u64, limit: usize, covered: Covered) -> CollectEvents {
    CollectEvents {
        older_than: secs(seconds),
        limit,
        covered,
    }
}

async fn gc(t: &Fixture, seconds: u64, limit: usize, covered: Covered) -> (u64, More) {
    let collected = t.store.gc(collect(seconds, limit, covered)).await;
    let collected = collected.unwrap().value;
    (collected.removed, collected.more)
}

/// A done task with three events beside its outline.
async fn chatty(t: &Fixture) -> Task {
    let claimed = t.claimed().await;
    talk(t, &claimed).await;
    t.complete(&claimed).await.task
}

/// Three events that gc may remove, the last of them a comment.
async fn talk(t: &Fixture, claimed: &Claimed) {
    let beat = Heartbeat {
        note: Some(note("alive")),
        ..calls::heartbeat(claimed)
    };
    t.store.heartbeat(beat).await.unwrap();
    let worker = calls::set_worker(&claimed.task.id, claimed.run.id, 7);
    t.store.set_worker(worker).await.unwrap();
    let comment = calls::comment(&claimed.task.id, "hm");
    t.store.comment(comment).await.unwrap();
}
