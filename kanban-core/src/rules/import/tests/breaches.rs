//! Each breach, and its repair.

use super::*;

#[test]
fn a_board_that_breaks_no_rule_needs_no_repair() {
    let (into, repairs) = repairs_of(ImportForeign {
        tasks: vec![
            foreign("a", Status::Done),
            foreign("b", Status::Ready),
            ForeignTask {
                open_run: Some(4),
                ..foreign("c", Status::Running)
            },
            foreign("d", Status::Todo),
            foreign("e", Status::Blocked),
            foreign("f", Status::Archived),
        ],
        links: vec![link("a", "b"), link("b", "d"), link("f", "d")],
        runs: vec![
            ended(2, "a", Some(Outcome::Completed), Some(800)),
            open(4, "c"),
        ],
        events: vec![
            event(3, "a", "completed", Some(2)),
            event(7, "c", "claimed", Some(4)),
        ],
        comments: vec![comment(9, "a")],
        subscriptions: vec![subscription("d", "mail", 7)],
        ..board()
    });
    assert_eq!(repairs, []);
    assert_eq!(task_of(&into, "d").open_parents, 1);
    let claim = task_of(&into, "c").claim.as_ref().expect("it is running");
    assert_eq!(
        (claim.run, claim.expires_at),
        (RunId::new(4), Millis::new(5_000))
    );
    assert_eq!(task_of(&into, "f").settled_at, Some(Millis::new(100)));
    let counters = into.state.counters;
    assert_eq!((counters.run.get(), counters.comment.get()), (4, 9));
    let last = into.events.values().next_back().expect("there are events");
    assert_eq!((last.id.get(), &last.kind), (8, &EventKind::Imported));
    assert!(into.events.values().all(|event| event.seq == counters.seq));
}

#[test]
fn a_board_with_tasks_is_refused() {
    let mut into = MemoryBoard::new();
    into.put_task(task("a"));
    let group = GroupRows::read(&into).expect("memory does not fail");
    let mut draft = Draft::new(&into, &group, &RandomIds, NOW);
    match Box::new(board()).decide(&mut draft) {
        Err(Refusal::Rule(error)) => {
            assert_eq!(error.rejection(), Some(&Rejection::BoardNotEmpty));
        }
        other => panic!("expected a refusal, found {other:?}"),
    }
    assert_eq!(draft.into_list(), []);
}

#[test]
fn numbers_that_the_board_has_given_are_not_given_again() {
    let mut into = MemoryBoard::new();
    into.state.counters.run = RunId::new(10);
    into.state.counters.event = EventId::new(20);
    let imported = import(
        &mut into,
        ImportForeign {
            tasks: vec![foreign("a", Status::Done)],
            runs: vec![ended(2, "a", Some(Outcome::Completed), Some(800))],
            events: vec![event(3, "a", "completed", Some(2))],
            subscriptions: vec![subscription("a", "mail", 3)],
            ..board()
        },
    );
    let expected = [
        Repair::changed("runs", "*", "id", "id", "id + 10"),
        Repair::changed("events", "*", "id", "id", "id + 20"),
    ];
    assert_eq!(imported.repairs, expected);
    let event = into.events.get(&EventId::new(23)).expect("it moved up");
    assert_eq!(event.run, Some(RunId::new(12)));
    let subscription = into.subscriptions.values().next().expect("it is there");
    assert_eq!(subscription.cursor, EventId::new(23));
}

#[test]
fn links_that_cannot_be_are_left_out() {
    let (into, repairs) = repairs_of(ImportForeign {
        tasks: vec![
            foreign("a", Status::Ready),
            foreign("b", Status::Todo),
            foreign("c", Status::Todo),
        ],
        links: vec![
            link("a", "b"),
            link("a", "b"),
            link("b", "b"),
            link("gone", "b"),
            link("b", "gone"),
            link("b", "c"),
            link("c", "a"),
        ],
        ..board()
    });
    let dropped = |id: &str, what: &str| Repair::dropped("links", id, what, id);
    let expected = [
        dropped("a>b", "row"),
        dropped("b>b", "self"),
        dropped("gone>b", "parent"),
        dropped("b>gone", "child"),
        dropped("c>a", "circle"),
    ];
    assert_eq!(repairs, expected);
    let links: Vec<_> = into.links.into_iter().collect();
    assert_eq!(links, [link("a", "b"), link("b", "c")]);
}

#[test]
fn runs_end_exactly_with_an_outcome() {
    let (into, repairs) = repairs_of(ImportForeign {
        tasks: vec![foreign("a", Status::Ready)],
        runs: vec![
            ended(0, "a", Some(Outcome::Completed), Some(800)),
            ended(1, "a", None, Some(800)),
            ended(2, "a", Some(Outcome::Crashed), None),
            ended(3, "a", Some(Outcome::Crashed), Some(10)),
            ended(3, "a", Some(Outcome::Blocked), Some(800)),
            ended(4, "gone", Some(Outcome::Blocked), Some(800)),
        ],
        ..board()
    });
    let expected = [
        Repair::dropped("runs", 0, "id", 0),
        Repair::added("runs", 1, "outcome", "invalidated"),
        Repair::added("runs", 2, "ended_at", 300),
        Repair::changed("runs", 3, "ended_at", 10, 300),
        Repair::dropped("runs", 3, "row", 3),
        Repair::dropped("runs", 4, "task", "gone"),
    ];
    assert_eq!(repairs, expected);
    assert_eq!(into.runs.len(), 3);
    assert_eq!(run_of(&into, 2).ended_at, Some(Millis::new(300)));
}

#[test]
fn open_runs_and_running_tasks_belong_together() {
    let (into, repairs) = repairs_of(ImportForeign {
        tasks: vec![
            foreign("several", Status::Running),
            ForeignTask {
                open_run: Some(9),
                ..foreign("none", Status::Running)
            },
            foreign("waits", Status::Running),
            ForeignTask {
                open_run: Some(5),
                ..foreign("ready", Status::Ready)
            },
        ],
        links: vec![link("ready", "waits")],
        runs: vec![open(1, "several"), open(2, "several"), open(5, "ready")],
        events: vec![
            event(1, "several", "claimed", Some(1)),
            event(2, "several", "claimed", Some(2)),
            event(3, "ready", "claimed", Some(5)),
        ],
        ..board()
    });
    let expected = [
        Repair::dropped("tasks", "none", "open_run", 9),
        Repair::changed("tasks", "none", "status", "running", "ready"),
        Repair::dropped("tasks", "ready", "open_run", 5),
        Repair::added("runs", 5, "outcome", "invalidated"),
        Repair::added("tasks", "several", "open_run", 2),
        Repair::added("runs", 1, "outcome", "invalidated"),
        Repair::changed("tasks", "waits", "status", "running", "todo"),
    ];
    assert_eq!(repairs, expected);
    let closed = run_of(&into, 5);
    assert_eq!(
        (closed.ended_at, &closed.ended_by),
        (Some(NOW), &Some(label("import")))
    );
    let claim = task_of(&into, "several").claim.as_ref();
    assert_eq!(claim.map(|claim| claim.run), Some(RunId::new(2)));
}

#[test]
fn a_claim_lacks_nothing() {
    let (into, repairs) = repairs_of(ImportForeign {
        tasks: vec![
            ForeignTask {
                open_run: Some(1),
                ..foreign("bare", Status::Running)
            },
            ForeignTask {
                open_run: Some(2),
                ..foreign("long", Status::Running)
            },
        ],
        runs: vec![
            ForeignRun {
                claimant: None,
                expires_at: None,
                ..open(1, "bare")
            },
            ForeignRun {
                must_end_by: Some(Millis::new(4_000)),
                ..open(2, "long")
            },
        ],
        events: vec![event(6, "long", "claimed", Some(2))],
        ..board()
    });
    let expected = [
        Repair::added("runs", 1, "claimant", "elsewhere"),
        Repair::added("runs", 1, "expires_at", 1_900_000),
        Repair::changed("runs", 2, "expires_at", 5_000, 4_000),
        Repair::added("events", 7, "claimed", "run 1"),
    ];
    assert_eq!(repairs, expected);
    let added = claimed_events(&into, 1);
    let data: Vec<String> = added.iter().map(|event| event.data.to_text()).collect();
    let expected = r#"{"claimant":"elsewhere","imported":true,"phase":"work","run":1}"#;
    assert_eq!(data, [expected]);
    assert_eq!(task_of(&into, "bare").started_at, Some(Millis::new(300)));
}

#[test]
fn a_status_agrees_with_parents_and_fields() {
    let key = |id: &str, created_at: i64, status: Status| ForeignTask {
        idempotency_key: Some(label("k")),
        created_at: Millis::new(created_at),
        ..foreign(id, status)
    };
    let (into, repairs) = repairs_of(ImportForeign {
        tasks: vec![
            foreign("early", Status::Ready),
            foreign("late", Status::Todo),
            ForeignTask {
                phase: Phase::Review,
                ..foreign("phase", Status::Ready)
            },
            foreign("review", Status::Review),
            ForeignTask {
                block: None,
                ..foreign("blocked", Status::Blocked)
            },
            ForeignTask {
                block: Some(block()),
                wake_at: Some(Millis::new(7)),
                completed_at: Some(Millis::new(8)),
                ..foreign("odd", Status::Triage)
            },
            ForeignTask {
                completed_at: None,
                ..foreign("over", Status::Done)
            },
            key("key1", 2, Status::Ready),
            key("key2", 1, Status::Ready),
            key("key3", 0, Status::Archived),
            foreign("key1", Status::Done),
        ],
        links: vec![link("late", "early")],
        runs: vec![ended(1, "over", Some(Outcome::Completed), Some(850))],
        ..board()
    });
    let expected = [
        Repair::dropped("tasks", "key1", "row", "key1"),
        Repair::added("tasks", "blocked", "block", "other"),
        Repair::changed("tasks", "early", "status", "ready", "todo"),
        Repair::changed("tasks", "late", "status", "todo", "ready"),
        Repair::dropped("tasks", "odd", "wake_at", 7),
        Repair::dropped("tasks", "odd", "block", "needs_input"),
        Repair::dropped("tasks", "odd", "completed_at", 8),
        Repair::added("tasks", "over", "completed_at", 850),
        Repair::changed("tasks", "phase", "phase", "review", "work"),
        Repair::changed("tasks", "review", "phase", "work", "review"),
        Repair::dropped("tasks", "key1", "idempotency_key", "k"),
    ];
    assert_eq!(repairs, expected);
    assert_eq!(task_of(&into, "early").open_parents, 1);
    assert_eq!(task_of(&into, "over").settled_at, Some(Millis::new(850)));
    let archived = task_of(&into, "key3");
    assert_eq!(archived.idempotency_key, Some(label("k")));
}

/// A number that is not taken over.
const OVER: u64 = (1 << 61) + 1;

fn attachment(id: u64, task: &str) -> ForeignAttachment {
    ForeignAttachment {
        id,
        task: task_id(task),
        file_name: label("a.txt"),
        uri: Address::new("uri", "/tmp/a.txt").expect("a short text"),
        media_type: None,
        size: Some(3),
        by: None,
        at: Millis::new(100),
    }
}

#[test]
fn values_that_no_command_writes_are_mended() {
    let over = u64::MAX.to_string();
    let streak = |kind, count| Some(BlockStreak { kind, count });
    let (into, repairs) = repairs_of(ImportForeign {
        tasks: vec![
            ForeignTask {
                max_runtime: Some(u64::MAX),
                block_streak: streak(BlockKind::Breaker, 3),
                ..foreign("a", Status::Ready)
            },
            ForeignTask {
                block_streak: streak(BlockKind::Other, 0),
                ..foreign("b", Status::Ready)
            },
        ],
        events: vec![
            event(1, "a", " ", None),
            event(2, "a", &over.repeat(13), None),
        ],
        comments: vec![
            ForeignComment {
                author: label(" "),
                ..comment(1, "a")
            },
            ForeignComment {
                body: Note::new("body", "\n ").expect("a short text"),
                ..comment(2, "a")
            },
        ],
        attachments: vec![ForeignAttachment {
            file_name: label(" "),
            size: Some(u64::MAX),
            ..attachment(1, "a")
        }],
        subscriptions: vec![
            ForeignSubscription {
                kinds: vec![EventKind::Completed; 101],
                ..subscription("a", "many", 0)
            },
            ForeignSubscription {
                kinds: vec![EventKind::from(""), EventKind::Completed],
                ..subscription("a", "one", 0)
            },
            ForeignSubscription {
                kinds: vec![EventKind::from(" ")],
                ..subscription("a", "none", 0)
            },
        ],
        ..board()
    });
    let expected = [
        Repair::dropped("tasks", "a", "max_runtime_ms", &over),
        Repair::dropped("tasks", "a", "block_streak", "breaker"),
        Repair::dropped("tasks", "b", "block_streak", "other"),
        Repair::dropped("events", 1, "kind", "1 bytes"),
        Repair::dropped("events", 2, "kind", "260 bytes"),
        Repair::changed("comments", 1, "author", " ", "unknown"),
        Repair::dropped("comments", 2, "body", "2 bytes"),
        Repair::changed("attachments", 1, "file_name", " ", "unnamed"),
        Repair::dropped("attachments", 1, "size", &over),
        Repair::changed("subscriptions", "a/many/5/", "kinds", 101, 100),
        Repair::changed("subscriptions", "a/one/5/", "kinds", 2, 1),
        Repair::dropped("subscriptions", "a/none/5/", "kinds", "a/none/5/"),
    ];
    assert_eq!(repairs, expected);
    let attached = into.attachments.values().next().expect("it is there");
    assert_eq!(
        (attached.file_name.as_str(), attached.size),
        ("unnamed", None)
    );
    assert_eq!(task_of(&into, "a").max_runtime, None);
    assert_eq!((into.comments.len(), into.subscriptions.len()), (1, 2));
}

#[test]
fn what_hangs_on_a_task_needs_it() {
    let (into, repairs) = repairs_of(ImportForeign {
        tasks: vec![foreign("a", Status::Ready)],
        runs: vec![ended(1, "a", Some(Outcome::Crashed), Some(800))],
        events: vec![
            event(1, "gone", "created", None),
            event(2, "a", "strange_kind", Some(77)),
            event(2, "a", "created", None),
            event(OVER, "a", "created", None),
        ],
        comments: vec![comment(1, "gone"), comment(2, "a"), comment(2, "a")],
        attachments: vec![attachment(1, "gone"), attachment(5, "a")],
        subscriptions: vec![
            subscription("gone", "mail", 0),
            subscription("a", "mail", 99),
            subscription("a", "mail", 0),
            subscription("a", "chat", 1),
        ],
        repairs: vec![Repair::dropped("other", "*", "table", "3 rows")],
        ..board()
    });
    let expected = [
        Repair::dropped("other", "*", "table", "3 rows"),
        Repair::dropped("events", 1, "task", "gone"),
        Repair::dropped("events", 2, "run", 77),
        Repair::dropped("events", 2, "row", "created"),
        Repair::dropped("events", OVER, "id", OVER),
        Repair::dropped("comments", 1, "task", "gone"),
        Repair::dropped("comments", 2, "row", 2),
        Repair::dropped("attachments", 1, "task", "gone"),
        Repair::dropped("subscriptions", "gone/mail/5/", "task", "gone/mail/5/"),
        Repair::changed("subscriptions", "a/mail/5/", "cursor", 99, 2),
        Repair::dropped("subscriptions", "a/mail/5/", "row", "a/mail/5/"),
    ];
    assert_eq!(repairs, expected);
    let kinds: Vec<&str> = into.events.values().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds, ["strange_kind", "imported"]);
    assert_eq!(into.subscriptions.len(), 2);
    assert_eq!(into.state.counters.attachment.get(), 5);
}
