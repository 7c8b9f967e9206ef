//! What bad input gets: a typed refusal, an exit code, and nothing written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{FILE, Root, STORE, run};

/// Expects an error with these values and an untouched board of one task.
fn refused(root: &Root, code: i32, args: &[&str], expected: &Value) {
    let error = root.error(code, args);
    for (name, value) in expected.as_object().expect("a JSON object") {
        assert_eq!(&error[name], value, "{name} of {args:?}: {error}");
    }
    let stats = root.json(&["stats"]).envelope();
    assert_eq!(
        (&stats["seq"], &stats["data"]["total"]),
        (&json!(1), &json!(1))
    );
}

/// Expects the path in the message, once, and beside it.
fn names(error: &Value, path: &Path) {
    let path = path.to_str().expect("a plain path");
    let message = error["message"].as_str().expect("a message");
    assert_eq!(message.matches(path).count(), 1, "{path} in {message}");
    assert_eq!(error["path"], path, "{error}");
}

#[test]
fn malformed_and_over_limit_arguments_are_invalid() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let long = "x".repeat(501);
    let tenant = "x".repeat(257);
    let deep = format!(
        "{}{}",
        "{\"a\":".repeat(70),
        "1".to_owned() + &"}".repeat(70)
    );
    let cases: [(&[&str], Value); 15] = [
        (
            &["--board", "No Board", "stats"],
            json!({"field": "board", "reason": "malformed"}),
        ),
        (
            &["board", "create", "-"],
            json!({"field": "board", "reason": "malformed"}),
        ),
        (
            &["show", "t 1"],
            json!({"field": "task", "reason": "malformed"}),
        ),
        (
            &["claim", "t/1", "--as", "w"],
            json!({"field": "task", "reason": "malformed"}),
        ),
        (
            &["add", "  "],
            json!({"field": "title", "reason": "malformed"}),
        ),
        (
            &["add", &long],
            json!({"field": "title", "reason": "over_limit", "limit": 500, "found": 501}),
        ),
        (
            &["add", "Two", "--tenant", &tenant],
            json!({"field": "tenant", "reason": "over_limit", "limit": 256, "found": 257}),
        ),
        (
            &["add", "Two", "--assignee", "a b"],
            json!({"field": "assignee"}),
        ),
        (
            &["add", "Two", "--attributes", "[1]"],
            json!({"field": "attributes"}),
        ),
        (
            &["add", "Two", "--attributes", &deep],
            json!({"field": "attributes", "reason": "over_limit", "limit": 64}),
        ),
        (
            &["add", "Two", "--failure-limit", "0"],
            json!({"field": "failure_limit"}),
        ),
        (
            &["add", "Two", "--wake-at", "soon"],
            json!({"field": "wake_at"}),
        ),
        (
            &["add", "Two", "--max-runtime", "long"],
            json!({"field": "max_runtime"}),
        ),
        (
            &["claim", &id, "--as", "w", "--ttl", "31d"],
            json!({"field": "ttl", "reason": "over_limit"}),
        ),
        (
            &["list", "--limit", "1001"],
            json!({"field": "limit", "limit": 1000}),
        ),
    ];
    for (args, mut expected) in cases {
        expected["kind"] = json!("invalid");
        refused(&root, 2, args, &expected);
    }
}

#[test]
fn a_file_that_is_not_there_is_invalid() {
    let root = Root::new();
    root.add("One", &[]);
    let path = root.beside("nothing.md");
    let path = path.to_str().expect("a plain path");
    let expected = json!({"kind": "invalid", "reason": "unreadable", "path": path});
    refused(&root, 2, &["add", "Two", "--body-file", path], &expected);
}

/// One rule for every file that is read: of what cannot be read, or is something else, the call is to be mended.
#[test]
fn an_input_file_that_is_of_no_use_is_invalid() {
    let root = Root::new();
    root.add("One", &[]);
    let directory = root.beside("directory");
    fs::create_dir(&directory).expect("the test may write");
    let nonsense = root.beside("nonsense");
    fs::write(&nonsense, b"\xffno text and no database ".repeat(300)).expect("the test may write");
    for path in [directory, nonsense] {
        let path = path.to_str().expect("a plain path");
        for args in [
            &["add", "Two", "--body-file", path][..],
            &["add", "--graph", path],
            &["import", "backup", path],
            #[cfg(feature = "hermes")]
            &["import", "hermes", path],
        ] {
            let expected = json!({"kind": "invalid", "reason": "unreadable", "path": path});
            refused(&root, 2, args, &expected);
        }
    }
    let directory = root.beside("directory");
    let directory = directory.to_str().expect("a plain path");
    let expected = json!({"kind": "invalid", "reason": "unreadable", "path": directory});
    refused(&root, 2, &["import", "jsonl", directory], &expected);
    let nonsense = root.beside("nonsense");
    let nonsense = nonsense.to_str().expect("a plain path");
    let error = root.error(2, &["--board", "copy", "import", "jsonl", nonsense]);
    assert_eq!(error["kind"], "invalid");
}

#[test]
fn people_read_times_and_durations_not_milliseconds() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let said = |args: &[&str]| root.run(args).stderr;
    let cases: [(&[&str], &str); 4] = [
        (
            &["claim", &id, "--as", "w", "--ttl", "31d"],
            "ttl must be at most 30d, found 31d",
        ),
        (
            &["claim", &id, "--as", "w", "--ttl", "500ms"],
            "ttl must be at least 1s, found 500ms",
        ),
        (
            &["policy", "set", "--claim-ttl", "1ms", "--as", "anna"],
            "claim_ttl must be at least 1s, found 1ms",
        ),
        (
            &["add", "Two", "--max-runtime", "0s"],
            "max_runtime must be at least 1ms, found 0s",
        ),
    ];
    for (args, expected) in cases {
        assert_eq!(said(args), format!("kanban: {expected}\n"), "{args:?}");
    }
    let run = root.claim(&id);
    root.data(&[
        "fail",
        &id,
        "--run",
        &run,
        "--kind",
        "rate_limited",
        "--retry-after",
        "2h",
    ]);
    let text = said(&["claim", &id, "--as", "w"]);
    let time = text.trim().strip_prefix("kanban: not claimable before 20");
    let shape = time.map(|time| time.replace(|it: char| it.is_ascii_digit(), "0"));
    assert_eq!(shape.as_deref(), Some("00-00-00 00:00:00"), "{text}");
}

#[test]
fn unknown_parents_are_named() {
    let root = Root::new();
    root.add("One", &[]);
    let args = ["add", "Two", "--parent", "t_a", "--parent", "t_b"];
    let expected = json!({
        "kind": "rejected", "reason": "unknown_tasks", "ids": ["t_a", "t_b"],
    });
    refused(&root, 1, &args, &expected);
}

#[test]
fn a_circle_is_refused_with_its_path() {
    let root = Root::new();
    let a = root.add("A", &[]);
    let b = root.add("B", &["--parent", &a]);
    let c = root.add("C", &["--parent", &b]);
    let error = root.error(1, &["link", &c, &a]);
    assert_eq!(error["reason"], "would_cycle");
    assert_eq!(error["path"], json!([a, b, c]));
    let seq = &root.json(&["stats"]).envelope()["seq"];
    assert_eq!(seq, &json!(3));
}

#[test]
fn a_stale_run_is_told_how_it_ended() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let first = root.claim(&id);
    root.data(&["release", &id, "--operator", "anna"]);
    let second = root.claim(&id);
    let error = root.error(1, &["complete", &id, "--run", &first]);
    assert_eq!(error["kind"], "rejected");
    assert_eq!(error["reason"], "stale_run");
    assert_eq!(error["ended_as"], "released");
    assert_eq!(error["by"], "anna");
    assert!(error["ended_at"].is_i64());
    assert!(
        error.get("run").is_none(),
        "the open run is not told: {error}"
    );
    root.data(&["complete", &id, "--run", &second]);
}

#[test]
fn what_cannot_be_claimed_says_why() {
    let root = Root::new();
    let id = root.add("One", &["--triage"]);
    let expected = json!({"kind": "rejected", "reason": "not_claimable", "status": "triage"});
    refused(&root, 1, &["claim", &id, "--as", "w"], &expected);
}

#[test]
fn a_board_that_is_not_there_is_not_found() {
    let root = Root::new();
    root.add("One", &[]);
    let expected = json!({"kind": "not_found", "reason": "board", "board": "website"});
    refused(&root, 1, &["--board", "website", "list"], &expected);
    root.data(&["board", "create", "website"]);
    let expected = json!({"kind": "rejected", "reason": "board_exists", "board": "website"});
    refused(&root, 1, &["board", "create", "website"], &expected);
}

#[test]
fn a_file_that_is_no_database_is_corrupt_and_stays_as_it_is() {
    let root = Root::new();
    root.add("One", &[]);
    let file = root.board_file();
    for suffix in ["wal", "shm"] {
        fs::remove_file(file.with_file_name(format!("{FILE}-{suffix}"))).ok();
    }
    let nonsense = "this is no database ".repeat(1000);
    fs::write(&file, &nonsense).expect("the test may write");
    for args in [&["list"][..], &["add", "Two"], &["verify"]] {
        let error = root.error(3, args);
        assert_eq!(error["kind"], "corrupt", "{args:?}: {error}");
        names(&error, &file);
    }
    let found = fs::read_to_string(&file).expect("it is still there");
    assert_eq!(found, nonsense);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_newer_schema_is_refused() {
    let root = Root::new();
    root.add("One", &[]);
    let board = rusqlite::Connection::open(root.board_file()).expect("a board is a database");
    board
        .pragma_update(None, "user_version", 9999)
        .expect("the test may write");
    drop(board);
    let error = root.error(3, &["list"]);
    assert_eq!(
        (&error["kind"], &error["reason"]),
        (&json!("unavailable"), &json!("newer_schema"))
    );
    names(&error, &root.board_file());
}

#[test]
fn a_root_remembers_its_engine() {
    let root = Root::new();
    root.add("One", &[]);
    let mark = root.path().join("kanban.toml");
    let text = fs::read_to_string(&mark).expect("the root has a mark");
    assert!(text.contains(&format!("\"{STORE}\"")), "{text}");
    let other = text.replace(&format!("\"{STORE}\""), "\"paper\"");
    fs::write(&mark, other).expect("the test may write");
    let error = root.error(3, &["list"]);
    assert_eq!(
        (&error["kind"], &error["reason"]),
        (&json!("unavailable"), &json!("other_engine"))
    );
    assert!(error["message"].to_string().contains("paper"), "{error}");
    names(&error, &root.path());
}

#[test]
fn a_directory_that_may_not_be_written_is_read_only() {
    let root = Root::new();
    let home = root.beside("home");
    fs::create_dir(&home).expect("the test may write");
    let program = home.join("kanban");
    copy_program(&program);
    let locked = home.join("locked");
    fs::create_dir(&locked).expect("the test may write");
    let mode = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    let parent = home.parent().expect("it is in a directory");
    for path in [parent, &home, &program] {
        mode(path, 0o755).expect("they are ours");
    }
    mode(&locked, 0o555).expect("it is ours");
    let mut command = Command::new(&program);
    command.args(["--json", "--root"]).arg(&locked);
    command.args(["add", "One"]).current_dir("/");
    if is_root() {
        // Nobody: the rights of files do not bind root.
        command.uid(65534).gid(65534);
    }
    let ended = run(&mut command);
    assert_eq!(ended.code, 3, "{ended:?}");
    let error = &ended.envelope()["error"];
    assert_eq!(
        (&error["kind"], &error["reason"]),
        (&json!("unavailable"), &json!("read_only"))
    );
    names(error, &locked);
    let left = fs::read_dir(&locked).expect("it may be read").count();
    assert_eq!(left, 0, "nothing was written");
}

/// Another user may not see where the program was built.
///
/// Another process copies it: a child that a test beside this one has just forked has all that is open here until it executes
/// its own program, and while anybody has a program open for writing the system refuses to run it.
fn copy_program(to: &Path) {
    let mut copy = Command::new("cp");
    let copied = copy.arg(env!("CARGO_BIN_EXE_kanban")).arg(to).status();
    assert!(copied.expect("cp starts").success(), "it can be copied");
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // A file's owner is whoever made it.
    let probe = tempfile::tempfile().expect("a file can be made");
    probe.metadata().expect("it has metadata").uid() == 0
}
