//! Several processes on one root.

use std::collections::BTreeSet;
use std::fs;
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
