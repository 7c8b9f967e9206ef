//! The plan of every text.

use rusqlite::Connection;

use super::*;
use crate::schema;

/// Walks of a whole table in the order of its key, where the whole table is the answer. Both are small: a row for each
/// paused assignee, and for each pair of status and assignee.
const WALKS: &[&str] = &["PAUSES", "COUNTS"];

/// Counts all rows, for whom progress is told.
const COUNTING: &str = "ROWS";

const TABLES: &[(&str, &[&str])] = &[
    ("board", BOARD_COLUMNS),
    ("policy", POLICY_COLUMNS),
    ("pause", PAUSE_COLUMNS),
    ("task", TASK_COLUMNS),
    ("run", RUN_COLUMNS),
    ("subscription", SUBSCRIPTION_COLUMNS),
];

fn plan(connection: &Connection, text: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {text}"))
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let rows = statement.raw_query().mapped(|row| row.get(3));
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

fn check(connection: &Connection, name: &str, text: &str) {
    let plan = plan(connection, text);
    for line in &plan {
        let is_walk = name == COUNTING || WALKS.contains(&name) && !line.contains("INDEX");
        let is_own_answer = line.contains("(subquery");
        assert!(
            !line.contains("SCAN") || is_walk || is_own_answer,
            "{name} scans: {plan:#?}"
        );
        assert!(!line.contains("B-TREE"), "{name} sorts: {plan:#?}");
        assert!(
            !line.contains("AUTOMATIC"),
            "{name} builds an index: {plan:#?}"
        );
    }
}

#[test]
fn every_statement_is_answered_by_one_index_in_its_order() {
    let connection = schema::in_memory().unwrap();
    for (name, text) in ALL {
        check(&connection, name, text);
    }
    assert!(ALL.len() > 80, "found {}", ALL.len());
}

#[test]
fn every_update_finds_its_row_by_the_key() {
    let connection = schema::in_memory().unwrap();
    for (table, columns) in TABLES {
        let key = columns[0];
        for column in &columns[1..] {
            check(&connection, column, &update(table, key, &[column]));
        }
        check(&connection, table, &update(table, key, &columns[1..]));
    }
}

#[test]
fn every_question_of_a_row_ends_in_a_search() {
    let connection = schema::in_memory().unwrap();
    for (name, text) in ALL {
        if text.starts_with("SELECT") && *name != COUNTING && !WALKS.contains(name) {
            let plan = plan(&connection, text);
            assert!(
                plan.iter().any(|line| line.contains("SEARCH")),
                "{name}: {plan:#?}"
            );
        }
    }
}

/// How many tables and indexes a text may write to.
fn written(connection: &Connection, text: &str) -> usize {
    let mut statement = connection.prepare(&format!("EXPLAIN {text}")).unwrap();
    let rows = statement.raw_query().mapped(|row| row.get::<_, String>(1));
    rows.filter(|opcode| opcode.as_ref().unwrap() == "OpenWrite")
        .count()
}

#[test]
fn an_update_touches_only_the_indexes_of_its_columns() {
    let connection = schema::in_memory().unwrap();
    let heartbeat = update("task", "id", &["claim_heartbeat_at"]);
    assert_eq!(written(&connection, &heartbeat), 1);
    let extended = update("task", "id", &["claim_heartbeat_at", "claim_expires_at"]);
    assert_eq!(written(&connection, &extended), 2);
    let edited = update("task", "id", &["title", "version", "updated_at"]);
    assert_eq!(written(&connection, &edited), 2);
}

#[test]
fn names_and_marks_of_columns_go_together() {
    let connection = schema::in_memory().unwrap();
    for (table, columns) in TABLES {
        let mut statement = connection
            .prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))
            .unwrap();
        let rows = statement.raw_query().mapped(|row| row.get::<_, String>(0));
        let names: Vec<String> = rows.collect::<rusqlite::Result<_>>().unwrap();
        assert_eq!(names, *columns, "columns of {table}");
    }
}
