//! The boards under one root.

mod backup;
mod cell;
mod guest;
mod migrate;
mod root;
mod scratch;
mod table;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::{Backend, OpenBoard};
use crate::error::{Error, ErrorKind, Rejection, Result, Subject};
use crate::executor::{Keeps, Launch, Pool, Timer, start};
use crate::model::{BoardSlug, BoardState, Counters, EventId, Seq};
use crate::options::Options;
use crate::store::BoardStore;
use crate::sync::{Mutex, lock};

use self::cell::{Cell, Opened};
use self::guest::Guest;
use self::root::Root;
use self::table::Table;

pub use self::migrate::{Migrated, OnMigration};
pub use self::root::RootMark;

/// Whether a board is in use or in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BoardPlace {
    /// In use.
    Active,
    /// In the archive.
    Archived,
}

/// A board under the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoardEntry {
    /// Its name.
    pub slug: BoardSlug,
    /// Where it is.
    pub place: BoardPlace,
}

/// The boards under one root directory: one store per board and `Boards`, shared by all its handles.
///
/// A second `Boards` on the same root, in this process or another, works as a second process does: both may write, each
/// sees what the other has committed.
pub struct Boards {
    root: Arc<Root>,
    options: Options,
    opener: Box<dyn Opener>,
    pool: Arc<Pool>,
    timer: Arc<Timer>,
    table: Mutex<Table>,
    process: u32,
}

/// Starts the opening of a board; the engine's type ends here.
trait Opener: Send + Sync {
    fn start(
        &self,
        directory: PathBuf,
        how: OpenBoard,
        name: String,
        cell: Arc<Cell>,
    ) -> Result<()>;
    fn accept_backup(&self, copy: &Path) -> Result<()>;
    fn file_name(&self) -> &'static str;
}

struct BackendOpener<B> {
    backend: Arc<B>,
    options: Options,
    pool: Arc<Pool>,
    timer: Arc<Timer>,
    root: Arc<Root>,
}

impl<B: Backend> Opener for BackendOpener<B> {
    fn start(
        &self,
        directory: PathBuf,
        how: OpenBoard,
        name: String,
        cell: Arc<Cell>,
    ) -> Result<()> {
        let launch = Launch {
            backend: Arc::clone(&self.backend),
            directory,
            how,
            name,
            options: self.options.clone(),
            pool: Arc::clone(&self.pool),
            timer: Arc::clone(&self.timer),
            keeps: Arc::clone(&self.root) as Keeps,
        };
        start(launch, cell::Report::to(cell))
    }

    fn accept_backup(&self, copy: &Path) -> Result<()> {
        self.backend.accept_backup(copy)
    }

    fn file_name(&self) -> &'static str {
        self.backend.file_name()
    }
}

/// What to do about a board that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Create,
    Refuse,
}

impl Boards {
    /// Opens a root, made on first use (0700): `kanban.toml`, `lock`, `boards/`, `archive/`.
    ///
    /// # Errors
    /// `Unavailable(OtherEngine)` if the root belongs to another engine, `OtherMode` if it has another mode than the
    /// options ask for, `InUse` if it is exclusive and another opener has it, `NewerSchema` if a newer program wrote it,
    /// `ReadOnly`, `NoSpace` or `Io` otherwise; `Corrupt` if `kanban.toml` cannot be read as such. `Invalid` for an interval
    /// of [`Durability::Lazy`](crate::Durability::Lazy) that is out of bounds; then nothing is made.
    pub fn open_root<B: Backend>(
        root: impl AsRef<Path>,
        backend: B,
        options: Options,
    ) -> Result<Self> {
        options.durability.check()?;
        let root = Root::open(root.as_ref(), backend.name(), options.mode)?;
        Self::on(Arc::new(root), backend, options)
    }

    fn on<B: Backend>(root: Arc<Root>, backend: B, options: Options) -> Result<Self> {
        let pool = Arc::new(Pool::start(options.reader_threads, options.queue_len_max)?);
        let timer = Arc::new(Timer::start()?);
        let opener = BackendOpener {
            backend: Arc::new(backend),
            options: options.clone(),
            pool: Arc::clone(&pool),
            timer: Arc::clone(&timer),
            root: Arc::clone(&root),
        };
        Ok(Self {
            root,
            options,
            opener: Box::new(opener),
            pool,
            timer,
            table: Mutex::new(Table::default()),
            process: std::process::id(),
        })
    }

    /// What a root says about itself, none if there is no root. Opens nothing, and makes nothing.
    ///
    /// # Errors
    /// As [`open_root`](Self::open_root) for what is read.
    pub fn mark(root: impl AsRef<Path>) -> Result<Option<RootMark>> {
        RootMark::read(root.as_ref())
    }

    /// The root directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The file of a board in use, for messages: whether it is there is not looked at. `None` is `default`. Nothing but
    /// the engine may open it.
    #[must_use]
    pub fn file(&self, slug: Option<&BoardSlug>) -> PathBuf {
        let slug = slug.cloned().unwrap_or_default();
        let directory = self.root.board(&slug, BoardPlace::Active);
        directory.join(self.opener.file_name())
    }

    /// Opens a board, created on first use. `None` is `default`. All handles of one board share one store.
    ///
    /// # Errors
    /// `Rejected(BoardArchived)`, and the engine's.
    pub async fn open(&self, slug: Option<&BoardSlug>) -> Result<Arc<dyn BoardStore>> {
        let slug = slug.cloned().unwrap_or_default();
        let opened = self.open_or(&slug, Missing::Create, &mut None).await?;
        Ok(opened.store)
    }

    /// Opens a board that exists. `default` always does.
    ///
    /// # Errors
    /// `NotFound(Board)`, `Rejected(BoardArchived)`, and the engine's.
    pub async fn open_existing(&self, slug: Option<&BoardSlug>) -> Result<Arc<dyn BoardStore>> {
        let slug = slug.cloned().unwrap_or_default();
        let missing = if slug == BoardSlug::default() {
            Missing::Create
        } else {
            Missing::Refuse
        };
        Ok(self.open_or(&slug, missing, &mut None).await?.store)
    }

    /// Creates a board. Of many who race for one name, in any process, one creates it.
    ///
    /// # Errors
    /// `Rejected(BoardExists)`, `Rejected(BoardArchived)`, and the engine's.
    pub async fn create(&self, slug: &BoardSlug) -> Result<Arc<dyn BoardStore>> {
        self.check_open()?;
        self.refuse_archived(slug)?;
        let exists = || Rejection::BoardExists(slug.clone()).into();
        if slug == &BoardSlug::default() || self.has(slug, BoardPlace::Active) {
            return Err(exists());
        }
        // Whoever finds the seed that it brought has made the board; the engine lets one of those who race do so.
        let mut mine = None;
        let opened = self.open_or(slug, Missing::Create, &mut mine).await?;
        if mine == Some(opened.seed) {
            Ok(opened.store)
        } else {
            Err(exists())
        }
    }

    /// All boards, by name; `default` is always among them.
    ///
    /// # Errors
    /// `Unavailable`, if the directory cannot be read.
    pub fn list(&self) -> Result<Vec<BoardEntry>> {
        self.check_open()?;
        let mut boards = Vec::new();
        for place in [BoardPlace::Active, BoardPlace::Archived] {
            let slugs = self.root.boards(place, self.opener.file_name())?;
            boards.extend(slugs.into_iter().map(|slug| BoardEntry { slug, place }));
        }
        let default = BoardEntry {
            slug: BoardSlug::default(),
            place: BoardPlace::Active,
        };
        if !boards.contains(&default) {
            boards.push(default);
        }
        boards.sort();
        Ok(boards)
    }

    /// Puts a board into the archive. Handles on it answer `Closed` from then on, also if the caller goes away in the
    /// middle; the board then stays in use, and can be opened again.
    ///
    /// # Errors
    /// `Rejected(DefaultBoard)`, `NotFound(Board)`, `Rejected(BoardArchived)`, `Unavailable(InUse)` while another
    /// opener has the root; the board then stays as it was. After another `Unavailable` it may have been moved all the
    /// same, and a power cut may undo that: [`list`](Self::list) tells where it is.
    pub async fn archive(&self, slug: &BoardSlug) -> Result<()> {
        self.refuse_default(slug)?;
        let is_there = || {
            self.refuse_archived(slug)?;
            self.require(slug, BoardPlace::Active)
        };
        is_there()?;
        let alone = self.root.alone()?;
        // Asked again: until now somebody else could move it.
        is_there()?;
        let moving = table::Moving::begin(&self.table, slug)?;
        moving.close_board().await?;
        alone.move_board(slug, BoardPlace::Active, BoardPlace::Archived)
    }

    /// Takes a board out of the archive. Where a board of that name is in use too, it goes if nothing was ever written
    /// to it.
    ///
    /// # Errors
    /// `NotFound(Board)`, `Rejected(BoardNotArchived)`, `Unavailable(InUse)` while another opener has the root. After
    /// another `Unavailable` it may have been moved all the same, as after [`archive`](Self::archive).
    pub async fn restore(&self, slug: &BoardSlug) -> Result<()> {
        self.require_archived(slug)?;
        let alone = self.root.alone()?;
        self.require_archived(slug)?;
        let moving = table::Moving::begin(&self.table, slug)?;
        if self.has(slug, BoardPlace::Active) {
            moving.close_board().await?;
            self.refuse_written(slug).await?;
            alone.delete(slug, BoardPlace::Active)?;
        }
        alone.move_board(slug, BoardPlace::Archived, BoardPlace::Active)
    }

    /// Removes an archived board for good. A board of that name that is in use too stays.
    ///
    /// # Errors
    /// `Rejected(DefaultBoard)`, `NotFound(Board)`, `Rejected(BoardNotArchived)`, `Unavailable(InUse)` while another
    /// opener has the root.
    #[expect(
        clippy::unused_async,
        reason = "as archive: callers need not know which of them waits"
    )]
    pub async fn delete(&self, slug: &BoardSlug) -> Result<()> {
        self.refuse_default(slug)?;
        self.require_archived(slug)?;
        let alone = self.root.alone()?;
        self.require_archived(slug)?;
        alone.delete(slug, BoardPlace::Archived)
    }

    /// Closes all boards and gives up threads, files and the root's lock. Calls after it: `Closed`. Blocks for the
    /// moment that threads take to return.
    ///
    /// # Errors
    /// The first board's that did not close well, as [`BoardStore::close`] tells; all are closed all the same.
    pub async fn close(&self) -> Result<()> {
        self.check_process()?;
        let (cells, guests) = lock(&self.table).close();
        let mut result = Ok(());
        for cell in cells {
            result = result.and(cell.close().await);
        }
        for guest in guests {
            result = result.and(guest.end().await);
        }
        lock(&self.table).clear();
        self.pool.stop();
        self.timer.stop();
        self.root.unlock();
        result
    }

    /// Opens a board. Leaves in `mine` the seed that it brought for a board that does not exist.
    async fn open_or(
        &self,
        slug: &BoardSlug,
        missing: Missing,
        mine: &mut Option<u64>,
    ) -> Result<Opened> {
        self.check_open()?;
        self.refuse_archived(slug)?;
        if missing == Missing::Refuse {
            self.require(slug, BoardPlace::Active)?;
        }
        let cell = lock(&self.table).cell(slug)?;
        cell.open(|| {
            // Asked again, now that an archiving which begins waits for this opening: one that was faster is over.
            lock(&self.table).refuse_moving(slug)?;
            self.refuse_archived(slug)?;
            if missing == Missing::Refuse {
                self.require(slug, BoardPlace::Active)?;
            }
            let create = match missing {
                Missing::Create => {
                    self.root.make_board_directory(slug)?;
                    let board = self.new_board();
                    *mine = Some(board.seed);
                    Some(board)
                }
                Missing::Refuse => None,
            };
            let how = OpenBoard {
                create,
                durability: self.options.durability,
                mode: self.root.mode(),
            };
            let directory = self.root.board(slug, BoardPlace::Active);
            self.opener
                .start(directory, how, slug.to_string(), Arc::clone(&cell))
        })
        .await
    }

    fn new_board(&self) -> BoardState {
        BoardState {
            created_at: self.options.clock.now(),
            seed: self.options.ids.random(),
            counters: Counters::default(),
            reserved: Counters::default(),
            boot: None,
            horizon: EventId::default(),
        }
    }

    /// Refuses in a forked child, before any lock is touched: none of the threads exist there.
    fn check_process(&self) -> Result<()> {
        if std::process::id() == self.process {
            Ok(())
        } else {
            Err(closed())
        }
    }

    fn check_open(&self) -> Result<()> {
        self.check_process()?;
        lock(&self.table).check_open()
    }

    fn refuse_default(&self, slug: &BoardSlug) -> Result<()> {
        self.check_open()?;
        if slug == &BoardSlug::default() {
            Err(Rejection::DefaultBoard.into())
        } else {
            Ok(())
        }
    }

    fn refuse_archived(&self, slug: &BoardSlug) -> Result<()> {
        if self.has(slug, BoardPlace::Archived) {
            return Err(Rejection::BoardArchived(slug.clone()).into());
        }
        Ok(())
    }

    fn require_archived(&self, slug: &BoardSlug) -> Result<()> {
        self.check_open()?;
        if !self.has(slug, BoardPlace::Archived) && self.has(slug, BoardPlace::Active) {
            return Err(Rejection::BoardNotArchived(slug.clone()).into());
        }
        self.require(slug, BoardPlace::Archived)
    }

    /// Refuses a board in use, which nobody has open, if anything was ever written to it.
    async fn refuse_written(&self, slug: &BoardSlug) -> Result<()> {
        let directory = self.root.board(slug, BoardPlace::Active);
        let how = OpenBoard {
            create: None,
            durability: self.options.durability,
            mode: self.root.mode(),
        };
        let guest = Guest::open(self, directory, how).await?;
        let seq = guest.store.stats().await.map(|stats| stats.seq);
        guest.close().await?;
        if seq? == Seq::default() {
            return Ok(());
        }
        Err(Rejection::BoardNotArchived(slug.clone()).into())
    }

    fn require(&self, slug: &BoardSlug, place: BoardPlace) -> Result<()> {
        if self.has(slug, place) {
            return Ok(());
        }
        Err(Error::not_found(Subject::Board(slug.clone())))
    }

    fn has(&self, slug: &BoardSlug, place: BoardPlace) -> bool {
        self.root.has_board(slug, place, self.opener.file_name())
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "")
}

impl fmt::Debug for Boards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Boards")
            .field("root", &self.root.path())
            .finish_non_exhaustive()
    }
}
