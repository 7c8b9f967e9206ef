//! What is printed, and how it ends.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{Root, STORE, command_in, run};

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("a JSON object");
    object.keys().map(String::as_str).collect()
}

#[test]
fn a_write_answers_seq_effect_and_data() {
    let root = Root::new();
    let envelope = root.json(&["add", "One"]).envelope();
    assert_eq!(keys(&envelope), ["data", "effect", "seq"]);
    assert_eq!(envelope["seq"], 1);
    assert_eq!(envelope["effect"], "applied");
    assert_eq!(envelope["data"]["status"], "ready");
}

#[test]
fn a_question_answers_seq_and_data() {
    let root = Root::new();
    root.add("One", &[]);
    let envelope = root.json(&["stats"]).envelope();
    assert_eq!(keys(&envelope), ["data", "seq"]);
    assert_eq!(envelope["seq"], 1);
    assert_eq!(envelope["data"]["by_status"]["ready"], 1);
    assert_eq!(envelope["data"]["total"], 1);
}

#[test]
fn what_is_not_about_one_board_has_no_seq() {
    let root = Root::new();
    root.data(&["board", "create", "website"]);
    let envelope = root.json(&["boards"]).envelope();
    assert_eq!(envelope["seq"], Value::Null);
    let expected = json!([
        {"slug": "default", "place": "active"},
        {"slug": "website", "place": "active"},
    ]);
    assert_eq!(envelope["data"], expected);
}

#[test]
fn an_error_is_an_envelope_on_standard_output() {
    let root = Root::new();
    let ended = root.json(&["show", "t_nothing_like_it"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""));
    let error = &ended.envelope()["error"];
    assert_eq!(error["kind"], "not_found");
    assert_eq!(error["reason"], "task");
    assert_eq!(error["task"], "t_nothing_like_it");
    assert_eq!(error["message"], "no such task: t_nothing_like_it");
}

#[test]
fn an_error_for_people_goes_to_standard_error() {
    let root = Root::new();
    let ended = root.run(&["show", "t_nothing_like_it"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    assert_eq!(ended.stderr, "kanban: no such task: t_nothing_like_it\n");
}

#[test]
fn a_wrong_command_line_is_an_envelope_too() {
    let root = Root::new();
    for args in [
        &["add"][..],
        &["nonsense"],
        &["list", "--status", "nonsense"],
        &["claim", "--as", "w"],
        &["complete", "t_1"],
        &["--store", "paper", "stats"],
    ] {
        let error = root.error(2, args);
        assert_eq!(error["kind"], "usage", "{args:?}");
    }
    assert!(!root.path().exists(), "nothing was written");
}

#[test]
fn an_end_needs_a_worker_or_an_operator() {
    let root = Root::new();
    let id = root.add("One", &[]);
    root.claim(&id);
    let ended = root.run(&["release", &id]);
    assert_eq!(ended.code, 2);
    let ended = root.run(&["release", &id, "--run", "1", "--reason", "why not"]);
    assert_eq!(ended.code, 2, "a reason is an operator's");
    let released = root.data(&["release", &id, "--operator", "anna", "--reason", "mine"]);
    assert_eq!(released["run"]["ended_by"], "anna");
}

#[test]
fn nothing_to_claim_is_an_exit_code_of_its_own() {
    let root = Root::new();
    let ended = root.json(&["claim", "--next", "--as", "w"]);
    assert_eq!(ended.code, 5);
    let expected = json!({
        "task": null, "run": null, "next_at": null, "paused": false, "capped": false,
    });
    assert_eq!(ended.envelope()["data"], expected);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_board_that_another_program_holds_is_busy() {
    let root = Root::new();
    root.add("One", &[]);
    let holder = rusqlite::Connection::open(root.board_file()).expect("the board is a database");
    holder.execute_batch("BEGIN IMMEDIATE").expect("it is free");
    let error = root.error(4, &["add", "Two"]);
    assert_eq!(error["kind"], "busy");
    drop(holder);
    assert_eq!(root.data(&["stats"])["total"], 1);
}

#[test]
fn help_needs_no_root() {
    let root = Root::new();
    for args in [
        &["--help"][..],
        &["board", "archive", "--help"],
        &["block", "--help"],
    ] {
        let ended = root.run(args);
        assert_eq!(ended.code, 0, "{args:?}");
        assert!(ended.stdout.contains("\nExample:\n  kanban "), "{args:?}");
    }
    assert!(!root.path().exists());
}

#[test]
fn the_root_can_come_from_the_environment() {
    let root = Root::new();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kanban"));
    command.env("KANBAN_ROOT", root.path()).args(["add", "One"]);
    assert_eq!(run(&mut command).code, 0);
    assert_eq!(root.data(&["stats"])["total"], 1);
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let root = Root::new();
    root.add("One", &[]);
    for args in [&["list"][..], &["list", "--json"], &["events", "--follow"]] {
        let mut child = root
            .command()
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), stderr.as_ref()),
            (Some(0), ""),
            "{args:?}"
        );
    }
}

#[test]
fn what_is_no_terminal_gets_no_colours() {
    let root = Root::new();
    root.add("One", &[]);
    assert!(!root.run(&["list"]).stdout.contains('\u{1b}'));
}

#[test]
fn a_title_cannot_steer_the_terminal() {
    let root = Root::new();
    let id = root.add("Red \u{1b}[31m alert\u{7}", &[]);
    for args in [&["list"][..], &["show", &id]] {
        let shown = root.run(args).stdout;
        assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
        assert!(
            shown.contains("Red \u{fffd}[31m alert\u{fffd}"),
            "{shown:?}"
        );
    }
    let title = &root.data(&["show", &id])["title"];
    assert_eq!(
        title, "Red \u{1b}[31m alert\u{7}",
        "JSON holds what is there"
    );
}

#[test]
fn an_engine_can_be_named() {
    let root = Root::new();
    let ended = run(command_in(&root.path()).args(["--store", STORE, "boards"]));
    assert_eq!(ended.code, 0);
}
