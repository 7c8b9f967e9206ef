//! Whole boards out and in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::harness::Root;

#[test]
fn an_export_to_a_file_is_moved_byte_for_byte() {
    let root = Root::new();
    let id = root.add("One", &["--body", "with a body"]);
    let run = root.claim(&id);
    let (first, second) = (root.beside("first.jsonl"), root.beside("second.jsonl"));
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    let moved = root.data(&["export", first]);
    assert_eq!((&moved["tasks"], &moved["runs"]), (&1.into(), &1.into()));
    let mode = fs::metadata(first).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let keep = ["--board", "new", "import", "jsonl", first, "--keep-claims"];
    assert_eq!(root.data(&keep), moved);
    root.data(&["--board", "new", "export", second]);
    assert_eq!(fs::read(first).unwrap(), fs::read(second).unwrap());
    root.data(&["--board", "new", "complete", &id, "--run", &run]);
}

#[test]
fn an_import_closes_the_open_runs() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let run = root.claim(&id);
    let file = root.beside("board.jsonl");
    let file = file.to_str().unwrap();
    root.data(&["export", file]);
    let envelope = root
        .json(&["--board", "copy", "import", "jsonl", file])
        .envelope();
    assert_eq!(envelope["effect"], "applied");
    assert_eq!(envelope["data"]["invalidated"], 1);
    let error = root.error(1, &["--board", "copy", "complete", &id, "--run", &run]);
    assert_eq!(error["reason"], "stale_run");
    assert!(root.data(&["--board", "copy", "verify"])["clean"] == true);
    let again = root.error(1, &["--board", "copy", "import", "jsonl", file]);
    assert_eq!(again["reason"], "board_not_empty");
}

#[test]
fn an_export_without_a_file_is_the_output() {
    let root = Root::new();
    root.add("One", &[]);
    let ended = root.run(&["export"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let first = ended.stdout.lines().next();
    assert_eq!(first, Some(r#"{"header":{"kanban_export":1}}"#));
    assert!(ended.stdout.ends_with("}}\n"));
    assert_eq!(root.run(&["--json", "export"]).stdout, ended.stdout);
    let mut child = root
        .command()
        .arg("export")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0), "nobody reads it");
}

#[test]
fn a_file_that_exists_is_not_overwritten() {
    let root = Root::new();
    root.add("One", &[]);
    let file = root.beside("precious");
    fs::write(&file, "mine").unwrap();
    let error = root.error(2, &["export", file.to_str().unwrap()]);
    assert_eq!(error["kind"], "usage");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_damaged_export_names_its_line() {
    let root = Root::new();
    root.add("One", &[]);
    let text = root.run(&["export"]).stdout;
    let file = root.beside("damaged.jsonl");
    fs::write(&file, text.replacen("\"One\"", "\"Two\"", 1)).unwrap();
    let file = file.to_str().unwrap();
    let error = root.error(2, &["--board", "copy", "import", "jsonl", file]);
    let line = format!("line {}:", text.lines().count());
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(&line), "expected {line}, found {message}");
    assert_eq!(root.data(&["--board", "copy", "stats"])["total"], 0);
}

#[test]
fn a_backup_is_restored_as_another_board() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let run = root.claim(&id);
    let file = root.beside("board.db");
    let path = file.to_str().unwrap();
    let backup = root.data(&["backup", path]);
    assert_eq!(backup["file"], path);
    assert_eq!(backup["bytes"], fs::metadata(&file).unwrap().len());
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(root.error(2, &["backup", path])["kind"], "usage");
    let restored = root.data(&["--board", "restored", "import", "backup", path]);
    assert_eq!(restored["invalidated"], 1);
    let error = root.error(1, &["--board", "restored", "complete", &id, "--run", &run]);
    assert_eq!(error["reason"], "stale_run");
    assert!(root.data(&["--board", "restored", "verify"])["clean"] == true);
    root.data(&["complete", &id, "--run", &run]);
}

#[test]
fn a_backup_that_is_not_there_is_a_usage_error() {
    let root = Root::new();
    let ended = root.json(&["import", "backup", "/nowhere/at/all"]);
    assert_eq!(ended.code, 2, "{ended:?}");
}
