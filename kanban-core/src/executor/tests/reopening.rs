//! Files that are opened anew, for a commit or a flush went wrong, at a moment at which something else goes wrong too.

use pollster::block_on;

use crate::error::{Error, ErrorKind};
use crate::memory::{CommitFault, FlushFault};
use crate::options::Options;
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
