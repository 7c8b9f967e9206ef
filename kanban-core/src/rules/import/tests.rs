//! A foreign board with every breach that the table in `import.rs` names.

mod breaches;
mod random;

use crate::clock::RandomIds;
use crate::error::Rejection;
use crate::memory::{MemoryBoard, label, task, task_id};
use crate::model::{
    Address, Block, BlockKind, BlockStreak, Event, EventId, EventKind, JsonObject, Link, Millis,
    Note, Outcome, Phase, Run, RunId, Status, SubscriptionMode, Task, Title,
};
use crate::request::{
    ForeignAttachment, ForeignComment, ForeignEvent, ForeignRun, ForeignSubscription, ForeignTask,
    ImportForeign, Imported, Repair,
};
use crate::rules::Command;
use crate::rules::GroupRows;
use crate::rules::draft::{Draft, Refusal};

const NOW: Millis = Millis::new(1_000_000);

fn board() -> ImportForeign {
    ImportForeign::new(label("anna"), label("elsewhere"))
}

fn foreign(id: &str, status: Status) -> ForeignTask {
    ForeignTask {
        id: task_id(id),
        title: Title::new(id).expect("an id is a title"),
        body: None,
        result: None,
        status,
        phase: Phase::Work,
        priority: 0,
        assignee: None,
        tenant: None,
        created_by: None,
        created_at: Millis::new(100),
        started_at: None,
        completed_at: (status == Status::Done).then_some(Millis::new(900)),
        wake_at: None,
        idempotency_key: None,
        failures: 0,
        last_error: None,
        max_runtime: None,
        failure_limit: None,
        block: (status == Status::Blocked).then_some(block()),
        block_streak: None,
        open_run: None,
        attributes: None,
    }
}

fn block() -> Block {
    Block {
        kind: BlockKind::NeedsInput,
        reason: None,
        by: None,
        at: Millis::new(200),
    }
}

/// A claimed run that is open; its `claimed` event is the test's to add.
fn open(id: u64, task: &str) -> ForeignRun {
    ForeignRun {
        id,
        task: task_id(task),
        phase: Phase::Work,
        assignee: None,
        claimant: Some(label("w")),
        expires_at: Some(Millis::new(5_000)),
        must_end_by: None,
        heartbeat_at: None,
        started_at: Millis::new(300),
        ended_at: None,
        outcome: None,
        summary: None,
        error: None,
        metadata: None,
    }
}

/// A run that was never claimed, and has ended.
fn ended(id: u64, task: &str, outcome: Option<Outcome>, end: Option<i64>) -> ForeignRun {
    ForeignRun {
        claimant: None,
        expires_at: None,
        ended_at: end.map(Millis::new),
        outcome,
        ..open(id, task)
    }
}

fn event(id: u64, task: &str, kind: &str, run: Option<u64>) -> ForeignEvent {
    ForeignEvent {
        id,
        task: Some(task_id(task)),
        run,
        kind: EventKind::from(kind),
        data: JsonObject::default(),
        at: Millis::new(400),
    }
}

fn comment(id: u64, task: &str) -> ForeignComment {
    ForeignComment {
        id,
        task: task_id(task),
        author: label("anna"),
        body: Note::new("body", "hello").expect("a short text"),
        at: Millis::new(500),
    }
}

fn subscription(task: &str, channel: &str, cursor: u64) -> ForeignSubscription {
    ForeignSubscription {
        task: task_id(task),
        channel: label(channel),
        address: Address::new("address", "5").expect("a short text"),
        thread: None,
        kinds: vec![EventKind::Completed],
        routing: None,
        mode: SubscriptionMode::Notify,
        created_at: Millis::new(100),
        cursor,
    }
}

fn link(parent: &str, child: &str) -> Link {
    Link {
        parent: task_id(parent),
        child: task_id(child),
    }
}

/// Imports into a board and applies the changes.
fn import(into: &mut MemoryBoard, board: ImportForeign) -> Imported {
    let group = GroupRows::read(into).expect("memory does not fail");
    let mut draft = Draft::new(into, &group, &RandomIds, NOW);
    let answered = Box::new(board)
        .decide(&mut draft)
        .expect("the board is empty");
    let changes = draft.into_list();
    into.apply_all(&changes);
    answered.value
}

fn repairs_of(board: ImportForeign) -> (MemoryBoard, Vec<Repair>) {
    let mut into = MemoryBoard::new();
    let imported = import(&mut into, board);
    (into, imported.repairs)
}

fn task_of<'a>(board: &'a MemoryBoard, id: &str) -> &'a Task {
    board.tasks.get(&task_id(id)).expect("the task is there")
}

fn run_of(board: &MemoryBoard, id: u64) -> &Run {
    board.runs.get(&RunId::new(id)).expect("the run is there")
}

fn claimed_events(board: &MemoryBoard, run: u64) -> Vec<&Event> {
    let run = Some(RunId::new(run));
    let all = board.events.values();
    all.filter(|event| event.kind == EventKind::Claimed && event.run == run)
        .collect()
}
