//! Saying that what is done is not done.

use kanban_core::{
    Authority, Complete, EventKind, Outcome, Phase, Rejection, ReopenTask, Reopened, RequestReview,
    Status, Task, TaskId,
};

use crate::answers::{data, kinds, rejected, stale};
use crate::calls::{self, label, long, who};
use crate::fixture::Fixture;

/// reopen lands a done task, with the event `reopened`. [10.1]
pub(crate) async fn reopen_lands_a_done_task(t: &Fixture) {
    let task = t.done().await;
    let call = t.store.reopen(calls::reopen(&task.id));
    let (reopened, events) = t.events_by(call).await;
    assert_eq!(reopened.task.status, Status::Ready);
    assert_eq!((reopened.invalidated, reopened.stopped), (vec![], vec![]));
    assert_eq!(kinds(&events), [EventKind::Reopened]);
    assert_eq!(
        (data(&events[0], "from"), data(&events[0], "to")),
        (&"done".into(), &"ready".into())
    );
    assert_eq!(events[0].actor, Some(label("olga")));
}

/// reopen of a task whose parents are not satisfied lands it in `todo`. [10.1] [2.2]
pub(crate) async fn reopen_with_unsatisfied_parents_lands_in_todo(t: &Fixture) {
    let (_, child) = t.family().await;
    t.finish_task(&child.id).await;
    let reopened = reopen(t, &child.id).await;
    assert_eq!(reopened.task.status, Status::Todo);
}

/// Only what is done is reopened: a second reopen is refused. [10.1] [2.3]
pub(crate) async fn what_is_not_done_is_not_reopened(t: &Fixture) {
    let task = t.done().await;
    reopen(t, &task.id).await;
    let again = t.store.reopen(calls::reopen(&task.id));
    let refused = t.nothing_written(again).await;
    let expected = Rejection::WrongStatus {
        status: Status::Ready,
        allowed: vec![Status::Done],
    };
    assert_eq!(rejected(refused), expected);
}

/// Descendants in `ready`, `review`, `running` and `done` go back to `todo`, each with its own event. [10.2]
pub(crate) async fn descendants_that_had_begun_go_back_to_todo(t: &Fixture) {
    for was in [Status::Ready, Status::Review, Status::Running, Status::Done] {
        let (root, child) = (t.done().await, t.in_status(was).await);
        let link = calls::link(&root.id, &child.id);
        t.store.link(link).await.unwrap();
        let call = t.store.reopen(calls::reopen(&root.id));
        let (reopened, events) = t.events_by(call).await;
        assert_eq!(
            reopened.invalidated,
            std::slice::from_ref(&child.id),
            "from {was}"
        );
        let now = t.task(&child.id).await;
        assert_eq!((now.status, now.open_parents), (Status::Todo, 1));
        let event = of(&events, &child.id, &EventKind::Invalidated);
        assert_eq!(data(event, "ancestor"), root.id.as_str());
        assert_eq!(data(event, "was"), was.as_str());
    }
}

/// Descendants of all other statuses stay where they are, and get no event. [10.2]
pub(crate) async fn descendants_of_other_statuses_stay(t: &Fixture) {
    for status in [
        Status::Triage,
        Status::Todo,
        Status::Scheduled,
        Status::Blocked,
        Status::Archived,
    ] {
        let (root, child) = (t.done().await, t.in_status(status).await);
        let link = calls::link(&root.id, &child.id);
        t.store.link(link).await.unwrap();
        let before = t.events_of(&child.id).await;
        let reopened = reopen(t, &root.id).await;
        assert!(reopened.invalidated.is_empty(), "of {status}");
        assert_eq!(t.task(&child.id).await.status, status);
        assert_eq!(t.events_of(&child.id).await, before);
    }
}

/// Each descendant that went back has a comment that names the ancestor. [10.2]
pub(crate) async fn descendants_get_a_comment_that_names_the_ancestor(t: &Fixture) {
    let root = t.done().await;
    let child = t.child(&root.id).await;
    reopen(t, &root.id).await;
    let comments = t.comments(&child.id).await;
    assert_eq!(comments.len(), 1, "found {comments:?}");
    let body = comments[0].body.as_str();
    assert!(body.contains(root.id.as_str()), "found {body}");
    assert!(t.comments(&root.id).await.is_empty());
}

/// The walk goes on through descendants of every status but archived to those behind them. [10.3]
pub(crate) async fn the_walk_goes_on_through_all_but_archived_tasks(t: &Fixture) {
    let passes = |status: &&Status| **status != Status::Archived;
    for &between in Status::ALL.iter().filter(passes) {
        let (root, _, last) = chain(t, between).await;
        let reopened = reopen(t, &root).await;
        assert!(reopened.invalidated.contains(&last), "through {between}");
        assert_eq!(t.task(&last).await.status, Status::Todo);
    }
}

/// The walk does not pass through an archived task. [10.3]
pub(crate) async fn the_walk_ends_at_an_archived_task(t: &Fixture) {
    let (root, _, last) = chain(t, Status::Archived).await;
    let reopened = reopen(t, &root).await;
    assert!(reopened.invalidated.is_empty());
    assert_eq!(t.task(&last).await.status, Status::Done);
}

/// A descendant that many paths lead to is visited once. [10.3]
pub(crate) async fn a_descendant_of_many_paths_is_visited_once(t: &Fixture) {
    let root = t.done().await;
    let mut sides = Vec::new();
    for _ in 0..3 {
        let side = t.child(&root.id).await;
        t.finish_task(&side.id).await;
        sides.push(side.id);
    }
    let sides: Vec<&TaskId> = sides.iter().collect();
    let last = t.create(calls::child_of(&sides)).await;
    let reopened = reopen(t, &root.id).await;
    assert_eq!(reopened.invalidated.len(), 4);
    assert_eq!(t.comments(&last.id).await.len(), 1);
    let invalidated = |kind: &&EventKind| **kind == EventKind::Invalidated;
    let found = t.kinds_of(&last.id).await;
    assert_eq!(found.iter().filter(invalidated).count(), 1);
    assert_eq!(t.task(&last.id).await.open_parents, 3);
}

/// Runs of descendants are closed as `invalidated`, and answered to be stopped. [10.4]
pub(crate) async fn runs_of_descendants_are_closed_and_answered(t: &Fixture) {
    let root = t.done().await;
    let child = t.child(&root.id).await;
    let claimed = t.claim(&child.id).await;
    let worker = calls::set_worker(&child.id, claimed.run.id, 77);
    t.store.set_worker(worker).await.unwrap();
    let reopened = reopen(t, &root.id).await;
    assert_eq!(reopened.stopped.len(), 1);
    let stopped = &reopened.stopped[0];
    assert_eq!((&stopped.task, stopped.run.id), (&child.id, claimed.run.id));
    assert_eq!(stopped.run.worker, Some(calls::process(77)));
    let run = t.run(&child.id, claimed.run.id).await;
    assert_eq!(run.outcome, Some(Outcome::Invalidated));
    assert_eq!(run.ended_at, Some(t.now()));
}

/// The worker of an invalidated run is told to stop by its next call, whatever that is. [10.4] [4.5] [4.8]
pub(crate) async fn the_worker_of_an_invalidated_run_is_stale(t: &Fixture) {
    let root = t.done().await;
    let child = t.child(&root.id).await;
    let claimed = t.claim(&child.id).await;
    reopen(t, &root.id).await;
    let beat = t.store.heartbeat(calls::heartbeat(&claimed)).await;
    assert_eq!(stale(beat).0, Outcome::Invalidated);
    let complete = t.store.complete(calls::complete(&claimed));
    let refused = t.nothing_written(complete).await;
    assert_eq!(stale(refused).0, Outcome::Invalidated);
}

/// reopen begins the task's counters anew, and keeps its result. [10.5]
pub(crate) async fn reopen_clears_the_counters_and_keeps_the_result(t: &Fixture) {
    let claimed = t.claimed().await;
    let call = Complete {
        result: Some(long("forty-two")),
        ..calls::complete(&claimed)
    };
    t.store.complete(call).await.unwrap();
    let task = reopen(t, &claimed.task.id).await.task;
    assert_eq!((task.completed_at, task.settled_at), (None, None));
    assert_eq!(task.started_at, claimed.task.started_at);
    cleared(&task);
    let detail = t.detail(&task.id).await;
    assert_eq!(detail.result, Some(long("forty-two")));
}

/// A descendant's counters begin anew too: failures, back-off, streak and rounds. [10.5]
pub(crate) async fn the_counters_of_descendants_are_cleared(t: &Fixture) {
    let root = t.done().await;
    let child = worn(t).await;
    let link = calls::link(&root.id, &child.id);
    t.store.link(link).await.unwrap();
    assert!(child.failures > 0 && child.block_streak.is_some());
    reopen(t, &root.id).await;
    cleared(&t.task(&child.id).await);
}

/// A descendant under review goes back to phase work and to its implementer. [10.5]
pub(crate) async fn a_descendant_under_review_goes_back_to_its_implementer(t: &Fixture) {
    let (root, child) = (t.done().await, t.ready_for("amy").await);
    let claimed = t.claim(&child.id).await;
    let call = RequestReview {
        reviewer: Some(who("rita")),
        ..calls::request_review(&child.id, calls::worker(&claimed))
    };
    t.store.request_review(call).await.unwrap();
    let link = calls::link(&root.id, &child.id);
    t.store.link(link).await.unwrap();
    reopen(t, &root.id).await;
    let child = t.task(&child.id).await;
    assert_eq!((child.status, child.phase), (Status::Todo, Phase::Work));
    assert_eq!(child.assignee, Some(who("amy")));
}

/// A whole chain lands again, one after the other, once the root is done again. [10.2] [2.6]
pub(crate) async fn a_reopened_chain_lands_again_step_by_step(t: &Fixture) {
    let (root, middle, last) = chain(t, Status::Done).await;
    reopen(t, &root).await;
    for (done, next) in [(&root, &middle), (&middle, &last)] {
        assert_eq!(t.task(next).await.status, Status::Todo);
        t.finish_task(done).await;
        assert_eq!(t.task(next).await.status, Status::Ready);
    }
}

/// The event names who reopened and why. [10.1] [4.4]
pub(crate) async fn the_event_names_who_reopened_and_why(t: &Fixture) {
    let task = t.done().await;
    let call = ReopenTask {
        reason: Some(calls::reason("a test was wrong")),
        ..calls::reopen(&task.id)
    };
    t.store.reopen(call).await.unwrap();
    let event = t.last_event(&task.id).await;
    assert_eq!(data(&event, "reason"), "a test was wrong");
}

async fn reopen(t: &Fixture, id: &TaskId) -> Reopened {
    t.store.reopen(calls::reopen(id)).await.unwrap().value
}

#[track_caller]
fn of<'a>(
    events: &'a [kanban_core::Event],
    task: &TaskId,
    kind: &EventKind,
) -> &'a kanban_core::Event {
    let mut events = events.iter();
    events
        .find(|event| event.task.as_ref() == Some(task) && event.kind == *kind)
        .unwrap_or_else(|| panic!("expected an event {kind} of {task}, found none"))
}

#[track_caller]
fn cleared(task: &Task) {
    assert_eq!((task.failures, task.deferrals), (0, 0));
    assert_eq!((&task.last_error, &task.not_before), (&None, &None));
    assert_eq!((task.block_streak, task.review_rounds), (None, 0));
    assert_eq!((task.phase, task.completed_at), (Phase::Work, None));
}

/// A done root, a child of it in a status, and a done grandchild.
async fn chain(t: &Fixture, between: Status) -> (TaskId, TaskId, TaskId) {
    let (root, middle) = (t.done().await, t.in_status(between).await);
    let last = t.done().await;
    for (parent, child) in [(&root.id, &middle.id), (&middle.id, &last.id)] {
        t.store.link(calls::link(parent, child)).await.unwrap();
    }
    (root.id, middle.id, last.id)
}

/// A ready task that was blocked, given back and failed before.
async fn worn(t: &Fixture) -> Task {
    let claimed = t.claimed().await;
    let id = claimed.task.id.clone();
    t.block(&claimed, kanban_core::WorkerBlockKind::Other).await;
    t.store.unblock(calls::unblock(&id)).await.unwrap();
    let claimed = t.claim(&id).await;
    t.hand_in(&claimed).await;
    let changes = calls::request_changes(&id, calls::olga());
    t.store.request_changes(changes).await.unwrap();
    let claimed = t.claim(&id).await;
    t.fail(&claimed, kanban_core::FailKind::Crashed).await.task
}

/// Work that nobody was assigned to goes back to nobody, not to its reviewer. [10.5]
pub(crate) async fn unassigned_work_goes_back_to_nobody(t: &Fixture) {
    let parent = t.done().await;
    let child = t.child(&parent.id).await;
    let claimed = t.claim(&child.id).await;
    let request = RequestReview {
        reviewer: Some(who("rita")),
        ..calls::request_review(&child.id, Authority::worker(claimed.run.id))
    };
    t.store.request_review(request).await.unwrap();
    t.store.reopen(calls::reopen(&parent.id)).await.unwrap();
    let task = t.task(&child.id).await;
    assert_eq!((task.phase, task.assignee), (Phase::Work, None));
}
