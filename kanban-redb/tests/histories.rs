//! Random histories on redb, judged by the oracle.

kanban_conformance::histories!(redb, |root, options| {
    kanban_core::Boards::open_root(root, kanban_redb::RedbBackend::default(), options)
});
