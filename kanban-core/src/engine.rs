//! What a backend implements: snapshots, transactions, and upkeep. Synchronous, no handles.

use std::fmt;
use std::path::Path;

use crate::change::Change;
use crate::error::{Error, Result};
use crate::model::BoardState;
use crate::options::{Durability, RootMode};
use crate::request::Violation;
use crate::view::View;

/// An open transaction: a [`View`] that sees its own changes.
pub trait Txn: View {
    /// Writes one change.
    ///
    /// # Errors
    /// Only because storage failed. The transaction is then of no more use: the executor gives
    /// [`Verdict::RollBack`].
    fn apply(&mut self, change: &Change) -> Result<()>;

    /// This view, for rules and questions.
    fn view(&self) -> &dyn View;
}

/// What is to become of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Commit it.
    Commit,
    /// Undo it.
    RollBack,
}

/// How far upkeep got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// There is nothing more to do before the next write.
    Done,
    /// Somebody was in the way. The executor asks again after a while, though nothing is written.
    Behind,
}

/// How a write ended.
#[derive(Debug)]
pub enum WriteEnd {
    /// As the closure said: committed (to the store's durability), or rolled back.
    Done(Verdict),
    /// Before the commit: nothing was written.
    NotWritten(Error),
    /// The commit itself, or a check after it, failed: it may or may not have taken effect. The executor calls
    /// [`Engine::reopen`] and looks for its [`GroupRecord`](crate::model::GroupRecord).
    Uncertain(Error),
}

/// How much of a copy is made, in what the engine copies: pages, or rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copied {
    /// So much.
    pub done: u64,
    /// Of so much, once that is known.
    pub total: Option<u64>,
}

/// One open board of a backend.
///
/// `read` and `read_long` are called from many threads, `write`, `flush`, `reopen` and `idle` only from the board's own
/// writer thread. A backend caches what it needs per thread (connections, transactions) itself and
/// gives it up in [`release_thread`](Self::release_thread).
pub trait Engine: fmt::Debug + Send + Sync + 'static {
    /// Runs a closure on one snapshot that holds everything committed before the call.
    ///
    /// # Errors
    /// The closure's, and the engine's own. `Busy` after the engine's deadline, never a wait without end.
    fn read(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()>;

    /// The same for a closure that reads the whole board, however long that takes. The caller is a thread that it has
    /// started for this, never one that answers questions. An engine that keeps old states for a snapshot bounds them:
    /// it ends the read rather than let them grow with all that is written meanwhile.
    ///
    /// # Errors
    /// The closure's, and the engine's own. `Busy` where the snapshot cost too much to be kept.
    fn read_long(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()>;

    /// Copies one snapshot of the board into a new file, for its owner only, while others write. The file is durable
    /// on return, and one that exists is never touched. The closure is called between pieces, with how far the copy is; its
    /// error ends the copy and removes the file. Called as [`read_long`](Self::read_long) is, and bounded as that is.
    ///
    /// # Errors
    /// The closure's, and the engine's own. `Busy` where the snapshot cost too much to be kept.
    fn backup(&self, to: &Path, go_on: &dyn Fn(Copied) -> Result<()>) -> Result<()>;

    /// Runs a closure in one transaction, to which no other writer of any process can add. The closure is
    /// called at most once. An error or a panic of the closure undoes the transaction.
    fn write(&self, fill: &mut dyn FnMut(&mut dyn Txn) -> Result<Verdict>) -> WriteEnd;

    /// Makes everything committed so far durable against a power cut, whatever the store's durability.
    ///
    /// # Errors
    /// The engine's own; what was committed is then not known to be durable. After `Busy` nothing has changed, and it is
    /// asked again; after any other the executor calls [`reopen`](Self::reopen) and looks for what it had answered.
    fn flush(&self) -> Result<()>;

    /// Whether a commit that is not flushed outlives a killed process. Asked at [`Durability::Lazy`] only; at the others it
    /// must. `false` is always safe: after a kill the next store goes on behind the reservation, a gap of up to 4,096 of each
    /// number.
    fn outlives_process(&self) -> bool;

    /// Throws away all state in memory and opens the files anew, after an uncertain commit, without
    /// writing to the files before. Other threads are not inside `read` during this call.
    ///
    /// # Errors
    /// The engine's own; the executor then closes the store.
    fn reopen(&self) -> Result<()>;

    /// Called when the writer has nothing to do: checkpoints and the like. Its errors show in the next write.
    fn idle(&self) -> Upkeep;

    /// Gives up what the current thread holds of this board. Cheap if it holds nothing. What a thread gives up by itself, when
    /// it ends or has too much, may still be on its way when [`reopen`](Self::reopen) or [`close`](Self::close) is called:
    /// those wait for it.
    fn release_thread(&self);

    /// Called once, on the writer's thread, after every other thread has released: gives up the writer's and
    /// closes the files. All is given up also where it fails.
    ///
    /// # Errors
    /// What was answered may be gone with this close, and no write has told: `Unavailable(Replaced)` where the files lost
    /// their names, or what a flush would have kept. What only postpones work is none: the next opening does it.
    fn close(&self) -> Result<()>;

    /// The engine's own integrity check: the file's structure, and that secondary indexes hold exactly what the
    /// rows say (invariant 13). At most `limit` findings. Bounded as [`read_long`](Self::read_long) is.
    ///
    /// # Errors
    /// The engine's own. `Busy` where the snapshot cost too much to be kept.
    fn check(&self, limit: usize) -> Result<Vec<Violation>>;
}

/// What a board is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBoard {
    /// The row of a board that does not exist yet; without it a missing board is not created.
    pub create: Option<BoardState>,
    /// What an answered write survives.
    pub durability: Durability,
    /// How openers share the board. `Boards` keeps others out of an exclusive root; an engine may do with less then.
    pub mode: RootMode,
}

/// A kind of engine, with its options.
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// Its open boards.
    type Engine: Engine;

    /// Its name in `kanban.toml`, such as `sqlite`.
    fn name(&self) -> &'static str;

    /// The name of a board's main file in the board's directory, such as `board.db`.
    fn file_name(&self) -> &'static str;

    /// Opens the board in a directory, on the thread that will be its writer. With
    /// [`OpenBoard::create`] it makes the board if its file is missing or empty; safe when many processes race.
    ///
    /// # Errors
    /// `NotFound(Board)` is the caller's to give: a missing file without `create` is
    /// `Unavailable(Io)`. Else `Unavailable`, `Busy`, `Corrupt`; the files are then unchanged.
    fn open(&self, directory: &Path, how: &OpenBoard) -> Result<Self::Engine>;

    /// Turns a private copy of a backup into a board's main file. Refuses what is no finished backup: the main file of a
    /// board as it lies there may lack writes that are in memory, or in the files beside it, or be of two states.
    ///
    /// # Errors
    /// [`Error::no_finished_backup`](crate::Error::no_finished_backup) for such a file; `Unavailable`.
    fn accept_backup(&self, copy: &Path) -> Result<()>;
}
