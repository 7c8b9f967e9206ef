//! Tasks that cannot go on, and how they go on.

use kanban_core::{
    BlockKind, BlockTask, Claimed, Effect, EventKind, FailKind, OnOpenParents, Outcome, Policy,
    PromoteMode, PromoteTask, Rejection, Status, Task, TaskId, WorkerBlockKind,
};

use crate::answers::{data, invalid, kinds, rejected, stale};
use crate::calls::{self, label, reason};
use crate::fixture::Fixture;

/// A worker's block closes the run with the reason as its summary, and says why, by whom and since when. [8.6]
pub(crate) async fn a_workers_block_says_why_by_whom_and_since_when(t: &Fixture) {
    let claimed = t.claimed().await;
    t.advance(5);
    let call = calls::block(&claimed, WorkerBlockKind::NeedsInput);
    let (ended, events) = t.events_by(t.store.block(call)).await;
    let block = ended.task.block.unwrap();
    assert_eq!(ended.task.status, Status::Blocked);
    assert_eq!((block.kind, block.at), (BlockKind::NeedsInput, t.now()));
    assert_eq!(block.reason, Some(reason("cannot go on")));
    assert_eq!(block.by, Some(label("w1")));
    let run = ended.run.unwrap();
    assert_eq!(run.outcome, Some(Outcome::Blocked));
    assert_eq!(run.summary.unwrap().as_str(), "cannot go on");
    assert_eq!(kinds(&events), [EventKind::Blocked]);
}

/// Each kind but `dependency` blocks with that kind. [8.6]
pub(crate) async fn each_kind_of_block_blocks(t: &Fixture) {
    for (&kind, expected) in WorkerBlockKind::ALL.iter().zip([
        BlockKind::NeedsInput,
        BlockKind::Capability,
        BlockKind::Transient,
        BlockKind::Other,
    ]) {
        let claimed = t.claimed().await;
        let task = t.block(&claimed, kind).await.task;
        assert_eq!(task.status, Status::Blocked, "by {kind}");
        assert_eq!(task.block.unwrap().kind, expected);
    }
}

/// An operator blocks what waits; nothing is closed, and the streak stays as it is. [8.6] [8.7]
pub(crate) async fn an_operator_blocks_what_waits(t: &Fixture) {
    for status in [
        Status::Todo,
        Status::Ready,
        Status::Review,
        Status::Scheduled,
    ] {
        let task = t.in_status(status).await;
        let runs = t.runs(&task.id).await;
        let ended = block_by_olga(t, &task.id).await;
        assert_eq!(ended.status, Status::Blocked, "from {status}");
        assert_eq!(ended.block.unwrap().by, Some(label("olga")));
        assert_eq!((ended.block_streak, ended.wake_at), (None, None));
        assert_eq!(t.runs(&task.id).await, runs);
    }
}

/// An operator's block of a running task closes its run: the worker's is stale from then on. [8.6] [4.8]
pub(crate) async fn an_operators_block_closes_an_open_run(t: &Fixture) {
    let claimed = t.claimed().await;
    block_by_olga(t, &claimed.task.id).await;
    let run = t.run(&claimed.task.id, claimed.run.id).await;
    assert_eq!(run.outcome, Some(Outcome::Blocked));
    let again = calls::block(&claimed, WorkerBlockKind::Other);
    let (ended_as, by) = stale(t.store.block(again).await);
    assert_eq!(ended_as, Outcome::Blocked);
    assert_eq!(by.as_deref(), Some("olga"));
}

/// A repeated block by the same worker is answered the same, and writes nothing. [4.7] [8.6]
pub(crate) async fn a_repeated_block_is_answered_the_same(t: &Fixture) {
    let claimed = t.claimed().await;
    let first = t.block(&claimed, WorkerBlockKind::Other).await;
    let call = calls::block(&claimed, WorkerBlockKind::Transient);
    let again = t.nothing_written(t.store.block(call)).await.unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, first));
}

/// The second block in a row of one kind sends a task to triage, so that an unblock can't spin. [8.7]
pub(crate) async fn a_second_block_of_one_kind_goes_to_triage(t: &Fixture) {
    let claimed = blocked_once(t, WorkerBlockKind::Capability).await;
    let call = calls::block(&claimed, WorkerBlockKind::Capability);
    let (ended, events) = t.events_by(t.store.block(call)).await;
    assert_eq!(
        (ended.task.status, ended.task.block),
        (Status::Triage, None)
    );
    assert_eq!(ended.run.unwrap().outcome, Some(Outcome::Blocked));
    assert_eq!(kinds(&events), [EventKind::BlockLoop]);
    assert_eq!(data(&events[0], "to"), "triage");
}

/// Blocks of different kinds do not add up: the streak begins anew. [8.7]
pub(crate) async fn blocks_of_different_kinds_do_not_add_up(t: &Fixture) {
    let claimed = blocked_once(t, WorkerBlockKind::Capability).await;
    let task = t.block(&claimed, WorkerBlockKind::Transient).await.task;
    assert_eq!(task.status, Status::Blocked);
    let streak = task.block_streak.unwrap();
    assert_eq!((streak.kind, streak.count), (BlockKind::Transient, 1));
}

/// An operator's block leaves the streak of the worker's: it neither counts nor begins it anew. [8.7]
pub(crate) async fn an_operators_block_leaves_the_streak(t: &Fixture) {
    let claimed = blocked_once(t, WorkerBlockKind::Other).await;
    let task = block_by_olga(t, &claimed.task.id).await;
    assert_eq!(task.status, Status::Blocked);
    assert_eq!(task.block_streak.unwrap().count, 1);
    unblock(t, &task.id).await;
    let claimed = t.claim(&task.id).await;
    let task = t.block(&claimed, WorkerBlockKind::Other).await.task;
    assert_eq!(task.status, Status::Triage);
}

/// The policy says how many blocks in a row are a loop. [8.7] [16.8]
pub(crate) async fn the_policy_says_how_many_blocks_are_a_loop(t: &Fixture) {
    t.set_policy(Policy {
        block_streak_limit: 3,
        ..Policy::default()
    })
    .await;
    let claimed = blocked_once(t, WorkerBlockKind::Other).await;
    let task = t.block(&claimed, WorkerBlockKind::Other).await.task;
    assert_eq!(task.status, Status::Blocked);
    assert_eq!(task.block_streak.unwrap().count, 2);
    unblock(t, &task.id).await;
    let claimed = t.claim(&task.id).await;
    let task = t.block(&claimed, WorkerBlockKind::Other).await.task;
    assert_eq!(task.status, Status::Triage);
}

/// A dependency block links its ids as parents and waits for them; one event says that the status changed. [8.8] [13.2]
pub(crate) async fn a_dependency_block_links_and_waits(t: &Fixture) {
    let (first, second) = (t.ready("first").await, t.done().await);
    let claimed = t.claimed().await;
    let call = depends(&claimed, &[&first.id, &second.id]);
    let (ended, events) = t.events_by(t.store.block(call)).await;
    assert_eq!(
        (ended.task.status, ended.task.open_parents),
        (Status::Todo, 1)
    );
    assert_eq!((ended.task.block, ended.task.block_streak), (None, None));
    assert_eq!(ended.run.unwrap().outcome, Some(Outcome::Blocked));
    let linked = |kind: &&EventKind| **kind == EventKind::Linked;
    assert_eq!(kinds(&events).iter().filter(linked).count(), 2);
    let moved = events.iter().filter(|e| e.data.as_map().contains_key("to"));
    assert_eq!(moved.count(), 1, "found {events:?}");
    t.finish_task(&first.id).await;
    assert_eq!(t.task(&claimed.task.id).await.status, Status::Ready);
}

/// A dependency block on finished tasks is claimable at once. [8.8]
pub(crate) async fn a_dependency_block_on_finished_tasks_is_claimable_at_once(t: &Fixture) {
    let (done, archived) = (t.done().await, t.archived().await);
    let claimed = t.claimed().await;
    let call = depends(&claimed, &[&done.id, &archived.id]);
    let task = t.store.block(call).await.unwrap().value.task;
    assert_eq!((task.status, task.not_before), (Status::Ready, None));
    assert_eq!(t.claim(&task.id).await.task.status, Status::Running);
}

/// A dependency block on nothing waits for the parents that are unsatisfied already. [8.8]
pub(crate) async fn a_dependency_block_on_nothing_waits_for_unsatisfied_parents(t: &Fixture) {
    let (parent, claimed) = (t.ready("parent").await, t.claimed().await);
    let link = calls::link(&parent.id, &claimed.task.id);
    t.store.link(link).await.unwrap();
    let task = t.block(&claimed, WorkerBlockKind::Dependency).await.task;
    assert_eq!(task.status, Status::Todo);
}

/// A dependency block on nothing, with no unsatisfied parent, waits for a human. [8.8]
pub(crate) async fn a_dependency_block_on_nothing_at_all_waits_for_a_human(t: &Fixture) {
    let claimed = t.claimed().await;
    let task = t.block(&claimed, WorkerBlockKind::Dependency).await.task;
    assert_eq!((task.status, task.wake_at), (Status::Scheduled, None));
    assert_eq!(task.block, None);
}

/// A dependency block keeps the streak: it neither counts nor clears it. [8.7] [8.8] [7.14]
pub(crate) async fn a_dependency_block_keeps_the_streak(t: &Fixture) {
    let claimed = blocked_once(t, WorkerBlockKind::Other).await;
    let task = t.block(&claimed, WorkerBlockKind::Dependency).await.task;
    assert_eq!(task.block_streak.unwrap().count, 1);
    unblock(t, &task.id).await;
    let claimed = t.claim(&task.id).await;
    let task = t.block(&claimed, WorkerBlockKind::Other).await.task;
    assert_eq!(task.status, Status::Triage);
}

/// `on` with a kind other than `dependency` is `Invalid`, and the run stays open. [8.8]
pub(crate) async fn ids_in_a_block_of_another_kind_are_invalid(t: &Fixture) {
    let (other, claimed) = (t.ready("other").await, t.claimed().await);
    let call = BlockTask {
        kind: WorkerBlockKind::Other,
        ..depends(&claimed, &[&other.id])
    };
    let refused = t.nothing_written(t.store.block(call)).await;
    assert_eq!(invalid(refused).field, "on");
}

/// A dependency block is refused as link is, for one of its ids, and then does nothing. [8.8] [5.13]
pub(crate) async fn a_dependency_block_is_refused_as_a_link_is(t: &Fixture) {
    let (good, claimed) = (t.ready("good").await, t.claimed().await);
    let id = &claimed.task.id;
    let child = t.child(id).await;
    let made_up = calls::task_id("t_made_up");
    let call = depends(&claimed, &[&good.id, &made_up]);
    let refused = t.nothing_written(t.store.block(call)).await;
    let expected = Rejection::UnknownTasks { ids: vec![made_up] };
    assert_eq!(rejected(refused), expected);
    let call = depends(&claimed, &[&good.id, &child.id]);
    let refused = t.nothing_written(t.store.block(call)).await;
    let path = vec![id.clone(), child.id];
    assert_eq!(rejected(refused), Rejection::WouldCycle { path });
    let call = depends(&claimed, &[id]);
    assert!(t.nothing_written(t.store.block(call)).await.is_err());
    assert_eq!(t.task(id).await.status, Status::Running);
}

/// unblock lands a blocked or scheduled task, with the event `unblocked`. [8.9]
pub(crate) async fn unblock_lands_a_blocked_or_scheduled_task(t: &Fixture) {
    for status in [Status::Blocked, Status::Scheduled] {
        let task = t.in_status(status).await;
        let call = t.store.unblock(calls::unblock(&task.id));
        let (landed, events) = t.events_by(call).await;
        assert_eq!(landed.status, Status::Ready, "from {status}");
        assert_eq!(kinds(&events), [EventKind::Unblocked]);
        assert_eq!(data(&events[0], "from"), status.as_str());
        assert_eq!(events[0].actor, Some(label("olga")));
    }
}

/// unblock of a task with unsatisfied parents lands it in `todo`. [8.9] [2.2]
pub(crate) async fn unblock_with_unsatisfied_parents_lands_in_todo(t: &Fixture) {
    let task = t.todo().await;
    block_by_olga(t, &task.id).await;
    assert_eq!(unblock(t, &task.id).await.status, Status::Todo);
}

/// unblock of what the breaker stopped begins the count anew. [8.9] [7.13]
pub(crate) async fn unblock_clears_failures_and_back_off(t: &Fixture) {
    let task = t.ready("breaks").await;
    for _ in 0..2 {
        t.store.promote(calls::promote(&task.id)).await.unwrap();
        let claimed = t.claim(&task.id).await;
        t.fail(&claimed, FailKind::Crashed).await;
    }
    let broken = t.task(&task.id).await;
    assert_eq!(broken.block.unwrap().kind, BlockKind::Breaker);
    let landed = unblock(t, &task.id).await;
    assert_eq!((landed.failures, landed.deferrals), (0, 0));
    assert_eq!((landed.status, landed.not_before), (Status::Ready, None));
}

/// unblock keeps the streak. [8.9]
pub(crate) async fn unblock_keeps_the_streak(t: &Fixture) {
    let task = t.blocked().await;
    let landed = unblock(t, &task.id).await;
    assert_eq!(landed.block_streak, task.block_streak);
    assert_eq!(landed.block_streak.unwrap().count, 1);
}

/// promote lands a blocked or scheduled task, with the one event `promoted`. [8.10]
pub(crate) async fn promote_lands_a_blocked_or_scheduled_task(t: &Fixture) {
    for status in [Status::Blocked, Status::Scheduled] {
        let task = t.in_status(status).await;
        let call = t.store.promote(calls::promote(&task.id));
        let (landed, events) = t.events_by(call).await;
        assert_eq!(landed.status, Status::Ready, "from {status}");
        assert_eq!(kinds(&events), [EventKind::Promoted]);
        assert_eq!(data(&events[0], "from"), status.as_str());
        assert_eq!(data(&events[0], "to"), "ready");
    }
}

/// promote ends the back-off of a ready task, and keeps its failures. [8.10] [7.13]
pub(crate) async fn promote_ends_the_back_off(t: &Fixture) {
    let claimed = t.claimed().await;
    let failed = t.fail(&claimed, FailKind::Crashed).await.task;
    assert!(failed.not_before.is_some());
    let call = t.store.promote(calls::promote(&failed.id));
    let (task, events) = t.events_by(call).await;
    assert_eq!((task.not_before, task.failures), (None, 1));
    assert_eq!(kinds(&events), [EventKind::Promoted]);
    assert_eq!(t.claim(&task.id).await.task.status, Status::Running);
}

/// promote of a task that may start already writes nothing. [8.10]
pub(crate) async fn promote_that_changes_nothing_writes_nothing(t: &Fixture) {
    for status in [Status::Ready, Status::Review] {
        let task = t.in_status(status).await;
        let call = t.store.promote(calls::promote(&task.id));
        let answer = t.nothing_written(call).await.unwrap();
        assert_eq!((answer.effect, answer.value), (Effect::Unchanged, task));
    }
}

/// A dry run answers what promote would do, and writes nothing. [8.10]
pub(crate) async fn a_dry_run_of_promote_writes_nothing(t: &Fixture) {
    let task = t.blocked().await;
    let call = dry(calls::promote(&task.id));
    let would = t.nothing_written(t.store.promote(call)).await.unwrap();
    assert_eq!(would.value.status, Status::Ready);
    let waiting = t.todo().await;
    let call = PromoteTask {
        open_parents: OnOpenParents::Unlink,
        ..dry(calls::promote(&waiting.id))
    };
    let would = t.nothing_written(t.store.promote(call)).await.unwrap();
    assert_eq!(would.value.status, Status::Ready);
}

/// A dry run answers why promote would refuse. [8.10] [8.11]
pub(crate) async fn a_dry_run_of_promote_tells_the_refusal(t: &Fixture) {
    let (parent, child) = t.family().await;
    let call = dry(calls::promote(&child.id));
    let refused = t.nothing_written(t.store.promote(call)).await;
    let ids = vec![parent.id];
    assert_eq!(rejected(refused), Rejection::UnsatisfiedParents { ids });
    let running = t.claimed().await.task;
    let refused = t.store.promote(dry(calls::promote(&running.id))).await;
    assert_eq!(rejected(refused).reason(), "wrong_status");
}

/// promote refuses unsatisfied parents, and names them and no others. [8.11]
pub(crate) async fn promote_refuses_unsatisfied_parents(t: &Fixture) {
    let (open, done) = (t.ready("open").await, t.done().await);
    let child = t.create(calls::child_of(&[&open.id, &done.id])).await;
    let call = t.store.promote(calls::promote(&child.id));
    let refused = t.nothing_written(call).await;
    let ids = vec![open.id];
    assert_eq!(rejected(refused), Rejection::UnsatisfiedParents { ids });
}

/// promote with `Unlink` removes exactly the links to unsatisfied parents, and lands the task by one event. [8.11]
pub(crate) async fn promote_unlinks_exactly_the_unsatisfied_parents(t: &Fixture) {
    let (first, second) = (t.ready("first").await, t.ready("second").await);
    let done = t.done().await;
    let parents = [&first.id, &done.id, &second.id];
    let child = t.create(calls::child_of(&parents)).await;
    let call = PromoteTask {
        open_parents: OnOpenParents::Unlink,
        ..calls::promote(&child.id)
    };
    let (landed, events) = t.events_by(t.store.promote(call)).await;
    assert_eq!((landed.status, landed.open_parents), (Status::Ready, 0));
    let expected = [
        EventKind::Unlinked,
        EventKind::Unlinked,
        EventKind::Promoted,
    ];
    assert_eq!(kinds(&events), expected);
    assert_eq!(t.parents(&child.id).await, [done.id]);
}

/// A worker's block that the card has overtaken is refused by its version. [5.12] [8.6]
pub(crate) async fn a_block_of_an_older_card_is_refused(t: &Fixture) {
    let claimed = t.claimed().await;
    let update = kanban_core::UpdateTask {
        priority: Some(7),
        ..calls::update(&claimed.task.id)
    };
    let current = t.store.update(update).await.unwrap().value.version;
    let call = BlockTask {
        expected_version: Some(claimed.task.version),
        ..calls::block(&claimed, WorkerBlockKind::Other)
    };
    let refused = t.nothing_written(t.store.block(call)).await;
    assert_eq!(rejected(refused), Rejection::VersionMismatch { current });
}

fn dry(call: PromoteTask) -> PromoteTask {
    PromoteTask {
        mode: PromoteMode::DryRun,
        ..call
    }
}

fn depends(claimed: &Claimed, on: &[&TaskId]) -> BlockTask {
    BlockTask {
        on: on.iter().map(|&id| id.clone()).collect(),
        ..calls::block(claimed, WorkerBlockKind::Dependency)
    }
}

/// A claim of a task that a worker has blocked once.
async fn blocked_once(t: &Fixture, kind: WorkerBlockKind) -> Claimed {
    let claimed = t.claimed().await;
    t.block(&claimed, kind).await;
    unblock(t, &claimed.task.id).await;
    t.claim(&claimed.task.id).await
}

async fn block_by_olga(t: &Fixture, id: &TaskId) -> Task {
    let call = calls::block_by(id, calls::olga(), WorkerBlockKind::Other);
    t.store.block(call).await.unwrap().value.task
}

async fn unblock(t: &Fixture, id: &TaskId) -> Task {
    t.store.unblock(calls::unblock(id)).await.unwrap().value
}
