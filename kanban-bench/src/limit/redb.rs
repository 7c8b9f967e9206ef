//! redb by hand: typed tables with the store's names and keys, opened once per transaction.

use std::path::Path;

use kanban_core::RootMode;
use redb::{
    ConcurrencyMode, Database, ReadOnlyTable, ReadableDatabase, ReadableTable, Table,
    TableDefinition, WriteTransaction,
};

use super::{
    CLAIMANT, COMMENT, Failed, Hand, HandTask, Result, Rows, TTL_MS, claimed_data, commented_data,
    completed_data, created_data,
};
use crate::fill;

macro_rules! failures {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for Failed {
            fn from(error: redb::$error) -> Self {
                Self::Redb(Box::new(error.into()))
            }
        }
    )*};
}
failures!(
    DatabaseError,
    TransactionError,
    TableError,
    StorageError,
    CommitError
);

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
const COMMENT_ROW: TableDefinition<'_, u64, Row> = TableDefinition::new("comment");
const COMMENT_OF_TASK: TableDefinition<'_, (Word, u64), ()> =
    TableDefinition::new("comment_of_task");
const SUBSCRIPTION: TableDefinition<'_, u64, Row> = TableDefinition::new("subscription");
const BY_PRIORITY: TableDefinition<'_, (i32, i64, Word), ()> =
    TableDefinition::new("task_by_priority");
const BY_AGE: TableDefinition<'_, (i64, Word), ()> = TableDefinition::new("task_by_age");
const BY_ASSIGNEE: TableDefinition<'_, (Word, i32, i64, Word), ()> =
    TableDefinition::new("task_by_assignee");
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

/// How many bytes a claim adds to a task's row: the claim, when it was started, a longer status.
const CLAIM_LEN: usize = 41;
/// How many bytes a completion takes from it: the claim goes, two times come.
const COMPLETE_LEN: usize = 18;
/// How long a run's row is while it is open, without the name of the assignee.
const RUN_LEN: usize = 74;
/// How many bytes its end adds.
const RUN_END_LEN: usize = 24;
/// How many bytes a lease adds to a subscription's row.
const LEASE_LEN: usize = 15;
/// How long an event's row is, without kind, actor and data.
const EVENT_LEN: usize = 50;
/// How long a comment's row is, without author and text.
const COMMENT_LEN: usize = 46;

/// The name of this loop in the marks of groups.
const INSTANCE: u64 = u64::MAX >> 1;
/// How long the mark of a group is.
const MARK_LEN: usize = 22;

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

    /// The last number that the board has given to an event.
    ///
    /// # Errors
    /// redb's.
    pub fn last_number(&self) -> Result<i64> {
        let txn = self.database.begin_read()?;
        let events = txn.open_table(EVENT)?;
        let last = events.last()?.map_or(0, |(number, _)| number.value());
        Ok(last.cast_signed())
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
        let mut tables = Tables::of(&txn);
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
        let mut len = tasks.get(id)?.ok_or(Failed::Row)?.value().to_vec().len();
        for entry in texts.range((id, "")..=(id, "~"))? {
            len += entry?.1.value().to_vec().len();
        }
        Ok(len)
    }

    /// Reads the first tasks by priority in one snapshot. Answers how many bytes.
    ///
    /// # Errors
    /// redb's.
    pub fn list(&self, rows: usize) -> Result<usize> {
        let txn = self.database.begin_read()?;
        let order = txn.open_table(BY_PRIORITY)?;
        let tasks = txn.open_table(TASK)?;
        let mut len = 0;
        for entry in order.iter()?.take(rows) {
            let key = entry?.0;
            let row = tasks.get(key.value().2)?.ok_or(Failed::Row)?;
            len += row.value().to_vec().len();
        }
        Ok(len)
    }
}

macro_rules! tables {
    ($($name:ident: $definition:ident, $key:ty => $value:ty;)*) => {
        /// The tables of one transaction, each opened at its first use: redb writes to one only where it is opened.
        pub struct Tables<'t> {
            txn: &'t WriteTransaction,
            $($name: Option<Table<'t, $key, $value>>,)*
        }

        impl<'t> Tables<'t> {
            const fn of(txn: &'t WriteTransaction) -> Self {
                Self { txn, $($name: None,)* }
            }

            $(fn $name(&mut self) -> Result<&mut Table<'t, $key, $value>> {
                if self.$name.is_none() {
                    self.$name = Some(self.txn.open_table($definition)?);
                }
                self.$name.as_mut().ok_or(Failed::Row)
            })*
        }
    };
}

tables! {
    single: SINGLE, Word => Row;
    group: GROUP, u64 => Row;
    group_by_age: GROUP_BY_AGE, (i64, u64) => ();
    task: TASK, Word => Row;
    text: TEXT, (Word, Word) => Row;
    run: RUN, u64 => Row;
    event: EVENT, u64 => Row;
    comment: COMMENT_ROW, u64 => Row;
    comment_of_task: COMMENT_OF_TASK, (Word, u64) => ();
    subscription: SUBSCRIPTION, u64 => Row;
    count: COUNT, (Word, Word) => u64;
    claimable: CLAIMABLE, (Word, Word, i32, i64, Word) => ();
    by_expiry: BY_EXPIRY, (i64, Word) => ();
    collectable: COLLECTABLE, (i64, Word) => ();
    by_priority: BY_PRIORITY, (i32, i64, Word) => ();
    by_age: BY_AGE, (i64, Word) => ();
    by_update: BY_UPDATE, (i64, Word) => ();
    by_status: BY_STATUS, (Word, i32, i64, Word) => ();
    by_assignee: BY_ASSIGNEE, (Word, i32, i64, Word) => ();
    ready: READY, (i64, Word) => ();
    run_of_task: RUN_OF_TASK, (Word, u64) => ();
    run_summarised: RUN_SUMMARISED, (Word, u64) => ();
    event_of_task: EVENT_OF_TASK, (Word, u64) => ();
}

impl std::fmt::Debug for Tables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

impl Rows for Tables<'_> {
    fn claim(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()> {
        let number = hand.next();
        task.run = number.cast_unsigned();
        task.expires_at = hand.now + TTL_MS;
        let id = task.id.as_str();
        let mut row = self.row(id)?;
        row.resize(row.len() + CLAIM_LEN, 0);
        self.task()?.insert(id, row.as_slice())?;
        let (name, rank, at) = (task.assignee.as_str(), task.rank, task.created_at);
        let key = ("ready", name, rank, at, id);
        self.claimable()?.remove(key)?.ok_or(Failed::Row)?;
        self.ready()?.remove((at, id))?;
        self.by_expiry()?.insert((task.expires_at, id), ())?;
        self.moved(task, "ready", "running", hand.now)?;
        let run = vec![0; RUN_LEN + name.len()];
        self.run()?.insert(task.run, run.as_slice())?;
        self.run_of_task()?.insert((id, task.run), ())?;
        let data = claimed_data(number, task.expires_at);
        self.tell(id, hand, &["claimed", CLAIMANT, &data])?;
        task.updated_at = hand.now;
        Ok(())
    }

    fn complete(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()> {
        hand.next();
        let id = task.id.as_str();
        let mut row = self.row(id)?;
        row.truncate(row.len().saturating_sub(COMPLETE_LEN));
        self.task()?.insert(id, row.as_slice())?;
        let key = (task.expires_at, id);
        self.by_expiry()?.remove(key)?.ok_or(Failed::Row)?;
        self.collectable()?.insert((hand.now, id), ())?;
        self.moved(task, "running", "done", hand.now)?;
        let mut run = self
            .run()?
            .get(task.run)?
            .ok_or(Failed::Row)?
            .value()
            .to_vec();
        run.resize(run.len() + RUN_END_LEN, 0);
        self.run()?.insert(task.run, run.as_slice())?;
        self.run_summarised()?.insert((id, task.run), ())?;
        self.tell(id, hand, &["completed", CLAIMANT, &completed_data()])?;
        task.updated_at = hand.now;
        Ok(())
    }

    fn next_ready(&mut self) -> Result<Option<String>> {
        let first = ("ready", i32::MIN, i64::MIN, "");
        let mut range = self.by_status()?.range(first..)?;
        let Some(entry) = range.next() else {
            return Ok(None);
        };
        let key = entry?.0;
        let (status, _, _, id) = key.value();
        Ok((status == "ready").then(|| id.to_owned()))
    }

    fn create(&mut self, number: usize, hand: &mut Hand) -> Result<HandTask> {
        hand.next();
        let (new, title) = (HandTask::new(number, hand), fill::title(number));
        let (id, name) = (new.id.as_str(), new.assignee.as_str());
        let (rank, at) = (new.rank, hand.now);
        // Any task's row is as long as the new one, but for a digit of its number.
        let row = self.task()?.first()?.ok_or(Failed::Row)?.1.value().to_vec();
        self.task()?.insert(id, row.as_slice())?;
        self.text()?.insert((id, "body"), fill::body().as_bytes())?;
        self.by_priority()?.insert((rank, at, id), ())?;
        self.by_age()?.insert((at, id), ())?;
        self.by_update()?.insert((at, id), ())?;
        self.by_status()?.insert(("ready", rank, at, id), ())?;
        self.by_assignee()?.insert((name, rank, at, id), ())?;
        self.claimable()?
            .insert(("ready", name, rank, at, id), ())?;
        self.ready()?.insert((at, id), ())?;
        self.step("ready", name, 1)?;
        self.tell(id, hand, &["created", &created_data(&title)])?;
        Ok(new)
    }

    fn comment(&mut self, task: &str, hand: &mut Hand) -> Result<()> {
        let number = hand.next();
        let row = vec![0; COMMENT_LEN + CLAIMANT.len() + COMMENT.len()];
        let key = number.cast_unsigned();
        self.comment()?.insert(key, row.as_slice())?;
        self.comment_of_task()?.insert((task, key), ())?;
        self.tell(
            task,
            hand,
            &["commented", CLAIMANT, &commented_data(number)],
        )
    }

    fn lease(&mut self, subscription: u64, limit: usize, hand: &mut Hand) -> Result<()> {
        hand.next();
        let mut row = self.subscription_row(subscription)?;
        let cursor = hand.last.cast_unsigned().saturating_sub(limit as u64);
        let mut bytes = 0;
        for entry in self.event()?.range(cursor..)?.take(limit) {
            bytes += entry?.1.value().to_vec().len();
        }
        std::hint::black_box(bytes);
        row.resize(row.len() + LEASE_LEN, 0);
        self.subscription()?.insert(subscription, row.as_slice())?;
        Ok(())
    }

    fn ack(&mut self, subscription: u64, hand: &mut Hand) -> Result<()> {
        hand.next();
        let mut row = self.subscription_row(subscription)?;
        row.truncate(row.len().saturating_sub(LEASE_LEN));
        self.subscription()?.insert(subscription, row.as_slice())?;
        Ok(())
    }
}

impl Tables<'_> {
    fn row(&mut self, id: &str) -> Result<Vec<u8>> {
        Ok(self.task()?.get(id)?.ok_or(Failed::Row)?.value().to_vec())
    }

    fn subscription_row(&mut self, id: u64) -> Result<Vec<u8>> {
        let row = self.subscription()?.get(id)?.ok_or(Failed::Row)?;
        Ok(row.value().to_vec())
    }

    /// Moves the keys and counters of a task between two statuses.
    fn moved(&mut self, task: &HandTask, from: &str, to: &str, now: i64) -> Result<()> {
        let (id, name) = (task.id.as_str(), task.assignee.as_str());
        let by_update = self.by_update()?;
        by_update
            .remove((task.updated_at, id))?
            .ok_or(Failed::Row)?;
        by_update.insert((now, id), ())?;
        let (rank, at) = (task.rank, task.created_at);
        let by_status = self.by_status()?;
        by_status.remove((from, rank, at, id))?.ok_or(Failed::Row)?;
        by_status.insert((to, rank, at, id), ())?;
        self.step(from, name, -1)?;
        self.step(to, name, 1)
    }

    /// Counts a task in or out. A counter at 0 has no row.
    fn step(&mut self, status: &str, name: &str, step: i64) -> Result<()> {
        let count = self.count()?;
        let key = (status, name);
        let tasks = count.get(key)?.map_or(0, |count| count.value());
        match tasks.saturating_add_signed(step) {
            0 => drop(count.remove(key)?),
            tasks => drop(count.insert(key, tasks)?),
        }
        Ok(())
    }

    /// Writes an event of these words.
    fn tell(&mut self, id: &str, hand: &Hand, words: &[&str]) -> Result<()> {
        let len: usize = words.iter().map(|word| word.len() + 1).sum();
        let mut row = words.concat().into_bytes();
        row.resize(EVENT_LEN + len, 0);
        let number = hand.last.cast_unsigned();
        self.event()?.insert(number, row.as_slice())?;
        self.event_of_task()?.insert((id, number), ())?;
        Ok(())
    }

    /// What a group of the store leaves besides: the board's row, and its mark.
    fn leave_marks(&mut self, hand: &mut Hand) -> Result<()> {
        let single = self.single()?;
        let board = single.get("board")?.ok_or(Failed::Row)?.value().to_vec();
        single.insert("board", board.as_slice())?;
        if let Some(marked) = hand.marked.replace(hand.now) {
            self.group_by_age()?.remove((marked, INSTANCE))?;
        }
        self.group_by_age()?.insert((hand.now, INSTANCE), ())?;
        self.group()?.insert(INSTANCE, [0; MARK_LEN].as_slice())?;
        Ok(())
    }
}
