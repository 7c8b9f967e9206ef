//! Numbers that a store promises durably before it gives them, below `Power`: no crash makes one come twice
//! (decision 0002).

use crate::change::Change;
use crate::engine::{Engine, Verdict, WriteEnd};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{BoardState, Counters};

use super::Writer;

/// By how much a reservation of numbers is raised.
const RESERVED: u64 = 4096;

/// Numbers that were promised durably.
pub(super) struct Promise {
    reserved: Counters,
    /// The board's row before.
    before: BoardState,
}

impl<E: Engine> Writer<'_, E> {
    /// Before the first group: if another boot of the machine left a reservation, a power cut may have taken
    /// numbers back that were answered. All counters go on behind the reservation.
    /// Answers the board's seed.
    pub(crate) fn skip_reserved(&mut self) -> Result<u64> {
        let mut state = None;
        self.shared.engine.read(&mut |view| {
            state = Some(view.board()?);
            Ok(())
        })?;
        let Some(state) = state else {
            return Err(Error::new(ErrorKind::Internal, "the engine did not ask"));
        };
        let boot = self.shared.boot.as_deref();
        let must_skip = |board: &BoardState| {
            board.reserved != Counters::default()
                && (boot.is_none() || board.boot.as_deref() != boot)
        };
        if !must_skip(&state) {
            return Ok(state.seed);
        }
        let end = self.shared.engine.write(&mut |txn| {
            let before = txn.view().board()?;
            if !must_skip(&before) {
                return Ok(Verdict::RollBack);
            }
            let counters = before.counters.zip(before.reserved, u64::max);
            let boot = boot.map(str::to_owned);
            let after = BoardState {
                counters,
                boot,
                ..before.clone()
            };
            txn.apply(&Change::board(before, after))?;
            Ok(Verdict::Commit)
        });
        match end {
            WriteEnd::Done(_) => self.shared.engine.flush().map(|()| state.seed),
            WriteEnd::NotWritten(error) | WriteEnd::Uncertain(error) => Err(error),
        }
    }

    /// Promises numbers durably, before anybody, in any process, can see one of them: in a transaction of its own, which
    /// is flushed before the group runs again. Another store's promise is not trusted, for its flush may be missing.
    pub(super) fn reserve(&mut self, needed: Counters) -> Result<()> {
        let boot = self.shared.boot.as_deref();
        let mut promise = None;
        let end = self.shared.engine.write(&mut |txn| {
            let before = txn.view().board()?;
            let wanted = needed.zip(before.counters, u64::max);
            let wanted = wanted.zip(wanted, |n, _| n + RESERVED);
            // Always above what was promised before: whoever promised that sees that somebody relies on it now.
            let reserved = wanted.zip(before.reserved, |wanted, old| wanted.max(old + 1));
            promise = Some(Promise {
                reserved,
                before: before.clone(),
            });
            let boot = boot.map(str::to_owned);
            let after = BoardState {
                reserved,
                boot,
                ..before.clone()
            };
            txn.apply(&Change::board(before, after))?;
            Ok(Verdict::Commit)
        });
        match end {
            WriteEnd::Done(_) => self.flush_promise()?,
            WriteEnd::NotWritten(error) => return Err(error),
            WriteEnd::Uncertain(_) => {
                self.reopen_or_die()?;
                return Err(Error::new(
                    ErrorKind::Busy,
                    "the reservation of numbers did not land",
                ));
            }
        }
        if let Some(promise) = &promise {
            if promise.before.reserved != self.durable {
                self.others = promise.before.reserved;
            }
            self.durable = promise.reserved;
        }
        self.unused = promise;
        Ok(())
    }

    /// Flushes a promise, and with it all that was committed before. One whose flush failed is none, whatever a later flush
    /// says: what the files lack since then only opening them anew tells.
    fn flush_promise(&mut self) -> Result<()> {
        let flushed = self.shared.engine.flush();
        match &flushed {
            Ok(()) => self.flushes.done(self.landed),
            Err(error) if *error.kind() == ErrorKind::Busy => {}
            Err(_) => self.reopen_or_die()?,
        }
        flushed
    }

    /// Where a group failed after its numbers were promised, and the board has given none in its life, the promise is
    /// taken back: the next boot would go on behind it, and no import would take the board for unwritten any more. If
    /// that fails too the promise stands, which costs no more than the numbers.
    pub(super) fn take_back(&mut self) {
        let Some(promise) = self.unused.take() else {
            return;
        };
        if self.dead.is_some() || promise.before.counters != Counters::default() {
            return;
        }
        self.durable = Counters::default();
        let boot = self.shared.boot.as_deref();
        let end = self.shared.engine.write(&mut |txn| {
            let before = txn.view().board()?;
            let is_ours = before.reserved == promise.reserved && before.boot.as_deref() == boot;
            if !is_ours || before.counters != promise.before.counters {
                return Ok(Verdict::RollBack);
            }
            let after = BoardState {
                reserved: promise.before.reserved,
                boot: promise.before.boot.clone(),
                ..before.clone()
            };
            txn.apply(&Change::board(before, after))?;
            Ok(Verdict::Commit)
        });
        if let WriteEnd::Uncertain(_) = end {
            // Where this fails the store has come to its end, and the next group is told.
            let _ = self.reopen_or_die();
        }
    }

    /// Where a killed process forgets commits, the next store goes on behind the promise. After a close it need not:
    /// every number that was given is durable. If this fails the promise stands, which costs no more than the numbers.
    pub(super) fn give_back(&mut self) {
        let forgets = self.flushes.are_made() && self.shared.boot.is_none();
        if !forgets || self.dead.is_some() || self.durable == Counters::default() {
            return;
        }
        let (ours, theirs) = (self.durable, self.others);
        let end = self.shared.engine.write(&mut |txn| {
            let before = txn.view().board()?;
            let is_ours = before.reserved == ours && before.boot.is_none();
            // Others rely on a promise that ours has replaced until the counters have passed it.
            if !is_ours || exceeds(theirs, before.counters) {
                return Ok(Verdict::RollBack);
            }
            let after = BoardState {
                reserved: Counters::default(),
                ..before.clone()
            };
            txn.apply(&Change::board(before, after))?;
            Ok(Verdict::Commit)
        });
        // Durable with the close, or not at all.
        let _ = end;
    }
}

/// Whether a number is above the bound of its kind.
pub(super) fn exceeds(numbers: Counters, bounds: Counters) -> bool {
    numbers.zip(bounds, |n, max| u64::from(n > max)) != Counters::default()
}
