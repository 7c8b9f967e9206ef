//! Ids: whole for writes, a unique beginning for questions.

use serde_json::json;

use crate::harness::Root;

fn two(root: &Root) -> (String, String, String) {
    let first = root.add("One", &[]);
    let second = root.add("Two", &[]);
    let shared = first
        .chars()
        .zip(second.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let prefix = first[..shared].to_owned();
    assert!(prefix.len() >= 8, "ids begin with the time: {prefix}");
    (first, second, prefix)
}

#[test]
fn a_question_takes_a_unique_beginning() {
    let root = Root::new();
    let (first, _, prefix) = two(&root);
    let unique = &first[..=prefix.len()];
    assert_eq!(root.data(&["show", unique])["id"], json!(first));
    let events = root.data(&["events", "--task", unique]);
    assert_eq!(events["events"][0]["task"], json!(first));
    assert_eq!(root.data(&["list", "--parent", unique])["items"], json!([]));
}

#[test]
fn an_ambiguous_beginning_is_refused_with_the_ids() {
    let root = Root::new();
    let (first, second, prefix) = two(&root);
    let error = root.error(1, &["show", &prefix]);
    assert_eq!(error["kind"], "rejected");
    assert_eq!(error["reason"], "ambiguous_id");
    let mut ids = [first, second];
    ids.sort();
    assert_eq!(error["ids"], json!(ids));
}

#[test]
fn a_beginning_of_less_than_8_characters_is_none() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let error = root.error(1, &["show", &id[..7]]);
    assert_eq!(error["kind"], "not_found");
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("first 8 characters"), "{message}");
    assert_eq!(root.data(&["show", &id[..8]])["id"], json!(id));
}

#[test]
fn a_write_wants_the_whole_id() {
    let root = Root::new();
    let id = root.add("One", &[]);
    let part = &id[..20];
    for args in [
        &["claim", part, "--as", "w"][..],
        &["complete", part, "--operator", "anna"],
        &["fail", part, "--operator", "anna"],
        &["release", part, "--operator", "anna"],
        &["heartbeat", part, "--operator", "anna"],
        &["comment", part, "hello", "--as", "anna"],
        &["link", &id, part],
    ] {
        let error = root.error(1, args);
        assert_eq!(error["kind"], "not_found", "{args:?}");
        wants_the_whole(&error);
    }
    let error = root.error(1, &["add", "Two", "--parent", part]);
    assert_eq!(error["reason"], "unknown_tasks");
    wants_the_whole(&error);
    let error = root.error(1, &["claim", "t_unknown", "--as", "w"]);
    assert_eq!(error["message"], "no such task: t_unknown");
}

fn wants_the_whole(error: &serde_json::Value) {
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("a write wants the whole"), "{message}");
}
