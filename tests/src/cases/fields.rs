//! What a task and a run keep.

use kanban_core::{
    Assignee, Complete, Effect, EventKind, Fail, FailKind, FailureLimit, Heartbeat, JsonObject,
    NewTask, Outcome, Phase, Title, UpdateTask, WorkerBlockKind,
};

use crate::answers::{at_limit, invalid};
use crate::calls;
use crate::fixture::Fixture;

/// A title is trimmed. [3.1]
pub(crate) async fn a_title_is_trimmed(t: &Fixture) {
    let task = t.create(calls::new("  \t write the docs \n")).await;
    assert_eq!(task.title.as_str(), "write the docs");
    assert_eq!(t.task(&task.id).await.title, task.title);
}

/// A title of 500 bytes after trimming is taken, one of 501 refused, a blank one too. [3.1] [3.12]
pub(crate) async fn a_title_has_1_to_500_bytes(t: &Fixture) {
    let longest = format!(" {} ", "é".repeat(250));
    assert_eq!(
        t.create(calls::new(&longest)).await.title.as_str().len(),
        500
    );
    at_limit(Title::new("x".repeat(501)), "title", 500, 501);
    at_limit(Title::new("é".repeat(251)), "title", 500, 502);
    for blank in ["", " ", "\t\n", "\u{3000}"] {
        assert_eq!(
            Title::new(blank).unwrap_err().field,
            "title",
            "of {blank:?}"
        );
    }
}

/// The priority is any `i32`, 0 where none is given. [3.2]
pub(crate) async fn a_priority_is_any_i32(t: &Fixture) {
    assert_eq!(t.ready("plain").await.priority, 0);
    for priority in [i32::MIN, -1, 1, i32::MAX] {
        let task = t
            .create(NewTask {
                priority,
                ..calls::new("ranked")
            })
            .await;
        assert_eq!(t.task(&task.id).await.priority, priority);
    }
}

/// A failure limit is 1 to 1,000, or none. [3.2] [3.12]
pub(crate) async fn a_failure_limit_is_1_to_1000(t: &Fixture) {
    for limit in [1, 1000] {
        let failure_limit = Some(FailureLimit::new(limit).unwrap());
        let task = t
            .create(NewTask {
                failure_limit,
                ..calls::new("limited")
            })
            .await;
        assert_eq!(t.task(&task.id).await.failure_limit, failure_limit);
    }
    at_limit(FailureLimit::new(0), "failure_limit", 1, 0);
    at_limit(FailureLimit::new(1001), "failure_limit", 1000, 1001);
    assert_eq!(t.ready("unlimited").await.failure_limit, None);
}

/// A run's time limit is greater than zero. [3.2]
pub(crate) async fn a_max_runtime_is_greater_than_zero(t: &Fixture) {
    let with = |max_runtime| NewTask {
        max_runtime: Some(max_runtime),
        ..calls::new("timed")
    };
    let zero = with(std::time::Duration::ZERO);
    assert_eq!(
        invalid(t.nothing_written(t.store.create(zero)).await).field,
        "max_runtime"
    );
    let task = t.create(with(std::time::Duration::from_millis(1))).await;
    assert_eq!(task.max_runtime, Some(1));
    let update = UpdateTask {
        max_runtime: Some(Some(std::time::Duration::ZERO)),
        ..calls::update(&task.id)
    };
    assert_eq!(
        invalid(t.nothing_written(t.store.update(update)).await).field,
        "max_runtime"
    );
}

/// An assignee is stored in lower case, and has a form. [3.3]
pub(crate) async fn an_assignee_is_stored_in_lower_case(t: &Fixture) {
    let assignee = Some(Assignee::new("Ada.Lovelace_2-X").unwrap());
    let task = t
        .create(NewTask {
            assignee,
            ..calls::new("for ada")
        })
        .await;
    let found = t.task(&task.id).await.assignee.unwrap();
    assert_eq!(found.as_str(), "ada.lovelace_2-x");
    for name in ["", "-a", ".a", "_a", "a b", "ä", "a/b"] {
        assert_eq!(
            Assignee::new(name).unwrap_err().field,
            "assignee",
            "of {name:?}"
        );
    }
    Assignee::new("0".repeat(64)).unwrap();
    at_limit(Assignee::new("0".repeat(65)), "assignee", 64, 65);
}

/// The attributes are kept as they are: any JSON object, and nothing in it means anything to the store. [3.4]
pub(crate) async fn attributes_are_kept_and_not_read(t: &Fixture) {
    let text = r#"{"":null,"model":"x","nested":{"a":[1,2.5,-3,"ü\u0000"]},"status":"done"}"#;
    let attributes = Some(calls::json(text));
    let new = NewTask {
        attributes: attributes.clone(),
        ..calls::new("described")
    };
    let task = t.create(new).await;
    let detail = t.detail(&task.id).await;
    assert_eq!(detail.attributes, attributes);
    assert_eq!(detail.task.status, kanban_core::Status::Ready);
}

/// JSON of 64 levels is taken, of 65 refused. [3.4] [3.12]
pub(crate) async fn json_is_at_most_64_levels_deep(t: &Fixture) {
    let deep = |levels: usize| {
        let text = format!(
            "{}{{}}{}",
            "{\"a\":".repeat(levels - 1),
            "}".repeat(levels - 1)
        );
        JsonObject::parse("attributes", &text)
    };
    let attributes = Some(deep(64).unwrap());
    let new = NewTask {
        attributes: attributes.clone(),
        ..calls::new("deep")
    };
    let task = t.create(new).await;
    assert_eq!(t.detail(&task.id).await.attributes, attributes);
    at_limit(deep(65), "attributes", 64, 65);
    let listed = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
    at_limit(
        JsonObject::parse("attributes", &listed),
        "attributes",
        64,
        65,
    );
}

/// The time of the first claim ever stays. [3.5]
pub(crate) async fn the_first_claim_ever_is_remembered(t: &Fixture) {
    let claimed = t.claimed().await;
    let first = Some(t.now());
    t.advance(60);
    t.fail(&claimed, FailKind::RateLimited).await;
    t.advance(3600);
    let again = t.claim(&claimed.task.id).await;
    assert_eq!(again.task.started_at, first);
    t.complete(&again).await;
    let reopened = t
        .store
        .reopen(calls::reopen(&claimed.task.id))
        .await
        .unwrap();
    assert_eq!(reopened.value.task.started_at, first);
}

/// A task that was never claimed has no time of a first claim, also when it is done. [3.5]
pub(crate) async fn a_task_that_was_never_claimed_never_started(t: &Fixture) {
    let task = t.ready("by hand").await;
    assert_eq!(t.finish_task(&task.id).await.started_at, None);
}

/// `settled_at` is kept from `done` to `archived` and back, and cleared on leaving both. [3.5]
pub(crate) async fn settled_at_outlasts_the_way_into_the_archive_and_back(t: &Fixture) {
    let task = t.done().await;
    let settled = Some(t.now());
    assert_eq!(task.settled_at, settled);
    t.advance(60);
    assert_eq!(t.archive(&task.id).await.settled_at, settled);
    t.advance(60);
    let restored = t
        .store
        .restore(calls::restore(&task.id))
        .await
        .unwrap()
        .value;
    assert_eq!(restored.settled_at, settled);
    let reopened = t.store.reopen(calls::reopen(&task.id)).await.unwrap().value;
    assert_eq!(reopened.task.settled_at, None);
}

/// A task that goes into the archive from elsewhere is settled since then, until it comes back. [3.5] [17.15]
pub(crate) async fn a_task_is_settled_since_it_was_archived(t: &Fixture) {
    let task = t.ready("soon gone").await;
    t.advance(60);
    assert_eq!(t.archive(&task.id).await.settled_at, Some(t.now()));
    t.advance(60);
    let restored = t
        .store
        .restore(calls::restore(&task.id))
        .await
        .unwrap()
        .value;
    assert_eq!(restored.settled_at, None);
}

/// The last error is cut at 500 bytes, in front of the character that does not fit; the run keeps all of it. [3.6]
pub(crate) async fn the_last_error_is_cut_at_a_character(t: &Fixture) {
    for (error, kept) in [
        ("é".repeat(300), 500),
        (format!("a{}", "é".repeat(300)), 499),
        ("x".repeat(500), 500),
        ("short".to_owned(), 5),
    ] {
        let claimed = t.claimed().await;
        let fail = Fail {
            error: Some(calls::note(&error)),
            ..calls::fail(&claimed, FailKind::Crashed)
        };
        let ended = t.store.fail(fail).await.unwrap().value;
        let last = ended.task.last_error.unwrap();
        assert_eq!(
            (last.as_str().len(), error.starts_with(last.as_str())),
            (kept, true)
        );
        assert_eq!(ended.run.unwrap().error.unwrap().as_str(), error);
    }
}

/// The version and `updated_at` move with every event that changes the card. [3.7]
pub(crate) async fn the_version_moves_with_the_events_of_the_card(t: &Fixture) {
    let task = t.ready("moved").await;
    let before = task.version;
    t.advance(60);
    let claimed = t.claim(&task.id).await;
    assert!(claimed.task.version > before);
    assert_eq!(claimed.task.updated_at, t.now());
    t.advance(60);
    let done = t.complete(&claimed).await.task;
    assert!(done.version > claimed.task.version);
    assert_eq!(done.updated_at, t.now());
}

/// Heartbeats, a worker's process, comments, attachments and a refused completion move neither the version nor
/// `updated_at`. [3.7] [12.4]
pub(crate) async fn signs_of_life_and_talk_do_not_move_the_version(t: &Fixture) {
    let claimed = t.claimed().await;
    let (id, run, store) = (&claimed.task.id, claimed.run.id, &t.store);
    t.advance(60);
    let beat = Heartbeat {
        note: Some(calls::note("alive")),
        ..calls::heartbeat(&claimed)
    };
    store.heartbeat(beat).await.unwrap();
    store.heartbeat(calls::heartbeat(&claimed)).await.unwrap();
    store
        .set_worker(calls::set_worker(id, run, 7))
        .await
        .unwrap();
    store
        .comment(calls::comment(id, "looks good"))
        .await
        .unwrap();
    let file = store
        .attach(calls::attach(id, "log.txt"))
        .await
        .unwrap()
        .value;
    store.detach(calls::detach(id, file.id)).await.unwrap();
    let complete = Complete {
        created_tasks: vec![calls::task_id("t_phantom")],
        ..calls::complete(&claimed)
    };
    store.complete(complete).await.unwrap_err();
    let task = t.task(id).await;
    assert_eq!(task.version, claimed.task.version);
    assert_eq!(task.updated_at, claimed.task.updated_at);
    assert_eq!(t.last_event(id).await.kind, EventKind::CompletionRefused);
}

/// Fields that no rule names go unchanged through a whole life. [3.8]
pub(crate) async fn fields_that_no_rule_names_keep_their_values(t: &Fixture) {
    let created_from = Some(t.ready("the origin").await.id);
    let new = NewTask {
        body: Some(calls::long("the whole story")),
        priority: 7,
        tenant: Some(calls::label("acme")),
        created_by: Some(calls::label("planner")),
        created_from,
        idempotency_key: Some(calls::label("key-1")),
        failure_limit: Some(FailureLimit::new(9).unwrap()),
        max_runtime: Some(calls::secs(7200)),
        attributes: Some(calls::json(r#"{"model":"x"}"#)),
        ..calls::new("a long life")
    };
    let id = t.create(new).await.id;
    let before = t.detail(&id).await;
    let claimed = t.claim(&id).await;
    t.fail(&claimed, FailKind::Crashed).await;
    t.advance(3600);
    let claimed = t.claim(&id).await;
    t.block(&claimed, WorkerBlockKind::Transient).await;
    t.store.unblock(calls::unblock(&id)).await.unwrap();
    t.finish_task(&id).await;
    t.archive(&id).await;
    t.store.restore(calls::restore(&id)).await.unwrap();
    let after = t.detail(&id).await;
    assert_eq!(
        (&after.body, &after.attributes),
        (&before.body, &before.attributes)
    );
    assert_eq!(kept(&after.task), kept(&before.task));
}

/// A run keeps the phase, assignee, claimant and request id that it was opened with. [3.14] [6.2]
pub(crate) async fn a_run_keeps_what_it_was_opened_with(t: &Fixture) {
    let task = t.ready_for("ada").await;
    let claim = kanban_core::ClaimTask {
        request_id: Some(calls::label("r-1")),
        ..calls::claim(&task.id)
    };
    let claimed = t.store.claim(claim).await.unwrap().value;
    t.hand_in(&claimed).await;
    t.store
        .assign(calls::assign(&task.id, "bob"))
        .await
        .unwrap();
    let run = t.run(&task.id, claimed.run.id).await;
    assert_eq!(run.phase, Phase::Work);
    assert_eq!(run.assignee, Some(calls::who("ada")));
    assert_eq!(run.claimant, Some(calls::label("w1")));
    assert_eq!(run.request_id, Some(calls::label("r-1")));
}

/// An open run has no outcome; every way to end it gives it exactly one. [3.14] [17.2]
pub(crate) async fn every_end_of_a_run_gives_it_one_outcome(t: &Fixture) {
    assert!(t.claimed().await.run.is_open());
    for kind in FailKind::ALL {
        let claimed = t.claimed().await;
        let ended = t.fail(&claimed, *kind).await;
        assert_eq!(ended.run.unwrap().outcome, Some(kind.outcome()));
    }
    let mut found = Vec::new();
    for end in 0..7 {
        let claimed = if end == 5 {
            t.reviewing().await
        } else {
            t.claimed().await
        };
        let (id, worker) = (&claimed.task.id, calls::worker(&claimed));
        let ended = match end {
            0 => t.complete(&claimed).await,
            1 => t.release(&claimed).await,
            2 => t.block(&claimed, WorkerBlockKind::Other).await,
            3 => {
                t.store
                    .schedule(calls::schedule(id, worker, None))
                    .await
                    .unwrap()
                    .value
            }
            4 => {
                t.store
                    .request_review(calls::request_review(id, worker))
                    .await
                    .unwrap()
                    .value
            }
            5 => {
                t.store
                    .request_changes(calls::request_changes(id, worker))
                    .await
                    .unwrap()
                    .value
            }
            _ => {
                t.store
                    .archive(calls::archive(id, worker))
                    .await
                    .unwrap()
                    .value
            }
        };
        let run = ended.run.unwrap();
        assert_eq!((run.id, run.ended_at), (claimed.run.id, Some(t.now())));
        found.push(run.outcome.unwrap());
    }
    let expected = [
        Outcome::Completed,
        Outcome::Released,
        Outcome::Blocked,
        Outcome::Scheduled,
        Outcome::ReviewRequested,
        Outcome::ChangesRequested,
        Outcome::Archived,
    ];
    assert_eq!(found, expected);
}

/// Text is kept byte for byte, whatever is in it. [3.8] [3.9]
pub(crate) async fn text_is_kept_byte_for_byte(t: &Fixture) {
    for text in [
        "'; drop table tasks; --",
        "a\0b",
        "\u{202e}\u{1f600}\r\n\t",
        "%s {} \\ \"",
        "🏁",
    ] {
        let new = NewTask {
            body: Some(calls::long(text)),
            tenant: Some(calls::label(text)),
            ..calls::new(text)
        };
        let id = t.create(new).await.id;
        let detail = t.detail(&id).await;
        assert_eq!(detail.body.unwrap().as_str(), text);
        assert_eq!(detail.task.tenant.unwrap().as_str(), text);
        let comment = t.store.comment(calls::comment(&id, text)).await.unwrap();
        assert_eq!(
            (comment.effect, comment.value.body.as_str()),
            (Effect::Applied, text)
        );
        assert_eq!(t.comments(&id).await, [comment.value]);
    }
}

fn kept(task: &kanban_core::Task) -> impl PartialEq + std::fmt::Debug + use<> {
    let task = task.clone();
    (
        (
            task.title,
            task.priority,
            task.tenant,
            task.created_by,
            task.created_from,
        ),
        (
            task.created_at,
            task.idempotency_key,
            task.failure_limit,
            task.max_runtime,
        ),
    )
}
