//! The SQLite engine: a board is a file `board.db` that a person can read with the `sqlite3` shell.
//!
//! [`SqliteBackend`] is what [`Boards`](kanban_core::Boards) is opened with:
//!
//! ```no_run
//! use kanban_core::{Boards, Options};
//! use kanban_sqlite::SqliteBackend;
//!
//! let boards = Boards::open_root("/var/lib/kanban", SqliteBackend::new(), Options::default())?;
//! # Ok::<(), kanban_core::Error>(())
//! ```
//!
//! What it holds on to:
//!
//! - A board is in WAL mode, always. Each thread has its own connection to each board it asks.
//! - On Linux SQLite's locks belong to open descriptors ([`Locks`]): no other code of the process can lose them.
//! - Nothing here opens the files of a board besides SQLite, once they exist.
//! - A write is answered only while the paths still name the files it went to. Else it is uncertain, never done.
//! - A board file is untrusted input: triggers and views are off, and its schema must be exactly the expected one.
//!
//! | `Durability` | `PRAGMA synchronous` | survives |
//! | --- | --- | --- |
//! | `Power` | `FULL` | a power cut, on disks that honour a flush |
//! | `Process` | `NORMAL` | a killed process |
//! | `Lazy` | `NORMAL`, and a flush within the interval | a killed process; a power cut may lose the interval |
//!
//! Beside `board.db` lie `board.db-wal` and `board.db-shm`, which are part of it, and `board.lock`, under which it is
//! set up. All are for their owner only. Unix only.

mod apply;
mod backend;
mod backup;
mod cache;
mod check;
mod connection;
mod core;
#[cfg(test)]
mod costs;
mod engine;
mod error;
mod files;
mod filesystem;
mod gate;
mod locks;
mod prepared;
mod rows;
mod schema;
mod setup;
mod statements;
mod view;
mod wait;
mod wal;

pub use self::backend::SqliteBackend;
pub use self::engine::SqliteEngine;
pub use self::filesystem::FilesystemCheck;
pub use self::locks::Locks;

/// The example of the README is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
