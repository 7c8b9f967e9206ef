//! Random histories on SQLite, judged by the oracle.

kanban_conformance::histories!(sqlite, |root, options| {
    kanban_core::Boards::open_root(root, kanban_sqlite::SqliteBackend::default(), options)
});
