//! The `-wal` stays bounded, and readers that hold it up have a deadline.

use std::fs;
use std::time::Duration;

use kanban_core::{Change, Durability, Engine, ErrorKind, TextKind, Upkeep};
use kanban_sqlite::SqliteBackend;
use rusqlite::Connection;

use crate::support::{Fixture, ask, id, kind, new_task, task, tasks, try_ask, write};

const WAL_LEN_MAX: u64 = 1024 * 1024;

fn fixture(durability: Durability) -> Fixture {
    let backend = SqliteBackend::new().with_wal_len_max(WAL_LEN_MAX);
    let fixture = Fixture::with(backend, durability);
    write(&fixture.engine, &[new_task(&task("t_long"))]);
    fixture
}

/// A commit of some 100 pages.
fn write_much(fixture: &Fixture, round: usize) {
    let text = Change::Text {
        task: id("t_long"),
        kind: TextKind::Body,
        after: Some(format!("{round:08}").repeat(50 * 1024)),
    };
    write(&fixture.engine, &[text]);
}

fn wal_len(fixture: &Fixture) -> u64 {
    fs::metadata(fixture.wal()).unwrap().len()
}

#[test]
fn the_wal_is_cut_when_the_writer_is_idle() {
    for durability in [Durability::Power, Durability::Process] {
        let fixture = fixture(durability);
        for round in 0..3 {
            write_much(&fixture, round);
        }
        assert!(wal_len(&fixture) >= WAL_LEN_MAX, "{}", wal_len(&fixture));
        fixture.engine.idle();
        assert_eq!(wal_len(&fixture), 0);
        assert_eq!(tasks(&fixture.engine), 1);
        assert_eq!(fixture.engine.check(10).unwrap(), []);
    }
}

#[test]
fn the_wal_of_a_writer_that_is_never_idle_is_bounded() {
    let fixture = fixture(Durability::Power);
    for round in 0..40 {
        write_much(&fixture, round);
    }
    let bound = 2 * WAL_LEN_MAX;
    assert!(
        wal_len(&fixture) < bound,
        "{} of {bound}",
        wal_len(&fixture)
    );
}

#[test]
fn the_wal_that_a_reader_holds_up_is_cut_after_it() {
    let fixture = fixture(Durability::Power);
    ask(&fixture.engine, |view| {
        let before = view.text(&id("t_long"), TextKind::Body)?;
        for round in 0..20 {
            write_much(&fixture, round);
            fixture.engine.idle();
        }
        assert!(wal_len(&fixture) > 4 * WAL_LEN_MAX, "a snapshot needs it");
        assert_eq!(view.text(&id("t_long"), TextKind::Body)?, before);
        Ok(())
    });
    fixture.engine.idle();
    assert_eq!(wal_len(&fixture), 0);
    write_much(&fixture, 21);
    assert_eq!(tasks(&fixture.engine), 1);
}

#[test]
fn a_reader_past_its_deadline_is_busy_and_the_next_one_is_not_hurt() {
    let backend = SqliteBackend::new().with_read_deadline(Duration::ZERO);
    let fixture = Fixture::with(backend, Durability::Power);
    for _ in 0..3 {
        let answer = try_ask(&fixture.engine, |view| view.board());
        assert_eq!(kind(answer), ErrorKind::Busy);
    }
    let silent = try_ask(&fixture.engine, |_| Ok(()));
    assert!(silent.is_ok(), "who asks nothing is not late");
    // The writer's questions have no deadline: nobody waits behind them but its own queue.
    write(&fixture.engine, &[new_task(&task("t_one"))]);
    assert_eq!(fixture.engine.check(10).unwrap(), []);
}

/// Writes until the `-wal` is longer than a long read may let it grow.
fn outgrow(fixture: &Fixture) {
    for round in 0.. {
        write_much(fixture, round);
        if wal_len(fixture) > 64 * SMALL {
            return;
        }
    }
}

const SMALL: u64 = 64 * 1024;

fn small() -> Fixture {
    let backend = SqliteBackend::new().with_wal_len_max(SMALL);
    let fixture = Fixture::with(backend, Durability::Power);
    write(&fixture.engine, &[new_task(&task("t_long"))]);
    fixture
}

#[test]
fn a_long_read_that_the_wal_outgrows_is_busy_and_the_next_one_is_not_hurt() {
    let fixture = small();
    let ended = fixture.engine.read_long(&mut |view| {
        view.board()?;
        outgrow(&fixture);
        assert_eq!(fixture.engine.idle(), Upkeep::Behind);
        view.board().map(|_| ())
    });
    let error = ended.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Busy);
    let expected = "the export held its snapshot too long";
    assert!(error.to_string().contains(expected), "found {error}");
    // Nobody was idle since: the -wal is as long as it was.
    assert!(wal_len(&fixture) > 64 * SMALL);
    let next = fixture
        .engine
        .read_long(&mut |view| view.board().map(|_| ()));
    next.unwrap();
    assert_eq!(wal_len(&fixture), 0, "cut before the next one");
    assert_eq!(fixture.engine.idle(), Upkeep::Done);
    write_much(&fixture, 1);
    assert_eq!(fixture.engine.check(10).unwrap(), []);
}

#[test]
fn neither_a_check_nor_a_backup_holds_a_wal_that_has_outgrown_its_bound() {
    let fixture = small();
    ask(&fixture.engine, |view| {
        let before = view.board()?;
        outgrow(&fixture);
        let checked = kind(fixture.engine.check(10));
        assert_eq!(checked, ErrorKind::Busy);
        let to = fixture.path().join("backup");
        assert_eq!(
            kind(fixture.engine.backup(&to, &|_| Ok(()))),
            ErrorKind::Busy
        );
        assert_eq!(view.board()?, before);
        Ok(())
    });
    assert_eq!(fixture.engine.check(10).unwrap(), []);
}

#[test]
fn a_flush_makes_a_commit_of_its_own_at_every_durability() {
    let interval = Duration::from_secs(1);
    for durability in [
        Durability::Power,
        Durability::Process,
        Durability::Lazy { interval },
    ] {
        let fixture = Fixture::with(SqliteBackend::new(), durability);
        write(&fixture.engine, &[new_task(&task("t_one"))]);
        let watcher = Connection::open(fixture.database()).unwrap();
        let commits = || -> i64 {
            let version = watcher.pragma_query_value(None, "data_version", |row| row.get(0));
            version.unwrap()
        };
        let before = commits();
        assert_eq!(commits(), before);
        fixture.engine.flush().unwrap();
        assert_ne!(commits(), before, "nothing was committed");
        write(&fixture.engine, &[new_task(&task("t_two"))]);
        assert_eq!(tasks(&fixture.engine), 2);
    }
}

#[test]
fn a_reopened_board_has_everything_that_was_committed() {
    let fixture = Fixture::new();
    write(&fixture.engine, &[new_task(&task("t_one"))]);
    assert_eq!(tasks(&fixture.engine), 1);
    let before = fs::read(fixture.database()).unwrap();
    fixture.engine.reopen().unwrap();
    assert!(
        before == fs::read(fixture.database()).unwrap(),
        "reopen wrote"
    );
    assert_eq!(tasks(&fixture.engine), 1);
    write(&fixture.engine, &[new_task(&task("t_two"))]);
    assert_eq!(tasks(&fixture.engine), 2);
    assert_eq!(fixture.engine.open_connections(), 2);
}
