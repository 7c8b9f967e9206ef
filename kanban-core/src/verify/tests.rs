use super::*;
use crate::error::ErrorKind;
use crate::memory::{
    FixedIds, MemoryBoard, attachment, comment, event, label, link, run, subscription, task,
    task_id,
};
use crate::model::{
    ArchivedFrom, Assignee, AttachmentId, Block, BlockKind, Claim, CommentId, EventId, EventKind,
    JsonObject, Lease, LeaseId, LongText, Millis, Note, Outcome, Pause, PauseTarget, Phase, Run,
    RunId, Scope, Seq, Status, SubscriptionId, Task, TextKind, Title,
};
use crate::progress::{Progress, Stage, Tell};
use crate::request::{Authority, ClaimNext, Complete, NewTask, NextClaim};
use crate::rules::{Command, Draft, GroupRows};

fn add(board: &mut MemoryBoard, id: &str, edit: impl FnOnce(&mut Task)) {
    let mut row = task(id);
    edit(&mut row);
    board.put_task(row);
    board.put_event(event(Some(id), EventKind::Created));
}

fn claim(board: &mut MemoryBoard, id: u64, task: &str) -> Run {
    let run = run(id, task);
    board.runs.insert(run.id, run.clone());
    board.state.counters.run = run.id;
    let mut claimed = event(Some(task), EventKind::Claimed);
    claimed.run = Some(run.id);
    board.put_event(claimed);
    run
}

fn end(board: &mut MemoryBoard, mut run: Run, outcome: Outcome, summary: Option<&str>) {
    run.outcome = Some(outcome);
    run.ended_at = Some(Millis::new(1));
    run.summary = summary.map(|text| Note::new("summary", text).unwrap());
    board.runs.insert(run.id, run);
}

fn settle(row: &mut Task) {
    row.status = Status::Done;
    row.completed_at = Some(Millis::new(5));
    row.settled_at = Some(Millis::new(5));
}

/// A sound board with a task in every status.
fn healthy() -> MemoryBoard {
    let mut board = MemoryBoard::new();
    add_settled(&mut board);
    add_open(&mut board);
    add_held(&mut board);
    add_belongings(&mut board);
    board
}

fn add_settled(board: &mut MemoryBoard) {
    add(board, "t_done", settle);
    let first = claim(board, 1, "t_done");
    end(board, first, Outcome::Crashed, None);
    let second = claim(board, 2, "t_done");
    end(board, second, Outcome::Completed, Some("done"));
    // What an operator handed over: a run that nobody claimed.
    let mut handed_over = run(3, "t_done");
    handed_over.claimant = None;
    end(board, handed_over, Outcome::Completed, Some("well done"));
    board.state.counters.run = RunId::new(3);
    add(board, "t_archived", |row| {
        settle(row);
        row.status = Status::Archived;
        row.archived_from = Some(ArchivedFrom {
            status: Status::Done,
            block: None,
            wake_at: None,
        });
        row.idempotency_key = Some(label("key"));
        row.collectable = true;
    });
}

fn add_open(board: &mut MemoryBoard) {
    add(board, "t_running", |row| {
        row.status = Status::Running;
        row.assignee = Some(Assignee::new("ann").unwrap());
        row.claim = Some(Claim {
            run: RunId::new(4),
            claimant: label("worker"),
            expires_at: Millis::new(9),
            must_end_by: None,
            heartbeat_at: None,
            worker: None,
            request_id: Some(label("request")),
        });
    });
    claim(board, 4, "t_running");
    add(board, "t_ready", |row| {
        row.assignee = Some(Assignee::new("ann").unwrap());
        row.tenant = Some(label("tenant"));
        row.idempotency_key = Some(label("key"));
    });
    board.put_link("t_done", "t_ready");
    add(board, "t_todo", |row| {
        row.status = Status::Todo;
        row.open_parents = 2;
    });
    board.put_link("t_running", "t_todo");
    board.put_link("t_ready", "t_todo");
    board.put_link("t_archived", "t_todo");
    add(board, "t_waiting", |row| {
        row.not_before = Some(Millis::new(7));
        row.waiting = true;
    });
    add(board, "t_review", |row| {
        row.status = Status::Review;
        row.phase = Phase::Review;
    });
}

fn add_held(board: &mut MemoryBoard) {
    add(board, "t_triage", |row| row.status = Status::Triage);
    add(board, "t_scheduled", |row| {
        row.status = Status::Scheduled;
        row.wake_at = Some(Millis::new(8));
    });
    add(board, "t_blocked", |row| {
        row.status = Status::Blocked;
        row.block = Some(Block {
            kind: BlockKind::Other,
            reason: None,
            by: None,
            at: Millis::new(1),
        });
    });
    let pause = Pause {
        target: PauseTarget::Board,
        actor: label("me"),
        reason: None,
        at: Millis::new(1),
    };
    board.pauses.insert(PauseTarget::Board, pause);
}

fn add_belongings(board: &mut MemoryBoard) {
    let mut said = comment(1, "t_ready");
    said.request_id = Some(label("said"));
    board.comments.insert(said.id, said);
    board.state.counters.comment = CommentId::new(1);
    let mut attached = attachment(1, "t_ready");
    attached.request_id = Some(label("attached"));
    board.attachments.insert(attached.id, attached);
    board.state.counters.attachment = AttachmentId::new(1);
    for (id, scope) in [(1, Scope::Task(task_id("t_ready"))), (2, Scope::Board)] {
        let row = subscription(id, scope);
        board.subscriptions.insert(row.id, row);
    }
    board.state.counters.subscription = SubscriptionId::new(2);
}

fn run_of(board: &mut MemoryBoard, id: u64) -> &mut Run {
    board
        .runs
        .get_mut(&RunId::new(id))
        .expect("the run is there")
}

fn remove_events(board: &mut MemoryBoard, task: &str, kind: &EventKind) {
    let id = task_id(task);
    board
        .events
        .retain(|_, event| event.task.as_ref() != Some(&id) || event.kind != *kind);
}

fn deleted(id: &str) -> crate::model::Event {
    let mut row = event(None, EventKind::Deleted);
    row.data = JsonObject::parse("data", &format!("{{\"id\":\"{id}\",\"title\":\"it\"}}")).unwrap();
    row
}

fn subscriber(board: &mut MemoryBoard) -> &mut crate::model::Subscription {
    let id = SubscriptionId::new(1);
    board
        .subscriptions
        .get_mut(&id)
        .expect("the subscription is there")
}

/// Archives it anew, from another status.
fn archived_from(board: &mut MemoryBoard, status: Status, edit: fn(&mut ArchivedFrom)) {
    board.edit("t_archived", |row| {
        row.completed_at = None;
        let from = row.archived_from.as_mut().unwrap();
        from.status = status;
        edit(from);
    });
}

type Break = fn(&mut MemoryBoard);

const OF_RUNS: &[(u8, &str, Break)] = &[
    (1, "a claim on a task that is not running", |b| {
        b.edit("t_running", |row| row.status = Status::Triage);
    }),
    (1, "running without a claim", |b| {
        b.edit("t_running", |row| row.claim = None);
    }),
    (1, "a claim of a run that is not there", |b| {
        b.edit("t_running", |row| {
            row.claim.as_mut().unwrap().run = RunId::new(9);
        });
    }),
    (1, "a claim of a run that ended", |b| {
        let run = run_of(b, 4).clone();
        end(b, run, Outcome::Crashed, None);
    }),
    (1, "two open runs", |b| {
        claim(b, 5, "t_running");
    }),
    (1, "an open run of a task that is done", |b| {
        claim(b, 5, "t_done");
    }),
    (1, "an open run of no task", |b| {
        let row = run(5, "t_none");
        b.state.counters.run = row.id;
        b.runs.insert(row.id, row);
    }),
    (2, "an end without an outcome", |b| {
        run_of(b, 4).ended_at = Some(Millis::new(4));
    }),
    (2, "an outcome without an end", |b| {
        run_of(b, 1).ended_at = None;
    }),
    (3, "an end before the start", |b| {
        run_of(b, 1).started_at = Millis::new(2);
    }),
    (9, "a claimed run without its event", |b| {
        remove_events(b, "t_running", &EventKind::Claimed);
    }),
    (
        9,
        "a claimed run without its event, newer than all that gc removed",
        |b| {
            b.state.horizon = EventId::new(1);
            remove_events(b, "t_running", &EventKind::Claimed);
        },
    ),
];

const OF_TASKS: &[(u8, &str, Break)] = &[
    (4, "done without completed_at", |b| {
        b.edit("t_done", |row| row.completed_at = None);
    }),
    (4, "completed_at on a ready task", |b| {
        b.edit("t_ready", |row| row.completed_at = Some(Millis::new(1)));
    }),
    (4, "archived from done without completed_at", |b| {
        b.edit("t_archived", |row| row.completed_at = None);
    }),
    (4, "completed_at of what was archived undone", |b| {
        b.edit("t_archived", |row| {
            row.archived_from.as_mut().unwrap().status = Status::Triage;
        });
    }),
    (5, "too many open_parents", |b| {
        b.edit("t_todo", |row| row.open_parents = 3);
    }),
    (5, "open_parents without a parent", |b| {
        b.edit("t_blocked", |row| row.open_parents = 1);
    }),
    (6, "todo without unsatisfied parents", |b| {
        b.edit("t_triage", |row| row.status = Status::Todo);
    }),
    (6, "ready with an unsatisfied parent", |b| {
        b.edit("t_todo", |row| row.status = Status::Ready);
    }),
    (6, "ready in phase review", |b| {
        b.edit("t_ready", |row| row.phase = Phase::Review);
    }),
    (6, "review in phase work", |b| {
        b.edit("t_review", |row| row.phase = Phase::Work);
    }),
    (7, "a link from nowhere", |b| b.put_link("t_none", "t_todo")),
    (7, "a link to nowhere", |b| b.put_link("t_todo", "t_none")),
    (7, "a circle of three", |b| {
        b.put_link("t_review", "t_triage");
        b.put_link("t_triage", "t_blocked");
        b.put_link("t_blocked", "t_review");
        for id in ["t_triage", "t_blocked", "t_review"] {
            b.edit(id, |row| row.open_parents = 1);
        }
        b.edit("t_review", |row| row.status = Status::Todo);
    }),
    (7, "a task that is its own parent", |b| {
        b.put_link("t_triage", "t_triage");
        b.edit("t_triage", |row| row.open_parents = 1);
    }),
    (12, "two tasks with one key", |b| {
        b.edit("t_review", |row| row.idempotency_key = Some(label("key")));
    }),
    (12, "two claims with one request id", |b| {
        b.edit("t_triage", |row| row.status = Status::Running);
        claim(b, 5, "t_triage");
        let mut held = b.tasks[&task_id("t_running")].claim.clone().unwrap();
        held.run = RunId::new(5);
        b.edit("t_triage", |row| row.claim = Some(held));
    }),
    (15, "blocked without a block", |b| {
        b.edit("t_blocked", |row| row.block = None);
    }),
    (15, "a block on a task that is not blocked", |b| {
        b.edit("t_blocked", |row| row.status = Status::Triage);
    }),
    (15, "wake_at on a task that is not scheduled", |b| {
        b.edit("t_scheduled", |row| row.status = Status::Triage);
    }),
    (15, "done without settled_at", |b| {
        b.edit("t_done", |row| row.settled_at = None);
    }),
    (15, "settled_at on a ready task", |b| {
        b.edit("t_ready", |row| row.settled_at = Some(Millis::new(1)));
    }),
    (15, "archived_from on a task that is not archived", |b| {
        b.edit("t_archived", |row| {
            row.status = Status::Done;
            row.idempotency_key = None;
        });
    }),
    (15, "archived from blocked without a block", |b| {
        archived_from(b, Status::Blocked, |_| {});
    }),
    (15, "a block on what was archived from ready", |b| {
        archived_from(b, Status::Ready, |from| {
            from.block = Some(Block {
                kind: BlockKind::Other,
                reason: None,
                by: None,
                at: Millis::new(1),
            });
        });
    }),
    (15, "wake_at on what was archived from todo", |b| {
        archived_from(b, Status::Todo, |from| from.wake_at = Some(Millis::new(1)));
    }),
    (15, "archived from the archive", |b| {
        archived_from(b, Status::Archived, |_| {});
    }),
];

const OF_THE_LOG: &[(u8, &str, Break)] = &[
    (8, "a seq that goes back", |b| {
        b.events.get_mut(&EventId::new(3)).unwrap().seq = Seq::new(1);
    }),
    (8, "an event above its counter", |b| {
        b.state.counters.event = EventId::new(1);
    }),
    (8, "a seq above its counter", |b| {
        b.state.counters.seq = Seq::new(1);
    }),
    (8, "an event of no task", |b| {
        b.put_event(event(Some("t_none"), EventKind::Created));
    }),
    (8, "an event of another than the deleted task", |b| {
        b.put_event(event(Some("t_none"), EventKind::Created));
        b.put_event(deleted("t_other"));
    }),
    (8, "an event of no run", |b| {
        let mut row = event(Some("t_ready"), EventKind::Heartbeat);
        row.run = Some(RunId::new(9));
        b.put_event(row);
    }),
    (8, "an event of another task's run", |b| {
        let mut row = event(Some("t_ready"), EventKind::Heartbeat);
        row.run = Some(RunId::new(1));
        b.put_event(row);
    }),
    (8, "an event of the board with a run", |b| {
        let mut row = event(None, EventKind::Paused);
        row.run = Some(RunId::new(1));
        b.put_event(row);
    }),
    (8, "a horizon above the counter of events", |b| {
        b.state.horizon = EventId::new(b.state.counters.event.get() + 1);
    }),
    (10, "a cursor ahead of the log", |b| {
        subscriber(b).cursor = EventId::new(99);
    }),
    (10, "a lease ahead of the log", |b| {
        b.state.counters.lease = LeaseId::new(1);
        subscriber(b).lease = Some(Lease {
            id: LeaseId::new(1),
            until: Millis::new(0),
            through: EventId::new(99),
        });
    }),
    (11, "a counter that is too high", |b| {
        *b.counts.get_mut(&(Status::Triage, None)).unwrap() += 1;
    }),
    (11, "a counter that is missing", |b| {
        b.counts.remove(&(Status::Triage, None));
    }),
    (11, "a counter of no task", |b| {
        b.counts
            .insert((Status::Triage, Assignee::new("bob").ok()), 1);
    }),
    (11, "a counter at 0", |b| {
        b.counts
            .insert((Status::Triage, Assignee::new("bob").ok()), 0);
    }),
    (11, "a run above its counter", |b| {
        b.state.counters.run = RunId::new(3);
    }),
    (11, "a comment above its counter", |b| {
        b.state.counters.comment = CommentId::new(0);
    }),
    (11, "an attachment above its counter", |b| {
        b.state.counters.attachment = AttachmentId::new(0);
    }),
    (11, "a subscription above its counter", |b| {
        b.state.counters.subscription = SubscriptionId::new(1);
    }),
];

const OF_INDEXES: &[(u8, &str, Break)] = &[
    (13, "a closed run of no task", |b| {
        let mut row = run(5, "t_none");
        row.claimant = None;
        b.state.counters.run = row.id;
        end(b, row, Outcome::Completed, None);
    }),
    (13, "a comment on no task", |b| {
        b.comments.get_mut(&CommentId::new(1)).unwrap().task = task_id("t_none");
    }),
    (13, "an attachment of no task", |b| {
        b.attachments.get_mut(&AttachmentId::new(1)).unwrap().task = task_id("t_none");
    }),
    (13, "a subscription to no task", |b| {
        subscriber(b).scope = Scope::Task(task_id("t_none"));
    }),
    (13, "two subscriptions at one place", |b| {
        let mut row = subscriber(b).clone();
        row.id = SubscriptionId::new(3);
        b.subscriptions.insert(row.id, row);
        b.state.counters.subscription = SubscriptionId::new(3);
    }),
    (13, "two comments with one request id", |b| {
        let mut row = b.comments[&CommentId::new(1)].clone();
        row.id = CommentId::new(2);
        b.comments.insert(row.id, row);
        b.state.counters.comment = CommentId::new(2);
    }),
    (13, "a mark `waiting` without a time", |b| {
        b.edit("t_waiting", |row| row.not_before = None);
    }),
    (13, "a mark `waiting` on what is not claimable", |b| {
        b.edit("t_waiting", |row| row.status = Status::Triage);
    }),
    (13, "no mark `waiting` on what is held back", |b| {
        b.edit("t_waiting", |row| row.waiting = false);
    }),
    (13, "a mark `collectable` on what is not settled", |b| {
        b.edit("t_triage", |row| row.collectable = true);
    }),
];

/// Index entries that are missing, and some that should not be there.
const TWISTED: &[(&str, &str)] = &[
    ("claimable", "t_ready"),
    ("claimable", "t_review"),
    ("claimable", "t_waiting"),
    ("waiting", "t_waiting"),
    ("waiting", "t_ready"),
    ("expired", "t_running"),
    ("expired", "t_done"),
    ("due", "t_scheduled"),
    ("due", "t_ready"),
    ("collectable", "t_archived"),
    ("collectable", "t_done"),
    ("listed", "t_todo"),
    ("oldest_ready", "t_early"),
    ("task_by_key", "t_ready"),
    ("claimed_by_request", "t_running"),
    ("parents", "t_running"),
    ("children", "t_todo"),
];

fn numbers(board: &MemoryBoard) -> Vec<u8> {
    let found = violations(board, 100, &Tell::default()).unwrap();
    let mut numbers: Vec<u8> = found.iter().map(|violation| violation.invariant).collect();
    numbers.dedup();
    numbers
}

#[test]
fn a_sound_board_has_no_violations() {
    assert_eq!(
        violations(&MemoryBoard::new(), 100, &Tell::default()).unwrap(),
        []
    );
    assert_eq!(violations(&healthy(), 100, &Tell::default()).unwrap(), []);
}

#[test]
fn each_broken_board_is_found_by_its_number() {
    for table in [OF_RUNS, OF_TASKS, OF_THE_LOG, OF_INDEXES] {
        for (invariant, story, break_it) in table {
            let mut board = healthy();
            break_it(&mut board);
            let found = violations(&board, 100, &Tell::default()).unwrap();
            assert_eq!(numbers(&board), [*invariant], "{story}: {found:?}");
        }
    }
}

#[test]
fn an_index_that_differs_from_the_rows_is_found() {
    for (question, id) in TWISTED {
        let mut board = healthy();
        add(&mut board, "t_early", |row| {
            row.created_at = Millis::new(-1);
        });
        assert_eq!(numbers(&board), [0; 0]);
        board.twisted.insert((question, task_id(id)));
        let found = numbers(&board);
        assert!(found.contains(&13), "{question} of {id}: {found:?}");
    }
}

#[test]
fn archived_from_keeps_what_its_status_had() {
    let mut board = healthy();
    archived_from(&mut board, Status::Running, |_| {});
    assert_eq!(numbers(&board), [0; 0]);
    archived_from(&mut board, Status::Scheduled, |from| {
        from.wake_at = Some(Millis::new(1));
    });
    assert_eq!(numbers(&board), [0; 0]);
}

#[test]
fn a_text_that_cannot_be_answered_is_found() {
    for (kind, text) in [
        (TextKind::Body, "x".repeat(LongText::MAX_BYTES + 1)),
        (TextKind::Result, String::new()),
        (TextKind::Attributes, "no object".to_owned()),
    ] {
        let mut board = healthy();
        board.texts.insert((task_id("t_ready"), kind), text);
        let error = violations(&board, 100, &Tell::default()).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Corrupt, "{kind}: {error}");
    }
}

#[test]
fn what_gc_may_have_removed_is_not_missed() {
    let mut board = healthy();
    let newest = board.state.counters.event;
    remove_events(&mut board, "t_running", &EventKind::Claimed);
    assert_eq!(numbers(&board), [9]);
    board.state.horizon = newest;
    assert_eq!(numbers(&board), [0; 0]);
}

#[test]
fn events_of_a_deleted_task_are_no_violation() {
    let mut board = healthy();
    board.put_event(event(Some("t_gone"), EventKind::Created));
    board.put_event(deleted("t_gone"));
    assert_eq!(numbers(&board), [0; 0]);
}

#[test]
fn a_circle_is_told_once_with_its_closing_link() {
    let mut board = healthy();
    for (parent, child) in [("t_triage", "t_blocked"), ("t_blocked", "t_triage")] {
        board.links.insert(link(parent, child));
        board.edit(child, |row| row.open_parents = 1);
    }
    let found = violations(&board, 100, &Tell::default()).unwrap();
    let what: Vec<&str> = found
        .iter()
        .map(|violation| violation.what.as_str())
        .collect();
    assert_eq!(what, ["the link t_triage → t_blocked closes a circle"]);
}

fn verify(limit: usize) -> Verify {
    Verify {
        limit,
        tell: Tell::default(),
    }
}

#[test]
fn the_search_ends_with_enough_violations() {
    let mut board = healthy();
    for id in ["t_triage", "t_ready", "t_blocked"] {
        board.edit(id, |row| row.settled_at = Some(Millis::new(1)));
    }
    assert_eq!(verify(100).ask(&board).unwrap().len(), 3);
    assert_eq!(verify(2).ask(&board).unwrap().len(), 2);
    assert_eq!(verify(0).ask(&board).unwrap(), []);
}

#[test]
fn boards_of_more_than_a_page_are_walked_to_the_end() {
    let mut board = MemoryBoard::new();
    for n in 0..2 * PAGE {
        board.put_task(task(&format!("t_{n:04}")));
    }
    assert_eq!(violations(&board, 100, &Tell::default()).unwrap(), []);
    board.edit("t_1999", |row| row.settled_at = Some(Millis::new(1)));
    assert_eq!(numbers(&board), [15]);
}

/// Decides a command and applies what it decides.
fn carry_out<C: Command>(board: &mut MemoryBoard, ids: &FixedIds, command: &C) -> C::Answer {
    let base = board.clone();
    let group = GroupRows::read(&base).unwrap();
    let mut draft = Draft::new(&base, &group, ids, Millis::new(1_000));
    let answered = command
        .decide(&mut draft)
        .expect("the command is not refused");
    board.apply_all(&draft.into_list());
    answered.value
}

#[test]
fn a_board_that_commands_wrote_is_sound() {
    let (mut board, ids) = (MemoryBoard::new(), FixedIds::default());
    let first = NewTask::new(Title::new("first").unwrap());
    let first = carry_out(&mut board, &ids, &first);
    let second = NewTask {
        parents: vec![first.id.clone()],
        ..NewTask::new(Title::new("second").unwrap())
    };
    carry_out(&mut board, &ids, &second);
    for _ in 0..2 {
        let next = carry_out(&mut board, &ids, &ClaimNext::new(label("worker")));
        let NextClaim::Claimed(claimed) = next else {
            panic!("expected a claim, found {next:?}");
        };
        assert_eq!(violations(&board, 100, &Tell::default()).unwrap(), []);
        let authority = Authority::worker(claimed.run.id);
        carry_out(&mut board, &ids, &Complete::new(claimed.task.id, authority));
        assert_eq!(violations(&board, 100, &Tell::default()).unwrap(), []);
    }
}

#[test]
fn every_row_and_every_entry_of_an_index_is_a_step_of_a_told_verify() {
    let board = healthy();
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let theirs = std::sync::Arc::clone(&heard);
    let tell = Tell::to(Some(std::sync::Arc::new(move |now: &Progress| {
        theirs.lock().unwrap().push(*now);
    })));
    assert_eq!(violations(&board, 100, &tell).unwrap(), []);
    let heard = heard.lock().unwrap();
    for stage in [Stage::Verify, Stage::VerifyIndexes] {
        let last = heard.iter().rfind(|now| now.stage == stage).unwrap();
        assert!(last.done > 0, "found {last:?}");
        assert_eq!(Some(last.done), last.total, "{stage}");
    }
}
