//! The executor's edges, on an engine in memory with faults.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pollster::block_on;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::memory::{CommitFault, MemoryBoard, MemoryEngine};
use crate::model::{Counters, Millis, Seq, Task};
use crate::options::{Admission, Durability, Options};
use crate::request::{Effect, List, UnlinkTasks, Written};
use crate::rules::{Answered, Command, Decided, Draft};
use crate::store::BoardStore;

use super::harness::{Opened, open, options, task};

mod lazy;
mod moving;
mod questions;
mod reopening;

/// Keeps the writer inside a decision until the test lets it go.
struct Hold {
    entered: SyncSender<()>,
    leave: Mutex<Receiver<()>>,
}

impl Command for Hold {
    type Answer = ();

    fn decide(&self, _draft: &mut Draft<'_>) -> Decided<()> {
        let _ = self.entered.send(());
        let _ = self.leave.lock().expect("one decision at a time").recv();
        Ok(Answered {
            value: (),
            repeated: false,
        })
    }
}

struct Panics;

impl Command for Panics {
    type Answer = ();

    #[expect(clippy::panic, reason = "this is the bug that the test puts in")]
    fn decide(&self, _draft: &mut Draft<'_>) -> Decided<()> {
        panic!("a rule of the test panics")
    }
}

type Held<'a> = Pin<Box<dyn Future<Output = Result<Written<()>>> + 'a>>;

/// Holds the writer; answers the call that holds it and the way to let it go.
fn hold(opened: &Opened) -> (Held<'_>, SyncSender<()>) {
    let (entered, has_entered) = sync_channel(1);
    let (let_go, leave) = sync_channel(1);
    let mut call: Held<'_> = Box::pin(opened.store.write(Hold {
        entered,
        leave: Mutex::new(leave),
    }));
    assert!(poll(&mut call).is_pending(), "the writer is held");
    has_entered.recv().expect("the writer enters the decision");
    (call, let_go)
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.expect_err("an error is expected").kind().clone()
}

fn new_engine() -> MemoryEngine {
    MemoryEngine::new(MemoryBoard::new())
}

async fn titles(opened: &Opened) -> Vec<String> {
    let page = opened.store.list(List::default()).await.expect("a list");
    page.value
        .items
        .iter()
        .map(|task| task.title.to_string())
        .collect()
}

#[test]
fn writes_that_wait_together_share_a_commit() {
    block_on(async {
        const WRITERS: u64 = 64;
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        let (held, let_go) = hold(&opened);
        let mut calls: Vec<_> = (0..WRITERS)
            .map(|n| Box::pin(opened.store.create(task(&format!("task {n}")))))
            .collect();
        for call in &mut calls {
            assert!(poll(call).is_pending(), "it waits in the queue");
        }
        let before = engine.seen().commits;
        let_go.send(()).expect("the writer waits");
        held.await.expect("the hold ends");
        let mut seqs = Vec::new();
        for call in calls {
            seqs.push(call.await.expect("created").seq);
        }
        let commits = engine.seen().commits - before;
        println!(
            "writers={WRITERS} answered={} commits={commits}",
            seqs.len()
        );
        assert!(
            commits * 10 <= WRITERS,
            "expected at most {}, found {commits}",
            WRITERS / 10
        );
        assert_eq!(
            seqs,
            (1..=WRITERS).map(Seq::new).collect::<Vec<_>>(),
            "in order of arrival"
        );
        opened.store.close().await.expect("closed");
        opened.stop();
    });
}

#[test]
fn a_group_that_decides_nothing_is_not_committed() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        let made = opened.store.create(task("one")).await.expect("created");
        let commits = engine.seen().commits;
        let unlink = UnlinkTasks {
            parent: made.value.id.clone(),
            child: made.value.id.clone(),
            actor: None,
        };
        let answer = opened.store.unlink(unlink).await.expect("nothing to do");
        assert_eq!((answer.seq, answer.effect), (made.seq, Effect::Unchanged));
        assert_eq!(engine.seen().commits, commits, "no commit for nothing");
        opened.stop();
    });
}

#[test]
fn a_panic_in_a_rule_fails_that_command_alone() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        let (held, let_go) = hold(&opened);
        let mut before = Box::pin(opened.store.create(task("before")));
        let mut panics = Box::pin(opened.store.write(Panics));
        let mut after = Box::pin(opened.store.create(task("after")));
        assert!(poll(&mut before).is_pending());
        assert!(poll(&mut panics).is_pending());
        assert!(poll(&mut after).is_pending());
        let_go.send(()).expect("the writer waits");
        held.await.expect("the hold ends");
        before.await.expect("its neighbour is applied");
        let error = panics.await.expect_err("it panicked");
        assert_eq!(error.kind(), &ErrorKind::Internal);
        assert!(
            error.to_string().contains("a rule of the test panics"),
            "found {error}"
        );
        after.await.expect("its neighbour is applied");
        opened.stop();
    });
}

#[test]
fn an_oversized_command_answers_alone() {
    block_on(async {
        let engine = new_engine();
        engine.fail_apply_if(|change| {
            matches!(change, crate::Change::Task { after: Some(task), .. } if task.title.as_str() == "huge")
        });
        let opened = open(&engine, options()).await;
        let (held, let_go) = hold(&opened);
        let mut calls: Vec<_> = ["small", "huge", "also small"]
            .map(|title| Box::pin(opened.store.create(task(title))))
            .into_iter()
            .collect();
        for call in &mut calls {
            assert!(poll(call).is_pending());
        }
        let_go.send(()).expect("the writer waits");
        held.await.expect("the hold ends");
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.is_ok());
        }
        assert_eq!(answers, [true, false, true]);
        assert_eq!(titles(&opened).await, ["small", "also small"]);
        opened.stop();
    });
}

#[test]
fn an_uncertain_commit_that_landed_is_answered_as_done_once() {
    found_out(CommitFault::UncertainLanded);
}

#[test]
fn an_uncertain_commit_that_was_lost_is_run_again() {
    found_out(CommitFault::UncertainLost);
}

fn found_out(fault: CommitFault) {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        let (held, let_go) = hold(&opened);
        let mut one = Box::pin(opened.store.create(task("one")));
        let mut two = Box::pin(opened.store.create(task("two")));
        assert!(poll(&mut one).is_pending() && poll(&mut two).is_pending());
        engine.fail_commit(fault);
        let_go.send(()).expect("the writer waits");
        held.await.expect("the hold ends");
        one.await.expect("its fate is known");
        two.await.expect("its fate is known");
        assert_eq!(engine.seen().reopens, 1, "found out by a reopen");
        // What made the commit uncertain may have been its flush.
        let flushes = u64::from(fault == CommitFault::UncertainLanded);
        assert_eq!(engine.seen().flushes, flushes, "flushed before the answer");
        assert_eq!(titles(&opened).await, ["one", "two"], "each once");
        opened.stop();
    });
}

#[test]
fn a_commit_that_is_lost_after_one_that_landed_uncertainly_is_run_again() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        opened.store.create(task("one")).await.expect("created");
        engine.fail_commit(CommitFault::UncertainLanded);
        opened.store.create(task("two")).await.expect("it landed");
        engine.fail_commit(CommitFault::UncertainLost);
        let three = opened.store.create(task("three")).await;
        three.expect("nothing that was answered is gone");
        assert_eq!(titles(&opened).await, ["one", "two", "three"], "each once");
        opened.stop();
    });
}

#[test]
fn a_commit_that_cannot_be_found_out_is_unknown_and_closes_the_store() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        engine.fail_commit(CommitFault::UncertainLost);
        engine.fail_reopen();
        assert_eq!(
            kind(opened.store.create(task("one")).await),
            ErrorKind::Unknown
        );
        let next = kind(opened.store.create(task("two")).await);
        assert!(matches!(next, ErrorKind::Unavailable(_)), "found {next:?}");
        let read = kind(opened.store.stats().await);
        assert!(matches!(read, ErrorKind::Unavailable(_)), "found {read:?}");
        opened.store.close().await.expect("closed");
        assert_eq!(engine.seen().closes, 1);
        opened.stop();
    });
}

#[test]
fn answered_writes_that_are_gone_close_the_store() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        opened
            .store
            .create(task("answered"))
            .await
            .expect("created");
        // What a removed log does: the files fall back to what they were before.
        engine.fall_back(MemoryBoard::new());
        engine.fail_commit(CommitFault::UncertainLost);
        let fate = kind(opened.store.create(task("next")).await);
        assert_eq!(fate, ErrorKind::Unknown);
        let after = kind(opened.store.stats().await);
        assert_eq!(after, ErrorKind::Unavailable(crate::Unavailable::Replaced));
        opened.stop();
    });
}

#[test]
fn a_full_queue_refuses_at_once_or_lets_wait() {
    block_on(async {
        let engine = new_engine();
        let opened = open(
            &engine,
            Options {
                queue_len_max: 1,
                ..options()
            },
        )
        .await;
        let (held, let_go) = hold(&opened);
        let mut first = Box::pin(opened.store.create(task("first")));
        assert!(poll(&mut first).is_pending(), "it has the only place");
        assert_eq!(
            kind(opened.store.create(task("refused")).await),
            ErrorKind::Overloaded
        );
        let brief = opened
            .store
            .with_admission(Admission::Wait(Duration::from_millis(1)));
        assert_eq!(
            kind(brief.create(task("too late")).await),
            ErrorKind::Overloaded
        );
        let patient = opened
            .store
            .with_admission(Admission::Wait(Duration::from_hours(1)));
        let mut waits = pin!(patient.create(task("waits")));
        assert!(poll(&mut waits).is_pending(), "it waits for a place");
        let_go.send(()).expect("the writer waits");
        held.await.expect("the hold ends");
        first.await.expect("created");
        waits.await.expect("it got a place");
        assert_eq!(titles(&opened).await, ["first", "waits"]);
        opened.stop();
    });
}

#[test]
fn a_zero_among_the_options_counts_as_one() {
    block_on(async {
        let engine = new_engine();
        let zeros = Options {
            queue_len_max: 0,
            group_len_max: 0,
            reader_threads: 0,
            poll_interval: Duration::ZERO,
            ..options()
        };
        let opened = open(&engine, zeros).await;
        opened.store.create(task("taken")).await.expect("created");
        assert_eq!(titles(&opened).await, ["taken"]);
        opened.stop();
    });
}

#[test]
fn close_answers_what_it_took_and_refuses_the_rest() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        let (held, let_go) = hold(&opened);
        let mut taken = Box::pin(opened.store.create(task("taken")));
        assert!(poll(&mut taken).is_pending());
        let mut close = Box::pin(opened.store.close());
        assert!(poll(&mut close).is_pending(), "it waits for the writer");
        assert_eq!(
            kind(opened.store.create(task("late")).await),
            ErrorKind::Closed
        );
        assert_eq!(kind(opened.store.stats().await), ErrorKind::Closed);
        let_go.send(()).expect("the writer waits");
        held.await.expect("the hold ends");
        taken.await.expect("it was taken before the close");
        close.await.expect("closed");
        opened
            .store
            .close()
            .await
            .expect("a second close is the same end");
        let seen = engine.seen();
        assert_eq!(
            (seen.releases, seen.closes),
            (1, 1),
            "each thread gave up what it held"
        );
        opened.stop();
    });
}

#[test]
fn a_dropped_future_is_carried_out_all_the_same() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        let (held, let_go) = hold(&opened);
        let mut dropped = Box::pin(opened.store.create(task("dropped")));
        assert!(poll(&mut dropped).is_pending());
        drop(dropped);
        let_go.send(()).expect("the writer waits");
        held.await.expect("the hold ends");
        opened.store.close().await.expect("closed");
        let titles: Vec<_> = engine
            .board()
            .tasks
            .values()
            .map(|t: &Task| t.title.to_string())
            .collect();
        assert_eq!(titles, ["dropped"]);
        opened.stop();
    });
}

#[test]
fn dropping_the_last_handle_closes_without_waiting() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        let made = opened.store.create(task("one")).await;
        let other = opened.store.with_admission(Admission::Refuse);
        let Opened { store, pool, timer } = opened;
        drop(store);
        other
            .create(task("two"))
            .await
            .expect("another handle keeps it open");
        let watch = other.watch(crate::EventId::default(), crate::EventFilter::default());
        drop(other);
        let mut watch = watch;
        while let Ok(_event) = watch.next().await {}
        drop(watch);
        made.expect("created");
        // The writer's thread has the pool until it has closed the engine.
        while std::sync::Arc::strong_count(&pool) > 1 {
            std::thread::yield_now();
        }
        pool.stop();
        timer.stop();
        assert_eq!(engine.seen().closes, 1);
    });
}

#[test]
fn below_power_numbers_are_reserved_before_they_are_answered() {
    block_on(async {
        let engine = new_engine();
        let weak = Options {
            durability: Durability::Process,
            ..options()
        };
        let opened = open(&engine, weak.clone()).await;
        opened.store.create(task("one")).await.expect("created");
        let board = engine.board();
        assert_eq!(
            engine.seen().flushes,
            1,
            "the reservation is durable before the answer"
        );
        assert!(board.state.reserved.event > board.state.counters.event);
        assert!(board.state.reserved.seq > board.state.counters.seq);
        opened.store.create(task("two")).await.expect("created");
        assert_eq!(
            engine.seen().flushes,
            1,
            "within the reservation nothing is flushed"
        );
        opened.store.close().await.expect("closed");
        opened.stop();

        let reserved = engine.board().state.reserved;
        let mut lost = MemoryBoard::clone(&engine.board());
        lost.state.counters = Counters::default();
        lost.state.boot = Some("an earlier boot".to_owned());
        lost.tasks.clear();
        let engine = MemoryEngine::new(lost);
        let opened = open(&engine, weak).await;
        let made = opened
            .store
            .create(task("after the power cut"))
            .await
            .expect("created");
        assert!(
            made.seq > reserved.seq,
            "expected above {reserved:?}, found {:?}",
            made.seq
        );
        opened.stop();
    });
}

#[test]
fn a_promise_of_another_store_is_not_trusted() {
    block_on(async {
        let engine = new_engine();
        let weak = Options {
            durability: Durability::Process,
            ..options()
        };
        let one = open(&engine, weak.clone()).await;
        one.store.create(task("one")).await.expect("created");
        let two = open(&engine, weak).await;
        two.store.create(task("two")).await.expect("created");
        assert_eq!(
            engine.seen().flushes,
            2,
            "each store flushes before its first answer"
        );
        one.store.close().await.expect("closed");
        two.store.close().await.expect("closed");
        one.stop();
        two.stop();
    });
}

#[test]
fn a_dropped_waiter_leaves_no_waker() {
    let signal = super::Signal::default();
    for _ in 0..100 {
        let mut waiting = Box::pin(signal.changed(0));
        assert!(poll(&mut waiting).is_pending());
    }
    assert_eq!(signal.waiting(), 0);
}

#[test]
fn a_close_does_not_wait_for_another_boards_readers() {
    block_on(async {
        let busy = open(&new_engine(), options()).await;
        let (entered, has_entered) = sync_channel(1);
        let (let_go, leave) = sync_channel::<()>(1);
        let job = Box::new(move || {
            let _ = entered.send(());
            let _ = leave.recv();
        });
        busy.pool.submit(job).expect("there is room");
        has_entered.recv().expect("the only reader is busy");
        for _ in 0..10 {
            busy.pool.submit(Box::new(|| {})).expect("there is room");
        }
        let (order, seen) = sync_channel(32);
        let mailed = order.clone();
        busy.pool
            .submit(Box::new(move || {
                order.send("queued").expect("the test listens");
            }))
            .expect("there is room");
        let pool = busy.pool.clone();
        let everywhere = std::thread::Builder::new().spawn(move || {
            let job: std::sync::Arc<dyn Fn() + Send + Sync> =
                std::sync::Arc::new(move || mailed.send("mailed").expect("the test listens"));
            pool.everywhere(&job);
        });
        while busy.pool.mailed() == 0 {
            std::thread::yield_now();
        }
        let_go.send(()).expect("the reader waits");
        everywhere.expect("a thread").join().expect("it ends");
        assert_eq!(seen.recv(), Ok("mailed"), "what is mailed goes first");
        busy.store.close().await.expect("closed");
        busy.stop();
    });
}

#[test]
fn at_power_nothing_is_reserved() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        opened.store.create(task("one")).await.expect("created");
        assert_eq!(engine.board().state.reserved, Counters::default());
        assert_eq!(engine.seen().flushes, 0);
        opened.stop();
    });
}

/// A clock that panics when it is told to: stands for a bug of ours in the writer.
#[derive(Debug, Default)]
struct BadClock(std::sync::atomic::AtomicBool);

impl Clock for BadClock {
    fn now(&self) -> Millis {
        assert!(
            !self.0.load(std::sync::atomic::Ordering::SeqCst),
            "the clock broke"
        );
        Millis::new(1)
    }
}

#[test]
fn a_panic_in_the_writer_answers_everybody_and_closes() {
    block_on(async {
        let engine = new_engine();
        let clock = std::sync::Arc::new(BadClock::default());
        let opened = open(
            &engine,
            Options {
                clock: clock.clone(),
                ..options()
            },
        )
        .await;
        let (held, let_go) = hold(&opened);
        let mut one = Box::pin(opened.store.create(task("one")));
        let mut two = Box::pin(opened.store.create(task("two")));
        assert!(poll(&mut one).is_pending() && poll(&mut two).is_pending());
        clock.0.store(true, std::sync::atomic::Ordering::SeqCst);
        let_go.send(()).expect("the writer waits");
        held.await.expect("the hold ends");
        assert_eq!(kind(one.await), ErrorKind::Unknown);
        assert_eq!(kind(two.await), ErrorKind::Unknown);
        assert_eq!(
            kind(opened.store.create(task("three")).await),
            ErrorKind::Internal
        );
        let told = opened.store.close().await.expect_err("it may be that");
        assert_eq!(told.kind(), &ErrorKind::Internal, "not all is durable");
        assert_eq!(engine.seen().closes, 1);
        opened.stop();
    });
}

#[test]
fn an_error_can_be_given_to_every_member_of_a_group() {
    let error = Error::new(ErrorKind::Busy, "waiting").with_source("why");
    assert_eq!(error.again().to_string(), "the board is busy: waiting: why");
}
