//! A command of any type, as the queue and the writer handle it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::clock::IdSource;
use crate::engine::Txn;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Millis;
use crate::progress::{Stage, Tell};
use crate::request::Written;
use crate::rules::{Command, Draft, GroupRows, Refusal};

use super::reply::Reply;

/// What one decision did to the transaction.
pub(crate) enum Step {
    /// It has changes, and they are applied.
    Wrote,
    /// It has none.
    Nothing,
    /// The storage failed: the transaction is of no more use.
    Failed(Error),
}

/// A write in the queue: a command and who waits for its answer.
pub(crate) trait Job: Send {
    /// Decides and applies. The answer is held until the commit. May be called again, in another transaction.
    fn decide(
        &mut self,
        txn: &mut dyn Txn,
        group: &mut GroupRows,
        ids: &dyn IdSource,
        now: Millis,
    ) -> Step;

    /// Gives the held answer, or this error in its place.
    fn answer(self: Box<Self>, instead: Option<Error>);
}

/// A command of any type, as the queue holds it.
pub(crate) struct Queued<C: Command> {
    command: C,
    tell: Tell,
    held: Option<Result<Written<C::Answer>>>,
    reply: Reply<Written<C::Answer>>,
}

impl<C: Command> Queued<C> {
    pub(crate) const fn new(command: C, tell: Tell, reply: Reply<Written<C::Answer>>) -> Self {
        Self {
            command,
            tell,
            held: None,
            reply,
        }
    }
}

impl<C: Command> Job for Queued<C> {
    fn decide(
        &mut self,
        txn: &mut dyn Txn,
        group: &mut GroupRows,
        ids: &dyn IdSource,
        now: Millis,
    ) -> Step {
        let mut draft = Draft::new(txn.view(), group, ids, now);
        let before = draft.seq_before();
        // The draft is thrown away after a panic, and what it shares with the rule is only ever filled by whole rows.
        let decided = catch_unwind(AssertUnwindSafe(|| self.command.decide(&mut draft)));
        let (held, decision) = match decided {
            Ok(Ok(answered)) => {
                let (changes, board) = draft.into_changes();
                let seq = if changes.is_empty() {
                    before
                } else {
                    board.counters.seq
                };
                let effect = answered.effect(!changes.is_empty());
                let value = answered.value;
                (Ok(Written { seq, effect, value }), Some((changes, board)))
            }
            Ok(Err(Refusal::Rule(error))) => (Err(error.with_seq(before)), None),
            Ok(Err(Refusal::WithTrace(error))) => {
                let error = error.with_seq(draft.seq());
                (Err(error), Some(draft.into_changes()))
            }
            Ok(Err(Refusal::Storage(error))) => return Step::Failed(error),
            Err(panic) => (Err(panicked(&*panic)), None),
        };
        self.held = Some(held);
        let Some((changes, board)) = decision.filter(|(changes, _)| !changes.is_empty()) else {
            return Step::Nothing;
        };
        let mut steps = self.tell.begin_of(Stage::Write, Some(changes.len() as u64));
        for change in &changes {
            if let Err(error) = group.apply(txn, change) {
                return Step::Failed(error);
            }
            steps.add(1);
        }
        steps.end();
        group.leave_board(board);
        Step::Wrote
    }

    fn answer(self: Box<Self>, instead: Option<Error>) {
        #[cfg(all(test, feature = "shuttle"))]
        if super::schedules::fault() == super::schedules::Fault::LeaveUnanswered {
            return self.reply.leave();
        }
        match (instead, self.held) {
            (Some(error), _) => self.reply.send(Err(error)),
            (None, Some(held)) => self.reply.send(held),
            // Dropping the reply answers `Unknown`.
            (None, None) => drop(self.reply),
        }
    }
}

pub(super) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let words = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    Error::new(
        ErrorKind::Internal,
        words.unwrap_or_else(|| "a panic without words".to_owned()),
    )
}
