//! The files of a board, seen from outside redb.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use kanban_core::{Error, ErrorKind, Result, Unavailable};

use crate::error::system;
use crate::wait::Deadline;

/// The name of a board's main file.
pub(crate) const DATABASE: &str = "board.redb";

/// Where a board's files are.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) directory: PathBuf,
    pub(crate) database: PathBuf,
    /// A board that is being made.
    pub(crate) unborn: PathBuf,
    lock: PathBuf,
}

/// Which file a path named, by device and inode.
pub(crate) type Identity = (u64, u64);

impl Place {
    /// The files of the board in a directory. The paths are absolute: the working directory may change.
    pub(crate) fn of(directory: &Path) -> Result<Self> {
        let directory = std::path::absolute(directory)
            .map_err(|error| system("finding the board's directory", error))?;
        Ok(Self {
            database: directory.join(DATABASE),
            unborn: directory.join("board.redb.new"),
            lock: directory.join("board.lock"),
            directory,
        })
    }

    /// Whether there is a database with anything in it. Whatever else is in its place is refused, a link too: its
    /// target is somebody else's file.
    pub(crate) fn has_database(&self) -> Result<bool> {
        match fs::symlink_metadata(&self.database) {
            Ok(found) if !found.is_file() => {
                Err(Error::corrupt("the board's file is no regular file"))
            }
            Ok(found) => Ok(found.len() > 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(system("looking for the board's file", error)),
        }
    }

    /// Opens the database's file, which exists, for redb.
    pub(crate) fn open(&self) -> Result<File> {
        let doing = |error| system("opening the board's file", error);
        if !self.has_database()? {
            return Err(Error::unavailable(
                Unavailable::Io,
                "there is no board here",
            ));
        }
        // What comes between the look and the open does not stop it, and is looked at again.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(&self.database);
        let file = file.map_err(doing)?;
        let found = file.metadata().map_err(doing)?;
        if found.is_file() && found.len() > 0 {
            return Ok(file);
        }
        Err(Error::corrupt(
            "the board's file was replaced while it was opened",
        ))
    }

    /// Puts a board that was made in its place, durably. Only under the set-up lock.
    pub(crate) fn bear(&self) -> Result<()> {
        fs::rename(&self.unborn, &self.database)
            .map_err(|error| system("putting the board's file in its place", error))?;
        sync_directory(&self.directory)
    }

    /// Fails with `Replaced` unless the path still names the file it did.
    pub(crate) fn expect(&self, remembered: Identity) -> Result<()> {
        let context = match fs::symlink_metadata(&self.database) {
            Ok(found) if identity(&found) == remembered => return Ok(()),
            Ok(found) => format!("inode {} by {}", remembered.1, found.ino()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "it is gone".to_owned(),
            Err(error) => return Err(system("looking for the board's file", error)),
        };
        let context = format!("the board's file was replaced: {context}");
        Err(Error::unavailable(Unavailable::Replaced, context))
    }

    /// Where a copy of the file may lie for a while.
    pub(crate) fn copy(&self) -> PathBuf {
        self.directory
            .join(format!("board.redb.copy-{:x}", fastrand::u64(..)))
    }

    /// The length of the database's file in bytes; 0 if there is none.
    pub(crate) fn len(&self) -> u64 {
        fs::metadata(&self.database).map_or(0, |found| found.len())
    }

    /// Waits for the lock under which a board is made, and holds it until the file is dropped.
    pub(crate) fn lock(&self, deadline: Deadline) -> Result<File> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let file = options
            .custom_flags(libc::O_NOFOLLOW)
            .open(&self.lock)
            .map_err(|error| system("opening the board's lock file", error))?;
        deadline.retry(|| match file.try_lock() {
            Ok(()) => Ok(()),
            Err(fs::TryLockError::WouldBlock) => Err(Error::new(
                ErrorKind::Busy,
                "another process is making the board",
            )),
            Err(fs::TryLockError::Error(error)) => {
                Err(system("taking the board's lock file", error))
            }
        })?;
        Ok(file)
    }
}

/// Which file it is.
pub(crate) fn identity(found: &fs::Metadata) -> Identity {
    (found.dev(), found.ino())
}

/// Makes a new file, for its owner only. One that exists is not touched.
pub(crate) fn make(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    options
        .open(path)
        .map_err(|error| system("making a file", error))
}

/// Makes what was added to a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<()> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| system("syncing a directory", error))
}

/// Removes a file that is not whole.
pub(crate) fn remove(path: &Path) {
    // It is ours, and no board. One that stays behind is refused or made anew.
    let _ = fs::remove_file(path);
}
