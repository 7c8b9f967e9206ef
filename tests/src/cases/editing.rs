//! Changing the card.

use kanban_core::{
    ArchiveTask, AssignTask, BlockTask, Effect, EventKind, FailKind, FailureLimit, NewTask,
    Rejection, ScheduleTask, Status, UpdateTask, Version, WorkerBlockKind,
};

use serde_json::Value;

use crate::answers::{data, kinds, rejected};
use crate::calls;
use crate::fixture::Fixture;

/// `update` changes what it names, and its event lists exactly that. [5.9]
pub(crate) async fn an_update_changes_what_it_names(t: &Fixture) {
    let task = t.ready("before").await;
    let update = UpdateTask {
        title: Some(calls::title("after")),
        body: Some(Some(calls::long("the story"))),
        priority: Some(5),
        tenant: Some(Some(calls::label("acme"))),
        attributes: Some(Some(calls::json(r#"{"a":1}"#))),
        max_runtime: Some(Some(calls::secs(60))),
        failure_limit: Some(Some(FailureLimit::new(3).unwrap())),
        ..calls::update(&task.id)
    };
    let (after, events) = t.events_by(t.store.update(update)).await;
    assert_eq!(kinds(&events), [EventKind::Updated]);
    let all = [
        "attributes",
        "body",
        "failure_limit",
        "max_runtime",
        "priority",
        "tenant",
        "title",
    ];
    assert_eq!(fields(&events[0]), all);
    assert_eq!((after.title.as_str(), after.priority), ("after", 5));
    assert_eq!(after.tenant, Some(calls::label("acme")));
    assert_eq!(
        (after.max_runtime, after.failure_limit.unwrap().get()),
        (Some(60_000), 3)
    );
    let detail = t.detail(&task.id).await;
    assert_eq!(detail.body, Some(calls::long("the story")));
    assert_eq!(detail.attributes, Some(calls::json(r#"{"a":1}"#)));
}

/// `update` clears what it is told to clear, and leaves what it does not name. [5.9] [3.8]
pub(crate) async fn an_update_clears_what_it_is_told_to(t: &Fixture) {
    let new = NewTask {
        body: Some(calls::long("the story")),
        tenant: Some(calls::label("acme")),
        attributes: Some(calls::json("{}")),
        max_runtime: Some(calls::secs(60)),
        ..calls::new("full")
    };
    let task = t.create(new).await;
    let update = UpdateTask {
        body: Some(None),
        tenant: Some(None),
        ..calls::update(&task.id)
    };
    let (after, events) = t.events_by(t.store.update(update)).await;
    assert_eq!(fields(&events[0]), ["body", "tenant"]);
    assert_eq!((after.tenant, after.max_runtime), (None, Some(60_000)));
    let detail = t.detail(&task.id).await;
    assert_eq!(
        (detail.body, detail.attributes),
        (None, Some(calls::json("{}")))
    );
}

/// The event of an update lists no field that had its new value already. [5.9] [5.11]
pub(crate) async fn an_update_lists_no_field_that_stayed(t: &Fixture) {
    let task = t.ready("same").await;
    let update = UpdateTask {
        title: Some(calls::title("same")),
        priority: Some(1),
        ..calls::update(&task.id)
    };
    let (_, events) = t.events_by(t.store.update(update)).await;
    assert_eq!(fields(&events[0]), ["priority"]);
}

/// An update that changes nothing writes nothing. [5.11]
pub(crate) async fn an_update_that_changes_nothing_writes_nothing(t: &Fixture) {
    let new = NewTask {
        body: Some(calls::long("story")),
        ..calls::new("same")
    };
    let task = t.create(new).await;
    t.advance(60);
    let update = UpdateTask {
        title: Some(calls::title(" same ")),
        body: Some(Some(calls::long("story"))),
        priority: Some(0),
        tenant: Some(None),
        ..calls::update(&task.id)
    };
    let answer = t.nothing_written(t.store.update(update)).await.unwrap();
    assert_eq!((answer.effect, answer.value), (Effect::Unchanged, task));
}

/// An update of an archived task is refused. [5.9] [2.3]
pub(crate) async fn an_archived_task_is_not_updated(t: &Fixture) {
    let task = t.archived().await;
    let update = UpdateTask {
        priority: Some(1),
        ..calls::update(&task.id)
    };
    let refusal = rejected(t.nothing_written(t.store.update(update)).await);
    let Rejection::WrongStatus { status, allowed } = refusal else {
        panic!("found {refusal:?}")
    };
    assert_eq!(status, Status::Archived);
    assert_eq!(allowed.len(), 8, "expected all others, found {allowed:?}");
}

/// A changed time limit applies from the next run: the open claim keeps its end. [5.9]
pub(crate) async fn a_changed_time_limit_applies_from_the_next_run(t: &Fixture) {
    let max_runtime = Some(calls::secs(7200));
    let task = t
        .create(NewTask {
            max_runtime,
            ..calls::new("timed")
        })
        .await;
    let claimed = t.claim(&task.id).await;
    let update = UpdateTask {
        max_runtime: Some(Some(calls::secs(60))),
        ..calls::update(&task.id)
    };
    let updated = t.store.update(update).await.unwrap().value;
    assert_eq!(updated.claim.unwrap().must_end_by, Some(t.in_secs(7200)));
    t.release(&claimed).await;
    let claim = t.claim(&task.id).await.task.claim.unwrap();
    assert_eq!(claim.must_end_by, Some(t.in_secs(60)));
}

/// `assign` and unassign change the assignee, with the event `assigned { from, to }`. [5.10]
pub(crate) async fn an_assignment_says_from_whom_to_whom(t: &Fixture) {
    let task = t.ready("to be given").await;
    let assign = |name| t.store.assign(calls::assign(&task.id, name));
    let (after, events) = t.events_by(assign("Ada")).await;
    assert_eq!(after.assignee, Some(calls::who("ada")));
    assert_eq!(kinds(&events), [EventKind::Assigned]);
    assert_eq!(told(&events[0]), (Value::Null, Value::from("ada")));
    let unassign = t.store.assign(calls::unassign(&task.id));
    let (after, events) = t.events_by(unassign).await;
    assert_eq!(after.assignee, None);
    assert_eq!(told(&events[0]), (Value::from("ada"), Value::Null));
}

/// Another assignee, also none, starts without failures, deferrals, last error and back-off. [5.10] [7.13]
pub(crate) async fn another_assignee_starts_afresh(t: &Fixture) {
    for to in [Some("bob"), None] {
        let task = t.ready_for("ada").await;
        let claimed = t.claim(&task.id).await;
        t.fail(&claimed, FailKind::Crashed).await;
        t.advance(3600);
        let claimed = t.claim(&task.id).await;
        let failed = t.fail(&claimed, FailKind::RateLimited).await.task;
        assert_eq!((failed.failures, failed.deferrals), (1, 1));
        let assign = AssignTask {
            assignee: to.map(calls::who),
            ..calls::unassign(&task.id)
        };
        let after = t.store.assign(assign).await.unwrap().value;
        assert_eq!((after.failures, after.deferrals), (0, 0));
        assert_eq!((after.last_error, after.not_before), (None, None));
    }
}

/// The same assignee again changes nothing, and clears nothing. [5.11] [5.10]
pub(crate) async fn the_same_assignee_again_changes_nothing(t: &Fixture) {
    let task = t.ready_for("ada").await;
    let claimed = t.claim(&task.id).await;
    let failed = t.fail(&claimed, FailKind::Crashed).await.task;
    let assign = t.store.assign(calls::assign(&task.id, "ADA"));
    let answer = t.nothing_written(assign).await.unwrap();
    assert_eq!((answer.effect, answer.value), (Effect::Unchanged, failed));
}

/// A running task is not given to another. [5.10] [2.3]
pub(crate) async fn a_running_task_is_not_assigned(t: &Fixture) {
    let claimed = t.claimed().await;
    let assign = t.store.assign(calls::assign(&claimed.task.id, "bob"));
    let refusal = rejected(t.nothing_written(assign).await);
    let wrong = matches!(
        refusal,
        Rejection::WrongStatus {
            status: Status::Running,
            ..
        }
    );
    assert!(wrong, "found {refusal:?}");
}

/// A call that expects another version than the card's is refused with the card's. [5.12]
pub(crate) async fn a_call_that_expects_another_version_is_refused(t: &Fixture) {
    let task = t.ready("contested").await;
    let stale = Some(task.version);
    let current = t
        .store
        .assign(calls::assign(&task.id, "ada"))
        .await
        .unwrap()
        .value
        .version;
    for call in 0..5 {
        let result = t.nothing_written(edit(t, &task.id, stale, call)).await;
        assert_eq!(
            rejected(result),
            Rejection::VersionMismatch { current },
            "by call {call}"
        );
    }
}

/// A call that expects the card's version is done. [5.12]
pub(crate) async fn a_call_that_expects_the_right_version_is_done(t: &Fixture) {
    for call in 0..5 {
        let task = t.ready("mine").await;
        edit(t, &task.id, Some(task.version), call).await.unwrap();
        assert_ne!(
            t.task(&task.id).await.version,
            task.version,
            "by call {call}"
        );
    }
}

/// Of two editors that saw the same version one is refused. [5.12]
pub(crate) async fn of_two_editors_of_one_version_one_is_refused(t: &Fixture) {
    let task = t.ready("contested").await;
    let results = crate::threads::race(2, |number| {
        let call = UpdateTask {
            title: Some(calls::title(&format!("by editor {number}"))),
            expected_version: Some(task.version),
            ..calls::update(&task.id)
        };
        pollster::block_on(t.store.update(call))
    });
    let done: Vec<_> = results.into_iter().filter_map(Result::ok).collect();
    let [winner] = done.as_slice() else {
        panic!("expected one winner, found {done:?}")
    };
    assert_eq!(t.task(&task.id).await, winner.value);
}

/// Makes one of the five calls that take a version.
async fn edit(
    t: &Fixture,
    id: &kanban_core::TaskId,
    expected_version: Option<Version>,
    call: u32,
) -> kanban_core::Result<()> {
    let (store, olga) = (&t.store, calls::olga());
    match call {
        0 => {
            let call = UpdateTask {
                priority: Some(9),
                expected_version,
                ..calls::update(id)
            };
            store.update(call).await?;
        }
        1 => {
            let call = AssignTask {
                expected_version,
                ..calls::assign(id, "zoe")
            };
            store.assign(call).await?;
        }
        2 => {
            let call = ArchiveTask {
                expected_version,
                ..calls::archive(id, olga)
            };
            store.archive(call).await?;
        }
        3 => {
            let call = ScheduleTask {
                expected_version,
                ..calls::schedule(id, olga, None)
            };
            store.schedule(call).await?;
        }
        _ => {
            let call = calls::block_by(id, olga, WorkerBlockKind::Other);
            store
                .block(BlockTask {
                    expected_version,
                    ..call
                })
                .await?;
        }
    }
    Ok(())
}

/// From whom to whom a task was given, as its event tells.
fn told(event: &kanban_core::Event) -> (Value, Value) {
    (data(event, "from").clone(), data(event, "to").clone())
}

/// The fields that an `updated` event lists, in order.
fn fields(event: &kanban_core::Event) -> Vec<String> {
    let listed = data(event, "fields")
        .as_array()
        .expect("expected a list of fields");
    let mut fields: Vec<String> = listed
        .iter()
        .filter_map(|field| field.as_str().map(str::to_owned))
        .collect();
    fields.sort_unstable();
    fields
}
