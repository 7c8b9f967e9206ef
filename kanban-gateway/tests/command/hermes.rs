//! `kanban import hermes`.

use serde_json::{Value, json};

use crate::harness::{Root, text};
use crate::hermes_board::Board;

/// The repairs as `table/row what: from -> to`.
fn repairs(imported: &Value) -> Vec<String> {
    let all = imported["repairs"].as_array().expect("repairs are a list");
    let word = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
    all.iter()
        .map(|repair| {
            format!(
                "{}/{} {}: {} -> {}",
                text(&repair["table"]),
                text(&repair["id"]),
                text(&repair["what"]),
                word(&repair["from"]),
                word(&repair["to"])
            )
        })
        .collect()
}

fn import(root: &Root, board: &Board) -> Value {
    root.data(&["import", "hermes", &board.path(), "--as", "anna"])
}

/// A board with one of everything, and nothing to repair.
fn sound(root: &Root) -> Board {
    let board = Board::new(root);
    board.task(
        "t_done",
        "done",
        "started_at = 1100, completed_at = 1200, result = 'fine', idempotency_key = 'k'",
    );
    board.task(
        "t_run",
        "running",
        "assignee = 'Coder', current_run_id = 4, claim_lock = 'host:1', claim_expires = 9000, \
         skills = '[\"git\"]', model_override = 'large', max_runtime_seconds = 60, max_retries = 3",
    );
    board.task(
        "t_block",
        "blocked",
        "block_kind = 'capability', block_recurrences = 1",
    );
    board.task("t_wait", "todo", "tenant = 'acme', priority = -2");
    board.task("t_old", "archived", "completed_at = 1200");
    board.task("t_review", "review", "");
    board.sql(
        "INSERT INTO task_links VALUES ('t_done', 't_wait'), ('t_run', 't_wait');
         INSERT INTO task_comments VALUES (3, 't_done', 'anna', 'Well done', 1300);
         INSERT INTO task_runs (id, task_id, status, started_at, ended_at, outcome, metadata, step_key)
             VALUES (2, 't_done', 'done', 1100, 1150, 'reclaimed', '{\"files\": 1}', 's1');
         INSERT INTO task_runs (id, task_id, status, profile, claim_lock, claim_expires, started_at)
             VALUES (4, 't_run', 'running', 'coder', 'host:1', 9000, 2000);
         INSERT INTO task_events (id, task_id, run_id, kind, payload, created_at) VALUES
             (5, 't_done', 2, 'claimed', '{\"lock\": \"host:9\"}', 1100),
             (6, 't_run', 4, 'claimed', '{\"lock\": \"host:1\"}', 2000),
             (7, 't_block', NULL, 'blocked', '{\"reason\": \"no camera\"}', 2100),
             (8, 't_wait', NULL, 'claim_rejected', '{\"reason\": \"parents\"}', 2200);
         INSERT INTO task_attachments VALUES
             (9, 't_done', 'a.txt', '/files/a.txt', 'text/plain', 12, 'anna', 1300);
         INSERT INTO kanban_notify_subs VALUES ('t_wait', 'slack', '5', '7', 'u1', NULL, 1400, 6);
         DELETE FROM sqlite_sequence WHERE name = 'task_runs';
         INSERT INTO sqlite_sequence VALUES ('task_runs', 20);",
    );
    board
}

#[test]
fn a_sound_board_is_taken_over_whole() {
    let root = Root::new();
    let imported = import(&root, &sound(&root));
    let expected = json!({
        "tasks": 6, "links": 2, "runs": 2, "comments": 1, "attachments": 1, "events": 4,
        "subscriptions": 1, "repairs": [],
    });
    assert_eq!(imported, expected);
    assert_eq!(root.data(&["verify"])["clean"], true);

    let done = root.data(&["show", "t_done"]);
    assert_eq!(
        (&done["completed_at"], &done["result"]),
        (&json!(1_200_000), &json!("fine"))
    );
    let run = &done["runs"][0];
    assert_eq!(
        (&run["outcome"], &run["claimant"]),
        (&json!("released"), &json!("host:9"))
    );
    let metadata = json!({
        "files": 1, "hermes.outcome": "reclaimed", "hermes.status": "done", "hermes.step_key": "s1",
    });
    assert_eq!(run["metadata"], metadata);
    assert_eq!(done["comments"][0]["at"], 1_300_000);
    assert_eq!(done["attachments"][0]["uri"], "/files/a.txt");

    let running = root.data(&["show", "t_run"]);
    assert_eq!(running["assignee"], "coder");
    assert_eq!(running["claim"]["expires_at"], 9_000_000);
    assert_eq!(running["max_runtime_ms"], 60_000);
    assert_eq!(running["failure_limit"], 3);
    let attributes = json!({
        "hermes.goal_mode": 0, "hermes.model_override": "large", "hermes.skills": ["git"],
        "hermes.workspace_kind": "scratch",
    });
    assert_eq!(running["attributes"], attributes);

    let blocked = root.data(&["show", "t_block"]);
    let block = json!({"kind": "capability", "reason": "no camera", "by": null, "at": 2_100_000});
    assert_eq!(blocked["block"], block);
    assert_eq!(
        blocked["block_streak"],
        json!({"kind": "capability", "count": 1})
    );
    assert_eq!(root.data(&["show", "t_review"])["phase"], "review");
    let events = root.data(&["events", "--task", "t_wait"]);
    assert_eq!(events["events"][0]["kind"], "claim_rejected");
    assert_eq!(
        events["events"][0]["data"],
        json!({"hermes.reason": "parents"})
    );
}

#[test]
fn an_imported_board_goes_on() {
    let root = Root::new();
    import(&root, &sound(&root));
    // The old worker finishes with its old run; the child becomes ready; a new run has a number never given there.
    root.data(&["complete", "t_run", "--run", "4", "--summary", "built"]);
    assert_eq!(root.data(&["show", "t_wait"])["status"], "ready");
    let claimed = root.data(&["claim", "t_wait", "--as", "w"]);
    assert_eq!(claimed["run"]["id"], 21);
    assert_eq!(root.data(&["verify"])["clean"], true);
}

#[test]
fn a_board_with_tasks_takes_no_import() {
    let root = Root::new();
    let board = sound(&root);
    import(&root, &board);
    let before = root.json(&["stats"]).stdout;
    let error = root.error(1, &["import", "hermes", &board.path()]);
    assert_eq!(
        (&error["kind"], &error["reason"]),
        (&json!("rejected"), &json!("board_not_empty"))
    );
    assert_eq!(root.json(&["stats"]).stdout, before);
}

#[test]
fn a_live_board_is_read_and_left_alone() {
    let root = Root::new();
    let board = sound(&root);
    board.sql("PRAGMA journal_mode = WAL; UPDATE tasks SET title = 'live' WHERE id = 't_wait'");
    import(&root, &board);
    assert_eq!(root.data(&["show", "t_wait"])["title"], "live");
    board.sql("UPDATE tasks SET title = 'goes on' WHERE id = 't_wait'");
}

#[test]
fn a_name_that_looks_like_a_uri_is_a_name() {
    let root = Root::new();
    let board = sound(&root);
    let file = root.beside("file:h.db");
    std::fs::copy(board.path(), &file).expect("the test may write");
    let mut command = root.command();
    command.current_dir(file.parent().expect("it is in a directory"));
    command.args(["--json", "import", "hermes", "file:h.db"]);
    let ended = crate::harness::run(&mut command);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn an_older_board_with_fewer_columns_is_taken_over() {
    let root = Root::new();
    let board = Board::bare(&root);
    board.sql(
        "CREATE TABLE tasks (id TEXT PRIMARY KEY, title TEXT, status TEXT, created_at INTEGER);
         INSERT INTO tasks VALUES ('t_a', 'Old', 'ready', 1000), ('t_b', 'Older', 'running', 900);",
    );
    let imported = import(&root, &board);
    assert_eq!(imported["tasks"], 2);
    assert_eq!(repairs(&imported), ["tasks/t_b status: running -> ready"]);
    assert_eq!(root.data(&["verify"])["clean"], true);
}

#[test]
fn what_is_no_board_is_refused() {
    let root = Root::new();
    let missing = root.beside("missing.db");
    let missing = missing.to_str().expect("a plain path");
    unreadable(&root, missing);
    assert!(!root.beside("missing.db").exists());

    let nonsense = root.beside("nonsense.db");
    std::fs::write(&nonsense, "no database ".repeat(500)).expect("the test may write");
    unreadable(&root, nonsense.to_str().expect("a plain path"));

    let board = Board::bare(&root);
    board.sql("CREATE TABLE other (id)");
    let error = unreadable(&root, &board.path());
    assert!(error.contains("a table tasks"), "{error}");
}

fn unreadable(root: &Root, path: &str) -> String {
    let error = root.error(2, &["import", "hermes", path]);
    let expected = (&json!("invalid"), &json!("unreadable"), &json!(path));
    let found = (&error["kind"], &error["reason"], &error["path"]);
    assert_eq!(found, expected, "{error}");
    error["message"].to_string()
}

/// A board with every breach that a file can have.
fn broken(root: &Root) -> Board {
    let board = Board::new(root);
    board.sql("ALTER TABLE tasks ADD COLUMN extra TEXT; CREATE TABLE other (x); INSERT INTO other VALUES (1)");
    board.task("t_a", "ready", "");
    board.task(
        "t_b",
        "todo",
        "extra = 'kept', idempotency_key = 'k', created_at = 1001",
    );
    board.task(
        "t_c",
        "ready",
        "idempotency_key = 'k', assignee = 'A B', priority = 3000000000",
    );
    board.task("t_d", "done", "max_retries = 5000, claim_lock = 'host:1'");
    board.task(
        "t_e",
        "blocked",
        "completed_at = 1200, created_at = 'never'",
    );
    board.task("t_f", "running", "current_run_id = 77");
    board.task("t_g", "running", "current_run_id = 1");
    board.task("t_h", "limbo", &format!("title = '{}'", "x".repeat(600)));
    board.task(
        "t_i",
        "ready",
        &format!("extra = '{}', title = ' '", "y".repeat(70_000)),
    );
    board.task("t j", "ready", "");
    board.task("t_k", "ready", "skills = 'no json'");
    board.sql(
        "INSERT INTO task_links VALUES ('t_a', 't_a'), ('t_a', 'gone'), ('gone', 't_a'),
             ('t_a', 't_b'), ('t_b', 't_k'), ('t_k', 't_a');
         INSERT INTO task_runs (id, task_id, status, claim_lock, claim_expires, started_at, ended_at,
                 outcome, max_runtime_seconds, profile) VALUES
             (1, 't_g', 'running', NULL, 9000, 2000, NULL, NULL, 10, 'coder'),
             (2, 't_g', 'running', 'host:2', 9000, 2000, NULL, NULL, NULL, NULL),
             (3, 't_a', 'running', 'host:3', 9000, 2000, NULL, NULL, NULL, NULL),
             (4, 't_d', 'done', NULL, NULL, 2000, 2500, NULL, NULL, NULL),
             (5, 't_d', 'odd', NULL, NULL, 2000, 2500, NULL, NULL, NULL),
             (6, 't_d', 'done', NULL, NULL, 2000, NULL, 'completed', NULL, NULL),
             (7, 't_d', 'done', NULL, NULL, 2000, 1500, 'gave_up', NULL, NULL),
             (8, 't_d', 'done', NULL, NULL, 2000, 2500, 'vanished', NULL, NULL),
             (9, 'gone', 'done', NULL, NULL, 2000, 2500, 'completed', NULL, NULL),
             (-1, 't_d', 'done', NULL, NULL, 2000, 2500, 'completed', NULL, NULL);
         INSERT INTO task_events VALUES
             (1, 'gone', NULL, 'created', NULL, 1000),
             (2, 't_a', 99, 'created', 'no json', 1000),
             (3, 't_d', 7, 'gave_up', '{\"trigger_outcome\": \"timed_out\"}', 1500),
             (4, 't_g', 2, 'claimed', '{\"lock\": \"host:2\"}', 2000),
             (5, 't_a', NULL, '', NULL, 2000);
         INSERT INTO task_comments VALUES
             (1, 'gone', 'anna', 'hello', 1), (2, 't_a', 'anna', '', 1), (3, 't_a', '', 'hello', 1);
         INSERT INTO task_attachments (id, task_id, filename, stored_path, created_at) VALUES
             (1, 'gone', 'a', '/a', 1), (2, 't_a', '', '/a', 1), (3, 't_a', 'a', '', 1);
         INSERT INTO kanban_notify_subs (task_id, platform, chat_id, created_at, last_event_id) VALUES
             ('gone', 'slack', '1', 1, 0), ('t_a', 'slack', '1', 1, 50), ('t_a', '', '1', 1, 0);",
    );
    board
}

#[test]
fn every_breach_is_repaired_and_listed() {
    let root = Root::new();
    let imported = import(&root, &broken(&root));
    let expected = [
        "events/5 kind: nothing -> unknown",
        "runs/-1 id: -1 -> nothing",
        "runs/4 outcome: nothing -> completed",
        "runs/8 outcome: vanished -> invalidated",
        "tasks/t_c priority: 3000000000 -> 2147483647",
        "tasks/t_c assignee: A B -> nothing",
        "tasks/t_d claim_lock: host:1 -> nothing",
        "tasks/t_d max_retries: 5000 -> 1000",
        "tasks/t_e created_at: nothing -> 0",
        "tasks/t_h title: 600 bytes -> 500 bytes",
        "tasks/t_h status: limbo -> triage",
        "tasks/t_i title: nothing -> t_i",
        "tasks/t_i attributes.hermes.extra: 70000 bytes -> 1024 bytes",
        "tasks/t j id: t j -> nothing",
        "comments/2 body:  -> nothing",
        "comments/3 author: nothing -> unknown",
        "attachments/2 filename: nothing -> unnamed",
        "attachments/3 stored_path:  -> nothing",
        "subscriptions/t_a//1/ row: t_a//1/ -> nothing",
        "other/* table: 1 rows -> nothing",
        "links/t_a>t_a self: t_a>t_a -> nothing",
        "links/t_a>gone child: t_a>gone -> nothing",
        "links/gone>t_a parent: gone>t_a -> nothing",
        "links/t_k>t_a circle: t_k>t_a -> nothing",
        "runs/5 outcome: nothing -> invalidated",
        "runs/6 ended_at: nothing -> 2000000",
        "runs/7 ended_at: 1500000 -> 2000000",
        "runs/9 task: gone -> nothing",
        "events/1 task: gone -> nothing",
        "events/2 run: 99 -> nothing",
        "runs/3 outcome: nothing -> invalidated",
        "tasks/t_f open_run: 77 -> nothing",
        "tasks/t_f status: running -> ready",
        "runs/2 outcome: nothing -> invalidated",
        "runs/1 claimant: nothing -> coder",
        "runs/1 expires_at: 9000000 -> 2010000",
        "events/6 claimed: nothing -> run 1",
        "events/7 claimed: nothing -> run 3",
        "tasks/t_d completed_at: nothing -> 2500000",
        "tasks/t_e completed_at: 1200000 -> nothing",
        "tasks/t_k status: ready -> todo",
        "tasks/t_b idempotency_key: k -> nothing",
        "comments/1 task: gone -> nothing",
        "attachments/1 task: gone -> nothing",
        "subscriptions/gone/slack/1/ task: gone/slack/1/ -> nothing",
        "subscriptions/t_a/slack/1/ cursor: 50 -> 7",
    ];
    assert_eq!(repairs(&imported), expected);
    assert_eq!(root.data(&["verify"])["clean"], true);

    let runs = root.data(&["show", "t_d"])["runs"].take();
    let outcomes: Vec<&str> = runs
        .as_array()
        .expect("runs are a list")
        .iter()
        .filter_map(|run| run["outcome"].as_str())
        .collect();
    let expected = [
        "completed",
        "invalidated",
        "completed",
        "timed_out",
        "invalidated",
    ];
    assert_eq!(outcomes, expected);
    let broken = root.data(&["show", "t_e"]);
    assert_eq!(broken["attributes"]["hermes.created_at"], "never");
    assert_eq!(broken["block"]["kind"], "other");
    let attributes = root.data(&["show", "t_c"])["attributes"].take();
    assert_eq!(attributes["hermes.assignee"], "A B");
    assert_eq!(
        root.data(&["show", "t_b"])["attributes"]["hermes.extra"],
        "kept"
    );
}
