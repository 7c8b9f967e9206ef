//! The tables of a board, and what each of its questions looks at: one ordered map per table, one index per question.
//!
//! The maps share what they have in common with their copies: a copy costs nothing, a change to one of a hundred thousand
//! rows copies some twenty nodes. So a snapshot is a copy, and a transaction is one that takes the place of the
//! committed state or is dropped.

mod tasks;

use std::sync::Arc;

use kanban_core::{
    Address, Assignee, Attachment, AttachmentId, BoardState, Comment, CommentId, Event, EventId,
    GroupRecord, Label, Link, Pause, PauseTarget, Policy, Run, RunId, Scope, Status, Subscription,
    SubscriptionId, Task, TaskId, TextKind,
};
use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

pub(crate) use self::tasks::TaskIndexes;

pub(crate) type Map<K, V> = RedBlackTreeMapSync<K, V>;
pub(crate) type Set<K> = RedBlackTreeSetSync<K>;

/// Sets under a name each, none of them empty.
pub(crate) type Groups<G, K> = Map<G, Set<K>>;

/// What a subscription is unique by.
pub(crate) type Place = (Scope, Label, Address, Option<Label>);

/// One state of a board. The names of indexes say what leads to what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tables {
    pub(crate) board: BoardState,
    pub(crate) policy: Policy,
    pub(crate) pauses: Map<PauseTarget, Pause>,
    pub(crate) groups: Map<u64, GroupRecord>,

    pub(crate) tasks: Map<TaskId, Task>,
    pub(crate) indexes: TaskIndexes,
    /// How many tasks are in a status and of an assignee; no counter is 0.
    pub(crate) counts: Map<(Status, Option<Assignee>), u64>,
    pub(crate) texts: Map<TaskId, Map<TextKind, Arc<str>>>,

    pub(crate) links: Set<Link>,
    pub(crate) children_of: Groups<TaskId, TaskId>,
    pub(crate) parents_of: Groups<TaskId, TaskId>,

    pub(crate) runs: Map<RunId, Run>,
    pub(crate) runs_of: Groups<TaskId, RunId>,
    pub(crate) summarised_of: Groups<TaskId, RunId>,

    pub(crate) events: Map<EventId, Event>,
    pub(crate) events_of: Groups<TaskId, EventId>,

    pub(crate) comments: Map<CommentId, Comment>,
    pub(crate) comments_of: Groups<TaskId, CommentId>,
    pub(crate) comment_by_request: Map<(TaskId, Label), CommentId>,

    pub(crate) attachments: Map<AttachmentId, Attachment>,
    pub(crate) attachments_of: Groups<TaskId, AttachmentId>,
    pub(crate) attachment_by_request: Map<(TaskId, Label), AttachmentId>,

    pub(crate) subscriptions: Map<SubscriptionId, Subscription>,
    pub(crate) subscriptions_of: Groups<Scope, SubscriptionId>,
    pub(crate) subscription_at: Map<Place, SubscriptionId>,
}

impl Tables {
    /// A board on which nothing was written yet.
    pub(crate) fn new(board: BoardState) -> Self {
        Self {
            board,
            policy: Policy::default(),
            pauses: Map::default(),
            groups: Map::default(),
            tasks: Map::default(),
            indexes: TaskIndexes::default(),
            counts: Map::default(),
            texts: Map::default(),
            links: Set::default(),
            children_of: Map::default(),
            parents_of: Map::default(),
            runs: Map::default(),
            runs_of: Map::default(),
            summarised_of: Map::default(),
            events: Map::default(),
            events_of: Map::default(),
            comments: Map::default(),
            comments_of: Map::default(),
            comment_by_request: Map::default(),
            attachments: Map::default(),
            attachments_of: Map::default(),
            attachment_by_request: Map::default(),
            subscriptions: Map::default(),
            subscriptions_of: Map::default(),
            subscription_at: Map::default(),
        }
    }
}

/// Where a subscription is found again.
pub(crate) fn place_of(row: &Subscription) -> Place {
    (
        row.scope.clone(),
        row.channel.clone(),
        row.address.clone(),
        row.thread.clone(),
    )
}

/// Adds a key to the set of a name.
pub(crate) fn join<G, K>(groups: &mut Groups<G, K>, group: G, key: K)
where
    G: Ord + Clone,
    K: Ord,
{
    match groups.get_mut(&group) {
        Some(keys) => keys.insert_mut(key),
        None => groups.insert_mut(group, Set::default().insert(key)),
    }
}

/// Removes a key from the set of a name, and the name with its last key.
pub(crate) fn leave<G, K>(groups: &mut Groups<G, K>, group: &G, key: &K)
where
    G: Ord + Clone,
    K: Ord,
{
    let Some(keys) = groups.get_mut(group) else {
        return;
    };
    remove(keys, key);
    if keys.is_empty() {
        groups.remove_mut(group);
    }
}

/// Takes a whole set out, and answers it.
pub(crate) fn take<G, K>(groups: &mut Groups<G, K>, group: &G) -> Set<K>
where
    G: Ord,
    K: Ord,
{
    let keys = groups.get(group).cloned();
    drop_key(groups, group);
    keys.unwrap_or_default()
}

/// Removes a row that may be missing. The tree itself is never asked for what it has not: it would copy for nothing.
pub(crate) fn drop_key<K: Ord, V>(rows: &mut Map<K, V>, key: &K) {
    if rows.contains_key(key) {
        rows.remove_mut(key);
    }
}

/// The same for a key of a set.
pub(crate) fn remove<K: Ord>(keys: &mut Set<K>, key: &K) {
    if keys.contains(key) {
        keys.remove_mut(key);
    }
}
