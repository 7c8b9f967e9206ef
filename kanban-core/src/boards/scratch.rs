//! What a root holds for a moment only, and what is left of it after a kill.
//!
//! Whoever makes such a thing holds `lock.scratch` shared until it is gone. Who gets that lock alone knows that all of it
//! is left over.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use crate::error::Result;

use super::root::{io_error, open_lock};

const LOCK: &str = "lock.scratch";
/// How a directory for a restore is named.
const BACKUP: &str = ".backup-";
/// How a mark is named until it is put in place.
pub(super) const MARK: &str = ".kanban.toml.";

/// Keeps a sweep away.
#[derive(Debug)]
pub(super) struct Hold {
    _lock: File,
}

impl Hold {
    /// Waits for a sweep, which is short.
    pub(super) fn take(root: &Path) -> Result<Self> {
        let lock = open_lock(&root.join(LOCK))?;
        lock.lock_shared()
            .map_err(|error| io_error("locking the root", error))?;
        Ok(Self { _lock: lock })
    }
}

/// A directory in the root for its owner only, removed when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    directory: TempDir,
    _hold: Hold,
}

impl Scratch {
    pub(super) fn make(root: &Path) -> Result<Self> {
        let hold = Hold::take(root)?;
        let directory = tempfile::Builder::new()
            .prefix(BACKUP)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(root)
            .map_err(|error| io_error("making room for a backup", error))?;
        Ok(Self {
            directory,
            _hold: hold,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Removes what was left over, unless somebody is at work. What cannot be removed stays for the next.
pub(super) fn sweep(root: &Path) {
    let _ = try_sweep(root);
}

fn try_sweep(root: &Path) -> io::Result<()> {
    let mut lock = None;
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(BACKUP) && !name.starts_with(MARK) {
            continue;
        }
        if lock.is_none() {
            let file = open_lock(&root.join(LOCK)).map_err(io::Error::other)?;
            if file.try_lock().is_err() {
                return Ok(());
            }
            lock = Some(file);
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if let Err(error) = fs::remove_file(entry.path()) {
            // Seen before the lock was ours, and gone since.
            if error.kind() != io::ErrorKind::NotFound {
                return Err(error);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(root: &Path) -> usize {
        let entries = fs::read_dir(root).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().starts_with('.'))
            .count()
    }

    #[test]
    fn what_a_kill_left_is_swept_and_what_is_in_use_stays() {
        let root = tempfile::tempdir().unwrap();
        let live = Scratch::make(root.path()).unwrap();
        let mode = fs::metadata(live.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::create_dir(root.path().join(".backup-left")).unwrap();
        fs::write(root.path().join(".backup-left/board.db"), "a copy").unwrap();
        fs::write(root.path().join(".kanban.toml.left"), "a mark").unwrap();
        sweep(root.path());
        assert_eq!(left(root.path()), 3, "expected it kept: a restore runs");
        drop(live);
        sweep(root.path());
        assert_eq!(left(root.path()), 0);
    }
}
