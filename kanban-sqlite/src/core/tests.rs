//! Connections: what is in force on them, how many there are, and what a fork leaves of them.

use std::fs;
use std::path::Path;
use std::thread;

use kanban_core::{Backend, Engine, ErrorKind, OpenBoard, Result, RootMode, Verdict, WriteEnd};
use rusqlite::config::DbConfig;

use super::*;
use crate::cache;
use crate::{SqliteBackend, SqliteEngine};

const LAZY: kanban_core::Durability = kanban_core::Durability::Lazy {
    interval: std::time::Duration::from_secs(1),
};

fn open(directory: &Path, durability: kanban_core::Durability) -> SqliteEngine {
    let create = kanban_core::BoardState {
        created_at: kanban_core::Millis::new(0),
        seed: 1,
        counters: kanban_core::Counters::default(),
        reserved: kanban_core::Counters::default(),
        boot: None,
        horizon: kanban_core::EventId::new(0),
    };
    let how = OpenBoard {
        create: Some(create),
        durability,
        mode: RootMode::Shared,
    };
    SqliteBackend::new().open(directory, &how).unwrap()
}

fn look(engine: &SqliteEngine) -> Result<()> {
    engine.read(&mut |view| view.board().map(|_| ()))
}

/// The descriptors of this process on files of a directory.
fn descriptors(directory: &Path) -> usize {
    let real = directory.canonicalize().unwrap();
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter(|target| target.starts_with(&real))
        .count()
}

#[test]
fn what_must_be_in_force_is_in_force_on_every_connection() {
    for (durability, level) in [
        (kanban_core::Durability::Power, 2),
        (kanban_core::Durability::Process, 1),
        (LAZY, 1),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let engine = open(directory.path(), durability);
        for role in [Role::Writer, Role::Reader] {
            cache::with(engine.core(), role, |handle| {
                let connection = handle.connection();
                connection::in_force(connection, role, engine.core().settings)?;
                let pragma = |name: &str| -> i64 {
                    connection
                        .pragma_query_value(None, name, |row| row.get(0))
                        .unwrap()
                };
                assert_eq!(pragma("synchronous"), level);
                assert_eq!(pragma("foreign_keys"), 1);
                assert_eq!(pragma("trusted_schema"), 0);
                assert_eq!(pragma("cell_size_check"), 1);
                assert_eq!(pragma("mmap_size"), 0);
                assert_eq!(pragma("wal_autocheckpoint"), 0);
                assert_eq!(pragma("query_only"), i64::from(role == Role::Reader));
                assert!(crate::wal::is_set(connection)?);
                Ok(())
            })
            .unwrap();
        }
        engine.close().unwrap();
    }
}

#[test]
fn what_is_not_in_force_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), kanban_core::Durability::Power);
    cache::with(engine.core(), Role::Writer, |handle| {
        let connection = handle.connection();
        let settings = engine.core().settings;
        let limit = rusqlite::limits::Limit::SQLITE_LIMIT_ATTACHED;
        let switch = DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER;
        // From the one looked at last to the one looked at first, so that each shows.
        let breaks: [(&str, &dyn Fn()); 4] = [
            ("synchronous", &|| {
                connection.pragma_update(None, "synchronous", 0).unwrap();
            }),
            ("cell_size_check", &|| {
                connection
                    .pragma_update(None, "cell_size_check", 0)
                    .unwrap();
            }),
            ("ATTACHED", &|| {
                connection.set_limit(limit, 1).unwrap();
            }),
            ("TRIGGER", &|| {
                connection.set_db_config(switch, true).unwrap();
            }),
        ];
        for (name, break_it) in breaks {
            break_it();
            let error = connection::in_force(connection, Role::Writer, settings).unwrap_err();
            assert!(
                error.to_string().contains(name),
                "expected {name}, found {error}"
            );
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn no_statement_reaches_another_file_or_a_library() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), kanban_core::Durability::Power);
    for role in [Role::Writer, Role::Reader] {
        cache::with(engine.core(), role, |handle| {
            for text in [
                "ATTACH ':memory:' AS other",
                "SELECT load_extension('libc.so.6')",
                "SELECT \"no such column\"",
                "CREATE TEMP TRIGGER t AFTER INSERT ON main.pause BEGIN SELECT 1; END;\
                 INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, '')",
            ] {
                let done = handle.connection().execute_batch(text);
                assert!(done.is_err(), "{text} was done");
            }
            Ok(())
        })
        .unwrap();
    }
    engine.close().unwrap();
}

#[test]
fn a_reader_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), kanban_core::Durability::Power);
    cache::with(engine.core(), Role::Reader, |handle| {
        assert!(handle.run("DELETE FROM policy").is_err());
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_thread_keeps_its_connection_and_gives_it_up_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), kanban_core::Durability::Power);
    assert_eq!(engine.open_connections(), 1, "the writer's");
    for _ in 0..3 {
        look(&engine).unwrap();
    }
    assert_eq!(engine.open_connections(), 2, "and one reader's");
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            look(&engine).unwrap();
            assert_eq!(engine.open_connections(), 3);
            engine.release_thread();
            assert_eq!(engine.open_connections(), 2);
            look(&engine).unwrap();
        });
        other.join().unwrap();
    });
    assert_eq!(
        engine.open_connections(),
        2,
        "a thread that ended has closed"
    );
    engine.release_thread();
    assert_eq!(
        engine.open_connections(),
        1,
        "the writer's stays until close"
    );
    engine.release_thread();
    engine.close().unwrap();
    assert_eq!(engine.open_connections(), 0);
}

#[test]
fn a_nested_read_gets_a_connection_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), kanban_core::Durability::Power);
    engine
        .read(&mut |outer| {
            look(&engine)?;
            outer.board().map(|_| ())
        })
        .unwrap();
    assert_eq!(engine.open_connections(), 2, "the second one is not kept");
}

#[test]
fn descriptors_are_back_at_their_first_number_after_close() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(descriptors(directory.path()), 0);
    let engine = open(directory.path(), kanban_core::Durability::Power);
    thread::scope(|scope| {
        let looker = || (0..50).for_each(|_| look(&engine).unwrap());
        let lookers: Vec<_> = (0..8).map(|_| scope.spawn(looker)).collect();
        // A scope ends before its threads have given up their connections; a join does not.
        for looker in lookers {
            looker.join().unwrap();
        }
    });
    look(&engine).unwrap();
    let open = descriptors(directory.path());
    assert!(open <= 8 + 4, "found {open} descriptors");
    engine.close().unwrap();
    assert_eq!(descriptors(directory.path()), 0);
    assert!(!directory.path().join("board.db-wal").exists());
}

#[test]
fn close_also_closes_what_other_threads_keep() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), kanban_core::Durability::Power);
    let (ready, is_ready) = std::sync::mpsc::sync_channel(0);
    let (go, may_go) = std::sync::mpsc::sync_channel::<()>(0);
    thread::scope(|scope| {
        let engine = &engine;
        scope.spawn(move || {
            look(engine).unwrap();
            ready.send(()).unwrap();
            may_go.recv().unwrap();
            let error = look(engine).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Closed);
        });
        is_ready.recv().unwrap();
        assert_eq!(engine.open_connections(), 2);
        engine.close().unwrap();
        assert_eq!(engine.open_connections(), 0);
        assert_eq!(descriptors(directory.path()), 0);
        go.send(()).unwrap();
    });
}

/// A connection that its thread is just closing, having given its seat up.
fn waits_for_one_that_is_closing(end: impl Fn(&SqliteEngine) + Sync, left: usize) {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), kanban_core::Durability::Power);
    let closing = engine.core().connect(Role::Reader).unwrap();
    let (ended, has_ended) = std::sync::mpsc::sync_channel(1);
    thread::scope(|scope| {
        let (engine, end) = (&engine, &end);
        scope.spawn(move || {
            end(engine);
            ended.send(engine.open_connections()).unwrap();
        });
        while engine.core().waits() == 0 {
            let found = has_ended.try_recv();
            assert!(found.is_err(), "expected to wait, found {found:?}");
            thread::yield_now();
        }
        drop(closing);
        assert_eq!(has_ended.recv(), Ok(left));
    });
}

#[test]
fn close_waits_for_a_connection_that_is_just_closing() {
    waits_for_one_that_is_closing(|engine| engine.close().unwrap(), 0);
}

#[test]
fn a_reopen_waits_for_a_connection_that_is_just_closing() {
    waits_for_one_that_is_closing(|engine| engine.reopen().unwrap(), 1);
}

#[test]
fn an_engine_that_is_only_dropped_closes_its_files_too() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), kanban_core::Durability::Power);
    look(&engine).unwrap();
    drop(engine);
    assert_eq!(descriptors(directory.path()), 0);
}

#[test]
fn a_thread_keeps_the_readers_of_sixteen_boards() {
    let directories: Vec<_> = (0..20).map(|_| tempfile::tempdir().unwrap()).collect();
    let engines: Vec<_> = directories
        .iter()
        .map(|directory| open(directory.path(), kanban_core::Durability::Power))
        .collect();
    let readers = || {
        let counts = engines.iter().map(|engine| engine.open_connections() - 1);
        counts.collect::<Vec<_>>()
    };
    for engine in &engines {
        look(engine).unwrap();
    }
    let expected: Vec<usize> = (0..20).map(|at| usize::from(at >= 4)).collect();
    assert_eq!(readers(), expected, "the least recently used are closed");
    look(&engines[4]).unwrap();
    look(&engines[0]).unwrap();
    assert_eq!(readers()[4..6], [1, 0], "a use makes a board recent");
    for engine in &engines {
        engine.close().unwrap();
    }
    assert!(engines.iter().all(|engine| engine.open_connections() == 0));
}

#[test]
fn after_a_fork_everything_is_closed_and_nothing_is_released() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), kanban_core::Durability::Power);
    look(&engine).unwrap();
    engine.core().pretend_to_be_forked();
    assert_eq!(*look(&engine).unwrap_err().kind(), ErrorKind::Closed);
    match engine.write(&mut |_| Ok(Verdict::Commit)) {
        WriteEnd::NotWritten(error) => assert_eq!(*error.kind(), ErrorKind::Closed),
        other => panic!("found {other:?}"),
    }
    assert!(engine.flush().is_err() && engine.reopen().is_err());
    engine.idle();
    engine.release_thread();
    engine.close().unwrap();
    let held = descriptors(directory.path());
    assert!(held >= 4, "the parent's descriptors, found {held}");
}

#[test]
fn a_panic_in_a_closure_undoes_its_transaction_and_spares_the_connection() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), kanban_core::Durability::Power);
    let before = engine.open_connections();
    for _ in 0..2 {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            engine.write(&mut |_| panic!("a rule panicked"))
        }));
        assert!(panicked.is_err());
        let end = engine.write(&mut |_| Ok(Verdict::Commit));
        assert!(matches!(end, WriteEnd::Done(Verdict::Commit)), "{end:?}");
    }
    assert_eq!(engine.open_connections(), before);
}
