//! Boards, rows and answers to test with.

use std::path::{Path, PathBuf};
use std::process::Command;

use kanban_core::{
    Backend, BoardState, Change, Counters, Durability, Engine, ErrorKind, EventId, Label, Millis,
    OpenBoard, Phase, Result, RootMode, Status, Task, TaskId, Title, Txn, Verdict, Version, View,
    WriteEnd,
};
use kanban_sqlite::{SqliteBackend, SqliteEngine};

/// A new directory and the board in it.
pub(crate) struct Fixture {
    pub(crate) engine: SqliteEngine,
    pub(crate) directory: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(SqliteBackend::new(), Durability::Power)
    }

    pub(crate) fn with(backend: SqliteBackend, durability: Durability) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let how = OpenBoard {
            create: Some(state()),
            durability,
            mode: RootMode::Shared,
        };
        let engine = backend.open(directory.path(), &how).unwrap();
        Self { engine, directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("board.db")
    }

    pub(crate) fn wal(&self) -> PathBuf {
        self.path().join("board.db-wal")
    }
}

pub(crate) fn create() -> OpenBoard {
    OpenBoard {
        create: Some(state()),
        durability: Durability::Power,
        mode: RootMode::Shared,
    }
}

pub(crate) fn existing() -> OpenBoard {
    OpenBoard {
        create: None,
        durability: Durability::Power,
        mode: RootMode::Shared,
    }
}

pub(crate) fn state() -> BoardState {
    BoardState {
        created_at: Millis::new(1_000),
        seed: u64::MAX - 7,
        counters: Counters::default(),
        reserved: Counters::default(),
        boot: None,
        horizon: EventId::new(0),
    }
}

pub(crate) fn label(text: &str) -> Label {
    Label::new("label", text).unwrap()
}

pub(crate) fn id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

/// A task with nothing optional in it.
pub(crate) fn task(name: &str) -> Task {
    Task {
        id: id(name),
        title: Title::new(format!("Task {name}")).unwrap(),
        status: Status::Ready,
        phase: Phase::Work,
        priority: 0,
        assignee: None,
        implementer: None,
        reviewer: None,
        tenant: None,
        created_by: None,
        created_from: None,
        created_at: Millis::new(10),
        updated_at: Millis::new(10),
        started_at: None,
        completed_at: None,
        settled_at: None,
        wake_at: None,
        not_before: None,
        idempotency_key: None,
        version: Version::new(1),
        open_parents: 0,
        failures: 0,
        deferrals: 0,
        last_error: None,
        failure_limit: None,
        max_runtime: None,
        block: None,
        block_streak: None,
        review_rounds: 0,
        claim: None,
        archived_from: None,
        decomposed_at: None,
        waiting: false,
        collectable: false,
    }
}

pub(crate) fn new_task(task: &Task) -> Change {
    Change::Task {
        before: None,
        after: Some(Box::new(task.clone())),
    }
}

pub(crate) fn changed(before: &Task, after: &Task) -> Change {
    Change::Task {
        before: Some(Box::new(before.clone())),
        after: Some(Box::new(after.clone())),
    }
}

/// Applies in one transaction, committed.
pub(crate) fn write(engine: &impl Engine, changes: &[Change]) {
    let end = try_write(engine, changes);
    assert!(
        matches!(end, WriteEnd::Done(Verdict::Commit)),
        "expected a commit, found {end:?}"
    );
}

pub(crate) fn try_write(engine: &impl Engine, changes: &[Change]) -> WriteEnd {
    engine.write(&mut |txn: &mut dyn Txn| {
        for change in changes {
            txn.apply(change)?;
        }
        Ok(Verdict::Commit)
    })
}

/// How many tasks a fresh snapshot holds.
pub(crate) fn tasks(engine: &impl Engine) -> usize {
    ask(engine, |view| view.tasks(None, usize::MAX)).len()
}

/// Asks one snapshot.
pub(crate) fn ask<T>(engine: &impl Engine, question: impl Fn(&dyn View) -> Result<T>) -> T {
    try_ask(engine, question).unwrap()
}

pub(crate) fn try_ask<T>(
    engine: &impl Engine,
    question: impl Fn(&dyn View) -> Result<T>,
) -> Result<T> {
    let mut found = None;
    engine.read(&mut |view| {
        found = Some(question(view)?);
        Ok(())
    })?;
    Ok(found.expect("a read that is done has asked"))
}

/// The kind of an error, by its name alone.
pub(crate) fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.expect_err("an error").kind().clone()
}

/// Runs this test program again, as another process, for one of the parts in [`a_child_plays_its_part`].
pub(crate) fn child(part: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "support::a_child_plays_its_part", "--nocapture"])
        .env(PART, part)
        .env(DIRECTORY, directory);
    command
}

/// Runs a child to its end and gives what it printed. Its failure is the test's.
pub(crate) fn finish(mut command: Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{out}\n{err}");
    out
}

const PART: &str = "KANBAN_TEST_PART";
const DIRECTORY: &str = "KANBAN_TEST_DIRECTORY";

/// What other processes do for the tests. Without a part, which is how the test runner calls it, there is none to
/// play: it only shows that every part is known.
#[test]
fn a_child_plays_its_part() {
    let Ok(part) = std::env::var(PART) else {
        return;
    };
    let directory = PathBuf::from(std::env::var(DIRECTORY).unwrap());
    match part.as_str() {
        "open" => crate::files::open_as_a_stranger(&directory),
        "race" => crate::files::race(&directory),
        "add" => crate::locks::add_one(&directory),
        "count" => crate::locks::count(&directory),
        "stray" => crate::locks::stray_with_posix_locks(&directory),
        other => panic!("no such part: {other}"),
    }
}
