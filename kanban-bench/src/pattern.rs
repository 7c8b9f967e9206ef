//! How programs use SQLite without a store: the patterns of the field report. Each call is a transaction of its own, as
//! [`limit::sqlite`](crate::limit::sqlite) writes it, by as many threads as there are clients.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use kanban_core::TaskId;

use crate::clients::{latencies, merge, threads};
use crate::clock::{nanos, now};
use crate::limit::Hand;
use crate::limit::sqlite::{Sqlite, Synchronous};
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
        let open = || Sqlite::open(file, synchronous).expect("SQLite opens the bench's board");
        let last = open().last_number().expect("SQLite reads the board's row");
        // Only where it is shared: while a connection is open, none that is closed is the last one, which checkpoints and
        // removes the `-wal`.
        let shared = (self == Self::SharedConnection).then(|| Mutex::new(open()));
        let share = tasks.len() / clients;
        // Numbers are given under the transaction's lock, as a counter's row would.
        let hand = Mutex::new(Hand::behind(last));
        let call = |own: Option<&Sqlite>, step: Step, id: &TaskId| match self {
            Self::ConnectionPerCall => step.run(&open(), &hand, id),
            Self::SharedConnection => {
                let shared = shared.as_ref().expect("it is shared");
                let connection = shared.lock().unwrap_or_else(PoisonError::into_inner);
                step.run(&connection, &hand, id);
            }
            Self::ConnectionPerThread => {
                step.run(own.expect("each thread has its own"), &hand, id);
            }
        };
        let prepare = |number: usize| {
            let own = (self == Self::ConnectionPerThread).then(open);
            (number, own)
        };
        let (all, usage): (Vec<_>, Usage) = threads(clients, prepare, |(number, own)| {
            let mut latency = latencies();
            for id in tasks.iter().skip(number * share).take(share) {
                for step in [Step::Claim, Step::Complete] {
                    let start = now();
                    call(own.as_ref(), step, id);
                    latency.saturating_record(nanos(start.elapsed()));
                }
            }
            (latency, own)
        });
        // A thread that keeps a connection goes on with it after the bench.
        let (all, _kept): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        merge(&all, usage)
    }
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
                Self::Complete => connection.complete(id.as_str(), &mut hand)?,
            }
            let mark = hand.clone();
            drop(hand);
            connection.commit(&mark)
        });
        done.expect("SQLite carries a call out");
    }
}
