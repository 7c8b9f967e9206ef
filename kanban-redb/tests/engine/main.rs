//! The engine as the executor uses it.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "all of it is a test, also what clippy does not see under a #[test]"
)]

mod backup;
mod files;
mod format;
mod lazy;
mod refused;
mod sharing;
mod support;
mod untrusted;

kanban_conformance::engine_cases!(alone, |directory, how| {
    let engine = kanban_core::Backend::open(&kanban_redb::RedbBackend::new(), directory, how)?;
    Ok(Box::new(engine))
});
