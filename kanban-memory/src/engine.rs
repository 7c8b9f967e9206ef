//! One open board.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kanban_core::{Copied, Engine, Result, Txn, Upkeep, Verdict, View, Violation, WriteEnd};

use crate::board::Board;
use crate::schema::Tables;
use crate::{backup, check};

/// One open board. Others of this process may have it open too.
#[derive(Debug)]
pub struct MemoryEngine {
    board: Arc<Board>,
    busy_deadline: Duration,
}

impl MemoryEngine {
    pub(crate) const fn new(board: Arc<Board>, busy_deadline: Duration) -> Self {
        Self {
            board,
            busy_deadline,
        }
    }
}

impl Engine for MemoryEngine {
    fn read(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        ask(&*self.board.snapshot())
    }

    /// What a snapshot costs has a bound by itself: at most the rows that it holds, once more.
    fn read_long(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        self.read(ask)
    }

    fn backup(&self, to: &Path, go_on: &dyn Fn(Copied) -> Result<()>) -> Result<()> {
        backup::write(&self.board.snapshot(), to, go_on)
    }

    fn write(&self, fill: &mut dyn FnMut(&mut dyn Txn) -> Result<Verdict>) -> WriteEnd {
        let turn = match self.board.turn(self.busy_deadline) {
            Ok(turn) => turn,
            Err(error) => return WriteEnd::NotWritten(error),
        };
        let mut tables = Tables::clone(&self.board.snapshot());
        match fill(&mut tables) {
            Ok(Verdict::Commit) => turn.commit(tables),
            Ok(Verdict::RollBack) => return WriteEnd::Done(Verdict::RollBack),
            Err(error) => return WriteEnd::NotWritten(error),
        }
        WriteEnd::Done(Verdict::Commit)
    }

    /// Nothing here survives a power cut, and nothing that does not could be given again: the board ends with it.
    fn flush(&self) -> Result<()> {
        Ok(())
    }

    /// The board ends with the process, so no other goes on after it.
    fn outlives_process(&self) -> bool {
        true
    }

    /// Never asked for: no commit is uncertain.
    fn reopen(&self) -> Result<()> {
        Ok(())
    }

    fn idle(&self) -> Upkeep {
        Upkeep::Done
    }

    /// No thread holds anything.
    fn release_thread(&self) {}

    /// The board stays, with its file and its lock, for as long as others of this process hold it.
    fn close(&self) -> Result<()> {
        Ok(())
    }

    fn check(&self, limit: usize) -> Result<Vec<Violation>> {
        check::check(&self.board.snapshot(), limit)
    }
}
