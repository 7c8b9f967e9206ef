//! Copying a snapshot's rows into another file, and taking such a file over.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::path::Path;

use kanban_core::{Copied, Error, ErrorKind, Result, Unavailable};
use redb::{Key, ReadTransaction, ReadableTable, Value, WriteTransaction};

use crate::error::{contained, storage, system};
use crate::files;
use crate::schema::{BACKUP_KEY, Reading, Slot, Tables, Writing, each_table};
use crate::setup::build;

/// How many entries are copied between two looks at whether to go on.
const ENTRIES_AT_ONCE: usize = 1000;

/// Copies the snapshot into a new file, and makes it durable. What the file had room for and did not need is not in it.
pub(crate) fn copy(
    from: &ReadTransaction,
    to: &Path,
    go_on: &dyn Fn(Copied) -> Result<()>,
) -> Result<()> {
    let to = std::path::absolute(to).map_err(|error| system("finding the backup's file", error))?;
    let directory = to
        .parent()
        .ok_or_else(|| Error::unavailable(Unavailable::Io, "a backup is made in a directory"))?;
    let file = files::make(&to)?;
    let done =
        build(file, |txn| tables(from, txn, go_on)).and_then(|()| files::sync_directory(directory));
    if done.is_err() {
        files::remove(&to);
    }
    done
}

fn tables(
    from: &ReadTransaction,
    to: &WriteTransaction,
    go_on: &dyn Fn(Copied) -> Result<()>,
) -> Result<()> {
    let (from, mut to) = (Tables::of(from), Tables::of(to));
    let mut total = 0;
    macro_rules! count {
        ($name:ident) => {
            total += from.$name.len()?;
        };
    }
    each_table!(count);
    let done = Cell::new(0);
    let go_on = || {
        go_on(Copied {
            done: done.get(),
            total: Some(total),
        })
    };
    macro_rules! copy {
        ($name:ident) => {
            table(&from.$name, &mut to.$name, (&done, &go_on))?;
        };
    }
    each_table!(copy);
    // In the transaction that makes all of it: a file that has the mark is whole.
    let marked = to.meta.get_mut()?.insert(BACKUP_KEY, 1);
    marked.map_err(|error| storage("marking the backup", error))?;
    Ok(())
}

/// Turns a private copy of a finished backup into a board's file. A board's own file never has the mark, so that a copy
/// of one, which may be of two states, is not taken for a backup.
pub(crate) fn accept(copy: &Path) -> Result<()> {
    let doing = |error| system("looking at the backup", error);
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).open(copy).map_err(doing)?;
    // redb would make a database of an empty file.
    if file.metadata().map_err(doing)?.len() == 0 {
        return Err(Error::no_finished_backup());
    }
    contained(|| build(file, unmark)).map_err(|error| match error.kind() {
        ErrorKind::Corrupt => Error::no_finished_backup().with_source(error),
        _ => error,
    })
}

fn unmark(txn: &WriteTransaction) -> Result<()> {
    let mut tables = Tables::of(txn);
    let found = tables.meta.get_mut()?.remove(BACKUP_KEY);
    let found = found.map_err(|error| storage("looking at the backup", error))?;
    found
        .map(|_| ())
        .ok_or_else(|| Error::corrupt("the file has no mark of a backup"))
}

fn table<K: Key, V: Value>(
    from: &Slot<Reading<'_>, K, V>,
    to: &mut Slot<Writing<'_>, K, V>,
    (done, go_on): (&Cell<u64>, &dyn Fn() -> Result<()>),
) -> Result<()> {
    let (from, to) = (from.get()?, to.get_mut()?);
    contained(|| {
        let doing = |error| storage("copying the board", error);
        let all = from.iter().map_err(doing)?;
        for (at, entry) in all.enumerate() {
            if at % ENTRIES_AT_ONCE == 0 {
                go_on()?;
            }
            let (key, value) = entry.map_err(doing)?;
            to.insert(key.value(), value.value()).map_err(doing)?;
            done.set(done.get() + 1);
        }
        Ok(())
    })
}
