//! The whole report, so small that its figures mean nothing: it measures, judges and writes all that it is asked for.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn kanban_bench(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kanban-bench"))
        .args(args)
        .current_dir(folder)
        .env("KANBAN_BENCH_DIR", folder)
        .output()
        .expect("the program starts")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("the report wrote it")
}

#[test]
fn a_whole_report_is_taken_judged_and_shown_again() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let place = folder.path();
    let mut args = vec!["report", "--tiny", "--check", "--json", "report.json"];
    args.extend(["--html", "report.html", "--markdown", "report.md"]);
    let taken = kanban_bench(place, &args);
    let words = String::from_utf8_lossy(&taken.stderr).into_owned();
    assert!(words.is_empty(), "standard error is no terminal: {words}");

    let report: Value = serde_json::from_str(&read(&place.join("report.json"))).expect("JSON");
    let schema = include_str!("../../docs/benchmarks.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let wrong: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");

    let targets = report["targets"].as_array().expect("a list");
    // Two engines, one of them in two modes, at two durabilities.
    assert_eq!(targets.len(), 33, "{targets:#?}");
    let compared = report["comparisons"].as_array().expect("a list");
    for id in [
        "transitions/sqlite/lazy_100ms/128_tasks/64_clients/limit",
        "transitions_open/redb_exclusive/lazy_100ms/128_tasks/1_client/limit",
    ] {
        assert!(compared.iter().any(|one| one["id"] == id), "{id}");
    }
    let met = targets.iter().all(|target| target["met"] == true);
    let expected = i32::from(!met);
    assert_eq!(
        taken.status.code(),
        Some(expected),
        "0 if all are met, else 1"
    );

    let (html, markdown) = (
        read(&place.join("report.html")),
        read(&place.join("report.md")),
    );
    let shown = String::from_utf8(taken.stdout).expect("text");
    for target in targets {
        let id = target["id"].as_str().expect("a name");
        assert!(
            html.contains(id) && markdown.contains(id) && shown.contains(id),
            "{id}"
        );
    }

    let again = kanban_bench(
        place,
        &["report", "--from", "report.json", "--html", "again.html"],
    );
    assert_eq!(again.status.code(), Some(0), "nobody asked for a check");
    assert_eq!(String::from_utf8_lossy(&again.stdout), shown);
    assert_eq!(read(&place.join("again.html")), html);

    // Whoever was to read is gone, and the files are there all the same.
    let (reader, writer) = std::io::pipe().expect("there are pipes");
    drop(reader);
    let unread = Command::new(env!("CARGO_BIN_EXE_kanban-bench"))
        .args(["report", "--from", "report.json", "--html", "again.html"])
        .args(["--markdown", "again.md"])
        .current_dir(place)
        .stdout(writer)
        .status();
    assert_eq!(unread.expect("the program starts").code(), Some(0));
    assert_eq!(read(&place.join("again.md")), markdown);

    let left: Vec<_> = fs::read_dir(place)
        .expect("it is there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.contains("report.") && !name.starts_with("again."))
        .collect();
    assert!(left.is_empty(), "boards were left behind: {left:?}");
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_anything_is_measured() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let boards = folder.path().join("boards");
    for option in ["--json", "--html", "--markdown"] {
        // A folder that is not there, and a folder where a file is to be.
        for file in ["nowhere/report", "."] {
            let done = Command::new(env!("CARGO_BIN_EXE_kanban-bench"))
                .args(["report", "--tiny", option, file])
                .current_dir(folder.path())
                .env("KANBAN_BENCH_DIR", &boards)
                .output()
                .expect("the program starts");
            let words = String::from_utf8_lossy(&done.stderr).into_owned();
            assert_eq!(done.status.code(), Some(2), "{option} {file}: {words}");
            assert!(words.contains(file), "{option} {file}: {words}");
        }
    }
    assert!(!boards.exists(), "no place for boards was made yet");
}

#[test]
fn what_cannot_be_measured_ends_with_2_and_says_why() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for (args, told) in [
        (&["report", "--from", "nowhere.json"][..], "nowhere.json"),
        (&["report", "--from", "a.json", "--quick"], "--quick"),
        (&["idle", "--engine", "paper", "."], "paper"),
    ] {
        let done = kanban_bench(folder.path(), args);
        let words = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{args:?}: {words}");
        assert!(words.contains(told), "{args:?}: {words}");
    }
}
