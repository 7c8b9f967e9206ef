//! The rows that the commands of one group ask for again and again.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use crate::change::Change;
use crate::engine::Txn;
use crate::error::Result;
use crate::model::{BoardState, Pause, PauseTarget, Policy};
use crate::view::View;

/// The board's own row, its limits and the pauses that were asked for: each is read once per transaction, to which no other
/// writer can add, and kept up with what the group writes. The board's row, which every command moves, is written once.
#[derive(Debug)]
pub(crate) struct GroupRows {
    /// As the transaction holds it.
    stored: BoardState,
    /// As the commands so far leave it.
    board: BoardState,
    policy: OnceCell<Policy>,
    pauses: RefCell<BTreeMap<PauseTarget, Option<Pause>>>,
    /// Tasks came with an import whose back-offs nobody has looked at.
    pub(crate) must_ripen: bool,
}

impl GroupRows {
    /// Those of a transaction in which the board's row is as it is stored.
    pub(crate) fn read(view: &dyn View) -> Result<Self> {
        let board = view.board()?;
        Ok(Self {
            stored: board.clone(),
            board,
            policy: OnceCell::new(),
            pauses: RefCell::default(),
            must_ripen: false,
        })
    }

    /// The board's row, as the commands so far leave it.
    pub(crate) const fn board(&self) -> &BoardState {
        &self.board
    }

    /// The board's limits.
    pub(crate) fn policy(&self, view: &dyn View) -> Result<&Policy> {
        if let Some(policy) = self.policy.get() {
            return Ok(policy);
        }
        let policy = view.policy()?;
        Ok(self.policy.get_or_init(|| policy))
    }

    /// One pause.
    pub(crate) fn pause(&self, view: &dyn View, target: &PauseTarget) -> Result<Option<Pause>> {
        if let Some(pause) = self.pauses.borrow().get(target) {
            return Ok(pause.clone());
        }
        let pause = view.pause(target)?;
        let mut pauses = self.pauses.borrow_mut();
        pauses.insert(target.clone(), pause.clone());
        Ok(pause)
    }

    /// Keeps the board's row, as a command leaves it, for later.
    pub(crate) fn leave_board(&mut self, board: BoardState) {
        self.board = board;
    }

    /// Writes what a command changes.
    pub(crate) fn apply(&mut self, txn: &mut dyn Txn, change: &Change) -> Result<()> {
        match change {
            Change::Policy { .. } => self.policy = OnceCell::new(),
            Change::Pause { .. } => self.pauses.get_mut().clear(),
            _ => {}
        }
        txn.apply(change)
    }

    /// Writes the board's row, if it has changed.
    pub(crate) fn write_board(&mut self, txn: &mut dyn Txn) -> Result<()> {
        if self.board == self.stored {
            return Ok(());
        }
        txn.apply(&Change::board(self.stored.clone(), self.board.clone()))?;
        self.stored.clone_from(&self.board);
        Ok(())
    }
}
