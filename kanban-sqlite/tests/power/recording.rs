//! SQLite's own file system layer, which writes down what is done to the files of a board, and fails a flush of them when it
//! is told to. Only of boards that a test asked for: all others pass by.

use std::collections::BTreeMap;
use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

use rusqlite::ffi;

/// The files of a board in which commits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Database,
    Wal,
}

impl Name {
    pub(crate) const ALL: [Self; 2] = [Self::Database, Self::Wal];

    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Database => "board.db",
            Self::Wal => "board.db-wal",
        }
    }
}

/// What happened, in that order.
#[derive(Debug)]
pub(crate) enum Entry {
    Write {
        file: Name,
        at: usize,
        bytes: Vec<u8>,
    },
    /// A file got another length.
    Resize { file: Name, len: usize },
    /// A file was flushed.
    Sync(Name),
    /// A flush of it failed.
    SyncFailed(Name),
    /// The engine answered one more write.
    Answered,
    /// The engine answered that all of them are durable.
    Flushed,
}

#[derive(Debug, Default)]
struct Record {
    log: Vec<Entry>,
    /// The file whose next flush fails.
    failing: Option<Name>,
}

/// What is written down, by the board's directory.
static RECORDS: Mutex<BTreeMap<PathBuf, Record>> = Mutex::new(BTreeMap::new());

/// What is done to the files in a directory, from the first open on.
#[derive(Debug)]
pub(crate) struct Recording(PathBuf);

impl Recording {
    /// Before anything in the directory is opened.
    pub(crate) fn of(directory: &Path) -> Self {
        layer::install();
        let directory = directory.canonicalize().unwrap();
        lock(&RECORDS).insert(directory.clone(), Record::default());
        Self(directory)
    }

    pub(crate) fn note(&self, entry: Entry) {
        note(&self.0, entry);
    }

    /// The next flush of a file fails.
    pub(crate) fn fail_next_sync(&self, file: Name) {
        lock(&RECORDS).get_mut(&self.0).unwrap().failing = Some(file);
    }

    /// Whether the flush that is to fail has not come yet.
    pub(crate) fn is_failing(&self) -> bool {
        lock(&RECORDS)[&self.0].failing.is_some()
    }

    /// All of it. Nothing more is written down.
    pub(crate) fn end(self) -> Vec<Entry> {
        lock(&RECORDS).remove(&self.0).unwrap().log
    }
}

fn note(directory: &Path, entry: Entry) {
    if let Some(record) = lock(&RECORDS).get_mut(directory) {
        record.log.push(entry);
    }
}

/// Whether this is the flush that fails.
fn fails(directory: &Path, file: Name) -> bool {
    let mut records = lock(&RECORDS);
    let record = records.get_mut(directory);
    record.is_some_and(|record| record.failing.take_if(|next| *next == file).is_some())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    unsafe_code,
    reason = "SQLite takes its file system layer as C function pointers; nothing safe wraps that with a -wal"
)]
mod layer {
    use super::{
        BTreeMap, CStr, Entry, Mutex, Name, Once, OnceLock, OsStr, OsStrExt, Path, PathBuf,
        RECORDS, c_int, c_void, fails, ffi, lock, note,
    };

    type Open = unsafe extern "C" fn(
        *mut ffi::sqlite3_vfs,
        ffi::sqlite3_filename,
        *mut ffi::sqlite3_file,
        c_int,
        *mut c_int,
    ) -> c_int;

    /// How SQLite opens files.
    static OPEN: OnceLock<Open> = OnceLock::new();
    /// How it handles each, and the same with what is written down. It has one table for databases and one for the rest.
    static TABLES: [OnceLock<(ffi::sqlite3_io_methods, ffi::sqlite3_io_methods)>; 2] =
        [const { OnceLock::new() }; 2];
    /// The files that are open, by the address of SQLite's object.
    static FILES: Mutex<BTreeMap<usize, (PathBuf, Name)>> = Mutex::new(BTreeMap::new());

    /// Puts it over the default layer, for the whole process.
    pub(super) fn install() {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            // SAFETY: a null name asks for the default layer, which is static data of the library.
            let mut layer = unsafe { *ffi::sqlite3_vfs_find(std::ptr::null()) };
            OPEN.set(layer.xOpen.unwrap()).unwrap();
            layer.xOpen = Some(open);
            layer.zName = c"recording".as_ptr();
            let layer = Box::leak(Box::new(layer));
            // SAFETY: the layer lives for ever, and is a copy of one that works but for its name and `xOpen`.
            let done = unsafe { ffi::sqlite3_vfs_register(layer, 1) };
            assert_eq!(done, ffi::SQLITE_OK);
        });
    }

    /// Which file of which board that is written down a path names.
    fn known(path: &CStr) -> Option<(PathBuf, Name)> {
        let path = Path::new(OsStr::from_bytes(path.to_bytes()));
        let name = path.file_name()?;
        let name = Name::ALL.into_iter().find(|known| name == known.file())?;
        let directory = path.parent()?;
        lock(&RECORDS)
            .contains_key(directory)
            .then(|| (directory.to_owned(), name))
    }

    /// # Safety
    /// As `xOpen` of the layer below.
    unsafe extern "C" fn open(
        layer: *mut ffi::sqlite3_vfs,
        path: ffi::sqlite3_filename,
        file: *mut ffi::sqlite3_file,
        flags: c_int,
        out: *mut c_int,
    ) -> c_int {
        let below = OPEN.get().unwrap();
        // SAFETY: the caller's arguments, passed on as they are.
        let done = unsafe { below(layer, path, file, flags, out) };
        if done != ffi::SQLITE_OK || path.is_null() {
            return done;
        }
        // SAFETY: a path that is not null ends with a zero, and lives as long as the file.
        let Some(known) = known(unsafe { CStr::from_ptr(path) }) else {
            return done;
        };
        let table = TABLES[known.1 as usize].get_or_init(|| {
            // SAFETY: a file that was opened has a table, which is static data of the library.
            let below = unsafe { *(*file).pMethods };
            let above = ffi::sqlite3_io_methods {
                xClose: Some(close),
                xWrite: Some(write),
                xTruncate: Some(truncate),
                xSync: Some(sync),
                ..below
            };
            (below, above)
        });
        lock(&FILES).insert(file.addr(), known);
        // SAFETY: the file is the caller's, open and unaliased. All but four of the table's functions are its own.
        unsafe { (*file).pMethods = &raw const table.1 };
        done
    }

    /// Whose file it is, and the functions below.
    fn opened(file: *mut ffi::sqlite3_file) -> (PathBuf, Name, ffi::sqlite3_io_methods) {
        let (directory, name) = lock(&FILES)[&file.addr()].clone();
        let below = TABLES[name as usize].get().unwrap().0;
        (directory, name, below)
    }

    /// # Safety
    /// As `xClose` of the layer below.
    unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
        let (_, _, below) = opened(file);
        lock(&FILES).remove(&file.addr());
        // SAFETY: the file was opened by the layer below.
        unsafe { below.xClose.unwrap()(file) }
    }

    /// # Safety
    /// As `xWrite` of the layer below.
    unsafe extern "C" fn write(
        file: *mut ffi::sqlite3_file,
        data: *const c_void,
        len: c_int,
        at: i64,
    ) -> c_int {
        let (directory, name, below) = opened(file);
        // SAFETY: the file was opened by the layer below, and the rest is the caller's.
        let done = unsafe { below.xWrite.unwrap()(file, data, len, at) };
        if done == ffi::SQLITE_OK {
            let len = usize::try_from(len).unwrap();
            // SAFETY: the caller has so many bytes there, during the call.
            let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) };
            let entry = Entry::Write {
                file: name,
                at: usize::try_from(at).unwrap(),
                bytes: bytes.to_vec(),
            };
            note(&directory, entry);
        }
        done
    }

    /// # Safety
    /// As `xTruncate` of the layer below.
    unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: i64) -> c_int {
        let (directory, name, below) = opened(file);
        // SAFETY: the file was opened by the layer below.
        let done = unsafe { below.xTruncate.unwrap()(file, len) };
        if done == ffi::SQLITE_OK {
            let len = usize::try_from(len).unwrap();
            note(&directory, Entry::Resize { file: name, len });
        }
        done
    }

    /// The disk is the record: nothing needs to reach a real one.
    ///
    /// # Safety
    /// As `xSync` of the layer below.
    unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
        let (directory, name, _) = opened(file);
        if fails(&directory, name) {
            note(&directory, Entry::SyncFailed(name));
            return ffi::SQLITE_IOERR_FSYNC;
        }
        note(&directory, Entry::Sync(name));
        ffi::SQLITE_OK
    }
}
