//! An open board on an engine: the callers' side.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::engine::{Backend, Engine, OpenBoard};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Seq;
use crate::options::{Admission, Options};
use crate::request::{Events, Read, Violation, Written};
use crate::rules::{Command, Question};
use crate::sync::{Arc, Condvar, JoinHandle, Mutex, RwLock, join, lock, spawn, wait};
use crate::verify::Verify;
use crate::watch::{Source, SourceFuture};

use super::pool::Pool;
use super::queue::Queue;
use super::reply::{Answer, reply};
use super::signal::Signal;
use super::timer::Timer;
use super::writer::{Queued, Writer, panicked};

mod board;

/// How many violations `verify` answers.
const VIOLATIONS_MAX: usize = 100;

/// What the callers, the writer and the reader threads of one open board share.
#[derive(Debug)]
pub(crate) struct Shared<E: Engine> {
    pub(super) engine: E,
    pub(super) queue: Queue,
    /// Readers hold it shared inside the engine; the writer alone while it opens the engine anew.
    pub(super) gate: RwLock<()>,
    /// Tells of every group that was answered, and of the close.
    pub(super) changed: Signal,
    pub(super) options: Options,
    /// This boot of the machine, where the system tells it.
    pub(super) boot: Option<String>,
    reads: Reads,
    pool: Arc<Pool>,
    timer: Arc<Timer>,
    ending: Ending,
}

/// How many reads are taken in and not answered yet.
#[derive(Debug, Default)]
struct Reads {
    count: Mutex<usize>,
    none: Condvar,
}

/// The end of the writer's thread.
#[derive(Debug, Default)]
struct Ending {
    is_over: Mutex<bool>,
    over: Signal,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// One open board. All handles share it; dropping the last begins the close and does not wait for it.
pub(crate) struct EngineStore<E: Engine> {
    owner: Arc<Owner<E>>,
    admission: Admission,
}

#[derive(Debug)]
struct Owner<E: Engine>(Arc<Shared<E>>);

impl<E: Engine> Drop for Owner<E> {
    fn drop(&mut self) {
        self.0.queue.close(closed());
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "")
}

/// Hears how the opening of a board went; called once, on the writer's thread.
pub(crate) trait Opening<E: Engine>: Send + 'static {
    /// It is open, or why not.
    fn done(self, opened: Result<EngineStore<E>>);
}

/// Everything that opening a board needs.
#[derive(Debug)]
pub(crate) struct Launch<B: Backend> {
    pub(crate) backend: Arc<B>,
    pub(crate) directory: PathBuf,
    pub(crate) how: OpenBoard,
    pub(crate) name: String,
    pub(crate) options: Options,
    pub(crate) pool: Arc<Pool>,
    pub(crate) timer: Arc<Timer>,
}

/// Starts a board's writer thread, which opens the engine, reports, and then works until the store is closed.
pub(crate) fn start<B: Backend>(launch: Launch<B>, opening: impl Opening<B::Engine>) -> Result<()> {
    // The thread hands its own handle over once it is known: whoever closes joins it.
    let handle = Arc::new(Mutex::new(None));
    let theirs = Arc::clone(&handle);
    let thread = spawn(format!("kanban-write-{}", launch.name), move || {
        run(launch, opening, &theirs);
    })?;
    *lock(&handle) = Some(thread);
    Ok(())
}

type Handle = Mutex<Option<JoinHandle<()>>>;

fn run<B: Backend>(launch: Launch<B>, opening: impl Opening<B::Engine>, handle: &Arc<Handle>) {
    let shared = match open(launch) {
        Ok(shared) => shared,
        Err(error) => return opening.done(Err(error)),
    };
    let owner = Arc::new(Owner(Arc::clone(&shared)));
    let admission = shared.options.admission;
    let mut writer = Writer::new(&*shared);
    let ready = writer.skip_reserved();
    if let Err(error) = ready {
        shared.queue.close(error.again());
        shared.end(handle);
        return opening.done(Err(error));
    }
    opening.done(Ok(EngineStore { owner, admission }));
    // A panic here is a bug of ours; every waiter is answered all the same, by the replies' guards.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| writer.run())) {
        shared.queue.close(panicked(&*panic));
        while let super::queue::Taken::Group(jobs) = shared.queue.take(usize::MAX, None) {
            let why = shared.queue.check_open().err();
            for job in jobs {
                job.answer(why.as_ref().map(Error::again));
            }
        }
    }
    shared.end(handle);
}

fn open<B: Backend>(launch: Launch<B>) -> Result<Arc<Shared<B::Engine>>> {
    let engine = launch.backend.open(&launch.directory, &launch.how)?;
    Ok(Arc::new(Shared {
        engine,
        queue: Queue::new(launch.options.queue_len_max),
        gate: RwLock::new(()),
        changed: Signal::default(),
        boot: boot(),
        reads: Reads::default(),
        pool: launch.pool,
        timer: launch.timer,
        ending: Ending::default(),
        options: launch.options,
    }))
}

/// Which boot of the machine this is.
fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

impl<E: Engine> Shared<E> {
    /// On the writer's thread, after its last group: waits for the reads that were taken in, has every pool
    /// thread give up what it holds, closes the engine, and tells those who wait for the end.
    fn end(self: &Arc<Self>, handle: &Arc<Handle>) {
        let mut count = lock(&self.reads.count);
        while *count > 0 {
            count = wait(&self.reads.none, count);
        }
        drop(count);
        let theirs = Arc::clone(self);
        let release: Arc<dyn Fn() + Send + Sync> = Arc::new(move || theirs.engine.release_thread());
        self.pool.everywhere(&release);
        self.engine.close();
        *lock(&self.ending.thread) = lock(handle).take();
        *lock(&self.ending.is_over) = true;
        self.ending.over.notify();
        self.changed.notify();
    }

    fn ask<Q: Question>(self: &Arc<Self>, question: Q) -> Result<Answer<Read<Q::Answer>>> {
        self.on_pool(move |shared| shared.ask_now(&question))
    }

    /// Does something that reads on a pool thread.
    fn on_pool<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<Answer<T>> {
        let (reply, answer) = reply();
        {
            // Under one lock with the count, so that the close waits for every read that found the store open.
            let mut count = lock(&self.reads.count);
            self.queue.check_open()?;
            *count += 1;
        }
        let reading = Reading(Arc::clone(self));
        self.pool.submit(Box::new(move || {
            let done = catch_unwind(AssertUnwindSafe(|| read(&reading.0)));
            // The waiter may close the store at once: the read is over before it is answered.
            drop(reading);
            reply.send(done.unwrap_or_else(|panic| Err(panicked(&*panic))));
        }))?;
        Ok(answer)
    }

    fn ask_now<Q: Question>(&self, question: &Q) -> Result<Read<Q::Answer>> {
        let _gate = self
            .gate
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut answer = None;
        self.engine.read(&mut |view| {
            let seq = view.board()?.counters.seq;
            answer = Some(Read {
                seq,
                value: question.ask(view)?,
            });
            Ok(())
        })?;
        answer.ok_or_else(|| Error::new(ErrorKind::Internal, "the engine did not ask"))
    }
}

/// A read that was taken in.
struct Reading<E: Engine>(Arc<Shared<E>>);

impl<E: Engine> Drop for Reading<E> {
    fn drop(&mut self) {
        let mut count = lock(&self.0.reads.count);
        *count -= 1;
        if *count == 0 {
            self.0.reads.none.notify_all();
        }
    }
}

impl<E: Engine> EngineStore<E> {
    fn shared(&self) -> &Arc<Shared<E>> {
        &self.owner.0
    }

    /// Tells, at any later time, whether the store still takes calls. Does not keep it open.
    pub(crate) fn is_open(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let shared = Arc::clone(self.shared());
        move || shared.queue.check_open().is_ok()
    }

    /// Queues a command and waits for its answer.
    pub(super) async fn write<C: Command>(&self, command: C) -> Result<Written<C::Answer>> {
        let (reply, answer) = reply();
        let shared = self.shared();
        let job = Box::new(Queued::new(command, reply));
        shared
            .queue
            .submit(job, self.admission, &shared.timer)
            .await?;
        answer.await
    }

    /// Asks on a pool thread and waits for the answer.
    async fn read<Q: Question>(&self, question: Q) -> Result<Read<Q::Answer>> {
        let answer = self.shared().ask(question)?;
        answer.await
    }

    /// Closes the store and waits for the end.
    async fn end(&self) -> Result<()> {
        let shared = self.shared();
        shared.queue.close(closed());
        loop {
            let seen = shared.ending.over.changes();
            if *lock(&shared.ending.is_over) {
                break;
            }
            shared.ending.over.changed(seen).await;
        }
        // The thread has nothing left to do but to return.
        if let Some(thread) = lock(&shared.ending.thread).take() {
            join(thread);
        }
        Ok(())
    }

    /// The engine's own check, then the invariants, on a pool thread.
    async fn check(&self) -> Result<Read<Vec<Violation>>> {
        let checked = self.shared().on_pool(|shared| {
            let mut found = shared.engine.check(VIOLATIONS_MAX)?;
            let limit = VIOLATIONS_MAX.saturating_sub(found.len());
            let mut read = shared.ask_now(&Verify { limit })?;
            found.append(&mut read.value);
            Ok(Read {
                seq: read.seq,
                value: found,
            })
        })?;
        checked.await
    }

    async fn reach(&self, seq: Seq) -> Result<Seq> {
        let shared = self.shared();
        loop {
            let seen = shared.changed.changes();
            let reached = self.read(crate::rules::AskSeq).await?.seq;
            if reached >= seq {
                return Ok(reached);
            }
            wait_for_change(shared, seen).await;
        }
    }
}

/// Waits for a change by this process, or for the time to look for one by others.
async fn wait_for_change<E: Engine>(shared: &Shared<E>, seen: u64) {
    let poll = shared.timer.sleep(shared.options.poll_interval);
    super::first_of(shared.changed.changed(seen), poll).await;
}

impl<E: Engine> Source for Shared<E> {
    fn events(self: Arc<Self>, events: Events) -> SourceFuture {
        Box::pin(async move {
            loop {
                let seen = self.changed.changes();
                let page = self.ask(events.clone())?.await?.value;
                if page.through > events.after {
                    return Ok(page);
                }
                wait_for_change(&self, seen).await;
            }
        })
    }
}

impl<E: Engine> fmt::Debug for EngineStore<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineStore")
            .field("engine", &self.shared().engine)
            .finish_non_exhaustive()
    }
}
