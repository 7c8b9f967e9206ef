//! Connections per thread and board.
//!
//! A connection is used by the thread that opened it, which finds it in its thread-local list; nobody else uses it.
//! It sits in a seat, which its engine knows too: so a reopened or closed engine can empty every thread's seats
//! itself. It must: SQLite shares one memory of the `-wal` among all connections of the process to a file, and one
//! connection left on an unlinked `-wal` would drag every new one down with it.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kanban_core::Result;

use crate::connection::Role;
use crate::core::{Core, Handle};

/// How many boards' readers a thread keeps.
const BOARDS_MAX: usize = 16;

/// Where one thread's connection to one board sits. Empty: it is opened at the next use.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) role: Role,
    handle: Mutex<Option<Handle>>,
}

impl Seat {
    /// The connection, for its thread or for the engine that takes it away.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Handle>> {
        // A panic in the middle of a use leaves a connection that is checked before the next one.
        self.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, unless its thread is using it.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, Option<Handle>>> {
        self.handle.try_lock().ok()
    }
}

/// One thread's list. The one used last is at the end.
#[derive(Debug)]
struct Entry {
    core: Arc<Core>,
    seat: Arc<Seat>,
}

impl Entry {
    fn is_of(&self, core: &Core, role: Role) -> bool {
        self.core.instance() == core.instance() && self.seat.role == role
    }
}

thread_local! {
    static ENTRIES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// Lends this thread's connection, opened if need be. Nested uses get another one.
pub(crate) fn with<T>(
    core: &Arc<Core>,
    role: Role,
    work: impl FnOnce(&mut Handle) -> Result<T>,
) -> Result<T> {
    core.usable()?;
    let loan = Loan(Some(take(core, role)));
    let Some(entry) = &loan.0 else {
        return Err(Core::closed());
    };
    let mut seat = entry.seat.lock();
    if seat.as_ref().is_none_or(Handle::is_broken) {
        *seat = None;
        if core.identity().is_none() {
            // A reopen failed. By its path another board may be opened.
            return Err(Core::closed());
        }
        *seat = Some(core.connect(role)?);
    }
    let Some(handle) = seat.as_mut() else {
        return Err(Core::closed());
    };
    let result = work(handle);
    if handle.is_broken() {
        *seat = None;
    }
    result
}

/// Puts a connection into this thread's list.
pub(crate) fn keep(core: &Arc<Core>, role: Role, handle: Handle) {
    let entry = take(core, role);
    *entry.seat.lock() = Some(handle);
    give_back(entry);
}

/// Closes this thread's readers of a board.
pub(crate) fn release(core: &Core) {
    drop(remove(|entry| entry.is_of(core, Role::Reader)));
}

/// Takes everything of a board, and of engines closed meanwhile, out of this thread's list.
pub(crate) fn purge(core: &Core) {
    drop(remove(|entry| entry.core.instance() == core.instance()));
}

/// An entry on loan; goes back to the list also when its user panics.
struct Loan(Option<Entry>);

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(entry) = self.0.take() {
            give_back(entry);
        }
    }
}

fn take(core: &Arc<Core>, role: Role) -> Entry {
    let found = ENTRIES.try_with(|entries| {
        let mut entries = entries.borrow_mut();
        let at = entries.iter().rposition(|entry| entry.is_of(core, role))?;
        Some(entries.remove(at))
    });
    if let Ok(Some(entry)) = found {
        return entry;
    }
    let seat = Arc::new(Seat {
        role,
        handle: Mutex::new(None),
    });
    core.register(&seat);
    Entry {
        core: Arc::clone(core),
        seat,
    }
}

fn give_back(entry: Entry) {
    let core = Arc::clone(&entry.core);
    let role = entry.seat.role;
    // What falls out is closed outside of the borrow. A thread that is ending has no list any more: closed too.
    let mut fallen = remove(|other| other.is_of(&core, role));
    let _ = ENTRIES.try_with(|entries| {
        let mut entries = entries.borrow_mut();
        entries.push(entry);
        let readers = entries
            .iter()
            .filter(|entry| entry.seat.role == Role::Reader);
        if readers.count() > BOARDS_MAX
            && let Some(oldest) = entries
                .iter()
                .position(|entry| entry.seat.role == Role::Reader)
        {
            fallen.push(entries.remove(oldest));
        }
    });
}

fn remove(wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
    let removed = ENTRIES.try_with(|entries| {
        let wanted = |entry: &mut Entry| wanted(entry) || entry.core.usable().is_err();
        entries.borrow_mut().extract_if(.., wanted).collect()
    });
    removed.unwrap_or_default()
}
