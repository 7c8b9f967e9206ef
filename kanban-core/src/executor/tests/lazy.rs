//! Durability `Lazy`: when answered writes are flushed, what a failed flush does, and which numbers come after a crash.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use pollster::block_on;

use crate::error::{ErrorKind, Unavailable};
use crate::memory::{CommitFault, FixedIds, FlushFault, MemoryBoard, MemoryEngine};
use crate::model::Counters;
use crate::options::{Durability, Options};
use crate::request::UnlinkTasks;
use crate::rules::{Command, Decided, Draft};
use crate::store::BoardStore;

use super::super::Timer;
use super::super::harness::{Opened, open, options, task};
use super::{hold, kind, new_engine, poll, titles};

/// So long that nothing is due unless the test puts the clock forward.
pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const GONE: ErrorKind = ErrorKind::Unavailable(Unavailable::Io);

/// Stores on one board must not give one id to two tasks.
static IDS: LazyLock<Arc<FixedIds>> = LazyLock::new(Arc::default);

fn at(durability: Durability) -> Options {
    let ids = Arc::<FixedIds>::clone(&IDS);
    Options {
        durability,
        ids,
        ..options()
    }
}

pub(super) fn lazy(interval: Duration) -> Options {
    at(Durability::Lazy { interval })
}

pub(super) async fn add(opened: &Opened, title: &str) -> crate::Seq {
    opened.store.create(task(title)).await.expect("created").seq
}

pub(super) fn kept(engine: &MemoryEngine) -> Vec<String> {
    let tasks = engine.durable().tasks;
    tasks.values().map(|task| task.title.to_string()).collect()
}

#[test]
fn nothing_is_answered_while_an_answered_write_is_overdue() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(HOUR)).await;
        add(&opened, "one").await;
        assert_eq!(engine.seen().flushes, 1, "the reservation");
        opened.timer.advance(Duration::from_mins(29));
        add(&opened, "two").await;
        assert_eq!(engine.seen().flushes, 1, "nothing is due yet");
        assert_eq!(kept(&engine), [""; 0]);
        opened.timer.advance(Duration::from_mins(1));
        add(&opened, "three").await;
        assert_eq!(engine.seen().flushes, 2, "before the answer");
        assert_eq!(kept(&engine), ["one", "two", "three"]);
        opened.timer.advance(HOUR / 2);
        add(&opened, "four").await;
        assert_eq!(engine.seen().flushes, 2, "it waits from its own commit on");
        opened.timer.advance(HOUR / 2);
        add(&opened, "five").await;
        assert_eq!(engine.seen().flushes, 3);
        opened.stop();
    });
}

/// A command while which is decided some time passes.
struct Slow<C>(Duration, Arc<Timer>, C);

impl<C: Command> Command for Slow<C> {
    type Answer = C::Answer;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<C::Answer> {
        let Self(span, timer, command) = self;
        timer.advance(*span);
        command.decide(draft)
    }
}

/// Twenty calls wait that are taken one by one, and with the first of them an older write becomes overdue: that is flushed
/// before the first answer, and then no more. Answers what was kept by then.
async fn is_flushed_amid<C: Command>(command: impl Fn(usize) -> C) -> Vec<String> {
    let engine = new_engine();
    let one_by_one = Options {
        group_len_max: 1,
        ..lazy(HOUR)
    };
    let opened = open(&engine, one_by_one).await;
    add(&opened, "first").await;
    let (held, let_go) = hold(&opened);
    let slow = |n| {
        let span = if n == 0 { HOUR } else { Duration::ZERO };
        Slow(span, Arc::clone(&opened.timer), command(n))
    };
    let mut calls: Vec<_> = (0..20)
        .map(|n| Box::pin(opened.store.write(slow(n))))
        .collect();
    for call in &mut calls {
        assert!(poll(call).is_pending(), "it waits in the queue");
    }
    let_go.send(()).expect("the writer waits");
    held.await.expect("the hold ends");
    let mut calls = calls.into_iter();
    // Refused or not.
    let _ = calls.next().expect("there are twenty").await;
    let kept = kept(&engine);
    for call in calls {
        let _ = call.await;
    }
    assert_eq!(engine.seen().flushes, 2, "once, and the reservation");
    opened.stop();
    kept
}

#[test]
fn a_queue_that_is_never_empty_does_not_keep_the_flush_waiting() {
    let kept = block_on(is_flushed_amid(|n| task(&format!("task {n}"))));
    assert_eq!(kept, ["first", "task 0"], "the rest is not due");
}

/// Refusals write nothing, and dispatchers that ask for work where there is none never stop.
#[test]
fn calls_that_write_nothing_do_not_keep_the_flush_waiting() {
    let kept = block_on(is_flushed_amid(|_| UnlinkTasks {
        parent: crate::memory::task_id("gone"),
        child: crate::memory::task_id("gone"),
        actor: None,
    }));
    assert_eq!(kept, ["first"], "though nothing was written since");
}

#[test]
fn a_writer_without_work_flushes_in_time_and_then_no_more() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(Duration::from_millis(1))).await;
        add(&opened, "one").await;
        while kept(&engine).is_empty() {
            std::thread::yield_now();
        }
        while engine.seen().upkeeps == 0 {
            std::thread::yield_now();
        }
        let flushes = engine.seen().flushes;
        assert_eq!(flushes, 2, "the reservation, and the write");
        opened.store.close().await.expect("closed");
        assert_eq!(engine.seen().flushes, 2, "there was nothing to flush");
        opened.stop();
    });
}

#[test]
fn a_close_flushes_what_was_answered() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(HOUR)).await;
        add(&opened, "one").await;
        assert_eq!(kept(&engine), [""; 0]);
        opened.store.close().await.expect("closed");
        assert_eq!(kept(&engine), ["one"]);
        opened.stop();
    });
}

#[test]
fn a_flush_that_failed_and_lost_nothing_is_made_again_on_files_opened_anew() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(HOUR)).await;
        add(&opened, "one").await;
        engine.fail_flush(FlushFault::Kept);
        opened.timer.advance(HOUR);
        add(&opened, "two").await;
        let seen = engine.seen();
        assert_eq!((seen.reopens, seen.flushes), (1, 3));
        assert_eq!(kept(&engine), ["one", "two"]);
        add(&opened, "three").await;
        assert_eq!(titles(&opened).await, ["one", "two", "three"]);
        opened.store.close().await.expect("closed");
        opened.stop();
    });
}

#[test]
fn a_flush_that_took_answered_writes_with_it_ends_the_store_and_everybody_is_told() {
    block_on(async {
        let engine = new_engine();
        engine.forgets();
        let opened = open(&engine, lazy(HOUR)).await;
        let answered = add(&opened, "answered").await;
        engine.fail_flush(FlushFault::Forgot);
        opened.timer.advance(HOUR);
        let told = kind(opened.store.create(task("next")).await);
        assert_eq!(told, ErrorKind::Unknown);
        assert_eq!(kind(opened.store.create(task("after")).await), GONE);
        assert_eq!(kind(opened.store.stats().await), GONE);
        assert_eq!(kind(opened.store.close().await), GONE);
        opened.stop();

        let opened = open(&engine, lazy(HOUR)).await;
        assert!(add(&opened, "again").await > answered, "no number twice");
        opened.stop();
    });
}

#[test]
fn a_flush_that_fails_while_nobody_calls_is_told_by_the_next_call_and_the_close() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(HOUR)).await;
        let made = opened.store.create(task("answered")).await;
        let made = made.expect("created").value.id;
        engine.fail_flush(FlushFault::Forgot);
        opened.timer.advance(HOUR);
        // It writes nothing, so it need not wait; but the writer looks at the time again.
        let nothing = UnlinkTasks {
            parent: made.clone(),
            child: made,
            actor: None,
        };
        opened.store.unlink(nothing).await.expect("nothing to do");
        while engine.seen().closes == 0 {
            std::thread::yield_now();
        }
        assert_eq!(kind(opened.store.create(task("next")).await), GONE);
        assert_eq!(kind(opened.store.close().await), GONE);
        opened.stop();
    });
}

#[test]
fn a_close_whose_flush_fails_tells_it_and_closes_all_the_same() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(HOUR)).await;
        add(&opened, "answered and lost").await;
        engine.fail_flush(FlushFault::Forgot);
        assert_eq!(kind(opened.store.close().await), GONE);
        assert_eq!(engine.seen().closes, 1);
        opened.stop();
    });
}

#[test]
fn a_board_that_others_hold_is_flushed_later_and_nothing_is_answered_until_then() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(HOUR)).await;
        add(&opened, "one").await;
        engine.fail_flush(FlushFault::Busy);
        opened.timer.advance(HOUR);
        let told = kind(opened.store.create(task("two")).await);
        assert_eq!(told, ErrorKind::Unknown, "it is committed, and overdue");
        add(&opened, "three").await;
        assert_eq!(kept(&engine), ["one", "two", "three"]);
        assert_eq!(engine.seen().reopens, 0);
        opened.stop();
    });
}

#[test]
fn an_uncertain_commit_that_took_answered_writes_with_it_is_not_run_again() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(HOUR)).await;
        add(&opened, "kept").await;
        opened.timer.advance(HOUR);
        add(&opened, "kept too").await;
        engine.fail_commit(CommitFault::UncertainForgot);
        add(&opened, "run again, for nothing is gone with it").await;
        engine.fail_commit(CommitFault::UncertainForgot);
        let told = kind(opened.store.create(task("next")).await);
        assert_eq!(told, ErrorKind::Unknown);
        assert_eq!(kind(opened.store.stats().await), GONE);
        assert_eq!(kept(&engine), ["kept", "kept too"]);
        opened.stop();
    });
}

#[test]
fn a_reservation_that_took_answered_writes_with_it_ends_the_store() {
    block_on(async {
        for fault in [None, Some(FlushFault::Forgot)] {
            let engine = new_engine();
            let opened = open(&engine, lazy(HOUR)).await;
            add(&opened, "answered").await;
            // Another store's promise: this one makes its own anew.
            let mut board = MemoryBoard::clone(&engine.board());
            board.state.boot = Some("another boot".to_owned());
            engine.fall_back(board);
            match fault {
                None => engine.fail_commit(CommitFault::UncertainForgot),
                Some(fault) => engine.fail_flush(fault),
            }
            assert_eq!(kind(opened.store.create(task("next")).await), GONE);
            assert_eq!(kind(opened.store.stats().await), GONE);
            opened.stop();
        }
    });
}

/// What a crash leaves.
async fn after_a_kill(engine: &MemoryEngine, options: Options) -> Opened {
    let left = MemoryEngine::new(engine.durable());
    open(&left, options).await
}

#[test]
fn no_number_that_was_answered_is_given_again_by_any_store_after_a_kill() {
    block_on(async {
        let interval = HOUR;
        for next in [
            Durability::Power,
            Durability::Process,
            Durability::Lazy { interval },
        ] {
            let engine = new_engine();
            engine.forgets();
            let opened = open(&engine, lazy(HOUR)).await;
            let mut answered = add(&opened, "flushed").await;
            opened.timer.advance(HOUR);
            for n in 0..10 {
                answered = add(&opened, &format!("{n}")).await;
            }
            assert_eq!(engine.durable().state.boot, None);
            let again = after_a_kill(&engine, at(next)).await;
            assert_eq!(titles(&again).await, ["flushed", "0"]);
            let given = add(&again, "after").await;
            assert!(given > answered, "found {given}, answered was {answered}");
            again.stop();
            opened.stop();
        }
    });
}

#[test]
fn a_store_whose_writes_outlive_its_process_leaves_the_boot_with_its_reservation() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(HOUR)).await;
        let answered = add(&opened, "one").await;
        assert!(engine.board().state.boot.is_some());
        // Nothing was skipped: a command beside it costs no numbers.
        let beside = open(&engine, at(Durability::Power)).await;
        assert_eq!(add(&beside, "two").await.get(), answered.get() + 1);
        beside.stop();
        opened.stop();
    });
}

#[test]
fn a_store_that_was_closed_leaves_no_gap() {
    block_on(async {
        let engine = new_engine();
        engine.forgets();
        let mut last = 0;
        for _ in 0..3 {
            let opened = open(&engine, lazy(HOUR)).await;
            let given = add(&opened, "one").await.get();
            assert_eq!(given, last + 1);
            last = given;
            opened.store.close().await.expect("closed");
            assert_eq!(engine.board().state.reserved, Counters::default());
            opened.stop();
        }
    });
}

#[test]
fn a_close_takes_no_promise_back_that_another_store_relies_on() {
    block_on(async {
        let engine = new_engine();
        engine.forgets();
        let opened = open(&engine, lazy(HOUR)).await;
        add(&opened, "one").await;
        let other = open(&engine, at(Durability::Process)).await;
        add(&other, "of the other").await;
        let theirs = engine.board().state.reserved;
        add(&opened, "two").await;
        assert_ne!(engine.board().state.reserved, theirs, "it made its own");
        opened.store.close().await.expect("closed");
        let left = engine.board().state.reserved;
        assert!(left.seq >= theirs.seq, "found {left:?}, theirs {theirs:?}");
        opened.stop();
        other.stop();
    });
}
