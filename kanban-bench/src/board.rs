//! A board to measure, in a folder of its own that goes with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kanban_core::{
    Backend, BoardStore, Boards, Copied, Durability, Engine, Error, OpenBoard, Options, Result,
    Txn, Unavailable, Upkeep, Verdict, View, Violation, WriteEnd,
};
use kanban_redb::RedbBackend;
use kanban_sqlite::SqliteBackend;
use tempfile::TempDir;

use crate::subject::{Store, Subject};

/// An open board in a folder of its own. The folder goes when this is dropped.
#[derive(Debug)]
pub struct Board {
    boards: Boards,
    /// What is called.
    pub store: Arc<dyn BoardStore>,
    /// What its engine has committed.
    pub commits: Arc<Commits>,
    folder: TempDir,
    subject: Subject,
}

impl Board {
    /// Makes a board in a new folder under a place.
    ///
    /// # Errors
    /// The store's; a folder that cannot be made is `Unavailable(Io)`.
    pub(crate) async fn make(subject: Subject, place: &Path) -> Result<Self> {
        let folder = new_folder(place)?;
        Self::open(subject, folder).await
    }

    async fn open(subject: Subject, folder: TempDir) -> Result<Self> {
        let commits = Arc::new(Commits::default());
        let boards = open_root(subject, folder.path(), &commits)?;
        let store = boards.open(None).await?;
        Ok(Self {
            boards,
            store,
            commits,
            folder,
            subject,
        })
    }

    /// Closes the store and keeps the folder.
    ///
    /// # Errors
    /// The store's.
    pub async fn close(self) -> Result<Closed> {
        self.boards.close().await?;
        Ok(Closed {
            folder: self.folder,
            subject: self.subject,
        })
    }
}

/// A board that nobody has open.
#[derive(Debug)]
pub struct Closed {
    folder: TempDir,
    subject: Subject,
}

impl Closed {
    /// The board's main file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        file_under(self.folder.path(), self.subject.store)
    }

    /// The root that the board is in.
    #[must_use]
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The subject that it is opened as.
    #[must_use]
    pub(crate) const fn subject(&self) -> Subject {
        self.subject
    }

    /// The same at another durability, which is a matter of opening.
    #[must_use]
    pub(crate) const fn at(mut self, durability: Durability) -> Self {
        self.subject = self.subject.at(durability);
        self
    }

    /// Copies it into a folder beside it. The copy is of the same engine and mode, and is opened as a subject says. It is on the
    /// disk before it is answered: a flush that is measured later has nothing of it left to write.
    ///
    /// # Errors
    /// `Unavailable(Io)`: the files cannot be copied.
    pub fn copy(&self, subject: Subject) -> Result<Self> {
        let from = self.folder.path();
        let place = from.parent().unwrap_or(from);
        let folder = new_folder(place)?;
        copy_files(from, folder.path()).map_err(|error| {
            let context = format!("copying the board at {}", from.display());
            Error::unavailable(Unavailable::Io, context).with_source(error)
        })?;
        Ok(Self { folder, subject })
    }

    /// Opens it again.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(self) -> Result<Board> {
        Board::open(self.subject, self.folder).await
    }
}

fn new_folder(place: &Path) -> Result<TempDir> {
    let made = tempfile::Builder::new()
        .prefix("kanban-bench-")
        .tempdir_in(place);
    made.map_err(|error| {
        let context = format!("making a folder under {}", place.display());
        Error::unavailable(Unavailable::Io, context).with_source(error)
    })
}

fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir(&to)?;
            copy_files(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), &to)?;
            std::fs::File::open(&to)?.sync_all()?;
        }
    }
    Ok(())
}

/// How many calls may wait: more than fall due in a run. A gateway refuses callers that are too many; a bench has calls fall due
/// whether or not the machine keeps up, and tells how long they waited rather than end with nothing.
const QUEUE_LEN_MAX: usize = 1 << 20;

/// Opens a root with its engine, whose commits are counted.
///
/// # Errors
/// The store's.
pub(crate) fn open_root(subject: Subject, root: &Path, commits: &Arc<Commits>) -> Result<Boards> {
    let options = Options {
        durability: subject.durability,
        mode: Some(subject.mode),
        queue_len_max: QUEUE_LEN_MAX,
        ..Options::default()
    };
    match subject.store {
        Store::Sqlite => {
            let backend = Counted::new(SqliteBackend::new(), commits);
            Boards::open_root(root, backend, options)
        }
        Store::Redb => {
            let backend = Counted::new(RedbBackend::new(), commits);
            Boards::open_root(root, backend, options)
        }
    }
}

/// Where a root has the folder of its board.
const FOLDER: &str = "boards/default";

/// The root that a board's main file is in.
pub(crate) fn root_of(file: &Path) -> &Path {
    let above = Path::new(FOLDER).components().count() + 1;
    file.ancestors().nth(above).unwrap_or(file)
}

fn file_under(root: &Path, store: Store) -> PathBuf {
    root.join(FOLDER).join(match store {
        Store::Sqlite => "board.db",
        Store::Redb => "board.redb",
    })
}

/// What an engine has committed: how long a group is, is a figure of every write workload.
#[derive(Debug, Default)]
pub struct Commits {
    count: AtomicU64,
}

impl Commits {
    /// How many so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// A backend whose commits are counted.
#[derive(Debug)]
struct Counted<T> {
    inner: T,
    commits: Arc<Commits>,
}

impl<T> Counted<T> {
    fn new(inner: T, commits: &Arc<Commits>) -> Self {
        let commits = Arc::clone(commits);
        Self { inner, commits }
    }
}

impl<B: Backend> Backend for Counted<B> {
    type Engine = Counted<B::Engine>;

    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn file_name(&self) -> &'static str {
        self.inner.file_name()
    }

    fn open(&self, directory: &Path, how: &OpenBoard) -> Result<Self::Engine> {
        let engine = self.inner.open(directory, how)?;
        Ok(Counted::new(engine, &self.commits))
    }

    fn accept_backup(&self, copy: &Path) -> Result<()> {
        self.inner.accept_backup(copy)
    }
}

impl<E: Engine> Engine for Counted<E> {
    fn read(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        self.inner.read(ask)
    }

    fn read_long(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        self.inner.read_long(ask)
    }

    fn backup(&self, to: &Path, go_on: &dyn Fn(Copied) -> Result<()>) -> Result<()> {
        self.inner.backup(to, go_on)
    }

    fn write(&self, fill: &mut dyn FnMut(&mut dyn Txn) -> Result<Verdict>) -> WriteEnd {
        let end = self.inner.write(fill);
        if matches!(end, WriteEnd::Done(Verdict::Commit)) {
            self.commits.count.fetch_add(1, Ordering::Relaxed);
        }
        end
    }

    fn flush(&self) -> Result<()> {
        self.inner.flush()
    }

    fn outlives_process(&self) -> bool {
        self.inner.outlives_process()
    }

    fn reopen(&self) -> Result<()> {
        self.inner.reopen()
    }

    fn idle(&self) -> Upkeep {
        self.inner.idle()
    }

    fn release_thread(&self) {
        self.inner.release_thread();
    }

    fn close(&self) -> Result<()> {
        self.inner.close()
    }

    fn check(&self, limit: usize) -> Result<Vec<Violation>> {
        self.inner.check(limit)
    }
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::{clients, fill};

    #[test]
    fn calls_that_fall_due_faster_than_they_are_answered_wait_and_are_not_refused() {
        let place = tempfile::tempdir().expect("there is room for a folder");
        let made = block_on(Board::make(Subject::new(Store::Sqlite), place.path()));
        let board = made.expect("a board is made");
        let tasks = block_on(fill::tasks(&*board.store, 1)).expect("it is filled");
        let more_than_a_queue_takes = 8 * Options::default().queue_len_max;
        let outcome = clients::open(1e9, more_than_a_queue_takes, |_| {
            let (store, task) = (&board.store, tasks[0].clone());
            async move { store.task(task).await.map(drop) }
        });
        let answered = outcome.expect("none is refused").calls;
        assert_eq!(answered, more_than_a_queue_takes as u64);
        block_on(board.close()).expect("the board is closed");
    }
}
