//! The engine as the executor uses it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "all of it is a test, also what clippy does not see under a #[test]"
)]

mod files;
mod locks;
mod replaced;
mod support;
mod wal;

kanban_conformance::engine_cases!(alone, |directory, how| {
    let engine = kanban_core::Backend::open(&kanban_sqlite::SqliteBackend::new(), directory, how)?;
    Ok(Box::new(engine))
});
