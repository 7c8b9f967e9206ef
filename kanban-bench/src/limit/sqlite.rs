//! SQLite by hand: prepared statements on one connection.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{CachedStatement, Connection, OpenFlags, Result, params};

use super::hand::{LEASE_MS, TTL_MS, claimed_data, commented_data, completed_data, created_data};
use super::{Failed, Hand, HandTask, Rows};
use crate::fill;
use crate::said::{COMMENT, SUMMARY, WORKER};

/// From how many pages in the `-wal` on a commit by hand checkpoints: the 16 MiB from which the store does while it is busy.
pub(crate) const CHECKPOINT_PAGES: u32 = 4096;

/// How much of the file a writer keeps in memory, as the store's does.
const WRITER_CACHE_KIB: u32 = 16_384;
/// How much of it a reader keeps.
pub(crate) const READER_CACHE_KIB: u32 = 4_096;

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
pub(crate) struct Sqlite {
    connection: Connection,
    /// By how much the counters of the open transaction have moved, by status and assignee.
    moves: RefCell<BTreeMap<(&'static str, String), i64>>,
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
    "UPDATE run SET ended_at = ?2, outcome = 'completed', summary = ?3 WHERE id = ?1";
const EVENT: &str = "INSERT INTO event (id, seq, at, task, run, actor, kind, data) \
    VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const COUNT_DOWN: &str =
    "UPDATE task_count SET tasks = tasks - ?3 WHERE status = ?1 AND assignee = ?2 AND tasks > ?3";
const COUNT_OUT: &str = "DELETE FROM task_count WHERE status = ?1 AND assignee = ?2";
const COUNT_UP: &str = "INSERT INTO task_count VALUES (?1, ?2, ?3) \
    ON CONFLICT (status, assignee) DO UPDATE SET tasks = tasks + excluded.tasks";
const NUMBERS: &str = "UPDATE board SET seq = ?1, event = ?1, run = ?1, comment = ?1, lease = ?1 \
    WHERE one = 1";
const GROUP: &str = "INSERT INTO commit_group VALUES (1, ?1, ?2) \
    ON CONFLICT (instance) DO UPDATE SET number = excluded.number, at = excluded.at";
const DETAIL: &str = "SELECT * FROM task WHERE id = ?1";
const TEXTS: &str = "SELECT kind, text FROM task_text WHERE task = ?1";
const LIST: &str = "SELECT * FROM task ORDER BY rank, created_at, id LIMIT ?1";
const NEXT: &str =
    "SELECT id FROM task WHERE status = 'ready' ORDER BY rank, created_at, id LIMIT 1";
const CREATE: &str = "INSERT INTO task (id, title, status, phase, priority, assignee, created_at, \
    updated_at, version, open_parents, failures, deferrals, review_rounds, waiting, collectable) \
    VALUES (?1, ?2, 'ready', 'work', ?3, ?4, ?5, ?5, 1, 0, 0, 0, 0, 0, 0)";
const BODY: &str = "INSERT INTO task_text (task, kind, text) VALUES (?1, 'body', ?2)";
const SAY: &str = "INSERT INTO comment (id, task, author, body, at) VALUES (?1, ?2, ?3, ?4, ?5)";
const SUBSCRIPTION: &str =
    "SELECT cursor, lease_id, lease_through, attempts FROM subscription WHERE id = ?1";
const NEWS: &str = "SELECT * FROM event WHERE id > ?1 ORDER BY id LIMIT ?2";
const LEASE: &str = "UPDATE subscription SET attempts = 1, lease_id = ?2, lease_until = ?3, \
    lease_through = ?4 WHERE id = ?1";
const ACK: &str = "UPDATE subscription SET cursor = max(cursor, lease_through), attempts = 0, \
    acked = lease_id, lease_id = NULL, lease_until = NULL, lease_through = NULL WHERE id = ?1";

impl Sqlite {
    /// Opens a board's file as the store does, where it matters for speed: WAL, the same cache, the same flushes.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn open(file: &Path, synchronous: Synchronous) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(std::time::Duration::from_mins(5))?;
        let level = match synchronous {
            Synchronous::Full => 2,
            Synchronous::Normal => 1,
        };
        connection.pragma_update(None, "synchronous", level)?;
        connection.set_prepared_statement_cache_capacity(64);
        let database = Self {
            connection,
            moves: RefCell::default(),
        };
        database.cache(WRITER_CACHE_KIB)?;
        Ok(database)
    }

    /// Sets how much of the file the connection keeps in memory, in KiB.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn cache(&self, kib: u32) -> Result<()> {
        let kib = -i64::from(kib);
        self.connection.pragma_update(None, "cache_size", kib)
    }

    /// Looks at every page once.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn warm(&self) -> Result<()> {
        let pages = "SELECT sum(ncell) FROM dbstat";
        self.connection.query_row(pages, [], |_| Ok(()))
    }

    /// Sets from how many pages in the `-wal` on a commit checkpoints; SQLite's own default is 1,000.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn checkpoint_from(&self, pages: u32) -> Result<()> {
        self.connection
            .pragma_update_and_check(None, "wal_autocheckpoint", pages, |_| Ok(()))
    }

    /// The last number that the board has given to an event.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn last_number(&self) -> Result<i64> {
        let one = "SELECT max(seq, event, run, comment, lease) FROM board";
        self.connection.query_row(one, [], |row| row.get(0))
    }

    fn statement(&self, text: &str) -> Result<CachedStatement<'_>> {
        self.connection.prepare_cached(text)
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn begin(&self) -> Result<()> {
        self.statement("BEGIN IMMEDIATE")?.execute([]).map(drop)
    }

    /// Writes the counters that have moved, each once as the store does, leaves the marks of a group, and commits.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn commit(&self, hand: &Hand) -> Result<()> {
        self.write_counters()?;
        self.statement(NUMBERS)?.execute([hand.last])?;
        self.statement(GROUP)?
            .execute(params![hand.last, hand.now])?;
        self.statement("COMMIT")?.execute([]).map(drop)
    }

    /// Claims a ready task.
    ///
    /// # Errors
    /// SQLite's; a task that is not there, or not ready.
    pub(crate) fn claim(&self, id: &str, hand: &mut Hand) -> Result<()> {
        let run = hand.next();
        let until = hand.now + TTL_MS;
        let (version, assignee, _) = self.task(id, "ready")?;
        let claim = params![id, hand.now, version + 1, run, WORKER, until];
        self.statement(CLAIM)?.execute(claim)?;
        self.moved("ready", "running", &assignee);
        let open = params![run, id, assignee, WORKER, hand.now];
        self.statement(OPEN_RUN)?.execute(open)?;
        self.event(id, Some(run), "claimed", &claimed_data(run, until), hand)
    }

    /// Completes a task that was claimed.
    ///
    /// # Errors
    /// SQLite's; a task that is not there, or not running.
    pub(crate) fn complete(&self, id: &str, hand: &mut Hand) -> Result<()> {
        hand.next();
        let (version, assignee, run) = self.task(id, "running")?;
        self.statement(COMPLETE)?
            .execute(params![id, hand.now, version + 1])?;
        self.moved("running", "done", &assignee);
        self.statement(CLOSE_RUN)?
            .execute(params![run, hand.now, SUMMARY])?;
        self.event(id, Some(run), "completed", &completed_data(), hand)
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

    fn moved(&self, from: &'static str, to: &'static str, assignee: &str) {
        self.count(from, assignee, -1);
        self.count(to, assignee, 1);
    }

    fn count(&self, status: &'static str, assignee: &str, by: i64) {
        let mut moves = self.moves.borrow_mut();
        *moves.entry((status, assignee.to_owned())).or_default() += by;
    }

    /// Writes each counter that has moved once. One at 0 has no row.
    fn write_counters(&self) -> Result<()> {
        for ((status, assignee), by) in self.moves.take() {
            let tasks = by.unsigned_abs().cast_signed();
            if by > 0 {
                self.statement(COUNT_UP)?
                    .execute(params![status, assignee, tasks])?;
            } else if by < 0
                && self
                    .statement(COUNT_DOWN)?
                    .execute(params![status, assignee, tasks])?
                    == 0
            {
                self.statement(COUNT_OUT)?
                    .execute(params![status, assignee])?;
            }
        }
        Ok(())
    }

    fn event(&self, id: &str, run: Option<i64>, kind: &str, data: &str, hand: &Hand) -> Result<()> {
        // Nobody is named as the creator of a task.
        let actor = (kind != "created").then_some(WORKER);
        let event = params![hand.last, hand.now, id, run, actor, kind, data];
        self.statement(EVENT)?.execute(event).map(drop)
    }

    /// Reads a task with its texts, as one question does: every column, in one snapshot. Answers how many bytes of text.
    ///
    /// # Errors
    /// SQLite's; a task that is not there.
    pub(crate) fn read(&self, id: &str) -> Result<usize> {
        self.snapshot(|| {
            let (rows, len) = self.read_rows(DETAIL, params![id])?;
            if rows == 0 {
                return Err(rusqlite::Error::QueryReturnedNoRows);
            }
            Ok(len + self.read_rows(TEXTS, params![id])?.1)
        })
    }

    /// Reads the first tasks by priority: every column, in one snapshot. Answers how many bytes of text.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn list(&self, rows: usize) -> Result<usize> {
        self.snapshot(|| Ok(self.read_rows(LIST, params![len(rows)])?.1))
    }

    fn snapshot<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        self.statement("BEGIN")?.execute([])?;
        let read = read();
        self.statement("COMMIT")?.execute([])?;
        read
    }

    /// Looks at every column of every row. Answers how many rows, and how many bytes of text.
    fn read_rows(&self, text: &str, params: impl rusqlite::Params) -> Result<(usize, usize)> {
        let mut statement = self.statement(text)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params)?;
        let (mut count, mut len) = (0, 0);
        while let Some(row) = rows.next()? {
            count += 1;
            for column in 0..columns {
                len += text_len(row.get_ref(column)?);
            }
        }
        Ok((count, len))
    }
}

impl Rows for &Sqlite {
    fn claim(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<(), Failed> {
        Ok(Sqlite::claim(self, &task.id, hand)?)
    }

    fn complete(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<(), Failed> {
        Ok(Sqlite::complete(self, &task.id, hand)?)
    }

    fn next_ready(&mut self) -> Result<Option<String>, Failed> {
        let mut statement = self.statement(NEXT)?;
        let mut rows = statement.query([])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    fn create(&mut self, number: usize, hand: &mut Hand) -> Result<HandTask, Failed> {
        hand.next();
        let (new, title) = (HandTask::new(number, hand), fill::title(number));
        let (id, assignee) = (new.id.as_str(), new.assignee.as_str());
        let row = params![id, title, fill::priority(number), assignee, hand.now];
        self.statement(CREATE)?.execute(row)?;
        self.statement(BODY)?.execute([id, &fill::body()])?;
        self.count("ready", assignee, 1);
        self.event(id, None, "created", &created_data(&title), hand)?;
        Ok(new)
    }

    fn comment(&mut self, task: &str, hand: &mut Hand) -> Result<(), Failed> {
        let number = hand.next();
        let row = params![number, task, WORKER, COMMENT, hand.now];
        self.statement(SAY)?.execute(row)?;
        Ok(self.event(task, None, "commented", &commented_data(number), hand)?)
    }

    fn lease(&mut self, subscription: u64, limit: usize, hand: &mut Hand) -> Result<(), Failed> {
        let lease = hand.next();
        let cursor: i64 = self.subscription(subscription)?;
        let mut statement = self.statement(NEWS)?;
        let mut rows = statement.query(params![cursor, len(limit)])?;
        let (mut through, mut bytes) = (cursor, 0);
        while let Some(row) = rows.next()? {
            through = row.get(0)?;
            bytes += text_len(row.get_ref(7)?);
        }
        std::hint::black_box(bytes);
        let until = hand.now + LEASE_MS;
        let lease = params![subscription.cast_signed(), lease, until, through];
        Ok(self.statement(LEASE)?.execute(lease).map(drop)?)
    }

    fn ack(&mut self, subscription: u64, hand: &mut Hand) -> Result<(), Failed> {
        hand.next();
        self.subscription(subscription)?;
        let ack = [subscription.cast_signed()];
        Ok(self.statement(ACK)?.execute(ack).map(drop)?)
    }
}

impl Sqlite {
    /// The cursor of a subscription.
    fn subscription(&self, id: u64) -> Result<i64> {
        self.statement(SUBSCRIPTION)?
            .query_row([id.cast_signed()], |row| row.get(0))
    }
}

fn len(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn text_len(value: rusqlite::types::ValueRef<'_>) -> usize {
    value.as_bytes().map_or(0, <[u8]>::len)
}
