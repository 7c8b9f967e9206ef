//! What the callers, the writer and the reader threads of one open board share: its reads and its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::options::{Durability, Options};
use crate::request::{Events, Read};
use crate::rules::Question;
use crate::sync::{Arc, Condvar, JoinHandle, Mutex, RwLock, join, lock, wait};
use crate::watch::{Source, SourceFuture};

use super::job::panicked;
use super::permits::Permits;
use super::pool::Pool;
use super::questions::Questions;
use super::queue::Queue;
use super::reply::{Answer, reply};
use super::signal::Signal;
use super::timer::{Timer, first_of};

/// What the callers, the writer and the reader threads of one open board share.
#[derive(Debug)]
pub(crate) struct Shared<E: Engine> {
    pub(super) engine: E,
    pub(super) queue: Queue,
    /// The writer waits for the gate: long reads give up.
    pub(super) is_reopening: AtomicBool,
    /// Readers hold it shared inside the engine; the writer alone while it opens the engine anew.
    pub(super) gate: RwLock<()>,
    /// Where the board's files are; exports and imports on their way wait there too.
    pub(super) directory: PathBuf,
    pub(super) permits: Permits,
    /// Tells of every group that was answered, and of the close.
    pub(super) changed: Signal,
    pub(super) options: Options,
    /// What committed writes outlive: this boot of the machine, where the system tells it. None where a killed process is
    /// enough to forget them.
    pub(super) boot: Option<String>,
    pub(super) timer: Arc<Timer>,
    /// In a forked child none of the threads exist: every call there is `Closed`.
    process: AtomicU32,
    reads: Reads,
    pub(super) questions: Questions,
    pub(super) pool: Arc<Pool>,
    ending: Ending,
}

/// How many reads are taken in and not answered yet.
#[derive(Debug, Default)]
struct Reads {
    count: Mutex<usize>,
    none: Condvar,
}

/// The end of the writer's thread: `over` tells of it once.
#[derive(Debug, Default)]
struct Ending {
    over: Signal,
    thread: Thread,
    /// Why the store did not close well. Everybody who closes is told.
    failure: Mutex<Option<Error>>,
}

/// A thread's handle, once it is known; whoever waits for its end joins it.
pub(super) type Thread = Mutex<Option<JoinHandle<()>>>;

impl<E: Engine> Shared<E> {
    pub(super) fn new(
        engine: E,
        directory: PathBuf,
        options: Options,
        pool: Arc<Pool>,
        timer: Arc<Timer>,
    ) -> Arc<Self> {
        let is_lazy = matches!(options.durability, Durability::Lazy { .. });
        let boot = match is_lazy && !engine.outlives_process() {
            true => None,
            false => boot(),
        };
        Arc::new(Self {
            engine,
            queue: Queue::new(options.queue_len_max),
            is_reopening: AtomicBool::new(false),
            gate: RwLock::new(()),
            directory,
            permits: Permits::default(),
            changed: Signal::default(),
            boot,
            timer,
            process: AtomicU32::new(std::process::id()),
            reads: Reads::default(),
            questions: Questions::default(),
            pool,
            ending: Ending::default(),
            options,
        })
    }

    /// On the writer's thread, after its last group: waits for the reads that were taken in, has every pool
    /// thread give up what it holds, closes the engine, and tells those who wait for the end how the writer and the engine
    /// ended.
    pub(super) fn end(self: &Arc<Self>, thread: &Thread, writer: Result<()>) {
        // Whatever the engine does, those who wait for the end hear of it.
        let _over = Over(self);
        *lock(&self.ending.thread) = lock(thread).take();
        let mut count = lock(&self.reads.count);
        while *count > 0 {
            count = wait(&self.reads.none, count);
        }
        drop(count);
        let theirs = Arc::clone(self);
        let release: Arc<dyn Fn() + Send + Sync> = Arc::new(move || theirs.engine.release_thread());
        self.pool.everywhere(&release);
        let closed = self.engine.close();
        *lock(&self.ending.failure) = writer.and(closed).err();
    }

    /// Refuses in a forked child, before any lock is touched.
    pub(super) fn check_process(&self) -> Result<()> {
        if std::process::id() == self.process.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Closed, "this is a forked child"))
    }

    #[cfg(all(test, not(feature = "shuttle")))]
    pub(super) fn pretend_to_be_forked(&self) {
        self.process.store(0, Ordering::Relaxed);
    }

    /// Waits for the end, and answers how the engine closed.
    pub(super) async fn ended(&self) -> Result<()> {
        self.ending.over.changed(0).await;
        // The thread has nothing left to do but to return.
        if let Some(thread) = lock(&self.ending.thread).take() {
            join(thread);
        }
        match &*lock(&self.ending.failure) {
            Some(error) => Err(error.again()),
            None => Ok(()),
        }
    }

    /// Waits for a change by this process, or for the time to look for one by others.
    pub(super) async fn next_change(&self, seen: u64) {
        // Without a pause between two looks the waiting would take a core.
        let pause = self.options.poll_interval.max(Duration::from_millis(1));
        let poll = self.timer.sleep(pause);
        first_of(self.changed.changed(seen), poll).await;
    }

    /// Does something that reads on a pool thread.
    pub(super) fn on_pool<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<Answer<T>> {
        let (reply, answer) = reply();
        let reading = self.take_in()?;
        let place = self.pool.take_place()?;
        self.pool.submit(Box::new(move || {
            drop(place);
            let done = catch_unwind(AssertUnwindSafe(|| read(&reading.0)));
            // The waiter may close the store at once: the read is over before it is answered.
            drop(reading);
            reply.send(done.unwrap_or_else(|panic| Err(panicked(&*panic))));
        }))?;
        Ok(answer)
    }

    /// Counts a read, so that the close waits for it.
    pub(super) fn take_in(self: &Arc<Self>) -> Result<Reading<E>> {
        self.check_process()?;
        // Under one lock with the count, so that the close waits for every read that found the store open.
        let mut count = lock(&self.reads.count);
        self.queue.check_open()?;
        *count += 1;
        Ok(Reading(Arc::clone(self)))
    }

    /// Asks on this thread.
    pub(super) fn ask_now<Q: Question>(&self, question: &Q) -> Result<Read<Q::Answer>> {
        let mut answer = None;
        self.in_engine(|engine| {
            engine.read(&mut |view| {
                let seq = view.board()?.counters.seq;
                let value = question.ask(view)?;
                answer = Some(Read { seq, value });
                Ok(())
            })
        })?;
        answer.ok_or_else(|| Error::new(ErrorKind::Internal, "the engine did not ask"))
    }

    /// Opens the engine anew, while no reader is inside it.
    pub(super) fn reopen(&self) -> Result<()> {
        // Long reads do not make it wait.
        self.is_reopening.store(true, Ordering::SeqCst);
        let gate = self.gate.write();
        let _alone = gate.unwrap_or_else(std::sync::PoisonError::into_inner);
        self.is_reopening.store(false, Ordering::SeqCst);
        self.engine.reopen()
    }

    /// Reads while the writer does not open the engine anew.
    pub(super) fn in_engine<T>(&self, read: impl FnOnce(&E) -> Result<T>) -> Result<T> {
        let gate = self.gate.read();
        let _gate = gate.unwrap_or_else(std::sync::PoisonError::into_inner);
        read(&self.engine)
    }
}

/// Tells, when it is dropped, that the store has come to its end.
struct Over<'a, E: Engine>(&'a Shared<E>);

impl<E: Engine> Drop for Over<'_, E> {
    fn drop(&mut self) {
        self.0.ending.over.notify();
        self.0.changed.notify();
    }
}

/// A read that was taken in.
pub(super) struct Reading<E: Engine>(pub(super) Arc<Shared<E>>);

impl<E: Engine> Drop for Reading<E> {
    fn drop(&mut self) {
        let mut count = lock(&self.0.reads.count);
        *count -= 1;
        if *count == 0 {
            self.0.reads.none.notify_all();
        }
    }
}

impl<E: Engine> Source for Shared<E> {
    fn events(self: Arc<Self>, events: Events) -> SourceFuture {
        Box::pin(async move {
            self.check_process()?;
            loop {
                let seen = self.changed.changes();
                let page = self.ask(events.clone())?.await?.value;
                if page.through > events.after {
                    return Ok(page);
                }
                self.next_change(seen).await;
            }
        })
    }
}

/// Which boot of the machine this is.
fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}
