//! The whole suite on redb.

kanban_conformance::conformance!(redb, |root, options| {
    kanban_core::Boards::open_root(root, kanban_redb::RedbBackend::default(), options)
});
