//! redb by hand: typed tables with the store's names and keys, opened once per transaction.

use std::path::Path;

use kanban_core::{RootMode, Task};
use redb::{
    ConcurrencyMode, Database, ReadOnlyTable, ReadableDatabase, ReadableTable, Table,
    TableDefinition, WriteTransaction,
};

use super::{CLAIMANT, Hand, TTL_MS, claimed_data, completed_data};

/// What may go wrong by hand.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// redb said no.
    #[error("redb by hand")]
    Redb(#[source] Box<redb::Error>),
    /// The row is not what the loop expects.
    #[error("a task is missing or in another status")]
    Task,
}

impl<E: Into<redb::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Redb(Box::new(error.into()))
    }
}

type Result<T, E = Failed> = std::result::Result<T, E>;
type Word = &'static str;
type Row = &'static [u8];

const SINGLE: TableDefinition<'_, Word, Row> = TableDefinition::new("single");
const GROUP: TableDefinition<'_, u64, Row> = TableDefinition::new("commit_group");
const GROUP_BY_AGE: TableDefinition<'_, (i64, u64), ()> =
    TableDefinition::new("commit_group_by_age");
const TASK: TableDefinition<'_, Word, Row> = TableDefinition::new("task");
const TEXT: TableDefinition<'_, (Word, Word), Row> = TableDefinition::new("text");
const RUN: TableDefinition<'_, u64, Row> = TableDefinition::new("run");
const EVENT: TableDefinition<'_, u64, Row> = TableDefinition::new("event");
const COUNT: TableDefinition<'_, (Word, Word), u64> = TableDefinition::new("count");
const CLAIMABLE: TableDefinition<'_, (Word, Word, i32, i64, Word), ()> =
    TableDefinition::new("task_claimable");
const BY_EXPIRY: TableDefinition<'_, (i64, Word), ()> = TableDefinition::new("task_by_expiry");
const COLLECTABLE: TableDefinition<'_, (i64, Word), ()> = TableDefinition::new("task_collectable");
const BY_UPDATE: TableDefinition<'_, (i64, Word), ()> = TableDefinition::new("task_by_update");
const BY_STATUS: TableDefinition<'_, (Word, i32, i64, Word), ()> =
    TableDefinition::new("task_by_status");
const READY: TableDefinition<'_, (i64, Word), ()> = TableDefinition::new("task_ready");
const RUN_OF_TASK: TableDefinition<'_, (Word, u64), ()> = TableDefinition::new("run_of_task");
const RUN_SUMMARISED: TableDefinition<'_, (Word, u64), ()> = TableDefinition::new("run_summarised");
const EVENT_OF_TASK: TableDefinition<'_, (Word, u64), ()> = TableDefinition::new("event_of_task");

/// How many bytes a claim adds to a task's row.
const CLAIM_LEN: usize = 40;
/// How long a run's row is, open and closed.
const RUN_LEN: (usize, usize) = (75, 95);

/// A task as the loop keeps it in memory: what its keys are made of.
#[derive(Debug, Clone)]
pub struct HandTask {
    id: String,
    assignee: String,
    rank: i32,
    created_at: i64,
    updated_at: i64,
    expires_at: i64,
    run: u64,
}

impl HandTask {
    /// What a loop must know of a task that is ready.
    #[must_use]
    pub fn of(task: &Task) -> Self {
        Self {
            id: task.id.as_str().to_owned(),
            assignee: task
                .assignee
                .as_ref()
                .map_or_else(String::new, |name| name.as_str().to_owned()),
            rank: !task.priority,
            created_at: task.created_at.get(),
            updated_at: task.updated_at.get(),
            expires_at: 0,
            run: 0,
        }
    }
}

/// A board's file, opened by hand.
#[derive(Debug)]
pub struct Redb {
    database: Database,
}

impl Redb {
    /// Opens a board's file as the store does: the same mode, the same cache.
    ///
    /// # Errors
    /// redb's.
    pub fn open(file: &Path, mode: RootMode) -> Result<Self> {
        let mode = match mode {
            RootMode::Shared => ConcurrencyMode::MultiWriter,
            RootMode::Exclusive => ConcurrencyMode::ExclusiveWriter,
        };
        let mut builder = Database::builder();
        builder.set_cache_size(32 * 1024 * 1024);
        builder.set_concurrency_mode(mode);
        Ok(Self {
            database: builder.open(file)?,
        })
    }

    /// Runs one transaction, durably.
    ///
    /// # Errors
    /// redb's, and the closure's.
    pub fn transact(
        &self,
        hand: &mut Hand,
        work: impl FnOnce(&mut Tables<'_>, &mut Hand) -> Result<()>,
    ) -> Result<()> {
        let txn = self.database.begin_write()?;
        let mut tables = Tables::open(&txn)?;
        work(&mut tables, hand)?;
        tables.leave_marks(hand)?;
        drop(tables);
        Ok(txn.commit()?)
    }

    /// Reads a task with its texts in one snapshot. Answers how many bytes.
    ///
    /// # Errors
    /// redb's; a task that is not there.
    pub fn read(&self, id: &str) -> Result<usize> {
        let txn = self.database.begin_read()?;
        let tasks: ReadOnlyTable<Word, Row> = txn.open_table(TASK)?;
        let texts = txn.open_table(TEXT)?;
        let mut len = tasks.get(id)?.ok_or(Failed::Task)?.value().to_vec().len();
        for entry in texts.range((id, "")..=(id, "~"))? {
            len += entry?.1.value().to_vec().len();
        }
        Ok(len)
    }
}

/// The tables of one transaction that a claim or a completion writes.
pub struct Tables<'t> {
    single: Table<'t, Word, Row>,
    group: Table<'t, u64, Row>,
    group_by_age: Table<'t, (i64, u64), ()>,
    task: Table<'t, Word, Row>,
    run: Table<'t, u64, Row>,
    event: Table<'t, u64, Row>,
    count: Table<'t, (Word, Word), u64>,
    claimable: Table<'t, (Word, Word, i32, i64, Word), ()>,
    by_expiry: Table<'t, (i64, Word), ()>,
    collectable: Table<'t, (i64, Word), ()>,
    by_update: Table<'t, (i64, Word), ()>,
    by_status: Table<'t, (Word, i32, i64, Word), ()>,
    ready: Table<'t, (i64, Word), ()>,
    run_of_task: Table<'t, (Word, u64), ()>,
    run_summarised: Table<'t, (Word, u64), ()>,
    event_of_task: Table<'t, (Word, u64), ()>,
}

impl std::fmt::Debug for Tables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

impl<'t> Tables<'t> {
    fn open(txn: &'t WriteTransaction) -> Result<Self> {
        Ok(Self {
            single: txn.open_table(SINGLE)?,
            group: txn.open_table(GROUP)?,
            group_by_age: txn.open_table(GROUP_BY_AGE)?,
            task: txn.open_table(TASK)?,
            run: txn.open_table(RUN)?,
            event: txn.open_table(EVENT)?,
            count: txn.open_table(COUNT)?,
            claimable: txn.open_table(CLAIMABLE)?,
            by_expiry: txn.open_table(BY_EXPIRY)?,
            collectable: txn.open_table(COLLECTABLE)?,
            by_update: txn.open_table(BY_UPDATE)?,
            by_status: txn.open_table(BY_STATUS)?,
            ready: txn.open_table(READY)?,
            run_of_task: txn.open_table(RUN_OF_TASK)?,
            run_summarised: txn.open_table(RUN_SUMMARISED)?,
            event_of_task: txn.open_table(EVENT_OF_TASK)?,
        })
    }

    /// Claims a ready task.
    ///
    /// # Errors
    /// redb's; a task that is not there.
    pub fn claim(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()> {
        let number = hand.next();
        task.run = number.cast_unsigned();
        task.expires_at = hand.now + TTL_MS;
        let id = task.id.as_str();
        let mut row = self.row(id)?;
        row.resize(row.len() + CLAIM_LEN, 0);
        self.task.insert(id, row.as_slice())?;
        let (name, rank, at) = (task.assignee.as_str(), task.rank, task.created_at);
        self.claimable.remove(("ready", name, rank, at, id))?;
        self.ready.remove((at, id))?;
        self.by_expiry.insert((task.expires_at, id), ())?;
        self.moved(task, "ready", "running", hand.now)?;
        let run = vec![0; RUN_LEN.0];
        self.run.insert(task.run, run.as_slice())?;
        self.run_of_task.insert((id, task.run), ())?;
        let data = claimed_data(number, task.expires_at);
        self.event(id, hand.last, &data)?;
        task.updated_at = hand.now;
        Ok(())
    }

    /// Completes a task that was claimed.
    ///
    /// # Errors
    /// redb's; a task or run that is not there.
    pub fn complete(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()> {
        hand.next();
        let id = task.id.as_str();
        let mut row = self.row(id)?;
        row.truncate(row.len().saturating_sub(CLAIM_LEN / 2));
        self.task.insert(id, row.as_slice())?;
        self.by_expiry.remove((task.expires_at, id))?;
        self.collectable.insert((hand.now, id), ())?;
        self.moved(task, "running", "done", hand.now)?;
        let mut run = self
            .run
            .get(task.run)?
            .ok_or(Failed::Task)?
            .value()
            .to_vec();
        run.resize(RUN_LEN.1, 0);
        self.run.insert(task.run, run.as_slice())?;
        self.run_summarised.insert((id, task.run), ())?;
        self.event(id, hand.last, &completed_data())?;
        task.updated_at = hand.now;
        Ok(())
    }

    fn row(&self, id: &str) -> Result<Vec<u8>> {
        Ok(self.task.get(id)?.ok_or(Failed::Task)?.value().to_vec())
    }

    /// Moves the keys and counters of a task between two statuses.
    fn moved(&mut self, task: &HandTask, from: &str, to: &str, now: i64) -> Result<()> {
        let (id, name) = (task.id.as_str(), task.assignee.as_str());
        self.by_update.remove((task.updated_at, id))?;
        self.by_update.insert((now, id), ())?;
        let (rank, at) = (task.rank, task.created_at);
        self.by_status.remove((from, rank, at, id))?;
        self.by_status.insert((to, rank, at, id), ())?;
        for (status, step) in [(from, -1), (to, 1)] {
            let tasks = self
                .count
                .get((status, name))?
                .map_or(0, |count| count.value());
            match tasks.saturating_add_signed(step) {
                0 => self.count.remove((status, name))?.is_some(),
                tasks => self.count.insert((status, name), tasks)?.is_some(),
            };
        }
        Ok(())
    }

    fn event(&mut self, id: &str, number: i64, data: &str) -> Result<()> {
        let row = [id, CLAIMANT, data, "completed and the numbers of it"].concat();
        let number = number.cast_unsigned();
        self.event.insert(number, row.as_bytes())?;
        self.event_of_task.insert((id, number), ())?;
        Ok(())
    }

    /// What a group of the store leaves besides: the board's row, and its mark.
    fn leave_marks(&mut self, hand: &Hand) -> Result<()> {
        let board = self
            .single
            .get("board")?
            .ok_or(Failed::Task)?
            .value()
            .to_vec();
        self.single.insert("board", board.as_slice())?;
        let old: Vec<(i64, u64)> = self
            .group_by_age
            .range((0, 0)..)?
            .map(|entry| entry.map(|(key, _)| key.value()))
            .collect::<Result<_, _>>()?;
        for key in old {
            self.group_by_age.remove(key)?;
        }
        self.group_by_age.insert((hand.now, 1), ())?;
        self.group.insert(1, [0; 24].as_slice())?;
        Ok(())
    }
}
