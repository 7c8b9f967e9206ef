//! The whole suite on SQLite.

kanban_conformance::conformance!(sqlite, |root, options| {
    kanban_core::Boards::open_root(root, kanban_sqlite::SqliteBackend::default(), options)
});
