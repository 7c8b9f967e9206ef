//! The board's log.

use kanban_core::{
    CreateMany, EventFilter, EventId, EventKind, Events, FailKind, Heartbeat, NewTask, ParentRef,
    PauseTarget, Status, Task,
};

use crate::answers::{data, invalid, kinds};
use crate::calls::{self, item, label, note};
use crate::fixture::Fixture;
use crate::threads::race;

/// An event tells its task, run, actor, time and `seq`. [13.1]
pub(crate) async fn an_event_tells_task_run_actor_time_and_seq(t: &Fixture) {
    let task = t.ready("claimed").await;
    t.advance(7);
    let claimed = t.store.claim(calls::claim(&task.id)).await.unwrap();
    let event = t.last_event(&task.id).await;
    assert_eq!(event.kind, EventKind::Claimed);
    assert_eq!((event.seq, event.at), (claimed.seq, t.now()));
    assert_eq!(event.task, Some(task.id));
    assert_eq!(event.run, Some(claimed.value.run.id));
    assert_eq!(event.actor, Some(label("w1")));
    assert_eq!(data(&event, "phase"), "work");
}

/// The board's own kinds are those of the contract, and each has its own word. [13.1]
pub(crate) async fn the_kinds_of_events_are_those_of_the_contract(t: &Fixture) {
    let words = "created, updated, assigned, linked, unlinked, promoted, demoted, claimed, spawned, heartbeat, \
        completed, completion_refused, failed, gave_up, released, blocked, block_loop, unblocked, scheduled, woken, \
        review_requested, changes_requested, reopened, invalidated, specified, decomposed, archived, restored, \
        deleted, commented, attached, detached, subscribed, unsubscribed, paused, resumed, policy_changed, imported";
    let own: Vec<&str> = EventKind::OWN.iter().map(EventKind::as_str).collect();
    assert_eq!(own.join(", "), words);
    t.done().await;
    for event in t.events().await {
        assert!(EventKind::OWN.contains(&event.kind), "found {event:?}");
    }
}

/// Events of the board itself have no task. [13.1]
pub(crate) async fn board_events_have_no_task(t: &Fixture) {
    let task = t.archived().await;
    let pause = calls::pause(PauseTarget::Board);
    t.store.pause(pause).await.unwrap();
    t.set_policy(kanban_core::Policy {
        failure_limit: 3,
        ..kanban_core::Policy::default()
    })
    .await;
    t.store.delete(calls::delete(&task.id)).await.unwrap();
    let events = t.events().await;
    let expected = [
        EventKind::Paused,
        EventKind::PolicyChanged,
        EventKind::Deleted,
    ];
    assert_eq!(kinds(&events), expected);
    assert!(events.iter().all(|event| event.task.is_none()));
}

/// Each change of a status has one event on its task that says from and to: they make an unbroken chain. [13.2]
pub(crate) async fn the_events_of_a_task_make_an_unbroken_chain(t: &Fixture) {
    let task = lived(t).await;
    let chain = moves(t, &task).await;
    let mut at = "ready".to_owned();
    for (from, to) in &chain {
        assert_eq!(*from, at, "found {chain:?}");
        assert_ne!(from, to, "found {chain:?}");
        at.clone_from(to);
    }
    assert_eq!(at, task.status.as_str());
    assert_eq!(chain.len(), 12, "found {chain:?}");
}

/// A command that changes no status writes no event that says so. [13.2]
pub(crate) async fn what_changes_no_status_says_no_from_and_to(t: &Fixture) {
    let claimed = t.claimed().await;
    let id = &claimed.task.id;
    let before = moves(t, &claimed.task).await;
    let update = kanban_core::UpdateTask {
        priority: Some(3),
        ..calls::update(id)
    };
    t.store.update(update).await.unwrap();
    let beat = Heartbeat {
        note: Some(note("alive")),
        ..calls::heartbeat(&claimed)
    };
    t.store.heartbeat(beat).await.unwrap();
    let worker = calls::set_worker(id, claimed.run.id, 7);
    t.store.set_worker(worker).await.unwrap();
    t.store.comment(calls::comment(id, "hi")).await.unwrap();
    t.subscribe(id, "amy").await;
    let parent = t.ready("late").await;
    t.store.link(calls::link(&parent.id, id)).await.unwrap();
    assert_eq!(moves(t, &claimed.task).await, before);
}

/// A reader sees a change with its event, or neither. [13.3] [15.9]
pub(crate) async fn a_reader_sees_a_change_with_its_event(t: &Fixture) {
    let task = t.ready("busy").await;
    let compared = race(2, |number| {
        pollster::block_on(async {
            let mut compared = 0;
            for _ in 0..40 {
                if number == 0 {
                    let claimed = t.claim(&task.id).await;
                    t.release(&claimed).await;
                } else {
                    compared += u32::from(agrees(t, &task).await);
                }
            }
            compared
        })
    });
    // With nobody writing any more the two reads are of one snapshot.
    assert!(agrees(t, &task).await, "compared {compared:?} before");
}

/// A call that is refused in its middle leaves neither a change nor an event. [13.3] [5.1]
pub(crate) async fn a_refused_call_leaves_no_event(t: &Fixture) {
    let unknown = ParentRef::Task(calls::task_id("t_made_up"));
    let many = CreateMany {
        items: vec![item("good", vec![]), item("bad", vec![unknown])],
    };
    let refused = t.nothing_written(t.store.create_many(many)).await;
    assert!(refused.is_err());
    assert!(t.events().await.is_empty());
}

/// events answers in id order those with a greater id than the asked-for only. [13.4]
pub(crate) async fn events_answers_those_after_an_id(t: &Fixture) {
    for _ in 0..4 {
        t.done().await;
    }
    let all = t.events().await;
    assert!(all.is_sorted_by(|a, b| a.id < b.id));
    for (index, event) in all.iter().enumerate() {
        let asked = t.store.events(calls::events_after(event.id)).await;
        assert_eq!(asked.unwrap().value.events, all[index + 1..]);
    }
}

/// Pages of events hold each event once. [13.4]
pub(crate) async fn pages_of_events_hold_each_once(t: &Fixture) {
    for _ in 0..3 {
        t.done().await;
    }
    let all = t.events().await;
    for limit in [1, 2, 5] {
        let (mut found, mut after) = (Vec::new(), EventId::new(0));
        while found.len() < all.len() {
            let ask = Events {
                limit,
                ..calls::events_after(after)
            };
            let page = t.store.events(ask).await.unwrap().value;
            assert!(page.events.len() <= limit && page.through > after);
            after = page.through;
            found.extend(page.events);
        }
        assert_eq!(found, all, "by {limit}");
    }
}

/// A filter by task and kinds holds both together. [13.4]
pub(crate) async fn events_are_filtered_by_task_and_kinds(t: &Fixture) {
    let (one, other) = (t.done().await, t.done().await);
    let filter = EventFilter {
        task: Some(one.id.clone()),
        kinds: vec![EventKind::Completed, EventKind::Created],
    };
    let ask = Events {
        filter,
        ..calls::events_after(EventId::new(0))
    };
    let found = t.store.events(ask).await.unwrap().value.events;
    assert_eq!(kinds(&found), [EventKind::Created, EventKind::Completed]);
    assert!(
        found
            .iter()
            .all(|event| event.task.as_ref() == Some(&one.id))
    );
    assert_ne!(one.id, other.id);
}

/// A page of events that holds none says how far it looked. [13.4]
pub(crate) async fn a_page_without_a_match_says_how_far_it_looked(t: &Fixture) {
    t.done().await;
    let last = t.events().await.last().unwrap().id;
    let ask = Events {
        filter: EventFilter {
            task: None,
            kinds: vec![EventKind::Imported],
        },
        ..calls::events_after(EventId::new(0))
    };
    let page = t.store.events(ask).await.unwrap().value;
    assert_eq!((page.events, page.through), (vec![], last));
    assert_eq!(page.truncated, None);
}

/// A page of events has 1 to 1,000, and a filter at most 100 kinds. [13.4] [3.12]
pub(crate) async fn a_question_for_events_has_limits(t: &Fixture) {
    for limit in [0, 1001] {
        let ask = Events {
            limit,
            ..calls::events_after(EventId::new(0))
        };
        assert_eq!(invalid(t.store.events(ask).await).field, "limit");
    }
    let ask = Events {
        filter: EventFilter {
            task: None,
            kinds: vec![EventKind::Created; 101],
        },
        ..calls::events_after(EventId::new(0))
    };
    invalid(t.store.events(ask).await);
}

/// What the statuses of a task were said to change from and to.
async fn moves(t: &Fixture, task: &Task) -> Vec<(String, String)> {
    let events = t.events_of(&task.id).await;
    let moves = events.iter().filter(|e| e.kind != EventKind::Assigned);
    moves
        .filter_map(|event| {
            let map = event.data.as_map();
            let word = |field| map.get(field)?.as_str().map(str::to_owned);
            Some((word("from")?, word("to")?))
        })
        .collect()
}

/// Whether the version of a task is that of its events, where both were read at one `seq`.
async fn agrees(t: &Fixture, task: &Task) -> bool {
    let (task, events) = (
        t.store.task(task.id.clone()).await.unwrap(),
        t.store.events(calls::events_after(EventId::new(0))).await,
    );
    let events = events.unwrap();
    let of_task = |event: &&kanban_core::Event| {
        event.task.as_ref() == Some(&task.value.task.id) && event.kind.moves_version()
    };
    if task.seq != events.seq {
        return false;
    }
    let last = events.value.events.iter().rfind(of_task).unwrap();
    let status = match last.kind {
        EventKind::Claimed => Status::Running,
        _ => Status::Ready,
    };
    assert_eq!(task.value.task.status, status, "after {last:?}");
    true
}

/// A task that went through every status but `todo` and `triage`, without its creation.
async fn lived(t: &Fixture) -> Task {
    let task = t.create(NewTask::new(calls::title("lives"))).await;
    let id = &task.id;
    let claimed = t.claim(id).await;
    t.fail(&claimed, FailKind::RateLimited).await;
    t.store.promote(calls::promote(id)).await.unwrap();
    let claimed = t.claim(id).await;
    t.block(&claimed, kanban_core::WorkerBlockKind::Other).await;
    t.store.unblock(calls::unblock(id)).await.unwrap();
    let call = calls::schedule(id, calls::olga(), Some(t.in_secs(60)));
    t.store.schedule(call).await.unwrap();
    t.advance(60);
    t.store.wake_due(calls::wake()).await.unwrap();
    let claimed = t.claim(id).await;
    t.hand_in(&claimed).await;
    let claimed = t.claim(id).await;
    t.complete(&claimed).await;
    t.archive(id).await
}
