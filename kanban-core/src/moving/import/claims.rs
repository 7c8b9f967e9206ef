//! What an import does that is no move: the other board may live on, so nothing that it handed out holds here.

use serde_json::{Map, Value};

use crate::change::Change;
use crate::engine::Txn;
use crate::error::Error;
use crate::model::{
    BoardState, Counters, Event, EventId, EventKind, JsonObject, Label, Millis, Outcome, RunId,
    Seq, Task, TaskId,
};
use crate::request::Moved;
use crate::rules::{RunEnd, end_run, land};

/// By how much the counters are raised.
const RAISED_BY: u64 = 1 << 32;
/// The highest number that is taken over: raised, it is still one that every engine can hold.
pub(super) const NUMBER_MAX: u64 = 1 << 62;
/// The highest that is raised: an import of what comes of it takes it over again.
pub(super) const RAISABLE_MAX: u64 = NUMBER_MAX - 2 * RAISED_BY;
/// How many rows are held at a time.
const PAGE: usize = 64;

/// Why the claims cannot be closed.
pub(super) enum Stop {
    /// The export does not fit together.
    Unsound(String),
    /// The storage failed.
    Storage(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Storage(error)
    }
}

/// Raises the counters, closes the open runs, lands their tasks, gives up the leases and writes the event `imported`.
/// Answers its `seq`.
pub(super) fn close(
    txn: &mut dyn Txn,
    moved: &mut Moved,
    actor: &Label,
    now: Millis,
) -> Result<Seq, Stop> {
    let before = txn.view().board()?;
    let mut counters = raised(before.counters);
    counters.seq = Seq::new(counters.seq.get() + 1);
    let mut closing = Closing {
        txn,
        actor,
        now,
        counters,
    };
    closing.claims(moved)?;
    closing.leases()?;
    closing.imported(moved)?;
    let Closing { txn, counters, .. } = closing;
    let after = BoardState {
        counters,
        ..before.clone()
    };
    txn.apply(&Change::board(before, after))?;
    Ok(counters.seq)
}

struct Closing<'a> {
    txn: &'a mut dyn Txn,
    actor: &'a Label,
    now: Millis,
    counters: Counters,
}

impl Closing<'_> {
    /// Page by page: a task that has landed is not among the next.
    fn claims(&mut self, moved: &mut Moved) -> Result<(), Stop> {
        loop {
            let page = self.txn.view().expired(Millis::new(i64::MAX), PAGE)?;
            if page.is_empty() {
                return Ok(());
            }
            for task in page {
                self.claim(task)?;
                moved.invalidated += 1;
            }
        }
    }

    fn claim(&mut self, before: Task) -> Result<(), Stop> {
        let id = before.id.clone();
        let claim = before.claim.as_ref();
        let run = claim.map(|claim| self.txn.view().run(claim.run));
        let run = run.transpose()?.flatten();
        let Some(open) = run.filter(|run| run.is_open() && run.task == id) else {
            let why = format!("the claim of {id} names no open run of it");
            return Err(Stop::Unsound(why));
        };
        let mut task = before.clone();
        let end = RunEnd::new(Outcome::Invalidated, Some(self.actor.clone()));
        let closed = end_run(&mut task, open.clone(), end, self.now);
        let (from, to) = land(&mut task, self.now);
        task.waiting = task.must_wait();
        task.version = task.version.next();
        task.updated_at = self.now;
        let mut data = Map::new();
        data.insert("from".to_owned(), Value::from(from.as_str()));
        data.insert("to".to_owned(), Value::from(to.as_str()));
        data.insert("imported".to_owned(), Value::Bool(true));
        let run = Some(open.id);
        self.txn.apply(&Change::Task {
            before: Some(Box::new(before)),
            after: Some(Box::new(task)),
        })?;
        self.txn.apply(&Change::Run {
            before: Some(Box::new(open)),
            after: Box::new(closed),
        })?;
        self.event(EventKind::Invalidated, Some(id), run, data)
    }

    /// Who holds a lease there delivers for the other board.
    fn leases(&mut self) -> Result<(), Stop> {
        let mut last = None;
        loop {
            let page = self.txn.view().subscriptions(last, PAGE)?;
            let is_end = page.len() < PAGE;
            for before in page {
                last = Some(before.id);
                if before.lease.is_none() {
                    continue;
                }
                let mut after = before.clone();
                after.lease = None;
                self.txn.apply(&Change::Subscription {
                    before: Some(Box::new(before)),
                    after: Some(Box::new(after)),
                })?;
            }
            if is_end {
                return Ok(());
            }
        }
    }

    fn imported(&mut self, moved: &Moved) -> Result<(), Stop> {
        let mut data = Map::new();
        data.insert("origin".to_owned(), Value::from("export"));
        let counts = [
            ("tasks", moved.tasks),
            ("links", moved.links),
            ("runs", moved.runs),
            ("comments", moved.comments),
            ("attachments", moved.attachments),
            ("subscriptions", moved.subscriptions),
            ("events", moved.events),
            ("invalidated", moved.invalidated),
        ];
        for (name, count) in counts {
            data.insert(name.to_owned(), Value::from(count));
        }
        self.event(EventKind::Imported, None, None, data)
    }

    fn event(
        &mut self,
        kind: EventKind,
        task: Option<TaskId>,
        run: Option<RunId>,
        data: Map<String, Value>,
    ) -> Result<(), Stop> {
        self.counters.event = EventId::new(self.counters.event.get() + 1);
        let event = Event {
            id: self.counters.event,
            seq: self.counters.seq,
            at: self.now,
            task,
            run,
            actor: Some(self.actor.clone()),
            kind,
            data: JsonObject::fitted(data),
        };
        Ok(self.txn.apply(&Change::AddEvent(Box::new(event)))?)
    }
}

fn raised(counters: Counters) -> Counters {
    counters.zip(counters, |number, _| number + RAISED_BY)
}

/// The highest of the counters.
pub(super) fn highest(counters: &Counters) -> u64 {
    let numbers = [
        counters.seq.get(),
        counters.event.get(),
        counters.run.get(),
        counters.comment.get(),
        counters.attachment.get(),
        counters.subscription.get(),
        counters.lease.get(),
    ];
    numbers.into_iter().max().unwrap_or(0)
}
