//! The redb engine: a board is one file, `board.redb`.

mod apply;
mod backend;
mod backup;
mod check;
mod core;
mod engine;
mod error;
mod files;
mod keys;
mod rows;
mod schema;
mod setup;
mod storage;
mod view;
mod wait;

pub use self::backend::RedbBackend;
pub use self::engine::RedbEngine;
