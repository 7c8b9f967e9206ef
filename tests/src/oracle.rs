//! The naive oracle: a board of plain vectors and loops, written from `docs/semantics.md` alone.
//!
//! It answers every call as a board must: the answer, or the refusal, and what is on the board afterwards, event by
//! event. It is slow and obvious, and it shares no rule with `kanban-core`: of that crate it takes the types of calls
//! and answers only, and the one formula of the back-off, which the contract leaves to the policy.
//!
//! Numbers in brackets name the rules of the contract.

mod archive;
mod ask;
mod board;
mod cards;
mod claims;
mod create;
mod ends;
mod export;
mod graph;
mod hold;
mod keep;
mod leases;
mod links;
mod log;
mod moved;
mod plan;
mod reopen;
mod review;
mod runs;
mod settle;
mod subscriptions;
mod talk;

use std::sync::Arc;

use kanban_core::{Effect, ErrorKind, KeepClaims, Moved, Read, Seq, TaskId, Written};

pub(crate) use self::board::Board;
pub(crate) use self::export::born;

use crate::clock::TestClock;

/// A command's answer by its rule.
pub(crate) type Ruled<T> = std::result::Result<(Effect, T), Refusal>;

/// A question's answer by its rule.
pub(crate) type Asked<T> = std::result::Result<T, ErrorKind>;

/// A rule's refusal.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nothing is written. [5.1]
    Clean(ErrorKind),
    /// The one refusal that writes. [7.5]
    Written(ErrorKind),
}

impl<E: Into<ErrorKind>> From<E> for Refusal {
    fn from(kind: E) -> Self {
        Self::Clean(kind.into())
    }
}

/// A refused command: why, and the `seq` of the last command that wrote.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) kind: ErrorKind,
    pub(crate) seq: Seq,
}

/// A board, and where its time and its ids come from.
#[derive(Debug, Clone)]
pub(crate) struct Oracle {
    pub(crate) board: Board,
    clock: Arc<TestClock>,
}

impl Oracle {
    /// A new board, as the store made it: its age and its seed are the store's to choose.
    pub(crate) fn new(board: Board, clock: Arc<TestClock>) -> Self {
        Self { board, clock }
    }

    /// Carries a command out: all of it, or nothing. New tasks get the ids that the store gave them. Back-offs that are
    /// reached end before, also where the command is refused. [6.8]
    pub(crate) fn write<T>(
        &mut self,
        given: Vec<TaskId>,
        rule: impl FnOnce(&mut Board) -> Ruled<T>,
    ) -> std::result::Result<Written<T>, Refused> {
        self.board.ripen(self.clock.time());
        self.carry_out(given, rule)
    }

    /// Makes of the board what an import makes of its export.
    pub(crate) fn moved(
        &mut self,
        claims: KeepClaims,
    ) -> std::result::Result<Written<Moved>, Refused> {
        self.carry_out(Vec::new(), |board| board.moved(claims))
    }

    fn carry_out<T>(
        &mut self,
        given: Vec<TaskId>,
        rule: impl FnOnce(&mut Board) -> Ruled<T>,
    ) -> std::result::Result<Written<T>, Refused> {
        let before = self.board.clone();
        self.board.begin(self.clock.time(), given);
        let ruled = rule(&mut self.board).and_then(|(effect, value)| {
            self.board.expect_room()?;
            Ok((effect, value))
        });
        let (effect, ended) = match ruled {
            Ok((effect, value)) => (effect, Ok(value)),
            Err(Refusal::Written(kind)) => (Effect::Applied, Err(kind)),
            Err(Refusal::Clean(kind)) => (Effect::Unchanged, Err(kind)),
        };
        self.board.catch_up_heirs();
        if effect != Effect::Applied {
            self.board = before;
        }
        let seq = self.board.counters.seq;
        match ended {
            Ok(value) => Ok(Written { seq, effect, value }),
            Err(kind) => Err(Refused { kind, seq }),
        }
    }

    /// Answers a question.
    pub(crate) fn read<T>(
        &self,
        question: impl FnOnce(&Board) -> Asked<T>,
    ) -> std::result::Result<Read<T>, ErrorKind> {
        let mut board = self.board.clone();
        board.now = self.clock.time();
        let value = question(&board)?;
        let seq = board.counters.seq;
        Ok(Read { seq, value })
    }
}
