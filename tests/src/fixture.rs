//! A fresh root with everything a case needs to say its rule in a few lines.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kanban_core::{
    Attachment, BoardPlace, BoardStore, Boards, Claimed, Comment, ErrorKind, Event, EventFilter,
    EventId, EventKind, Events, Millis, NewTask, Options, Pause, Policy, Result, Run, RunId, Seq,
    Subscription, SubscriptionsAfter, Task, TaskDetail, TaskId, Written,
};
use tempfile::TempDir;

use crate::calls;
use crate::clock::{TestClock, TestIds};
use crate::runner::Backend;

mod listeners;
mod tasks;
mod whole;

/// How a backend opens a root of boards.
pub type Opener = fn(&Path, Options) -> Result<Boards>;

/// A fresh root with the board `default` open, a clock that stands still, and ids that count.
#[derive(Debug)]
pub struct Fixture {
    backend: Backend,
    root: TempDir,
    /// The time of every store of this fixture.
    pub clock: Arc<TestClock>,
    /// The ids of every store of this fixture.
    pub ids: Arc<TestIds>,
    /// The boards of the root.
    pub boards: Boards,
    /// The board `default`.
    pub store: Arc<dyn BoardStore>,
}

/// A root opened once more: as a second process would, or again after a close.
#[derive(Debug)]
pub struct Opened {
    /// The boards of the root.
    pub boards: Boards,
    /// The board `default`.
    pub store: Arc<dyn BoardStore>,
}

/// All that a board answers about itself: equal before and after a call that wrote nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    seq: Seq,
    tasks: BTreeMap<TaskId, Remains>,
    events: Vec<Event>,
    subscriptions: Vec<Subscription>,
    pauses: Vec<Pause>,
    policy: Policy,
}

/// A task with all that belongs to it.
#[derive(Debug, PartialEq, Eq)]
struct Remains {
    detail: TaskDetail,
    runs: Vec<Run>,
    comments: Vec<Comment>,
    attachments: Vec<Attachment>,
    parents: Vec<TaskId>,
}

/// Why a call of the fixture itself must be answered.
const SETS_UP: &str = "expected that a valid call is answered, found";

impl Fixture {
    pub(crate) async fn new(backend: Backend) -> Self {
        let root = tempfile::tempdir().expect("the system has room for a directory");
        let clock = Arc::new(TestClock::at(TestClock::START));
        let ids = Arc::new(TestIds::default());
        let options = options(Arc::clone(&clock), Arc::clone(&ids));
        let Opened { boards, store } = open(backend, root.path(), options).await;
        Self {
            backend,
            root,
            clock,
            ids,
            boards,
            store,
        }
    }

    /// The root directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The options of this fixture's stores, to be changed for another.
    #[must_use]
    pub fn options(&self) -> Options {
        options(Arc::clone(&self.clock), Arc::clone(&self.ids))
    }

    /// Opens the root once more, as a second process would; after [`close`](Self::close), again.
    pub async fn open(&self) -> Opened {
        self.open_with(self.options()).await
    }

    /// The same with other options.
    pub async fn open_with(&self, options: Options) -> Opened {
        open(self.backend, self.root(), options).await
    }

    /// Opens the boards of another directory.
    ///
    /// # Errors
    /// The backend's.
    pub fn open_elsewhere(&self, root: &Path) -> Result<Boards> {
        self.open_elsewhere_with(root, self.options())
    }

    /// The same with other options.
    ///
    /// # Errors
    /// The backend's.
    pub fn open_elsewhere_with(&self, root: &Path, options: Options) -> Result<Boards> {
        (self.backend.open)(root, options)
    }

    /// Closes the boards of this fixture; to be opened again by [`open`](Self::open).
    pub async fn close(&self) {
        self.boards.close().await.expect(SETS_UP);
    }

    /// Starts a process of this backend that plays a part on the same root, with a clock that stands where this one
    /// does now.
    #[must_use]
    pub fn spawn_child(&self, part: &str, arguments: &str) -> crate::children::Child {
        self.spawn_child_on(self.root(), part, arguments)
    }

    /// The same on another root.
    #[must_use]
    pub fn spawn_child_on(
        &self,
        root: &Path,
        part: &str,
        arguments: &str,
    ) -> crate::children::Child {
        crate::children::Child::spawn(&self.backend, part, root, self.clock.time(), arguments)
    }

    /// Checks every board of the root, whatever the case did to them.
    pub(crate) async fn finish(self) {
        let again;
        let boards = match self.store.stats().await {
            Err(error) if *error.kind() == ErrorKind::Closed => {
                again = self.open().await.boards;
                &again
            }
            _ => &self.boards,
        };
        for board in boards.list().expect(SETS_UP) {
            if board.place == BoardPlace::Active {
                let store = boards
                    .open_existing(Some(&board.slug))
                    .await
                    .expect(SETS_UP);
                verified(&*store).await;
            }
        }
        boards.close().await.expect(SETS_UP);
        self.boards.close().await.expect(SETS_UP);
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The time it shows.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.time()
    }

    /// The time so many seconds from now.
    #[must_use]
    pub fn in_secs(&self, seconds: u64) -> Millis {
        self.now().after(Duration::from_secs(seconds))
    }

    /// A task.
    pub async fn task(&self, id: &TaskId) -> Task {
        self.detail(id).await.task
    }

    /// A task with its long texts.
    pub async fn detail(&self, id: &TaskId) -> TaskDetail {
        self.store.task(id.clone()).await.expect(SETS_UP).value
    }

    /// The runs of a task.
    pub async fn runs(&self, id: &TaskId) -> Vec<Run> {
        let runs = self.store.runs(calls::all_of(id)).await;
        runs.expect(SETS_UP).value
    }

    /// One run of a task.
    pub async fn run(&self, id: &TaskId, run: RunId) -> Run {
        let runs = self.runs(id).await;
        let found = runs.iter().find(|found| found.id == run).cloned();
        found.unwrap_or_else(|| panic!("expected run {run} of task {id}, found {runs:?}"))
    }

    /// The newest run of a task.
    pub async fn last_run(&self, id: &TaskId) -> Run {
        let runs = self.runs(id).await;
        runs.last().cloned().expect("expected a run, found none")
    }

    /// The comments on a task.
    pub async fn comments(&self, id: &TaskId) -> Vec<Comment> {
        let comments = self.store.comments(calls::all_of(id)).await;
        comments.expect(SETS_UP).value
    }

    /// The ids of a task's parents.
    pub async fn parents(&self, id: &TaskId) -> Vec<TaskId> {
        let parents = self.store.parents(calls::kin(id)).await.expect(SETS_UP);
        parents.value.into_iter().map(|task| task.id).collect()
    }

    /// The subscriptions of a task.
    pub async fn subscriptions(&self, id: &TaskId) -> Vec<Subscription> {
        subscribers(&*self.store, Some(id.clone())).await
    }

    /// The board's `seq` now.
    pub async fn seq(&self) -> Seq {
        self.store.stats().await.expect(SETS_UP).seq
    }

    /// Every event of the board.
    pub async fn events(&self) -> Vec<Event> {
        filtered(&*self.store, EventFilter::default()).await
    }

    /// Every event of a task.
    pub async fn events_of(&self, id: &TaskId) -> Vec<Event> {
        let task = Some(id.clone());
        let filter = EventFilter {
            task,
            kinds: Vec::new(),
        };
        filtered(&*self.store, filter).await
    }

    /// The kinds of a task's events, in order.
    pub async fn kinds_of(&self, id: &TaskId) -> Vec<EventKind> {
        let events = self.events_of(id).await;
        events.into_iter().map(|event| event.kind).collect()
    }

    /// The newest event of a task.
    pub async fn last_event(&self, id: &TaskId) -> Event {
        let events = self.events_of(id).await;
        events
            .last()
            .cloned()
            .expect("expected an event, found none")
    }

    /// The events that a call wrote, with its answer.
    pub async fn events_by<T: Debug>(
        &self,
        call: impl Future<Output = Result<Written<T>>>,
    ) -> (T, Vec<Event>) {
        let before = self.events().await.len();
        let answer = call.await.expect(SETS_UP).value;
        let mut events = self.events().await;
        (answer, events.split_off(before))
    }

    /// All that the board answers about itself.
    pub async fn snapshot(&self) -> Snapshot {
        self.snapshot_of(&*self.store).await
    }

    /// All that a board answers about itself.
    pub async fn snapshot_of(&self, store: &dyn BoardStore) -> Snapshot {
        let page = store.list(calls::list_all()).await.expect(SETS_UP);
        let mut tasks = BTreeMap::new();
        for task in page.value.items {
            let remains = remains(store, &task.id).await;
            tasks.insert(task.id, remains);
        }
        Snapshot {
            seq: page.seq,
            tasks,
            events: filtered(store, EventFilter::default()).await,
            subscriptions: subscribers(store, None).await,
            pauses: store.pauses().await.expect(SETS_UP).value,
            policy: store.policy().await.expect(SETS_UP).value,
        }
    }

    /// Awaits a call that must leave no trace, and gives back what it answered.
    pub async fn nothing_written<T>(&self, call: impl Future<Output = T>) -> T {
        let before = self.snapshot().await;
        let answer = call.await;
        assert_eq!(
            self.snapshot().await,
            before,
            "expected that nothing is written (right), found a change (left)"
        );
        answer
    }

    /// A claim of a new task.
    pub async fn claimed(&self) -> Claimed {
        let task = self.ready("claimed").await;
        self.claim(&task.id).await
    }

    /// A task as given.
    pub async fn create(&self, new: NewTask) -> Task {
        self.store.create(new).await.expect(SETS_UP).value
    }
}

fn options(clock: Arc<TestClock>, ids: Arc<TestIds>) -> Options {
    Options {
        poll_interval: Duration::from_millis(5),
        reader_threads: 2,
        clock,
        ids,
        ..Options::default()
    }
}

async fn open(backend: Backend, root: &Path, options: Options) -> Opened {
    let boards = (backend.open)(root, options).expect(SETS_UP);
    let store = boards.open(None).await.expect(SETS_UP);
    Opened { boards, store }
}

async fn remains(store: &dyn BoardStore, id: &TaskId) -> Remains {
    let parents = store.parents(calls::kin(id)).await.expect(SETS_UP).value;
    Remains {
        detail: store.task(id.clone()).await.expect(SETS_UP).value,
        runs: store.runs(calls::all_of(id)).await.expect(SETS_UP).value,
        comments: store
            .comments(calls::all_of(id))
            .await
            .expect(SETS_UP)
            .value,
        attachments: {
            let asked = store.attachments(calls::all_of(id)).await;
            asked.expect(SETS_UP).value
        },
        parents: parents.into_iter().map(|task| task.id).collect(),
    }
}

async fn subscribers(store: &dyn BoardStore, task: Option<TaskId>) -> Vec<Subscription> {
    let after = SubscriptionsAfter {
        task,
        after: None,
        limit: 1000,
    };
    store.subscriptions(after).await.expect(SETS_UP).value
}

async fn filtered(store: &dyn BoardStore, filter: EventFilter) -> Vec<Event> {
    let mut found = Vec::new();
    let mut after = EventId::new(0);
    loop {
        let asked = Events {
            filter: filter.clone(),
            ..calls::events_after(after)
        };
        let page = store.events(asked).await.expect(SETS_UP).value;
        if page.events.is_empty() && page.through == after {
            return found;
        }
        after = page.through;
        found.extend(page.events);
    }
}

/// Asserts that a board is sound.
pub(crate) async fn verified(store: &dyn BoardStore) {
    let violations = store.verify().await.expect(SETS_UP).value;
    assert!(
        violations.is_empty(),
        "expected a sound board, found {violations:#?}"
    );
}
