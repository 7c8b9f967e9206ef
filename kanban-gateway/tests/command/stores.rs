//! Two stores in one program: which one a root has, and moving it to the other.

use std::fs;
use std::sync::Arc;

use kanban_core::{Boards, OnMigration, Options};
use serde_json::json;

use crate::harness::{Root, command_in, run};
use crate::hermes_board::Board;

/// How many thousands of tasks a large board has here. A hundred:
/// `KANBAN_MIGRATED_THOUSANDS=100 cargo test --release -p kanban-gateway --all-features --test command migrated`.
fn thousands() -> usize {
    std::env::var("KANBAN_MIGRATED_THOUSANDS").map_or(1, |thousands| {
        thousands.parse().expect("thousands of tasks are a number")
    })
}

fn has(root: &Root, file: &str) -> bool {
    root.path().join("boards/default").join(file).exists()
}

fn export(root: &Root, board: &str, name: &str) -> Vec<u8> {
    let file = root.beside(name);
    root.data(&[
        "--board",
        board,
        "export",
        file.to_str().expect("a path of letters"),
    ]);
    fs::read(file).expect("the export is there")
}

#[test]
fn a_root_keeps_the_store_that_it_was_made_with() {
    let root = Root::new();
    root.data(&["--store", "redb", "add", "One"]);
    assert!(has(&root, "board.redb") && !has(&root, "board.db"));
    root.add("Two", &[]);
    let error = root.error(3, &["--store", "sqlite", "list"]);
    assert_eq!(
        (&error["kind"], &error["reason"]),
        (&json!("unavailable"), &json!("other_engine"))
    );
    let message = error["message"].to_string();
    assert!(
        message.contains("belongs to the engine redb") && message.contains("open it with that"),
        "{message}"
    );
    let mut command = command_in(&root.path());
    assert_eq!(
        run(command.env("KANBAN_STORE", "redb").args(["list"])).code,
        0
    );
    let other = Root::new();
    let mut command = command_in(&other.path());
    assert_eq!(
        run(command.env("KANBAN_STORE", "redb").args(["add", "One"])).code,
        0
    );
    assert!(has(&other, "board.redb"));
}

#[test]
fn a_migrated_root_says_the_same_and_back_again() {
    let root = Root::new();
    let done = root.add("done", &[]);
    let run = root.claim(&done);
    root.data(&["complete", &done, "--run", &run, "--summary", "well"]);
    let held = root.add("held", &["--parent", &done]);
    root.claim(&held);
    root.data(&[
        "subscribe",
        "--all",
        "--channel",
        "mail",
        "--address",
        "anna",
    ]);
    root.add("news", &[]);
    root.data(&["lease", "1"]);
    root.data(&["pause", "--assignee", "writer", "--as", "anna"]);
    root.data(&["board", "create", "old"]);
    root.data(&["--board", "old", "add", "kept"]);
    root.data(&["board", "archive", "old"]);
    let before = export(&root, "default", "before");

    let moved = root.data(&["migrate", "--to", "redb"]);
    assert_eq!(moved["store"], json!("redb"));
    let places: Vec<_> = moved["boards"].as_array().expect("boards").iter().collect();
    assert_eq!(places.len(), 2, "{moved}");
    assert_eq!(
        (&places[1]["slug"], &places[1]["place"]),
        (&json!("old"), &json!("archived"))
    );
    assert!(has(&root, "board.redb") && !has(&root, "board.db"));
    assert_eq!(export(&root, "default", "there"), before);
    root.data(&["verify"]);

    root.data(&["migrate", "--to", "sqlite"]);
    assert!(has(&root, "board.db") && !has(&root, "board.redb"));
    assert_eq!(export(&root, "default", "back"), before);
    root.data(&["board", "restore", "old"]);
    let kept = root.data(&["--board", "old", "list"]);
    assert_eq!(kept["items"][0]["title"], json!("kept"), "{kept}");
}

#[test]
fn a_large_board_is_migrated_and_back_byte_for_byte() {
    let root = Root::new();
    let foreign = Board::new(&root);
    for number in 0..1000 * thousands() {
        foreign.task(&format!("t_{number:06}"), "ready", "");
    }
    root.data(&["import", "hermes", &foreign.path()]);
    let before = export(&root, "default", "before");
    root.data(&["migrate", "--to", "redb"]);
    assert!(export(&root, "default", "there") == before);
    root.data(&["migrate", "--to", "sqlite"]);
    assert!(export(&root, "default", "back") == before);
    println!("{} tasks, {} bytes", 1000 * thousands(), before.len());
}

#[test]
fn a_migration_goes_on_though_its_listener_panics() {
    let root = Root::new();
    root.add("One", &[]);
    let (from, to) = (
        kanban_sqlite::SqliteBackend::new(),
        kanban_redb::RedbBackend::new(),
    );
    let listener: OnMigration = Arc::new(|_, _| panic!("a listener's bug"));
    let moving = Boards::migrate(root.path(), from, to, Options::default(), Some(listener));
    let moved = pollster::block_on(moving).expect("it is nobody's else");
    assert_eq!(moved.len(), 1);
    assert!(has(&root, "board.redb") && !has(&root, "board.db"));
}

#[test]
fn a_root_in_use_is_not_migrated() {
    let root = Root::new();
    root.add("One", &[]);
    let mut other = root.start(&["events", "--follow", "--json"]);
    assert!(!other.line().is_empty(), "it has the root");
    let error = root.error(3, &["migrate", "--to", "redb"]);
    assert_eq!(error["reason"], json!("in_use"), "{error}");
    assert!(has(&root, "board.db") && !has(&root, "board.redb"));
    drop(other);
    root.data(&["migrate", "--to", "redb"]);
}

#[test]
fn a_migration_that_fails_leaves_the_root_as_it_was() {
    let root = Root::new();
    root.add("One", &[]);
    root.data(&["--board", "broken", "add", "Two"]);
    let broken = root.path().join("boards/broken/board.db");
    let text = fs::read(&broken).expect("the board is there");
    fs::write(&broken, b"This is no database.").expect("the test may write");
    let error = root.error(3, &["migrate", "--to", "redb"]);
    assert_eq!(error["kind"], json!("corrupt"), "{error}");
    assert!(has(&root, "board.db") && !has(&root, "board.redb"));
    root.data(&["list"]);
    // Remains of one that was killed do not stop the next.
    fs::write(&broken, text).expect("the test may write");
    fs::write(root.path().join("boards/default/board.redb"), b"half").expect("the test may write");
    root.data(&["migrate", "--to", "redb"]);
    assert_eq!(root.data(&["list"])["items"][0]["title"], json!("One"));
}

#[test]
fn a_root_is_not_migrated_to_what_it_is() {
    let root = Root::new();
    let error = root.error(1, &["migrate", "--to", "redb"]);
    assert_eq!(error["kind"], json!("not_found"), "{error}");
    assert!(!root.path().exists(), "nothing was made");
    root.add("One", &[]);
    let error = root.error(2, &["migrate", "--to", "sqlite"]);
    assert_eq!(error["field"], json!("to"), "{error}");
}

#[test]
fn both_stores_take_over_a_foreign_board_alike() {
    let (first, second) = (Root::new(), Root::new());
    let foreign = Board::new(&first);
    foreign.task("t_one", "ready", "");
    foreign.task("t_two", "done", "");
    let exports = [(&first, "sqlite"), (&second, "redb")].map(|(root, store)| {
        root.data(&["--store", store, "import", "hermes", &foreign.path()]);
        let text = String::from_utf8(export(root, "default", store)).expect("JSON is text");
        // When and where it was imported is told; all else is the same.
        let told = ["{\"board\"", "{\"event\"", "{\"footer\""];
        let lines = text
            .lines()
            .filter(|line| !told.iter().any(|word| line.starts_with(word)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(exports[0], exports[1]);
}

#[test]
fn a_lazy_command_keeps_what_it_answered_and_an_interval_has_bounds() {
    for (store, mode) in [("sqlite", "shared"), ("redb", "exclusive")] {
        let root = Root::new();
        let lazy = ["--store", store, "--root-mode", mode, "--durability"];
        let call = |durability, rest: &[&'static str]| [&lazy[..], &[durability], rest].concat();
        let refused = root.error(2, &call("lazy=0ms", &["add", "None"]));
        assert_eq!(
            (&refused["field"], &refused["limit"], &refused["found"]),
            (&json!("interval"), &json!(1), &json!(0))
        );
        root.error(2, &call("lazy=soon", &["add", "None"]));
        assert!(!root.path().exists(), "nothing was made");
        for (seq, durability) in (1..).zip(["lazy", "lazy=1h", "power", "lazy=1ms"]) {
            root.data(&call(durability, &["add", "One"]));
            let stats = root.json(&["stats"]).envelope();
            assert_eq!(stats["seq"], json!(seq), "after {durability}");
        }
        root.data(&["verify"]);
    }
}
