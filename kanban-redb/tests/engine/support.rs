//! Boards, and other processes, to test with.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kanban_conformance::engine::{create, new_task, task, write};
use kanban_core::{Backend, Change, Engine, OpenBoard, TextKind};
use kanban_redb::{RedbBackend, RedbEngine};

/// A new directory and the board in it.
pub(crate) struct Fixture {
    pub(crate) engine: RedbEngine,
    pub(crate) directory: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(RedbBackend::new())
    }

    pub(crate) fn with(backend: RedbBackend) -> Self {
        Self::opened(backend, &create())
    }

    pub(crate) fn opened(backend: RedbBackend, how: &OpenBoard) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let engine = backend.open(directory.path(), how).unwrap();
        Self { engine, directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.path().join("board.redb")
    }

    pub(crate) fn add(&self, name: &str) {
        write(&self.engine, &[new_task(&task(name))]);
    }
}

/// A long text of a task.
pub(crate) fn text(task: &str, len: usize) -> Change {
    Change::Text {
        task: kanban_conformance::engine::id(task),
        kind: TextKind::Body,
        after: Some("x".repeat(len)),
    }
}

/// Another process, in one of the parts of [`a_child_plays_its_part`]. Killed when it is dropped.
pub(crate) struct Other(Child);

impl Other {
    pub(crate) fn new(part: &str, directory: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "support::a_child_plays_its_part", "--nocapture"])
            .env(PART, part)
            .env(DIRECTORY, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// The next line that it says.
    pub(crate) fn hear(&mut self) -> String {
        let lines = BufReader::new(self.0.stdout.as_mut().unwrap()).lines();
        let mut said = lines.map_while(Result::ok).filter_map(|line| {
            let (_, said) = line.split_once("says: ")?;
            Some(said.to_owned())
        });
        said.next().unwrap_or_default()
    }

    /// Lets it go on.
    pub(crate) fn tell(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// All that it says from now on, to its end.
    pub(crate) fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        let lines = BufReader::new(self.0.stdout.take().unwrap()).lines();
        lines.map_while(Result::ok).filter_map(|line| {
            let (_, said) = line.split_once("says: ")?;
            Some(said.to_owned())
        })
    }

    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub(crate) fn succeeds(mut self) -> bool {
        self.0.wait().unwrap().success()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says something to the parent.
pub(crate) fn say(what: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "says: {what}").unwrap();
    out.flush().unwrap();
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
        "race" => crate::files::race(&directory),
        "hold" => crate::sharing::hold(&directory),
        "exclude" => crate::sharing::exclude(&directory),
        "answer" => crate::lazy::answer(&directory),
        "answer_without_flushes" => crate::lazy::answer_without_flushes(&directory),
        "newer" => crate::refused::keep_newer(&directory),
        other => panic!("no such part: {other}"),
    }
}

/// Closed, so that its file may be looked at.
pub(crate) fn closed(fixture: &Fixture) -> Vec<u8> {
    fixture.engine.close().unwrap();
    std::fs::read(fixture.file()).unwrap()
}
