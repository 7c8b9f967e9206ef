//! The whole suite on boards in memory.

kanban_conformance::conformance!(
    memory,
    |root, options| {
        kanban_core::Boards::open_root(root, kanban_memory::MemoryBackend::new(), options)
    },
    kept: kanban_conformance::Kept::InProcess,
);
