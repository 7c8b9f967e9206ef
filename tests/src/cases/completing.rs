//! Finishing a task.

use kanban_core::{
    Authority, Claimed, Complete, EventKind, FailKind, NewTask, Outcome, Phase, Rejection,
    RequestReview, Status, TaskId, WorkerBlockKind,
};

use crate::answers::{data, kinds, rejected};
use crate::calls;
use crate::fixture::Fixture;

/// A completed task is done since now, its run closed, and its children settle in the same command. [7.1] [7.2] [2.6]
pub(crate) async fn a_completed_task_is_done(t: &Fixture) {
    let (parent, child) = t.family().await;
    let claimed = t.claim(&parent.id).await;
    t.advance(60);
    let (ended, events) = t
        .events_by(t.store.complete(calls::complete(&claimed)))
        .await;
    assert_eq!(
        (ended.task.status, ended.task.completed_at),
        (Status::Done, Some(t.now()))
    );
    assert_eq!(ended.task.claim, None);
    let run = ended.run.unwrap();
    assert_eq!(
        (run.id, run.outcome),
        (claimed.run.id, Some(Outcome::Completed))
    );
    assert_eq!((run.ended_at, run.ended_by), (Some(t.now()), None));
    assert_eq!(kinds(&events), [EventKind::Completed, EventKind::Promoted]);
    assert_eq!(t.task(&child.id).await.status, Status::Ready);
}

/// A running task may be completed with unsatisfied parents. [7.1]
pub(crate) async fn a_running_task_is_completed_whatever_its_parents(t: &Fixture) {
    let (claimed, parent) = (t.claimed().await, t.ready("late").await);
    t.store
        .link(calls::link(&parent.id, &claimed.task.id))
        .await
        .unwrap();
    let done = t.complete(&claimed).await.task;
    assert_eq!((done.status, done.open_parents), (Status::Done, 1));
}

/// An operator completes from any status but triage, done and archived. [7.1]
pub(crate) async fn an_operator_completes_from_nearly_everywhere(t: &Fixture) {
    for &status in Status::ALL {
        let task = t.in_status(status).await;
        let call = t
            .store
            .complete(calls::complete_by(&task.id, calls::olga()));
        if matches!(status, Status::Triage | Status::Done | Status::Archived) {
            let refusal = rejected(t.nothing_written(call).await);
            assert!(
                matches!(refusal, Rejection::WrongStatus { .. }),
                "found {refusal:?}"
            );
        } else {
            assert_eq!(call.await.unwrap().value.task.status, Status::Done);
        }
    }
}

/// Result, summary and metadata are kept: the result with the task, the others with the run. [7.2]
pub(crate) async fn what_is_handed_over_is_kept(t: &Fixture) {
    let claimed = t.claimed().await;
    t.store.complete(full(&claimed)).await.unwrap();
    let detail = t.detail(&claimed.task.id).await;
    assert_eq!(detail.result, Some(calls::long("the result")));
    let run = t.last_run(&claimed.task.id).await;
    assert_eq!(run.summary, Some(calls::note("in short")));
    assert_eq!(run.metadata, Some(calls::json(r#"{"cost":3}"#)));
}

/// A new result takes the place of the former one. [7.2]
pub(crate) async fn a_new_result_replaces_the_former(t: &Fixture) {
    let claimed = t.claimed().await;
    let id = &claimed.task.id;
    t.store.complete(full(&claimed)).await.unwrap();
    t.store.reopen(calls::reopen(id)).await.unwrap();
    assert!(
        t.detail(id).await.result.is_some(),
        "a reopening keeps the result"
    );
    let again = t.claim(id).await;
    let result = Some(calls::long("a better result"));
    let complete = Complete {
        result: result.clone(),
        ..calls::complete(&again)
    };
    t.store.complete(complete).await.unwrap();
    assert_eq!(t.detail(id).await.result, result);
}

/// With no open run, what is handed over is kept by a run of zero length that nobody claimed. [7.3] [17.9]
pub(crate) async fn a_hand_over_without_a_run_makes_one_of_zero_length(t: &Fixture) {
    let task = t.ready("by hand").await;
    let summary = Some(calls::note("done by hand"));
    let complete = Complete {
        summary: summary.clone(),
        ..calls::complete_by(&task.id, calls::olga())
    };
    let (ended, events) = t.events_by(t.store.complete(complete)).await;
    let run = ended.run.unwrap();
    assert_eq!((run.started_at, run.ended_at), (t.now(), Some(t.now())));
    assert_eq!(
        (run.outcome, run.claimant.clone()),
        (Some(Outcome::Completed), None)
    );
    assert_eq!(run.summary, summary);
    assert_eq!(kinds(&events), [EventKind::Completed]);
    assert_eq!(t.runs(&task.id).await, [run]);
    assert_eq!(t.task(&task.id).await.started_at, None);
}

/// Metadata alone is something to hand over, a result alone is not: it is kept with the task. [7.3]
pub(crate) async fn a_run_of_zero_length_is_made_only_for_a_summary_or_metadata(t: &Fixture) {
    let (with, without) = (t.ready("with").await, t.ready("without").await);
    let by = |id: &TaskId| calls::complete_by(id, calls::olga());
    let complete = Complete {
        metadata: Some(calls::json("{}")),
        ..by(&with.id)
    };
    assert!(
        t.store
            .complete(complete)
            .await
            .unwrap()
            .value
            .run
            .is_some()
    );
    let complete = Complete {
        result: Some(calls::long("result")),
        ..by(&without.id)
    };
    assert_eq!(t.store.complete(complete).await.unwrap().value.run, None);
    assert_eq!(t.runs(&without.id).await, []);
    assert_eq!(
        t.detail(&without.id).await.result,
        Some(calls::long("result"))
    );
}

/// A completion clears failures, deferrals, last error and back-off. [7.4] [7.13]
pub(crate) async fn a_completion_clears_the_failures(t: &Fixture) {
    let claimed = t.claimed().await;
    let id = &claimed.task.id;
    t.fail(&claimed, FailKind::Crashed).await;
    t.advance(3600);
    let claimed = t.claim(id).await;
    let failed = t.fail(&claimed, FailKind::Infrastructure).await.task;
    assert_eq!((failed.failures, failed.deferrals), (1, 1));
    let done = t.finish_task(id).await;
    assert_eq!((done.failures, done.deferrals), (0, 0));
    assert_eq!((done.last_error, done.not_before), (None, None));
}

/// A completion clears the streak of blocks and the rounds of review. [7.4] [7.14]
pub(crate) async fn a_completion_clears_streak_and_rounds(t: &Fixture) {
    let reviewing = t.reviewing().await;
    let id = &reviewing.task.id;
    let call = calls::request_changes(id, calls::worker(&reviewing));
    t.store.request_changes(call).await.unwrap();
    let claimed = t.claim(id).await;
    let blocked = t.block(&claimed, WorkerBlockKind::Transient).await.task;
    assert_eq!(
        (blocked.review_rounds, blocked.block_streak.unwrap().count),
        (1, 1)
    );
    let done = t.finish_task(id).await;
    assert_eq!((done.review_rounds, done.block_streak), (0, None));
}

/// A completed review gives the task back to phase work and to its implementer. [7.4] [9.2]
pub(crate) async fn a_completed_review_goes_back_to_the_implementer(t: &Fixture) {
    let task = t.ready_for("ada").await;
    let claimed = t.claim(&task.id).await;
    let review = RequestReview {
        reviewer: Some(calls::who("bob")),
        ..calls::request_review(&task.id, calls::worker(&claimed))
    };
    let review = t.store.request_review(review).await.unwrap().value.task;
    assert_eq!(
        (review.phase, review.assignee),
        (Phase::Review, Some(calls::who("bob")))
    );
    let reviewing = t.claim(&task.id).await;
    let done = t.complete(&reviewing).await.task;
    assert_eq!(
        (done.phase, done.assignee),
        (Phase::Work, Some(calls::who("ada")))
    );
}

/// Tasks created from this one, its children, and those created by one who worked on it are no phantoms. [7.5]
pub(crate) async fn tasks_that_it_made_are_no_phantoms(t: &Fixture) {
    let task = t.ready_for("ada").await.id;
    let claimed = t.claim(&task).await;
    let by = |name: &str| NewTask {
        created_by: Some(calls::label(name)),
        ..calls::new("made")
    };
    let from = NewTask {
        created_from: Some(task.clone()),
        ..calls::new("from it")
    };
    let created_tasks = vec![
        t.create(from).await.id,
        t.create(calls::child_of(&[&task])).await.id,
        t.create(by("w1")).await.id,
        t.create(by("ada")).await.id,
    ];
    let complete = Complete {
        created_tasks,
        ..calls::complete(&claimed)
    };
    assert_eq!(
        t.store.complete(complete).await.unwrap().value.task.status,
        Status::Done
    );
}

/// Tasks that it did not make, and unknown ones, refuse the completion by name: the run stays open, and the event
/// `completion_refused` is written. [7.5] [5.1]
pub(crate) async fn phantoms_refuse_the_completion(t: &Fixture) {
    let claimed = t.claimed().await;
    let (id, foreign) = (&claimed.task.id, t.ready("somebody else's").await.id);
    let own = t.create(calls::child_of(&[id])).await.id;
    let unknown = calls::task_id("t_nobody");
    let seq = t.seq().await.get();
    let complete = Complete {
        created_tasks: vec![foreign.clone(), own, unknown.clone()],
        ..calls::complete(&claimed)
    };
    let refusal = rejected(t.store.complete(complete).await);
    assert_eq!(
        refusal,
        Rejection::PhantomTasks {
            ids: vec![foreign.clone(), unknown.clone()]
        }
    );
    assert_eq!(t.task(id).await, claimed.task);
    assert!(t.last_run(id).await.is_open());
    let event = t.last_event(id).await;
    assert_eq!(
        (event.kind.clone(), event.seq.get()),
        (EventKind::CompletionRefused, seq + 1)
    );
    let phantom = serde_json::json!([foreign.as_str(), unknown.as_str()]);
    assert_eq!(*data(&event, "phantom"), phantom);
    assert_eq!(t.complete(&claimed).await.task.status, Status::Done);
}

/// The event of a completion tells the summary and the length of the result. [7.6]
pub(crate) async fn the_event_of_a_completion_tells_the_summary(t: &Fixture) {
    let claimed = t.claimed().await;
    let (_, events) = t.events_by(t.store.complete(full(&claimed))).await;
    assert_eq!(kinds(&events), [EventKind::Completed]);
    assert_eq!(data(&events[0], "result_len"), 10);
    assert_eq!(data(&events[0], "summary"), "in short");
    assert_eq!(
        (data(&events[0], "from"), data(&events[0], "to")),
        (&"running".into(), &"done".into())
    );
    assert_eq!(events[0].run, Some(claimed.run.id));
}

/// Words of the summary that look like task ids and name none are told, and never refuse. [7.6]
pub(crate) async fn unknown_ids_in_a_summary_are_told(t: &Fixture) {
    let claimed = t.claimed().await;
    let known = t.ready("known").await.id;
    let unknown = "t_01hzzzzzzzzzzzzzzzzzzzzzzz";
    let summary = format!("made {known} and ({unknown}), not t_ or T_ABCDEFG or task_123456.");
    let complete = Complete {
        summary: Some(calls::note(&summary)),
        ..calls::complete(&claimed)
    };
    let (ended, events) = t.events_by(t.store.complete(complete)).await;
    assert_eq!(ended.task.status, Status::Done);
    assert_eq!(
        *data(&events[0], "unknown_refs"),
        serde_json::json!([unknown])
    );
}

/// At most 100 unknown ids of a summary are told. [7.6]
pub(crate) async fn at_most_100_unknown_ids_are_told(t: &Fixture) {
    let claimed = t.claimed().await;
    let words: Vec<String> = (0..150)
        .map(|number| format!("t_unknown{number:03}"))
        .collect();
    let summary = Some(calls::note(&words.join(" ")));
    let complete = Complete {
        summary,
        ..calls::complete(&claimed)
    };
    let (_, events) = t.events_by(t.store.complete(complete)).await;
    let told = data(&events[0], "unknown_refs").as_array().map(Vec::len);
    assert_eq!(told, Some(100));
}

/// An operator that completes a running task closes its run by name. [7.1] [4.4]
pub(crate) async fn an_operators_completion_closes_the_open_run(t: &Fixture) {
    let claimed = t.claimed().await;
    let authority = Authority::Operator {
        actor: calls::label("olga"),
        reason: Some(calls::reason("good enough")),
        run: Some(claimed.run.id),
    };
    let complete = calls::complete_by(&claimed.task.id, authority);
    let run = t.store.complete(complete).await.unwrap().value.run.unwrap();
    assert_eq!(
        (run.id, run.outcome),
        (claimed.run.id, Some(Outcome::Completed))
    );
    assert_eq!(run.ended_by, Some(calls::label("olga")));
}

fn full(claimed: &Claimed) -> Complete {
    Complete {
        result: Some(calls::long("the result")),
        summary: Some(calls::note("in short")),
        metadata: Some(calls::json(r#"{"cost":3}"#)),
        ..calls::complete(claimed)
    }
}
