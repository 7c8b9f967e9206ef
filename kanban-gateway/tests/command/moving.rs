//! Whole boards out and in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::harness::{Root, run};

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
    let message = again["message"].as_str().unwrap();
    assert!(
        message.ends_with("a new one, which --board names"),
        "{message}"
    );
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

#[test]
fn a_file_that_cannot_be_made_is_unavailable_and_named() {
    let root = Root::new();
    root.add("One", &[]);
    let path = root.beside("no/such/directory/file");
    let path = path.to_str().unwrap();
    let plain = root.beside("plain");
    fs::write(&plain, "a file").unwrap();
    let under = plain.join("man");
    let under = under.to_str().unwrap();
    for (command, path) in [("export", path), ("backup", path), ("man", under)] {
        let error = root.error(3, &[command, path]);
        let found = (&error["kind"], &error["reason"], &error["path"]);
        let expected = (&"unavailable".into(), &"io".into(), &path.into());
        assert_eq!(found, expected, "{command}: {error}");
    }
}

#[test]
fn an_export_leaves_nothing_beside_it() {
    let root = Root::new();
    root.add("One", &[]);
    let directory = root.beside("exports");
    fs::create_dir(&directory).unwrap();
    let file = directory.join("board.jsonl");
    root.data(&["export", file.to_str().unwrap()]);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn a_backup_into_the_root_is_refused() {
    let root = Root::new();
    root.add("One", &[]);
    let file = root.path().join("boards/../team.db");
    let error = root.error(2, &["backup", file.to_str().unwrap()]);
    assert_eq!(
        (&error["kind"], &error["field"]),
        (&"invalid".into(), &"file".into())
    );
    assert!(!file.exists(), "expected no file");
}

#[test]
fn the_file_of_a_board_is_no_backup() {
    let root = Root::new();
    root.add("One", &[]);
    let copy = root.beside("copy");
    fs::copy(root.board_file(), &copy).unwrap();
    let args = [
        "--board",
        "copy",
        "import",
        "backup",
        copy.to_str().unwrap(),
    ];
    let error = root.error(2, &args);
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("make one with `kanban backup`"),
        "{message}"
    );
}

#[test]
fn an_export_comes_in_through_a_pipe() {
    let root = Root::new();
    root.add("One", &[]);
    let mut export = root
        .command()
        .arg("export")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = export.stdout.take().unwrap();
    let mut import = root.command();
    import.args(["--json", "--board", "copy", "import", "jsonl", "-"]);
    let ended = run(import.stdin(lines));
    assert_eq!((ended.code, export.wait().unwrap().code()), (0, Some(0)));
    assert_eq!(ended.envelope()["data"]["tasks"], 1);
}

#[test]
fn a_pipe_that_is_given_as_a_file_is_refused() {
    let root = Root::new();
    root.add("One", &[]);
    let pipe = root.beside("pipe");
    let pipe = pipe.to_str().unwrap();
    let made = std::process::Command::new("mkfifo").arg(pipe).status();
    assert!(made.unwrap().success(), "expected a pipe");
    for args in [
        &["import", "jsonl", pipe][..],
        &["import", "backup", pipe],
        &["add", "Two", "--body-file", pipe],
        #[cfg(feature = "hermes")]
        &["import", "hermes", pipe],
    ] {
        let error = root.error(2, args);
        assert_eq!(error["reason"], "unreadable", "{args:?}: {error}");
    }
}
