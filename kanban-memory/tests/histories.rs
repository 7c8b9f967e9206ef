//! Random histories in memory, judged by the oracle.

kanban_conformance::histories!(memory, |root, options| {
    kanban_core::Boards::open_root(root, kanban_memory::MemoryBackend::default(), options)
});
