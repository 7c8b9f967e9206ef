//! Holding, review, planning, the archive, and what belongs to a task.

use serde_json::json;

use crate::harness::{Root, text};

#[test]
fn a_card_is_edited_field_by_field() {
    let root = Root::new();
    let id = root.add("One", &["--body", "Text", "--tenant", "acme"]);
    let version = root.data(&["show", &id])["version"].to_string();
    let edit = [
        "update",
        &id,
        "--title",
        "Two",
        "--no-body",
        "--priority",
        "-3",
    ];
    let edited = root.data(&[&edit[..], &["--if-version", &version, "--as", "anna"]].concat());
    assert_eq!(
        (&edited["title"], &edited["priority"]),
        (&json!("Two"), &json!(-3))
    );
    let shown = root.data(&["show", &id]);
    assert_eq!(
        (&shown["body"], &shown["tenant"]),
        (&json!(null), &json!("acme"))
    );
    let error = root.error(
        1,
        &["update", &id, "--title", "Three", "--if-version", &version],
    );
    assert_eq!(error["reason"], "version_mismatch");
    assert_eq!(root.run(&["update", &id]).code, 2, "nothing to edit");
}

#[test]
fn a_task_is_assigned_and_taken_away() {
    let root = Root::new();
    let id = root.add("One", &[]);
    assert_eq!(root.data(&["assign", &id, "Writer"])["assignee"], "writer");
    assert_eq!(
        root.data(&["assign", &id, "--nobody"])["assignee"],
        json!(null)
    );
    assert_eq!(root.run(&["assign", &id]).code, 2);
    assert_eq!(root.run(&["assign", &id, "writer", "--nobody"]).code, 2);
}

#[test]
fn a_blocked_task_goes_on_when_it_is_unblocked() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let run = root.claim(&id);
    let block = [
        "block",
        &id,
        "--run",
        &run,
        "--kind",
        "needs_input",
        "--reason",
        "Which?",
    ];
    let blocked = root.data(&block);
    assert_eq!(blocked["task"]["block"]["reason"], "Which?");
    assert_eq!(blocked["run"]["outcome"], "blocked");
    assert_eq!(
        root.data(&["unblock", &id, "--as", "anna"])["status"],
        "ready"
    );
    let later = root.add("Two", &[]);
    let wait = [
        "block",
        &id,
        "--operator",
        "anna",
        "--kind",
        "dependency",
        "--on",
        &later,
    ];
    assert_eq!(root.data(&wait)["task"]["status"], "todo");
    assert_eq!(root.data(&["parents", &id])[0]["id"], json!(later));
    assert_eq!(root.data(&["children", &later])[0]["id"], json!(id));
}

#[test]
fn a_dry_run_of_a_promotion_writes_nothing() {
    let root = Root::new();
    let parent = root.add("One", &[]);
    let id = root.add("Two", &["--parent", &parent]);
    let error = root.error(1, &["promote", &id, "--as", "anna"]);
    assert_eq!(error["reason"], "unsatisfied_parents");
    let seq = root.json(&["stats"]).envelope()["seq"].take();
    let promote = ["promote", &id, "--as", "anna", "--unlink"];
    let tried = root
        .json(&[&promote[..], &["--dry-run"]].concat())
        .envelope();
    assert_eq!(
        (&tried["seq"], &tried["data"]["status"]),
        (&seq, &json!("ready"))
    );
    assert_eq!(root.data(&["show", &id])["status"], "todo");
    assert_eq!(root.data(&promote)["status"], "ready");
}

#[test]
fn a_scheduled_task_waits_for_its_time() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let at = "2100-01-01T00:00:00Z";
    let put_off = [
        "schedule",
        &id,
        "--operator",
        "anna",
        "--at",
        at,
        "--reason",
        "Later",
    ];
    let task = root.data(&put_off)["task"].take();
    assert_eq!(
        (&task["status"], &task["wake_at"]),
        (&json!("scheduled"), &json!(4_102_444_800_000_i64))
    );
    let error = root.error(
        2,
        &[
            "schedule",
            &id,
            "--operator",
            "anna",
            "--at",
            "2001-01-01T00:00:00Z",
        ],
    );
    assert_eq!(error["kind"], "invalid");
}

#[test]
fn nothing_starts_under_a_pause() {
    let root = Root::new();
    root.add("One", &["--assignee", "writer"]);
    let pause = [
        "pause",
        "--assignee",
        "writer",
        "--as",
        "anna",
        "--reason",
        "Ill",
    ];
    assert_eq!(root.data(&pause)["target"], json!({"assignee": "writer"}));
    assert_eq!(root.data(&["pauses"])[0]["reason"], "Ill");
    let ended = root.json(&["claim", "--next", "--as", "w"]);
    assert_eq!(
        (ended.code, &ended.envelope()["data"]["paused"]),
        (5, &json!(true))
    );
    let resume = ["resume", "--assignee", "writer", "--as", "anna"];
    assert_eq!(root.data(&resume)["reason"], "Ill");
    let again = root.json(&resume).envelope();
    assert_eq!(
        (&again["effect"], &again["data"]),
        (&json!("unchanged"), &json!(null))
    );
}

#[test]
fn work_goes_to_its_reviewer_and_back() {
    let root = Root::new();
    let id = root.add("One", &["--assignee", "writer"]);
    let run = root.claim(&id);
    let request = [
        "review",
        "request",
        &id,
        "--run",
        &run,
        "--summary",
        "Read it",
        "--reviewer",
        "anna",
    ];
    let task = root.data(&request)["task"].take();
    assert_eq!(
        (&task["status"], &task["assignee"]),
        (&json!("review"), &json!("anna"))
    );
    let run = root.claim(&id);
    let changes = [
        "review", "changes", &id, "--run", &run, "--reason", "Shorter",
    ];
    let task = root.data(&changes)["task"].take();
    assert_eq!(
        (&task["status"], &task["assignee"]),
        (&json!("ready"), &json!("writer"))
    );
    let summaries = root.data(&["summaries", &id]);
    assert_eq!(summaries, json!([{"task": id, "summary": "Shorter"}]));
    assert_eq!(root.data(&["runs", &id]).as_array().map(Vec::len), Some(2));
}

#[test]
fn a_reopened_task_takes_what_was_built_on_it_along() {
    let root = Root::new();
    let parent = root.add("One", &[]);
    let child = root.add("Two", &["--parent", &parent]);
    root.data(&["complete", &parent, "--operator", "anna"]);
    let run = root.claim(&child);
    let worker = [
        "spawned", &child, "--run", &run, "--host", "h1", "--pid", "4711",
    ];
    assert_eq!(root.data(&worker)["worker"]["pid"], 4711);
    assert_eq!(root.json(&worker).envelope()["effect"], "repeated");
    let reopened = root.data(&["reopen", &parent, "--as", "anna", "--reason", "Wrong"]);
    assert_eq!(reopened["invalidated"], json!([child]));
    assert_eq!(reopened["stopped"][0]["run"]["worker"]["host"], "h1");
}

#[test]
fn a_task_leaves_the_board_for_good() {
    let root = Root::new();
    let id = root.add("Idea", &["--triage"]);
    assert_eq!(
        root.data(&["specify", &id, "--as", "anna", "--title", "Plan"])["status"],
        "ready"
    );
    let error = root.error(1, &["delete", &id, "--as", "anna"]);
    assert_eq!(error["reason"], "wrong_status");
    let archive = ["archive", &id, "--operator", "anna"];
    assert_eq!(root.data(&archive)["task"]["status"], "archived");
    assert_eq!(
        root.data(&["restore", &id, "--as", "anna"])["status"],
        "ready"
    );
    root.data(&archive);
    assert_eq!(root.data(&["delete", &id, "--as", "anna"]), json!("Plan"));
    assert_eq!(root.error(1, &["show", &id])["kind"], "not_found");
}

#[test]
fn files_and_comments_are_listed_by_number() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let uri = "https://example.com/a/report.pdf";
    let attach = ["attach", &id, uri, "--size", "12", "--as", "anna"];
    let file = root.data(&attach);
    assert_eq!(
        (&file["file_name"], &file["size"]),
        (&json!("report.pdf"), &json!(12))
    );
    assert_eq!(root.data(&["attachments", &id])[0]["uri"], uri);
    assert_eq!(
        root.data(&["detach", &id, &file["id"].to_string()])["id"],
        file["id"]
    );
    assert_eq!(root.data(&["attachments", &id]), json!([]));
    for words in ["One", "Two"] {
        root.data(&["comment", &id, words, "--as", "anna"]);
    }
    let comments = root.data(&["comments", &id, "--after", "1"]);
    assert_eq!(comments[0]["body"], "Two");
    assert_eq!(
        root.data(&["comments", &id, "--limit", "1"])[0]["body"],
        "One"
    );
}

#[test]
fn tasks_and_ids_are_looked_up() {
    let root = Root::new();
    let (a, b) = (root.add("A", &[]), root.add("B", &[]));
    let tasks = root.data(&["tasks", &b, "t_unknown", &a]);
    assert_eq!((&tasks[0]["id"], &tasks[1]["id"]), (&json!(b), &json!(a)));
    assert_eq!(root.data(&["ids", &a]), json!([a]));
    assert_eq!(root.data(&["reached", "2"]), json!({"seq": 2}));
}

#[test]
fn a_graph_is_drawn_once_per_task() {
    let root = Root::new();
    let top = root.add("Top", &[]);
    let left = root.add("Left", &["--parent", &top]);
    let right = root.add("Right", &["--parent", &top]);
    let end = root.add("The \"end\"", &["--parent", &left, "--parent", &right]);
    let drawn = root.run(&["graph", &end]).stdout;
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines[1], "waits for", "{drawn}");
    assert_eq!(lines.len(), 6, "{drawn}");
    assert!(lines[3].starts_with("│   └── "), "{drawn}");
    let dot = root.run(&["graph", &end, "--dot"]).stdout;
    assert!(dot.contains(&format!("\"{left}\" -> \"{end}\";")), "{dot}");
    assert!(dot.contains(r#"label = "The \"end\"\n"#), "{dot}");
    assert_eq!(root.run(&["graph", &end, "--dot", "--json"]).code, 2);
    let near = root.data(&["graph", &top, "--depth", "1"]);
    assert_eq!(near["tasks"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_board_is_archived_restored_and_deleted() {
    let root = Root::new();
    root.data(&["board", "create", "website"]);
    let archived = root.data(&["board", "archive", "website"]);
    assert_eq!(archived, json!({"slug": "website", "place": "archived"}));
    let error = root.error(1, &["--board", "website", "list"]);
    assert_eq!(error["reason"], "board_archived");
    assert_eq!(
        text(&root.data(&["board", "restore", "website"])["place"]),
        "active"
    );
    let error = root.error(1, &["board", "delete", "website"]);
    assert_eq!(error["kind"], "rejected");
    root.data(&["board", "archive", "website"]);
    assert_eq!(
        root.data(&["board", "delete", "website"])["place"],
        json!(null)
    );
    assert_eq!(
        root.error(1, &["board", "archive", "default"])["kind"],
        "rejected"
    );
}
