//! A root of its own, and the program on it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::schema;

/// The name of a board's file, and of the store that a new root gets.
#[cfg(feature = "sqlite")]
pub(crate) const FILE: &str = "board.db";
#[cfg(feature = "sqlite")]
pub(crate) const STORE: &str = "sqlite";
#[cfg(not(feature = "sqlite"))]
pub(crate) const FILE: &str = "board.redb";
#[cfg(not(feature = "sqlite"))]
pub(crate) const STORE: &str = "redb";

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().expect("the program was not killed"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The one envelope that was printed.
    pub(crate) fn envelope(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "one envelope: {self:?}");
        serde_json::from_str(&self.stdout).expect("an envelope is JSON")
    }
}

/// A root that goes with the test.
pub(crate) struct Root {
    directory: TempDir,
}

impl Root {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().expect("a directory can be made");
        Self { directory }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    /// A path beside the root.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The file of the default board.
    pub(crate) fn board_file(&self) -> PathBuf {
        self.path().join("boards/default").join(FILE)
    }

    pub(crate) fn command(&self) -> Command {
        command_in(&self.path())
    }

    /// Runs the program.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        run(self.command().args(args))
    }

    /// Runs the program with `--json` and expects it to do what it is told. Answers the data.
    pub(crate) fn data(&self, args: &[&str]) -> Value {
        let ended = self.json(args);
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended.envelope()["data"].take()
    }

    /// Runs the program with `--json` and expects an error. Answers it.
    pub(crate) fn error(&self, code: i32, args: &[&str]) -> Value {
        let ended = self.json(args);
        assert_eq!(ended.code, code, "{args:?}: {ended:?}");
        ended.envelope()["error"].take()
    }

    /// Runs the program with `--json`, and checks each line against the schema that is promised.
    pub(crate) fn json(&self, args: &[&str]) -> Ended {
        let ended = run(self.command().arg("--json").args(args));
        for line in ended.stdout.lines() {
            let envelope = serde_json::from_str(line).expect("an envelope is JSON");
            schema::check(args, &envelope);
        }
        ended
    }

    /// Adds a task and answers its id.
    pub(crate) fn add(&self, title: &str, args: &[&str]) -> String {
        let all: Vec<&str> = ["add", title].iter().chain(args).copied().collect();
        text(&self.data(&all)["id"])
    }

    /// Claims a task and answers its run.
    pub(crate) fn claim(&self, id: &str) -> String {
        let claimed = self.data(&["claim", id, "--as", "worker"]);
        claimed["run"]["id"].to_string()
    }

    /// Starts the program, to be read from line by line.
    pub(crate) fn start(&self, args: &[&str]) -> Started {
        let mut child = self
            .command()
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("its output is a pipe");
        Started {
            child,
            lines: BufReader::new(stdout),
        }
    }
}

/// The program on a root, with nothing of the test's own environment.
pub(crate) fn command_in(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kanban"));
    command.arg("--root").arg(root);
    clean(&mut command);
    command
}

fn clean(command: &mut Command) {
    for name in [
        "KANBAN_ROOT",
        "KANBAN_BOARD",
        "KANBAN_STORE",
        "KANBAN_ROOT_MODE",
        "KANBAN_DURABILITY",
    ] {
        command.env_remove(name);
    }
    command.env("TZ", "UTC");
}

pub(crate) fn run(command: &mut Command) -> Ended {
    Ended::of(&command.output().expect("the program starts"))
}

/// A program that is running. It ends with the test.
pub(crate) struct Started {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Started {
    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("its output is text");
        line
    }

    /// Waits for its end.
    pub(crate) fn code(&mut self) -> Option<i32> {
        self.child.wait().expect("it can be waited for").code()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It has ended already, or goes now.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A JSON string's text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a JSON string").to_owned()
}
