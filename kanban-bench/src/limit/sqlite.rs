//! SQLite by hand: prepared statements on one connection.

use std::path::Path;

use rusqlite::{CachedStatement, Connection, OpenFlags, Result, params};

use super::{CLAIMANT, Hand, TTL_MS, claimed_data, completed_data};

/// How a connection by hand commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// Each commit is flushed.
    Full,
    /// Checkpoints alone are.
    Normal,
}

/// A connection to a board's file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
}

const TASK: &str = "SELECT status, version, assignee, claim_run FROM task WHERE id = ?1";
const CLAIM: &str = "UPDATE task SET status = 'running', updated_at = ?2, started_at = ?2, \
    version = ?3, claim_run = ?4, claim_claimant = ?5, claim_expires_at = ?6 WHERE id = ?1";
const COMPLETE: &str = "UPDATE task SET status = 'done', updated_at = ?2, completed_at = ?2, \
    settled_at = ?2, version = ?3, claim_run = NULL, claim_claimant = NULL, claim_expires_at = NULL, \
    collectable = 1 WHERE id = ?1";
const OPEN_RUN: &str = "INSERT INTO run (id, task, phase, assignee, claimant, started_at) \
    VALUES (?1, ?2, 'work', ?3, ?4, ?5)";
const CLOSE_RUN: &str =
    "UPDATE run SET ended_at = ?2, outcome = 'completed', summary = 'written' WHERE id = ?1";
const EVENT: &str = "INSERT INTO event (id, seq, at, task, run, actor, kind, data) \
    VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const COUNT_DOWN: &str =
    "UPDATE task_count SET tasks = tasks - 1 WHERE status = ?1 AND assignee = ?2";
const COUNT_UP: &str = "INSERT INTO task_count VALUES (?1, ?2, 1) \
    ON CONFLICT (status, assignee) DO UPDATE SET tasks = tasks + 1";
const NUMBERS: &str = "UPDATE board SET seq = ?1, event = ?1, run = ?1 WHERE one = 1";
const GROUP: &str = "INSERT INTO commit_group VALUES (1, ?1, ?2) \
    ON CONFLICT (instance) DO UPDATE SET number = excluded.number, at = excluded.at";
const DETAIL: &str = "SELECT * FROM task WHERE id = ?1";
const TEXTS: &str = "SELECT kind, text FROM task_text WHERE task = ?1";

impl Sqlite {
    /// Opens a board's file as the store does, where it matters for speed: WAL, the same cache, the same flushes.
    ///
    /// # Errors
    /// SQLite's.
    pub fn open(file: &Path, synchronous: Synchronous) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(std::time::Duration::from_mins(5))?;
        let level = match synchronous {
            Synchronous::Full => 2,
            Synchronous::Normal => 1,
        };
        connection.pragma_update(None, "synchronous", level)?;
        connection.pragma_update(None, "cache_size", -16_384)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self { connection })
    }

    fn statement(&self, text: &str) -> Result<CachedStatement<'_>> {
        self.connection.prepare_cached(text)
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// SQLite's.
    pub fn begin(&self) -> Result<()> {
        self.statement("BEGIN IMMEDIATE")?.execute([]).map(drop)
    }

    /// Leaves the marks that a group of the store leaves, and commits.
    ///
    /// # Errors
    /// SQLite's.
    pub fn commit(&self, hand: &Hand) -> Result<()> {
        self.statement(NUMBERS)?.execute([hand.last])?;
        self.statement(GROUP)?
            .execute(params![hand.last, hand.now])?;
        self.statement("COMMIT")?.execute([]).map(drop)
    }

    /// Claims a ready task.
    ///
    /// # Errors
    /// SQLite's; a task that is not there, or not ready.
    pub fn claim(&self, id: &str, hand: &mut Hand) -> Result<()> {
        let run = hand.next();
        let until = hand.now + TTL_MS;
        let (version, assignee, _) = self.task(id, "ready")?;
        let claim = params![id, hand.now, version + 1, run, CLAIMANT, until];
        self.statement(CLAIM)?.execute(claim)?;
        self.moved("ready", "running", &assignee)?;
        let open = params![run, id, assignee, CLAIMANT, hand.now];
        self.statement(OPEN_RUN)?.execute(open)?;
        self.event(id, run, "claimed", &claimed_data(run, until), hand)
    }

    /// Completes a task that was claimed.
    ///
    /// # Errors
    /// SQLite's; a task that is not there, or not running.
    pub fn complete(&self, id: &str, hand: &mut Hand) -> Result<()> {
        hand.next();
        let (version, assignee, run) = self.task(id, "running")?;
        self.statement(COMPLETE)?
            .execute(params![id, hand.now, version + 1])?;
        self.moved("running", "done", &assignee)?;
        self.statement(CLOSE_RUN)?.execute(params![run, hand.now])?;
        self.event(id, run, "completed", &completed_data(), hand)
    }

    /// The version, the assignee and the run of a task that has a status.
    fn task(&self, id: &str, status: &str) -> Result<(i64, String, i64)> {
        self.statement(TASK)?.query_row([id], |row| {
            if row.get_ref(0)?.as_str()? != status {
                return Err(rusqlite::Error::QueryReturnedNoRows);
            }
            let run: Option<i64> = row.get(3)?;
            Ok((row.get(1)?, row.get(2)?, run.unwrap_or_default()))
        })
    }

    fn moved(&self, from: &str, to: &str, assignee: &str) -> Result<()> {
        self.statement(COUNT_DOWN)?.execute([from, assignee])?;
        self.statement(COUNT_UP)?.execute([to, assignee]).map(drop)
    }

    fn event(&self, id: &str, run: i64, kind: &str, data: &str, hand: &Hand) -> Result<()> {
        let event = params![hand.last, hand.now, id, run, CLAIMANT, kind, data];
        self.statement(EVENT)?.execute(event).map(drop)
    }

    /// Reads a task with its texts, as one question does: every column, in one snapshot. Answers how many bytes of text.
    ///
    /// # Errors
    /// SQLite's; a task that is not there.
    pub fn read(&self, id: &str) -> Result<usize> {
        self.statement("BEGIN")?.execute([])?;
        let len = self.read_row(id);
        self.statement("COMMIT")?.execute([])?;
        len
    }

    fn read_row(&self, id: &str) -> Result<usize> {
        let mut statement = self.statement(DETAIL)?;
        let columns = statement.column_count();
        let mut len = statement.query_row([id], |row| {
            let texts = (0..columns).map(|column| row.get_ref(column).map(text_len));
            texts.sum::<Result<usize>>()
        })?;
        let mut statement = self.statement(TEXTS)?;
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            len += text_len(row.get_ref(1)?);
        }
        Ok(len)
    }
}

fn text_len(value: rusqlite::types::ValueRef<'_>) -> usize {
    value.as_bytes().map_or(0, <[u8]>::len)
}
