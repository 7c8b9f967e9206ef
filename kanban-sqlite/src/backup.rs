//! Copying a board's pages into another file.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use kanban_core::{Error, ErrorKind, Result, Unavailable};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::error::{storage, system};

/// How many pages are copied between two looks at whether to go on: 4 MiB.
const PAGES_AT_ONCE: i32 = 1024;

/// Copies the snapshot that a connection holds into a new file, and makes it durable. While the connection holds it
/// nothing of it changes, so the copy never begins anew.
pub(crate) fn copy(from: &Connection, to: &Path, go_on: &dyn Fn() -> Result<()>) -> Result<()> {
    // As with the board itself: a relative path may be taken for a URI.
    let to = std::path::absolute(to).map_err(|error| system("finding the backup's file", error))?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&to)
        .map_err(|error| system("making the backup's file", error))?;
    let done = pages(from, &to, go_on).and_then(|()| sync(&file, &to));
    if done.is_err() {
        // It is ours, and not a board. One that stays behind is refused as damaged.
        let _ = fs::remove_file(&to);
    }
    done
}

fn pages(from: &Connection, to: &Path, go_on: &dyn Fn() -> Result<()>) -> Result<()> {
    let doing = |error| storage("copying the board", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags).map_err(doing)?;
    // Nobody reads the file before it is whole, and it is synced once at its end.
    for (pragma, value) in [("journal_mode", "OFF"), ("synchronous", "OFF")] {
        target
            .pragma_update_and_check(None, pragma, value, |_| Ok(()))
            .or_else(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => Ok(()),
                error => Err(error),
            })
            .map_err(doing)?;
    }
    {
        let backup = Backup::new(from, &mut target).map_err(doing)?;
        loop {
            go_on()?;
            match backup.step(PAGES_AT_ONCE).map_err(doing)? {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(Error::new(ErrorKind::Busy, "copying the board")),
            }
        }
    }
    target.close().map_err(|(_, error)| doing(error))
}

fn sync(file: &File, to: &Path) -> Result<()> {
    let doing = |error| system("syncing the backup", error);
    file.sync_all().map_err(doing)?;
    let directory = to
        .parent()
        .ok_or_else(|| Error::unavailable(Unavailable::Io, "a backup is made in a directory"))?;
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(doing)
}
