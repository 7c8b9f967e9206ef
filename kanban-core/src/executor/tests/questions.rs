//! Questions that wait while the only thread of the pool is busy, and are then taken together.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use pollster::block_on;

use crate::error::{Error, ErrorKind, Result, Subject};
use crate::memory::{MemoryBoard, MemoryEngine, task_id};
use crate::request::{CollectEvents, Covered, Read};
use crate::rules::Question;
use crate::store::BoardStore;
use crate::view::View;

use super::super::harness::{Opened, open, options};
use super::super::reply::Answer;
use super::poll;

/// Keeps the thread that asks it until the test lets it go.
struct Busy {
    entered: SyncSender<()>,
    leave: Mutex<Receiver<()>>,
}

impl Question for Busy {
    type Answer = ();

    fn ask(&self, _view: &dyn View) -> Result<()> {
        let _ = self.entered.send(());
        let _ = self.leave.lock().expect("one at a time").recv();
        Ok(())
    }
}

/// What it meets, by how often it was asked before.
struct Met(Arc<AtomicUsize>, fn(usize) -> Result<()>);

impl Question for Met {
    type Answer = ();

    fn ask(&self, _view: &dyn View) -> Result<()> {
        let (Self(asked, meet), before) = (self, self.0.load(Ordering::SeqCst));
        asked.store(before + 1, Ordering::SeqCst);
        meet(before)
    }
}

type Asked = Answer<Read<()>>;

/// A store whose only reader is busy; what holds it, and the way to let it go.
async fn with_busy_reader(engine: &MemoryEngine) -> (Opened, Asked, SyncSender<()>) {
    let opened = open(engine, options()).await;
    let (entered, has_entered) = sync_channel(1);
    let (let_go, leave) = sync_channel(1);
    let leave = Mutex::new(leave);
    let busy = opened.store.shared().ask(Busy { entered, leave });
    has_entered.recv().expect("the only reader is busy");
    (opened, busy.expect("there is room"), let_go)
}

fn ask(opened: &Opened, meet: fn(usize) -> Result<()>) -> (Asked, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let question = Met(Arc::clone(&asked), meet);
    let answer = opened.store.shared().ask(question);
    (answer.expect("there is room"), asked)
}

#[test]
fn questions_that_wait_together_share_a_snapshot() {
    block_on(async {
        let engine = MemoryEngine::new(MemoryBoard::new());
        let (opened, busy, let_go) = with_busy_reader(&engine).await;
        let before = engine.seen().reads;
        let waiting: Vec<_> = (0..20).map(|_| ask(&opened, |_| Ok(())).0).collect();
        let_go.send(()).expect("the reader waits");
        busy.await.expect("it is let go");
        for answer in waiting {
            answer.await.expect("an answer");
        }
        assert_eq!(engine.seen().reads - before, 2, "16 and 4 questions");
        opened.store.close().await.expect("closed");
        opened.stop();
    });
}

/// It reads all that there is to collect, and answers are given once the last one on their snapshot has read.
#[test]
fn a_count_of_what_can_be_collected_keeps_no_question_waiting_for_its_snapshot() {
    block_on(async {
        let engine = MemoryEngine::new(MemoryBoard::new());
        let (opened, busy, let_go) = with_busy_reader(&engine).await;
        let before = engine.seen().reads;
        let (one, _) = ask(&opened, |_| Ok(()));
        let collect = CollectEvents {
            older_than: Duration::ZERO,
            covered: Covered::Keep,
            limit: 1,
        };
        let mut count = Box::pin(opened.store.collectable_events(collect));
        assert!(poll(&mut count).is_pending(), "the reader is busy");
        let (two, _) = ask(&opened, |_| Ok(()));
        let_go.send(()).expect("the reader waits");
        busy.await.expect("it is let go");
        one.await.expect("an answer");
        two.await.expect("an answer");
        assert_eq!(count.await.expect("an answer").value, 0);
        assert_eq!(engine.seen().reads - before, 2, "both, and the count");
        opened.store.close().await.expect("closed");
        opened.stop();
    });
}

#[test]
fn a_question_that_the_storage_fails_in_company_is_asked_once_more_alone() {
    block_on(async {
        let engine = MemoryEngine::new(MemoryBoard::new());
        let (opened, busy, let_go) = with_busy_reader(&engine).await;
        let late = |before| match before {
            0 => Err(Error::new(
                ErrorKind::Busy,
                "the snapshot was held too long",
            )),
            _ => Ok(()),
        };
        let (mended, tried) = ask(&opened, late);
        let (beside, once) = ask(&opened, |_| Ok(()));
        let hopeless = |_| Err(Error::corrupt("a page"));
        let (damaged, twice) = ask(&opened, hopeless);
        let_go.send(()).expect("the reader waits");
        busy.await.expect("it is let go");
        mended.await.expect("alone it is in time");
        beside.await.expect("it has met nothing");
        let told = damaged.await.expect_err("damage stays");
        assert_eq!(told.kind(), &ErrorKind::Corrupt);
        let asked = [tried, once, twice].map(|asked| asked.load(Ordering::SeqCst));
        assert_eq!(asked, [2, 1, 2]);
        opened.store.close().await.expect("closed");
        opened.stop();
    });
}

/// What the storage fails at first; then it keeps the thread until the test lets it go.
struct Late {
    is_again: AtomicBool,
    then: Busy,
}

impl Question for Late {
    type Answer = ();

    fn ask(&self, view: &dyn View) -> Result<()> {
        match self.is_again.swap(true, Ordering::SeqCst) {
            true => self.then.ask(view),
            false => Err(Error::new(
                ErrorKind::Busy,
                "the snapshot was held too long",
            )),
        }
    }
}

#[test]
fn an_answer_that_is_decided_does_not_wait_for_the_second_try_of_one_before_it() {
    block_on(async {
        let engine = MemoryEngine::new(MemoryBoard::new());
        let (opened, busy, let_go) = with_busy_reader(&engine).await;
        let (entered, has_entered) = sync_channel(1);
        let (let_late_go, leave) = sync_channel(1);
        let leave = Mutex::new(leave);
        let then = Busy { entered, leave };
        let late = opened.store.shared().ask(Late {
            is_again: AtomicBool::new(false),
            then,
        });
        let (mut beside, asked) = ask(&opened, |_| Ok(()));
        let_go.send(()).expect("the reader waits");
        busy.await.expect("it is let go");
        has_entered.recv().expect("the second try has begun");
        let told = poll(&mut beside);
        assert!(matches!(told, Poll::Ready(Ok(_))), "found {told:?}");
        let_late_go.send(()).expect("it waits");
        late.expect("there is room").await.expect("it is let go");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        opened.store.close().await.expect("closed");
        opened.stop();
    });
}

/// A waker is its caller's: a runtime that has ended may panic in it.
struct Broken;

impl std::task::Wake for Broken {
    #[expect(clippy::panic, reason = "this is the bug that the test puts in")]
    fn wake(self: Arc<Self>) {
        panic!("a waker of the test panics")
    }
}

#[test]
fn a_waker_that_panics_stops_no_other_answer_and_no_close() {
    block_on(async {
        let engine = MemoryEngine::new(MemoryBoard::new());
        let (opened, busy, let_go) = with_busy_reader(&engine).await;
        let (mut broken, _) = ask(&opened, |_| Ok(()));
        let (beside, _) = ask(&opened, |_| Ok(()));
        let waker = std::task::Waker::from(Arc::new(Broken));
        let mut context = std::task::Context::from_waker(&waker);
        let polled = std::pin::Pin::new(&mut broken).poll(&mut context);
        assert!(polled.is_pending(), "the reader is busy");
        let_go.send(()).expect("the reader waits");
        busy.await.expect("it is let go");
        beside.await.expect("it has met nothing");
        let (later, _) = ask(&opened, |_| Ok(()));
        later.await.expect("the thread is still there");
        opened.store.close().await.expect("closed");
        opened.stop();
    });
}

#[test]
fn a_question_that_panics_or_finds_nothing_is_answered_alone_and_at_once() {
    fn panics(_: usize) -> Result<()> {
        panic!("a question of the test panics")
    }
    block_on(async {
        let engine = MemoryEngine::new(MemoryBoard::new());
        let (opened, busy, let_go) = with_busy_reader(&engine).await;
        let (panicked, tried) = ask(&opened, panics);
        let (missing, sought) = ask(&opened, |_| {
            Err(Error::not_found(Subject::Task(task_id("gone"))))
        });
        let (beside, _) = ask(&opened, |_| Ok(()));
        let_go.send(()).expect("the reader waits");
        busy.await.expect("it is let go");
        let told = panicked.await.expect_err("it panicked");
        assert_eq!(told.kind(), &ErrorKind::Internal);
        let told = missing.await.expect_err("there is no such task");
        assert!(matches!(told.kind(), ErrorKind::NotFound(_)), "{told:?}");
        beside.await.expect("it has met nothing");
        let asked = [tried, sought].map(|asked| asked.load(Ordering::SeqCst));
        assert_eq!(asked, [1, 1]);
        opened.store.close().await.expect("closed");
        opened.stop();
    });
}
