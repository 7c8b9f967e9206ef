//! Files that are opened anew, for a commit or a flush went wrong, at a moment at which something else goes wrong too.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use pollster::block_on;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::memory::{CommitFault, FlushFault, MemoryBoard, task_id};
use crate::model::Millis;
use crate::options::Options;
use crate::request::UnlinkTasks;
use crate::store::BoardStore;

use super::super::harness::{Opened, open, options, task};
use super::lazy::{GONE, HOUR, add, kept, lazy};
use super::{kind, new_engine, titles};

/// What is in the files is not known, and nobody asks again: whoever comes back later, as `Busy` says, would come for ever.
async fn has_ended(opened: Opened) {
    assert_eq!(kind(opened.store.create(task("after")).await), GONE);
    assert_eq!(kind(opened.store.stats().await), GONE);
    opened.stop();
}

#[test]
fn a_reopen_beside_a_lazy_flush_that_others_hold_up_is_not_taken_for_a_flush_that_they_do() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(HOUR)).await;
        add(&opened, "answered, and gone").await;
        engine.fail_flush(FlushFault::Forgot);
        engine.fail_reopen_with(Error::new(ErrorKind::Busy, "held"));
        opened.timer.advance(HOUR);
        let told = kind(opened.store.create(task("next")).await);
        assert_eq!(told, ErrorKind::Unknown);
        assert_eq!(engine.seen().flushes, 2, "the reservation, and that one");
        assert_eq!(kind(opened.store.close().await), GONE);
        has_ended(opened).await;
    });
}

#[test]
fn a_store_that_ends_because_others_hold_its_files_does_not_say_busy() {
    block_on(async {
        for options in [options(), lazy(HOUR)] {
            let engine = new_engine();
            let opened = open(&engine, Options { ..options }).await;
            add(&opened, "one").await;
            engine.fail_commit(CommitFault::UncertainLost);
            engine.fail_reopen_with(Error::new(ErrorKind::Busy, "held"));
            let told = kind(opened.store.create(task("next")).await);
            assert_eq!(told, ErrorKind::Unknown);
            has_ended(opened).await;
        }
    });
}

/// A write's numbers are promised in a transaction of its own before it.
#[test]
fn a_store_that_ends_amid_a_promise_of_numbers_does_not_say_busy() {
    block_on(async {
        let engine = new_engine();
        let weak = lazy(HOUR);
        let opened = open(&engine, weak).await;
        engine.fail_commit(CommitFault::UncertainLost);
        engine.fail_reopen_with(Error::new(ErrorKind::Busy, "held"));
        assert_eq!(kind(opened.store.create(task("first")).await), GONE);
        has_ended(opened).await;
    });
}

/// The close flushes what waits.
#[test]
fn a_store_that_ends_in_its_close_does_not_say_busy() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(HOUR)).await;
        add(&opened, "answered, and gone").await;
        engine.fail_flush(FlushFault::Forgot);
        engine.fail_reopen_with(Error::new(ErrorKind::Busy, "held"));
        assert_eq!(kind(opened.store.close().await), GONE);
        assert_eq!(kind(opened.store.close().await), GONE, "told again");
        opened.stop();
    });
}

#[test]
fn a_lazy_flush_after_an_uncertain_commit_that_others_hold_up_is_made_later() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, lazy(HOUR)).await;
        add(&opened, "one").await;
        engine.fail_commit(CommitFault::UncertainLanded);
        engine.fail_flush(FlushFault::Busy);
        let told = kind(opened.store.create(task("two")).await);
        assert_eq!(told, ErrorKind::Unknown, "it is committed, and not flushed");
        assert_eq!(kept(&engine), [""; 0]);
        opened.timer.advance(HOUR);
        add(&opened, "three").await;
        assert_eq!(kept(&engine), ["one", "two", "three"], "before the answer");
        assert_eq!(titles(&opened).await, ["one", "two", "three"], "each once");
        assert_eq!(engine.seen().reopens, 1);
        opened.store.close().await.expect("closed");
        opened.stop();
    });
}

/// A clock that somebody sets.
#[derive(Debug, Default)]
pub(super) struct SetClock(AtomicI64);

impl SetClock {
    pub(super) fn jump(&self, span: Duration) {
        let span = i64::try_from(span.as_millis()).expect("a test's span");
        self.0.fetch_add(span, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Millis {
        Millis::new(self.0.load(Ordering::SeqCst))
    }
}

/// With a clock that somebody sets.
pub(super) fn with(clock: &Arc<SetClock>, options: Options) -> Options {
    let clock = Arc::<SetClock>::clone(clock);
    Options { clock, ..options }
}

const MORE_THAN_A_DAY: Duration = Duration::from_hours(25);

/// After a day others remove the mark by which a store finds its writes. What waits for its flush is no day old, whatever
/// the clock says.
#[test]
fn a_clock_that_jumps_by_a_day_does_not_hide_that_answered_writes_are_gone() {
    block_on(async {
        let clock = Arc::<SetClock>::default();
        let engine = new_engine();
        let opened = open(&engine, with(&clock, lazy(HOUR))).await;
        add(&opened, "answered, and gone with the flush").await;
        clock.jump(MORE_THAN_A_DAY);
        engine.fail_flush(FlushFault::Forgot);
        opened.timer.advance(HOUR);
        // It writes nothing: no newer mark comes before the flush.
        let nothing = UnlinkTasks {
            parent: task_id("gone"),
            child: task_id("gone"),
            actor: None,
        };
        let told = kind(opened.store.unlink(nothing).await);
        assert!(matches!(told, ErrorKind::NotFound(_)), "found {told:?}");
        assert_eq!(kind(opened.store.close().await), GONE);
        has_ended(opened).await;

        let engine = new_engine();
        let opened = open(&engine, with(&clock, lazy(HOUR))).await;
        add(&opened, "answered, and gone with the next commit").await;
        clock.jump(MORE_THAN_A_DAY);
        engine.fail_commit(CommitFault::UncertainForgot);
        let told = kind(opened.store.create(task("next")).await);
        assert_eq!(told, ErrorKind::Unknown);
        assert_eq!(kind(opened.store.close().await), GONE);
        has_ended(opened).await;
    });
}

#[test]
fn a_store_whose_mark_others_removed_after_a_day_has_lost_nothing() {
    block_on(async {
        for options in [options(), lazy(HOUR)] {
            let clock = Arc::<SetClock>::default();
            let engine = new_engine();
            let opened = open(&engine, with(&clock, options)).await;
            add(&opened, "one").await;
            opened.timer.advance(HOUR);
            add(&opened, "two").await;
            clock.jump(MORE_THAN_A_DAY);
            let mut board = MemoryBoard::clone(&engine.board());
            board.groups.clear();
            engine.fall_back(board);
            engine.fail_commit(CommitFault::UncertainLost);
            add(&opened, "three").await;
            assert_eq!(engine.seen().reopens, 1);
            assert_eq!(titles(&opened).await, ["one", "two", "three"]);
            opened.store.close().await.expect("closed");
            opened.stop();
        }
    });
}
