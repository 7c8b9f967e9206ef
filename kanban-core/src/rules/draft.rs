//! What one command is going to write, on top of what is.

mod entry;
mod refusal;
mod rows;

pub(crate) use self::entry::Entry;
pub(crate) use self::refusal::Refusal;

use std::collections::BTreeMap;

use crate::change::Change;
use crate::clock::IdSource;
use crate::error::{Result, Subject};
use crate::model::{
    Attachment, AttachmentId, BoardState, Comment, CommentId, Event, EventId, EventKind,
    JsonObject, LeaseId, Link, Millis, Pause, PauseTarget, Policy, Run, RunId, Scope, Seq,
    Subscription, SubscriptionId, Task, TaskId, TextKind,
};
use crate::view::View;

use self::rows::{Rows, Touched};
use super::{Answered, GroupRows};

/// How many changes most commands have at most.
const USUAL_LEN: usize = 8;

/// How a decision ends: an answer, a refusal by a rule, or a failure of the storage underneath.
pub(crate) type Decided<T> = std::result::Result<Answered<T>, Refusal>;

/// What one command is going to write. Reads of single rows see the draft; questions for sets
/// ([`view`](Self::view)) see the transaction before this command.
///
/// Changes come out in the order: policy, pauses, tasks, texts, links, runs, comments, attachments,
/// subscriptions, events, forgotten tasks; within a kind by key.
pub(crate) struct Draft<'a> {
    view: &'a dyn View,
    group: &'a GroupRows,
    ids: &'a dyn IdSource,
    now: Millis,
    board: BoardState,
    policy: Option<Policy>,
    pauses: Vec<Change>,
    tasks: Rows<TaskId, Task>,
    texts: BTreeMap<(TaskId, TextKind), Option<String>>,
    links: BTreeMap<Link, LinkChange>,
    runs: Rows<RunId, Run>,
    comments: Vec<Comment>,
    attachments: Vec<Change>,
    subscriptions: BTreeMap<SubscriptionId, Touched<Subscription>>,
    events: Vec<Event>,
    removed_events: Vec<EventId>,
    forgotten: Vec<TaskId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkChange {
    Add,
    Remove,
}

impl<'a> Draft<'a> {
    /// An empty draft on an open transaction, behind the commands of its group so far.
    pub(crate) fn new(
        view: &'a dyn View,
        group: &'a GroupRows,
        ids: &'a dyn IdSource,
        now: Millis,
    ) -> Self {
        let mut board = group.board().clone();
        board.counters.seq = Seq::new(board.counters.seq.get() + 1);
        Self {
            view,
            group,
            ids,
            now,
            board,
            policy: None,
            pauses: Vec::new(),
            tasks: Rows::default(),
            texts: BTreeMap::new(),
            links: BTreeMap::new(),
            runs: Rows::default(),
            comments: Vec::new(),
            attachments: Vec::new(),
            subscriptions: BTreeMap::new(),
            events: Vec::new(),
            removed_events: Vec::new(),
            forgotten: Vec::new(),
        }
    }

    /// Another empty draft on the same transaction, to decide on without writing.
    pub(crate) fn scratch(&self) -> Self {
        Self::new(self.view, self.group, self.ids, self.now)
    }

    /// The transaction before this command.
    pub(crate) fn view(&self) -> &'a dyn View {
        self.view
    }

    /// The time of the decision.
    pub(crate) const fn now(&self) -> Millis {
        self.now
    }

    /// The board's row, with the numbers given so far.
    pub(crate) const fn board(&self) -> &BoardState {
        &self.board
    }

    /// The board's row, to be changed (imports, `gc`).
    pub(crate) const fn board_mut(&mut self) -> &mut BoardState {
        &mut self.board
    }

    /// The `seq` of the last command before this one that wrote something.
    pub(crate) const fn seq_before(&self) -> Seq {
        self.group.board().counters.seq
    }

    /// The `seq` of this command, if it writes.
    pub(crate) const fn seq(&self) -> Seq {
        self.board.counters.seq
    }

    /// The board's limits.
    pub(crate) fn policy(&self) -> Result<Policy> {
        match &self.policy {
            Some(policy) => Ok(policy.clone()),
            None => self.group.policy(self.view).cloned(),
        }
    }

    /// One pause, as it was before this command.
    pub(crate) fn pause(&self, target: &PauseTarget) -> Result<Option<Pause>> {
        self.group.pause(self.view, target)
    }

    /// Replaces the board's limits.
    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.policy = Some(policy);
    }

    /// Adds, replaces or removes a pause.
    pub(crate) fn set_pause(&mut self, before: Option<Pause>, after: Option<Pause>) {
        self.pauses.push(Change::Pause { before, after });
    }

    /// An id for a new task.
    pub(crate) fn new_task_id(&self) -> TaskId {
        self.ids.task_id(self.now)
    }

    /// A task, as this draft leaves it.
    pub(crate) fn task(&self, id: &TaskId) -> Result<Option<Task>> {
        self.tasks.get(id, || self.view.task(id))
    }

    /// Remembers a task that a question for a set has answered: spares the look-up when it is written.
    pub(crate) fn has_read(&mut self, task: &Task) {
        self.tasks.has_read(&task.id, task);
    }

    /// The task that the call is about.
    pub(crate) fn subject(&self, id: &TaskId) -> std::result::Result<Task, Refusal> {
        self.task(id)?
            .ok_or_else(|| Subject::Task(id.clone()).into())
    }

    /// Writes a task's row. Its first write remembers what the transaction held.
    pub(crate) fn put_task(&mut self, mut task: Task) -> Result<()> {
        task.ripen(self.now);
        let view = self.view;
        self.tasks.put(task.id.clone(), task, |id| view.task(id))
    }

    /// Writes a task's row that the view does not hold: spares the look-up.
    pub(crate) fn put_new_task(&mut self, mut task: Task) {
        task.ripen(self.now);
        self.tasks.set(task.id.clone(), None, Some(task));
    }

    /// Removes a task's row, and all that belongs to it but its links.
    pub(crate) fn forget_task(&mut self, task: Task) {
        self.forgotten.push(task.id.clone());
        self.tasks.set(task.id.clone(), Some(task), None);
    }

    /// Writes a long text of a task.
    pub(crate) fn put_text(&mut self, task: &TaskId, kind: TextKind, text: Option<String>) {
        self.texts.insert((task.clone(), kind), text);
    }

    /// A long text of a task, as this draft leaves it.
    pub(crate) fn text(&self, task: &TaskId, kind: TextKind) -> Result<Option<String>> {
        match self.texts.get(&(task.clone(), kind)) {
            Some(text) => Ok(text.clone()),
            None => self.view.text(task, kind),
        }
    }

    /// Whether a link exists, as this draft leaves it.
    pub(crate) fn has_link(&self, link: &Link) -> Result<bool> {
        match self.links.get(link) {
            Some(change) => Ok(*change == LinkChange::Add),
            None => self.view.has_link(link),
        }
    }

    /// Adds a link that does not exist.
    pub(crate) fn add_link(&mut self, link: Link) {
        self.links.insert(link, LinkChange::Add);
    }

    /// Removes a link that exists.
    pub(crate) fn remove_link(&mut self, link: Link) {
        self.links.insert(link, LinkChange::Remove);
    }

    /// A run, as this draft leaves it.
    pub(crate) fn run(&self, id: RunId) -> Result<Option<Run>> {
        self.runs.get(&id, || self.view.run(id))
    }

    /// Writes a run.
    pub(crate) fn put_run(&mut self, run: Run) -> Result<()> {
        let view = self.view;
        self.runs.put(run.id, run, |id| view.run(*id))
    }

    /// Writes a run that the view does not hold: spares the look-up.
    pub(crate) fn put_new_run(&mut self, run: Run) {
        self.runs.set(run.id, None, Some(run));
    }

    /// Adds a comment.
    pub(crate) fn add_comment(&mut self, comment: Comment) {
        self.comments.push(comment);
    }

    /// Adds an attachment.
    pub(crate) fn add_attachment(&mut self, attachment: Attachment) {
        self.attachments
            .push(Change::AddAttachment(Box::new(attachment)));
    }

    /// Removes an attachment.
    pub(crate) fn remove_attachment(&mut self, attachment: Attachment) {
        self.attachments
            .push(Change::RemoveAttachment(Box::new(attachment)));
    }

    /// Writes or removes a subscription.
    pub(crate) fn put_subscription(
        &mut self,
        before: Option<Subscription>,
        after: Option<Subscription>,
    ) {
        let key = after
            .as_ref()
            .or(before.as_ref())
            .map(|subscription| subscription.id);
        let Some(key) = key else { return };
        let [before, after] = [before, after].map(|row| row.map(Box::new));
        match self.subscriptions.get_mut(&key) {
            Some(touched) => touched.after = after,
            None => {
                self.subscriptions.insert(key, Touched { before, after });
            }
        }
    }

    /// The subscriptions of a scope, as this draft leaves them, by id.
    pub(crate) fn subscriptions_of(
        &self,
        scope: &Scope,
        limit: usize,
    ) -> Result<Vec<Subscription>> {
        let mut all: BTreeMap<SubscriptionId, Subscription> = self
            .view
            .subscriptions_of(scope, None, limit)?
            .into_iter()
            .map(|subscription| (subscription.id, subscription))
            .collect();
        for (id, touched) in &self.subscriptions {
            match &touched.after {
                Some(after) if &after.scope == scope => {
                    all.insert(*id, Subscription::clone(after));
                }
                _ => {
                    all.remove(id);
                }
            }
        }
        Ok(all.into_values().collect())
    }

    /// Removes an event (`gc`).
    pub(crate) fn remove_event(&mut self, id: EventId) {
        self.removed_events.push(id);
    }

    /// The number of a new run.
    pub(crate) fn next_run(&mut self) -> RunId {
        self.board.counters.run = RunId::new(self.board.counters.run.get() + 1);
        self.board.counters.run
    }

    /// The number of a new comment.
    pub(crate) fn next_comment(&mut self) -> CommentId {
        self.board.counters.comment = CommentId::new(self.board.counters.comment.get() + 1);
        self.board.counters.comment
    }

    /// The number of a new attachment.
    pub(crate) fn next_attachment(&mut self) -> AttachmentId {
        self.board.counters.attachment =
            AttachmentId::new(self.board.counters.attachment.get() + 1);
        self.board.counters.attachment
    }

    /// The number of a new subscription.
    pub(crate) fn next_subscription(&mut self) -> SubscriptionId {
        self.board.counters.subscription =
            SubscriptionId::new(self.board.counters.subscription.get() + 1);
        self.board.counters.subscription
    }

    /// The number of a new lease.
    pub(crate) fn next_lease(&mut self) -> LeaseId {
        self.board.counters.lease = LeaseId::new(self.board.counters.lease.get() + 1);
        self.board.counters.lease
    }

    /// Appends an event. An event of a task also moves the task's version and `updated_at`, where its kind does,
    /// so the task's row is written before its event. Answers the event's number.
    pub(crate) fn event(&mut self, entry: Entry<'_>) -> Result<EventId> {
        let id = EventId::new(self.board.counters.event.get() + 1);
        self.board.counters.event = id;
        if let Some(task) = entry.task {
            self.touch_task(task, &entry.kind)?;
        }
        self.events.push(Event {
            id,
            seq: self.board.counters.seq,
            at: self.now,
            task: entry.task.cloned(),
            run: entry.run,
            actor: entry.actor.cloned(),
            kind: entry.kind,
            data: JsonObject::fitted(entry.data),
        });
        Ok(id)
    }

    /// Appends an event with number, time and data as given (imports).
    pub(crate) fn raw_event(&mut self, event: Event) {
        self.events.push(event);
    }

    fn touch_task(&mut self, id: &TaskId, kind: &EventKind) -> Result<()> {
        let now = self.now;
        let touch = |task: &mut Task| {
            if kind.moves_version() {
                task.version = task.version.next();
                task.updated_at = now;
            }
            // An event on a settled task is something for gc again.
            task.collectable = task.settled_at.is_some();
        };
        // The usual case: the row was written before its event.
        if let Some(task) = self.tasks.written_mut(id) {
            touch(task);
            return Ok(());
        }
        let Some(mut task) = self.task(id)? else {
            return Ok(());
        };
        touch(&mut task);
        self.put_task(task)
    }

    /// The list of changes, and the board's row behind them; an empty list if there is nothing to write.
    pub(crate) fn into_changes(self) -> (Vec<Change>, BoardState) {
        let mut changes = Vec::with_capacity(USUAL_LEN);
        changes.extend(self.policy.map(|after| Change::Policy { after }));
        changes.extend(self.pauses);
        changes.extend(
            self.tasks
                .into_touched()
                .filter(|t| t.before != t.after)
                .map(|t| Change::Task {
                    before: t.before,
                    after: t.after,
                }),
        );
        changes.extend(
            self.texts
                .into_iter()
                .map(|((task, kind), after)| Change::Text { task, kind, after }),
        );
        changes.extend(self.links.into_iter().map(|(link, change)| match change {
            LinkChange::Add => Change::AddLink(link),
            LinkChange::Remove => Change::RemoveLink(link),
        }));
        changes.extend(self.runs.into_touched().filter_map(|t| {
            Some(Change::Run {
                before: t.before,
                after: t.after?,
            })
        }));
        changes.extend(
            self.comments
                .into_iter()
                .map(|c| Change::AddComment(Box::new(c))),
        );
        changes.extend(self.attachments);
        changes.extend(
            self.subscriptions
                .into_values()
                .map(|t| Change::Subscription {
                    before: t.before,
                    after: t.after,
                }),
        );
        changes.extend(
            self.events
                .into_iter()
                .map(|e| Change::AddEvent(Box::new(e))),
        );
        changes.extend(self.removed_events.into_iter().map(Change::RemoveEvent));
        changes.extend(self.forgotten.into_iter().map(Change::Forget));
        (changes, self.board)
    }

    /// The same as one list that begins with the board's row.
    #[cfg(test)]
    pub(crate) fn into_list(self) -> Vec<Change> {
        let before = self.group.board().clone();
        let (mut list, after) = self.into_changes();
        if !list.is_empty() {
            list.insert(0, Change::board(before, after));
        }
        list
    }
}

impl std::fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
