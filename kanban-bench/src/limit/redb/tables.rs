//! The tables that a loop reads and writes.

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::limit::{Failed, Result};

pub(super) type Word = &'static str;
pub(super) type Row = &'static [u8];

pub(super) const SINGLE: TableDefinition<'_, Word, Row> = TableDefinition::new("single");
pub(super) const GROUP: TableDefinition<'_, u64, Row> = TableDefinition::new("commit_group");
pub(super) const GROUP_BY_AGE: TableDefinition<'_, (i64, u64), ()> =
    TableDefinition::new("commit_group_by_age");
pub(super) const TASK: TableDefinition<'_, Word, Row> = TableDefinition::new("task");
pub(super) const TEXT: TableDefinition<'_, (Word, Word), Row> = TableDefinition::new("text");
pub(super) const RUN: TableDefinition<'_, u64, Row> = TableDefinition::new("run");
pub(super) const EVENT: TableDefinition<'_, u64, Row> = TableDefinition::new("event");
pub(super) const COMMENT_ROW: TableDefinition<'_, u64, Row> = TableDefinition::new("comment");
pub(super) const COMMENT_OF_TASK: TableDefinition<'_, (Word, u64), ()> =
    TableDefinition::new("comment_of_task");
pub(super) const SUBSCRIPTION: TableDefinition<'_, u64, Row> = TableDefinition::new("subscription");
pub(super) const SUBSCRIPTION_OF: TableDefinition<'_, (Word, u64), ()> =
    TableDefinition::new("subscription_of_scope");
pub(super) const SUBSCRIPTION_AT: TableDefinition<'_, (Word, Word, Word, Word, u64), ()> =
    TableDefinition::new("subscription_at");
pub(super) const BY_PRIORITY: TableDefinition<'_, (i32, i64, Word), ()> =
    TableDefinition::new("task_by_priority");
pub(super) const BY_AGE: TableDefinition<'_, (i64, Word), ()> = TableDefinition::new("task_by_age");
pub(super) const BY_ASSIGNEE: TableDefinition<'_, (Word, i32, i64, Word), ()> =
    TableDefinition::new("task_by_assignee");
pub(super) const COUNT: TableDefinition<'_, (Word, Word), u64> = TableDefinition::new("count");
pub(super) const CLAIMABLE: TableDefinition<'_, (Word, Word, i32, i64, Word), ()> =
    TableDefinition::new("task_claimable");
pub(super) const WAITING: TableDefinition<'_, (i64, Word), ()> =
    TableDefinition::new("task_waiting");
pub(super) const BY_EXPIRY: TableDefinition<'_, (i64, Word), ()> =
    TableDefinition::new("task_by_expiry");
pub(super) const COLLECTABLE: TableDefinition<'_, (i64, Word), ()> =
    TableDefinition::new("task_collectable");
pub(super) const BY_UPDATE: TableDefinition<'_, (i64, Word), ()> =
    TableDefinition::new("task_by_update");
pub(super) const BY_STATUS: TableDefinition<'_, (Word, i32, i64, Word), ()> =
    TableDefinition::new("task_by_status");
pub(super) const READY: TableDefinition<'_, (i64, Word), ()> = TableDefinition::new("task_ready");
pub(super) const LINK: TableDefinition<'_, (Word, Word), ()> = TableDefinition::new("link");
pub(super) const LINK_BY_CHILD: TableDefinition<'_, (Word, Word), ()> =
    TableDefinition::new("link_by_child");
pub(super) const RUN_OF_TASK: TableDefinition<'_, (Word, u64), ()> =
    TableDefinition::new("run_of_task");
pub(super) const RUN_SUMMARISED: TableDefinition<'_, (Word, u64), ()> =
    TableDefinition::new("run_summarised");
pub(super) const EVENT_OF_TASK: TableDefinition<'_, (Word, u64), ()> =
    TableDefinition::new("event_of_task");

macro_rules! tables {
    ($($name:ident: $definition:ident, $key:ty => $value:ty;)*) => {
        /// The tables of one transaction, each opened at its first use: redb writes to one only where it is opened.
        pub(in crate::limit) struct Tables<'t> {
            txn: &'t WriteTransaction,
            $($name: Option<Table<'t, $key, $value>>,)*
        }

        impl<'t> Tables<'t> {
            pub(super) const fn of(txn: &'t WriteTransaction) -> Self {
                Self { txn, $($name: None,)* }
            }

            $(pub(super) fn $name(&mut self) -> Result<&mut Table<'t, $key, $value>> {
                if self.$name.is_none() {
                    self.$name = Some(self.txn.open_table($definition)?);
                }
                self.$name.as_mut().ok_or(Failed::Row)
            })*
        }

        /// Looks at every entry.
        pub(super) fn walk(txn: &ReadTransaction) -> Result<()> {
            $(for entry in txn.open_table($definition)?.iter()? {
                entry?;
            })*
            Ok(())
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
    subscription_of: SUBSCRIPTION_OF, (Word, u64) => ();
    subscription_at: SUBSCRIPTION_AT, (Word, Word, Word, Word, u64) => ();
    count: COUNT, (Word, Word) => u64;
    claimable: CLAIMABLE, (Word, Word, i32, i64, Word) => ();
    waiting: WAITING, (i64, Word) => ();
    by_expiry: BY_EXPIRY, (i64, Word) => ();
    collectable: COLLECTABLE, (i64, Word) => ();
    by_priority: BY_PRIORITY, (i32, i64, Word) => ();
    by_age: BY_AGE, (i64, Word) => ();
    by_update: BY_UPDATE, (i64, Word) => ();
    by_status: BY_STATUS, (Word, i32, i64, Word) => ();
    by_assignee: BY_ASSIGNEE, (Word, i32, i64, Word) => ();
    ready: READY, (i64, Word) => ();
    link: LINK, (Word, Word) => ();
    link_by_child: LINK_BY_CHILD, (Word, Word) => ();
    run_of_task: RUN_OF_TASK, (Word, u64) => ();
    run_summarised: RUN_SUMMARISED, (Word, u64) => ();
    event_of_task: EVENT_OF_TASK, (Word, u64) => ();
}

impl std::fmt::Debug for Tables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}
