//! The engine as the executor uses it.

kanban_conformance::engine_cases!(alone, |directory, how| {
    let engine = kanban_core::Backend::open(&kanban_redb::RedbBackend::new(), directory, how)?;
    Ok(Box::new(engine))
});
