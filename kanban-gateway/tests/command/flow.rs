//! Work from its creation to its end.

use std::fs;

use serde_json::json;

use crate::harness::{Root, text};

#[test]
fn a_task_is_added_claimed_and_completed() {
    let root = Root::new();
    let body = root.beside("body.md");
    fs::write(&body, "Do it well.\n").expect("the test may write");
    let parent = root.add("Design", &["--priority", "-2", "--assignee", "Anna"]);
    let child = root.add(
        "Build",
        &[
            "--parent",
            &parent,
            "--body-file",
            body.to_str().expect("a plain path"),
            "--attributes",
            r#"{"model":"large"}"#,
            "--max-runtime",
            "1h30m",
            "--created-from",
            &parent,
            "--created-by",
            "anna",
        ],
    );
    let shown = root.data(&["show", &child]);
    assert_eq!(shown["status"], "todo");
    assert_eq!(shown["body"], "Do it well.\n");
    assert_eq!(shown["attributes"], json!({"model": "large"}));
    assert_eq!(shown["max_runtime_ms"], 5_400_000);
    assert_eq!(shown["parents"][0]["id"], json!(parent));

    let claimed = root.data(&[
        "claim",
        "--next",
        "--as",
        "w1",
        "--assignee",
        "anna",
        "--ttl",
        "90s",
    ]);
    assert_eq!(claimed["task"]["id"], json!(parent));
    let run = claimed["run"]["id"].to_string();
    let beat = root.data(&[
        "heartbeat",
        &parent,
        "--run",
        &run,
        "--extend",
        "2h",
        "--note",
        "half",
    ]);
    let started = claimed["run"]["started_at"].as_i64().expect("a time");
    let expires = beat["expires_at"].as_i64().expect("a time");
    assert!(expires >= started + 7_200_000, "{beat}");

    let complete = [
        "complete",
        &parent,
        "--run",
        &run,
        "--summary",
        "Designed",
        "--result",
        "ok",
    ];
    let done = root.data(&complete);
    assert_eq!(done["task"]["status"], "done");
    assert_eq!(root.json(&complete).envelope()["effect"], "repeated");
    assert_eq!(root.data(&["show", &child])["status"], "ready");

    let comment = root.data(&["comment", &child, "Use the new logo", "--as", "anna"]);
    assert_eq!(comment["body"], "Use the new logo");
    let kinds: Vec<String> = root.data(&["events", "--task", &parent])["events"]
        .as_array()
        .expect("events are a list")
        .iter()
        .map(|event| text(&event["kind"]))
        .collect();
    assert_eq!(kinds, ["created", "claimed", "heartbeat", "completed"]);
    assert_eq!(
        root.data(&["verify"]),
        json!({"clean": true, "violations": []})
    );
}

#[test]
fn a_repeated_claim_gets_the_same_run() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let claim = ["claim", &id, "--as", "w", "--request-id", "r1"];
    let first = root.json(&claim).envelope();
    let again = root.json(&claim).envelope();
    assert_eq!(
        (&first["effect"], &again["effect"]),
        (&json!("applied"), &json!("repeated"))
    );
    assert_eq!(first["data"]["run"]["id"], again["data"]["run"]["id"]);
}

#[test]
fn caps_and_filters_hold_a_claim_back() {
    let root = Root::new();
    root.add("One", &["--assignee", "anna", "--tenant", "acme"]);
    root.add("Two", &[]);
    let next = |args: &[&str]| {
        let all: Vec<&str> = ["claim", "--next", "--as", "w"]
            .iter()
            .chain(args)
            .copied()
            .collect();
        root.json(&all)
    };
    assert_eq!(next(&["--assignee", "bert"]).code, 5);
    assert_eq!(next(&["--phase", "review"]).code, 5);
    assert_eq!(next(&["--tenant", "other"]).code, 5);
    let capped = next(&["--max-running", "0"]);
    assert_eq!(capped.envelope()["data"]["capped"], true);
    let unassigned = next(&["--unassigned"]).envelope();
    assert_eq!(unassigned["data"]["task"]["title"], "Two");
    assert_eq!(next(&["--max-running", "1"]).code, 5);
    let tenant = next(&["--tenant", "acme", "--max-per-assignee", "1"]).envelope();
    assert_eq!(tenant["data"]["task"]["title"], "One");
}

#[test]
fn starts_can_be_chosen_and_a_key_makes_one_task() {
    let root = Root::new();
    let status = |args: &[&str]| {
        let all: Vec<&str> = ["add", "One"].iter().chain(args).copied().collect();
        text(&root.data(&all)["status"])
    };
    assert_eq!(status(&["--triage"]), "triage");
    assert_eq!(status(&["--parked"]), "blocked");
    assert_eq!(status(&["--parked=not yet"]), "blocked");
    assert_eq!(status(&["--wake-at", "2h"]), "scheduled");
    assert_eq!(status(&["--wake-at", "2001-01-01T00:00:00Z"]), "ready");
    let both = root.run(&["add", "One", "--triage", "--parked"]);
    assert_eq!(both.code, 2);
    let first = root.add("Keyed", &["--key", "k1"]);
    let again = root.json(&["add", "Other", "--key", "k1"]).envelope();
    assert_eq!(
        (&again["effect"], &again["data"]["id"]),
        (&json!("repeated"), &json!(first))
    );
}

#[test]
fn a_list_is_read_page_by_page() {
    let root = Root::new();
    for number in 1..=5 {
        let priority = number.to_string();
        root.add(&format!("Task {number}"), &["--priority", &priority]);
    }
    let mut titles = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut args = vec![
            "list",
            "--order",
            "priority",
            "--limit",
            "2",
            "--status",
            "ready,done",
        ];
        if let Some(cursor) = &cursor {
            args.extend(["--after", cursor]);
        }
        let page = root.data(&args);
        let items = page["items"].as_array().expect("items are a list");
        titles.extend(items.iter().map(|task| text(&task["title"])));
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(titles, ["Task 5", "Task 4", "Task 3", "Task 2", "Task 1"]);
}

#[test]
fn links_come_and_go() {
    let root = Root::new();
    let a = root.add("A", &[]);
    let b = root.add("B", &[]);
    assert_eq!(root.data(&["link", &a, &b])["status"], "todo");
    assert_eq!(
        root.json(&["link", &a, &b]).envelope()["effect"],
        "unchanged"
    );
    assert_eq!(root.data(&["unlink", &a, &b])["status"], "ready");
}

#[test]
fn a_failure_waits_for_its_retry() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let run = root.claim(&id);
    let failed = root.data(&[
        "fail",
        &id,
        "--run",
        &run,
        "--kind",
        "rate_limited",
        "--error",
        "429",
        "--retry-after",
        "2h",
    ]);
    assert_eq!(failed["run"]["outcome"], "rate_limited");
    assert_eq!(failed["task"]["status"], "ready");
    let next = root.json(&["claim", "--next", "--as", "w"]);
    assert_eq!(next.code, 5);
    assert_eq!(
        next.envelope()["data"]["next_at"],
        failed["task"]["not_before"]
    );
    let error = root.error(1, &["claim", &id, "--as", "w"]);
    assert_eq!(error["not_before"], failed["task"]["not_before"]);
}

#[test]
fn a_tick_says_what_it_did() {
    let root = Root::new();
    root.add("One", &["--wake-at", "2h"]);
    let id = root.add("Two", &[]);
    root.claim(&id);
    let ticked = root.json(&["tick"]).envelope();
    assert_eq!(ticked["effect"], "unchanged");
    assert_eq!(ticked["data"], json!({"woken": [], "reclaimed": []}));
}

#[test]
fn tables_show_what_matters() {
    let root = Root::new();
    let id = root.add(
        "Write the report",
        &["--assignee", "anna", "--body", "Line one\nLine two"],
    );
    let list = root.run(&["list"]).stdout;
    let words: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(words[0], ["ID", "STATUS", "PRIORITY", "ASSIGNEE", "TITLE"]);
    assert_eq!(
        words[1],
        [id.as_str(), "ready", "0", "anna", "Write", "the", "report"]
    );
    let show = root.run(&["show", &id]).stdout;
    assert!(show.contains("body:\nLine one\nLine two"), "{show}");
    let stats = root.run(&["stats"]).stdout;
    assert!(stats.contains("tasks: 1"), "{stats}");
    assert!(root.run(&["events"]).stdout.contains("created"));
    assert_eq!(root.run(&["verify"]).stdout, "clean\n");
}
