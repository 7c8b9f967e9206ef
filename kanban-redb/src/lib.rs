//! The redb engine: a board is one file, `board.redb`.
//!
//! [`RedbBackend`] is what [`Boards`](kanban_core::Boards) is opened with:
//!
//! ```no_run
//! use kanban_core::{Boards, Options};
//! use kanban_redb::RedbBackend;
//!
//! let boards = Boards::open_root("/var/lib/kanban", RedbBackend::new(), Options::default())?;
//! # Ok::<(), kanban_core::Error>(())
//! ```
//!
//! What it holds on to:
//!
//! - What a commit survives when it returns: the table below.
//! - Any number of processes may have a board open and write it in turns, unless their root
//!   is exclusive. What that costs: `docs/decisions/0006-redb-boards-are-shared-by-default.md`.
//! - No wait for another process is without end: writes, reads and opening end as `Busy`.
//! - After an error of the file redb does nothing more until the file is opened anew. The next read does that; a write that
//!   meets it is uncertain, never done, and the executor does it then.
//! - A file that is refused, as another program's database or as a newer board, keeps its bytes, though redb writes to
//!   open one: `docs/decisions/0009-redb-opens-a-file-on-trial.md`.
//! - What is found in the file after a flush that failed, by this process or the next one, is on the disk before it is believed,
//!   or the board stays shut: `docs/decisions/0011-redb-writes-a-file-again-in-doubt.md`.
//! - A write is answered only while the path still names the file it went to.
//! - A board file is untrusted input: every row passes the model's constructors, and where a damaged file makes redb
//!   panic, that is `Corrupt`. So the program must unwind when it panics.
//!
//! redb has nothing between a commit that is durable against a power cut and one that a killed process forgets
//! (`docs/decisions/0008-the-writer-flushes-lazy-boards.md`):
//!
//! | [`Durability`](kanban_core::Durability) | in an exclusive root | in a shared root |
//! | --- | --- | --- |
//! | `Power`, `Process` | durable when it returns, by one flush | durable when it returns, by two |
//! | `Lazy` | in memory until the flush within the interval: a killed process may lose what that has not reached | as `Power` |
//!
//! What it does not promise: redb verifies no checksum when it reads, so a bit that flipped inside a row may be
//! answered. [`Engine::check`](kanban_core::Engine::check) finds it, on files up to 1 GiB, and [`OpenCheck::Verify`] refuses such a file.
//!
//! Beside `board.redb` lie `board.lock`, under which it is made, and for a while `board.redb.new` and copies that are
//! checked. All are for their owner only. Unix only.

mod apply;
mod backend;
mod backup;
mod check;
mod core;
#[cfg(test)]
mod costs;
mod engine;
mod error;
mod files;
mod health;
mod keys;
mod rows;
mod schema;
mod setup;
mod storage;
mod trial;
mod view;
mod wait;

pub use self::backend::RedbBackend;
pub use self::core::OpenCheck;
pub use self::engine::RedbEngine;
