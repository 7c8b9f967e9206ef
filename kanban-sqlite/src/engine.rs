//! One open board.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kanban_core::{
    BoardState, Copied, Engine, Error, ErrorKind, Result, Txn, Unavailable, Upkeep, Verdict, View,
    Violation, WriteEnd,
};
use rusqlite::config::DbConfig;

use crate::backup;
use crate::cache;
use crate::check;
use crate::connection::{Role, synchronous};
use crate::core::{Core, Handle, Undo, lock};
use crate::error::{outgrown, storage};
use crate::setup::{ready, set_up};
use crate::statements as sql;
use crate::view::Board;
use crate::wait::Deadline;
use crate::wal::{self, Checkpoint};

/// The `-wal` is copied into the database when the writer is idle and it has as many pages.
const IDLE_FRAMES: u32 = 1000;
/// The size of a page; SQLite's default, which a new board gets.
const PAGE_LEN: u64 = 4096;

/// One open board. Its connections stay inside.
#[derive(Debug)]
pub struct SqliteEngine {
    core: Arc<Core>,
    read_deadline: Duration,
    /// What the writer must tell before it goes on.
    trouble: Mutex<Trouble>,
    /// The `-wal` may hold commits whose flush failed: later ones must not stand behind them.
    has_unflushed: AtomicBool,
}

#[derive(Debug, Default)]
enum Trouble {
    #[default]
    None,
    /// An error of upkeep.
    Idle(Error),
    /// A commit is uncertain: nothing is written before the files are opened anew.
    Uncertain,
}

impl SqliteEngine {
    /// Sets the board up if need be, and opens the writer's connection on this thread.
    pub(crate) fn open(
        core: Core,
        read_deadline: Duration,
        create: Option<&BoardState>,
    ) -> Result<Self> {
        let core = Arc::new(core);
        let handle = set_up(&core, create)?;
        cache::keep(&core, Role::Writer, handle);
        Ok(Self {
            core,
            read_deadline,
            trouble: Mutex::default(),
            has_unflushed: AtomicBool::new(false),
        })
    }

    /// How many connections to the board are open, over all threads.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.core.opened()
    }

    #[cfg(test)]
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.core.busy_deadline)
    }

    fn write_with(
        &self,
        handle: &Handle,
        fill: &mut dyn FnMut(&mut dyn Txn) -> Result<Verdict>,
    ) -> WriteEnd {
        let end = match self.make_room(handle) {
            Ok(()) => self.transact(handle, fill),
            Err(error) => WriteEnd::NotWritten(error),
        };
        // An acknowledged write must be where others look for it. Whatever else went wrong, a moved file is why.
        let end = match self.core.in_place() {
            Ok(()) => end,
            Err(error) => WriteEnd::Uncertain(error),
        };
        if matches!(end, WriteEnd::Uncertain(_)) {
            *lock(&self.trouble) = Trouble::Uncertain;
        }
        end
    }

    fn transact(
        &self,
        handle: &Handle,
        fill: &mut dyn FnMut(&mut dyn Txn) -> Result<Verdict>,
    ) -> WriteEnd {
        let undo = match handle.begin_write(self.deadline()) {
            Ok(undo) => undo,
            Err(error) => return WriteEnd::NotWritten(error),
        };
        // Now that nobody else can write, and before anything is: two writers with an index each of one -wal write over each
        // other's commits, and the one that comes later would find out too late.
        if let Err(error) = self.core.in_place() {
            return WriteEnd::Uncertain(error);
        }
        let mut board = Board::on(handle.connection(), &handle.alarm);
        let filled = fill(&mut board).and_then(|verdict| {
            if verdict == Verdict::Commit {
                board.write_counters()?;
            }
            Ok(verdict)
        });
        match filled {
            Err(error) => WriteEnd::NotWritten(error),
            Ok(Verdict::RollBack) => WriteEnd::Done(Verdict::RollBack),
            Ok(Verdict::Commit) => self.commit(handle, undo),
        }
    }

    fn commit(&self, handle: &Handle, undo: Undo<'_>) -> WriteEnd {
        if handle.connection().is_autocommit() {
            let context = "the transaction was undone by an error inside it";
            return WriteEnd::NotWritten(Error::unavailable(Unavailable::Io, context));
        }
        let mut is_refused = false;
        let done = self.deadline().retry(|| {
            handle.run("COMMIT").map_err(|error| {
                let code = error.sqlite_error_code();
                is_refused = code == Some(rusqlite::ErrorCode::ConstraintViolation);
                storage("committing", error)
            })
        });
        drop(undo);
        match done {
            Ok(()) => WriteEnd::Done(Verdict::Commit),
            // Before anything was written: a lock of others, or rows that refer to none.
            Err(error) if is_refused || *error.kind() == ErrorKind::Busy => {
                WriteEnd::NotWritten(error)
            }
            Err(error) => WriteEnd::Uncertain(error),
        }
    }

    /// A writer that is never idle checkpoints before a write: the `-wal` is bounded all the same.
    fn make_room(&self, handle: &Handle) -> Result<()> {
        let pages = u64::from(self.core.frames.load(Ordering::Relaxed));
        if pages * PAGE_LEN <= self.core.settings.wal_len_max {
            return Ok(());
        }
        self.core.in_place()?;
        self.checkpoint(handle).map(|_| ())
    }

    /// A checkpoint flushes the `-wal` first. Where that fails the system tells it once: a later flush would go well over the
    /// hole that is left.
    fn noted(&self, got: Result<Checkpoint>) -> Result<Checkpoint> {
        got.inspect_err(|_| self.has_unflushed.store(true, Ordering::Relaxed))
    }

    fn checkpoint(&self, handle: &Handle) -> Result<Checkpoint> {
        let got = self.noted(wal::checkpoint(handle.connection()))?;
        if got == Checkpoint::Complete {
            // The next commit begins the -wal from its start.
            self.core.frames.store(0, Ordering::Relaxed);
        }
        Ok(got)
    }

    /// Reads one snapshot for longer than a question may. It ends once the `-wal` has outgrown its bound behind it.
    fn long<T>(&self, what: &str, read: impl FnOnce(&Handle) -> Result<T>) -> Result<T> {
        cache::with(&self.core, Role::Reader, |handle| {
            self.cut(handle)?;
            let undo = handle.begin_snapshot(self.deadline())?;
            handle.alarm.set_long();
            let done = read(handle);
            let has_rung = handle.alarm.rings();
            drop(undo);
            match done {
                // Whatever was being done when it rang, this is why it ended.
                Err(error) if has_rung && *error.kind() == ErrorKind::Busy => Err(outgrown(what)),
                done => done,
            }
        })
    }

    /// Cuts off what an earlier long read has left: the next one is not refused for it.
    fn cut(&self, handle: &Handle) -> Result<()> {
        if !handle.alarm.is_outgrown() {
            return Ok(());
        }
        self.core.in_place()?;
        match wal::truncate(handle.connection())? {
            Checkpoint::Complete => Ok(()),
            Checkpoint::Partial => {
                let context =
                    "the -wal has outgrown its bound, and somebody still reads what is in it";
                Err(Error::new(ErrorKind::Busy, context))
            }
        }
    }

    fn keep_up(&self, handle: &Handle) -> Result<Upkeep> {
        let wal_len = self.core.place.wal_len();
        let is_long = wal_len > 0 && wal_len >= self.core.settings.wal_len_max;
        if self.core.frames.load(Ordering::Relaxed) < IDLE_FRAMES && !is_long {
            return Ok(Upkeep::Done);
        }
        // A -wal that is not the board's any more must not get into the database. The next write tells.
        if self.core.in_place().is_err() {
            return Ok(Upkeep::Done);
        }
        let mut got = self.checkpoint(handle)?;
        if got == Checkpoint::Complete && is_long {
            got = self.noted(wal::truncate(handle.connection()))?;
        }
        Ok(match got {
            Checkpoint::Complete => Upkeep::Done,
            // A reader holds it up, and nobody tells when it ends.
            Checkpoint::Partial => Upkeep::Behind,
        })
    }

    /// After a failed flush the system may call pages of the `-wal` clean that never reached the disk, and commits appended
    /// behind such a hole are lost with it. So everything goes into the database, and the `-wal` begins anew.
    fn empty_wal(&self, handle: &Handle) -> Result<()> {
        if !self.has_unflushed.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.deadline()
            .retry(|| match wal::truncate(handle.connection())? {
                Checkpoint::Complete => Ok(()),
                Checkpoint::Partial => {
                    let context = "somebody reads what a failed flush has left";
                    Err(Error::new(ErrorKind::Busy, context))
                }
            })?;
        self.core.frames.store(0, Ordering::Relaxed);
        self.has_unflushed.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Commits at FULL, which syncs the whole `-wal`.
    fn sync(&self, handle: &Handle) -> Result<()> {
        let doing = |error| storage("flushing", error);
        let level = |level: i64| {
            let connection = handle.connection();
            connection
                .pragma_update(None, "synchronous", level)
                .map_err(doing)
        };
        level(2)?;
        let done = handle.begin_write(self.deadline()).and_then(|_undo| {
            // As in a write.
            self.core.in_place()?;
            // A row that is written as it is leaves its page clean, and a commit without pages syncs nothing.
            handle.run(sql::TOUCH).map_err(doing)?;
            handle.run(sql::TOUCH_BACK).map_err(doing)?;
            handle.run("COMMIT").map_err(doing)
        });
        level(synchronous(self.core.settings.durability))?;
        done?;
        self.core.in_place()
    }

    /// Closes every connection of this process to the board, the writer's last.
    fn empty_seats(&self) {
        for seat in self.core.seats() {
            *seat.lock() = None;
        }
    }

    /// Lets the closing of the writer's connection checkpoint and remove the `-wal`, if it is the last one.
    ///
    /// A `-wal` that lost its name is not copied into the database, though it is still open: since then others may have
    /// written, and checkpointed, and nothing here can tell. Its pages over theirs would damage the board. A `-shm` that
    /// lost its name loses nothing: the commits are in the `-wal`, which stays, as after a crash.
    fn allow_checkpoint_on_close(&self) -> Result<()> {
        // Without one the store has failed, and told so.
        let Some(identity) = self.core.identity() else {
            return Ok(());
        };
        self.core.place.expect_commits(identity)?;
        let is_certain = !matches!(*lock(&self.trouble), Trouble::Uncertain);
        if !is_certain || self.core.in_place().is_err() {
            return Ok(());
        }
        for seat in self.core.seats() {
            if seat.role == Role::Writer
                && let Some(handle) = seat.lock().as_ref()
            {
                let switch = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
                // Without it the -wal stays, as after a crash.
                let _ = handle.connection().set_db_config(switch, false);
            }
        }
        Ok(())
    }
}

impl Engine for SqliteEngine {
    fn read(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        cache::with(&self.core, Role::Reader, |handle| {
            let undo = handle.begin_snapshot(self.deadline())?;
            handle.alarm.set(Some(self.read_deadline));
            let answer = ask(&Board::on(handle.connection(), &handle.alarm));
            drop(undo);
            answer
        })
    }

    fn read_long(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        self.long("export", |handle| {
            ask(&Board::on(handle.connection(), &handle.alarm))
        })
    }

    fn backup(&self, to: &Path, go_on: &dyn Fn(Copied) -> Result<()>) -> Result<()> {
        self.long("backup", |handle| {
            backup::copy(handle.connection(), to, &|copied| {
                if handle.alarm.rings() {
                    return Err(outgrown("backup"));
                }
                go_on(copied)
            })
        })
    }

    fn write(&self, fill: &mut dyn FnMut(&mut dyn Txn) -> Result<Verdict>) -> WriteEnd {
        // Before any lock: in a forked child nobody may ever release it.
        if let Err(error) = self.core.usable() {
            return WriteEnd::NotWritten(error);
        }
        let mut trouble = lock(&self.trouble);
        match std::mem::take(&mut *trouble) {
            Trouble::None => {}
            Trouble::Idle(error) => return WriteEnd::NotWritten(error),
            Trouble::Uncertain => {
                *trouble = Trouble::Uncertain;
                let context = "a commit is uncertain, the files must be opened anew";
                return WriteEnd::NotWritten(Error::unavailable(Unavailable::Io, context));
            }
        }
        drop(trouble);
        cache::with(&self.core, Role::Writer, |handle| {
            Ok(self.write_with(handle, fill))
        })
        .unwrap_or_else(WriteEnd::NotWritten)
    }

    fn flush(&self) -> Result<()> {
        cache::with(&self.core, Role::Writer, |handle| {
            self.core.in_place()?;
            self.empty_wal(handle)?;
            self.sync(handle)
        })
    }

    /// What was committed is with the operating system, at each durability.
    fn outlives_process(&self) -> bool {
        true
    }

    fn reopen(&self) -> Result<()> {
        self.core.usable()?;
        // Until it is done: what is opened by its path otherwise may be another board.
        *lock(&self.trouble) = Trouble::Uncertain;
        self.has_unflushed.store(true, Ordering::Relaxed);
        self.empty_seats();
        self.core.wait_until_none_is_opened();
        let before = self.core.forget();
        if let Some(before) = before {
            self.core.place.expect_database(before)?;
        }
        let handle = ready(&self.core)?
            .ok_or_else(|| Error::corrupt("the board that was open is not set up any more"))?;
        if let Some(before) = before {
            // Asked again: by now it is open.
            if let Err(error) = self.core.place.expect_database(before) {
                self.core.forget();
                return Err(error);
            }
        }
        cache::keep(&self.core, Role::Writer, handle);
        *lock(&self.trouble) = Trouble::None;
        Ok(())
    }

    fn idle(&self) -> Upkeep {
        if self.core.usable().is_err() || !matches!(*lock(&self.trouble), Trouble::None) {
            return Upkeep::Done;
        }
        let done = cache::with(&self.core, Role::Writer, |handle| self.keep_up(handle));
        done.unwrap_or_else(|error| match error.kind() {
            ErrorKind::Busy => Upkeep::Behind,
            ErrorKind::Closed => Upkeep::Done,
            _ => {
                *lock(&self.trouble) = Trouble::Idle(error);
                Upkeep::Done
            }
        })
    }

    fn release_thread(&self) {
        cache::release(&self.core);
    }

    fn close(&self) -> Result<()> {
        if self.core.is_forked() || !self.core.shut() {
            return Ok(());
        }
        let is_whole = self.allow_checkpoint_on_close();
        self.empty_seats();
        cache::purge(&self.core);
        self.core.wait_until_none_is_opened();
        is_whole
    }

    fn check(&self, limit: usize) -> Result<Vec<Violation>> {
        self.long("check", |handle| check::check(handle.connection(), limit))
    }
}

impl Drop for SqliteEngine {
    fn drop(&mut self) {
        if self.core.is_forked() || !self.core.shut() {
            return;
        }
        // Not closed: as after a crash, nothing is checkpointed; what a thread is using, it closes itself.
        for seat in self.core.seats() {
            if let Some(mut handle) = seat.try_lock() {
                *handle = None;
            }
        }
        cache::purge(&self.core);
    }
}

#[cfg(test)]
mod tests;
