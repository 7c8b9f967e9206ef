//! Copying a snapshot's rows into another file.

use std::path::Path;

use kanban_core::{Error, Result, Unavailable};
use redb::{Key, ReadTransaction, ReadableTable, Value, WriteTransaction};

use crate::error::{contained, storage, system};
use crate::files;
use crate::schema::{Reading, Slot, Tables, Writing, each_table};
use crate::setup::build;

/// How many entries are copied between two looks at whether to go on.
const ENTRIES_AT_ONCE: usize = 1000;

/// Copies the snapshot into a new file, and makes it durable. What the file had room for and did not need is not in it.
pub(crate) fn copy(
    from: &ReadTransaction,
    to: &Path,
    go_on: &dyn Fn() -> Result<()>,
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
    go_on: &dyn Fn() -> Result<()>,
) -> Result<()> {
    let (from, mut to) = (Tables::of(from), Tables::of(to));
    macro_rules! copy {
        ($name:ident) => {
            table(&from.$name, &mut to.$name, go_on)?;
        };
    }
    each_table!(copy);
    Ok(())
}

fn table<K: Key, V: Value>(
    from: &Slot<Reading<'_>, K, V>,
    to: &mut Slot<Writing<'_>, K, V>,
    go_on: &dyn Fn() -> Result<()>,
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
        }
        Ok(())
    })
}
