//! The executor under a controlled scheduler: every run picks another interleaving of callers, writer, reader and
//! close. A deadlock, a missing answer or an answer before its commit fails the run. Run by
//! `cargo test -p kanban-core --features shuttle --lib schedules`.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use shuttle::future::block_on;
use shuttle::thread;

use crate::error::ErrorKind;
use crate::memory::{CommitFault, FlushFault, MemoryBoard, MemoryEngine};
use crate::options::{Durability, Options};
use crate::request::{ImportLines, KeepClaims, List};
use crate::store::BoardStore;
use crate::sync::Arc;

use super::harness::{open, options, task};

/// How many interleavings each scenario is run through.
const SCHEDULES: usize = 2_000;

/// A bug put in on purpose: the scenarios must find each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// The writer answers inside the transaction.
    AnswerBeforeCommit,
    /// A write is put into the queue and the writer is not told.
    LostWakeUp,
    /// The writer drops a call without an answer.
    LeaveUnanswered,
}

thread_local! {
    // All threads of a scheduled run are coroutines of one thread, so each test has its own.
    static FAULT: Cell<Fault> = const { Cell::new(Fault::None) };
}

/// The bug of this test.
pub(super) fn fault() -> Fault {
    FAULT.get()
}

fn options_for_schedules() -> Options {
    Options {
        queue_len_max: 4,
        group_len_max: 2,
        ..options()
    }
}

/// Two writers and a reader race; then the store is closed while one more writes.
fn race() {
    let engine = MemoryEngine::new(MemoryBoard::new());
    let opened = Arc::new(block_on(open(&engine, options_for_schedules())));
    let writers: Vec<_> = ["one", "two"]
        .into_iter()
        .map(|title| {
            let (opened, engine) = (Arc::clone(&opened), engine.clone());
            thread::spawn(move || {
                let made = block_on(opened.store.create(task(title))).expect("there is room");
                let is_committed = engine.board().tasks.contains_key(&made.value.id);
                assert!(is_committed, "answered before its commit");
            })
        })
        .collect();
    block_on(opened.store.list(List::default())).expect("a list");
    let late = {
        let opened = Arc::clone(&opened);
        thread::spawn(move || match block_on(opened.store.create(task("late"))) {
            Ok(_) => 1,
            Err(error) => {
                assert_eq!(error.kind(), &ErrorKind::Closed);
                0
            }
        })
    };
    for writer in writers {
        writer.join().expect("the writer is answered");
    }
    block_on(opened.store.close()).expect("closed");
    let late = late.join().expect("the late writer is answered");
    assert_eq!(
        engine.board().tasks.len(),
        2 + late,
        "each answered write is there, and no other"
    );
    assert_eq!(engine.seen().closes, 1);
    opened.pool.stop();
    opened.timer.stop();
}

/// A commit whose fate must be found out, while a reader reads.
fn find_out(fault: CommitFault) {
    let engine = MemoryEngine::new(MemoryBoard::new());
    let opened = Arc::new(block_on(open(&engine, options_for_schedules())));
    engine.fail_commit(fault);
    let reader = {
        let opened = Arc::clone(&opened);
        thread::spawn(move || block_on(opened.store.list(List::default())).expect("a list"))
    };
    block_on(opened.store.create(task("one"))).expect("its fate is found out");
    reader.join().expect("the reader is answered");
    assert_eq!(engine.board().tasks.len(), 1, "once");
    block_on(opened.store.close()).expect("closed");
    opened.pool.stop();
    opened.timer.stop();
}

/// Two writers, flushes at moments that the scheduler picks, one of which fails, and a close.
fn flush_late(fault: FlushFault) {
    let engine = MemoryEngine::new(MemoryBoard::new());
    let interval = std::time::Duration::from_hours(1);
    let lazy = Options {
        durability: Durability::Lazy { interval },
        ..options_for_schedules()
    };
    let opened = Arc::new(block_on(open(&engine, lazy)));
    let other = {
        let opened = Arc::clone(&opened);
        thread::spawn(move || block_on(opened.store.create(task("one"))).map(|_| ()))
    };
    block_on(opened.store.create(task("two"))).expect("the reservation is flushed");
    engine.fail_flush(fault);
    let other = other.join().expect("the writer is answered");
    let answered = 1 + usize::from(other.is_ok());
    if block_on(opened.store.close()).is_ok() {
        assert_eq!(engine.durable().tasks.len(), answered, "all of it");
    } else {
        assert_ne!(fault, FlushFault::Kept, "nothing is gone");
    }
    assert_eq!(engine.seen().closes, 1);
    opened.pool.stop();
    opened.timer.stop();
}

/// An export and an import beside a commit whose fate must be found out, and a close.
fn move_lines(fault: CommitFault) {
    let engine = MemoryEngine::new(MemoryBoard::new());
    let opened = Arc::new(block_on(open(&engine, options_for_schedules())));
    engine.fail_commit(fault);
    let exporter = {
        let opened = Arc::clone(&opened);
        thread::spawn(move || {
            let exported = block_on(opened.store.export(Box::new(std::io::sink())));
            if let Err(error) = exported {
                let is_expected = matches!(error.kind(), ErrorKind::Busy | ErrorKind::Closed);
                assert!(is_expected, "found {error}");
            }
        })
    };
    let importer = {
        let opened = Arc::clone(&opened);
        thread::spawn(move || {
            let import = ImportLines {
                source: Box::new(std::io::empty()),
                claims: KeepClaims::No,
                actor: crate::memory::label("olga"),
            };
            block_on(opened.store.import_lines(import)).expect_err("there is no export");
        })
    };
    block_on(opened.store.create(task("one"))).expect("its fate is found out");
    block_on(opened.store.close()).expect("closed");
    exporter.join().expect("the exporter is answered");
    importer.join().expect("the importer is answered");
    assert_eq!(engine.board().tasks.len(), 1, "once");
    assert_eq!(engine.seen().closes, 1);
    opened.pool.stop();
    opened.timer.stop();
}

#[test]
fn no_schedule_of_an_export_or_an_import_wedges() {
    shuttle::check_random(|| move_lines(CommitFault::UncertainLanded), SCHEDULES);
    shuttle::check_pct(|| move_lines(CommitFault::UncertainLost), SCHEDULES, 3);
    println!("schedules={} wedged=0", 2 * SCHEDULES);
}

#[test]
fn no_schedule_wedges_or_answers_early() {
    shuttle::check_random(race, SCHEDULES);
    shuttle::check_pct(race, SCHEDULES, 3);
    println!("schedules={} wedged=0 unanswered=0 early=0", 2 * SCHEDULES);
}

#[test]
fn no_schedule_loses_an_uncertain_commit() {
    shuttle::check_random(|| find_out(CommitFault::UncertainLanded), SCHEDULES);
    shuttle::check_random(|| find_out(CommitFault::UncertainLost), SCHEDULES);
    shuttle::check_random(|| find_out(CommitFault::UncertainForgot), SCHEDULES);
    println!("schedules={} lost=0 doubled=0", 3 * SCHEDULES);
}

#[test]
fn no_schedule_of_late_flushes_wedges_or_closes_without_one() {
    shuttle::check_random(|| flush_late(FlushFault::Busy), SCHEDULES);
    shuttle::check_random(|| flush_late(FlushFault::Forgot), SCHEDULES);
    shuttle::check_pct(|| flush_late(FlushFault::Kept), SCHEDULES, 3);
    println!("schedules={} wedged=0 unflushed=0", 3 * SCHEDULES);
}

#[test]
fn an_answer_before_the_commit_is_found() {
    assert!(is_found(Fault::AnswerBeforeCommit), "expected to be found");
}

#[test]
fn a_lost_wake_up_is_found() {
    assert!(is_found(Fault::LostWakeUp), "expected to be found");
}

#[test]
fn leaving_without_an_answer_is_found() {
    assert!(is_found(Fault::LeaveUnanswered), "expected to be found");
}

fn is_found(fault: Fault) -> bool {
    FAULT.set(fault);
    let run = catch_unwind(AssertUnwindSafe(|| shuttle::check_random(race, SCHEDULES)));
    FAULT.set(Fault::None);
    run.is_err()
}
