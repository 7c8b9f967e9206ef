//! Where a task goes when nothing holds it, and when its parents change.

use kanban_core::{EventKind, NewTask, OnOpenParents, Phase, PromoteTask, Start, Status, Task};

use crate::answers::{data, kinds};
use crate::calls;
use crate::fixture::Fixture;

/// A new task is in phase work. [2.1]
pub(crate) async fn a_new_task_is_in_phase_work(t: &Fixture) {
    for status in [
        Status::Ready,
        Status::Todo,
        Status::Triage,
        Status::Scheduled,
    ] {
        assert_eq!(t.in_status(status).await.phase, Phase::Work, "of {status}");
    }
}

/// A task without parents lands in `ready`. [2.2]
pub(crate) async fn a_task_without_parents_lands_in_ready(t: &Fixture) {
    let task = t.create(calls::new("alone")).await;
    assert_eq!((task.status, task.open_parents), (Status::Ready, 0));
}

/// A task with a parent in any status but done and archived lands in `todo`. [2.2]
pub(crate) async fn a_task_with_an_unsatisfied_parent_lands_in_todo(t: &Fixture) {
    for &status in Status::ALL {
        let parent = t.in_status(status).await;
        let child = t.create(calls::child_of(&[&parent.id])).await;
        let satisfied = matches!(status, Status::Done | Status::Archived);
        let expected = if satisfied {
            Status::Ready
        } else {
            Status::Todo
        };
        assert_eq!(child.status, expected, "under a parent in {status}");
        assert_eq!(child.open_parents, u32::from(!satisfied));
    }
}

/// One unsatisfied parent among satisfied ones is enough to wait for. [2.2]
pub(crate) async fn every_parent_must_be_satisfied(t: &Fixture) {
    let (done, archived, open) = (t.done().await, t.archived().await, t.ready("open").await);
    let child = t
        .create(calls::child_of(&[&done.id, &archived.id, &open.id]))
        .await;
    assert_eq!((child.status, child.open_parents), (Status::Todo, 1));
}

/// A child lands when its last parent is finished, not before. [2.4] [2.6]
pub(crate) async fn a_child_lands_when_its_last_parent_is_finished(t: &Fixture) {
    let (first, second) = (t.ready("first").await, t.ready("second").await);
    let child = t.create(calls::child_of(&[&first.id, &second.id])).await;
    t.finish_task(&first.id).await;
    let waiting = t.task(&child.id).await;
    assert_eq!((waiting.status, waiting.open_parents), (Status::Todo, 1));
    assert_eq!(t.kinds_of(&child.id).await, [EventKind::Created]);
    t.finish_task(&second.id).await;
    let landed = t.task(&child.id).await;
    assert_eq!((landed.status, landed.open_parents), (Status::Ready, 0));
    let event = t.last_event(&child.id).await;
    assert_eq!(event.kind, EventKind::Promoted);
    assert_eq!(data(&event, "cause"), second.id.as_str());
}

/// A task handed in with unsatisfied parents waits in `todo`, in phase review, and lands in `review`. [2.2] [2.4]
pub(crate) async fn a_task_in_phase_review_lands_in_review(t: &Fixture) {
    let claimed = t.claimed().await;
    let parent = t.ready("a late parent").await;
    t.store
        .link(calls::link(&parent.id, &claimed.task.id))
        .await
        .unwrap();
    let waiting = t.hand_in(&claimed).await;
    assert_eq!(
        (waiting.status, waiting.phase),
        (Status::Todo, Phase::Review)
    );
    t.finish_task(&parent.id).await;
    let landed = t.task(&waiting.id).await;
    assert_eq!(
        (landed.status, landed.phase),
        (Status::Review, Phase::Review)
    );
    assert_eq!(t.last_event(&waiting.id).await.kind, EventKind::Promoted);
}

/// A `ready` or `review` task that gets an unsatisfied parent goes to `todo`, with the event `demoted`. [2.4]
pub(crate) async fn a_ready_or_review_task_is_demoted_by_an_unsatisfied_parent(t: &Fixture) {
    let parent = t.ready("parent").await;
    for status in [Status::Ready, Status::Review] {
        let child = t.in_status(status).await;
        let link = calls::link(&parent.id, &child.id);
        let (answer, events) = t.events_by(t.store.link(link)).await;
        assert_eq!((answer.status, answer.phase), (Status::Todo, child.phase));
        assert_eq!(kinds(&events), [EventKind::Linked, EventKind::Demoted]);
        assert_eq!(data(&events[1], "cause"), parent.id.as_str());
        assert_eq!(data(&events[1], "from"), status.as_str());
        assert_eq!(data(&events[1], "to"), "todo");
    }
}

/// Settling leaves a task of any other status where it is, and writes no event for it. [2.5]
pub(crate) async fn settling_leaves_every_other_status_alone(t: &Fixture) {
    let parent = t.ready("parent").await;
    for status in others() {
        let child = t.in_status(status).await;
        let link = calls::link(&parent.id, &child.id);
        let (linked, events) = t.events_by(t.store.link(link)).await;
        assert_eq!((linked.status, linked.open_parents), (status, 1));
        assert_eq!(kinds(&events), [EventKind::Linked], "of {status}");
        let unlink = calls::unlink(&parent.id, &child.id);
        let (unlinked, events) = t.events_by(t.store.unlink(unlink)).await;
        assert_eq!((unlinked.status, unlinked.open_parents), (status, 0));
        assert_eq!(kinds(&events), [EventKind::Unlinked], "of {status}");
    }
}

/// A finished parent moves no child that is neither in `todo` nor waiting. [2.5]
pub(crate) async fn a_finished_parent_leaves_children_of_other_statuses_alone(t: &Fixture) {
    for status in others() {
        let (parent, child) = (t.ready("parent").await, t.in_status(status).await);
        t.store
            .link(calls::link(&parent.id, &child.id))
            .await
            .unwrap();
        let complete = calls::complete_by(&parent.id, calls::olga());
        let (_, events) = t.events_by(t.store.complete(complete)).await;
        assert_eq!(kinds(&events), [EventKind::Completed], "of {status}");
        assert_eq!(t.task(&child.id).await.status, status);
    }
}

/// Archiving a parent settles its children, in the same command. [2.6]
pub(crate) async fn an_archived_parent_settles_its_children(t: &Fixture) {
    let (parent, child) = t.family().await;
    let archive = calls::archive(&parent.id, calls::olga());
    let (_, events) = t.events_by(t.store.archive(archive)).await;
    assert_eq!(kinds(&events), [EventKind::Archived, EventKind::Promoted]);
    assert_eq!(t.task(&child.id).await.status, Status::Ready);
}

/// Restoring a parent that was not done makes its children wait again. [2.6]
pub(crate) async fn a_restored_parent_demotes_its_children(t: &Fixture) {
    let (parent, child) = t.family().await;
    t.archive(&parent.id).await;
    let (_, events) = t
        .events_by(t.store.restore(calls::restore(&parent.id)))
        .await;
    assert_eq!(kinds(&events), [EventKind::Restored, EventKind::Demoted]);
    let child = t.task(&child.id).await;
    assert_eq!((child.status, child.open_parents), (Status::Todo, 1));
}

/// Deleting an archived parent leaves its children settled, with no parent. [2.6] [11.6]
pub(crate) async fn a_deleted_parent_leaves_its_children_settled(t: &Fixture) {
    let (parent, child) = t.family().await;
    t.archive(&parent.id).await;
    t.store.delete(calls::delete(&parent.id)).await.unwrap();
    let child = t.task(&child.id).await;
    assert_eq!((child.status, child.open_parents), (Status::Ready, 0));
    assert!(t.parents(&child.id).await.is_empty());
}

/// Reopening a parent makes its children wait again. [2.6] [2.7]
pub(crate) async fn a_reopened_parent_makes_its_children_wait(t: &Fixture) {
    let (parent, child) = t.family().await;
    t.finish_task(&parent.id).await;
    t.store.reopen(calls::reopen(&parent.id)).await.unwrap();
    let child = t.task(&child.id).await;
    assert_eq!((child.status, child.open_parents), (Status::Todo, 1));
}

/// Unlinking the last unsatisfied parent lands a waiting child. [2.4] [2.6]
pub(crate) async fn an_unlinked_child_lands(t: &Fixture) {
    let (parent, child) = t.family().await;
    let unlink = calls::unlink(&parent.id, &child.id);
    let (child, events) = t.events_by(t.store.unlink(unlink)).await;
    assert_eq!((child.status, child.open_parents), (Status::Ready, 0));
    assert_eq!(kinds(&events), [EventKind::Unlinked, EventKind::Promoted]);
}

/// The number of unsatisfied parents is kept on done and archived tasks too. [2.7]
pub(crate) async fn done_and_archived_tasks_keep_count_of_their_parents(t: &Fixture) {
    let (parent, child) = t.family().await;
    let other = t.create(calls::child_of(&[&parent.id])).await;
    assert_eq!(t.finish_task(&child.id).await.open_parents, 1);
    assert_eq!(t.archive(&other.id).await.open_parents, 1);
    t.finish_task(&parent.id).await;
    assert_eq!(t.task(&child.id).await.open_parents, 0);
    assert_eq!(t.task(&other.id).await.open_parents, 0);
}

/// The block is gone once a task has left `blocked`, whatever took it away. [2.8] [17.15]
pub(crate) async fn a_block_is_cleared_by_whatever_ends_it(t: &Fixture) {
    for operation in 0..5 {
        let task = t.blocked().await;
        assert!(task.block.is_some());
        let task = leave(t, &task, operation).await;
        assert_ne!(task.status, Status::Blocked);
        assert_eq!(task.block, None, "after operation {operation}");
    }
}

/// The wake time is gone once a task has left `scheduled`, whatever took it away. [2.8] [17.15]
pub(crate) async fn a_wake_time_is_cleared_by_whatever_ends_it(t: &Fixture) {
    for operation in [0, 1, 2, 3, 5, 6] {
        let task = t.scheduled().await;
        assert!(task.wake_at.is_some());
        let task = leave(t, &task, operation).await;
        assert_ne!(task.status, Status::Scheduled);
        assert_eq!(task.wake_at, None, "after operation {operation}");
    }
}

/// A task that is created blocked or scheduled says so by its block or its wake time, and only then. [2.8]
pub(crate) async fn block_and_wake_time_belong_to_their_statuses(t: &Fixture) {
    let at = t.in_secs(60);
    for start in [
        Start::Landing,
        Start::Triage,
        Start::Parked { reason: None },
        Start::WakeAt(at),
    ] {
        let task = t
            .create(NewTask {
                start,
                ..calls::new("starts")
            })
            .await;
        assert_eq!(task.block.is_some(), task.status == Status::Blocked);
        assert_eq!(task.wake_at.is_some(), task.status == Status::Scheduled);
    }
}

fn others() -> [Status; 6] {
    use Status::{Archived, Blocked, Done, Running, Scheduled, Triage};
    [Triage, Scheduled, Running, Blocked, Done, Archived]
}

/// Takes a task out of `blocked` or `scheduled`.
async fn leave(t: &Fixture, task: &Task, operation: u32) -> Task {
    let (id, store) = (&task.id, &t.store);
    match operation {
        0 => t.finish_task(id).await,
        1 => store.unblock(calls::unblock(id)).await.unwrap().value,
        2 => {
            let promote = PromoteTask {
                open_parents: OnOpenParents::Unlink,
                ..calls::promote(id)
            };
            store.promote(promote).await.unwrap().value
        }
        3 => t.archive(id).await,
        4 => {
            let schedule = calls::schedule(id, calls::olga(), None);
            store.schedule(schedule).await.unwrap().value.task
        }
        5 => {
            let kind = kanban_core::WorkerBlockKind::Other;
            let block = calls::block_by(id, calls::olga(), kind);
            store.block(block).await.unwrap().value.task
        }
        _ => {
            t.clock.jump(task.wake_at.unwrap());
            store.wake_due(calls::wake()).await.unwrap();
            t.task(id).await
        }
    }
}
