//! What is read by hand: whole rows, copied out of the page as a decoder would, in one snapshot.

use std::collections::HashMap;

use redb::{ReadOnlyTable, ReadableDatabase, ReadableTable};

use super::Redb;
use super::tables::{BY_PRIORITY, COUNT, EVENT, READY, Row, SUBSCRIPTION, TASK, TEXT, Word};
use crate::limit::{Failed, Result, Seen};
use crate::said::NEWS;

impl Redb {
    /// Reads a task with its texts.
    ///
    /// # Errors
    /// redb's; a task that is not there.
    pub(crate) fn read(&self, id: &str) -> Result<Seen> {
        let txn = self.database.begin_read()?;
        let tasks: ReadOnlyTable<Word, Row> = txn.open_table(TASK)?;
        let texts = txn.open_table(TEXT)?;
        let mut seen = Seen::default();
        seen.add(tasks.get(id)?.ok_or(Failed::Row)?.value());
        for entry in texts.range((id, "")..=(id, "~"))? {
            seen.bytes += entry?.1.value().to_vec().len();
        }
        Ok(seen)
    }

    /// Reads the first tasks by priority.
    ///
    /// # Errors
    /// redb's.
    pub(crate) fn list(&self, rows: usize) -> Result<Seen> {
        let txn = self.database.begin_read()?;
        let order = txn.open_table(BY_PRIORITY)?;
        let tasks = txn.open_table(TASK)?;
        let mut seen = Seen::default();
        for entry in order.iter()?.take(rows) {
            let key = entry?.0;
            seen.add(tasks.get(key.value().2)?.ok_or(Failed::Row)?.value());
        }
        Ok(seen)
    }

    /// Reads the first events after a number.
    ///
    /// # Errors
    /// redb's.
    pub(crate) fn events(&self, after: u64, rows: usize) -> Result<Seen> {
        let txn = self.database.begin_read()?;
        let mut seen = Seen::default();
        for entry in txn.open_table(EVENT)?.range(after + 1..)?.take(rows) {
            seen.add(entry?.1.value());
        }
        Ok(seen)
    }

    /// Reads all counters, and seeks the oldest ready task.
    ///
    /// # Errors
    /// redb's.
    pub(crate) fn stats(&self) -> Result<Seen> {
        let txn = self.database.begin_read()?;
        let mut seen = Seen::default();
        for entry in txn.open_table(COUNT)?.iter()? {
            let (key, tasks) = entry?;
            let (status, assignee) = key.value();
            seen.rows += 1;
            seen.bytes += status.to_owned().len() + assignee.to_owned().len();
            std::hint::black_box(tasks.value());
        }
        let ready = txn.open_table(READY)?;
        let oldest = ready.first()?.map(|(key, _)| key.value().0);
        std::hint::black_box(oldest);
        Ok(seen)
    }

    /// Reads the subscriptions, and of each the events after its cursor as far as one that is news to it. Answers those that have
    /// any.
    ///
    /// # Errors
    /// redb's; a subscription whose cursor is not known.
    pub(crate) fn pending(&self, cursors: &HashMap<u64, u64>, rows: usize) -> Result<Seen> {
        let txn = self.database.begin_read()?;
        let events = txn.open_table(EVENT)?;
        let mut seen = Seen::default();
        for listener in txn.open_table(SUBSCRIPTION)?.iter()?.take(rows) {
            let (id, row) = listener?;
            seen.bytes += row.value().to_vec().len();
            let cursor = cursors.get(&id.value()).ok_or(Failed::Row)?;
            for event in events.range(cursor + 1..)? {
                let row = event?.1.value().to_vec();
                seen.bytes += row.len();
                if says(&row, NEWS) {
                    seen.rows += 1;
                    break;
                }
            }
        }
        Ok(seen)
    }
}

impl Seen {
    /// Copies a row, and counts it.
    fn add(&mut self, row: &[u8]) {
        self.rows += 1;
        self.bytes += row.to_vec().len();
    }
}

/// Whether a word stands in a row.
fn says(row: &[u8], word: &str) -> bool {
    row.windows(word.len()).any(|part| part == word.as_bytes())
}
