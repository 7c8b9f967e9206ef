//! The files of a board, seen from outside SQLite. Nothing here opens the database, its `-wal` or its `-shm`, except to
//! create the database before SQLite has ever seen it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use kanban_core::{Error, ErrorKind, Result, Unavailable};

use crate::error::system;
use crate::wait::Deadline;

/// The name of a board's main file.
pub(crate) const DATABASE: &str = "board.db";

/// Where a board's files are.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    directory: PathBuf,
    pub(crate) database: PathBuf,
    wal: PathBuf,
    shm: PathBuf,
    lock: PathBuf,
}

/// Which files the paths named, by device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    database: (u64, u64),
    wal: (u64, u64),
    /// The index of the `-wal`. Who has another one of the same `-wal` writes over the commits of others.
    shm: (u64, u64),
}

impl Place {
    /// The files of the board in a directory. The paths are absolute: SQLite takes a relative one that begins with
    /// `file:` for a URI, and the working directory may change.
    pub(crate) fn of(directory: &Path) -> Result<Self> {
        let directory = std::path::absolute(directory)
            .map_err(|error| system("finding the board's directory", error))?;
        Ok(Self {
            database: directory.join(DATABASE),
            wal: directory.join("board.db-wal"),
            shm: directory.join("board.db-shm"),
            lock: directory.join("board.lock"),
            directory,
        })
    }

    /// Whether there is a database with anything in it.
    pub(crate) fn has_database(&self) -> Result<bool> {
        match fs::metadata(&self.database) {
            Ok(found) => Ok(found.len() > 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(system("looking for the board's file", error)),
        }
    }

    /// Creates the database's file, empty and for its owner only, with its entry in the directory durable.
    /// Only under the set-up lock.
    pub(crate) fn create_database(&self) -> Result<()> {
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.database);
        match made {
            Ok(file) => drop(file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(system("creating the board's file", error)),
        }
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| system("syncing the board's directory", error))
    }

    /// Which files the paths name now, while a connection has them open. `Replaced` if it has not: SQLite has one
    /// `-shm` for all connections of a process to a database, also when another one has taken its name since.
    pub(crate) fn identity(&self) -> Result<Identity> {
        let found = Identity {
            database: file(&self.database)?,
            wal: file(&self.wal)?,
            shm: file(&self.shm)?,
        };
        if has_open(found.shm) {
            return Ok(found);
        }
        Err(Error::unavailable(
            Unavailable::Replaced,
            "somebody of this process has an older -shm file open",
        ))
    }

    /// Fails with `Replaced` unless the paths still name the files they did.
    pub(crate) fn expect(&self, remembered: Identity) -> Result<()> {
        self.expect_commits(remembered)?;
        same(file(&self.shm)?, remembered.shm, "the -shm file")
    }

    /// The same for the files in which commits are. An index is made anew from them.
    pub(crate) fn expect_commits(&self, remembered: Identity) -> Result<()> {
        self.expect_database(remembered)?;
        same(file(&self.wal)?, remembered.wal, "the -wal file")
    }

    /// The same for the database alone.
    pub(crate) fn expect_database(&self, remembered: Identity) -> Result<()> {
        let found = file(&self.database)?;
        same(found, remembered.database, "the board's file")
    }

    /// The length of the `-wal` file in bytes; 0 if there is none.
    pub(crate) fn wal_len(&self) -> u64 {
        fs::metadata(&self.wal).map_or(0, |found| found.len())
    }

    /// Waits for the lock under which a board is set up, and holds it until the file is dropped. Never goes on
    /// without it.
    pub(crate) fn lock(&self, deadline: Deadline) -> Result<File> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.lock)
            .map_err(|error| system("opening the board's lock file", error))?;
        deadline.retry(|| match file.try_lock() {
            Ok(()) => Ok(()),
            Err(fs::TryLockError::WouldBlock) => Err(Error::new(
                ErrorKind::Busy,
                "another process is setting the board up",
            )),
            Err(fs::TryLockError::Error(error)) => {
                Err(system("taking the board's lock file", error))
            }
        })?;
        Ok(file)
    }

    /// What keeps SQLite from opening its files, which it does not tell: tries to make a file beside them.
    pub(crate) fn why_not(&self) -> Unavailable {
        let path = self
            .directory
            .join(format!("board.probe-{:x}", fastrand::u64(..)));
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match made {
            Ok(_) => {
                // A probe that stays behind is empty and harmless.
                let _ = fs::remove_file(&path);
                Unavailable::Io
            }
            Err(error) => match system("", error).kind() {
                ErrorKind::Unavailable(why) => *why,
                _ => Unavailable::Io,
            },
        }
    }
}

fn file(path: &Path) -> Result<(u64, u64)> {
    match fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::unavailable(
            Unavailable::Replaced,
            format!("gone: {}", path.display()),
        )),
        Err(error) => Err(system("looking for the board's files", error)),
    }
}

/// Whether this process has a file open. Where the system does not tell, it is believed to.
fn has_open(wanted: (u64, u64)) -> bool {
    let Ok(open) = fs::read_dir("/proc/self/fd") else {
        return true;
    };
    // Asked by the descriptor, as `fstat` does: nothing is opened.
    open.filter_map(|entry| fs::metadata(entry.ok()?.path()).ok())
        .any(|found| (found.dev(), found.ino()) == wanted)
}

fn same(found: (u64, u64), remembered: (u64, u64), what: &str) -> Result<()> {
    if found == remembered {
        return Ok(());
    }
    let context = format!("{what} was replaced: inode {} by {}", remembered.1, found.1);
    Err(Error::unavailable(Unavailable::Replaced, context))
}
