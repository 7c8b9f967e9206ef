//! Today's format, kept: a file that was written by it opens, and its bytes have not moved.
//!
//! `KANBAN_WRITE_FORMAT=1 cargo test -p kanban-redb --test engine format` writes both files anew. That is for a new
//! format only: the files of a released one are never written again, they are opened by a test of their own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kanban_conformance::engine::{ask, existing, id, label, new_task, state, task, write};
use kanban_core::{
    Address, ArchivedFrom, Assignee, Attachment, AttachmentId, Backend, Block, BlockKind,
    BlockStreak, Change, Claim, Comment, CommentId, Engine, Event, EventId, EventKind,
    FailureLimit, GroupRecord, JsonObject, Lease, LeaseId, Link, Millis, Note, Outcome, Pause,
    PauseTarget, Phase, Policy, Reason, Run, RunId, Scope, Seq, Status, Subscription,
    SubscriptionId, SubscriptionMode, Task, TextKind, WorkerProcess,
};
use kanban_redb::{RedbBackend, RedbEngine};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::support::Fixture;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format")
}

fn name(text: &str) -> Assignee {
    Assignee::new(text).unwrap()
}

fn note(text: &str) -> Note {
    Note::new("note", text).unwrap()
}

fn object() -> JsonObject {
    JsonObject::parse("json", r#"{"a":[1,null],"b":"\u00fc"}"#).unwrap()
}

fn worker() -> WorkerProcess {
    WorkerProcess {
        host: label("host"),
        pid: 4711,
        started: Some(label("boot")),
    }
}

fn block() -> Block {
    Block {
        kind: BlockKind::NeedsInput,
        reason: Some(Reason::new("reason", "why").unwrap()),
        by: Some(label("ann")),
        at: Millis::new(-3),
    }
}

/// A task in which everything is there.
fn full() -> Task {
    Task {
        status: Status::Running,
        phase: Phase::Review,
        priority: -7,
        assignee: Some(name("ann")),
        implementer: Some(name("bob")),
        reviewer: Some(name("eve")),
        tenant: Some(label("acme")),
        created_by: Some(label("maker")),
        created_from: Some(id("t_bare")),
        started_at: Some(Millis::new(11)),
        completed_at: Some(Millis::new(12)),
        settled_at: Some(Millis::new(13)),
        wake_at: Some(Millis::new(14)),
        not_before: Some(Millis::new(15)),
        idempotency_key: Some(label("key")),
        last_error: Some(note("broke")),
        failure_limit: Some(FailureLimit::new(3).unwrap()),
        max_runtime: Some(u64::MAX),
        block: Some(block()),
        block_streak: Some(BlockStreak {
            kind: BlockKind::Other,
            count: 2,
        }),
        claim: Some(Claim {
            run: RunId::new(1),
            claimant: label("worker"),
            expires_at: Millis::new(100),
            must_end_by: Some(Millis::new(200)),
            heartbeat_at: Some(Millis::new(50)),
            worker: Some(worker()),
            request_id: Some(label("request")),
        }),
        archived_from: Some(ArchivedFrom {
            status: Status::Blocked,
            block: Some(block()),
            wake_at: Some(Millis::new(1)),
        }),
        decomposed_at: Some(Millis::new(16)),
        waiting: true,
        collectable: true,
        ..task("t_full")
    }
}

fn run() -> Run {
    Run {
        id: RunId::new(1),
        task: id("t_full"),
        phase: Phase::Work,
        assignee: Some(name("ann")),
        claimant: Some(label("worker")),
        request_id: Some(label("request")),
        worker: Some(worker()),
        started_at: Millis::new(1),
        ended_at: Some(Millis::new(2)),
        outcome: Some(Outcome::Completed),
        ended_by: Some(label("board")),
        summary: Some(note("done")),
        error: Some(note("or not")),
        metadata: Some(object()),
    }
}

fn event() -> Event {
    Event {
        id: EventId::new(1),
        seq: Seq::new(2),
        at: Millis::new(3),
        task: Some(id("t_full")),
        run: Some(RunId::new(1)),
        actor: Some(label("ann")),
        kind: EventKind::Foreign("of_old".to_owned()),
        data: object(),
    }
}

fn comment() -> Comment {
    Comment {
        id: CommentId::new(1),
        task: id("t_full"),
        author: label("ann"),
        body: Note::new("body", "well").unwrap(),
        at: Millis::new(4),
        request_id: Some(label("once")),
    }
}

fn attachment() -> Attachment {
    Attachment {
        id: AttachmentId::new(1),
        task: id("t_full"),
        file_name: label("a.txt"),
        uri: Address::new("uri", "file:///a.txt").unwrap(),
        media_type: Some(label("text/plain")),
        size: Some(300),
        by: Some(label("ann")),
        at: Millis::new(5),
        request_id: Some(label("once")),
    }
}

fn subscription() -> Subscription {
    Subscription {
        id: SubscriptionId::new(1),
        scope: Scope::Task(id("t_full")),
        channel: label("mail"),
        address: Address::new("address", "ann@example.org").unwrap(),
        thread: Some(label("thread")),
        kinds: vec![EventKind::Completed, EventKind::Failed],
        routing: Some(object()),
        mode: SubscriptionMode::Wake,
        created_at: Millis::new(6),
        cursor: EventId::new(1),
        attempts: 2,
        lease: Some(Lease {
            id: LeaseId::new(1),
            until: Millis::new(7),
            through: EventId::new(1),
        }),
        acked: Some(LeaseId::new(9)),
        retry_at: Some(Millis::new(8)),
    }
}

fn pause() -> Pause {
    Pause {
        target: PauseTarget::Assignee(Assignee::new("ann").unwrap()),
        actor: label("boss"),
        reason: Some(Reason::new("reason", "rest").unwrap()),
        at: Millis::new(9),
    }
}

fn mark() -> GroupRecord {
    GroupRecord {
        instance: u64::MAX,
        number: 3,
        at: Millis::new(10),
    }
}

fn link() -> Link {
    Link {
        parent: id("t_bare"),
        child: id("t_full"),
    }
}

/// One row of each kind.
fn rows() -> Vec<Change> {
    vec![
        new_task(&task("t_bare")),
        new_task(&full()),
        Change::Text {
            task: id("t_full"),
            kind: TextKind::Body,
            after: Some("a body".to_owned()),
        },
        Change::AddLink(link()),
        Change::Run {
            before: None,
            after: Box::new(run()),
        },
        Change::AddEvent(Box::new(event())),
        Change::AddComment(Box::new(comment())),
        Change::AddAttachment(Box::new(attachment())),
        Change::Subscription {
            before: None,
            after: Some(Box::new(subscription())),
        },
        Change::Pause {
            before: None,
            after: Some(pause()),
        },
        Change::Group(mark()),
    ]
}

fn assert_holds_every_row(engine: &RedbEngine) {
    ask(engine, |view| {
        assert_eq!(view.board()?, state());
        assert_eq!(view.policy()?, Policy::default());
        assert_eq!(view.tasks(None, 10)?, [task("t_bare"), full()]);
        assert_eq!(
            view.text(&id("t_full"), TextKind::Body)?.as_deref(),
            Some("a body")
        );
        assert_eq!(view.links(None, 10)?, [link()]);
        assert_eq!(view.runs(None, 10)?, [run()]);
        assert_eq!(view.events(EventId::new(0), 10)?, [event()]);
        assert_eq!(view.comments(None, 10)?, [comment()]);
        assert_eq!(view.attachments(None, 10)?, [attachment()]);
        assert_eq!(view.subscriptions(None, 10)?, [subscription()]);
        assert_eq!(view.pauses()?, [pause()]);
        assert_eq!(view.group(u64::MAX)?, Some(mark()));
        Ok(())
    });
    assert_eq!(engine.check(10).unwrap(), []);
}

/// The bytes of every row, as text.
fn dump(file: &Path) -> String {
    let database = Database::open(file).unwrap();
    let txn = database.begin_read().unwrap();
    let mut told = String::new();
    let mut line = |table: &str, key: String, bytes: &[u8]| {
        write!(told, "{table} {key} ").unwrap();
        for byte in bytes {
            write!(told, "{byte:02x}").unwrap();
        }
        told.push('\n');
    };
    for table in ["single", "pause", "task"] {
        let rows = txn
            .open_table(TableDefinition::<&str, &[u8]>::new(table))
            .unwrap();
        for row in rows.iter().unwrap() {
            let (key, bytes) = row.unwrap();
            line(table, format!("{:?}", key.value()), bytes.value());
        }
    }
    for table in [
        "commit_group",
        "run",
        "event",
        "comment",
        "attachment",
        "subscription",
    ] {
        let rows = txn
            .open_table(TableDefinition::<u64, &[u8]>::new(table))
            .unwrap();
        for row in rows.iter().unwrap() {
            let (key, bytes) = row.unwrap();
            line(table, key.value().to_string(), bytes.value());
        }
    }
    told
}

#[test]
fn a_file_of_format_1_holds_every_row_and_its_bytes_have_not_moved() {
    let fixture = Fixture::new();
    write(&fixture.engine, &rows());
    let fresh = fixture.path().join("fresh.redb");
    fixture.engine.backup(&fresh, &|_| Ok(())).unwrap();
    RedbBackend::new().accept_backup(&fresh).unwrap();
    let (file, bytes) = (
        folder().join("format-1.redb"),
        folder().join("format-1.txt"),
    );
    if std::env::var_os("KANBAN_WRITE_FORMAT").is_some() {
        fs::create_dir_all(folder()).unwrap();
        fs::copy(&fresh, &file).unwrap();
        fs::write(&bytes, dump(&fresh)).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("board.redb");
    fs::copy(&file, &kept).unwrap();
    let engine = RedbBackend::new()
        .open(directory.path(), &existing())
        .unwrap();
    assert_holds_every_row(&engine);
    engine.close().unwrap();
    let expected = fs::read_to_string(&bytes).unwrap();
    assert_eq!(dump(&fresh), expected, "today's program writes other bytes");
    assert_eq!(dump(&kept), expected);
}

#[test]
fn a_field_that_a_newer_program_appended_is_passed_over() {
    const TASKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("task");
    let fixture = Fixture::new();
    write(&fixture.engine, &[new_task(&task("t_bare"))]);
    fixture.engine.close().unwrap();
    let database = Database::open(fixture.file()).unwrap();
    let txn = database.begin_write().unwrap();
    {
        let mut table = txn.open_table(TASKS).unwrap();
        let mut row = table.get("t_bare").unwrap().unwrap().value().to_vec();
        // An array of 34, in two bytes: one more, which is a text.
        assert_eq!(row[..2], [0x98, 34]);
        row[1] = 35;
        row.extend_from_slice(b"\x63new");
        table.insert("t_bare", row.as_slice()).unwrap();
    }
    txn.commit().unwrap();
    drop(database);
    let engine = RedbBackend::new()
        .open(fixture.path(), &existing())
        .unwrap();
    assert_eq!(
        ask(&engine, |view| view.task(&id("t_bare"))),
        Some(task("t_bare"))
    );
}
