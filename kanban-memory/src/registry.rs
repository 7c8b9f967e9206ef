//! The boards of this process, found again by their files.
//!
//! A board is known by what its file is to the system (device and inode): one that is moved stays the same, a copy of its
//! file is none. Boards of one directory are on one shelf, and live as long as anybody holds that: a board that a
//! closed and dropped store has made is there for the other stores of the root.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use kanban_core::{OpenBoard, Result};

use crate::board::{Board, lock};
use crate::error::system;
use crate::file;

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    boards: BTreeMap::new(),
    shelves: BTreeMap::new(),
});

/// What a file is to the system. No other one gets it while the file is open.
type FileId = (u64, u64);

struct Registry {
    boards: BTreeMap<FileId, Weak<Board>>,
    shelves: BTreeMap<FileId, Weak<Shelf>>,
}

/// The boards of one directory.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<Vec<Arc<Board>>>);

impl Shelf {
    /// Puts a board there, and clears away those whose files are gone.
    fn put(&self, board: &Arc<Board>) {
        let mut boards = lock(&self.0);
        boards.retain(|other| !other.is_deleted() && !Arc::ptr_eq(other, board));
        boards.push(Arc::clone(board));
    }
}

/// The board of a directory, and its shelf: the board of this process, or a new one, if it may be made.
pub(crate) fn open(directory: &Path, how: &OpenBoard) -> Result<(Arc<Board>, Arc<Shelf>)> {
    // One at a time in this process. Between processes it is the file's lock that counts.
    let mut registry = lock(&REGISTRY);
    let Registry { boards, shelves } = &mut *registry;
    boards.retain(|_, board| board.strong_count() > 0);
    shelves.retain(|_, shelf| shelf.strong_count() > 0);
    let file = file::open(directory, how)?;
    let id = id_of(file.metadata())?;
    let board = match boards.get(&id).and_then(Weak::upgrade) {
        Some(board) => {
            file::check(&file)?;
            if board.process() != std::process::id() {
                return Err(file::elsewhere());
            }
            board
        }
        None => Arc::new(Board::new(file::begin(&file, how)?, file)),
    };
    boards.insert(id, Arc::downgrade(&board));
    let place = id_of(directory.join("..").metadata())?;
    let shelf = shelves.get(&place).and_then(Weak::upgrade);
    let shelf = shelf.unwrap_or_default();
    shelves.insert(place, Arc::downgrade(&shelf));
    shelf.put(&board);
    Ok((board, shelf))
}

fn id_of(found: io::Result<Metadata>) -> Result<FileId> {
    let found = found.map_err(|error| system("looking at the board's file", error))?;
    Ok((found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use kanban_conformance::calls;
    use kanban_core::{Boards, Durability, Options, RootMode};
    use pollster::block_on;

    use super::*;
    use crate::MemoryBackend;

    #[test]
    fn the_memory_of_a_deleted_board_is_free_once_another_is_opened() {
        let root = tempfile::tempdir().unwrap();
        let backend = MemoryBackend::new();
        let boards = Boards::open_root(root.path(), backend.clone(), Options::default()).unwrap();
        let (old, new) = (calls::slug("old"), calls::slug("new"));
        block_on(boards.create(&old)).unwrap();
        let how = OpenBoard {
            create: None,
            durability: Durability::Power,
            mode: RootMode::Shared,
        };
        let (board, _shelf) = super::open(&root.path().join("boards/old"), &how).unwrap();
        let freed = Arc::downgrade(&board);
        drop(board);
        block_on(boards.archive(&old)).unwrap();
        block_on(boards.delete(&old)).unwrap();
        assert!(freed.upgrade().is_some(), "held until somebody looks");
        block_on(boards.create(&new)).unwrap();
        assert!(freed.upgrade().is_none(), "expected its memory to be free");
        block_on(boards.close()).unwrap();
    }

    #[test]
    fn a_dropped_board_is_free_at_once() {
        let root = tempfile::tempdir().unwrap();
        let boards = Boards::open_root(root.path(), MemoryBackend::new(), Options::default());
        let boards = boards.unwrap();
        block_on(boards.open(None)).unwrap();
        let how = OpenBoard {
            create: None,
            durability: Durability::Power,
            mode: RootMode::Shared,
        };
        let (board, shelf) = super::open(&root.path().join("boards/default"), &how).unwrap();
        let freed = Arc::downgrade(&board);
        drop((board, shelf));
        block_on(boards.close()).unwrap();
        assert!(freed.upgrade().is_some(), "a closed board is kept");
        drop(boards);
        assert!(freed.upgrade().is_none(), "expected its memory to be free");
    }
}
