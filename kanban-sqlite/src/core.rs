//! What all connections of one open board share.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use kanban_core::{Error, ErrorKind, Result};
use rusqlite::Connection;

use crate::cache::Seat;
use crate::connection::{self, Role, Settings};
use crate::error::storage;
use crate::files::{Identity, Place};
use crate::statements as sql;
use crate::wait::{Alarm, Deadline};

/// A long read ends once the `-wal` is as many times longer than it is kept: 1 GiB by default.
const LONG_READ_WALS: u64 = 64;

/// How many connections are open, and who waits for none to be.
#[derive(Debug, Default)]
struct Opened {
    count: Mutex<usize>,
    none: Condvar,
    #[cfg(test)]
    waiting: AtomicU32,
}

/// What all connections of one open board share.
#[derive(Debug)]
pub(crate) struct Core {
    /// Unlike every other engine of this process, also on the same file.
    instance: u64,
    pub(crate) place: Place,
    pub(crate) settings: Settings,
    pub(crate) busy_deadline: Duration,
    /// A forked child has another.
    process: Arc<AtomicU32>,
    closed: AtomicBool,
    opened: Arc<Opened>,
    seats: Mutex<Vec<Weak<Seat>>>,
    /// Which files the connections have open.
    identity: Mutex<Option<Identity>>,
    /// Pages in the `-wal` after the writer's last commit.
    pub(crate) frames: Arc<AtomicU32>,
    /// Nobody compares the files: for the test that shows what the comparison is for.
    #[cfg(test)]
    is_blind: AtomicBool,
}

impl Core {
    pub(crate) fn new(place: Place, settings: Settings, busy_deadline: Duration) -> Self {
        static INSTANCES: AtomicU64 = AtomicU64::new(0);
        Self {
            instance: INSTANCES.fetch_add(1, Ordering::Relaxed),
            place,
            settings,
            busy_deadline,
            process: Arc::new(AtomicU32::new(std::process::id())),
            closed: AtomicBool::new(false),
            opened: Arc::default(),
            seats: Mutex::default(),
            identity: Mutex::default(),
            frames: Arc::default(),
            #[cfg(test)]
            is_blind: AtomicBool::new(false),
        }
    }

    pub(crate) const fn instance(&self) -> u64 {
        self.instance
    }

    /// How many connections are open.
    pub(crate) fn opened(&self) -> usize {
        *lock(&self.opened.count)
    }

    /// Waits until none is. Also for one whose seat is gone: a thread that gives its seat up closes its connection after
    /// that, and until then whoever opens the files shares what it knows of them.
    pub(crate) fn wait_until_none_is_opened(&self) {
        let mut count = lock(&self.opened.count);
        while *count > 0 {
            #[cfg(test)]
            self.opened.waiting.fetch_add(1, Ordering::SeqCst);
            let woken = self.opened.none.wait(count);
            count = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How often somebody began to wait for that.
    #[cfg(test)]
    pub(crate) fn waits(&self) -> u32 {
        self.opened.waiting.load(Ordering::SeqCst)
    }

    /// `Closed` if the board is, or if this is a forked child: connections do not survive a fork.
    pub(crate) fn usable(&self) -> Result<()> {
        if self.closed.load(Ordering::SeqCst) || self.is_forked() {
            return Err(Self::closed());
        }
        Ok(())
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.process.load(Ordering::Relaxed) != std::process::id()
    }

    pub(crate) fn closed() -> Error {
        Error::new(ErrorKind::Closed, "")
    }

    /// Nothing is lent from now on. Whether it was open.
    pub(crate) fn shut(&self) -> bool {
        !self.closed.swap(true, Ordering::SeqCst)
    }

    /// Makes a new thread's seat known.
    pub(crate) fn register(&self, seat: &Arc<Seat>) {
        let mut seats = lock(&self.seats);
        seats.retain(|seat| seat.strong_count() > 0);
        seats.push(Arc::downgrade(seat));
    }

    /// Every thread's seats, the writer's last: it opened first and closes last, or the locks that it took for all
    /// stay with a descriptor that SQLite only puts aside.
    pub(crate) fn seats(&self) -> Vec<Arc<Seat>> {
        let mut seats: Vec<_> = lock(&self.seats).iter().filter_map(Weak::upgrade).collect();
        seats.sort_by_key(|seat| seat.role == Role::Writer);
        seats
    }

    /// Remembers which files are open now.
    pub(crate) fn remember(&self) -> Result<()> {
        let found = self.place.identity()?;
        *lock(&self.identity) = Some(found);
        Ok(())
    }

    /// Forgets it: whatever the paths name is opened next.
    pub(crate) fn forget(&self) -> Option<Identity> {
        lock(&self.identity).take()
    }

    pub(crate) fn identity(&self) -> Option<Identity> {
        *lock(&self.identity)
    }

    /// Fails with `Replaced` if the paths name other files than those that are open.
    pub(crate) fn in_place(&self) -> Result<()> {
        #[cfg(test)]
        if self.is_blind.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.identity()
            .map_or(Ok(()), |identity| self.place.expect(identity))
    }

    /// Opens a connection, waiting for other processes' locks up to the deadline.
    pub(crate) fn connect(&self, role: Role) -> Result<Handle> {
        self.usable()?;
        let bound = self.settings.wal_len_max.saturating_mul(LONG_READ_WALS);
        let alarm = Arc::new(Alarm::bounded(self.place.clone(), bound));
        let open = || connection::open(&self.place, role, self.settings, &alarm);
        let mut connection = Deadline::after(self.busy_deadline).retry(open)?;
        if role == Role::Writer {
            let frames = Arc::clone(&self.frames);
            let count = move |_: &mut _, pages| {
                frames.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
                #[cfg(test)]
                crate::costs::committed(pages);
                Ok(())
            };
            connection
                .wal_hook(Some(count))
                .map_err(|error| storage("watching the -wal", error))?;
        }
        #[cfg(test)]
        crate::costs::watch(&mut connection)
            .map_err(|error| storage("counting in a test", error))?;
        *lock(&self.opened.count) += 1;
        let handle = Handle {
            connection: Some(connection),
            alarm,
            process: Arc::clone(&self.process),
            opened: Arc::clone(&self.opened),
        };
        // By its path a replaced database would be another board.
        self.in_place()?;
        Ok(handle)
    }

    #[cfg(test)]
    pub(crate) fn look_away(&self) {
        self.is_blind.store(true, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn pretend_to_be_forked(&self) {
        self.process.store(0, Ordering::Relaxed);
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Handle {
    /// Present until it is dropped.
    connection: Option<Connection>,
    pub(crate) alarm: Arc<Alarm>,
    process: Arc<AtomicU32>,
    opened: Arc<Opened>,
}

impl Handle {
    /// The connection.
    pub(crate) fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("present until dropped")
    }

    /// Whether a transaction could not be ended: nobody can use it any more.
    pub(crate) fn is_broken(&self) -> bool {
        !self.connection().is_autocommit()
    }

    /// Begins a snapshot that holds everything committed before the call.
    pub(crate) fn begin_snapshot(&self, deadline: Deadline) -> Result<Undo<'_>> {
        deadline.retry(|| {
            let undo = Undo::begin(self, "BEGIN")?;
            // BEGIN alone does not take one; and here is where another process's recovery can be in the way.
            let doing = |error| storage("taking a snapshot", error);
            let mut statement = self
                .connection()
                .prepare_cached(sql::SNAPSHOT)
                .map_err(doing)?;
            statement.query_row([], |_| Ok(())).map_err(doing)?;
            Ok(undo)
        })
    }

    /// Begins a write, which no other process can then do.
    pub(crate) fn begin_write(&self, deadline: Deadline) -> Result<Undo<'_>> {
        deadline.retry(|| Undo::begin(self, "BEGIN IMMEDIATE"))
    }

    /// Runs a text without parameters and rows.
    pub(crate) fn run(&self, text: &str) -> rusqlite::Result<()> {
        self.connection()
            .prepare_cached(text)?
            .execute([])
            .map(|_| ())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if self.process.load(Ordering::Relaxed) != std::process::id() {
            // A forked child. Closing would release the parent's locks and unlink its files.
            mem::forget(connection);
            return;
        }
        if let Err((connection, _)) = connection.close() {
            // SQLite keeps what is still in use. Leaked rather than freed under its user.
            mem::forget(connection);
        }
        *lock(&self.opened.count) -= 1;
        self.opened.none.notify_all();
    }
}

/// An open transaction, undone when dropped, also in a panic.
#[derive(Debug)]
pub(crate) struct Undo<'h>(&'h Handle);

impl<'h> Undo<'h> {
    fn begin(handle: &'h Handle, text: &str) -> Result<Self> {
        match handle.run(text) {
            Ok(()) => Ok(Self(handle)),
            Err(error) => Err(storage("beginning a transaction", error)),
        }
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        self.0.alarm.set(None);
        if !self.0.connection().is_autocommit() {
            // Where this fails the connection is broken, and found to be so.
            let _ = self.0.run("ROLLBACK");
        }
    }
}

/// Locks, whatever panicked under it: what these hold is whole at any time.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
