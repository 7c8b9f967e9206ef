//! Boards, rows and answers to test with.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use kanban_conformance::engine::{
    ask, create, existing, id, kind, new_task, state, task, tasks, try_ask, try_write, write,
};
use kanban_core::{Backend, Durability, OpenBoard, RootMode};
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
