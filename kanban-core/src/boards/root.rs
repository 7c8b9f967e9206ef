//! The root directory: its mark, its lock, its boards.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind as IoKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Unavailable};
use crate::model::BoardSlug;
use crate::sync::{Mutex, lock};

use super::BoardPlace;

/// The layout of a root that this program knows.
const FORMAT: u32 = 1;
const MARK: &str = "kanban.toml";

/// What `kanban.toml` says. Unknown keys are kept from us by a newer format.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    format: u32,
    engine: String,
    /// How processes share the root; an engine may know several.
    mode: String,
}

/// An open root. The lock is held shared while it is open.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    lock: Mutex<Held>,
}

/// How the root's lock is held.
#[derive(Debug)]
enum Held {
    Shared(File),
    Alone(File),
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
    /// Moves a board from one place to the other.
    pub(super) fn move_board(
        &self,
        slug: &BoardSlug,
        from: BoardPlace,
        to: BoardPlace,
    ) -> Result<()> {
        let root = self.0;
        fs::rename(root.board(slug, from), root.board(slug, to))
            .map_err(|error| io_error("moving a board", error))?;
        sync_directory(&root.place(to))?;
        sync_directory(&root.place(from))
    }

    /// Removes an archived board.
    pub(super) fn delete_archived(&self, slug: &BoardSlug) -> Result<()> {
        let root = self.0;
        fs::remove_dir_all(root.board(slug, BoardPlace::Archived))
            .map_err(|error| io_error("deleting a board", error))?;
        sync_directory(&root.place(BoardPlace::Archived))
    }
}

impl Root {
    /// Opens a root, or makes it; safe when many race.
    pub(super) fn open(path: &Path, engine: &str) -> Result<Self> {
        make_directory(path, true)?;
        let lock = open_lock(&path.join("lock"))?;
        match lock.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let context = "another process moves boards of this root";
                return Err(Error::unavailable(Unavailable::InUse, context));
            }
            Err(TryLockError::Error(error)) => return Err(io_error("locking the root", error)),
        }
        let root = Self {
            path: path.to_owned(),
            lock: Mutex::new(Held::Shared(lock)),
        };
        root.check_mark(engine)?;
        make_directory(&root.path.join("boards"), false)?;
        make_directory(&root.path.join("archive"), false)?;
        Ok(root)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn check_mark(&self, engine: &str) -> Result<()> {
        let path = self.path.join(MARK);
        if !path.exists() {
            self.write_mark(engine)?;
        }
        let text = fs::read_to_string(&path).map_err(|e| io_error("reading kanban.toml", e))?;
        // The format alone is read first: a newer one may say the rest differently.
        let format = toml::from_str::<toml::Table>(&text)
            .ok()
            .and_then(|table| table.get("format")?.as_integer());
        match format {
            None => return Err(Error::corrupt("kanban.toml names no format")),
            Some(format) if format > i64::from(FORMAT) => {
                let context = format!("the root has format {format}, this program knows {FORMAT}");
                return Err(Error::unavailable(Unavailable::NewerSchema, context));
            }
            Some(_) => {}
        }
        let mark: Mark = toml::from_str(&text)
            .map_err(|error| Error::corrupt("kanban.toml is malformed").with_source(error))?;
        if mark.engine == engine {
            return Ok(());
        }
        let context = format!(
            "the root {} belongs to the engine {}, not {engine}: open it with that, or take another root",
            self.path.display(),
            mark.engine,
        );
        Err(Error::unavailable(Unavailable::OtherEngine, context))
    }

    /// Puts the mark in place whole, unless somebody else did.
    fn write_mark(&self, engine: &str) -> Result<()> {
        let doing = |error| io_error("writing kanban.toml", error);
        let mark = Mark {
            format: FORMAT,
            engine: engine.to_owned(),
            mode: "shared".to_owned(),
        };
        let text = toml::to_string(&mark).expect("three plain values always have a text");
        let mut file = tempfile::Builder::new()
            .prefix(".kanban.toml.")
            .tempfile_in(&self.path)
            .map_err(doing)?;
        file.write_all(text.as_bytes()).map_err(doing)?;
        file.as_file().sync_all().map_err(doing)?;
        match file.persist_noclobber(self.path.join(MARK)) {
            Ok(_) => sync_directory(&self.path),
            Err(error) if error.error.kind() == IoKind::AlreadyExists => Ok(()),
            Err(error) => Err(doing(error.error)),
        }
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
        self.board(slug, place).join(file).exists()
    }

    /// Makes a board's directory. Answers whether the board is new.
    pub(super) fn make_board_directory(&self, slug: &BoardSlug, file: &str) -> Result<bool> {
        let path = self.board(slug, BoardPlace::Active);
        Ok(make_directory(&path, false)? || !path.join(file).exists())
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
                take_alone(file)?;
                let Held::Shared(file) = std::mem::replace(&mut *held, Held::Closed) else {
                    unreachable!("it was shared a moment ago, under the same lock")
                };
                *held = Held::Alone(file);
                Ok(Alone(self))
            }
            Held::Alone(_) => Err(in_use("this process moves another board of the root")),
            Held::Closed => Err(super::closed()),
        }
    }

    /// Back to sharing. While it was alone nobody waited for the root without giving up.
    fn share(&self) {
        let mut held = lock(&self.lock);
        if let Held::Alone(file) = std::mem::replace(&mut *held, Held::Closed) {
            // Another opener may take it alone for a moment; to wait for that is to wait for a rename.
            if file.lock_shared().is_ok() {
                *held = Held::Shared(file);
            }
        }
    }

    /// Gives up the root's lock.
    pub(super) fn unlock(&self) {
        *lock(&self.lock) = Held::Closed;
    }
}

/// Turns a shared lock into the only one, or leaves it shared.
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

/// Makes a directory for its owner only, durably. Answers whether it is new.
fn make_directory(path: &Path, with_parents: bool) -> Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            if let Some(parent) = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty())
            {
                sync_directory(parent)?;
            }
            Ok(true)
        }
        Err(error) if error.kind() == IoKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) if error.kind() == IoKind::NotFound && with_parents => {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|error| io_error("making the root", error))?;
            Ok(true)
        }
        Err(error) => Err(io_error(&format!("making {}", path.display()), error)),
    }
}

fn open_lock(path: &Path) -> Result<File> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    opened.map_err(|error| io_error(&format!("opening {}", path.display()), error))
}

fn sync_directory(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(|error| io_error("syncing a directory", error))
}

fn io_error(doing: &str, error: io::Error) -> Error {
    let why = match error.kind() {
        IoKind::PermissionDenied | IoKind::ReadOnlyFilesystem => Unavailable::ReadOnly,
        IoKind::StorageFull | IoKind::QuotaExceeded => Unavailable::NoSpace,
        _ => Unavailable::Io,
    };
    Error::unavailable(why, doing.to_owned()).with_source(error)
}
