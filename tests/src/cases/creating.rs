//! Making a task.

use kanban_core::{
    BlockKind, Effect, EventKind, NewTask, Rejection, Scope, Start, Status, SubscribeTo,
    SubscriptionMode,
};

use crate::answers::{data, kinds, rejected};
use crate::calls;
use crate::fixture::Fixture;
use crate::threads::race;

/// A created task is there at once, with the one event `created`. [5.2] [5.1]
pub(crate) async fn a_created_task_is_there_with_its_event(t: &Fixture) {
    let new = NewTask {
        created_by: Some(calls::label("planner")),
        ..calls::new("made")
    };
    let (task, events) = t.events_by(t.store.create(new)).await;
    assert_eq!(t.task(&task.id).await, task);
    assert_eq!(kinds(&events), [EventKind::Created]);
    assert_eq!(events[0].task, Some(task.id));
    assert_eq!(events[0].actor, Some(calls::label("planner")));
}

/// A task that is created in triage waits there, also with satisfied parents. [5.2]
pub(crate) async fn a_task_may_start_in_triage(t: &Fixture) {
    let start = Start::Triage;
    let task = t
        .create(NewTask {
            start,
            ..calls::new("an idea")
        })
        .await;
    assert_eq!(
        (task.status, task.block, task.wake_at),
        (Status::Triage, None, None)
    );
}

/// A task that is created blocked has a block of kind `parked`. [5.2]
pub(crate) async fn a_task_that_starts_blocked_is_parked(t: &Fixture) {
    let start = Start::Parked {
        reason: Some(calls::reason("not before the release")),
    };
    let new = NewTask {
        created_by: Some(calls::label("planner")),
        start,
        ..calls::new("parked")
    };
    let task = t.create(new).await;
    assert_eq!(task.status, Status::Blocked);
    let block = task.block.unwrap();
    assert_eq!((block.kind, block.at), (BlockKind::Parked, t.now()));
    assert_eq!(block.reason, Some(calls::reason("not before the release")));
}

/// A task that is created with a time in the future is scheduled until then. [5.2]
pub(crate) async fn a_task_may_start_scheduled(t: &Fixture) {
    let at = t.in_secs(1);
    let start = Start::WakeAt(at);
    let task = t
        .create(NewTask {
            start,
            ..calls::new("later")
        })
        .await;
    assert_eq!((task.status, task.wake_at), (Status::Scheduled, Some(at)));
}

/// A wake time that is not in the future is dropped by create: the task lands. [5.2]
pub(crate) async fn a_wake_time_that_is_not_ahead_is_dropped(t: &Fixture) {
    for at in [
        t.now(),
        t.now().before(calls::secs(60)),
        kanban_core::Millis::new(i64::MIN),
    ] {
        let start = Start::WakeAt(at);
        let task = t
            .create(NewTask {
                start,
                ..calls::new("now")
            })
            .await;
        assert_eq!((task.status, task.wake_at), (Status::Ready, None));
    }
}

/// A start in triage, blocked or scheduled holds also where a parent is unsatisfied. [5.2] [2.5]
pub(crate) async fn a_start_elsewhere_is_not_moved_by_parents(t: &Fixture) {
    let parent = t.ready("parent").await;
    let at = t.in_secs(60);
    for start in [
        Start::Triage,
        Start::Parked { reason: None },
        Start::WakeAt(at),
    ] {
        let task = t
            .create(NewTask {
                start,
                ..calls::child_of(&[&parent.id])
            })
            .await;
        assert!(
            !matches!(task.status, Status::Todo | Status::Ready),
            "found {task:?}"
        );
        assert_eq!(task.open_parents, 1);
    }
}

/// A create with a known key answers the task that has it, as it is by now, and writes nothing. [5.3]
pub(crate) async fn a_known_key_answers_its_task(t: &Fixture) {
    let first = t.create(keyed("first")).await;
    let claimed = t.claim(&first.id).await;
    let again = t
        .nothing_written(t.store.create(keyed("second")))
        .await
        .unwrap();
    assert_eq!(
        (again.effect, &again.value),
        (Effect::Repeated, &claimed.task)
    );
    let done = t.complete(&claimed).await.task;
    let again = t
        .nothing_written(t.store.create(keyed("third")))
        .await
        .unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, done));
}

/// A known key is answered also where the rest of the call would be refused. [5.3] [18.11]
pub(crate) async fn a_known_key_is_answered_before_unknown_parents(t: &Fixture) {
    let first = t.create(keyed("first")).await;
    let parents = vec![calls::task_id("t_nobody")];
    let again = t
        .store
        .create(NewTask {
            parents,
            ..keyed("second")
        })
        .await
        .unwrap();
    assert_eq!((again.effect, again.value.id), (Effect::Repeated, first.id));
}

/// A key that only archived tasks have makes a new task. [5.3] [17.12]
pub(crate) async fn a_key_of_archived_tasks_is_free(t: &Fixture) {
    let first = t.create(keyed("first")).await;
    t.archive(&first.id).await;
    let second = t.store.create(keyed("second")).await.unwrap();
    assert_eq!(second.effect, Effect::Applied);
    assert_ne!(second.value.id, first.id);
    let third = t.store.create(keyed("third")).await.unwrap();
    assert_eq!(
        (third.effect, third.value.id),
        (Effect::Repeated, second.value.id)
    );
}

/// Keys are compared byte for byte. [5.3]
pub(crate) async fn keys_that_look_alike_are_two(t: &Fixture) {
    let mut ids = std::collections::BTreeSet::new();
    for key in ["key", "Key", "key ", "kéy", "ke\u{301}y"] {
        let new = NewTask {
            idempotency_key: Some(calls::label(key)),
            ..calls::new("keyed")
        };
        ids.insert(t.create(new).await.id);
    }
    assert_eq!(ids.len(), 5);
}

/// Of 30 racing creators with one key one creates, and the others are answered its task. [5.4]
pub(crate) async fn racing_creators_of_one_key_make_one_task(t: &Fixture) {
    let answers = race(30, |_| {
        pollster::block_on(t.store.create(keyed("raced"))).unwrap()
    });
    let applied = answers
        .iter()
        .filter(|answer| answer.effect == Effect::Applied)
        .count();
    assert_eq!(applied, 1, "expected one that creates");
    assert!(
        answers
            .iter()
            .all(|answer| answer.value == answers[0].value)
    );
    let list = t.store.list(calls::list_all()).await.unwrap().value;
    assert_eq!(list.items.len(), 1);
}

/// Racing creators in other processes make one task of one key, too. [5.4]
pub(crate) async fn processes_that_race_for_one_key_make_one_task(t: &Fixture) {
    let mut children: Vec<_> = (0..4)
        .map(|_| t.spawn_child("create_by_key", "key"))
        .collect();
    for child in &mut children {
        assert_eq!(child.answer(), "ready");
    }
    children.iter_mut().for_each(crate::children::Child::go);
    let ids: std::collections::BTreeSet<String> = children
        .iter_mut()
        .map(crate::children::Child::answer)
        .collect();
    children.into_iter().for_each(crate::children::Child::ended);
    let list = t.store.list(calls::list_all()).await.unwrap().value.items;
    assert_eq!(
        (ids.len(), list.len()),
        (1, 1),
        "found {ids:?} and {list:?}"
    );
}

/// Unknown parents are refused, all of them by name. [5.5] [18.3]
pub(crate) async fn unknown_parents_are_refused_by_name(t: &Fixture) {
    let known = t.ready("known").await;
    let (one, two) = (calls::task_id("t_one"), calls::task_id("t_two"));
    let new = calls::child_of(&[&one, &known.id, &two]);
    let refusal = rejected(t.nothing_written(t.store.create(new)).await);
    assert_eq!(
        refusal,
        Rejection::UnknownTasks {
            ids: vec![one, two]
        }
    );
}

/// An unknown `created_from` is refused. [5.5]
pub(crate) async fn an_unknown_origin_is_refused(t: &Fixture) {
    let nobody = calls::task_id("t_nobody");
    let new = NewTask {
        created_from: Some(nobody.clone()),
        ..calls::new("from nowhere")
    };
    let refusal = rejected(t.nothing_written(t.store.create(new)).await);
    assert_eq!(refusal, Rejection::UnknownTasks { ids: vec![nobody] });
}

/// A parent that is named twice is one parent. [5.5] [17.5]
pub(crate) async fn a_parent_named_twice_is_one(t: &Fixture) {
    let parent = t.ready("parent").await;
    let child = t.create(calls::child_of(&[&parent.id, &parent.id])).await;
    assert_eq!(child.open_parents, 1);
    assert_eq!(t.parents(&child.id).await, [parent.id]);
}

/// The tenant is the given one, else the first parent's, else none. [5.5]
pub(crate) async fn a_tenant_comes_from_the_call_or_the_first_parent(t: &Fixture) {
    let of = |tenant: &str| NewTask {
        tenant: Some(calls::label(tenant)),
        ..calls::new("owned")
    };
    let (acme, other) = (t.create(of("acme")).await, t.create(of("other")).await);
    let parents = [&acme.id, &other.id];
    let inherited = t.create(calls::child_of(&parents)).await;
    assert_eq!(inherited.tenant, acme.tenant);
    let given = NewTask {
        tenant: other.tenant.clone(),
        ..calls::child_of(&parents)
    };
    assert_eq!(t.create(given).await.tenant, other.tenant);
    let free = t.ready("free").await;
    assert_eq!(t.create(calls::child_of(&[&free.id])).await.tenant, None);
}

/// A new task inherits the subscriptions of its parents, with all routing fields, caught up. [5.6]
pub(crate) async fn a_new_task_inherits_its_parents_subscriptions(t: &Fixture) {
    let parent = t.ready("parent").await;
    let call = SubscribeTo {
        thread: Some(calls::label("thread-7")),
        kinds: vec![EventKind::Completed, EventKind::GaveUp],
        routing: Some(calls::json(r#"{"bot":"b1"}"#)),
        mode: SubscriptionMode::Wake,
        ..calls::subscribe(Scope::Task(parent.id.clone()), "room-1")
    };
    let original = t.store.subscribe(call).await.unwrap().value;
    let child = t.create(calls::child_of(&[&parent.id])).await;
    let found = t.subscriptions(&child.id).await;
    let [inherited] = found.as_slice() else {
        panic!("expected one, found {found:?}")
    };
    assert_eq!(inherited.scope, Scope::Task(child.id.clone()));
    assert_eq!(
        (
            &inherited.channel,
            &inherited.address,
            &inherited.thread,
            &inherited.kinds
        ),
        (
            &original.channel,
            &original.address,
            &original.thread,
            &original.kinds
        )
    );
    assert_eq!(
        (&inherited.routing, inherited.mode),
        (&original.routing, original.mode)
    );
    assert!(inherited.cursor >= t.last_event(&child.id).await.id);
}

/// Subscriptions are inherited from `created_from` too, and one that comes from several sides is inherited once. [5.6]
pub(crate) async fn an_inherited_subscription_is_inherited_once(t: &Fixture) {
    let (one, two, origin) = (t.ready("1").await, t.ready("2").await, t.ready("3").await);
    for (task, at) in [
        (&one, "a"),
        (&two, "a"),
        (&two, "b"),
        (&origin, "b"),
        (&origin, "c"),
    ] {
        let call = calls::subscribe(Scope::Task(task.id.clone()), at);
        t.store.subscribe(call).await.unwrap();
    }
    let new = NewTask {
        created_from: Some(origin.id.clone()),
        ..calls::child_of(&[&one.id, &two.id])
    };
    let child = t.create(new).await;
    let found = t.subscriptions(&child.id).await;
    let mut at: Vec<_> = found.iter().map(|found| found.address.as_str()).collect();
    at.sort_unstable();
    assert_eq!(at, ["a", "b", "c"]);
}

/// A refused create leaves nothing behind, not even a number. [5.1] [1.8]
pub(crate) async fn a_refused_create_leaves_nothing(t: &Fixture) {
    let before = t.store.create(calls::new("before")).await.unwrap();
    let refused = t
        .store
        .create(calls::child_of(&[&calls::task_id("t_nobody")]));
    t.nothing_written(refused).await.unwrap_err();
    let after = t.store.create(calls::new("after")).await.unwrap();
    assert_eq!(after.seq.get(), before.seq.get() + 1);
}

/// The origin of a task is kept and named by its event's task. [5.2] [5.5]
pub(crate) async fn a_task_remembers_where_it_came_from(t: &Fixture) {
    let origin = t.claimed().await.task.id;
    let new = NewTask {
        created_from: Some(origin.clone()),
        ..calls::new("found on the way")
    };
    let task = t.create(new).await;
    assert_eq!(task.created_from, Some(origin));
    assert_eq!(task.status, Status::Ready, "an origin is not a parent");
    assert_eq!(data(&t.last_event(&task.id).await, "to"), "ready");
}

fn keyed(title: &str) -> NewTask {
    NewTask {
        idempotency_key: Some(calls::label("key")),
        ..calls::new(title)
    }
}
