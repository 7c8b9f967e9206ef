//! Each operation alone: what one call costs, and how much of it gets through.

use std::path::Path;
use std::sync::Arc;

use kanban_core::{BoardStore, Result, Task, TaskId};
use pollster::block_on;

use self::by_store::Calls;
pub use self::needs::Needs;
use crate::board::{open_root, root_of};
use crate::clients::{self, Outcome};
use crate::limit::Limit;
use crate::subject::Subject;

mod by_hand;
mod by_store;
mod needs;

/// How many tasks one `create_many` makes, each but the first a child of the one before.
pub const MANY: usize = 10;
/// How many tasks a page of a list holds.
pub const LIST_LEN: usize = 50;
/// How many events a page of the log holds.
pub const EVENTS_LEN: usize = 100;
/// How many subscriptions have news where they are asked for.
const PENDING: usize = 8;
/// How many claims are kept alive.
const CLAIMS: usize = 64;
/// How many claims are made at once before the measurement.
const AT_ONCE: usize = 256;

macro_rules! points {
    ($($(#[$doc:meta])* $point:ident = $name:literal,)*) => {
        /// An operation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $($(#[$doc])* $point,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$point,)*];

            /// Its name in an id.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$point => $name,)* }
            }
        }
    };
}

points! {
    /// A task with a body is made.
    Create = "create",
    /// A chain of [`MANY`] tasks is made.
    CreateMany = "create_many",
    /// A title is changed.
    Update = "update",
    /// A ready task gets another assignee.
    Assign = "assign",
    /// A ready task becomes the child of another.
    Link = "link",
    /// A task is claimed by its id.
    Claim = "claim",
    /// The best of the board is claimed.
    ClaimNext = "claim_next",
    /// A claim is kept alive.
    Heartbeat = "heartbeat",
    /// A task without links is completed.
    Complete = "complete",
    /// A task with one child is completed, which becomes ready.
    CompleteParent = "complete_with_child",
    /// A run fails for the first time.
    Fail = "fail",
    /// A claim is given back.
    Release = "release",
    /// A worker cannot go on.
    Block = "block",
    /// An operator lets a blocked task go on.
    Unblock = "unblock",
    /// Work is handed in.
    RequestReview = "request_review",
    /// Something is said.
    Comment = "comment",
    /// Somebody is to hear of a task.
    Subscribe = "subscribe",
    /// One event is leased, and acknowledged: two calls.
    LeaseAck = "lease_events_ack",
    /// A task with its texts is read.
    Task = "task",
    /// The first [`LIST_LEN`] ready tasks are read.
    List = "list",
    /// [`EVENTS_LEN`] events are read, from a place in the log on.
    Events = "events",
    /// The board in numbers is read.
    Stats = "stats",
    /// The subscriptions that have news are read.
    Pending = "pending",
}

impl Point {
    /// Whether it writes.
    #[must_use]
    pub const fn is_write(self) -> bool {
        !matches!(
            self,
            Self::Task | Self::List | Self::Events | Self::Stats | Self::Pending
        )
    }

    /// How many tasks of its own a number of calls needs.
    fn fresh(self, calls: usize) -> usize {
        match self {
            Self::Create
            | Self::CreateMany
            | Self::Update
            | Self::Comment
            | Self::Subscribe
            | Self::Task
            | Self::List
            | Self::Events
            | Self::Stats => 0,
            Self::Pending => 1,
            Self::Heartbeat => calls.min(CLAIMS),
            Self::Link | Self::CompleteParent => 2 * calls,
            _ => calls,
        }
    }

    /// Whether its tasks are claimed before.
    const fn needs_claims(self) -> bool {
        matches!(
            self,
            Self::Heartbeat
                | Self::Complete
                | Self::CompleteParent
                | Self::Fail
                | Self::Release
                | Self::Block
                | Self::Unblock
                | Self::RequestReview
        )
    }
}

/// Each client makes `calls` calls of an operation. What they need is made before: tasks, claims, subscriptions. `tasks` are any
/// that the board holds, ready and without links.
///
/// # Errors
/// The store's.
pub fn by_store(
    store: &dyn BoardStore,
    point: Point,
    clients: usize,
    calls: usize,
    tasks: &[TaskId],
) -> Result<Outcome> {
    Needs::make(store, point, clients, calls)?.by_store(store, tasks)
}

impl Needs {
    /// Makes the calls that this was made for, once.
    ///
    /// # Errors
    /// The store's.
    pub fn by_store(&self, store: &dyn BoardStore, tasks: &[TaskId]) -> Result<Outcome> {
        let calls = Calls {
            store,
            needs: self,
            tasks,
        };
        let each = self.calls / self.clients;
        clients::closed(self.clients, each, |client, nth| {
            calls.call(client, client * each + nth)
        })
    }

    /// Makes them by hand on the board's file, which nobody has open, in transactions of `group` calls. `tasks` are the ready ones
    /// of the board, and `fresh` its own [`rows`](Self::rows).
    ///
    /// # Panics
    /// Where the engine fails: then there is nothing to measure.
    #[must_use]
    pub fn by_hand(
        &self,
        subject: Subject,
        file: &Path,
        group: usize,
        tasks: &[Task],
        fresh: &[Task],
    ) -> Outcome {
        let limit = Limit::open(subject, file).expect("the engine opens the board");
        let done = by_hand::run(self, &limit, group, tasks, fresh);
        done.expect("the engine carries it out")
    }
}

/// The same by hand on a board's file that nobody has open, in transactions of `group` calls, `calls` in all; reads one
/// after the other on one thread. The store opens the board first and makes what
/// the calls need. `tasks` are the ready ones of the board.
///
/// # Panics
/// Where the store or the engine fails: then there is nothing to measure.
#[must_use]
pub fn by_hand(
    subject: Subject,
    file: &Path,
    point: Point,
    group: usize,
    calls: usize,
    tasks: &[Task],
) -> Outcome {
    let made = on_store(subject, file, |store| {
        // As many callers at once as share a commit, and no more calls than are asked for.
        let callers = group.max(1);
        let mut needs = Needs::make(store, point, callers, calls.div_ceil(callers))?;
        needs.calls = calls;
        let fresh = needs.rows(store)?;
        Ok((needs, fresh))
    });
    let (needs, fresh) = made.expect("the store makes what the calls need");
    needs.by_hand(subject, file, group, tasks, &fresh)
}

/// Opens a board's file by the store for a while.
fn on_store<T>(
    subject: Subject,
    file: &Path,
    work: impl FnOnce(&dyn BoardStore) -> Result<T>,
) -> Result<T> {
    let boards = open_root(subject, root_of(file), &Arc::default())?;
    let done = block_on(boards.open(None)).and_then(|store| work(&*store));
    block_on(boards.close())?;
    done
}
