//! Exports, backups and imports: what they hold, and who waits for them.

use std::future::Future;
use std::io::{self, Cursor, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use pollster::block_on;

use crate::change::Change;
use crate::error::ErrorKind;
use crate::memory::{CommitFault, MemoryEngine, label};
use crate::model::Counters;
use crate::options::{Durability, Options};
use crate::request::{
    Authority, ClaimNext, EventFilter, Fail, FailKind, ImportLines, KeepClaims, NextClaim,
};
use crate::store::BoardStore;
use crate::{EventId, Seq};

use super::super::harness::{Opened, open, options, task};
use super::reopening::{SetClock, with};
use super::{hold, kind, new_engine, poll, titles};

/// An output that takes nothing before it may.
struct Stalled {
    reached: SyncSender<()>,
    leave: Receiver<()>,
}

impl Write for Stalled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Both fail once the test has dropped its ends: then it takes everything.
        let _ = self.reached.send(());
        let _ = self.leave.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Answers what a long read waits for once it has its snapshot, and what tells that it has.
fn hold_long_reads(engine: &MemoryEngine) -> (Receiver<()>, SyncSender<()>) {
    let (entered, has_entered) = sync_channel(1);
    let (let_go, leave) = sync_channel(1);
    let leave = Mutex::new(leave);
    engine.on_long_read(move || {
        let _ = entered.send(());
        let _ = leave.lock().expect("one long read at a time").recv();
    });
    (has_entered, let_go)
}

fn no_lines() -> ImportLines {
    import(Vec::new())
}

fn import(lines: Vec<u8>) -> ImportLines {
    ImportLines {
        source: Box::new(Cursor::new(lines)),
        claims: KeepClaims::No,
        actor: label("olga"),
    }
}

#[test]
fn an_export_ends_when_the_store_closes() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        opened.store.create(task("one")).await.expect("created");
        let (has_entered, let_go) = hold_long_reads(&engine);
        let mut export = Box::pin(opened.store.export(Box::new(io::sink())));
        assert!(poll(&mut export).is_pending());
        has_entered.recv().expect("the export has its snapshot");
        let mut close = Box::pin(opened.store.close());
        assert!(poll(&mut close).is_pending(), "it waits for the reader");
        let_go.send(()).expect("the export waits");
        assert_eq!(kind(export.await), ErrorKind::Closed);
        close.await.expect("closed");
        opened.stop();
    });
}

#[test]
fn a_stalled_output_keeps_no_reopen_and_no_write_waiting() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        opened.store.create(task("one")).await.expect("created");
        let (reached, has_reached) = sync_channel(1);
        let (let_go, leave) = sync_channel(1);
        let to = Box::new(Stalled { reached, leave });
        let mut export = Box::pin(opened.store.export(to));
        assert!(poll(&mut export).is_pending());
        has_reached.recv().expect("the output is written to");
        engine.fail_commit(CommitFault::UncertainLanded);
        opened.store.create(task("two")).await.expect("created");
        assert_eq!(engine.seen().reopens, 1);
        assert_eq!(titles(&opened).await, ["one", "two"]);
        drop((let_go, has_reached));
        export.await.expect("the board before that is written out");
        opened.stop();
    });
}

#[test]
fn in_a_forked_child_every_call_is_closed() {
    block_on(async {
        let engine = new_engine();
        let opened = open(&engine, options()).await;
        let store = &opened.store;
        store.shared().pretend_to_be_forked();
        assert_eq!(kind(store.create(task("one")).await), ErrorKind::Closed);
        assert_eq!(kind(store.stats().await), ErrorKind::Closed);
        assert_eq!(kind(store.verify().await), ErrorKind::Closed);
        assert_eq!(kind(store.reached(Seq::new(1)).await), ErrorKind::Closed);
        let mut watch = store.watch(EventId::new(0), EventFilter::default());
        assert_eq!(kind(watch.next().await), ErrorKind::Closed);
        let to = Box::new(io::sink());
        assert_eq!(kind(store.export(to).await), ErrorKind::Closed);
        let file = std::path::PathBuf::from("nowhere");
        assert_eq!(kind(store.backup(file).await), ErrorKind::Closed);
        assert_eq!(
            kind(store.import_lines(no_lines()).await),
            ErrorKind::Closed
        );
        assert_eq!(kind(store.close().await), ErrorKind::Closed);
        assert_eq!(engine.seen().commits, 0);
        opened.stop();
    });
}

#[test]
fn upkeep_that_is_held_up_is_tried_again_though_nothing_is_written() {
    block_on(async {
        let engine = new_engine();
        engine.hold_upkeep_up(2);
        let opened = open(&engine, options()).await;
        while engine.seen().upkeeps < 3 {
            std::thread::yield_now();
        }
        opened.store.close().await.expect("closed");
        assert_eq!(engine.seen().upkeeps, 3, "and then no more");
        opened.stop();
    });
}

/// An output that a test reads.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().expect("nobody panics with it");
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The whole board as lines.
async fn export(opened: &Opened) -> Vec<u8> {
    let written = Written::default();
    let to = Box::new(written.clone());
    opened.store.export(to).await.expect("exported");
    let mut all = written.0.lock().expect("it is whole");
    std::mem::take(&mut all)
}

#[test]
fn an_import_that_fails_after_its_numbers_were_promised_leaves_an_unwritten_board() {
    block_on(async {
        let from = open(&new_engine(), options()).await;
        from.store.create(task("one")).await.expect("created");
        let written = export(&from).await;
        from.stop();
        let import = || import(written.clone());

        let engine = new_engine();
        let unwritten = engine.board().state.clone();
        // The second run of the import, which begins once its numbers are promised.
        engine.fail_apply_if(|change| match change {
            Change::Board { before, after } => {
                before.reserved != Counters::default() && before.counters != after.counters
            }
            _ => false,
        });
        let weak = Options {
            durability: Durability::Process,
            ..options()
        };
        let opened = open(&engine, weak.clone()).await;
        let failed = kind(opened.store.import_lines(import()).await);
        assert!(matches!(failed, ErrorKind::Unavailable(_)), "{failed:?}");
        opened.store.close().await.expect("closed");
        opened.stop();
        assert_eq!(engine.seen().flushes, 1, "they were promised");
        assert_eq!(engine.board().state, unwritten);

        engine.fail_apply_if(|_| false);
        let opened = open(&engine, weak).await;
        opened.store.import_lines(import()).await.expect("imported");
        assert!(engine.board().state.reserved.seq > engine.board().state.counters.seq);
        opened.stop();
    });
}

/// Tells a test that it was woken.
struct Told(SyncSender<()>);

impl Wake for Told {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

/// Claims the one task.
async fn claim(opened: &Opened) -> NextClaim {
    let claimed = opened.store.claim_next(ClaimNext::new(label("bob"))).await;
    claimed.expect("it asks").value
}

#[test]
fn a_command_behind_an_import_in_one_group_finds_no_back_off_that_is_over() {
    block_on(async {
        let clock = Arc::<SetClock>::default();
        let from = open(&new_engine(), with(&clock, options())).await;
        from.store.create(task("one")).await.expect("created");
        let NextClaim::Claimed(claimed) = claim(&from).await else {
            panic!("there is a task");
        };
        let worker = Authority::worker(claimed.run.id);
        let failed = Fail::new(claimed.task.id, worker, FailKind::Crashed);
        from.store.fail(failed).await.expect("it has failed");
        let lines = export(&from).await;
        from.stop();
        clock.jump(Duration::from_hours(1));

        let engine = new_engine();
        let opened = open(&engine, with(&clock, options())).await;
        let (held, let_go) = hold(&opened);
        let (told, is_told) = sync_channel(1);
        let waker = Waker::from(Arc::new(Told(told)));
        let mut import = Box::pin(opened.store.import_lines(import(lines)));
        let taken_in = import.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(taken_in.is_pending(), "a thread takes the lines in");
        is_told.recv().expect("it has them");
        assert!(poll(&mut import).is_pending(), "it waits in the queue");
        let mut next = Box::pin(claim(&opened));
        assert!(poll(&mut next).is_pending(), "and so does the claim");
        let_go.send(()).expect("the writer waits");
        held.await.expect("the hold ends");
        import.await.expect("imported");
        let next = next.await;
        assert_eq!(engine.seen().commits, 1, "they were one group");
        assert!(matches!(next, NextClaim::Claimed(_)), "found {next:?}");
        opened.stop();
    });
}
