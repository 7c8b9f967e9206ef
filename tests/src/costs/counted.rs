//! Any backend, with every question, answered row and change counted, call by call of its engine.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use kanban_core::{
    Address, Assignee, Attachment, AttachmentId, Backend, BoardState, Change, Comment, CommentId,
    Copied, Engine, Event, EventId, GroupRecord, Label, Lane, LaneHead, Link, ListIndex, ListKey,
    Millis, OpenBoard, Pause, PauseTarget, Phase, Policy, PriorityKey, Result, Run, RunId, Scope,
    StatsRow, Status, Subscription, SubscriptionId, Task, TaskId, TextKind, Txn, Upkeep, Verdict,
    View, Violation, WriteEnd,
};

use super::Probe;
use super::tally::{Cost, Tally};

/// A backend whose engines count.
#[derive(Debug)]
pub(super) struct Counted<B> {
    pub(super) inner: B,
    pub(super) probe: Probe,
    pub(super) tally: Arc<Tally>,
}

impl<B: Backend> Backend for Counted<B> {
    type Engine = CountedEngine<B::Engine>;

    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn file_name(&self) -> &'static str {
        self.inner.file_name()
    }

    fn open(&self, directory: &Path, how: &OpenBoard) -> Result<Self::Engine> {
        Ok(CountedEngine {
            inner: self.inner.open(directory, how)?,
            probe: self.probe,
            tally: Arc::clone(&self.tally),
        })
    }

    fn accept_backup(&self, copy: &Path) -> Result<()> {
        self.inner.accept_backup(copy)
    }
}

/// An engine that counts.
#[derive(Debug)]
pub(super) struct CountedEngine<E> {
    inner: E,
    probe: Probe,
    tally: Arc<Tally>,
}

impl<E> CountedEngine<E> {
    /// One call. All of it happens on this thread, so what the engine counts per thread is of this call.
    fn call<T>(&self, call: impl FnOnce(&mut Cost) -> T) -> T {
        let _of_earlier_calls = (self.probe.take)();
        let mut cost = Cost::default();
        let answer = call(&mut cost);
        cost.engine = (self.probe.take)();
        self.tally.push(cost);
        answer
    }
}

impl<E: Engine> Engine for CountedEngine<E> {
    fn read(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        self.call(|cost| {
            self.inner.read(&mut |view| {
                let counting = Counting::of(view);
                let answer = ask(&counting);
                *cost = counting.cost.into_inner();
                answer
            })
        })
    }

    fn read_long(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        self.inner.read_long(ask)
    }

    fn backup(&self, to: &Path, go_on: &dyn Fn(Copied) -> Result<()>) -> Result<()> {
        self.inner.backup(to, go_on)
    }

    fn write(&self, fill: &mut dyn FnMut(&mut dyn Txn) -> Result<Verdict>) -> WriteEnd {
        self.call(|cost| {
            self.inner.write(&mut |txn| {
                let mut counting = Counting::of(txn);
                let verdict = fill(&mut counting);
                *cost = counting.cost.into_inner();
                verdict
            })
        })
    }

    fn flush(&self) -> Result<()> {
        self.inner.flush()
    }

    fn outlives_process(&self) -> bool {
        self.inner.outlives_process()
    }

    fn reopen(&self) -> Result<()> {
        self.inner.reopen()
    }

    fn idle(&self) -> Upkeep {
        self.inner.idle()
    }

    fn release_thread(&self) {
        self.inner.release_thread();
    }

    fn close(&self) -> Result<()> {
        self.inner.close()
    }

    fn check(&self, limit: usize) -> Result<Vec<Violation>> {
        self.inner.check(limit)
    }
}

/// A view or a transaction that counts.
struct Counting<I> {
    inner: I,
    cost: std::cell::RefCell<Cost>,
}

impl<I> Counting<I> {
    fn of(inner: I) -> Self {
        Self {
            inner,
            cost: std::cell::RefCell::default(),
        }
    }
}

/// What is asked underneath.
trait Inner {
    fn asked(&self) -> &dyn View;
}

impl Inner for &dyn View {
    fn asked(&self) -> &dyn View {
        *self
    }
}

impl Inner for &mut dyn Txn {
    fn asked(&self) -> &dyn View {
        self.view()
    }
}

impl Txn for Counting<&mut dyn Txn> {
    fn apply(&mut self, change: &Change) -> Result<()> {
        self.cost.get_mut().add_change(change);
        self.inner.apply(change)
    }

    fn view(&self) -> &dyn View {
        self
    }
}

impl<I> fmt::Debug for Counting<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counting").finish_non_exhaustive()
    }
}

/// How many rows an answer is.
trait Rows {
    fn rows(&self) -> u64;
}

impl<T> Rows for Vec<T> {
    fn rows(&self) -> u64 {
        self.len() as u64
    }
}

impl<T> Rows for Option<T> {
    fn rows(&self) -> u64 {
        u64::from(self.is_some())
    }
}

impl Rows for bool {
    fn rows(&self) -> u64 {
        u64::from(*self)
    }
}

macro_rules! one_row {
    ($($name:ty),*) => {$(
        impl Rows for $name {
            fn rows(&self) -> u64 {
                1
            }
        }
    )*};
}
one_row!(BoardState, Policy, u64, usize);

macro_rules! questions {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl<I: Inner> View for Counting<I> {$(
            fn $name(&self, $($arg: $type),*) -> Result<$answer> {
                let answer = self.inner.asked().$name($($arg),*)?;
                self.cost.borrow_mut().add_question(stringify!($name), answer.rows());
                Ok(answer)
            }
        )*}
    };
}

questions! {
    board() -> BoardState;
    policy() -> Policy;
    pauses() -> Vec<Pause>;
    pause(target: &PauseTarget) -> Option<Pause>;
    group(instance: u64) -> Option<GroupRecord>;
    task(id: &TaskId) -> Option<Task>;
    text(id: &TaskId, kind: TextKind) -> Option<String>;
    task_by_key(key: &Label) -> Option<TaskId>;
    task_ids_by_prefix(prefix: &str, limit: usize) -> Vec<TaskId>;
    tasks(after: Option<&TaskId>, limit: usize) -> Vec<Task>;
    listed(index: &ListIndex, after: Option<&ListKey>, limit: usize) -> Vec<Task>;
    claimed_by_request(request_id: &Label) -> Option<TaskId>;
    claimable(lane: &Lane, after: Option<&PriorityKey>, limit: usize) -> Vec<Task>;
    lanes(
        phase: Phase,
        tenant: Option<&Label>,
        after: Option<&Option<Assignee>>,
        limit: usize
    ) -> Vec<LaneHead>;
    waiting(until: Millis, limit: usize) -> Vec<Task>;
    expired(until: Millis, limit: usize) -> Vec<Task>;
    due(until: Millis, limit: usize) -> Vec<Task>;
    collectable(until: Millis, after: Option<(Millis, &TaskId)>, limit: usize) -> Vec<Task>;
    count_in_status(status: Status) -> u64;
    count_of(status: Status, assignee: Option<&Assignee>) -> u64;
    counts() -> Vec<StatsRow>;
    oldest_ready() -> Option<Millis>;
    has_link(link: &Link) -> bool;
    parents(child: &TaskId, after: Option<&TaskId>, limit: usize) -> Vec<TaskId>;
    children(parent: &TaskId, after: Option<&TaskId>, limit: usize) -> Vec<TaskId>;
    count_children(parent: &TaskId, at_most: usize) -> usize;
    links(after: Option<&Link>, limit: usize) -> Vec<Link>;
    run(id: RunId) -> Option<Run>;
    runs_of(task: &TaskId, after: Option<RunId>, limit: usize) -> Vec<Run>;
    last_summarised_run(task: &TaskId) -> Option<Run>;
    runs(after: Option<RunId>, limit: usize) -> Vec<Run>;
    events(after: EventId, limit: usize) -> Vec<Event>;
    events_of(task: &TaskId, after: EventId, limit: usize) -> Vec<Event>;
    last_event_of(task: &TaskId) -> Option<EventId>;
    comment(id: CommentId) -> Option<Comment>;
    comment_by_request(task: &TaskId, request_id: &Label) -> Option<Comment>;
    comments_of(task: &TaskId, after: Option<CommentId>, limit: usize) -> Vec<Comment>;
    comments(after: Option<CommentId>, limit: usize) -> Vec<Comment>;
    attachment(id: AttachmentId) -> Option<Attachment>;
    attachment_by_request(task: &TaskId, request_id: &Label) -> Option<Attachment>;
    attachments_of(task: &TaskId, after: Option<AttachmentId>, limit: usize) -> Vec<Attachment>;
    attachments(after: Option<AttachmentId>, limit: usize) -> Vec<Attachment>;
    subscription(id: SubscriptionId) -> Option<Subscription>;
    subscription_at(
        scope: &Scope,
        channel: &Label,
        address: &Address,
        thread: Option<&Label>
    ) -> Option<Subscription>;
    subscriptions_of(
        scope: &Scope,
        after: Option<SubscriptionId>,
        limit: usize
    ) -> Vec<Subscription>;
    subscriptions(after: Option<SubscriptionId>, limit: usize) -> Vec<Subscription>;
    count_rows() -> u64;
}
