//! Several processes on one root.

use std::collections::BTreeSet;
use std::fs;
#[cfg(feature = "sqlite")]
use std::io::Read;
#[cfg(feature = "sqlite")]
use std::process::Stdio;
use std::thread;

use serde_json::{Value, json};

use crate::harness::Root;

#[test]
fn four_processes_claim_each_of_500_tasks_once() {
    let root = Root::new();
    let plan = root.beside("plan.yaml");
    let tasks = "- title: Task\n".repeat(500);
    fs::write(&plan, tasks).expect("the test may write");
    // One process makes them all.
    root.data(&["add", "--graph", plan.to_str().expect("a plain path")]);
    let claimed: Vec<String> = thread::scope(|scope| {
        let loops: Vec<_> = (0..4)
            .map(|number| {
                let root = &root;
                scope.spawn(move || claim_all(root, number))
            })
            .collect();
        let ended = loops.into_iter().map(|it| it.join().expect("no panic"));
        ended.flatten().collect()
    });
    let distinct: BTreeSet<&String> = claimed.iter().collect();
    assert_eq!((claimed.len(), distinct.len()), (500, 500));
    let stats = root.data(&["stats"]);
    assert_eq!(stats["by_status"]["running"], 500);
    assert_eq!(root.data(&["verify"])["clean"], true);
}

fn claim_all(root: &Root, number: usize) -> Vec<String> {
    let name = format!("w{number}");
    let mut claimed = Vec::new();
    loop {
        let ended = root.json(&["--durability", "process", "claim", "--next", "--as", &name]);
        match ended.code {
            0 => claimed.push(ended.envelope()["data"]["task"]["id"].to_string()),
            5 => return claimed,
            _ => panic!("{ended:?}"),
        }
    }
}

#[test]
fn following_tells_what_another_process_writes() {
    let root = Root::new();
    let first = root.add("One", &[]);
    let mut follow = root.start(&["events", "--follow", "--json", "--limit", "3"]);
    let mut told = || -> Value { serde_json::from_str(&follow.line()).expect("a line is JSON") };
    assert_eq!(told()["data"]["task"], Value::from(first.as_str()));
    let run = root.claim(&first);
    let claimed = told();
    assert_eq!(claimed["data"]["kind"], "claimed");
    assert_eq!(claimed["data"]["run"].to_string(), run);
    assert_eq!(claimed["seq"], 2);
    root.data(&["complete", &first, "--run", &run]);
    assert_eq!(told()["data"]["kind"], "completed");
    assert_eq!(follow.code(), Some(0), "three events were asked for");
}

#[test]
fn the_demo_finishes_everything_once() {
    let root = Root::new();
    let report = root.data(&["demo"]);
    assert_eq!(report["tasks"], 30);
    assert_eq!(report["done_once"], 30);
    assert_eq!(report["workers_died"], 1);
    assert_eq!(report["late_refused"], 1);
    assert_eq!(report["outcomes"]["completed"], 30);
    assert_eq!(report["outcomes"]["lease_expired"], 2);
    assert_eq!(report["outcomes"]["rate_limited"], 1);
    assert_eq!(report["runs"], 33);
    assert_eq!(report["violations"], 0);
    // Its board stays in a root that was given, and can be looked at; a second demo takes another one.
    assert_eq!(
        root.data(&["--board", "demo", "stats"])["by_status"]["done"],
        30
    );
    let shown = root.run(&["demo"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(
        shown.stdout.contains("is refused (stale_run)"),
        "{}",
        shown.stdout
    );
    assert!(shown.stdout.contains("verify: clean"), "{}", shown.stdout);
    let finished = shown
        .stdout
        .lines()
        .filter(|line| line.ends_with("done 30"));
    assert_eq!(finished.count(), 1, "told once: {}", shown.stdout);
    assert_eq!(root.data(&["--board", "demo-2", "verify"])["clean"], true);
    let error = root.error(1, &["--board", "demo", "demo"]);
    assert_eq!(error["reason"], "board_not_empty");
}

#[test]
fn an_exclusive_root_has_one_process() {
    let root = Root::new();
    root.data(&["--root-mode", "exclusive", "add", "One"]);
    let mut first = root.start(&["events", "--follow", "--json"]);
    assert!(!first.line().is_empty(), "it has the root");
    let error = root.error(3, &["add", "Two"]);
    assert_eq!(
        (&error["kind"], &error["reason"]),
        (&json!("unavailable"), &json!("in_use"))
    );
    drop(first);
    root.add("Two", &[]);
    let error = root.error(3, &["--root-mode", "shared", "list"]);
    assert_eq!(error["reason"], json!("other_mode"), "{error}");
}

/// A script that took it for `busy` wrote it a second time.
#[cfg(feature = "sqlite")]
#[test]
fn a_write_whose_last_flush_is_held_up_is_to_be_looked_for_and_not_repeated() {
    let root = Root::new();
    let id = root.add("Talked about", &[]);
    // As JSON it is longer than a pipe: the program has written it, and not closed the board, while nobody reads the answer.
    let text = root.beside("text");
    fs::write(&text, format!("a{}", "\n".repeat(60_000))).expect("the test may write");
    let mut child = root
        .command()
        .args(["--json", "--durability", "lazy=1h", "comment", &id, "-"])
        .args(["--as", "anna"])
        .stdin(fs::File::open(&text).expect("it was written"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut out = child.stdout.take().expect("its output is a pipe");
    let mut printed = vec![0; 1];
    out.read_exact(&mut printed).expect("it answers");
    let holder = rusqlite::Connection::open(root.board_file()).expect("the board is there");
    holder.execute_batch("BEGIN IMMEDIATE").expect("it is free");
    out.read_to_end(&mut printed).expect("it ends");
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
    let printed = String::from_utf8(printed).expect("an envelope is text");
    let envelopes: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).expect("an envelope is JSON"))
        .collect();
    assert_eq!(envelopes.len(), 2, "the answer, and how the board closed");
    assert_eq!(envelopes[0]["effect"], "applied");
    let error = &envelopes[1]["error"];
    assert_eq!(
        (&error["kind"], &error["reason"]),
        (&json!("unknown"), &json!("close")),
        "{error}"
    );
    assert_eq!(error["path"], json!(root.board_file().to_str()), "{error}");
    drop(holder);
    let comments = root.data(&["comments", &id]);
    assert_eq!(comments.as_array().map(Vec::len), Some(1));
}
