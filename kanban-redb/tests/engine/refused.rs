//! What is no board of this program is refused, and keeps its bytes: however it was left, and whoever has it open.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use kanban_conformance::engine::{create, existing, kind};
use kanban_core::{Backend, Engine, ErrorKind, OpenBoard, RootMode, Unavailable};
use kanban_redb::{OpenCheck, RedbBackend};
use redb::{Builder, ConcurrencyMode, Database, TableDefinition, WriteTransaction};

use crate::support::{Fixture, Other, closed, say};

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const THEIRS: TableDefinition<'_, u64, u64> = TableDefinition::new("theirs");
const NEWER: ErrorKind = ErrorKind::Unavailable(Unavailable::NewerSchema);

/// redb itself on a board's file, as another program would use it.
fn redb(directory: &Path, mode: ConcurrencyMode) -> Database {
    let mut builder = Builder::new();
    builder
        .set_concurrency_mode(mode)
        .create(directory.join("board.redb"))
        .unwrap()
}

fn commit(database: &Database, change: impl FnOnce(&WriteTransaction)) {
    let txn = database.begin_write().unwrap();
    change(&txn);
    txn.commit().unwrap();
}

fn to_newer(txn: &WriteTransaction) {
    txn.open_table(META).unwrap().insert("format", 2).unwrap();
}

fn to_theirs(txn: &WriteTransaction) {
    txn.open_table(THEIRS).unwrap().insert(1, 1).unwrap();
}

/// Every way to open the board in a directory.
fn refusals(directory: &Path) -> Vec<ErrorKind> {
    let mut kinds = Vec::new();
    for mode in [RootMode::Shared, RootMode::Exclusive] {
        for check in [OpenCheck::Trust, OpenCheck::Verify] {
            for how in [create(), existing()] {
                let how = OpenBoard { mode, ..how };
                let backend = RedbBackend::new().with_open_check(check);
                kinds.push(kind(backend.open(directory, &how)));
            }
        }
    }
    kinds
}

/// Asserts that a file is refused, in every way, and stays as it is.
fn assert_refused(what: &str, bytes: &[u8], expected: &ErrorKind) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("board.redb");
    fs::write(&file, bytes).unwrap();
    for found in refusals(directory.path()) {
        assert_eq!(found, *expected, "{what}");
    }
    assert!(fs::read(&file).unwrap() == bytes, "{what}: other bytes");
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        1,
        "{what}: more files"
    );
}

/// A file as redb leaves it when it closes, and as a crash leaves it: in each of its modes, which mend in other ways.
fn as_left(start: &dyn Fn() -> PathBuf, change: fn(&WriteTransaction)) -> Vec<(String, Vec<u8>)> {
    let mut left = Vec::new();
    for mode in [
        ConcurrencyMode::ExclusiveWriter,
        ConcurrencyMode::MultiWriter,
    ] {
        let directory = start();
        let file = directory.join("board.redb");
        let database = redb(&directory, mode);
        commit(&database, change);
        left.push((format!("{mode:?}, crashed"), fs::read(&file).unwrap()));
        drop(database);
        left.push((format!("{mode:?}, closed"), fs::read(&file).unwrap()));
        fs::remove_dir_all(directory).unwrap();
    }
    left
}

#[test]
fn a_board_of_a_newer_program_keeps_its_bytes() {
    let board = || {
        let fixture = Fixture::new();
        fixture.add("t_1");
        fixture.engine.close().unwrap();
        fixture.directory.keep()
    };
    for (how, bytes) in as_left(&board, to_newer) {
        assert_refused(&format!("newer, {how}"), &bytes, &NEWER);
    }
}

#[test]
fn a_redb_database_of_another_program_keeps_its_bytes() {
    let nothing = || tempfile::tempdir().unwrap().keep();
    for (how, bytes) in as_left(&nothing, to_theirs) {
        assert_refused(&format!("foreign, {how}"), &bytes, &ErrorKind::Corrupt);
    }
    let board = || {
        let fixture = Fixture::new();
        fixture.engine.close().unwrap();
        fixture.directory.keep()
    };
    for (how, bytes) in as_left(&board, to_theirs) {
        let what = format!("with a foreign table, {how}");
        assert_refused(&what, &bytes, &ErrorKind::Corrupt);
    }
}

#[test]
fn a_backup_in_the_place_of_a_board_keeps_its_bytes() {
    let fixture = Fixture::new();
    fixture.add("t_1");
    let backup = fixture.path().join("backup");
    fixture.engine.backup(&backup, &|_| Ok(())).unwrap();
    let bytes = fs::read(backup).unwrap();
    assert_refused("backup", &bytes, &ErrorKind::Corrupt);
}

#[test]
fn what_is_no_database_keeps_its_bytes() {
    let whole = closed(&Fixture::new());
    let cut = whole.len() / 2;
    for bytes in [
        &[0][..],
        &vec![7; 100_000],
        b"SQLite format 3\0",
        &whole[..9],
        &whole[..320],
        &whole[..cut],
    ] {
        assert_refused("no database", bytes, &ErrorKind::Corrupt);
    }
}

#[test]
fn a_board_that_a_newer_program_has_open_keeps_its_bytes_and_that_program_goes_on() {
    let fixture = Fixture::new();
    fixture.engine.close().unwrap();
    let mut other = Other::new("newer", fixture.path());
    assert_eq!(other.hear(), "open");
    let bytes = fs::read(fixture.file()).unwrap();
    for (at, found) in refusals(fixture.path()).into_iter().enumerate() {
        let in_use = ErrorKind::Unavailable(Unavailable::InUse);
        // The ways to have it alone come last.
        assert_eq!(found, if at < 4 { NEWER } else { in_use });
    }
    assert!(
        fs::read(fixture.file()).unwrap() == bytes,
        "its bytes are other ones"
    );
    other.tell();
    assert_eq!(other.hear(), "written");
    assert!(other.succeeds());
}

/// Has a board open as a program of the next format would.
pub(crate) fn keep_newer(directory: &Path) {
    let database = redb(directory, ConcurrencyMode::MultiWriter);
    commit(&database, to_newer);
    say("open");
    let _ = std::io::stdin().read(&mut [0]);
    commit(&database, to_theirs);
    say("written");
}
