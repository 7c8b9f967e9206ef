//! The board that a command is about. It is opened when it is first needed: what was refused before made nothing.

use std::cell::{Cell, OnceCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kanban_core::{BoardSlug, BoardStore, Boards, Error, ErrorKind, OnProgress, Options, Subject};
use pollster::block_on;
use tempfile::TempDir;

use crate::cli::{BoardCommand, Command, PolicyCommand};
use crate::failure::Failure;
use crate::output::Progress;
use crate::store::{self, Store};

/// What every root has.
const MARK: &str = "kanban.toml";

/// What a command does where there is no root, or no board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It makes both.
    Makes,
    /// It makes the root, but wants the board to be there.
    Wants,
    /// It makes nothing, and is answered as by an empty root.
    Answers,
    /// It makes nothing, and is refused: an empty answer would hide that the root is misspelt.
    Refuses,
}

impl Missing {
    /// Of a command that is not listed a root is made, so that nothing is ever written into one that goes away.
    pub(super) fn of(command: &Command) -> Self {
        match command {
            Command::Add(_) | Command::Import(_) => Self::Makes,
            Command::Verify | Command::Export(_) | Command::Backup(_) => Self::Refuses,
            // To follow is to wait for what is not there yet.
            Command::Events(args) if args.follow => Self::Wants,
            Command::Boards
            | Command::Board(
                BoardCommand::Archive(_) | BoardCommand::Restore(_) | BoardCommand::Delete(_),
            )
            | Command::Show(_)
            | Command::Tasks(_)
            | Command::Ids(_)
            | Command::List(_)
            | Command::Parents(_)
            | Command::Children(_)
            | Command::Graph(_)
            | Command::Runs(_)
            | Command::Comments(_)
            | Command::Attachments(_)
            | Command::Summaries(_)
            | Command::Events(_)
            | Command::Stats
            | Command::Pauses
            | Command::Policy(PolicyCommand::Show)
            | Command::Subscriptions(_) => Self::Answers,
            _ => Self::Wants,
        }
    }
}

/// The board that a command is about, and the root that it is in.
pub(super) struct Board {
    root: PathBuf,
    engine: Option<Store>,
    options: Options,
    slug: Option<BoardSlug>,
    missing: Cell<Missing>,
    opened: OnceCell<Opened>,
    store: OnceCell<Arc<dyn BoardStore>>,
}

struct Opened {
    boards: Boards,
    /// Stands in for a root that is not there, and goes with the command.
    stand_in: Option<TempDir>,
}

impl Board {
    pub(super) fn new(
        root: PathBuf,
        engine: Option<Store>,
        options: Options,
        slug: Option<BoardSlug>,
        missing: Missing,
    ) -> Self {
        Self {
            root,
            engine,
            options,
            slug,
            missing: Cell::new(missing),
            opened: OnceCell::new(),
            store: OnceCell::new(),
        }
    }

    /// The boards under the root.
    pub(super) fn boards(&self) -> Result<&Boards, Failure> {
        if let Some(opened) = self.opened.get() {
            return Ok(&opened.boards);
        }
        let opened = self.open_root()?;
        Ok(&self.opened.get_or_init(|| opened).boards)
    }

    /// The board itself.
    pub(super) fn store(&self) -> Result<&dyn BoardStore, Failure> {
        Ok(self.shared()?.as_ref())
    }

    fn shared(&self) -> Result<&Arc<dyn BoardStore>, Failure> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let boards = self.boards()?;
        let slug = self.slug.as_ref();
        // A misspelt board is not made by asking it something.
        let store = match self.missing.get() {
            Missing::Makes => block_on(boards.open(slug))?,
            _ => block_on(boards.open_existing(slug))?,
        };
        Ok(self.store.get_or_init(|| store))
    }

    /// The board, which tells a line on the terminal how far its long calls are, if there is one.
    pub(super) fn watched(&self, progress: &Progress) -> Result<Arc<dyn BoardStore>, Failure> {
        self.told(progress.listener()?)
    }

    /// The board, which tells somebody how far its long calls are.
    pub(super) fn told(
        &self,
        listener: Option<OnProgress>,
    ) -> Result<Arc<dyn BoardStore>, Failure> {
        let store = self.shared()?;
        Ok(match listener {
            Some(listener) => store.with_progress(listener),
            None => Arc::clone(store),
        })
    }

    /// Says that the call names tasks of the board. A board that is not there has none: it is not made for a refusal.
    pub(super) fn has_tasks(&self) {
        self.missing.set(Missing::Refuses);
    }

    /// The root that was asked about and is not there.
    pub(super) fn missing_root(&self) -> Option<&Path> {
        let stand_in = self.opened.get()?.stand_in.as_ref();
        stand_in.map(|_| self.root.as_path())
    }

    /// The board's file; the root, if that could not be opened.
    pub(super) fn file(&self) -> PathBuf {
        match self.opened.get() {
            Some(opened) => opened.boards.file(self.slug.as_ref()),
            None => self.root.clone(),
        }
    }

    /// Closes what was opened.
    pub(super) fn close(&self) -> kanban_core::Result<()> {
        match self.opened.get() {
            Some(opened) => block_on(opened.boards.close()),
            None => Ok(()),
        }
    }

    fn open_root(&self) -> Result<Opened, Failure> {
        let stand_in = match self.missing.get() {
            Missing::Answers if is_missing(&self.root) => {
                Some(TempDir::with_prefix("kanban-nothing-")?)
            }
            Missing::Refuses if is_missing(&self.root) => {
                let kind =
                    ErrorKind::NotFound(Subject::Board(self.slug.clone().unwrap_or_default()));
                let context = format!("there is nothing yet in {}", self.root.display());
                return Err(Error::new(kind, context).into());
            }
            _ => None,
        };
        let root = stand_in.as_ref().map_or(self.root.as_path(), TempDir::path);
        let boards = store::open(root, self.engine, self.options.clone())?;
        Ok(Opened { boards, stand_in })
    }
}

/// Whether there is certainly no root. What may not be looked at is opened, and the error says why not.
fn is_missing(root: &Path) -> bool {
    matches!(root.join(MARK).try_exists(), Ok(false))
}
