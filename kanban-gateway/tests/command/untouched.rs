//! What must leave nothing behind: questions about what is not there, and calls that are refused.

use std::fs;

use serde_json::json;

use crate::harness::Root;

/// The questions that a root without boards answers as an empty board would.
const QUESTIONS: [&[&str]; 13] = [
    &["boards"],
    &["list"],
    &["show", "t_nothing_is_called_so"],
    &["tasks", "t_nothing_is_called_so"],
    &["ids", "t_"],
    &["events"],
    &["stats"],
    &["pauses"],
    &["policy", "show"],
    &["subscriptions"],
    &["subscriptions", "--pending"],
    &["graph", "t_nothing_is_called_so"],
    &["runs", "t_nothing_is_called_so"],
];

fn expect_nothing(root: &Root, args: &[&str]) {
    assert!(!root.path().exists(), "{args:?} made a root");
}

#[test]
fn a_question_makes_no_root() {
    let root = Root::new();
    for args in QUESTIONS {
        let ended = root.json(args);
        assert!(ended.code < 2, "{args:?}: {ended:?}");
        expect_nothing(&root, args);
    }
    assert_eq!(root.data(&["list"])["items"], json!([]));
    let boards = json!([{"slug": "default", "place": "active"}]);
    assert_eq!(root.data(&["boards"]), boards);
    let error = root.error(1, &["--board", "website", "list"]);
    assert_eq!(error["board"], "website");
    expect_nothing(&root, &["list"]);
}

#[test]
fn a_question_tells_people_that_there_is_nothing_yet() {
    let root = Root::new();
    let ended = root.run(&["list"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let path = root.path().display().to_string();
    assert!(ended.stderr.contains(&path), "{ended:?}");
    assert_eq!(root.json(&["list"]).stderr, "");
    root.add("One", &[]);
    assert_eq!(root.run(&["list"]).stderr, "");
}

#[test]
fn there_is_nothing_to_check_or_to_take_out_of_a_root_that_is_not_there() {
    let root = Root::new();
    let file = root.beside("out");
    let file = file.to_str().expect("a plain path");
    for args in [&["verify"][..], &["export", file], &["backup", file]] {
        let error = root.error(1, args);
        assert_eq!(
            (&error["kind"], &error["board"]),
            (&json!("not_found"), &json!("default"))
        );
        expect_nothing(&root, args);
        assert!(!root.beside("out").exists(), "{args:?} made a file");
    }
}

#[test]
fn a_new_task_that_names_others_makes_no_board_where_they_cannot_be() {
    let root = Root::new();
    let graph = root.beside("graph.yaml");
    fs::write(&graph, "- {title: One, parents: [t_nobody]}\n").expect("the test may write");
    let graph = graph.to_str().expect("a plain path");
    let calls = [
        &["add", "One", "--parent", "t_nobody"][..],
        &["add", "One", "--created-from", "t_nobody"],
        &["add", "--graph", graph],
    ];
    for args in calls {
        let error = root.error(1, args);
        let found = (&error["kind"], &error["board"]);
        assert_eq!(found, (&json!("not_found"), &json!("default")), "{args:?}");
        expect_nothing(&root, args);
    }
    let id = root.add("One", &[]);
    for args in calls {
        assert_eq!(root.error(1, args)["reason"], "unknown_tasks", "{args:?}");
        let args = [&["--board", "website"], args].concat();
        let error = root.error(1, &args);
        assert_eq!(error["board"], "website", "{args:?}: {error}");
        assert!(!root.path().join("boards").join("website").exists());
    }
    root.add("Two", &["--parent", &id]);
    assert_eq!(root.data(&["boards"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn arguments_that_are_refused_make_no_board() {
    let root = Root::new();
    let wrong = root.beside("wrong.yaml");
    fs::write(&wrong, "- {titel: One}\n").expect("the test may write");
    let wrong = wrong.to_str().expect("a plain path");
    let no_file = root.beside("no_file");
    let no_file = no_file.to_str().expect("a plain path");
    for args in [
        &["add", "  "][..],
        &["add", "One", "--assignee", "a b"],
        &["add", "One", "--wake-at", "soon"],
        &["add", "One", "--body-file", no_file],
        &["add", "--graph", no_file],
        &["add", "--graph", wrong],
        &["import", "jsonl", no_file],
        &["import", "backup", no_file],
        #[cfg(feature = "hermes")]
        &["import", "hermes", no_file],
        #[cfg(feature = "hermes")]
        &["import", "hermes", wrong],
        &["import", "jsonl", wrong, "--as", ""],
        &["claim", "t/1", "--as", "w"],
        &["pause", "--as", ""],
        &["policy", "set", "--claim-ttl", "soon", "--as", "anna"],
        &["board", "create", "No Board"],
    ] {
        root.error(2, args);
        expect_nothing(&root, args);
    }
    for args in [
        &["board", "archive", "website"][..],
        &["board", "restore", "website"],
        &["board", "delete", "website"],
    ] {
        root.error(1, args);
        expect_nothing(&root, args);
    }
    root.add("One", &[]);
    root.error(2, &["--board", "website", "add", "  "]);
    root.error(2, &["--board", "website", "import", "jsonl", no_file]);
    assert_eq!(root.data(&["boards"]).as_array().map(Vec::len), Some(1));
    assert!(!root.path().join("boards").join("website").exists());
}
