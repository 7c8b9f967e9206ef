//! A board that is opened beside the table, by its directory: for work on a whole file that nobody else uses.

use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::OpenBoard;
use crate::error::Result;
use crate::store::BoardStore;

use super::{Boards, Cell};

/// An open board that no handle leads to.
pub(super) struct Guest {
    cell: Arc<Cell>,
    pub(super) store: Arc<dyn BoardStore>,
}

impl Guest {
    /// Opens the board in a directory.
    pub(super) async fn open(boards: &Boards, directory: PathBuf, how: OpenBoard) -> Result<Self> {
        let cell = Arc::new(Cell::default());
        let begin = || {
            let name = "guest".to_owned();
            boards.opener.start(directory, how, name, Arc::clone(&cell))
        };
        let store = cell.open(begin).await?.store;
        Ok(Self { cell, store })
    }

    /// Closes it, and waits for the end of its threads and files.
    pub(super) async fn close(self) -> Result<()> {
        self.cell.close().await
    }
}
