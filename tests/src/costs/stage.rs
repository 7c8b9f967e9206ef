//! A filled board, on which operations are carried out and counted.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::Arc;

use kanban_core::{
    Backend, BoardStore, Boards, Claimed, Error, NewTask, Options, Result, Task, TaskId, Written,
};
use tempfile::TempDir;

use super::counted::Counted;
use super::tally::{Cost, Tally};
use super::{Probe, fill};
use crate::calls;
use crate::clock::{TestClock, TestIds};
use crate::threads::polled;

/// Why a call of the stage itself must be answered.
const SETS_UP: &str = "expected that a valid call is answered, found";

/// An operation, and what it cost.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) cost: Cost,
}

/// A filled board.
pub(super) struct Stage {
    pub(super) store: Arc<dyn BoardStore>,
    pub(super) boards: Boards,
    pub(super) clock: Arc<TestClock>,
    /// How often everything was done before: keys and names differ by it.
    pub(super) round: u32,
    /// The length of the file with nothing but the tasks in it.
    pub(super) len: u64,
    tally: Arc<Tally>,
    rows: RefCell<Vec<Row>>,
    _root: TempDir,
}

impl Stage {
    /// A board with so many tasks.
    pub(super) async fn new<B: Backend + Clone>(backend: &B, probe: Probe, tasks: usize) -> Self {
        let root = tempfile::tempdir().expect("the system has room for a directory");
        let tally = Arc::new(Tally::default());
        let clock = Arc::new(TestClock::at(TestClock::START));
        let options = Options {
            // All questions over one connection, whose statements are prepared by the second round.
            reader_threads: 1,
            clock: Arc::clone(&clock) as _,
            ids: Arc::new(TestIds::default()),
            ..Options::default()
        };
        let open = || {
            let counted = Counted {
                inner: backend.clone(),
                probe,
                tally: Arc::clone(&tally),
            };
            Boards::open_root(root.path(), counted, options.clone()).expect(SETS_UP)
        };
        let boards = open();
        let store = boards.open(None).await.expect(SETS_UP);
        let first = store.create(fill::of_the_crowd()).await.expect(SETS_UP);
        boards.close().await.expect(SETS_UP);
        let directory = root.path().join("boards").join("default");
        let len = fill::fill(backend, &directory, &first.value.id, tasks);
        let boards = open();
        let store = boards.open(None).await.expect(SETS_UP);
        Self {
            store,
            boards,
            clock,
            round: 0,
            len,
            tally,
            rows: RefCell::default(),
            _root: root,
        }
    }

    /// Carries an operation out and notes what it cost.
    pub(super) async fn cost<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T>>,
    ) -> T {
        self.tally.take();
        let answer = call.await.expect(operation);
        self.note(operation, self.tally.take());
        answer
    }

    /// The same for one that is refused.
    pub(super) async fn cost_refused<T: Debug>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T>>,
    ) -> Error {
        self.tally.take();
        let error = call.await.expect_err(operation);
        self.note(operation, self.tally.take());
        error
    }

    /// Carries operations out in one commit, and notes what all of them together cost.
    pub(super) async fn cost_together<'s, T, F>(
        &'s self,
        operation: &'static str,
        calls: Vec<F>,
    ) -> Vec<T>
    where
        F: Future<Output = Result<Written<T>>> + Send + 's,
    {
        // While the writer is held in a group of one, the others gather.
        let held = self.clock.hold();
        let first = polled(self.store.create(calls::new("the one before")));
        held.until_somebody_waits();
        let calls: Vec<_> = calls.into_iter().map(polled).collect();
        drop(held);
        if let Err(first) = first {
            first.await.expect(SETS_UP);
        }
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            let answer = match call {
                Ok(answer) => answer,
                Err(call) => call.await,
            };
            answers.push(answer.expect(operation).value);
        }
        self.note(operation, self.tally.take_last());
        answers
    }

    fn note(&self, operation: &'static str, cost: Cost) {
        self.rows.borrow_mut().push(Row { operation, cost });
    }

    /// What was noted; nothing is left.
    pub(super) fn take(&self) -> Vec<Row> {
        self.rows.take()
    }

    pub(super) async fn close(self) {
        self.boards.close().await.expect(SETS_UP);
    }

    /// Moves the clock, and lets happen what has its time by then: it is not counted with what comes next.
    pub(super) async fn advance(&self, seconds: u64) {
        self.clock.advance(calls::secs(seconds));
        self.ready().await;
    }

    /// A task as given.
    pub(super) async fn create(&self, new: NewTask) -> Task {
        self.store.create(new).await.expect(SETS_UP).value
    }

    /// A task in `ready`, of nobody.
    pub(super) async fn ready(&self) -> TaskId {
        self.create(calls::new("a task of the walk")).await.id
    }

    /// A claim.
    pub(super) async fn claim(&self, task: &TaskId) -> Claimed {
        let claimed = self.store.claim(calls::claim(task)).await;
        claimed.expect(SETS_UP).value
    }

    /// A claim of a new task.
    pub(super) async fn claimed(&self) -> Claimed {
        let task = self.ready().await;
        self.claim(&task).await
    }

    /// A completion by the worker.
    pub(super) async fn complete(&self, claimed: &Claimed) {
        let call = calls::complete(claimed);
        self.store.complete(call).await.expect(SETS_UP);
    }

    /// A task in `done`.
    pub(super) async fn done(&self) -> TaskId {
        let claimed = self.claimed().await;
        self.complete(&claimed).await;
        claimed.task.id
    }

    /// A task with so many children that wait for it.
    pub(super) async fn parent_of(&self, children: usize) -> TaskId {
        let parent = self.ready().await;
        for _ in 0..children {
            self.create(calls::child_of(&[&parent])).await;
        }
        parent
    }
}
