//! A board that is opened beside the table's, by its directory: for work on a whole file that nobody else uses.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use crate::engine::OpenBoard;
use crate::error::Result;
use crate::store::BoardStore;
use crate::sync::{Mutex, lock};

use super::Boards;
use super::cell::Cell;
use super::scratch::Scratch;

/// A guest's place in the table. Who closes the boards closes it too, and removes its directory if it has one.
#[derive(Debug, Default)]
pub(super) struct Stay {
    cell: Arc<Cell>,
    scratch: Mutex<Option<Scratch>>,
}

impl Stay {
    /// Closes the board, waits for the end of its threads and files, and removes its scratch directory.
    pub(super) async fn end(&self) -> Result<()> {
        let closed = self.cell.close().await;
        drop(lock(&self.scratch).take());
        closed
    }
}

/// An open board that no handle leads to. One that is dropped closes; the next guest, or who closes the boards, waits for
/// its end and clears up.
pub(super) struct Guest<'a> {
    boards: &'a Boards,
    stay: Arc<Stay>,
    pub(super) store: Arc<dyn BoardStore>,
}

impl<'a> Guest<'a> {
    /// Opens the board in a directory.
    pub(super) async fn open(
        boards: &'a Boards,
        directory: PathBuf,
        how: OpenBoard,
    ) -> Result<Self> {
        Self::begin(boards, how, |_| Ok(directory)).await
    }

    /// Opens the board that `fill` puts into a directory of its own.
    pub(super) async fn open_scratch(
        boards: &'a Boards,
        how: OpenBoard,
        fill: impl FnOnce(&Scratch) -> Result<()>,
    ) -> Result<Self> {
        let make = |stay: &Stay| {
            let scratch = Scratch::make(boards.root.path())?;
            let directory = scratch.path().to_owned();
            let filled = fill(&scratch);
            *lock(&stay.scratch) = Some(scratch);
            filled.map(|()| directory)
        };
        Self::begin(boards, how, make).await
    }

    async fn begin(
        boards: &'a Boards,
        how: OpenBoard,
        make: impl FnOnce(&Stay) -> Result<PathBuf>,
    ) -> Result<Self> {
        let left = lock(&boards.table).left_guests();
        for left in left {
            // How it ended was for a caller who went away.
            let _ = left.end().await;
            lock(&boards.table).unseat(&left);
        }
        let stay = lock(&boards.table).seat()?;
        let cell = Arc::clone(&stay.cell);
        let opened = cell.open(|| {
            // A close that comes from here on waits for this opening, the files of which it removes.
            lock(&boards.table).check_open()?;
            let directory = make(&stay)?;
            let name = "guest".to_owned();
            boards.opener.start(directory, how, name, Arc::clone(&cell))
        });
        match opened.await {
            Ok(opened) => Ok(Self {
                boards,
                stay,
                store: opened.store,
            }),
            Err(error) => {
                stay.end().await?;
                lock(&boards.table).unseat(&stay);
                Err(error)
            }
        }
    }

    /// Closes it, and waits for the end of its threads and files.
    pub(super) async fn close(self) -> Result<()> {
        let ended = self.stay.end().await;
        lock(&self.boards.table).unseat(&self.stay);
        ended
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        // Asked once, it begins; waiting is for who clears up. After `close` there is nothing left to do.
        let close = pin!(self.store.close());
        let _ = close.poll(&mut Context::from_waker(Waker::noop()));
    }
}
