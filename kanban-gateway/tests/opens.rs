//! After the first connection nothing but SQLite opens a board's files: every command is run under `strace`, and every
//! open is accounted for.
//!
//! A descriptor that is opened and closed outside of SQLite drops the locks of who has none but POSIX locks, and no board
//! may depend on that it has better ones. SQLite's opens are told by their flags: it never follows a link, and
//! no code of this workspace asks for that.

#![cfg(all(target_os = "linux", feature = "sqlite"))]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail by panicking, like the tests themselves"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// Who opened a file of a board, by the flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// The one open that is ours: the file is made, and must not be there.
    Creation,
    Sqlite,
    /// Anybody else. There must be none.
    Stranger,
}

/// One open of a file of a board.
#[derive(Debug)]
struct Open {
    path: PathBuf,
    by: By,
    line: String,
}

/// A root, and what was opened in it by the commands so far.
struct Traced {
    directory: TempDir,
    opens: Vec<Open>,
    commands: BTreeSet<String>,
    runs: usize,
}

impl Traced {
    fn new() -> Self {
        Self {
            directory: TempDir::new().expect("a directory can be made"),
            opens: Vec::new(),
            commands: BTreeSet::new(),
            runs: 0,
        }
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    /// Runs a command to its end, whatever that is: its exit code, and its envelope where it printed one.
    fn run(&mut self, args: &[&str]) -> (Option<i32>, Value) {
        let trace = self.directory.path().join("trace");
        let mut command = Command::new("strace");
        command
            .args(["-f", "-qq", "-e", "trace=open,openat,openat2,creat", "-o"])
            .arg(&trace)
            .arg(env!("CARGO_BIN_EXE_kanban"))
            .arg("--root")
            .arg(self.root())
            .arg("--json")
            .args(args);
        for name in [
            "KANBAN_ROOT",
            "KANBAN_BOARD",
            "KANBAN_STORE",
            "KANBAN_ROOT_MODE",
            "KANBAN_DURABILITY",
        ] {
            command.env_remove(name);
        }
        let output = command.output().unwrap_or_else(|error| {
            panic!("this test needs the command strace: install the package strace: {error}")
        });
        let stderr = String::from_utf8_lossy(&output.stderr);
        let trace = fs::read_to_string(&trace).unwrap_or_default();
        // The program's own libraries are opened at the least.
        assert!(
            trace.contains("openat(") && !stderr.contains("strace:"),
            "strace could not trace the program; where ptrace is not permitted this cannot be tested: {stderr}"
        );
        self.opens.extend(trace.lines().filter_map(parse));
        let (["--board", _, name, ..] | [name, ..]) = args else {
            panic!("expected a command");
        };
        self.commands.insert((*name).to_owned());
        self.runs += 1;
        let envelope = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), envelope)
    }

    /// The same for a command that must do what it is told. Answers its data.
    fn done(&mut self, args: &[&str]) -> Value {
        let (code, mut envelope) = self.run(args);
        assert_eq!(code, Some(0), "{args:?}: {envelope}");
        envelope["data"].take()
    }

    fn add(&mut self, title: &str) -> String {
        let id = &self.done(&["add", title])["id"];
        id.as_str().expect("a task has an id").to_owned()
    }

    fn claim(&mut self, id: &str) -> String {
        self.done(&["claim", id, "--as", "worker"])["run"]["id"].to_string()
    }
}

/// What a line of the trace says about a board's file: `PID openat(AT_FDCWD, "PATH", FLAGS…`. Where two threads call at one
/// time the call is told in two lines, of which the first has the path and the flags.
fn parse(line: &str) -> Option<Open> {
    let (call, rest) = line.split_once('"')?;
    let (path, flags) = rest.split_once('"')?;
    let is_open = ["open(", "openat(", "openat2(", "creat("]
        .iter()
        .any(|name| call.contains(name));
    let path = PathBuf::from(path);
    let name = path.file_name()?.to_str()?;
    if !is_open || !name.starts_with("board.db") {
        return None;
    }
    let has = |flag: &str| flags.contains(flag);
    let by = match () {
        () if has("O_NOFOLLOW") && has("O_RDWR") && has("O_CLOEXEC") => By::Sqlite,
        () if name == "board.db" && has("O_CREAT|O_EXCL") => By::Creation,
        () => By::Stranger,
    };
    let line = line.to_owned();
    Some(Open { path, by, line })
}

/// Whether it lies in the directory of a restore, where nobody else looks.
fn is_copy(path: &Path) -> bool {
    let directory = path.parent().and_then(Path::file_name);
    directory.is_some_and(|name| name.to_string_lossy().starts_with(".backup-"))
}

/// The commands that the program offers, by its own help.
fn offered() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_kanban"))
        .arg("--help")
        .output();
    let help = String::from_utf8(output.expect("the program starts").stdout).expect("help is text");
    let list = help
        .split_once("Commands:\n")
        .expect("help lists the commands")
        .1;
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// A board of the other program, without rows.
fn foreign_board(directory: &Path) -> PathBuf {
    let path = directory.join("kanban.db");
    let connection = Connection::open(&path).expect("a database can be made");
    connection
        .execute_batch(
            "CREATE TABLE tasks (
                id TEXT PRIMARY KEY, title TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL)",
        )
        .expect("a table can be made");
    path
}

/// Every command that opens a board, each with arguments that it obeys.
fn run_every_command(traced: &mut Traced) {
    traced.done(&["boards"]);
    work(traced);
    edit_and_ask(traced);
    hold(traced);
    review(traced);
    plan(traced);
    deliver(traced);
    keep_up(traced);
    put_boards_away(traced);
    move_boards(traced);
    traced.run(&["demo"]);
    traced.run(&["show", "t_00000000000000000000000000"]);
}

fn work(traced: &mut Traced) {
    let first = traced.add("first");
    let second = traced.add("second");
    let run = traced.claim(&first);
    traced.done(&["heartbeat", &first, "--run", &run]);
    traced.done(&[
        "spawned", &first, "--run", &run, "--host", "here", "--pid", "7",
    ]);
    traced.done(&["fail", &first, "--run", &run, "--kind", "rate_limited"]);
    let run = traced.claim(&second);
    traced.done(&["release", &second, "--run", &run]);
    let run = traced.done(&["claim", "--next", "--as", "worker"])["run"]["id"].to_string();
    traced.done(&["complete", &second, "--run", &run, "--summary", "done"]);
    traced.done(&["reopen", &second, "--as", "anna", "--reason", "not done"]);
    traced.done(&["runs", &second]);
    traced.done(&["summaries", &second]);
}

fn edit_and_ask(traced: &mut Traced) {
    let parent = traced.add("parent");
    let child = traced.add("child");
    traced.done(&["link", &parent, &child]);
    for ask in ["show", "tasks", "parents", "children", "graph"] {
        traced.done(&[ask, &parent]);
    }
    traced.done(&["unlink", &parent, &child]);
    traced.done(&["update", &child, "--title", "other", "--body", "long"]);
    traced.done(&["assign", &child, "writer", "--as", "anna"]);
    traced.done(&["comment", &child, "a word", "--as", "anna"]);
    traced.done(&["comments", &child]);
    let attachment = traced.done(&["attach", &child, "https://example.com/a"])["id"].to_string();
    traced.done(&["attachments", &child]);
    traced.done(&["detach", &child, &attachment, "--as", "anna"]);
    for ask in ["list", "events", "stats", "pauses"] {
        traced.done(&[ask]);
    }
    traced.done(&["ids", "t_"]);
    traced.done(&["reached", "1"]);
}

fn hold(traced: &mut Traced) {
    let task = traced.add("held");
    let operator = ["--operator", "anna"];
    let with = |args: &[&'static str]| [args, &operator].concat();
    traced.done(
        &[
            &["block", &task],
            &with(&["--kind", "needs_input", "--reason", "why"])[..],
        ]
        .concat(),
    );
    traced.done(&["unblock", &task, "--as", "anna"]);
    traced.done(&[&["schedule", &task], &with(&["--at", "2h"])[..]].concat());
    traced.done(&["promote", &task, "--as", "anna"]);
    traced.done(&["pause", "--as", "anna"]);
    traced.done(&["resume", "--as", "anna"]);
    traced.done(&[&["archive", &task], &with(&["--reason", "gone"])[..]].concat());
    traced.done(&["restore", &task, "--as", "anna"]);
    traced.done(&[&["archive", &task], &with(&["--reason", "gone"])[..]].concat());
    traced.done(&["delete", &task, "--as", "anna"]);
}

fn review(traced: &mut Traced) {
    let task = traced.add("read me");
    let run = traced.claim(&task);
    traced.done(&[
        "review",
        "request",
        &task,
        "--run",
        &run,
        "--summary",
        "ready",
    ]);
    let run = traced.claim(&task);
    traced.done(&[
        "review", "changes", &task, "--run", &run, "--reason", "more",
    ]);
}

fn plan(traced: &mut Traced) {
    let graph = traced.directory.path().join("plan.yaml");
    fs::write(&graph, "- title: one\n- title: two\n").expect("a file can be written");
    traced.done(&["add", "--graph", path(&graph)]);
    let idea = |traced: &mut Traced| {
        let id = &traced.done(&["add", "idea", "--triage"])["id"];
        id.as_str().expect("a task has an id").to_owned()
    };
    let id = idea(traced);
    traced.done(&["specify", &id, "--as", "anna", "--body", "what to do"]);
    let id = idea(traced);
    traced.done(&[
        "decompose",
        &id,
        "--as",
        "anna",
        "--subtask",
        "a",
        "--subtask",
        "b",
    ]);
}

fn deliver(traced: &mut Traced) {
    let place = ["--channel", "mail", "--address", "anna"];
    let subscription =
        traced.done(&[&["subscribe", "--all"], &place[..]].concat())["id"].to_string();
    traced.done(&["subscriptions"]);
    traced.add("heard of");
    let lease = |traced: &mut Traced| {
        traced.done(&["lease", &subscription, "--ttl", "1m"])["lease"].to_string()
    };
    let first = lease(traced);
    traced.done(&["nack", &subscription, &first, "--retry-after", "0s"]);
    let second = lease(traced);
    traced.done(&["ack", &subscription, &second]);
    traced.done(&["unsubscribe", &subscription, "--as", "anna"]);
}

fn keep_up(traced: &mut Traced) {
    traced.done(&["tick"]);
    traced.done(&["policy", "show"]);
    traced.done(&["policy", "set", "--failure-limit", "3", "--as", "anna"]);
    traced.done(&["gc", "--older-than", "1d"]);
    traced.done(&["purge", "--older-than", "1d"]);
    traced.done(&["verify"]);
}

fn put_boards_away(traced: &mut Traced) {
    traced.done(&["board", "create", "website"]);
    traced.done(&["--board", "website", "add", "elsewhere"]);
    traced.done(&["board", "archive", "website"]);
    traced.done(&["board", "restore", "website"]);
    traced.done(&["board", "archive", "website"]);
    traced.done(&["board", "delete", "website"]);
}

fn move_boards(traced: &mut Traced) {
    let files = traced.directory.path().to_owned();
    let (copy, lines) = (files.join("copy.db"), files.join("lines.jsonl"));
    traced.done(&["backup", path(&copy)]);
    traced.done(&["export", path(&lines)]);
    traced.done(&["--board", "restored", "import", "backup", path(&copy)]);
    traced.done(&["--board", "copied", "import", "jsonl", path(&lines)]);
    let foreign = foreign_board(&files);
    traced.done(&["--board", "team", "import", "hermes", path(&foreign)]);
    traced.run(&["import", "hermes", path(&foreign)]);
    // To what it is already: refused, and nothing is opened by hand for that.
    traced.run(&["migrate", "--to", "sqlite"]);
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path of letters")
}

#[test]
fn after_the_first_connection_nothing_but_sqlite_opens_the_files_of_a_board() {
    let mut traced = Traced::new();
    run_every_command(&mut traced);
    let mut left = offered();
    left.retain(|command| !traced.commands.contains(command));
    assert_eq!(
        left,
        BTreeSet::from(["completions", "help", "man"].map(str::to_owned)),
        "expected that every command that opens a board is run, found others left"
    );
    let mut counted: BTreeMap<(String, By), usize> = BTreeMap::new();
    let mut known: BTreeSet<&Path> = BTreeSet::new();
    let mut connected: BTreeSet<&Path> = BTreeSet::new();
    for open in &traced.opens {
        if open.by == By::Sqlite {
            connected.insert(&open.path);
        }
        let name = open.path.file_name().unwrap_or_default().to_string_lossy();
        *counted.entry((name.into_owned(), open.by)).or_default() += 1;
        match open.by {
            By::Creation => assert!(
                known.insert(&open.path),
                "expected that a board is made once, before any other open, found: {}",
                open.line
            ),
            By::Sqlite if open.path.ends_with("board.db") => assert!(
                known.contains(&*open.path),
                "expected that we make the file and not SQLite, found: {}",
                open.line
            ),
            By::Sqlite => {}
            // The copy that a restore made, looked at before its first connection: nobody has a lock on it.
            By::Stranger if is_copy(&open.path) && !connected.contains(&*open.path) => {}
            By::Stranger => panic!(
                "expected that nothing but SQLite opens it, found: {}",
                open.line
            ),
        }
    }
    for ((name, by), count) in &counted {
        println!("{name}: {count} by {by:?}");
    }
    println!(
        "{} runs of {} commands on {} boards",
        traced.runs,
        traced.commands.len(),
        known.len()
    );
    assert!(known.len() >= 3, "expected boards, found {known:?}");
    for name in ["board.db", "board.db-wal", "board.db-shm"] {
        let key = (name.to_owned(), By::Sqlite);
        assert!(
            counted.contains_key(&key),
            "expected that SQLite opens {name}: {counted:?}"
        );
    }
}

#[test]
fn an_open_is_told_by_its_flags() {
    let by = |line: &str| parse(line).map(|open| open.by);
    let sqlite = r#"7 openat(AT_FDCWD, "/r/board.db", O_RDWR|O_NOFOLLOW|O_CLOEXEC) = 4"#;
    assert_eq!(by(sqlite), Some(By::Sqlite));
    let interrupted = r#"7 openat(AT_FDCWD, "/r/board.db-wal", O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0600 <unfinished ...>"#;
    assert_eq!(by(interrupted), Some(By::Sqlite));
    let creation =
        r#"7 openat(AT_FDCWD, "/r/board.db", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 5"#;
    assert_eq!(by(creation), Some(By::Creation));
    for stranger in [
        r#"7 openat(AT_FDCWD, "/r/board.db", O_RDONLY|O_CLOEXEC) = 4"#,
        r#"7 openat(5, "board.db-shm", O_RDONLY|O_CLOEXEC) = 4"#,
        r#"7 creat("/r/board.db-wal", 0600) = 4"#,
        r#"7 openat2(AT_FDCWD, "/r/board.db", {flags=O_RDONLY, resolve=0}, 24) = 4"#,
    ] {
        assert_eq!(by(stranger), Some(By::Stranger), "{stranger}");
    }
    assert_eq!(
        by(r#"7 openat(AT_FDCWD, "/r/board.lock", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 4"#),
        None
    );
    assert_eq!(by("7 +++ exited with 0 +++"), None);
}
