//! Which locks SQLite takes on its files.
//!
//! A POSIX lock belongs to the process: closing *any* descriptor of a file drops *all* locks that the process holds
//! on it. One stray `open` and `close` of a board's file (a backup, a hash, a header probe) and another process
//! believes it is the last one, checkpoints, and unlinks the `-wal` under this one, which goes on acknowledging writes
//! into a deleted file. An open-file-description lock belongs to the descriptor, and nothing else releases it.

use std::sync::OnceLock;

use kanban_core::{Error, Result, Unavailable};

/// Which locks SQLite takes on its files: one choice per process, made by the first board that is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Locks {
    /// Locks that belong to the open descriptor. Nothing but SQLite can release them. The default on Linux. They replace
    /// the POSIX locks of this process's copy of SQLite, whoever else uses that copy; other processes see them
    /// as they see POSIX locks.
    #[cfg(target_os = "linux")]
    OpenFileDescription,
    /// SQLite's own POSIX locks. No code of the process may open a board's files then, outside SQLite.
    Posix,
}

impl Default for Locks {
    fn default() -> Self {
        #[cfg(target_os = "linux")]
        return Self::OpenFileDescription;
        #[cfg(not(target_os = "linux"))]
        return Self::Posix;
    }
}

static CHOSEN: OnceLock<Result<Locks, &'static str>> = OnceLock::new();

/// Makes the choice, before the first open. A lock of one kind cannot be released as the other, so a later
/// choice that differs is refused.
pub(crate) fn choose(locks: Locks) -> Result<()> {
    let chosen = CHOSEN.get_or_init(|| match locks {
        #[cfg(target_os = "linux")]
        Locks::OpenFileDescription => ofd::install().map(|()| locks),
        Locks::Posix => Ok(locks),
    });
    match chosen {
        Ok(chosen) if *chosen == locks => Ok(()),
        Ok(chosen) => Err(Error::unavailable(
            Unavailable::InUse,
            format!("this process opened a board with other locks: {chosen:?}"),
        )),
        Err(why) => Err(Error::unavailable(Unavailable::Library, *why)),
    }
}

#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "SQLite takes its system calls as C function pointers; nothing safe wraps that"
)]
mod ofd {
    use std::ffi::{c_char, c_int, c_void};

    use rusqlite::ffi;

    /// `fcntl` with the three POSIX lock commands replaced by their open-file-description twins.
    ///
    /// # Safety
    /// As `fcntl(2)`: for the lock commands `arg` points to a `flock`, for the others it is what they take.
    unsafe extern "C" fn fcntl(descriptor: c_int, command: c_int, arg: *mut c_void) -> c_int {
        let twin = match command {
            libc::F_SETLK => libc::F_OFD_SETLK,
            libc::F_SETLKW => libc::F_OFD_SETLKW,
            libc::F_GETLK => libc::F_OFD_GETLK,
            // SAFETY: the caller's arguments, passed on as they are. SQLite passes an int or nothing here, which is in
            // the register (or its low half) that `fcntl` reads it from.
            _ => return unsafe { libc::fcntl(descriptor, command, arg) },
        };
        // SAFETY: for a lock command `arg` points to the caller's `flock`, alive and unaliased during the call.
        // The kernel refuses an open-file-description lock whose l_pid is not 0.
        unsafe {
            (*arg.cast::<libc::flock>()).l_pid = 0;
            libc::fcntl(descriptor, twin, arg)
        }
    }

    type Fcntl = unsafe extern "C" fn(c_int, c_int, *mut c_void) -> c_int;
    type SystemCall = unsafe extern "C" fn();

    /// Makes SQLite's default file system layer use it.
    pub(super) fn install() -> Result<(), &'static str> {
        // SAFETY: a null name asks for the default layer; it is static data of the library, or null.
        let layer = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        // SAFETY: the pointer is null or valid for the whole process; nothing writes to this field.
        let known = unsafe { layer.as_ref() }.filter(|layer| layer.iVersion >= 3);
        // Below version 3 the struct ends before this field.
        let set = known.and_then(|layer| layer.xSetSystemCall);
        let Some(set) = set else {
            return Err("SQLite lets nobody replace its system calls");
        };
        let name: *const c_char = c"fcntl".as_ptr();
        // SAFETY: SQLite stores the pointer and calls it back as `int(*)(int, int, ...)`, always with two or
        // three arguments of integer or pointer class. On Linux on x86_64 and aarch64 such a variadic call passes them in the
        // registers of this signature; SystemCall is only the type under which SQLite stores any such pointer.
        let done = unsafe {
            set(
                layer,
                name,
                Some(std::mem::transmute::<Fcntl, SystemCall>(fcntl)),
            )
        };
        match done {
            ffi::SQLITE_OK => Ok(()),
            _ => Err("SQLite has no system call of the name fcntl"),
        }
    }
}
