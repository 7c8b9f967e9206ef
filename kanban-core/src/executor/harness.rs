//! What the tests of the executor share: a backend over memory, and opening a store on it.

use std::path::Path;

use crate::engine::{Backend, OpenBoard};
use crate::error::{Error, Result};
use crate::memory::{FixedIds, MemoryEngine};
use crate::model::Title;
use crate::options::{Options, RootMode};
use crate::request::NewTask;
use crate::sync::{Arc, Mutex, lock};

use super::reply::{Reply, reply};
use super::{EngineStore, Launch, Opening, Pool, Timer, start};

/// Opens the engine it holds.
#[derive(Debug)]
pub(super) struct MemoryBackend(pub(super) MemoryEngine);

impl Backend for MemoryBackend {
    type Engine = MemoryEngine;

    fn name(&self) -> &'static str {
        "memory"
    }

    fn file_name(&self) -> &'static str {
        "board.memory"
    }

    fn open(&self, _directory: &Path, _how: &OpenBoard) -> Result<MemoryEngine> {
        Ok(self.0.clone())
    }

    fn accept_backup(&self, _copy: &Path) -> Result<()> {
        Err(Error::no_finished_backup())
    }
}

/// A store with its own threads.
pub(super) struct Opened {
    pub(super) store: EngineStore<MemoryEngine>,
    pub(super) pool: Arc<Pool>,
    pub(super) timer: Arc<Timer>,
}

#[cfg(not(feature = "shuttle"))]
impl Opened {
    /// Ends the threads that the store shares with others.
    pub(super) fn stop(self) {
        drop(self.store);
        self.pool.stop();
        self.timer.stop();
    }
}

struct Report(Mutex<Option<Reply<EngineStore<MemoryEngine>>>>);

impl Opening<MemoryEngine> for Report {
    fn done(self, opened: Result<EngineStore<MemoryEngine>>) {
        if let Some(reply) = lock(&self.0).take() {
            reply.send(opened);
        }
    }
}

pub(super) fn options() -> Options {
    Options {
        reader_threads: 1,
        ids: std::sync::Arc::new(FixedIds::default()),
        ..Options::default()
    }
}

pub(super) async fn open(engine: &MemoryEngine, options: Options) -> Opened {
    let pool =
        Arc::new(Pool::start(options.reader_threads, options.queue_len_max).expect("threads"));
    let timer = Arc::new(Timer::start().expect("a thread"));
    let (reply, opened) = reply();
    let launch = Launch {
        backend: Arc::new(MemoryBackend(engine.clone())),
        // Exports on their way wait there.
        directory: std::env::temp_dir(),
        how: OpenBoard {
            create: None,
            durability: options.durability,
            mode: RootMode::Shared,
        },
        name: "test".to_owned(),
        options,
        pool: Arc::clone(&pool),
        timer: Arc::clone(&timer),
        keeps: std::sync::Arc::new(()),
    };
    start(launch, Report(Mutex::new(Some(reply)))).expect("a thread");
    Opened {
        store: opened.await.expect("memory opens"),
        pool,
        timer,
    }
}

pub(super) fn task(title: &str) -> NewTask {
    NewTask::new(Title::new(title).expect("a title"))
}
