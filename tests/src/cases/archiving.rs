//! Out of sight, and back.

use kanban_core::{
    ArchiveTask, EventKind, NewTask, Outcome, Phase, Rejection, Start, Status, Task, TaskId,
};

use crate::answers::{data, kinds, rejected, stale};
use crate::calls::{self, label};
use crate::fixture::Fixture;

/// archive takes a task of any status out of sight, and remembers what it was. [11.1]
pub(crate) async fn archive_remembers_what_a_task_was(t: &Fixture) {
    for &status in Status::ALL {
        if status == Status::Archived {
            continue;
        }
        let before = t.in_status(status).await;
        let call = calls::archive(&before.id, calls::olga());
        let (ended, events) = t.events_by(t.store.archive(call)).await;
        let task = ended.task;
        assert_eq!(task.status, Status::Archived, "from {status}");
        let from = task.archived_from.unwrap();
        assert_eq!(from.status, status);
        assert_eq!((from.block, from.wake_at), (before.block, before.wake_at));
        assert_eq!((task.block, task.wake_at), (None, None));
        assert_eq!(kinds(&events), [EventKind::Archived]);
        assert_eq!(data(&events[0], "from"), status.as_str());
    }
}

/// What is archived is not archived again. [11.1] [2.3]
pub(crate) async fn what_is_archived_is_not_archived_again(t: &Fixture) {
    let task = t.archived().await;
    let call = calls::archive(&task.id, calls::olga());
    let refused = t.nothing_written(t.store.archive(call)).await;
    assert_eq!(rejected(refused).reason(), "wrong_status");
}

/// archive closes an open run as `archived`: its worker is stale from then on. [11.1] [4.5]
pub(crate) async fn archive_closes_an_open_run(t: &Fixture) {
    let claimed = t.claimed().await;
    t.archive(&claimed.task.id).await;
    let run = t.run(&claimed.task.id, claimed.run.id).await;
    assert_eq!(run.outcome, Some(Outcome::Archived));
    assert_eq!(run.ended_by, Some(label("olga")));
    let refused = t.store.complete(calls::complete(&claimed)).await;
    assert_eq!(stale(refused).0, Outcome::Archived);
}

/// A worker archives the task that it has; a second time is of a run that is not open. [11.1] [4.7]
pub(crate) async fn a_worker_archives_the_task_that_it_has(t: &Fixture) {
    let claimed = t.claimed().await;
    let call = calls::archive(&claimed.task.id, calls::worker(&claimed));
    let ended = t.store.archive(call.clone()).await.unwrap().value;
    assert_eq!(ended.task.status, Status::Archived);
    assert_eq!(ended.run.unwrap().outcome, Some(Outcome::Archived));
    let again = t.nothing_written(t.store.archive(call)).await;
    assert_eq!(stale(again).0, Outcome::Archived);
}

/// An archived parent is satisfied: its children land in the same command. [11.1] [2.6]
pub(crate) async fn children_of_an_archived_parent_land(t: &Fixture) {
    let (parent, child) = t.family().await;
    let call = calls::archive(&parent.id, calls::olga());
    let (_, events) = t.events_by(t.store.archive(call)).await;
    assert_eq!(t.task(&child.id).await.status, Status::Ready);
    assert_eq!(events[0].seq, events[1].seq);
    assert_eq!(data(&events[1], "cause"), parent.id.as_str());
}

/// An archived task keeps the time at which it was done, and none if it was not. [11.1] [17.4]
pub(crate) async fn an_archived_task_keeps_when_it_was_done(t: &Fixture) {
    let (done, open) = (t.done().await, t.ready("open").await);
    t.advance(60);
    let archived = t.archive(&done.id).await;
    assert_eq!(archived.completed_at, done.completed_at);
    assert_eq!(archived.settled_at, done.settled_at);
    let archived = t.archive(&open.id).await;
    assert_eq!(archived.completed_at, None);
    assert_eq!(archived.settled_at, Some(t.now()));
}

/// archive of an older card is refused by its version. [5.12] [11.1]
pub(crate) async fn an_archive_of_an_older_card_is_refused(t: &Fixture) {
    let task = t.ready("changed").await;
    let assigned = t.store.assign(calls::assign(&task.id, "amy")).await;
    let current = assigned.unwrap().value.version;
    let call = ArchiveTask {
        expected_version: Some(task.version),
        ..calls::archive(&task.id, calls::olga())
    };
    let refused = t.nothing_written(t.store.archive(call)).await;
    assert_eq!(rejected(refused), Rejection::VersionMismatch { current });
}

/// restore gives back what was done, raw, blocked or scheduled as it was. [11.2]
pub(crate) async fn restore_gives_back_what_had_its_own_status(t: &Fixture) {
    for status in [
        Status::Done,
        Status::Triage,
        Status::Blocked,
        Status::Scheduled,
    ] {
        let before = t.in_status(status).await;
        t.archive(&before.id).await;
        let call = t.store.restore(calls::restore(&before.id));
        let (task, events) = t.events_by(call).await;
        assert_eq!(task.status, status);
        assert_eq!(task.completed_at, before.completed_at);
        assert_eq!((&task.block, task.wake_at), (&before.block, before.wake_at));
        assert_eq!(task.archived_from, None);
        assert_eq!(kinds(&events), [EventKind::Restored]);
        assert_eq!(data(&events[0], "to"), status.as_str());
    }
}

/// restore lands what waited or ran: ready, running, todo and review. [11.2]
pub(crate) async fn restore_lands_what_waited_or_ran(t: &Fixture) {
    for (status, landing) in [
        (Status::Ready, Status::Ready),
        (Status::Running, Status::Ready),
        (Status::Todo, Status::Todo),
        (Status::Review, Status::Review),
    ] {
        let task = t.in_status(status).await;
        t.archive(&task.id).await;
        let task = restore(t, &task.id).await;
        assert_eq!((task.status, task.claim), (landing, None), "was {status}");
        assert_eq!((task.settled_at, task.archived_from), (None, None));
    }
}

/// restore lands a task where its parents are now, not where they were. [11.2] [2.2]
pub(crate) async fn restore_lands_by_the_parents_of_now(t: &Fixture) {
    let (parent, child) = t.family().await;
    t.archive(&child.id).await;
    t.finish_task(&parent.id).await;
    assert_eq!(restore(t, &child.id).await.status, Status::Ready);
}

/// restore of a scheduled task whose time has passed lands it. [11.2]
pub(crate) async fn restore_after_the_wake_time_lands(t: &Fixture) {
    let task = t.scheduled().await;
    t.archive(&task.id).await;
    t.clock.jump(task.wake_at.unwrap());
    let task = restore(t, &task.id).await;
    assert_eq!((task.status, task.wake_at), (Status::Ready, None));
}

/// restore of a task that was scheduled without a time waits for a human again. [11.2]
pub(crate) async fn restore_of_what_waited_for_a_human_waits_again(t: &Fixture) {
    let task = t.ready("put off").await;
    let call = calls::schedule(&task.id, calls::olga(), None);
    t.store.schedule(call).await.unwrap();
    t.archive(&task.id).await;
    let task = restore(t, &task.id).await;
    assert_eq!((task.status, task.wake_at), (Status::Scheduled, None));
}

/// What is not archived is not restored. [11.2] [2.3]
pub(crate) async fn what_is_not_archived_is_not_restored(t: &Fixture) {
    let task = t.done().await;
    let refused = t.store.restore(calls::restore(&task.id));
    let expected = Rejection::WrongStatus {
        status: Status::Done,
        allowed: vec![Status::Archived],
    };
    assert_eq!(rejected(t.nothing_written(refused).await), expected);
}

/// After restore of a parent that was not done its children wait again; running ones go on. [11.3]
pub(crate) async fn children_of_a_restored_parent_wait_again(t: &Fixture) {
    let parent = t.archived().await;
    let (ready, running) = (t.child(&parent.id).await, t.child(&parent.id).await);
    let reviewed = t.child(&parent.id).await;
    let claimed = t.claim(&running.id).await;
    let handed = t.claim(&reviewed.id).await;
    t.hand_in(&handed).await;
    restore(t, &parent.id).await;
    assert_eq!(t.task(&ready.id).await.status, Status::Todo);
    let reviewed = t.task(&reviewed.id).await;
    assert_eq!(
        (reviewed.status, reviewed.phase),
        (Status::Todo, Phase::Review)
    );
    let running = t.task(&running.id).await;
    assert_eq!((running.status, running.open_parents), (Status::Running, 1));
    assert_eq!(t.complete(&claimed).await.task.status, Status::Done);
}

/// restore of a done parent leaves its children where they are. [11.3]
pub(crate) async fn children_of_a_restored_done_parent_stay(t: &Fixture) {
    let parent = t.done().await;
    t.archive(&parent.id).await;
    let child = t.child(&parent.id).await;
    let call = t.store.restore(calls::restore(&parent.id));
    let (_, events) = t.events_by(call).await;
    assert_eq!(kinds(&events), [EventKind::Restored]);
    assert_eq!(t.task(&child.id).await, child);
}

/// restore of a task whose key another task has by now is refused. [11.4]
pub(crate) async fn restore_of_a_task_whose_key_is_taken_is_refused(t: &Fixture) {
    let keyed = NewTask {
        idempotency_key: Some(label("key")),
        ..calls::new("keyed")
    };
    let old = t.create(keyed.clone()).await;
    t.archive(&old.id).await;
    let task = t.create(keyed).await.id;
    let call = t.store.restore(calls::restore(&old.id));
    let refused = t.nothing_written(call).await;
    assert_eq!(
        rejected(refused),
        Rejection::KeyTaken { task: task.clone() }
    );
    t.archive(&task).await;
    assert_eq!(restore(t, &old.id).await.status, Status::Ready);
}

/// delete removes a task with all that belongs to it: its id is not found any more. [11.5]
pub(crate) async fn delete_removes_all_that_belongs_to_a_task(t: &Fixture) {
    let claimed = t.claimed().await;
    let id = claimed.task.id.clone();
    t.store.comment(calls::comment(&id, "hello")).await.unwrap();
    t.store.attach(calls::attach(&id, "a.txt")).await.unwrap();
    t.subscribe(&id, "amy").await;
    t.complete(&claimed).await;
    t.archive(&id).await;
    let title = t.store.delete(calls::delete(&id)).await.unwrap().value;
    assert_eq!(title, claimed.task.title);
    crate::answers::missing(t.store.task(id.clone()).await, &id);
    crate::answers::missing(t.store.runs(calls::all_of(&id)).await, &id);
    crate::answers::missing(t.store.comments(calls::all_of(&id)).await, &id);
    crate::answers::missing(t.store.delete(calls::delete(&id)).await, &id);
    let left = t.events().await;
    assert!(left.iter().all(|event| event.task.as_ref() != Some(&id)));
    assert!(t.pending().await.is_empty());
}

/// delete appends a board event with id and title, which is all that is left. [11.5]
pub(crate) async fn delete_appends_a_board_event(t: &Fixture) {
    let task = t.archived().await;
    t.store.delete(calls::delete(&task.id)).await.unwrap();
    let events = t.events().await;
    assert_eq!(kinds(&events), [EventKind::Deleted]);
    assert_eq!(events[0].task, None);
    assert_eq!(data(&events[0], "id"), task.id.as_str());
    assert_eq!(data(&events[0], "title"), task.title.as_str());
    assert_eq!(events[0].actor, Some(label("olga")));
}

/// delete takes archived tasks only. [11.5] [2.3]
pub(crate) async fn delete_takes_archived_tasks_only(t: &Fixture) {
    for status in [Status::Ready, Status::Running, Status::Done] {
        let task = t.in_status(status).await;
        let call = t.store.delete(calls::delete(&task.id));
        let refused = t.nothing_written(call).await;
        let allowed = vec![Status::Archived];
        assert_eq!(
            rejected(refused),
            Rejection::WrongStatus { status, allowed }
        );
    }
}

/// A deleted task's key is free again, also without a new task in between. [11.5] [5.3]
pub(crate) async fn a_deleted_tasks_key_is_free(t: &Fixture) {
    let keyed = NewTask {
        idempotency_key: Some(label("key")),
        start: Start::Triage,
        ..calls::new("keyed")
    };
    let old = t.create(keyed.clone()).await;
    t.archive(&old.id).await;
    t.store.delete(calls::delete(&old.id)).await.unwrap();
    assert_ne!(t.create(keyed).await.id, old.id);
}

/// delete of a parent leaves its children where they are, with no link to it. [11.6]
pub(crate) async fn delete_of_a_parent_leaves_its_children(t: &Fixture) {
    let (parent, child) = t.family().await;
    let other = t.child(&parent.id).await;
    t.finish_task(&other.id).await;
    t.archive(&parent.id).await;
    t.store.delete(calls::delete(&parent.id)).await.unwrap();
    assert_eq!(t.task(&child.id).await.status, Status::Ready);
    assert_eq!(t.task(&other.id).await.status, Status::Done);
    assert!(t.parents(&child.id).await.is_empty());
    assert!(t.parents(&other.id).await.is_empty());
}

/// delete of a child leaves its parents, with no link to it. [11.5] [11.6]
pub(crate) async fn delete_of_a_child_leaves_its_parents(t: &Fixture) {
    let (parent, child) = t.family().await;
    t.archive(&child.id).await;
    t.store.delete(calls::delete(&child.id)).await.unwrap();
    assert!(t.children(&parent.id).await.is_empty());
    t.finish_task(&parent.id).await;
}

async fn restore(t: &Fixture, id: &TaskId) -> Task {
    t.store.restore(calls::restore(id)).await.unwrap().value
}
