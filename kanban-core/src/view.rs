//! What a rule or a question may ask of one snapshot, or of an open transaction.

use std::cmp::Ordering;

use crate::error::Result;
use crate::model::{Address, GroupRecord};
use crate::model::{
    Assignee, Attachment, AttachmentId, BoardState, Comment, CommentId, Event, EventId, Label,
    Link, Millis, Pause, PauseTarget, Phase, Policy, Run, RunId, Scope, Status, Subscription,
    SubscriptionId, Task, TaskId, TextKind,
};
use crate::request::{ListOrder, StatsRow};

/// One queue of claimable tasks: those of one phase and one assignee (or of nobody), of one tenant if
/// named. Ordered by priority high to low, `created_at`, id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Work means status `ready`, review means status `review`.
    pub phase: Phase,
    /// Only tasks of this tenant.
    pub tenant: Option<Label>,
    /// Whose; none for unassigned tasks.
    pub assignee: Option<Assignee>,
}

/// A lane that holds tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneHead {
    /// Whose; none for unassigned tasks.
    pub assignee: Option<Assignee>,
    /// Where its first task stands.
    pub first: PriorityKey,
}

/// Where a task stands in order of priority, age, id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorityKey {
    /// Higher first.
    pub priority: i32,
    /// Older first.
    pub created_at: Millis,
    /// Lower first.
    pub id: TaskId,
}

impl PriorityKey {
    /// The place of a task.
    #[must_use]
    pub fn of(task: &Task) -> Self {
        Self {
            priority: task.priority,
            created_at: task.created_at,
            id: task.id.clone(),
        }
    }
}

impl Ord for PriorityKey {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .priority
            .cmp(&self.priority)
            .then_with(|| self.created_at.cmp(&other.created_at))
            .then_with(|| self.id.cmp(&other.id))
    }
}

impl PartialOrd for PriorityKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where a task stands in an order of a list. `Oldest` is (`created_at`, id) ascending, `Newest` its reverse,
/// `Updated` is (`updated_at`, id) descending, `Priority` is [`PriorityKey`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListKey {
    /// The priority; only `Priority` looks at it.
    pub priority: i32,
    /// `created_at`, or `updated_at` for `Updated`.
    pub at: Millis,
    /// The tie-breaker.
    pub id: TaskId,
}

impl ListKey {
    /// The place of a task in an order.
    #[must_use]
    pub fn of(order: ListOrder, task: &Task) -> Self {
        Self {
            priority: task.priority,
            at: match order {
                ListOrder::Updated => task.updated_at,
                ListOrder::Priority | ListOrder::Oldest | ListOrder::Newest => task.created_at,
            },
            id: task.id.clone(),
        }
    }

    /// Which of two places of an order comes first.
    #[must_use]
    pub fn compare(&self, other: &Self, order: ListOrder) -> Ordering {
        let by_time = (self.at, &self.id).cmp(&(other.at, &other.id));
        match order {
            ListOrder::Priority => other.priority.cmp(&self.priority).then(by_time),
            ListOrder::Oldest => by_time,
            ListOrder::Newest | ListOrder::Updated => by_time.reverse(),
        }
    }
}

/// Which index of the tasks a list walks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListIndex {
    /// All tasks, in any order.
    All(ListOrder),
    /// The tasks in a status, by priority.
    Status(Status),
    /// The tasks of an assignee or of nobody, by priority.
    Assignee(Option<Assignee>),
    /// The tasks of a tenant, by priority.
    Tenant(Label),
}

/// Questions of the domain. Each is answered by one index in every engine, in a stated order, up to a stated
/// limit; never by a scan. All answers come from one snapshot, or from the open transaction with the changes
/// applied so far.
///
/// # Errors
/// Every method: what the engine met ([`Unavailable`](crate::ErrorKind::Unavailable),
/// [`Corrupt`](crate::ErrorKind::Corrupt)); never a rule's refusal.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait View {
    /// The board's own row.
    fn board(&self) -> Result<BoardState>;
    /// The board's limits.
    fn policy(&self) -> Result<Policy>;
    /// The pauses, the board's first, then by assignee.
    fn pauses(&self) -> Result<Vec<Pause>>;
    /// One pause.
    fn pause(&self, target: &PauseTarget) -> Result<Option<Pause>>;
    /// The mark that a store instance left with its last commit group.
    fn group(&self, instance: u64) -> Result<Option<GroupRecord>>;

    /// A task's row.
    fn task(&self, id: &TaskId) -> Result<Option<Task>>;
    /// One long text of a task.
    fn text(&self, id: &TaskId, kind: TextKind) -> Result<Option<String>>;
    /// The task with an idempotency key that is not archived.
    fn task_by_key(&self, key: &Label) -> Result<Option<TaskId>>;
    /// Ids that begin with a text, in order.
    fn task_ids_by_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<TaskId>>;
    /// Tasks after an id, in id order: the walk of `verify` and exports.
    fn tasks(&self, after: Option<&TaskId>, limit: usize) -> Result<Vec<Task>>;
    /// Tasks of an index after a place, in its order.
    fn listed(&self, index: &ListIndex, after: Option<&ListKey>, limit: usize)
    -> Result<Vec<Task>>;
    /// The task whose open claim has a request id.
    fn claimed_by_request(&self, request_id: &Label) -> Result<Option<TaskId>>;
    /// Claimable tasks of a lane that are not [`waiting`](Self::waiting), after a place, in order.
    fn claimable(
        &self,
        lane: &Lane,
        after: Option<&PriorityKey>,
        limit: usize,
    ) -> Result<Vec<Task>>;
    /// The lanes of a phase (of a tenant) that hold claimable, not waiting tasks, after the one of an assignee, in
    /// order; found by seeks, one per assignee, in the index alone. Unassigned tasks (`None`) come first, where `after` is none.
    fn lanes(
        &self,
        phase: Phase,
        tenant: Option<&Label>,
        after: Option<&Option<Assignee>>,
        limit: usize,
    ) -> Result<Vec<LaneHead>>;
    /// Tasks with the mark `waiting` whose `not_before` is up to a time, by (`not_before`, id).
    fn waiting(&self, until: Millis, limit: usize) -> Result<Vec<Task>>;
    /// Running tasks whose claim ends up to a time, by (`expires_at`, id).
    fn expired(&self, until: Millis, limit: usize) -> Result<Vec<Task>>;
    /// Scheduled tasks whose `wake_at` is up to a time, by (`wake_at`, id).
    fn due(&self, until: Millis, limit: usize) -> Result<Vec<Task>>;
    /// Tasks with the mark `collectable` settled up to a time, after a place, by (`settled_at`, id).
    fn collectable(
        &self,
        until: Millis,
        after: Option<(Millis, &TaskId)>,
        limit: usize,
    ) -> Result<Vec<Task>>;

    /// How many tasks are in a status, over all assignees; O(assignees).
    fn count_in_status(&self, status: Status) -> Result<u64>;
    /// How many tasks of one assignee (or of nobody) are in a status; O(1).
    fn count_of(&self, status: Status, assignee: Option<&Assignee>) -> Result<u64>;
    /// All counters, sorted by status and assignee (nobody first); no counter is 0.
    fn counts(&self) -> Result<Vec<StatsRow>>;
    /// When the oldest ready task was created.
    fn oldest_ready(&self) -> Result<Option<Millis>>;

    /// Whether a link exists.
    fn has_link(&self, link: &Link) -> Result<bool>;
    /// Parents of a task after an id, in id order.
    fn parents(&self, child: &TaskId, after: Option<&TaskId>, limit: usize) -> Result<Vec<TaskId>>;
    /// Children of a task after an id, in id order.
    fn children(
        &self,
        parent: &TaskId,
        after: Option<&TaskId>,
        limit: usize,
    ) -> Result<Vec<TaskId>>;
    /// How many children a task has, counting up to a bound.
    fn count_children(&self, parent: &TaskId, at_most: usize) -> Result<usize>;
    /// Links after one, by (parent, child).
    fn links(&self, after: Option<&Link>, limit: usize) -> Result<Vec<Link>>;

    /// One run.
    fn run(&self, id: RunId) -> Result<Option<Run>>;
    /// Runs of a task after one, by id.
    fn runs_of(&self, task: &TaskId, after: Option<RunId>, limit: usize) -> Result<Vec<Run>>;
    /// The newest run of a task that has a summary.
    fn last_summarised_run(&self, task: &TaskId) -> Result<Option<Run>>;
    /// All runs after one, by id.
    fn runs(&self, after: Option<RunId>, limit: usize) -> Result<Vec<Run>>;

    /// Events after one, by id.
    fn events(&self, after: EventId, limit: usize) -> Result<Vec<Event>>;
    /// Events of a task after one, by id.
    fn events_of(&self, task: &TaskId, after: EventId, limit: usize) -> Result<Vec<Event>>;
    /// The newest event of a task.
    fn last_event_of(&self, task: &TaskId) -> Result<Option<EventId>>;

    /// One comment.
    fn comment(&self, id: CommentId) -> Result<Option<Comment>>;
    /// The comment of a task with a request id.
    fn comment_by_request(&self, task: &TaskId, request_id: &Label) -> Result<Option<Comment>>;
    /// Comments of a task after one, by id.
    fn comments_of(
        &self,
        task: &TaskId,
        after: Option<CommentId>,
        limit: usize,
    ) -> Result<Vec<Comment>>;
    /// All comments after one, by id.
    fn comments(&self, after: Option<CommentId>, limit: usize) -> Result<Vec<Comment>>;
    /// One attachment.
    fn attachment(&self, id: AttachmentId) -> Result<Option<Attachment>>;
    /// The attachment of a task with a request id.
    fn attachment_by_request(
        &self,
        task: &TaskId,
        request_id: &Label,
    ) -> Result<Option<Attachment>>;
    /// Attachments of a task after one, by id.
    fn attachments_of(
        &self,
        task: &TaskId,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> Result<Vec<Attachment>>;
    /// All attachments after one, by id.
    fn attachments(&self, after: Option<AttachmentId>, limit: usize) -> Result<Vec<Attachment>>;

    /// One subscription.
    fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>>;
    /// The subscription of a scope at a place.
    fn subscription_at(
        &self,
        scope: &Scope,
        channel: &Label,
        address: &Address,
        thread: Option<&Label>,
    ) -> Result<Option<Subscription>>;
    /// Subscriptions of a scope after one, by id.
    fn subscriptions_of(
        &self,
        scope: &Scope,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>>;
    /// All subscriptions after one, by id.
    fn subscriptions(
        &self,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>>;

    /// How many tasks, links, runs, comments, attachments, subscriptions and events there are, all together. Nothing but
    /// progress is told by it, so it may cost a walk.
    fn count_rows(&self) -> Result<u64>;
}
