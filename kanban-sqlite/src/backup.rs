//! Copying a board's pages into another file.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use kanban_core::{Copied, Error, ErrorKind, Result, Unavailable};
use rusqlite::backup::{Backup, Progress, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::error::{storage, system};
use crate::schema::APPLICATION_ID;

/// How many pages are copied between two looks at whether to go on: 4 MiB.
const PAGES_AT_ONCE: i32 = 1024;

/// `kbb1`: the application id of a finished backup. A board's own file never has it, so that a plain copy of one, which
/// may lack what is in its `-wal`, is not taken for a backup, nor is a backup taken for a board.
const FINISHED: u32 = 0x6b62_6231;
/// Where SQLite keeps that id in the file's header, big-endian.
const ID_AT: u64 = 68;

/// Copies the snapshot that a connection holds into a new file, and makes it durable. While the connection holds it
/// nothing of it changes, so the copy never begins anew.
pub(crate) fn copy(
    from: &Connection,
    to: &Path,
    go_on: &dyn Fn(Copied) -> Result<()>,
) -> Result<()> {
    // As with the board itself: a relative path may be taken for a URI.
    let to = std::path::absolute(to).map_err(|error| system("finding the backup's file", error))?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&to)
        .map_err(|error| system("making the backup's file", error))?;
    let done = pages(from, &to, go_on).and_then(|()| finish(&file, &to));
    if done.is_err() {
        // It is ours, and not a board. One that stays behind is refused as damaged.
        let _ = fs::remove_file(&to);
    }
    done
}

fn pages(from: &Connection, to: &Path, go_on: &dyn Fn(Copied) -> Result<()>) -> Result<()> {
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
        // How many pages there are is known after the first step.
        go_on(Copied::default())?;
        loop {
            match backup.step(PAGES_AT_ONCE).map_err(doing)? {
                StepResult::Done => {
                    go_on(copied(backup.progress()))?;
                    break;
                }
                StepResult::More => go_on(copied(backup.progress()))?,
                _ => return Err(Error::new(ErrorKind::Busy, "copying the board")),
            }
        }
    }
    target.close().map_err(|(_, error)| doing(error))
}

fn copied(pages: Progress) -> Copied {
    let number = |pages: i32| u64::try_from(pages).unwrap_or_default();
    let total = number(pages.pagecount);
    Copied {
        done: total.saturating_sub(number(pages.remaining)),
        total: Some(total),
    }
}

/// Turns a private copy of a finished backup into a board's file.
pub(crate) fn accept(copy: &Path) -> Result<()> {
    let doing = |error| system("looking at the backup", error);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(copy)
        .map_err(doing)?;
    let mut id = [0; 4];
    let is_long = file.metadata().map_err(doing)?.len() > ID_AT + 4;
    if is_long {
        file.read_exact_at(&mut id, ID_AT).map_err(doing)?;
    }
    if u32::from_be_bytes(id) != FINISHED {
        return Err(Error::no_finished_backup());
    }
    file.write_all_at(&APPLICATION_ID.to_be_bytes(), ID_AT)
        .map_err(doing)
}

/// Marks the copy as finished once all of it is on the disk.
fn finish(file: &File, to: &Path) -> Result<()> {
    let doing = |error| system("syncing the backup", error);
    file.sync_all().map_err(doing)?;
    file.write_all_at(&FINISHED.to_be_bytes(), ID_AT)
        .map_err(doing)?;
    sync(file, to)
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
