//! How programs use SQLite without a store: the patterns of the field report. Each call is a transaction of its own, as
//! [`limit::sqlite`] writes it, by as many threads as there are clients.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use kanban_core::{Durability, TaskId};

use crate::clients::{latencies, merge, threads};
use crate::clock::{nanos, now};
use crate::extent::{Extent, FEW_OR_MANY, pick};
use crate::limit::sqlite::{READER_CACHE_KIB, Sqlite, Synchronous, WRITER_CACHE_KIB};
use crate::limit::{self, End, Failed, Hand, Rows};
use crate::subject::{Store, Subject};
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

    /// Those that stand beside a workload that writes, by so many clients.
    #[must_use]
    pub fn beside_writes(extent: Extent, subject: Subject, clients: usize) -> &'static [Self] {
        // To SQLite a lazy board is one at `Process`.
        let is_lazy = matches!(subject.durability, Durability::Lazy { .. });
        let is_wanted = extent == Extent::Full || FEW_OR_MANY.contains(&clients);
        match subject.store {
            Store::Sqlite if is_wanted && !is_lazy => Self::ALL,
            Store::Sqlite | Store::Redb => &[],
        }
    }

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
        let share = tasks.len() / clients;
        self.write(file, synchronous, (clients, 2 * share), |thread, nth| {
            let id = tasks.get(thread * share + nth / 2)?;
            Some(match nth.is_multiple_of(2) {
                true => Step::Claim(id),
                false => Step::Complete(id),
            })
        })
    }

    /// Every thread claims the task that comes first `calls` times, found and claimed in one transaction.
    ///
    /// # Panics
    /// Where SQLite fails, or no task is ready: then there is nothing to measure.
    #[must_use]
    pub fn claim_next(
        self,
        file: &Path,
        synchronous: Synchronous,
        (clients, calls): (usize, usize),
    ) -> Outcome {
        self.write(file, synchronous, (clients, calls), |_, _| {
            Some(Step::ClaimNext)
        })
    }

    /// Every thread creates `calls` tasks, each with a body.
    ///
    /// # Panics
    /// Where SQLite fails: then there is nothing to measure.
    #[must_use]
    pub fn create(
        self,
        file: &Path,
        synchronous: Synchronous,
        (clients, calls): (usize, usize),
    ) -> Outcome {
        self.write(file, synchronous, (clients, calls), |thread, nth| {
            Some(Step::Create(thread * calls + nth))
        })
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
            |connection| {
                if let Some(id) = tasks.first() {
                    connection.read(id.as_str()).expect("the task is there");
                }
            },
            |connection, thread, nth| {
                if let Some(id) = tasks.get(pick(thread, nth, tasks.len())) {
                    let len = connection.read(id.as_str()).expect("the task is there");
                    std::hint::black_box(len);
                }
            },
        )
    }

    /// Every thread carries out `calls` steps, each in a transaction of its own.
    fn write<'a>(
        self,
        file: &Path,
        synchronous: Synchronous,
        size: (usize, usize),
        step: impl Fn(usize, usize) -> Option<Step<'a>> + Sync,
    ) -> Outcome {
        self.call(
            file,
            synchronous,
            size,
            |connection, hand, thread, nth| match step(thread, nth) {
                Some(step) => step.run(connection, hand),
                None => Ok(()),
            },
        )
    }

    /// Every thread makes `calls` calls, each given its thread's number and its own.
    ///
    /// # Panics
    /// Where SQLite fails, or a call does: then there is nothing to measure.
    pub(crate) fn call(
        self,
        file: &Path,
        synchronous: Synchronous,
        (clients, calls): (usize, usize),
        call: impl Fn(&Sqlite, &Mutex<Hand>, usize, usize) -> limit::Result<()> + Sync,
    ) -> Outcome {
        let last = open(file, synchronous).last_number();
        let last = last.expect("SQLite reads the board's row");
        // Numbers are given under the transaction's lock, as a counter's row would.
        let hand = Mutex::new(Hand::behind(last));
        self.on_threads(
            file,
            synchronous,
            (clients, calls),
            |connection| commit_once(connection, &hand),
            |connection, thread, nth| {
                let done = call(connection, &hand, thread, nth);
                done.expect("SQLite carries a call out");
            },
        )
    }

    /// Every thread makes `calls` calls, each given its thread's number and its own. A connection that is kept is warm before the time is
    /// taken, as the limit's is.
    fn on_threads(
        self,
        file: &Path,
        synchronous: Synchronous,
        (clients, calls): (usize, usize),
        warm: impl Fn(&Sqlite) + Sync,
        call: impl Fn(&Sqlite, usize, usize) + Sync,
    ) -> Outcome {
        let open = || open(file, synchronous);
        let open_warm = |cache| {
            let connection = open();
            let ready = connection.cache(cache).and_then(|()| connection.warm());
            ready.expect("SQLite reads the board");
            warm(&connection);
            connection
        };
        // Only where it is shared: while a connection is open, none that is closed is the last one, which checkpoints and
        // removes the `-wal`.
        let shared =
            (self == Self::SharedConnection).then(|| Mutex::new(open_warm(WRITER_CACHE_KIB)));
        let prepare = |thread: usize| {
            // As much as each reader of a store has: the writer's for 256 would be gigabytes.
            let own = (self == Self::ConnectionPerThread).then(|| open_warm(READER_CACHE_KIB));
            (thread, own, latencies())
        };
        let (all, usage): (Vec<_>, Usage) =
            threads(clients, prepare, |(thread, own, mut latency)| {
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

/// Leaves a commit of no rows behind a connection, whose first one flushes more than those after it. One thread at a time does, for
/// those that find the file locked would sleep.
fn commit_once(connection: &Sqlite, hand: &Mutex<Hand>) {
    let hand = hand.lock().unwrap_or_else(PoisonError::into_inner);
    let done = connection.begin().and_then(|()| connection.commit(&hand));
    done.expect("SQLite commits");
}

/// What a transaction of a pattern does.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Claim(&'a TaskId),
    Complete(&'a TaskId),
    /// The task that comes first.
    ClaimNext,
    /// The task with a number.
    Create(usize),
}

impl Step<'_> {
    fn run(self, connection: &Sqlite, hand: &Mutex<Hand>) -> limit::Result<()> {
        transact(connection, hand, |mut rows, hand| match self {
            Self::Claim(id) => Ok(rows.claim(id.as_str(), hand)?),
            Self::Complete(id) => Ok(rows.end(End::Complete, id.as_str(), hand)?),
            Self::ClaimNext => claim_next(rows, hand).map(drop),
            Self::Create(number) => rows.create(number, None, hand).map(drop),
        })
    }
}

/// Claims the task that comes first. Answers its id.
pub(crate) fn claim_next(mut rows: &Sqlite, hand: &mut Hand) -> limit::Result<String> {
    let id = rows.next_ready()?.ok_or(Failed::Row)?;
    rows.claim(&id, hand)?;
    Ok(id)
}

/// One call in a transaction of its own.
pub(crate) fn transact(
    connection: &Sqlite,
    hand: &Mutex<Hand>,
    work: impl FnOnce(&Sqlite, &mut Hand) -> limit::Result<()>,
) -> limit::Result<()> {
    connection.begin()?;
    let mut hand = hand.lock().unwrap_or_else(PoisonError::into_inner);
    work(connection, &mut hand)?;
    let mark = hand.clone();
    drop(hand);
    Ok(connection.commit(&mark)?)
}

#[cfg(test)]
mod tests {
    use kanban_core::Status;
    use pollster::block_on;

    use super::*;
    use crate::template::Template;

    #[test]
    fn every_pattern_claims_a_task_per_call_and_creates_one() {
        let place = tempfile::tempdir().expect("there is room for a folder");
        let subject = Subject::new(Store::Sqlite);
        let template = block_on(Template::make(subject, place.path(), 20)).unwrap();
        for pattern in Pattern::ALL {
            let copy = template.copy(subject).unwrap();
            let file = copy.file();
            let claimed = pattern.claim_next(&file, Synchronous::Full, (2, 5));
            let created = pattern.create(&file, Synchronous::Full, (2, 3));
            assert_eq!((claimed.calls, created.calls), (10, 6), "{pattern:?}");
            let board = block_on(copy.open()).unwrap();
            let stats = block_on(board.store.stats()).unwrap().value;
            assert_eq!(stats.in_status(Status::Running), 10, "{pattern:?}");
            assert_eq!(stats.in_status(Status::Ready), 16, "{pattern:?}");
            block_on(board.close()).unwrap();
        }
    }
}
