//! A board in memory, for tests of the rules, the questions and the executor: plain maps, loops and sorts.

mod engine;
mod rows;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use self::engine::{CommitFault, FlushFault, MemoryEngine};
pub(crate) use self::rows::{attachment, comment, event, label, run, subscription, task, task_id};

use self::engine::Hook;
use crate::change::Change;
use crate::clock::IdSource;
use crate::engine::Txn;
use crate::error::Result;
use crate::model::{
    Assignee, Attachment, AttachmentId, BoardState, Comment, CommentId, Counters, Event, EventId,
    GroupRecord, Link, Millis, Pause, PauseTarget, Policy, Run, RunId, Seq, Status, Subscription,
    SubscriptionId, Task, TaskId, TextKind,
};
use crate::view::View;

/// How long after its last commit group the mark of a store instance is kept.
const GROUPS_KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// The rows of one board. Tests may edit them directly, past every rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemoryBoard {
    pub(crate) state: BoardState,
    pub(crate) limits: Policy,
    pub(crate) pauses: BTreeMap<PauseTarget, Pause>,
    pub(crate) groups: BTreeMap<u64, GroupRecord>,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) texts: BTreeMap<(TaskId, TextKind), String>,
    pub(crate) links: BTreeSet<Link>,
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) events: BTreeMap<EventId, Event>,
    pub(crate) comments: BTreeMap<CommentId, Comment>,
    pub(crate) attachments: BTreeMap<AttachmentId, Attachment>,
    pub(crate) subscriptions: BTreeMap<SubscriptionId, Subscription>,
    /// The counters of tasks, kept by `apply` and never recounted.
    pub(crate) counts: BTreeMap<(Status, Option<Assignee>), u64>,
    /// Entries that are wrong in an index: a task that is in it and should not be, or the reverse. Named by the
    /// question.
    pub(crate) twisted: BTreeSet<(&'static str, TaskId)>,
    hook: Hook,
}

impl MemoryBoard {
    /// An empty board.
    pub(crate) fn new() -> Self {
        Self {
            state: BoardState {
                created_at: Millis::new(0),
                seed: 7,
                counters: Counters::default(),
                reserved: Counters::default(),
                boot: None,
                horizon: EventId::new(0),
            },
            limits: Policy::default(),
            pauses: BTreeMap::new(),
            groups: BTreeMap::new(),
            tasks: BTreeMap::new(),
            texts: BTreeMap::new(),
            links: BTreeSet::new(),
            runs: BTreeMap::new(),
            events: BTreeMap::new(),
            comments: BTreeMap::new(),
            attachments: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            counts: BTreeMap::new(),
            twisted: BTreeSet::new(),
            hook: Hook::default(),
        }
    }

    /// Applies a command's changes.
    pub(crate) fn apply_all(&mut self, changes: &[Change]) {
        for change in changes {
            self.apply(change).expect("memory does not fail");
        }
    }

    /// Adds or replaces a task's row, with its counters.
    pub(crate) fn put_task(&mut self, task: Task) {
        let before = self.tasks.get(&task.id).cloned();
        self.set_task(before.as_ref(), Some(task));
    }

    /// Edits a task's row, with its counters.
    pub(crate) fn edit(&mut self, id: &str, edit: impl FnOnce(&mut Task)) {
        let before = self.tasks.get(&task_id(id)).cloned();
        let mut after = before.clone().expect("the task is there");
        edit(&mut after);
        self.set_task(before.as_ref(), Some(after));
    }

    /// Adds a link between existing tasks; counts nothing.
    pub(crate) fn put_link(&mut self, parent: &str, child: &str) {
        self.links.insert(link(parent, child));
    }

    /// Appends an event, numbered next, by a command of its own.
    pub(crate) fn put_event(&mut self, mut event: Event) -> EventId {
        let counters = &mut self.state.counters;
        counters.event = EventId::new(counters.event.get() + 1);
        counters.seq = Seq::new(counters.seq.get() + 1);
        event.id = counters.event;
        event.seq = counters.seq;
        self.events.insert(event.id, event);
        self.state.counters.event
    }

    fn set_task(&mut self, before: Option<&Task>, after: Option<Task>) {
        if let Some(task) = before {
            let key = (task.status, task.assignee.clone());
            let count = self.counts.get_mut(&key).expect("a task is counted");
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&key);
            }
            self.tasks.remove(&task.id);
        }
        if let Some(task) = after {
            let key = (task.status, task.assignee.clone());
            *self.counts.entry(key).or_default() += 1;
            self.tasks.insert(task.id.clone(), task);
        }
    }

    fn forget(&mut self, id: &TaskId) {
        self.texts.retain(|(task, _), _| task != id);
        self.runs.retain(|_, run| &run.task != id);
        self.events
            .retain(|_, event| event.task.as_ref() != Some(id));
        self.comments.retain(|_, comment| &comment.task != id);
        self.attachments
            .retain(|_, attachment| &attachment.task != id);
        self.subscriptions
            .retain(|_, subscription| subscription.scope.task() != Some(id));
    }

    fn mark_group(&mut self, group: GroupRecord) {
        self.groups.retain(|instance, other| {
            *instance == group.instance
                || other.at.get() >= group.at.get().saturating_sub(GROUPS_KEPT_MS)
        });
        self.groups.insert(group.instance, group);
    }
}

/// A link between two tasks.
pub(crate) fn link(parent: &str, child: &str) -> Link {
    Link {
        parent: task_id(parent),
        child: task_id(child),
    }
}

impl Txn for MemoryBoard {
    fn apply(&mut self, change: &Change) -> Result<()> {
        self.hook.look_at(change)?;
        match change {
            Change::Board { before, after } => {
                assert_eq!(self.state, **before, "`before` of the board");
                self.state.clone_from(after);
            }
            Change::Policy { after } => self.limits = after.clone(),
            Change::Pause { before, after } => {
                let target = before
                    .as_ref()
                    .or(after.as_ref())
                    .map(|pause| pause.target.clone());
                replace(&mut self.pauses, target, before.as_ref(), after.as_ref());
            }
            Change::Task { before, after } => {
                let (before, after) = (before.as_deref(), after.as_deref());
                let id = before
                    .or(after)
                    .map(|task| &task.id)
                    .expect("a row, before or after");
                assert_eq!(self.tasks.get(id), before, "`before` of task {id}");
                self.set_task(before, after.cloned());
            }
            Change::Text { task, kind, after } => {
                let key = (task.clone(), *kind);
                match after {
                    Some(text) => self.texts.insert(key, text.clone()),
                    None => self.texts.remove(&key),
                };
            }
            Change::AddLink(link) => {
                assert!(self.links.insert(link.clone()), "{link:?} is new");
            }
            Change::RemoveLink(link) => assert!(self.links.remove(link), "{link:?} exists"),
            Change::Run { before, after } => {
                replace(
                    &mut self.runs,
                    Some(after.id),
                    before.as_deref(),
                    Some(after),
                );
            }
            Change::AddEvent(event) => {
                replace(&mut self.events, Some(event.id), None, Some(event));
            }
            Change::RemoveEvent(id) => {
                assert!(self.events.remove(id).is_some(), "event {id} exists");
            }
            Change::AddComment(comment) => {
                replace(&mut self.comments, Some(comment.id), None, Some(comment));
            }
            Change::AddAttachment(row) => {
                replace(&mut self.attachments, Some(row.id), None, Some(row));
            }
            Change::RemoveAttachment(row) => {
                replace(&mut self.attachments, Some(row.id), Some(row), None);
            }
            Change::Subscription { before, after } => {
                let (before, after) = (before.as_deref(), after.as_deref());
                let id = before.or(after).map(|subscription| subscription.id);
                replace(&mut self.subscriptions, id, before, after);
            }
            Change::Forget(id) => self.forget(id),
            Change::Group(group) => self.mark_group(*group),
        }
        Ok(())
    }

    fn view(&self) -> &dyn View {
        self
    }
}

/// Replaces a row, after a look at what is there.
fn replace<K, R>(rows: &mut BTreeMap<K, R>, key: Option<K>, before: Option<&R>, after: Option<&R>)
where
    K: Ord,
    R: Clone + PartialEq + std::fmt::Debug,
{
    let key = key.expect("a row, before or after");
    assert_eq!(rows.get(&key), before, "`before` of a row");
    match after {
        Some(row) => rows.insert(key, row.clone()),
        None => rows.remove(&key),
    };
}

/// Ids that count: `t_000001` and so on, and random numbers that do too.
#[derive(Debug, Default)]
pub(crate) struct FixedIds(AtomicU64);

impl IdSource for FixedIds {
    fn task_id(&self, _now: Millis) -> TaskId {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        task_id(&format!("t_{number:06}"))
    }

    fn random(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_s_changes_are_applied() {
        let ids = FixedIds::default();
        let mut board = MemoryBoard::new();
        let row = task(ids.task_id(Millis::new(0)).as_str());
        let add = Change::Task {
            before: None,
            after: Some(Box::new(row.clone())),
        };
        let text = Change::Text {
            task: row.id.clone(),
            kind: TextKind::Body,
            after: Some("how".to_owned()),
        };
        board.apply_all(&[add, text]);
        assert_eq!(board.task(&task_id("t_000001")).unwrap(), Some(row.clone()));
        assert_eq!(board.count_of(Status::Ready, None).unwrap(), 1);

        let remove = Change::Task {
            before: Some(Box::new(row.clone())),
            after: None,
        };
        board.apply_all(&[remove, Change::Forget(row.id)]);
        assert_eq!(board, MemoryBoard::new());
    }

    #[test]
    #[should_panic(expected = "`before` of task t_1")]
    fn a_wrong_before_is_not_applied() {
        let mut board = MemoryBoard::new();
        board.put_task(task("t_1"));
        let mut changed = task("t_1");
        changed.priority = 3;
        let change = Change::Task {
            before: Some(Box::new(changed)),
            after: None,
        };
        board.apply_all(&[change]);
    }

    #[test]
    fn marks_of_instances_gone_for_a_day_go() {
        let mut board = MemoryBoard::new();
        let mark = |instance, at| {
            let at = Millis::new(at);
            Change::Group(GroupRecord {
                instance,
                number: 1,
                at,
            })
        };
        board.apply_all(&[mark(1, 0), mark(2, 1), mark(3, GROUPS_KEPT_MS + 1)]);
        assert_eq!(board.groups.keys().copied().collect::<Vec<_>>(), [2, 3]);
    }
}
