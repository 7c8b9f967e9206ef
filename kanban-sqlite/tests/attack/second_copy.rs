//! Another copy of SQLite in this process, as a plug-in or another language's runtime brings it along.
#![expect(
    unsafe_code,
    reason = "the system's library is loaded and called by hand; no crate may link a second one"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

type Open = unsafe extern "C" fn(*const c_char, *mut *mut c_void) -> c_int;
type Exec = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    *const c_void,
    *mut c_void,
    *mut *mut c_char,
) -> c_int;
type Close = unsafe extern "C" fn(*mut c_void) -> c_int;
type Version = unsafe extern "C" fn() -> *const c_char;

/// The system's library, loaded beside ours.
pub(crate) struct SecondCopy {
    open: Open,
    exec: Exec,
    close: Close,
    version: String,
}

impl SecondCopy {
    pub(crate) fn load() -> Self {
        // SAFETY: a library that runs no code of its own when it is loaded; its names stay its own.
        let library = unsafe {
            libc::dlopen(
                c"libsqlite3.so.0".as_ptr(),
                libc::RTLD_NOW | libc::RTLD_LOCAL,
            )
        };
        assert!(
            !library.is_null(),
            "this test needs the system's own SQLite, libsqlite3.so.0: install the package sqlite3"
        );
        let symbol = |name: &CStr| {
            // SAFETY: the library is loaded and never unloaded, the name ends with a zero byte.
            let found = unsafe { libc::dlsym(library, name.as_ptr()) };
            assert!(!found.is_null(), "no {name:?} in the system's SQLite");
            found
        };
        // SAFETY: these are the types that SQLite documents for these names.
        unsafe {
            let version =
                std::mem::transmute::<*mut c_void, Version>(symbol(c"sqlite3_libversion"));
            assert!(
                !ptr::addr_eq(
                    version as *const (),
                    rusqlite::ffi::sqlite3_libversion as *const ()
                ),
                "expected a second copy of SQLite, found the first"
            );
            Self {
                open: std::mem::transmute::<*mut c_void, Open>(symbol(c"sqlite3_open")),
                exec: std::mem::transmute::<*mut c_void, Exec>(symbol(c"sqlite3_exec")),
                close: std::mem::transmute::<*mut c_void, Close>(symbol(c"sqlite3_close")),
                version: CStr::from_ptr(version()).to_string_lossy().into_owned(),
            }
        }
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Opens the database, reads it and closes it. Whether it was told that all went well.
    pub(crate) fn reads(&self, database: &Path) -> bool {
        let path = CString::new(database.as_os_str().as_bytes()).unwrap();
        let mut connection = ptr::null_mut();
        // SAFETY: the path and the text end with a zero byte; the connection is closed once, also where it could not be
        // opened, as SQLite asks for; no callback, no data for it, no message.
        unsafe {
            let opened = (self.open)(path.as_ptr(), &raw mut connection);
            let read = (self.exec)(
                connection,
                c"SELECT count(*) FROM task".as_ptr(),
                ptr::null(),
                ptr::null_mut(),
                ptr::null_mut(),
            );
            let closed = (self.close)(connection);
            [opened, read, closed] == [0, 0, 0]
        }
    }
}
