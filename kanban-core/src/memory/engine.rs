//! The engine over a board in memory, with faults that a test switches on.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::change::Change;
use crate::engine::{Copied, Engine, Txn, Upkeep, Verdict, WriteEnd};
use crate::error::{Error, ErrorKind, Result, Unavailable};
use crate::request::Violation;
use crate::view::View;

use super::MemoryBoard;

/// How the next commit goes wrong; once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitFault {
    /// `Uncertain`, and it took effect. No write is taken before a reopen.
    UncertainLanded,
    /// `Uncertain`, and it took no effect. No write is taken before a reopen.
    UncertainLost,
    /// `NotWritten`.
    NotWritten,
    /// As `UncertainLost`, and all that was not flushed is gone with it.
    UncertainForgot,
}

/// How the next flush goes wrong; once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlushFault {
    /// Somebody else holds the board.
    Busy,
    /// An error; nothing is gone. No write is taken before a reopen.
    Kept,
    /// An error, and all that was not flushed is gone. No write is taken before a reopen.
    Forgot,
}

/// How often the engine was asked to do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// Snapshots for questions.
    pub(crate) reads: u64,
    /// Commits that took effect.
    pub(crate) commits: u64,
    pub(crate) flushes: u64,
    pub(crate) reopens: u64,
    pub(crate) upkeeps: u64,
    pub(crate) releases: u64,
    pub(crate) closes: u64,
}

type Refuse = Arc<dyn Fn(&Change) -> bool + Send + Sync>;
type OnLongRead = Arc<dyn Fn() + Send + Sync>;

/// An engine over a [`MemoryBoard`]. Clones share the board, as two processes share a file. No lock is held while a
/// closure runs, so that a controlled scheduler may switch threads there: a write that another one overtakes is
/// refused as `Busy`.
#[derive(Clone)]
pub(crate) struct MemoryEngine(Arc<Mutex<State>>);

struct State {
    board: Arc<MemoryBoard>,
    /// The board as last flushed.
    durable: Arc<MemoryBoard>,
    outlives_process: bool,
    seen: Seen,
    commit_fault: Option<CommitFault>,
    flush_fault: Option<FlushFault>,
    reopen_fails: Option<Error>,
    fail_apply_in: Option<u64>,
    refuse: Option<Refuse>,
    on_long_read: Option<OnLongRead>,
    needs_reopen: bool,
    upkeeps_behind: u64,
}

impl MemoryEngine {
    /// An engine over a board.
    pub(crate) fn new(board: MemoryBoard) -> Self {
        let board = Arc::new(board);
        Self(Arc::new(Mutex::new(State {
            durable: Arc::clone(&board),
            board,
            outlives_process: true,
            seen: Seen::default(),
            commit_fault: None,
            flush_fault: None,
            reopen_fails: None,
            fail_apply_in: None,
            refuse: None,
            on_long_read: None,
            needs_reopen: false,
            upkeeps_behind: 0,
        })))
    }

    /// The board as last committed.
    pub(crate) fn board(&self) -> Arc<MemoryBoard> {
        Arc::clone(&self.state().board)
    }

    /// The board becomes another, as when a file is put back.
    #[cfg(not(feature = "shuttle"))]
    pub(crate) fn fall_back(&self, board: MemoryBoard) {
        self.state().board = Arc::new(board);
    }

    /// What is not flushed goes with its process, from now on.
    #[cfg(not(feature = "shuttle"))]
    pub(crate) fn forgets(&self) {
        self.state().outlives_process = false;
    }

    /// The board as last flushed: what a crash leaves at the least.
    pub(crate) fn durable(&self) -> MemoryBoard {
        MemoryBoard::clone(&self.state().durable)
    }

    /// What the engine was asked to do so far.
    pub(crate) fn seen(&self) -> Seen {
        self.state().seen
    }

    /// The `nth` change from now on (from 1) fails to apply; once.
    pub(crate) fn fail_apply(&self, nth: u64) {
        self.state().fail_apply_in = Some(nth);
    }

    /// Every change of which this is true fails to apply, from now on.
    pub(crate) fn fail_apply_if(&self, refuse: impl Fn(&Change) -> bool + Send + Sync + 'static) {
        self.state().refuse = Some(Arc::new(refuse));
    }

    /// Called at the beginning of every long read, once that has its snapshot.
    #[cfg(not(feature = "shuttle"))]
    pub(crate) fn on_long_read(&self, call: impl Fn() + Send + Sync + 'static) {
        self.state().on_long_read = Some(Arc::new(call));
    }

    /// So many rounds of upkeep do not come to their end.
    #[cfg(not(feature = "shuttle"))]
    pub(crate) fn hold_upkeep_up(&self, rounds: u64) {
        self.state().upkeeps_behind = rounds;
    }

    /// The next commit goes wrong.
    pub(crate) fn fail_commit(&self, fault: CommitFault) {
        self.state().commit_fault = Some(fault);
    }

    /// The next flush goes wrong.
    pub(crate) fn fail_flush(&self, fault: FlushFault) {
        self.state().flush_fault = Some(fault);
    }

    /// The next reopen fails.
    pub(crate) fn fail_reopen(&self) {
        self.fail_reopen_with(failed("reopen"));
    }

    /// The next reopen fails with this error.
    pub(crate) fn fail_reopen_with(&self, error: Error) {
        self.state().reopen_fails = Some(error);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this change is to fail.
    fn refuses(&self, change: &Change) -> bool {
        let refuse = {
            let mut state = self.state();
            match state.fail_apply_in {
                Some(1) => {
                    state.fail_apply_in = None;
                    return true;
                }
                Some(nth) => state.fail_apply_in = Some(nth - 1),
                None => {}
            }
            state.refuse.clone()
        };
        refuse.is_some_and(|refuse| refuse(change))
    }

    fn commit(&self, base: &Arc<MemoryBoard>, next: MemoryBoard) -> WriteEnd {
        let mut state = self.state();
        if !Arc::ptr_eq(base, &state.board) {
            return WriteEnd::NotWritten(Error::new(ErrorKind::Busy, "overtaken"));
        }
        let fault = state.commit_fault.take();
        if fault == Some(CommitFault::NotWritten) {
            return WriteEnd::NotWritten(failed("commit"));
        }
        match fault {
            Some(CommitFault::UncertainLost) => {}
            Some(CommitFault::UncertainForgot) => state.board = Arc::clone(&state.durable),
            _ => {
                state.board = Arc::new(next);
                state.seen.commits += 1;
            }
        }
        if fault.is_some() {
            state.needs_reopen = true;
            return WriteEnd::Uncertain(failed("commit"));
        }
        WriteEnd::Done(Verdict::Commit)
    }
}

fn failed(what: &str) -> Error {
    Error::unavailable(
        Unavailable::Io,
        format!("{what} failed, as the test wished"),
    )
}

impl fmt::Debug for MemoryEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryEngine").field(&self.seen()).finish()
    }
}

impl Engine for MemoryEngine {
    fn read(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        self.state().seen.reads += 1;
        let board = self.board();
        ask(&*board)
    }

    fn read_long(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        let (board, on_long_read) = {
            let state = self.state();
            (Arc::clone(&state.board), state.on_long_read.clone())
        };
        if let Some(on_long_read) = on_long_read {
            on_long_read();
        }
        ask(&*board)
    }

    fn backup(&self, _: &Path, _: &dyn Fn(Copied) -> Result<()>) -> Result<()> {
        let context = "a board in memory has no file";
        Err(Error::unavailable(Unavailable::Filesystem, context))
    }

    fn write(&self, fill: &mut dyn FnMut(&mut dyn Txn) -> Result<Verdict>) -> WriteEnd {
        if self.state().needs_reopen {
            return WriteEnd::NotWritten(failed("the engine was not reopened: the write"));
        }
        let base = self.board();
        let mut txn = MemoryBoard::clone(&base);
        txn.hook = Hook {
            engine: Some(self.clone()),
            is_spoilt: false,
        };
        match fill(&mut txn) {
            Err(error) => WriteEnd::NotWritten(error),
            Ok(Verdict::RollBack) => WriteEnd::Done(Verdict::RollBack),
            Ok(Verdict::Commit) => {
                let hook = std::mem::take(&mut txn.hook);
                assert!(
                    !hook.is_spoilt,
                    "a transaction is rolled back after a failed change"
                );
                self.commit(&base, txn)
            }
        }
    }

    fn flush(&self) -> Result<()> {
        let mut state = self.state();
        state.seen.flushes += 1;
        match state.flush_fault.take() {
            None => {
                state.durable = Arc::clone(&state.board);
                return Ok(());
            }
            Some(FlushFault::Busy) => return Err(Error::new(ErrorKind::Busy, "held")),
            Some(FlushFault::Kept) => {}
            Some(FlushFault::Forgot) => state.board = Arc::clone(&state.durable),
        }
        state.needs_reopen = true;
        Err(failed("flush"))
    }

    fn outlives_process(&self) -> bool {
        self.state().outlives_process
    }

    fn reopen(&self) -> Result<()> {
        let mut state = self.state();
        state.seen.reopens += 1;
        if let Some(error) = state.reopen_fails.take() {
            return Err(error);
        }
        state.needs_reopen = false;
        Ok(())
    }

    fn idle(&self) -> Upkeep {
        let mut state = self.state();
        state.seen.upkeeps += 1;
        if state.upkeeps_behind == 0 {
            return Upkeep::Done;
        }
        state.upkeeps_behind -= 1;
        Upkeep::Behind
    }

    fn release_thread(&self) {
        self.state().seen.releases += 1;
    }

    fn close(&self) -> Result<()> {
        self.state().seen.closes += 1;
        Ok(())
    }

    fn check(&self, _limit: usize) -> Result<Vec<Violation>> {
        Ok(Vec::new())
    }
}

/// What an engine looks at before each change of a transaction of its own. No part of the board: all are equal.
#[derive(Clone, Default)]
pub(super) struct Hook {
    engine: Option<MemoryEngine>,
    is_spoilt: bool,
}

impl Hook {
    /// # Errors
    /// The fault that the test switched on.
    pub(super) fn look_at(&mut self, change: &Change) -> Result<()> {
        let Some(engine) = &self.engine else {
            return Ok(());
        };
        assert!(
            !self.is_spoilt,
            "no change is applied after one that failed"
        );
        if engine.refuses(change) {
            self.is_spoilt = true;
            return Err(failed("a change"));
        }
        Ok(())
    }
}

impl PartialEq for Hook {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Hook {}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{task, task_id};
    use super::*;

    fn add(id: &str) -> Change {
        Change::Task {
            before: None,
            after: Some(Box::new(task(id))),
        }
    }

    fn write(engine: &MemoryEngine, id: &str) -> WriteEnd {
        engine.write(&mut |txn| {
            txn.apply(&add(id))?;
            assert!(
                txn.view().task(&task_id(id))?.is_some(),
                "a transaction sees its changes"
            );
            Ok(Verdict::Commit)
        })
    }

    fn holds(engine: &MemoryEngine, id: &str) -> bool {
        let mut found = false;
        let asked = engine.read(&mut |view| {
            found = view.task(&task_id(id))?.is_some();
            Ok(())
        });
        asked.expect("memory does not fail");
        found
    }

    #[test]
    fn a_committed_write_is_seen_and_a_rolled_back_one_is_not() {
        let engine = MemoryEngine::new(MemoryBoard::new());
        assert!(matches!(
            write(&engine, "t_1"),
            WriteEnd::Done(Verdict::Commit)
        ));
        let end = engine.write(&mut |txn| {
            txn.apply(&add("t_2"))?;
            Ok(Verdict::RollBack)
        });
        assert!(matches!(end, WriteEnd::Done(Verdict::RollBack)));
        assert!(holds(&engine, "t_1") && !holds(&engine, "t_2"));
        assert_eq!(engine.seen().commits, 1);
    }

    #[test]
    fn an_uncertain_commit_landed_or_not_and_wants_a_reopen() {
        for (fault, landed) in [
            (CommitFault::UncertainLanded, true),
            (CommitFault::UncertainLost, false),
        ] {
            let engine = MemoryEngine::new(MemoryBoard::new());
            engine.fail_commit(fault);
            assert!(matches!(write(&engine, "t_1"), WriteEnd::Uncertain(_)));
            assert_eq!(holds(&engine, "t_1"), landed, "{fault:?}");
            assert!(matches!(write(&engine, "t_2"), WriteEnd::NotWritten(_)));
            engine.fail_reopen();
            assert!(engine.reopen().is_err());
            engine.reopen().expect("it fails once");
            assert!(matches!(
                write(&engine, "t_2"),
                WriteEnd::Done(Verdict::Commit)
            ));
            assert_eq!(engine.seen().reopens, 2);
        }
    }

    #[test]
    fn a_commit_that_is_not_written_leaves_nothing() {
        let engine = MemoryEngine::new(MemoryBoard::new());
        engine.fail_commit(CommitFault::NotWritten);
        assert!(matches!(write(&engine, "t_1"), WriteEnd::NotWritten(_)));
        assert!(matches!(
            write(&engine, "t_2"),
            WriteEnd::Done(Verdict::Commit)
        ));
        assert!(!holds(&engine, "t_1"));
    }

    #[test]
    fn the_nth_change_and_those_of_a_kind_fail() {
        let engine = MemoryEngine::new(MemoryBoard::new());
        engine.fail_apply(2);
        assert!(matches!(write(&engine, "t_1"), WriteEnd::Done(_)));
        assert!(matches!(write(&engine, "t_2"), WriteEnd::NotWritten(_)));
        assert!(matches!(write(&engine, "t_2"), WriteEnd::Done(_)));
        engine.fail_apply_if(|change| *change == add("t_3"));
        for _ in 0..2 {
            assert!(matches!(write(&engine, "t_3"), WriteEnd::NotWritten(_)));
        }
        assert!(matches!(write(&engine, "t_4"), WriteEnd::Done(_)));
    }

    #[test]
    fn a_write_that_another_one_overtakes_is_busy() {
        let engine = MemoryEngine::new(MemoryBoard::new());
        let other = engine.clone();
        let end = engine.write(&mut |txn| {
            assert!(matches!(write(&other, "t_1"), WriteEnd::Done(_)));
            txn.apply(&add("t_2"))?;
            Ok(Verdict::Commit)
        });
        assert!(matches!(end, WriteEnd::NotWritten(error) if *error.kind() == ErrorKind::Busy));
        assert!(holds(&engine, "t_1") && !holds(&engine, "t_2"));
    }

    #[test]
    fn upkeep_is_counted() {
        let engine = MemoryEngine::new(MemoryBoard::new());
        engine.flush().expect("memory does not fail");
        assert_eq!(engine.idle(), Upkeep::Done);
        engine.release_thread();
        engine.close().expect("closed");
        let expected = Seen {
            flushes: 1,
            upkeeps: 1,
            releases: 1,
            closes: 1,
            ..Seen::default()
        };
        assert_eq!(engine.seen(), expected);
        assert!(engine.check(1).expect("memory does not fail").is_empty());
    }
}
