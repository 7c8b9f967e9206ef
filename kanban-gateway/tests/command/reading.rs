//! What people read: nothing that matters is left out of the tables.

use crate::harness::Root;

fn said(root: &Root, args: &[&str]) -> String {
    let ended = root.run(args);
    assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
    ended.stdout
}

#[test]
fn a_repeat_and_a_write_that_changed_nothing_are_told() {
    let root = Root::new();
    let id = root.add("One", &["--key", "k"]);
    let again = said(&root, &["add", "One", "--key", "k"]);
    assert_eq!(again, format!("{id}  ready  One  (repeated)\n"));
    let same = said(&root, &["update", &id, "--title", "One"]);
    assert_eq!(same, format!("{id}  ready  One  (unchanged)\n"));
    let other = said(&root, &["update", &id, "--title", "Two"]);
    assert_eq!(other, format!("{id}  ready  Two\n"));
}

#[test]
fn a_log_that_is_cut_says_how_to_go_on() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let run = root.claim(&id);
    root.data(&["complete", &id, "--run", &run]);
    let first = said(&root, &["events", "--limit", "2"]);
    assert!(first.ends_with("\nmore: --after 2\n"), "{first}");
    let rest = said(&root, &["events", "--limit", "2", "--after", "2"]);
    assert!(!rest.contains("more:"), "{rest}");
    let of_a_kind = said(&root, &["events", "--kind", "claimed", "--limit", "1"]);
    assert!(of_a_kind.contains("ready -> running"), "{of_a_kind}");
    let all = said(&root, &["events"]);
    assert!(all.contains("running -> done"), "{all}");
    assert!(!all.contains("more:"), "{all}");
    let followed = said(&root, &["events", "--follow", "--limit", "2"]);
    assert!(followed.contains("ready -> running"), "{followed}");
}

#[test]
fn a_kind_of_event_that_there_is_not_is_refused() {
    let root = Root::new();
    root.add("One", &[]);
    let subscribe = ["subscribe", "--all", "--channel", "mail", "--address", "a"];
    for args in [&["events"][..], &["events", "--follow"], &subscribe] {
        let args = [args, &["--kind", "claimed,finished"]].concat();
        let error = root.error(2, &args);
        assert_eq!(error["field"], "kind", "{error}");
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains("finished"), "{message}");
        assert!(message.contains("completed"), "{message}");
    }
}

#[test]
fn a_task_is_shown_with_all_that_it_has() {
    let root = Root::new();
    let first = root.add("First", &[]);
    let second = root.add(
        "Second",
        &[
            "--parent",
            &first,
            "--key",
            "k",
            "--max-runtime",
            "90m",
            "--failure-limit",
            "7",
            "--created-from",
            &first,
            "--assignee",
            "writer",
        ],
    );
    let shown = fields(&root, &second);
    for field in [
        "phase work",
        "version 1",
        "key k",
        "waits for 1",
        "failure limit 7",
        "max runtime 90m",
        &format!("created from {first}"),
    ] {
        assert!(shown.iter().any(|it| it == field), "{field} in {shown:?}");
    }
    let run = root.claim(&first);
    root.data(&[
        "review",
        "request",
        &first,
        "--run",
        &run,
        "--reviewer",
        "rob",
    ]);
    let shown = fields(&root, &first);
    for field in ["phase review", "assignee rob", "started 20", "updated 20"] {
        assert!(
            shown.iter().any(|it| it.starts_with(field)),
            "{field} in {shown:?}"
        );
    }
}

/// The fields that are shown of a task, each with one space for every gap.
fn fields(root: &Root, id: &str) -> Vec<String> {
    let text = said(root, &["show", id]);
    let lines = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect()
}
