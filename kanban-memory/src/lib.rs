//! The engine that keeps boards in memory: for the tests of programs that use the board store.
//!
//! It is a whole engine, held to the same suite as the others: the same rules, the same answers, the same refusals, with
//! nothing to install and no flush to wait for. A test takes a fresh directory and this backend in place of its own:
//!
//! ```
//! use kanban_core::{Boards, ClaimTask, Label, NewTask, NotClaimable, Options, Rejection, Status, Title};
//! use kanban_memory::MemoryBackend;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> { pollster::block_on(async {
//! let root = tempfile::tempdir()?;
//! let boards = Boards::open_root(root.path(), MemoryBackend::new(), Options::default())?;
//! let board = boards.open(None).await?;
//! let task = board.create(NewTask::new(Title::new("Write the report")?)).await?.value.id;
//! let claimant = Label::new("claimant", "worker-1")?;
//! let claim = ClaimTask { task, claimant, ttl: None, request_id: None };
//! board.claim(claim.clone()).await?;
//! let refused = board.claim(claim).await.unwrap_err();
//! let running = NotClaimable::Status(Status::Running);
//! assert_eq!(refused.rejection(), Some(&Rejection::NotClaimable(running)));
//! # Ok(()) }) }
//! ```
//!
//! # Where a board is
//!
//! In the memory of the process that made it. In the root's directory lies a file `board.memory`, which says so, and whose
//! lock keeps other processes out.
//!
//! - All [`Boards`](kanban_core::Boards) of the process on one root share its boards, whatever backend value they were
//!   opened with, as processes share a file. Roots share nothing: tests may run beside each other.
//! - The boards of a root live until the last that holds them is dropped: stores, `Boards`, and every [`MemoryBackend`]
//!   (and its clones) through which one of them was opened. Then their memory is free. To open them again after all
//!   else is gone, as a test of a restart does, keep a clone of the backend.
//! - A board that is archived, restored or renamed keeps what it holds; one that is deleted gives it up.
//! - Nothing survives the process, at no [`Durability`](kanban_core::Durability). Never move a root that counts to this
//!   engine.
//!
//! | opening a board that | is |
//! | --- | --- |
//! | another process has | `Unavailable(InUse)` |
//! | ended with its process, or with the last that held it | `Unavailable(Io)`, until it is deleted: nothing is made anew in its place |
//! | is a copy of a board's file | `Unavailable(Io)` |
//! | has a file that is none of this engine | `Corrupt`, and the file is left as it is |
//!
//! What [`backup`](kanban_core::BoardStore::backup) and [`export`](kanban_core::BoardStore::export) write are real files,
//! which outlive the process. A backup that is put in the place of a `board.memory` is where that board begins, each time
//! that a process has it first.
//!
//! A read sees one committed state and holds nobody up, however long it takes. It costs memory only for the rows that
//! are replaced meanwhile, once each. Unix only.

mod apply;
mod backend;
mod backup;
mod board;
mod check;
mod engine;
mod error;
mod file;
mod registry;
mod rows;
#[cfg(test)]
mod sample;
mod schema;
mod view;

pub use self::backend::MemoryBackend;
pub use self::engine::MemoryEngine;

/// The examples of the page for engine authors are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/adding-a-backend.md")]
struct AddingABackend;
