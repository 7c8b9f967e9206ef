//! A board with very many tasks, written row by row: the rules would take minutes for it.

use std::path::Path;
use std::time::Duration;

use kanban_core::{
    Backend, BoardState, BoardStore, Change, Engine, Event, EventId, Millis, NewTask, Result, Seq,
    Task, TaskId, TextKind, Txn, Verdict, WriteEnd,
};

use crate::calls;
use crate::clock::TestClock;
use crate::engine::{ask, existing};

/// Who all these tasks are for. They are the best of the board: a claim that walked them would look at each.
pub(super) const CROWD: &str = "crowd";
/// How many of the crowd wait for a time, above all others: one in so many.
const ONE_WAITS_IN: usize = 10;
/// How many rows are written in one transaction: as many as stay in an engine's cache.
const CHUNK: usize = 2_000;
/// For how long those that wait do.
const WAIT: Duration = Duration::from_hours(24 * 365);

/// A task of the crowd, as the rules make it: a title of 40 bytes, a body of 200, an assignee, its event `created`.
pub(super) fn of_the_crowd() -> NewTask {
    NewTask {
        body: Some(calls::long(
            &"What is to be done, in words. ".repeat(7)[..200],
        )),
        assignee: Some(calls::who(CROWD)),
        priority: 10,
        ..calls::new("One of very many tasks of the same shape")
    }
}

/// What the rules made of one.
struct Template {
    board: BoardState,
    task: Task,
    body: Option<String>,
    event: Event,
}

/// Adds tasks to a board that has the first of them, up to a number, and closes it. Answers its length then, in bytes.
pub(super) fn fill<B: Backend>(backend: &B, board: &Path, first: &TaskId, tasks: usize) -> u64 {
    let engine = backend
        .open(board, &existing())
        .expect("the board was just made");
    let template = ask(&engine, |view| {
        Ok(Template {
            board: view.board()?,
            task: view.task(first)?.expect("it was created"),
            body: view.text(first, TextKind::Body)?,
            event: view
                .events_of(first, EventId::new(0), 1)?
                .pop()
                .expect("it has an event"),
        })
    });
    let numbers: Vec<usize> = (1..tasks).collect();
    for chunk in numbers.chunks(CHUNK) {
        let end = engine.write(&mut |txn| {
            chunk
                .iter()
                .try_for_each(|number| template.write(txn, *number))?;
            let last = chunk.last().copied().unwrap_or_default();
            template.count(txn, last)?;
            Ok(Verdict::Commit)
        });
        assert!(
            matches!(end, WriteEnd::Done(Verdict::Commit)),
            "expected a commit, found {end:?}"
        );
    }
    engine.close().expect("nothing went wrong before");
    let main = board.join(backend.file_name());
    main.metadata().expect("a board has its main file").len()
}

impl Template {
    /// Writes one more, older than all that the rules make.
    fn write(&self, txn: &mut dyn Txn, number: usize) -> Result<()> {
        let waits = number.is_multiple_of(ONE_WAITS_IN);
        // Before every id that is given later, as older ids are.
        let id = calls::task_id(&format!("s_{number:026}"));
        let at = Millis::new(self.task.created_at.get() - 1_000_000 + millis(number));
        let task = Task {
            id: id.clone(),
            created_at: at,
            updated_at: at,
            priority: if waits { 20 } else { self.task.priority },
            not_before: waits.then(|| TestClock::START.after(WAIT)),
            waiting: waits,
            ..self.task.clone()
        };
        let body = Change::Text {
            task: id.clone(),
            kind: TextKind::Body,
            after: self.body.clone(),
        };
        let event = Event {
            id: EventId::new(self.event.id.get() + number as u64),
            seq: Seq::new(self.event.seq.get() + number as u64),
            at,
            task: Some(id),
            ..self.event.clone()
        };
        txn.apply(&Change::Task {
            before: None,
            after: Some(Box::new(task)),
        })?;
        txn.apply(&body)?;
        txn.apply(&Change::AddEvent(Box::new(event)))
    }

    /// Raises the board's numbers by as many as were given.
    fn count(&self, txn: &mut dyn Txn, given: usize) -> Result<()> {
        let before = txn.view().board()?;
        let mut after = before.clone();
        after.counters.event = EventId::new(self.board.counters.event.get() + given as u64);
        after.counters.seq = Seq::new(self.board.counters.seq.get() + given as u64);
        txn.apply(&Change::board(before, after))
    }
}

fn millis(number: usize) -> i64 {
    i64::try_from(number).expect("fewer tasks than milliseconds")
}

/// Asserts that a filled board is sound.
pub(super) async fn verified(store: &dyn BoardStore) {
    let violations = store.verify().await.expect("it can be looked at").value;
    assert!(
        violations.is_empty(),
        "expected a sound board, found {violations:#?}"
    );
}
