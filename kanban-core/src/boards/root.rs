//! The root directory: its mark, its lock, its boards.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind as IoKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::error::{Error, Result, Unavailable};
use crate::model::BoardSlug;
use crate::options::RootMode;
use crate::sync::{Mutex, lock};

use super::BoardPlace;
use super::scratch::{self, Hold};

/// The layout of a root that this program knows.
const FORMAT: u32 = 1;
const MARK: &str = "kanban.toml";
/// Under this one the lock is asked for alone. Never converted, so that of two who want to be alone only one gives up
/// its share for a moment.
const TURN: &str = "lock.turn";
/// Held by the one opener of an exclusive root, as long as it is open. A lock of its own: of many who race for it one gets
/// it, which a lock that is shared first cannot promise.
const EXCLUSIVE: &str = "lock.exclusive";
/// How the remains of a deletion are named, in the archive.
const DELETED: &str = ".deleted-";

/// What a root says about itself, in its `kanban.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootMark {
    format: u32,
    /// The name of the engine that its boards belong to.
    pub engine: String,
    /// How openers share it.
    pub mode: RootMode,
}

/// An open root. The lock is held shared while it is open.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    mode: RootMode,
    lock: Mutex<Held>,
    exclusive: Mutex<Option<File>>,
}

/// How the root's lock is held.
#[derive(Debug)]
enum Held {
    Shared(File),
    Alone(File, File),
    /// Alone, and closed as soon as that is over.
    Leaving(File, File),
    Closed,
}

/// The root, with nobody else in it. Dropping it shares the root again.
#[derive(Debug)]
pub(super) struct Alone<'a>(&'a Root);

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.0.share();
    }
}

impl Alone<'_> {
    /// Moves a board from one place to the other, where there is no board of that name.
    pub(super) fn move_board(
        &self,
        slug: &BoardSlug,
        from: BoardPlace,
        to: BoardPlace,
    ) -> Result<()> {
        let root = self.0;
        let target = root.board(slug, to);
        remove_half_made(&target)
            .and_then(|()| fs::rename(root.board(slug, from), &target))
            .map_err(|error| io_error("moving a board", error))?;
        sync_directory(&root.place(to))?;
        sync_directory(&root.place(from))
    }

    /// Removes the files of one engine from a board's directory.
    pub(super) fn remove_files(
        &self,
        slug: &BoardSlug,
        place: BoardPlace,
        file: &str,
    ) -> Result<()> {
        let directory = self.0.board(slug, place);
        let remove = || {
            for entry in fs::read_dir(&directory)? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().starts_with(file) {
                    fs::remove_file(entry.path())?;
                }
            }
            Ok(())
        };
        remove().map_err(|error| io_error("removing the files of a board", error))
    }

    /// Gives the root to another engine.
    pub(super) fn change_engine(&self, engine: &str) -> Result<()> {
        let root = self.0.path();
        let mark = RootMark::read(root)?;
        let mark = mark.ok_or_else(|| Error::corrupt("the root has lost its kanban.toml"))?;
        let doing = |error| io_error("writing kanban.toml", error);
        let _hold = Hold::take(root)?;
        let file = RootMark {
            engine: engine.to_owned(),
            ..mark
        }
        .file(root)?;
        file.persist(root.join(MARK))
            .map_err(|error| doing(error.error))?;
        sync_directory(root)
    }

    /// Removes a board.
    pub(super) fn delete(&self, slug: &BoardSlug, place: BoardPlace) -> Result<()> {
        let root = self.0;
        self.sweep()
            .map_err(|error| io_error("sweeping the archive", error))?;
        let archive = root.place(BoardPlace::Archived);
        // Renamed first: a deletion that is cut short leaves no half of a board under its name.
        let gone = archive.join(format!("{DELETED}{slug}-{:016x}", crate::clock::random()));
        let doing = |error| io_error("deleting a board", error);
        fs::rename(root.board(slug, place), &gone).map_err(doing)?;
        sync_directory(&archive)?;
        sync_directory(&root.place(place))?;
        fs::remove_dir_all(&gone).map_err(doing)
    }

    /// Removes what deletions that were cut short have left.
    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.0.place(BoardPlace::Archived))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(DELETED) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

impl RootMark {
    /// What a root says, none if there is none.
    pub(super) fn read(root: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(root.join(MARK)) {
            Ok(text) => text,
            Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("reading kanban.toml", error)),
        };
        let damaged = |what: &str| {
            let mark = root.join(MARK);
            Error::corrupt(format!("{} {what}", mark.display()))
        };
        // The format and the mode are read first: a newer program may say the rest differently.
        let table = toml::from_str::<toml::Table>(&text).unwrap_or_default();
        let format = table.get("format").and_then(toml::Value::as_integer);
        match format {
            None => return Err(damaged("names no format")),
            Some(format) if format < i64::from(FORMAT) => {
                return Err(damaged(&format!(
                    "has the format {format}, which never was"
                )));
            }
            Some(format) if format > i64::from(FORMAT) => {
                let context = format!(
                    "the root {} has format {format}, this program knows {FORMAT}",
                    root.display()
                );
                return Err(Error::unavailable(Unavailable::NewerSchema, context));
            }
            Some(_) => {}
        }
        if let Some(mode @ toml::Value::String(_)) = table.get("mode")
            && mode.clone().try_into::<RootMode>().is_err()
        {
            let context = format!(
                "the root {} has the mode {mode}, unknown here",
                root.display()
            );
            return Err(Error::unavailable(Unavailable::NewerSchema, context));
        }
        toml::from_str(&text)
            .map(Some)
            .map_err(|error| damaged(&format!("is malformed: {}", error.message())))
    }

    /// What a root says after it was made if need be, by whoever was first.
    fn read_or_make(root: &Path, engine: &str, mode: Option<RootMode>) -> Result<Self> {
        let mark = if let Some(mark) = Self::read(root)? {
            mark
        } else {
            let mark = Self {
                format: FORMAT,
                engine: engine.to_owned(),
                mode: mode.unwrap_or_default(),
            };
            mark.write(root)?;
            Self::read(root)?.ok_or_else(|| Error::corrupt("the root has lost its kanban.toml"))?
        };
        if mark.engine != engine {
            let context = format!(
                "the root {} belongs to the engine {}, not {engine}: open it with that, or take another root",
                root.display(),
                mark.engine,
            );
            return Err(Error::unavailable(Unavailable::OtherEngine, context));
        }
        if let Some(asked) = mode.filter(|asked| *asked != mark.mode) {
            let context = format!(
                "the root {} has the mode {}, not {asked}: open it without a mode, or take another root",
                root.display(),
                mark.mode,
            );
            return Err(Error::unavailable(Unavailable::OtherMode, context));
        }
        Ok(mark)
    }

    /// The mark in a file that is on the disk, to be put in place.
    fn file(&self, root: &Path) -> Result<NamedTempFile> {
        let doing = |error| io_error("writing kanban.toml", error);
        let text = toml::to_string(self).expect("three plain values always have a text");
        let mut file = tempfile::Builder::new()
            .prefix(scratch::MARK)
            .tempfile_in(root)
            .map_err(doing)?;
        file.write_all(text.as_bytes()).map_err(doing)?;
        file.as_file().sync_all().map_err(doing)?;
        Ok(file)
    }

    /// Puts the mark in place whole, unless somebody else did.
    fn write(&self, root: &Path) -> Result<()> {
        let _hold = Hold::take(root)?;
        match self.file(root)?.persist_noclobber(root.join(MARK)) {
            Ok(_) => sync_directory(root),
            Err(error) if error.error.kind() == IoKind::AlreadyExists => Ok(()),
            Err(error) => Err(io_error("writing kanban.toml", error.error)),
        }
    }
}

impl Root {
    /// Opens a root, or makes it; safe when many race.
    pub(super) fn open(path: &Path, engine: &str, mode: Option<RootMode>) -> Result<Self> {
        make_root(path)?;
        // Before the shared lock: an opener that is refused would keep the one who has the root from moving its boards.
        let early = match RootMark::read(path)? {
            Some(mark) if mark.mode == RootMode::Exclusive => Some(take_exclusive(path)?),
            _ => None,
        };
        let lock = open_lock(&path.join("lock"))?;
        match lock.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(in_use("another process moves boards of this root"));
            }
            Err(TryLockError::Error(error)) => return Err(io_error("locking the root", error)),
        }
        let mark = RootMark::read_or_make(path, engine, mode)?;
        let exclusive = match (mark.mode, early) {
            (RootMode::Shared, _) => None,
            (RootMode::Exclusive, Some(held)) => Some(held),
            (RootMode::Exclusive, None) => Some(take_exclusive(path)?),
        };
        make_directory(&path.join("boards"))?;
        make_directory(&path.join("archive"))?;
        scratch::sweep(path);
        Ok(Self {
            path: path.to_owned(),
            mode: mark.mode,
            lock: Mutex::new(Held::Shared(lock)),
            exclusive: Mutex::new(exclusive),
        })
    }

    pub(super) const fn mode(&self) -> RootMode {
        self.mode
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of a board.
    pub(super) fn board(&self, slug: &BoardSlug, place: BoardPlace) -> PathBuf {
        self.place(place).join(slug.as_str())
    }

    fn place(&self, place: BoardPlace) -> PathBuf {
        self.path.join(match place {
            BoardPlace::Active => "boards",
            BoardPlace::Archived => "archive",
        })
    }

    pub(super) fn has_board(&self, slug: &BoardSlug, place: BoardPlace, file: &str) -> bool {
        // An empty file is what a creation that failed half-way leaves: no board yet.
        fs::metadata(self.board(slug, place).join(file)).is_ok_and(|file| file.len() > 0)
    }

    /// Whether a file is one of a board, by any of its names. Opens none: that alone may harm a board in use.
    pub(super) fn has_file(&self, file: &Path) -> io::Result<bool> {
        let wanted = fs::metadata(file)?;
        for place in [BoardPlace::Active, BoardPlace::Archived] {
            for board in fs::read_dir(self.place(place))? {
                let board = board?;
                if !board.file_type()?.is_dir() {
                    continue;
                }
                for found in fs::read_dir(board.path())? {
                    let found = found?.metadata()?;
                    if (found.dev(), found.ino()) == (wanted.dev(), wanted.ino()) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Makes a board's directory.
    pub(super) fn make_board_directory(&self, slug: &BoardSlug) -> Result<()> {
        make_directory(&self.board(slug, BoardPlace::Active))
    }

    /// The boards in a place, in no order.
    pub(super) fn boards(&self, place: BoardPlace, file: &str) -> Result<Vec<BoardSlug>> {
        let doing = |error| io_error("listing boards", error);
        let mut slugs = Vec::new();
        for entry in fs::read_dir(self.place(place)).map_err(doing)? {
            let name = entry.map_err(doing)?.file_name();
            let slug = name.to_str().and_then(|name| BoardSlug::new(name).ok());
            slugs.extend(slug.filter(|slug| self.has_board(slug, place, file)));
        }
        Ok(slugs)
    }

    /// Takes the root alone: nobody else, in this process or another, has it open or opens it until the answer is
    /// dropped.
    pub(super) fn alone(&self) -> Result<Alone<'_>> {
        let mut held = lock(&self.lock);
        match &mut *held {
            Held::Shared(file) => {
                let turn = take(
                    &self.path.join(TURN),
                    "another opener moves a board of the root",
                )?;
                take_alone(file)?;
                let Held::Shared(file) = std::mem::replace(&mut *held, Held::Closed) else {
                    unreachable!("it was shared a moment ago, under the same lock")
                };
                *held = Held::Alone(file, turn);
                Ok(Alone(self))
            }
            Held::Alone(..) | Held::Leaving(..) => {
                Err(in_use("this process moves another board of the root"))
            }
            Held::Closed => Err(super::closed()),
        }
    }

    /// Back to sharing.
    fn share(&self) {
        let mut held = lock(&self.lock);
        if let Held::Alone(file, _turn) = std::mem::replace(&mut *held, Held::Closed) {
            // Nobody else asks for it alone while the turn is ours, so this does not wait.
            if file.lock_shared().is_ok() {
                *held = Held::Shared(file);
            }
        }
    }

    /// Gives up the root's lock.
    pub(super) fn unlock(&self) {
        let mut held = lock(&self.lock);
        *held = match std::mem::replace(&mut *held, Held::Closed) {
            Held::Alone(file, turn) | Held::Leaving(file, turn) => Held::Leaving(file, turn),
            Held::Shared(_) | Held::Closed => Held::Closed,
        };
        *lock(&self.exclusive) = None;
    }
}

/// Makes this opener the only one of an exclusive root.
fn take_exclusive(root: &Path) -> Result<File> {
    let taken = "another opener has the root, which is exclusive";
    take(&root.join(EXCLUSIVE), taken)
}

/// Takes a lock that one opener can have.
fn take(path: &Path, taken: &str) -> Result<File> {
    let file = open_lock(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(in_use(taken)),
        Err(TryLockError::Error(error)) => Err(io_error("locking the root alone", error)),
    }
}

/// Turns a shared lock into the only one, or leaves it shared. The turn is the caller's.
fn take_alone(file: &File) -> Result<()> {
    let refused = match file.try_lock() {
        Ok(()) => return Ok(()),
        Err(TryLockError::WouldBlock) => in_use("another opener has the root"),
        Err(TryLockError::Error(error)) => io_error("locking the root alone", error),
    };
    // The attempt gave up the shared lock first.
    file.lock_shared()
        .map_err(|error| io_error("locking the root", error))?;
    Err(refused)
}

fn in_use(context: &str) -> Error {
    Error::unavailable(Unavailable::InUse, context)
}

/// Makes the root with the directories above it.
fn make_root(path: &Path) -> Result<()> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    missing.into_iter().rev().try_for_each(make_directory)
}

/// Makes a directory for its owner only. Its name is on the disk when this returns, whoever made it: its maker may have
/// been killed between the two.
fn make_directory(path: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == IoKind::AlreadyExists && path.is_dir() => {}
        Err(error) => return Err(io_error(&format!("making {}", path.display()), error)),
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    sync_directory(parent.unwrap_or(Path::new(".")))
}

pub(super) fn open_lock(path: &Path) -> Result<File> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    opened.map_err(|error| io_error(&format!("opening {}", path.display()), error))
}

/// Removes what a creation that failed half-way leaves: a directory with nothing but empty files. Any other is left as
/// it is, and is in the way.
fn remove_half_made(directory: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == IoKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in &entries {
        let metadata = entry.metadata()?;
        if !metadata.is_file() || metadata.len() > 0 {
            return Err(IoKind::DirectoryNotEmpty.into());
        }
    }
    for entry in entries {
        fs::remove_file(entry.path())?;
    }
    fs::remove_dir(directory)
}

fn sync_directory(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(|error| io_error("syncing a directory", error))
}

pub(super) fn io_error(doing: &str, error: io::Error) -> Error {
    Error::io(doing, error)
}
