//! Dependencies between tasks that exist.

use kanban_core::{Effect, EventKind, Rejection, Scope, Status, TaskId};

use crate::answers::{data, kinds, missing, rejected};
use crate::calls;
use crate::fixture::Fixture;
use crate::threads::race;

/// A link makes the child wait, with the event `linked` on the child. [5.13] [5.14]
pub(crate) async fn a_link_makes_the_child_wait(t: &Fixture) {
    let (parent, child) = (t.ready("parent").await, t.ready("child").await);
    let (answer, events) = t
        .events_by(t.store.link(calls::link(&parent.id, &child.id)))
        .await;
    assert_eq!((answer.id, answer.status), (child.id.clone(), Status::Todo));
    assert_eq!(kinds(&events), [EventKind::Linked, EventKind::Demoted]);
    assert_eq!(events[0].task, Some(child.id.clone()));
    assert_eq!(data(&events[0], "parent"), parent.id.as_str());
    assert_eq!(t.parents(&child.id).await, [parent.id]);
}

/// A link to a satisfied parent leaves the child where it is. [5.14] [2.4]
pub(crate) async fn a_link_to_a_done_parent_moves_nothing(t: &Fixture) {
    let (parent, child) = (t.done().await, t.ready("child").await);
    let (answer, events) = t
        .events_by(t.store.link(calls::link(&parent.id, &child.id)))
        .await;
    assert_eq!((answer.status, answer.open_parents), (Status::Ready, 0));
    assert_eq!(kinds(&events), [EventKind::Linked]);
}

/// A task is not its own parent. [5.13]
pub(crate) async fn a_task_is_not_its_own_parent(t: &Fixture) {
    let task = t.ready("alone").await;
    let result = t
        .nothing_written(t.store.link(calls::link(&task.id, &task.id)))
        .await;
    assert_eq!(crate::answers::kind(result), "would_cycle");
}

/// A link of an unknown child is not found, of an unknown parent refused by name. [5.13] [18.3]
pub(crate) async fn a_link_of_unknown_tasks_is_refused(t: &Fixture) {
    let (known, nobody) = (t.ready("known").await.id, calls::task_id("t_nobody"));
    missing(
        t.nothing_written(t.store.link(calls::link(&known, &nobody)))
            .await,
        &nobody,
    );
    let result = t
        .nothing_written(t.store.link(calls::link(&nobody, &known)))
        .await;
    assert_eq!(
        rejected(result),
        Rejection::UnknownTasks { ids: vec![nobody] }
    );
}

/// A link that would close a circle is refused with the path from the child to the parent. [5.13]
pub(crate) async fn a_circle_is_refused_with_its_path(t: &Fixture) {
    let top = t.ready("top").await.id;
    let middle = t.create(calls::child_of(&[&top])).await.id;
    let bottom = t.create(calls::child_of(&[&middle])).await.id;
    let result = t
        .nothing_written(t.store.link(calls::link(&bottom, &top)))
        .await;
    let path = vec![top.clone(), middle.clone(), bottom];
    assert_eq!(rejected(result), Rejection::WouldCycle { path });
    let result = t
        .nothing_written(t.store.link(calls::link(&middle, &top)))
        .await;
    let path = vec![top, middle];
    assert_eq!(rejected(result), Rejection::WouldCycle { path });
}

/// A circle through done and archived tasks is one, too. [5.13] [17.7]
pub(crate) async fn a_circle_through_settled_tasks_is_refused(t: &Fixture) {
    let top = t.done().await.id;
    let middle = t.create(calls::child_of(&[&top])).await.id;
    t.archive(&middle).await;
    let bottom = t.create(calls::child_of(&[&middle])).await.id;
    let result = t
        .nothing_written(t.store.link(calls::link(&bottom, &top)))
        .await;
    assert_eq!(crate::answers::kind(result), "would_cycle");
}

/// Two paths to one task are no circle. [5.13]
pub(crate) async fn a_diamond_is_no_circle(t: &Fixture) {
    let top = t.ready("top").await.id;
    let left = t.create(calls::child_of(&[&top])).await.id;
    let right = t.create(calls::child_of(&[&top])).await.id;
    let bottom = t.create(calls::child_of(&[&left, &right])).await.id;
    t.store.link(calls::link(&top, &bottom)).await.unwrap();
    assert_eq!(t.task(&bottom).await.open_parents, 3);
}

/// Of two racing links that would close a circle together one is refused. [5.13] [17.7]
pub(crate) async fn racing_links_close_no_circle(t: &Fixture) {
    for _ in 0..10 {
        let ids = [t.ready("one").await.id, t.ready("two").await.id];
        let results = race(2, |n| {
            pollster::block_on(t.store.link(calls::link(&ids[n], &ids[1 - n])))
        });
        let made = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(made, 1, "expected one link, found {results:?}");
    }
}

/// A link that exists is no change, and no event. [5.14]
pub(crate) async fn a_link_that_exists_is_no_change(t: &Fixture) {
    let (parent, child) = t.family().await;
    let result = t
        .nothing_written(t.store.link(calls::link(&parent.id, &child.id)))
        .await;
    let answer = result.unwrap();
    assert_eq!((answer.effect, answer.value), (Effect::Unchanged, child));
}

/// A linked child inherits the parent's subscriptions, caught up also with its own demotion; those that it has already
/// but once. [5.14] [5.6]
pub(crate) async fn a_linked_child_inherits_subscriptions(t: &Fixture) {
    for parent in [t.done().await.id, t.ready("parent").await.id] {
        let child = t.ready("child").await.id;
        for (task, at) in [(&parent, "a"), (&parent, "b"), (&child, "b")] {
            let call = calls::subscribe(Scope::Task(task.clone()), at);
            t.store.subscribe(call).await.unwrap();
        }
        t.store.link(calls::link(&parent, &child)).await.unwrap();
        let found = t.subscriptions(&child).await;
        assert_eq!(found.len(), 2, "found {found:?}");
        let inherited = found
            .iter()
            .find(|found| found.address.as_str() == "a")
            .expect("expected the parent's, found none");
        assert_eq!(inherited.cursor, t.last_event(&child).await.id);
    }
}

/// A running child goes on under a new unsatisfied parent, and counts it. [5.14] [7.1]
pub(crate) async fn a_running_child_goes_on(t: &Fixture) {
    let (claimed, parent) = (t.claimed().await, t.ready("late parent").await);
    let child = t
        .store
        .link(calls::link(&parent.id, &claimed.task.id))
        .await
        .unwrap()
        .value;
    assert_eq!((child.status, child.open_parents), (Status::Running, 1));
    assert_eq!(child.claim, claimed.task.claim);
    assert_eq!(t.complete(&claimed).await.task.status, Status::Done);
}

/// A running child that gives its claim back waits for a parent that came meanwhile. [5.14] [2.2]
pub(crate) async fn a_running_child_waits_once_it_is_released(t: &Fixture) {
    let (claimed, parent) = (t.claimed().await, t.ready("late parent").await);
    t.store
        .link(calls::link(&parent.id, &claimed.task.id))
        .await
        .unwrap();
    assert_eq!(t.release(&claimed).await.task.status, Status::Todo);
}

/// An unlink ends the waiting, with the event `unlinked` on the child. [5.15]
pub(crate) async fn an_unlink_ends_the_waiting(t: &Fixture) {
    let (parent, child) = t.family().await;
    let (answer, events) = t
        .events_by(t.store.unlink(calls::unlink(&parent.id, &child.id)))
        .await;
    assert_eq!((answer.status, answer.open_parents), (Status::Ready, 0));
    assert_eq!(events[0].kind, EventKind::Unlinked);
    assert_eq!(events[0].task, Some(child.id.clone()));
    assert_eq!(data(&events[0], "parent"), parent.id.as_str());
    assert!(t.parents(&child.id).await.is_empty());
}

/// An unlink of a link that does not exist is no change, and no event. [5.15]
pub(crate) async fn an_unlink_of_no_link_is_no_change(t: &Fixture) {
    let (one, two) = (t.ready("one").await, t.ready("two").await);
    let result = t
        .nothing_written(t.store.unlink(calls::unlink(&one.id, &two.id)))
        .await;
    assert_eq!(result.unwrap().effect, Effect::Unchanged);
}

/// Create and link racing with a finish never leave a child waiting for a finished parent, nor ready under an
/// unfinished one. [2.2] [5.4]
pub(crate) async fn a_child_made_while_its_parent_finishes_lands_right(t: &Fixture) {
    for _ in 0..10 {
        let parent = t.ready("parent").await.id;
        let children = race(4, |number| made_or_finished(t, &parent, number));
        for child in children.into_iter().flatten() {
            let child = t.task(&child).await;
            assert_eq!((child.status, child.open_parents), (Status::Ready, 0));
        }
    }
}

/// One racer finishes the parent, the others make a child of it.
fn made_or_finished(t: &Fixture, parent: &TaskId, number: usize) -> Option<TaskId> {
    pollster::block_on(async {
        if number == 0 {
            t.finish_task(parent).await;
            return None;
        }
        Some(t.create(calls::child_of(&[parent])).await.id)
    })
}
