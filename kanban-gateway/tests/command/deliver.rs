//! Subscriptions and upkeep, files of many tasks, and what belongs beside the program.

use std::fs;

use serde_json::json;

use crate::harness::Root;

#[test]
fn events_are_leased_until_they_are_acknowledged() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let subscribe = [
        "subscribe",
        &id,
        "--channel",
        "mail",
        "--address",
        "anna@example.com",
        "--kind",
        "completed",
    ];
    let one = root.data(&subscribe);
    assert_eq!(
        (&one["id"], &one["scope"]),
        (&json!(1), &json!({"task": id}))
    );
    let ended = root.json(&["lease", "1"]);
    assert_eq!(
        (ended.code, &ended.envelope()["data"]["lease"]),
        (5, &json!(null))
    );
    assert_eq!(root.data(&["subscriptions", "--pending"]), json!([]));
    root.data(&["complete", &id, "--operator", "anna"]);
    assert_eq!(root.data(&["subscriptions", "--pending"])[0]["id"], 1);
    let leased = root.data(&["lease", "1", "--ttl", "1h"]);
    assert_eq!(
        (&leased["attempt"], &leased["events"][0]["kind"]),
        (&json!(1), &json!("completed"))
    );
    assert_eq!(root.json(&["lease", "1"]).code, 5, "somebody has them");
    root.data(&["nack", "1", &leased["lease"].to_string()]);
    let again = root.data(&["lease", "1"]);
    assert_eq!(again["attempt"], 2);
    let error = root.error(1, &["ack", "1", &leased["lease"].to_string()]);
    assert_eq!(error["reason"], "stale_lease");
    let acked = root.data(&["ack", "1", &again["lease"].to_string()]);
    assert_eq!(acked["cursor"], leased["events"][0]["id"]);
    assert_eq!(
        root.data(&["subscriptions", "--task", &id])[0]["cursor"],
        acked["cursor"]
    );
    assert_eq!(root.data(&["unsubscribe", "1"])["channel"], "mail");
}

#[test]
fn a_subscription_to_everything_must_be_asked_for() {
    let root = Root::new();
    root.add("One", &[]);
    assert_eq!(
        root.run(&["subscribe", "--channel", "c", "--address", "a"])
            .code,
        2
    );
    let all = root.data(&["subscribe", "--all", "--channel", "c", "--address", "a"]);
    assert_eq!(all["scope"], "board");
}

#[test]
fn what_is_settled_long_enough_is_removed() {
    let root = Root::new();
    let id = root.add("One", &[]);
    root.data(&[
        "subscribe",
        &id,
        "--channel",
        "c",
        "--address",
        "a",
        "--kind",
        "gave_up",
    ]);
    root.data(&["update", &id, "--priority", "1"]);
    root.data(&["complete", &id, "--operator", "anna"]);
    assert_eq!(
        root.data(&["gc", "--older-than", "1d"]),
        json!({"removed": 0})
    );
    assert_eq!(
        root.json(&["gc", "--older-than", "1d"]).envelope()["effect"],
        "unchanged"
    );
    let removed = root.data(&["gc", "--older-than", "0s", "--covered"]);
    assert_ne!(removed["removed"], 0);
    assert_eq!(
        root.data(&["purge", "--older-than", "1d"]),
        json!({"removed": 0})
    );
    assert_eq!(root.data(&["verify"])["clean"], json!(true));
}

#[test]
fn a_policy_is_set_limit_by_limit() {
    let root = Root::new();
    root.add("One", &[]);
    let set = root.data(&["policy", "set", "--claim-ttl", "30m", "--as", "anna"]);
    assert_eq!(
        (&set["before"]["claim_ttl_ms"], &set["now"]["claim_ttl_ms"]),
        (&json!(900_000), &json!(1_800_000))
    );
    assert_eq!(root.data(&["policy", "show"]), set["now"]);
    assert!(
        root.run(&["policy", "show"])
            .stdout
            .starts_with("claim ttl           30m\n")
    );
    let error = root.error(
        2,
        &["policy", "set", "--failure-limit", "0", "--as", "anna"],
    );
    assert_eq!(error["field"], "failure_limit");
    assert_eq!(
        root.run(&["policy", "set", "--as", "anna"]).code,
        2,
        "nothing to set"
    );
}

#[test]
fn a_graph_of_tasks_is_added_as_a_whole() {
    let root = Root::new();
    let known = root.add("Known", &[]);
    let file = root.beside("plan.yaml");
    let path = file.to_str().expect("a plain path");
    let plan = format!(
        "- {{title: Build, after: [design], parents: [{known}], max_runtime: 2h}}\n\
         - title: Design\n  name: design\n  priority: 5\n  attributes: {{model: large, tries: 3}}\n  body: |\n    A\n    B\n\
         - {{title: Idea, triage: true}}\n"
    );
    fs::write(&file, plan).expect("the test may write");
    let ids = root.data(&["add", "--graph", path]);
    let id = |place: usize| ids[place].as_str().expect("an id");
    assert_eq!(
        root.data(&["parents", id(0)]).as_array().map(Vec::len),
        Some(2)
    );
    let design = root.data(&["show", id(1)]);
    assert_eq!(
        (&design["body"], &design["priority"]),
        (&json!("A\nB\n"), &json!(5))
    );
    assert_eq!(design["attributes"], json!({"model": "large", "tries": 3}));
    assert_eq!(root.data(&["show", id(2)])["status"], "triage");
    fs::write(&file, r#"[{"title": "From JSON"}]"#).expect("the test may write");
    root.data(&["add", "--graph", path]);
    let bad = [
        "- {title: A, after: [nobody]}",
        "- {title: A, pirority: 3}",
        "- {title: A, name: x}\n- {title: B, name: x}",
        "- {title: A, triage: true, wake_at: 2h}",
        "title: A",
        "- {title: A",
    ];
    for text in bad {
        fs::write(&file, text).expect("the test may write");
        let error = root.error(2, &["add", "--graph", path]);
        assert_eq!(error["kind"], "invalid", "{text}");
        assert!(
            !error["message"].to_string().contains("\\n"),
            "one line: {error}"
        );
    }
    fs::write(
        &file,
        "- {title: A, name: a, after: [b]}\n- {title: B, name: b, after: [a]}",
    )
    .expect("the test may write");
    assert_eq!(
        root.error(1, &["add", "--graph", path])["reason"],
        "cycle_among_items"
    );
    assert_eq!(root.data(&["stats"])["total"], 5);
    assert_eq!(root.run(&["add", "Title", "--graph", path]).code, 2);
    assert_eq!(root.run(&["add"]).code, 2);
}

#[test]
fn an_idea_is_divided_by_flags_or_by_a_file() {
    let root = Root::new();
    let id = root.add("Idea", &["--triage"]);
    let by_flags = [
        "decompose",
        &id,
        "--as",
        "anna",
        "--subtask",
        "A",
        "--subtask",
        "B",
        "--in-order",
    ];
    let divided = root.data(&by_flags);
    assert_eq!(divided["root"]["status"], "todo");
    let second = divided["subtasks"][1].as_str().expect("an id");
    assert_eq!(
        root.data(&["parents", second])[0]["id"],
        divided["subtasks"][0]
    );
    assert_eq!(root.error(1, &by_flags)["kind"], "rejected");
    let id = root.add("Another", &["--triage"]);
    let file = root.beside("subtasks.yaml");
    let path = file.to_str().expect("a plain path");
    fs::write(
        &file,
        "- {title: A, name: a, assignee: writer}\n- {title: B, after: [a]}",
    )
    .expect("the test may write");
    let divided = root.data(&["decompose", &id, "--as", "anna", "--file", path]);
    assert_eq!(divided["subtasks"].as_array().map(Vec::len), Some(2));
    assert_eq!(root.run(&["decompose", &id, "--as", "anna"]).code, 2);
}

#[test]
fn completions_and_man_pages_need_no_root() {
    let root = Root::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = root.run(&["completions", shell]);
        assert_eq!(ended.code, 0, "{shell}");
        assert!(ended.stdout.contains("unsubscribe"), "{shell}");
    }
    let man = root.beside("man");
    let pages = root.data(&["man", man.to_str().expect("a plain path")]);
    let pages = pages["files"].as_array().expect("a list");
    for page in [
        "kanban.1",
        "kanban-board-create.1",
        "kanban-review-request.1",
    ] {
        assert!(pages.contains(&json!(page)), "{page}");
        let text = fs::read_to_string(man.join(page)).expect("it was written");
        assert!(text.contains("Example:"), "{page}");
    }
    assert!(!root.path().exists());
}
