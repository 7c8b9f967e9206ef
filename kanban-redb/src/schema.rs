//! The tables of a board: rows under their keys, and one table of bare keys per question that needs an index.

use std::cell::OnceCell;

use kanban_core::{BoardState, Error, Policy, Result, Unavailable};
use redb::{
    Key, ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, Table,
    TableDefinition, TableError, Value, WriteTransaction,
};

use crate::error::{contained, storage};
use crate::rows::encode;

/// The format that this program writes. It moves with every field, table or word that an older program does not know:
/// that one would drop what it cannot read when it writes the row back.
pub(crate) const FORMAT: u64 = 1;

/// The key of [`FORMAT`] in the table `meta`.
pub(crate) const FORMAT_KEY: &str = "format";
/// The key in the table `meta` of what only a finished backup has.
pub(crate) const BACKUP_KEY: &str = "backup";
/// The keys of the rows that every board has, in the table `single`.
pub(crate) const BOARD_KEY: &str = "board";
/// See [`BOARD_KEY`].
pub(crate) const POLICY_KEY: &str = "policy";

/// A transaction: where tables are opened.
pub(crate) trait Source: Copy {
    /// What an open table is.
    type Table<K: Key + 'static, V: Value + 'static>: ReadableTable<K, V>;

    /// Opens one.
    fn open<K: Key + 'static, V: Value + 'static>(
        self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<Self::Table<K, V>, TableError>;
}

/// A snapshot.
pub(crate) type Reading<'t> = &'t ReadTransaction;
/// An open transaction.
pub(crate) type Writing<'t> = &'t WriteTransaction;

impl Source for Reading<'_> {
    type Table<K: Key + 'static, V: Value + 'static> = ReadOnlyTable<K, V>;

    fn open<K: Key + 'static, V: Value + 'static>(
        self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<ReadOnlyTable<K, V>, TableError> {
        self.open_table(definition)
    }
}

impl<'t> Source for Writing<'t> {
    type Table<K: Key + 'static, V: Value + 'static> = Table<'t, K, V>;

    fn open<K: Key + 'static, V: Value + 'static>(
        self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<Table<'t, K, V>, TableError> {
        self.open_table(definition)
    }
}

/// A table of a transaction, opened at its first use and then kept: redb opens each table once per transaction.
pub(crate) struct Slot<S: Source, K: Key + 'static, V: Value + 'static> {
    source: S,
    pub(crate) name: &'static str,
    table: OnceCell<S::Table<K, V>>,
}

impl<S: Source, K: Key + 'static, V: Value + 'static> Slot<S, K, V> {
    fn new(source: S, name: &'static str) -> Self {
        let table = OnceCell::new();
        Self {
            source,
            name,
            table,
        }
    }

    /// The table, to read from.
    pub(crate) fn get(&self) -> Result<&S::Table<K, V>> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        #[cfg(test)]
        crate::costs::count(crate::costs::Cost::Table, 1);
        let opened = contained(|| {
            self.source
                .open(TableDefinition::new(self.name))
                .map_err(|error| storage("opening a table", error))
        })?;
        Ok(self.table.get_or_init(|| opened))
    }

    /// How many entries it has; the table knows.
    pub(crate) fn len(&self) -> Result<u64> {
        let table = self.get()?;
        contained(|| {
            let len = table.len();
            len.map_err(|error| storage("counting the rows", error))
        })
    }

    /// The table, to write to.
    pub(crate) fn get_mut(&mut self) -> Result<&mut S::Table<K, V>> {
        self.get()?;
        self.table
            .get_mut()
            .ok_or_else(|| Error::corrupt("a table that was opened"))
    }
}

/// Rows, as [`crate::rows`] writes them.
pub(crate) type Row = &'static [u8];
/// A text in a key. None is the empty text, where a key needs it.
pub(crate) type Word = &'static str;
/// The key of a list: the priority upside down, the age, the id.
type Ranked = (i32, i64, Word);

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $value:ty;)*) => {
        /// All tables of one transaction.
        pub(crate) struct Tables<S: Source> {
            $($(#[$doc])* pub(crate) $name: Slot<S, $key, $value>,)*
        }

        impl<S: Source> Tables<S> {
            pub(crate) fn of(source: S) -> Self {
                Self { $($name: Slot::new(source, stringify!($name)),)* }
            }

            /// Opens every table, with the types that it must have. In a transaction that writes it makes them.
            pub(crate) fn open_all(&self) -> Result<()> {
                $(self.$name.get()?;)*
                Ok(())
            }
        }

        /// Their names.
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Calls a macro with each table's name.
        macro_rules! each_table {
            ($with:ident) => { $($with!($name);)* };
        }
        pub(crate) use each_table;
    };
}

tables! {
    /// The format of all others.
    meta: Word => u64;
    /// The board's own row and its policy.
    single: Word => Row;
    /// By assignee; the board's own pause under the empty text.
    pause: Word => Row;
    /// The last commit group of each store instance of the last day.
    commit_group: u64 => Row;
    task: Word => Row;
    /// Body, result and attributes, by task and kind: apart from the row that every transition rewrites.
    text: (Word, Word) => Row;
    run: u64 => Row;
    event: u64 => Row;
    comment: u64 => Row;
    attachment: u64 => Row;
    subscription: u64 => Row;
    /// How many tasks, by status and assignee; no counter is 0.
    count: (Word, Word) => u64;
    /// Links by parent and child. There is no more to a link than its key.
    link: (Word, Word) => ();
    /// Links by child and parent.
    link_by_child: (Word, Word) => ();

    commit_group_by_age: (i64, u64) => ();
    /// Claimable tasks that do not wait, by status and assignee.
    task_claimable: (Word, Word, i32, i64, Word) => ();
    /// The same, by tenant first.
    task_claimable_of_tenant: (Word, Word, Word, i32, i64, Word) => ();
    task_waiting: (i64, Word) => ();
    task_by_expiry: (i64, Word) => ();
    task_due: (i64, Word) => ();
    task_collectable: (i64, Word) => ();
    /// Idempotency keys of tasks that are not archived.
    task_by_key: (Word, Word) => ();
    /// Request ids of open claims.
    task_by_request: (Word, Word) => ();
    task_by_priority: Ranked => ();
    task_by_age: (i64, Word) => ();
    task_by_update: (i64, Word) => ();
    task_by_status: (Word, i32, i64, Word) => ();
    task_by_assignee: (Word, i32, i64, Word) => ();
    task_by_tenant: (Word, i32, i64, Word) => ();
    /// Ready tasks by age.
    task_ready: (i64, Word) => ();
    run_of_task: (Word, u64) => ();
    run_summarised: (Word, u64) => ();
    event_of_task: (Word, u64) => ();
    comment_of_task: (Word, u64) => ();
    comment_by_request: (Word, Word, u64) => ();
    attachment_of_task: (Word, u64) => ();
    attachment_by_request: (Word, Word, u64) => ();
    subscription_of_scope: (Word, u64) => ();
    subscription_at: (Word, Word, Word, Word, u64) => ();
}

/// Makes the tables of a new board, with the rows that every board has.
pub(crate) fn found(txn: &WriteTransaction, board: &BoardState) -> Result<()> {
    let doing = |error| storage("making the tables", error);
    let mut tables = Tables::of(txn);
    tables.open_all()?;
    tables
        .meta
        .get_mut()?
        .insert(FORMAT_KEY, FORMAT)
        .map_err(doing)?;
    let single = tables.single.get_mut()?;
    single
        .insert(BOARD_KEY, encode(board)?.as_slice())
        .map_err(doing)?;
    single
        .insert(POLICY_KEY, encode(&Policy::default())?.as_slice())
        .map_err(doing)?;
    Ok(())
}

/// Looks whether this is a board of this program's format, with all of its tables and nothing else.
pub(crate) fn expect_current(txn: &ReadTransaction) -> Result<()> {
    let tables = Tables::of(txn);
    let meta = |key| {
        contained(|| {
            let doing = |error| storage("reading the format", error);
            let found = tables.meta.get()?.get(key).map_err(doing)?;
            Ok(found.map(|found| found.value()))
        })
    };
    match meta(FORMAT_KEY)? {
        Some(FORMAT) => {}
        Some(newer) if newer > FORMAT => {
            return Err(Error::unavailable(
                Unavailable::NewerSchema,
                format!("this program knows format {FORMAT}, found {newer}"),
            ));
        }
        Some(format) => return Err(Error::corrupt(format!("the format is {format}"))),
        None => return Err(Error::corrupt("the file is no board: it has no format")),
    }
    if meta(BACKUP_KEY)?.is_some() {
        return Err(Error::corrupt(
            "the file is a backup, no board: restore it with `kanban import backup`",
        ));
    }
    tables.open_all()?;
    let foreign = contained(|| {
        let doing = |error| storage("listing the tables", error);
        let names = txn.list_tables().map_err(doing)?;
        let mut names = names.map(|table| redb::TableHandle::name(&table).to_owned());
        let more = txn.list_multimap_tables().map_err(doing)?.count();
        Ok((names.find(|name| !NAMES.contains(&name.as_str())), more))
    })?;
    match foreign {
        (None, 0) => Ok(()),
        (name, _) => Err(Error::corrupt(format!(
            "the file has a foreign table: {name:?}"
        ))),
    }
}
