//! A board as hermes-agent writes it, made by SQL.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::harness::Root;

const SCHEMA: &str = "
    CREATE TABLE tasks (
        id TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT, assignee TEXT, status TEXT NOT NULL,
        priority INTEGER DEFAULT 0, created_by TEXT, created_at INTEGER NOT NULL, started_at INTEGER,
        completed_at INTEGER, workspace_kind TEXT NOT NULL DEFAULT 'scratch', workspace_path TEXT,
        branch_name TEXT, project_id TEXT, claim_lock TEXT, claim_expires INTEGER, tenant TEXT,
        result TEXT, idempotency_key TEXT, consecutive_failures INTEGER NOT NULL DEFAULT 0,
        worker_pid INTEGER, last_failure_error TEXT, max_runtime_seconds INTEGER,
        last_heartbeat_at INTEGER, current_run_id INTEGER, workflow_template_id TEXT,
        current_step_key TEXT, skills TEXT, model_override TEXT, max_retries INTEGER,
        goal_mode INTEGER NOT NULL DEFAULT 0, goal_max_turns INTEGER, session_id TEXT,
        block_kind TEXT, block_recurrences INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE task_links (
        parent_id TEXT NOT NULL, child_id TEXT NOT NULL, PRIMARY KEY (parent_id, child_id)
    );
    CREATE TABLE task_comments (
        id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, author TEXT NOT NULL,
        body TEXT NOT NULL, created_at INTEGER NOT NULL
    );
    CREATE TABLE task_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, run_id INTEGER,
        kind TEXT NOT NULL, payload TEXT, created_at INTEGER NOT NULL
    );
    CREATE TABLE task_runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, profile TEXT, step_key TEXT,
        status TEXT NOT NULL, claim_lock TEXT, claim_expires INTEGER, worker_pid INTEGER,
        max_runtime_seconds INTEGER, last_heartbeat_at INTEGER, started_at INTEGER NOT NULL,
        ended_at INTEGER, outcome TEXT, summary TEXT, metadata TEXT, error TEXT
    );
    CREATE TABLE task_attachments (
        id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, filename TEXT NOT NULL,
        stored_path TEXT NOT NULL, content_type TEXT, size INTEGER NOT NULL DEFAULT 0,
        uploaded_by TEXT, created_at INTEGER NOT NULL
    );
    CREATE TABLE kanban_notify_subs (
        task_id TEXT NOT NULL, platform TEXT NOT NULL, chat_id TEXT NOT NULL,
        thread_id TEXT NOT NULL DEFAULT '', user_id TEXT, notifier_profile TEXT,
        created_at INTEGER NOT NULL, last_event_id INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (task_id, platform, chat_id, thread_id)
    );
";

/// The file, open for writing.
pub(crate) struct Board {
    file: PathBuf,
    connection: Connection,
}

impl Board {
    /// A board without rows.
    pub(crate) fn new(root: &Root) -> Self {
        let board = Self::bare(root);
        board.sql(SCHEMA);
        board
    }

    /// A database without tables.
    pub(crate) fn bare(root: &Root) -> Self {
        let file = root.beside("hermes.db");
        let connection = Connection::open(&file).expect("a database can be made");
        // The test's file need not survive a power cut.
        connection
            .pragma_update(None, "synchronous", false)
            .expect("a database has it");
        Self { file, connection }
    }

    pub(crate) fn path(&self) -> String {
        self.file.to_str().expect("a plain path").to_owned()
    }

    pub(crate) fn sql(&self, sql: &str) {
        self.connection
            .execute_batch(sql)
            .expect("the SQL is right");
    }

    /// Adds a task; more columns as `name = value, …`.
    pub(crate) fn task(&self, id: &str, status: &str, more: &str) {
        self.sql(&format!(
            "INSERT INTO tasks (id, title, status, created_at)
             VALUES ('{id}', 'Task {id}', '{status}', 1000);"
        ));
        if !more.is_empty() {
            self.sql(&format!("UPDATE tasks SET {more} WHERE id = '{id}'"));
        }
    }
}
