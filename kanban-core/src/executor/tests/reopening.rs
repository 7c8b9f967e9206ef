//! Files that are opened anew, for a commit or a flush went wrong, at a moment at which something else goes wrong too.

use pollster::block_on;

use crate::error::{Error, ErrorKind};
use crate::memory::{CommitFault, FlushFault};
use crate::options::Options;
use crate::store::BoardStore;

use super::super::harness::{Opened, open, options, task};
use super::lazy::{GONE, HOUR, add, lazy};
use super::{kind, new_engine};

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
