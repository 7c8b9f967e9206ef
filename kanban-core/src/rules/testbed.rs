//! A board on which a test decides commands, and the list of changes that it expects of them.

use serde_json::Value;

use crate::change::Change;
use crate::error::{ErrorKind, Rejection};
use crate::memory::{FixedIds, MemoryBoard, link, run, task, task_id};
use crate::model::{
    Assignee, Attachment, BoardState, Claim, Comment, Event, EventId, EventKind, JsonObject, Label,
    Millis, Note, Reason, Run, RunId, Seq, Status, Subscription, Task, TaskId, TextKind,
};
use crate::request::Authority;

use super::{Answered, Command, Draft, GroupRows, Refusal};

/// A board at an hour of its own.
#[derive(Debug)]
pub(super) struct Testbed {
    pub(super) board: MemoryBoard,
    pub(super) now: Millis,
    ids: FixedIds,
}

impl Testbed {
    pub(super) fn new() -> Self {
        Self {
            board: MemoryBoard::new(),
            now: Millis::new(1_000_000),
            ids: FixedIds::default(),
        }
    }

    /// Adds a task: ready, but for the edit.
    pub(super) fn put(&mut self, id: &str, edit: impl FnOnce(&mut Task)) {
        let mut row = task(id);
        edit(&mut row);
        self.board.put_task(row);
    }

    /// Adds a task in a status, with nothing of what hangs on it.
    pub(super) fn put_in(&mut self, id: &str, status: Status) {
        self.put(id, |task| task.status = status);
    }

    /// Adds a running task, whose run is claimed by `worker`.
    pub(super) fn put_running(&mut self, id: &str, number: u64, edit: impl FnOnce(&mut Task)) {
        let mut row = task(id);
        row.status = Status::Running;
        row.claim = Some(Claim {
            run: RunId::new(number),
            claimant: Label::new("claimant", "worker").unwrap(),
            expires_at: self.now,
            must_end_by: None,
            heartbeat_at: None,
            worker: None,
            request_id: None,
        });
        edit(&mut row);
        let mut open = run(number, id);
        open.phase = row.phase;
        open.assignee.clone_from(&row.assignee);
        self.board.put_task(row);
        self.put_run(open);
    }

    /// Adds a run.
    pub(super) fn put_run(&mut self, run: Run) {
        let last = &mut self.board.state.counters.run;
        *last = run.id.max(*last);
        self.board.runs.insert(run.id, run);
    }

    /// Adds a subscription.
    pub(super) fn put_subscription(&mut self, subscription: Subscription) {
        let last = &mut self.board.state.counters.subscription;
        *last = subscription.id.max(*last);
        let id = subscription.id;
        self.board.subscriptions.insert(id, subscription);
    }

    /// Links two tasks, and counts the parent if it is open.
    pub(super) fn link(&mut self, parent: &str, child: &str) {
        self.board.put_link(parent, child);
        let is_open = !self.task(parent).status.satisfies_children();
        self.board
            .edit(child, |task| task.open_parents += u32::from(is_open));
    }

    /// A task's row.
    pub(super) fn task(&self, id: &str) -> Task {
        self.board.tasks[&task_id(id)].clone()
    }

    /// Decides and applies.
    pub(super) fn write<C: Command>(&mut self, command: &C) -> C::Answer {
        let (answer, changes) = self.changes(command);
        self.board.apply_all(&changes);
        answer
    }

    /// What a command answers and would write, for the first time.
    pub(super) fn changes<C: Command>(&self, command: &C) -> (C::Answer, Vec<Change>) {
        let (answered, changes) = self
            .decide(command)
            .unwrap_or_else(|refusal| panic!("expected an answer, found {refusal:?}"));
        assert!(
            !answered.repeated,
            "expected a first answer, found a repeat"
        );
        (answered.value, changes)
    }

    /// What a command answers that repeats itself, and so writes nothing.
    pub(super) fn repeat<C: Command>(&self, command: &C) -> C::Answer {
        let (answered, changes) = self
            .decide(command)
            .unwrap_or_else(|refusal| panic!("expected a repeat, found {refusal:?}"));
        assert!(answered.repeated, "expected a repeat, found a first answer");
        assert_eq!(changes, [], "a repeat writes nothing");
        answered.value
    }

    /// What a command answers that finds nothing to do.
    pub(super) fn unchanged<C: Command>(&self, command: &C) -> C::Answer {
        let (answer, changes) = self.changes(command);
        assert_eq!(changes, [], "expected no change");
        answer
    }

    /// Why a command is refused.
    pub(super) fn refusal<C: Command>(&self, command: &C) -> ErrorKind {
        match self.decide(command) {
            Ok((_, changes)) => panic!("expected a refusal, found {changes:#?}"),
            Err(Refusal::Rule(error)) => error.kind().clone(),
            Err(other) => panic!("expected a refusal by a rule, found {other:?}"),
        }
    }

    /// By which rule a command is refused.
    pub(super) fn rejection<C: Command>(&self, command: &C) -> Rejection {
        match self.refusal(command) {
            ErrorKind::Rejected(rejection) => rejection,
            other => panic!("expected a rejection, found {other:?}"),
        }
    }

    /// The field for which a command is invalid.
    pub(super) fn invalid<C: Command>(&self, command: &C) -> &'static str {
        match self.refusal(command) {
            ErrorKind::Invalid(invalid) => invalid.field,
            other => panic!("expected an invalid argument, found {other:?}"),
        }
    }

    /// A command on the task `t` is refused in every status but those allowed.
    pub(super) fn check_statuses<C: Command>(&mut self, allowed: &[Status], command: &C) {
        for status in Status::ALL
            .iter()
            .filter(|status| !allowed.contains(status))
        {
            self.put_in("t", *status);
            let expected = Rejection::WrongStatus {
                status: *status,
                allowed: allowed.to_vec(),
            };
            assert_eq!(self.rejection(command), expected);
        }
    }

    /// The list of changes of the next command.
    pub(super) fn expect(&self) -> Expected<'_> {
        Expected {
            bed: self,
            state: self.board.state.clone(),
            list: Vec::new(),
        }
    }

    fn decide<C: Command>(
        &self,
        command: &C,
    ) -> Result<(Answered<C::Answer>, Vec<Change>), Refusal> {
        let group = GroupRows::read(&self.board).expect("memory does not fail");
        let mut draft = Draft::new(&self.board, &group, &self.ids, self.now);
        let answered = command.decide(&mut draft)?;
        Ok((answered, draft.into_list()))
    }
}

/// A list of changes, told in its order; the board's row comes by itself.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    bed: &'a Testbed,
    pub(super) state: BoardState,
    list: Vec<Change>,
}

impl Expected<'_> {
    /// A task's row changes, not as a card.
    pub(super) fn task(&mut self, id: &str, edit: impl FnOnce(&mut Task)) {
        let before = self.bed.task(id);
        let mut after = before.clone();
        edit(&mut after);
        self.list.push(Change::Task {
            before: Some(Box::new(before)),
            after: Some(Box::new(after)),
        });
    }

    /// A card changes by one event.
    pub(super) fn card(&mut self, id: &str, edit: impl FnOnce(&mut Task)) {
        let now = self.bed.now;
        self.task(id, |task| {
            task.version = task.version.next();
            task.updated_at = now;
            edit(task);
        });
    }

    /// Any other change.
    pub(super) fn push(&mut self, change: Change) {
        self.list.push(change);
    }

    /// A text is written.
    pub(super) fn text(&mut self, id: &str, kind: TextKind, text: &str) {
        self.push(Change::Text {
            task: task_id(id),
            kind,
            after: Some(text.to_owned()),
        });
    }

    /// A link is added.
    pub(super) fn add_link(&mut self, parent: &str, child: &str) {
        self.push(Change::AddLink(link(parent, child)));
    }

    /// A link goes.
    pub(super) fn remove_link(&mut self, parent: &str, child: &str) {
        self.push(Change::RemoveLink(link(parent, child)));
    }

    /// An open run is closed now.
    pub(super) fn close(&mut self, number: u64, edit: impl FnOnce(&mut Run)) {
        let before = self.bed.board.runs[&RunId::new(number)].clone();
        let mut after = before.clone();
        after.ended_at = Some(self.bed.now);
        edit(&mut after);
        self.push(Change::Run {
            before: Some(Box::new(before)),
            after: Box::new(after),
        });
    }

    /// A new run.
    pub(super) fn new_run(&mut self, run: Run) {
        self.state.counters.run = run.id;
        self.push(Change::Run {
            before: None,
            after: Box::new(run),
        });
    }

    /// A new comment.
    pub(super) fn comment(&mut self, comment: Comment) {
        self.state.counters.comment = comment.id;
        self.push(Change::AddComment(Box::new(comment)));
    }

    /// A new attachment.
    pub(super) fn attachment(&mut self, attachment: Attachment) {
        self.state.counters.attachment = attachment.id;
        self.push(Change::AddAttachment(Box::new(attachment)));
    }

    /// A new subscription.
    pub(super) fn new_subscription(&mut self, subscription: Subscription) {
        self.state.counters.subscription = subscription.id;
        self.push(Change::Subscription {
            before: None,
            after: Some(Box::new(subscription)),
        });
    }

    /// A subscription changes.
    pub(super) fn subscription(&mut self, id: u64, edit: impl FnOnce(&mut Subscription)) {
        let id = crate::model::SubscriptionId::new(id);
        let before = self.bed.board.subscriptions[&id].clone();
        let mut after = before.clone();
        edit(&mut after);
        self.push(Change::Subscription {
            before: Some(Box::new(before)),
            after: Some(Box::new(after)),
        });
    }

    /// The next event, of a task, or of the board where none is named; to be signed by its `actor` and `run`.
    pub(super) fn event(&mut self, task: Option<&str>, kind: EventKind, data: Value) -> &mut Event {
        let Value::Object(data) = data else {
            panic!("expected an object, found {data}");
        };
        let id = EventId::new(self.state.counters.event.get() + 1);
        self.state.counters.event = id;
        self.list.push(Change::AddEvent(Box::new(Event {
            id,
            seq: Seq::new(self.bed.board.state.counters.seq.get() + 1),
            at: self.bed.now,
            task: task.map(task_id),
            run: None,
            actor: None,
            kind,
            data: JsonObject::fitted(data),
        })));
        match self.list.last_mut() {
            Some(Change::AddEvent(event)) => event,
            other => panic!("expected the event, found {other:?}"),
        }
    }

    /// The whole list.
    pub(super) fn list(self) -> Vec<Change> {
        let before = self.bed.board.state.clone();
        let mut after = self.state;
        after.counters.seq = Seq::new(before.counters.seq.get() + 1);
        let mut all = vec![Change::board(before, after)];
        all.extend(self.list);
        all
    }
}

/// The worker of a run.
pub(super) fn worker(run: u64) -> Authority {
    Authority::worker(RunId::new(run))
}

/// An operator called `boss`, with a reason.
pub(super) fn boss() -> Authority {
    Authority::Operator {
        actor: Label::new("actor", "boss").unwrap(),
        reason: Some(reason("because")),
        run: None,
    }
}

pub(super) fn reason(text: &str) -> Reason {
    Reason::new("reason", text).unwrap()
}

pub(super) fn note(text: &str) -> Note {
    Note::new("note", text).unwrap()
}

pub(super) fn assignee(name: &str) -> Assignee {
    Assignee::new(name).unwrap()
}

/// The ids of tasks.
pub(super) fn ids(ids: &[&str]) -> Vec<TaskId> {
    ids.iter().map(|id| task_id(id)).collect()
}
