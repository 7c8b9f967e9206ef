//! How programs use SQLite without a store: the patterns of the field report. Each call is a transaction of its own, as
//! [`limit::sqlite`](crate::limit::sqlite) writes it, by as many threads as there are clients.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use kanban_core::TaskId;

use crate::clients::{latencies, merge, threads};
use crate::clock::{nanos, now};
use crate::extent::pick;
use crate::limit::sqlite::{Sqlite, Synchronous};
use crate::limit::{End, Hand};
use crate::{clients::Outcome, usage::Usage};

/// A way to share SQLite among threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Each call opens a connection, and closes it again.
    ConnectionPerCall,
    /// All threads wait for one connection.
    SharedConnection,
    /// Each thread keeps a connection.
    ConnectionPerThread,
}

impl Pattern {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::ConnectionPerCall,
        Self::SharedConnection,
        Self::ConnectionPerThread,
    ];

    /// Its name in an id.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionPerCall => "connection_per_call",
            Self::SharedConnection => "shared_connection",
            Self::ConnectionPerThread => "connection_per_thread",
        }
    }

    /// Every thread claims and completes its share of the tasks.
    ///
    /// # Panics
    /// Where SQLite fails: then there is nothing to measure.
    #[must_use]
    pub fn run(
        self,
        file: &Path,
        synchronous: Synchronous,
        clients: usize,
        tasks: &[TaskId],
    ) -> Outcome {
        let last = open(file, synchronous).last_number();
        let last = last.expect("SQLite reads the board's row");
        // Numbers are given under the transaction's lock, as a counter's row would.
        let hand = Mutex::new(Hand::behind(last));
        let share = tasks.len() / clients;
        self.on_threads(
            file,
            synchronous,
            (clients, 2 * share),
            |connection, thread, nth| {
                if let Some(id) = tasks.get(thread * share + nth / 2) {
                    let step = match nth.is_multiple_of(2) {
                        true => Step::Claim,
                        false => Step::Complete,
                    };
                    step.run(connection, &hand, id);
                }
            },
        )
    }

    /// Every thread reads `calls` tasks with their texts, the ones that [`reads`](crate::workload::reads) reads.
    ///
    /// # Panics
    /// Where SQLite fails: then there is nothing to measure.
    #[must_use]
    pub fn read(
        self,
        file: &Path,
        synchronous: Synchronous,
        (clients, calls): (usize, usize),
        tasks: &[TaskId],
    ) -> Outcome {
        self.on_threads(
            file,
            synchronous,
            (clients, calls),
            |connection, thread, nth| {
                if let Some(id) = tasks.get(pick(thread, nth, tasks.len())) {
                    let len = connection.read(id.as_str()).expect("the task is there");
                    std::hint::black_box(len);
                }
            },
        )
    }

    /// Every thread makes `calls` calls, each given its thread's number and its own.
    fn on_threads(
        self,
        file: &Path,
        synchronous: Synchronous,
        (clients, calls): (usize, usize),
        call: impl Fn(&Sqlite, usize, usize) + Sync,
    ) -> Outcome {
        let open = || open(file, synchronous);
        // Only where it is shared: while a connection is open, none that is closed is the last one, which checkpoints and
        // removes the `-wal`.
        let shared = (self == Self::SharedConnection).then(|| Mutex::new(open()));
        let prepare = |thread: usize| {
            let own = (self == Self::ConnectionPerThread).then(open);
            (thread, own)
        };
        let (all, usage): (Vec<_>, Usage) = threads(clients, prepare, |(thread, own)| {
            let mut latency = latencies();
            for nth in 0..calls {
                let start = now();
                match (&own, &shared) {
                    (Some(own), _) => call(own, thread, nth),
                    (None, Some(shared)) => {
                        let shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
                        call(&shared, thread, nth);
                    }
                    (None, None) => call(&open(), thread, nth),
                }
                latency.saturating_record(nanos(start.elapsed()));
            }
            (latency, own)
        });
        // A thread that keeps a connection goes on with it after the bench.
        let (all, _kept): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        merge(&all, usage)
    }
}

fn open(file: &Path, synchronous: Synchronous) -> Sqlite {
    Sqlite::open(file, synchronous).expect("SQLite opens the bench's board")
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Claim,
    Complete,
}

impl Step {
    fn run(self, connection: &Sqlite, hand: &Mutex<Hand>, id: &TaskId) {
        let done = connection.begin().and_then(|()| {
            let mut hand = hand.lock().unwrap_or_else(PoisonError::into_inner);
            match self {
                Self::Claim => connection.claim(id.as_str(), &mut hand)?,
                Self::Complete => connection.end(End::Complete, id.as_str(), &mut hand)?,
            }
            let mark = hand.clone();
            drop(hand);
            connection.commit(&mark)
        });
        done.expect("SQLite carries a call out");
    }
}
