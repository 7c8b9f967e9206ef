//! [`Durability::Lazy`]: when answered writes are made durable, and what becomes of the store where that fails.

use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result, Unavailable};
use crate::model::GroupRecord;
use crate::options::Durability;

use super::{GroupEnd, IDLE_AFTER, Writer};

/// When what was committed is flushed.
pub(super) struct Flushes {
    /// How long a commit waits for its flush; none where it is as durable as was asked when it returns.
    span: Option<Duration>,
    /// When the oldest commit that is not flushed has waited for so long; none where all are flushed.
    due: Option<Instant>,
    /// The last flush met another who held the board, who is not asked again before.
    retry_at: Option<Instant>,
    /// The last group that is flushed for certain.
    through: u64,
}

impl Flushes {
    pub(super) fn new(durability: Durability) -> Self {
        let span = match durability {
            // The other half is for the flush itself: a crash during it loses what it was to keep.
            Durability::Lazy { interval } => Some(interval / 2),
            Durability::Power | Durability::Process => None,
        };
        Self {
            span,
            due: None,
            retry_at: None,
            through: 0,
        }
    }

    /// Whether commits wait for flushes: on a lazy board.
    pub(super) const fn are_made(&self) -> bool {
        self.span.is_some()
    }

    fn committed(&mut self, now: Instant) {
        if let (Some(span), None) = (self.span, self.due) {
            // `Options` bounds the interval.
            self.due = Some(now.checked_add(span).unwrap_or(now));
        }
    }

    /// Whoever holds the board is not asked all the time. What waits is overdue.
    fn hold_up(&mut self, now: Instant) {
        self.due.get_or_insert(now);
        self.retry_at = now.checked_add(IDLE_AFTER);
    }

    /// Whether a commit waits for its flush.
    pub(super) const fn has_waiting(&self) -> bool {
        self.due.is_some()
    }

    /// All groups so far are durable.
    pub(super) fn done(&mut self, landed: Option<GroupRecord>) {
        self.due = None;
        self.retry_at = None;
        self.through = landed.map_or(self.through, |last| last.number);
    }
}

impl<E: Engine> Writer<'_, E> {
    /// How long to wait for the next group: until the engine may tidy up, or a flush is due.
    pub(super) fn patience(&self, idle_after: Option<Duration>) -> Option<Duration> {
        let Some(due) = self.flushes.due.max(self.flushes.retry_at) else {
            return idle_after;
        };
        let left = due.saturating_duration_since(self.shared.timer.now());
        Some(idle_after.map_or(left, |idle_after| idle_after.min(left)))
    }

    /// Whether a wait that is over was for a flush.
    pub(super) fn has_waited_for_flush(&self) -> bool {
        // Under the scheduler no span takes any time.
        self.flushes.due.is_some() && (cfg!(feature = "shuttle") || self.is_flush_next())
    }

    fn is_flush_due(&self) -> bool {
        let now = self.shared.timer.now();
        self.flushes.due.is_some_and(|due| due <= now)
    }

    fn is_flush_next(&self) -> bool {
        let now = self.shared.timer.now();
        self.is_flush_due() && self.flushes.retry_at.is_none_or(|at| at <= now)
    }

    /// Beside a group that wrote nothing: the queue may never be empty. Its answers are true whatever this comes to.
    pub(super) fn flush_if_due(&mut self) {
        if self.dead.is_none() && self.is_flush_next() {
            // The next call hears of it, or the close.
            let _ = self.flush_overdue();
        }
    }

    /// The group is committed. While an older one is overdue it is not answered.
    pub(super) fn committed(&mut self, mark: GroupRecord) -> GroupEnd {
        self.landed = Some(mark);
        self.unused = None;
        self.flushes.committed(self.shared.timer.now());
        if !self.is_flush_due() {
            return GroupEnd::Answer;
        }
        match self.flush_overdue() {
            Ok(()) => GroupEnd::Answer,
            Err(error) if self.dead.is_some() => GroupEnd::Dead(error),
            Err(error) => too_late(&error),
        }
    }

    /// The group is in the files after all. What made its commit uncertain may have been the flush.
    pub(super) fn flushed(&mut self) -> GroupEnd {
        match self.shared.engine.flush() {
            Ok(()) => {
                self.flushes.done(self.landed);
                GroupEnd::Answer
            }
            // At the other durabilities nobody would flush it later: the store ends.
            Err(error) if self.flushes.are_made() && *error.kind() == ErrorKind::Busy => {
                self.flushes.hold_up(self.shared.timer.now());
                too_late(&error)
            }
            Err(error) => GroupEnd::Dead(error),
        }
    }

    /// Makes all that was answered durable. If that fails the files are opened anew, and the store goes on only where
    /// they hold all of it and it can be flushed after all.
    ///
    /// # Errors
    /// `Busy`: it is tried again. Any other: the store has come to its end.
    pub(super) fn flush_overdue(&mut self) -> Result<()> {
        let flushed = match self.shared.engine.flush() {
            Err(error) if *error.kind() != ErrorKind::Busy => {
                // Also where that is `Busy`: what is in the files is not known then.
                self.reopen_or_die()?;
                self.shared.engine.flush()
            }
            flushed => flushed,
        };
        match &flushed {
            Ok(()) => self.flushes.done(self.landed),
            Err(error) if *error.kind() == ErrorKind::Busy => {
                self.flushes.hold_up(self.shared.timer.now());
            }
            Err(error) => drop(self.die(error)),
        }
        flushed
    }

    /// Answered writes are not in the files any more.
    pub(super) fn gone(&self, found: Option<u64>) -> Error {
        // A crash may take those that were not flushed; an error may too, where the engine keeps them in memory.
        if self.flushes.are_made() && found.unwrap_or(0) >= self.flushes.through {
            let context = "writes that were answered within the last interval are gone";
            return Error::unavailable(Unavailable::Io, context);
        }
        let context = "the files no longer hold writes that were answered";
        Error::unavailable(Unavailable::Replaced, context)
    }

    /// The queue is closed and empty: nothing that was answered waits for its flush any longer.
    ///
    /// # Errors
    /// Answered writes may be gone, now or with the next crash.
    pub(super) fn finish(&mut self) -> Result<()> {
        if let Some(lost) = &self.lost {
            return Err(lost.again());
        }
        if self.flushes.due.is_none() {
            self.give_back();
            return Ok(());
        }
        match &self.dead {
            Some(error) => return Err(error.again()),
            None => self.flush_overdue()?,
        }
        self.give_back();
        Ok(())
    }
}

/// What a group is told that is committed and that a crash may take, longer than it may.
fn too_late(error: &Error) -> GroupEnd {
    let context = format!("committed, and not made durable in time: {error}");
    GroupEnd::Fail(Error::new(ErrorKind::Unknown, context))
}
