//! Every type of the model is read back as it was written, with every optional field there and not there.

use std::time::Duration;

use kanban_core::{
    Address, ArchivedFrom, Assignee, Attachment, AttachmentId, Block, BlockKind, BlockStreak,
    BoardState, Change, Claim, Comment, CommentId, Counters, Event, EventId, EventKind,
    FailureLimit, GroupRecord, JsonObject, Label, Lease, LeaseId, Link, Millis, Note, Outcome,
    Pause, PauseTarget, Phase, Policy, Reason, Run, RunId, Scope, Seq, Status, Subscription,
    SubscriptionId, SubscriptionMode, Task, TextKind, Title, Verdict, Version, WorkerProcess,
    WriteEnd,
};

use super::{Fixture, OpenEngine, ask, changed, id, label, new_task, state, task, write};

fn worker() -> WorkerProcess {
    WorkerProcess {
        host: label("host \u{1f980} with a \0 in it"),
        pid: u32::MAX,
        started: Some(label("boot 7, tick 9")),
    }
}

fn block(kind: BlockKind) -> Block {
    Block {
        kind,
        reason: Some(Reason::new("reason", "'; DROP TABLE task; --").unwrap()),
        by: Some(label("ann")),
        at: Millis::new(-5),
    }
}

fn name(text: &str) -> Assignee {
    Assignee::new(text).unwrap()
}

fn object(text: &str) -> JsonObject {
    JsonObject::parse("data", text).unwrap()
}

/// A task with everything optional in it, however senseless together.
fn full_task() -> Task {
    Task {
        id: id("t_full"),
        title: Title::new("A title\nof two lines \u{fffd}").unwrap(),
        status: Status::Archived,
        phase: Phase::Review,
        priority: i32::MIN,
        assignee: Some(name("worker.1")),
        implementer: Some(name("impl")),
        reviewer: Some(name("rev")),
        tenant: Some(label("tenant")),
        created_by: Some(label("somebody")),
        created_from: Some(id("t_other")),
        created_at: Millis::new(i64::MIN),
        updated_at: Millis::new(i64::MAX),
        started_at: Some(Millis::new(1)),
        completed_at: Some(Millis::new(2)),
        settled_at: Some(Millis::new(3)),
        wake_at: Some(Millis::new(4)),
        not_before: Some(Millis::new(5)),
        idempotency_key: Some(label("key")),
        version: Version::MAX,
        open_parents: u32::MAX,
        failures: 1,
        deferrals: 2,
        last_error: Some(Note::new("last_error", "it broke").unwrap()),
        failure_limit: Some(FailureLimit::new(1000).unwrap()),
        max_runtime: Some(u64::MAX),
        block: Some(block(BlockKind::ReviewLoop)),
        block_streak: Some(BlockStreak {
            kind: BlockKind::NeedsInput,
            count: 3,
        }),
        review_rounds: 4,
        claim: Some(Claim {
            run: RunId::new(7),
            claimant: label("claimant"),
            expires_at: Millis::new(6),
            must_end_by: Some(Millis::new(7)),
            heartbeat_at: Some(Millis::new(8)),
            worker: Some(worker()),
            request_id: Some(label("request")),
        }),
        archived_from: Some(ArchivedFrom {
            status: Status::Blocked,
            block: Some(block(BlockKind::Parked)),
            wake_at: Some(Millis::new(9)),
        }),
        decomposed_at: Some(Millis::new(10)),
        waiting: true,
        collectable: true,
    }
}

fn full_run() -> Run {
    Run {
        id: RunId::new(1),
        task: id("t_full"),
        phase: Phase::Review,
        assignee: Some(name("worker")),
        claimant: Some(label("claimant")),
        request_id: Some(label("request")),
        worker: Some(worker()),
        started_at: Millis::new(1),
        ended_at: Some(Millis::new(2)),
        outcome: Some(Outcome::ChangesRequested),
        ended_by: Some(label("board")),
        summary: Some(Note::new("summary", "done").unwrap()),
        error: Some(Note::new("error", "or not").unwrap()),
        metadata: Some(object(r#"{"b":[1,2.5,null],"a":{"x":"\u0000"}}"#)),
    }
}

fn bare_run() -> Run {
    Run {
        id: RunId::new(2),
        assignee: None,
        claimant: None,
        request_id: None,
        worker: None,
        ended_at: None,
        outcome: None,
        ended_by: None,
        summary: None,
        error: None,
        metadata: None,
        ..full_run()
    }
}

pub(crate) fn the_boards_row_comes_back(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let before = ask(fixture.engine(), |view| view.board());
    assert_eq!(before, state());
    let counters = |from: u64| Counters {
        seq: Seq::new(from),
        event: EventId::new(from + 1),
        run: RunId::new(from + 2),
        comment: CommentId::new(from + 3),
        attachment: AttachmentId::new(from + 4),
        subscription: SubscriptionId::new(from + 5),
        lease: LeaseId::new(from + 6),
    };
    let after = BoardState {
        created_at: Millis::new(-1),
        seed: 0,
        counters: counters(10),
        reserved: counters(1 << 40),
        boot: Some("5c2e".to_owned()),
        horizon: EventId::new(9),
    };
    let change =
        |before: &BoardState, after: &BoardState| Change::board(before.clone(), after.clone());
    write(fixture.engine(), &[change(&before, &after)]);
    assert_eq!(ask(fixture.engine(), |view| view.board()), after);
    write(fixture.engine(), &[change(&after, &after)]);
    write(fixture.engine(), &[change(&after, &before)]);
    assert_eq!(ask(fixture.engine(), |view| view.board()), before);
}

pub(crate) fn the_policy_comes_back(open: OpenEngine) {
    let fixture = Fixture::new(open);
    assert_eq!(
        ask(fixture.engine(), |view| view.policy()),
        Policy::default()
    );
    let after = Policy {
        claim_ttl_ms: 1_000,
        failure_limit: 1000,
        backoff_base_ms: 1,
        backoff_max_ms: 366 * 24 * 60 * 60 * 1000,
        block_streak_limit: 7,
        review_round_limit: 8,
    };
    write(
        fixture.engine(),
        &[Change::Policy {
            after: after.clone(),
        }],
    );
    assert_eq!(ask(fixture.engine(), |view| view.policy()), after);
}

pub(crate) fn pauses_come_back_the_boards_first(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let pause = |target: PauseTarget, reason: Option<&str>| Pause {
        target,
        actor: label("ann"),
        reason: reason.map(|text| Reason::new("reason", text).unwrap()),
        at: Millis::new(5),
    };
    let board = pause(PauseTarget::Board, Some("a fire drill"));
    let bob = pause(PauseTarget::Assignee(name("bob")), None);
    let eve = pause(PauseTarget::Assignee(name("eve")), None);
    let put = |before: Option<&Pause>, after: Option<&Pause>| Change::Pause {
        before: before.cloned(),
        after: after.cloned(),
    };
    write(
        fixture.engine(),
        &[
            put(None, Some(&eve)),
            put(None, Some(&bob)),
            put(None, Some(&board)),
        ],
    );
    assert_eq!(
        ask(fixture.engine(), |view| view.pauses()),
        [board.clone(), bob.clone(), eve.clone()]
    );
    let other = Pause {
        actor: label("cid"),
        reason: None,
        at: Millis::new(6),
        ..board.clone()
    };
    write(
        fixture.engine(),
        &[put(Some(&board), Some(&other)), put(Some(&bob), None)],
    );
    assert_eq!(ask(fixture.engine(), |view| view.pause(&bob.target)), None);
    assert_eq!(
        ask(fixture.engine(), |view| view.pause(&PauseTarget::Board)),
        Some(other.clone())
    );
    assert_eq!(ask(fixture.engine(), |view| view.pauses()), [other, eve]);
}

pub(crate) fn group_marks_come_back_and_are_forgotten_after_a_day(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let mark = |instance: u64, number: u64, at: i64| GroupRecord {
        instance,
        number,
        at: Millis::new(at),
    };
    let day = i64::try_from(Duration::from_hours(24).as_millis()).unwrap();
    for mark in [
        mark(u64::MAX, 1, 0),
        mark(0, 1, 1),
        mark(5, 1, 1),
        mark(5, 2, day),
    ] {
        write(fixture.engine(), &[Change::Group(mark)]);
    }
    let group = |instance: u64| ask(fixture.engine(), |view| view.group(instance));
    assert_eq!(group(u64::MAX), Some(mark(u64::MAX, 1, 0)));
    write(fixture.engine(), &[Change::Group(mark(5, 3, day + 1))]);
    assert_eq!(group(u64::MAX), None);
    assert_eq!(group(0), Some(mark(0, 1, 1)));
    assert_eq!(group(5), Some(mark(5, 3, day + 1)));
    // The clock has jumped back: its own mark stays, however old.
    write(fixture.engine(), &[Change::Group(mark(5, 4, -day))]);
    assert_eq!(group(5), Some(mark(5, 4, -day)));
}

pub(crate) fn a_task_comes_back_with_everything_and_with_nothing_optional(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let (full, bare) = (full_task(), task("t_full"));
    let row = || ask(fixture.engine(), |view| view.task(&full.id));
    assert_eq!(row(), None);
    write(fixture.engine(), &[new_task(&full)]);
    assert_eq!(row(), Some(full.clone()));
    write(fixture.engine(), &[changed(&full, &bare)]);
    assert_eq!(row(), Some(bare.clone()));
    write(fixture.engine(), &[changed(&bare, &full)]);
    assert_eq!(row(), Some(full.clone()));
    let remove = Change::Task {
        before: Some(Box::new(full.clone())),
        after: None,
    };
    write(fixture.engine(), &[remove]);
    assert_eq!(row(), None);
    assert_eq!(ask(fixture.engine(), |view| view.counts()), []);
    assert_eq!(fixture.engine().check(10).unwrap(), []);
}

pub(crate) fn every_word_of_the_model_comes_back(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let mut before = task("t_words");
    write(fixture.engine(), &[new_task(&before)]);
    let mut turn = |after: Task| {
        write(fixture.engine(), &[changed(&before, &after)]);
        assert_eq!(
            ask(fixture.engine(), |view| view.task(&after.id)),
            Some(after.clone())
        );
        before = after;
    };
    for status in Status::ALL {
        turn(Task {
            status: *status,
            ..task("t_words")
        });
    }
    for phase in Phase::ALL {
        turn(Task {
            phase: *phase,
            ..task("t_words")
        });
    }
    for kind in BlockKind::ALL {
        turn(Task {
            block: Some(Block {
                kind: *kind,
                reason: None,
                by: None,
                at: Millis::new(1),
            }),
            ..task("t_words")
        });
    }
    for (number, outcome) in (1..).zip(Outcome::ALL) {
        let run = Run {
            id: RunId::new(number),
            task: id("t_words"),
            outcome: Some(*outcome),
            ..bare_run()
        };
        let change = Change::Run {
            before: None,
            after: Box::new(run.clone()),
        };
        write(fixture.engine(), &[change]);
        assert_eq!(ask(fixture.engine(), |view| view.run(run.id)), Some(run));
    }
}

pub(crate) fn texts_come_back_and_go(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let owner = task("t_texts");
    write(fixture.engine(), &[new_task(&owner)]);
    let long = "\u{1f980}".repeat(256 * 1024);
    for kind in TextKind::ALL {
        let put = |after: Option<&str>| Change::Text {
            task: owner.id.clone(),
            kind: *kind,
            after: after.map(str::to_owned),
        };
        let text = || ask(fixture.engine(), |view| view.text(&owner.id, *kind));
        assert_eq!(text(), None);
        write(fixture.engine(), &[put(None)]);
        write(fixture.engine(), &[put(Some("first"))]);
        assert_eq!(text().as_deref(), Some("first"));
        write(fixture.engine(), &[put(Some(&long))]);
        assert_eq!(text().as_deref(), Some(long.as_str()));
        write(fixture.engine(), &[put(None)]);
        assert_eq!(text(), None);
    }
}

pub(crate) fn runs_come_back(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let (full, bare) = (full_run(), bare_run());
    let put = |before: Option<&Run>, after: &Run| Change::Run {
        before: before.cloned().map(Box::new),
        after: Box::new(after.clone()),
    };
    write(
        fixture.engine(),
        &[new_task(&full_task()), put(None, &full), put(None, &bare)],
    );
    let row = |number: u64| ask(fixture.engine(), |view| view.run(RunId::new(number)));
    assert_eq!(row(1), Some(full.clone()));
    assert_eq!(row(2), Some(bare.clone()));
    assert_eq!(row(u64::MAX), None);
    let (ended, open) = (
        Run {
            id: bare.id,
            ..full.clone()
        },
        Run {
            id: full.id,
            ..bare.clone()
        },
    );
    write(
        fixture.engine(),
        &[put(Some(&bare), &ended), put(Some(&full), &open)],
    );
    assert_eq!(row(1), Some(open));
    assert_eq!(row(2), Some(ended));
}

pub(crate) fn events_come_back_of_every_kind(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let mut kinds = EventKind::OWN.to_vec();
    kinds.push(EventKind::Foreign(
        "what others do, \"verbatim\"".to_owned(),
    ));
    let events: Vec<Event> = (1..)
        .zip(kinds)
        .map(|(number, kind)| Event {
            id: EventId::new(number),
            seq: Seq::new(number * 2),
            at: Millis::new(3),
            task: (number % 2 == 0).then(|| id("t_deleted_long_ago")),
            run: (number % 3 == 0).then(|| RunId::new(number)),
            actor: (number % 5 == 0).then(|| label("ann")),
            kind,
            data: match number % 2 {
                0 => JsonObject::default(),
                _ => object(r#"{"from":"ready","to":"running","n":-1.5e300}"#),
            },
        })
        .collect();
    let changes: Vec<Change> = events
        .iter()
        .map(|event| Change::AddEvent(Box::new(event.clone())))
        .collect();
    write(fixture.engine(), &changes);
    let all = ask(fixture.engine(), |view| view.events(EventId::new(0), 1000));
    assert_eq!(all, events);
    let first = events[0].id;
    write(fixture.engine(), &[Change::RemoveEvent(first)]);
    let rest = ask(fixture.engine(), |view| view.events(EventId::new(0), 1000));
    assert_eq!(rest, events[1..]);
}

pub(crate) fn comments_and_attachments_come_back(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let comment = |number: u64, request_id: Option<Label>| Comment {
        id: CommentId::new(number),
        task: id("t_talk"),
        author: label("ann"),
        body: Note::new("body", "b".repeat(64 * 1024)).unwrap(),
        at: Millis::new(1),
        request_id,
    };
    let full = Attachment {
        id: AttachmentId::new(1),
        task: id("t_talk"),
        file_name: label("a file"),
        uri: Address::new("uri", "file:///x").unwrap(),
        media_type: Some(label("text/plain")),
        size: Some(u64::MAX),
        by: Some(label("bob")),
        at: Millis::new(2),
        request_id: Some(label("again")),
    };
    let bare = Attachment {
        id: AttachmentId::new(2),
        media_type: None,
        size: None,
        by: None,
        request_id: None,
        ..full.clone()
    };
    let (one, two) = (comment(1, Some(label("again"))), comment(2, None));
    write(
        fixture.engine(),
        &[
            new_task(&task("t_talk")),
            Change::AddComment(Box::new(one.clone())),
            Change::AddComment(Box::new(two.clone())),
            Change::AddAttachment(Box::new(full.clone())),
            Change::AddAttachment(Box::new(bare.clone())),
        ],
    );
    ask(fixture.engine(), |view| {
        assert_eq!(view.comment(one.id)?, Some(one.clone()));
        assert_eq!(view.comment(two.id)?, Some(two.clone()));
        let again = view.comment_by_request(&one.task, &label("again"))?;
        assert_eq!(again, Some(one.clone()));
        assert_eq!(view.attachment(full.id)?, Some(full.clone()));
        assert_eq!(view.attachment(bare.id)?, Some(bare.clone()));
        let again = view.attachment_by_request(&one.task, &label("again"))?;
        assert_eq!(again, Some(full.clone()));
        Ok(())
    });
    let detach = Change::RemoveAttachment(Box::new(full.clone()));
    write(fixture.engine(), &[detach]);
    assert_eq!(ask(fixture.engine(), |view| view.attachment(full.id)), None);
}

pub(crate) fn subscriptions_come_back(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let full = Subscription {
        id: SubscriptionId::new(1),
        scope: Scope::Task(id("t_heard")),
        channel: label("telegram"),
        address: Address::new("address", "@ann").unwrap(),
        thread: Some(label("7")),
        kinds: vec![
            EventKind::Completed,
            EventKind::Foreign("a \"kind\", and more".to_owned()),
        ],
        routing: Some(object(r#"{"profile":"x"}"#)),
        mode: SubscriptionMode::Wake,
        created_at: Millis::new(1),
        cursor: EventId::new(2),
        attempts: 3,
        lease: Some(Lease {
            id: LeaseId::new(4),
            until: Millis::new(5),
            through: EventId::new(6),
        }),
        acked: Some(LeaseId::new(7)),
        retry_at: Some(Millis::new(8)),
    };
    let bare = Subscription {
        id: SubscriptionId::new(2),
        scope: Scope::Board,
        thread: None,
        kinds: Vec::new(),
        routing: None,
        mode: SubscriptionMode::Notify,
        lease: None,
        acked: None,
        retry_at: None,
        ..full.clone()
    };
    let put = |before: Option<&Subscription>, after: Option<&Subscription>| Change::Subscription {
        before: before.cloned().map(Box::new),
        after: after.cloned().map(Box::new),
    };
    write(
        fixture.engine(),
        &[put(None, Some(&full)), put(None, Some(&bare))],
    );
    let all = || ask(fixture.engine(), |view| view.subscriptions(None, 10));
    assert_eq!(all(), [full.clone(), bare.clone()]);
    let (less, more) = (
        Subscription {
            id: full.id,
            scope: full.scope.clone(),
            ..bare.clone()
        },
        Subscription {
            id: bare.id,
            scope: Scope::Board,
            ..full.clone()
        },
    );
    write(
        fixture.engine(),
        &[put(Some(&full), Some(&less)), put(Some(&bare), Some(&more))],
    );
    assert_eq!(all(), [less.clone(), more.clone()]);
    write(fixture.engine(), &[put(Some(&less), None)]);
    assert_eq!(all(), [more]);
}

pub(crate) fn what_belongs_to_a_deleted_task_goes_with_it(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let (gone, stays) = (task("t_gone"), task("t_stays"));
    let belongings = |owner: &Task, number: u64| {
        [
            new_task(owner),
            Change::Text {
                task: owner.id.clone(),
                kind: TextKind::Body,
                after: Some("body".to_owned()),
            },
            Change::Run {
                before: None,
                after: Box::new(Run {
                    id: RunId::new(number),
                    task: owner.id.clone(),
                    ..full_run()
                }),
            },
            Change::AddEvent(Box::new(Event {
                id: EventId::new(number),
                seq: Seq::new(number),
                at: Millis::new(1),
                task: Some(owner.id.clone()),
                run: None,
                actor: None,
                kind: EventKind::Created,
                data: JsonObject::default(),
            })),
            Change::AddComment(Box::new(Comment {
                id: CommentId::new(number),
                task: owner.id.clone(),
                author: label("ann"),
                body: Note::new("body", "said").unwrap(),
                at: Millis::new(1),
                request_id: None,
            })),
        ]
    };
    write(fixture.engine(), &belongings(&gone, 1));
    write(fixture.engine(), &belongings(&stays, 2));
    let link = Link {
        parent: gone.id.clone(),
        child: stays.id.clone(),
    };
    write(fixture.engine(), &[Change::AddLink(link.clone())]);
    assert!(ask(fixture.engine(), |view| view.has_link(&link)));
    write(
        fixture.engine(),
        &[
            Change::Task {
                before: Some(Box::new(gone.clone())),
                after: None,
            },
            Change::RemoveLink(link.clone()),
            Change::Forget(gone.id.clone()),
        ],
    );
    ask(fixture.engine(), |view| {
        assert_eq!(
            view.tasks(None, 10)?.as_slice(),
            std::slice::from_ref(&stays)
        );
        assert!(!view.has_link(&link)?);
        assert_eq!(view.text(&gone.id, TextKind::Body)?, None);
        assert_eq!(view.runs(None, 10)?.len(), 1);
        assert_eq!(view.events(EventId::new(0), 10)?.len(), 1);
        assert_eq!(view.comments(None, 10)?.len(), 1);
        Ok(())
    });
    assert_eq!(fixture.engine().check(10).unwrap(), []);
}

pub(crate) fn a_transaction_that_is_rolled_back_leaves_nothing(open: OpenEngine) {
    let fixture = Fixture::new(open);
    let one = task("t_one");
    let end = fixture.engine().write(&mut |txn| {
        txn.apply(&new_task(&one))?;
        assert_eq!(txn.view().task(&one.id)?, Some(one.clone()));
        Ok(Verdict::RollBack)
    });
    assert!(
        matches!(end, WriteEnd::Done(Verdict::RollBack)),
        "found {end:?}"
    );
    assert_eq!(ask(fixture.engine(), |view| view.task(&one.id)), None);
}
