//! An open board on an engine: the callers' side.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::engine::{Backend, Engine, OpenBoard};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Seq;
use crate::options::{Admission, Options};
use crate::progress::{Stage, Tell};
use crate::request::{Read, Violation, Written};
use crate::rules::{Command, Question};
use crate::sync::{Arc, lock, spawn};
use crate::verify::Verify;

use super::job::{Queued, panicked};
use super::pool::Pool;
use super::reply::reply;
use super::shared::{Shared, Thread};
use super::timer::Timer;
use super::writer::Writer;

mod board;
mod moving;

/// How many violations `verify` answers.
const VIOLATIONS_MAX: usize = 100;

/// One open board. All handles share it; dropping the last begins the close and does not wait for it.
pub(crate) struct EngineStore<E: Engine> {
    owner: Arc<Owner<E>>,
    admission: Admission,
    /// Who hears how far the long calls of this handle are.
    tell: Tell,
    /// The board's, by which its creator knows it.
    seed: u64,
}

#[derive(Debug)]
struct Owner<E: Engine>(Arc<Shared<E>>);

impl<E: Engine> Drop for Owner<E> {
    fn drop(&mut self) {
        // In a forked child a lock may be held for ever by a thread that is not there.
        if self.0.check_process().is_ok() {
            self.0.queue.close(closed());
        }
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
pub(crate) struct Launch<B: Backend> {
    pub(crate) backend: Arc<B>,
    pub(crate) directory: PathBuf,
    pub(crate) how: OpenBoard,
    pub(crate) name: String,
    pub(crate) options: Options,
    pub(crate) pool: Arc<Pool>,
    pub(crate) timer: Arc<Timer>,
    /// Dropped only once the store has come to its end.
    pub(crate) keeps: Keeps,
}

/// What must outlive a store: its root's lock.
pub(crate) type Keeps = std::sync::Arc<dyn std::any::Any + Send + Sync>;

/// Starts a board's writer thread, which opens the engine, reports, and then works until the store is closed.
pub(crate) fn start<B: Backend>(launch: Launch<B>, opening: impl Opening<B::Engine>) -> Result<()> {
    // The thread hands its own handle over once it is known: whoever closes joins it.
    let handle = Arc::new(Thread::default());
    let theirs = Arc::clone(&handle);
    let thread = spawn(format!("kanban-write-{}", launch.name), move || {
        run(launch, opening, &theirs);
    })?;
    *lock(&handle) = Some(thread);
    Ok(())
}

fn run<B: Backend>(launch: Launch<B>, opening: impl Opening<B::Engine>, thread: &Thread) {
    let _keeps = std::sync::Arc::clone(&launch.keeps);
    // A panic here is answered too: whoever waits for the opening would wait for ever.
    let opened = catch_unwind(AssertUnwindSafe(|| open(launch)));
    let shared = match opened.unwrap_or_else(|panic| Err(panicked(&*panic))) {
        Ok(shared) => shared,
        Err(error) => return opening.done(Err(error)),
    };
    let owner = Arc::new(Owner(Arc::clone(&shared)));
    let admission = shared.options.admission;
    let mut writer = Writer::new(&*shared);
    let seed = match writer.skip_reserved() {
        Ok(seed) => seed,
        Err(error) => {
            shared.queue.close(error.again());
            shared.end(thread, Ok(()));
            return opening.done(Err(error));
        }
    };
    opening.done(Ok(EngineStore {
        owner,
        admission,
        tell: Tell::default(),
        seed,
    }));
    let ended = catch_unwind(AssertUnwindSafe(|| writer.run())).unwrap_or_else(|panic| {
        // A bug of ours; every waiter is answered all the same, by the replies' guards.
        let bug = panicked(&*panic);
        shared.queue.close(bug.again());
        while let super::queue::Taken::Group(jobs) = shared.queue.take(usize::MAX, None) {
            let why = shared.queue.check_open().err();
            for job in jobs {
                job.answer(why.as_ref().map(Error::again));
            }
        }
        // What was answered may not be durable yet.
        Err(bug)
    });
    shared.end(thread, ended);
}

fn open<B: Backend>(launch: Launch<B>) -> Result<Arc<Shared<B::Engine>>> {
    let engine = launch.backend.open(&launch.directory, &launch.how)?;
    Ok(Shared::new(
        engine,
        launch.directory,
        launch.options,
        launch.pool,
        launch.timer,
    ))
}

impl<E: Engine> EngineStore<E> {
    pub(super) fn shared(&self) -> &Arc<Shared<E>> {
        &self.owner.0
    }

    /// The board's seed.
    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// Tells, at any later time, whether the store still takes calls. Does not keep it open.
    pub(crate) fn is_open(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let shared = Arc::clone(self.shared());
        move || shared.queue.check_open().is_ok()
    }

    /// Queues a command and waits for its answer.
    pub(super) async fn write<C: Command>(&self, command: C) -> Result<Written<C::Answer>> {
        self.write_told(command, Tell::default()).await
    }

    /// The same for a command that writes much: it is told how far that is.
    pub(super) async fn write_told<C: Command>(
        &self,
        command: C,
        tell: Tell,
    ) -> Result<Written<C::Answer>> {
        let shared = self.shared();
        shared.check_process()?;
        let (reply, answer) = reply();
        let job = Box::new(Queued::new(command, tell, reply));
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
        self.shared().check_process()?;
        self.shared().queue.close(closed());
        self.shared().ended().await
    }

    /// The engine's own check, then the invariants, on a pool thread.
    async fn check(&self) -> Result<Read<Vec<Violation>>> {
        let tell = self.tell.clone();
        let checked = self.shared().on_pool(move |shared| {
            tell.begin_of(Stage::Check, None);
            let mut found = shared.in_engine(|engine| engine.check(VIOLATIONS_MAX))?;
            let limit = VIOLATIONS_MAX.saturating_sub(found.len());
            let mut read = shared.ask_now(&Verify { limit, tell })?;
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
        shared.check_process()?;
        loop {
            let seen = shared.changed.changes();
            let reached = self.read(crate::rules::AskSeq).await?.seq;
            if reached >= seq {
                return Ok(reached);
            }
            shared.next_change(seen).await;
        }
    }
}

impl<E: Engine> fmt::Debug for EngineStore<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineStore")
            .field("engine", &self.shared().engine)
            .finish_non_exhaustive()
    }
}
