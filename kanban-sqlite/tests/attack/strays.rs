//! Other code of the process at the board's files: a second copy of SQLite, and a file closed inside a transaction.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

use kanban_core::{
    Backend, BoardState, Boards, Change, Counters, Durability, Engine, EventId, Millis, OpenBoard,
    Options, RootMode, Verdict, WriteEnd,
};
use kanban_sqlite::{Locks, SqliteBackend, SqliteEngine};

use crate::backup::{assert_nothing_lost, assert_undisturbed, open};
use crate::cycles::{another_process_writes, attack, hold as hold_board};
use crate::second_copy::SecondCopy;

const CYCLES: usize = 50;

/// The names of the parts; they are printed with the figures.
pub(crate) const COPY: &str = "second SQLite, descriptors' locks";
pub(crate) const COPY_PLAIN: &str = "second SQLite, plain locks, inodes compared";
pub(crate) const STRAY_PLAIN: &str = "-shm closed in a transaction, plain locks";

pub(crate) fn hold(root: &Path, locks: Locks) {
    let second = SecondCopy::load();
    println!(
        "\nsecond copy: {} beside {}",
        second.version(),
        rusqlite::version()
    );
    let backend = SqliteBackend::new().with_locks(locks);
    let boards = Boards::open_root(root, backend, Options::default()).unwrap();
    let mut foreign = 0;
    hold_board(&boards, CYCLES as u64, &mut |directory| {
        assert!(
            second.reads(&directory.join("board.db")),
            "the second copy can read"
        );
        foreign += u64::from(another_process_writes(directory));
        foreign
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_second_copy_of_sqlite_in_the_process_loses_nothing() {
    let figures = attack(COPY, open);
    assert_nothing_lost(&figures, CYCLES);
    assert_eq!(figures.foreign, CYCLES as u64, "{figures}");
    assert_undisturbed(&figures);
}

#[test]
fn with_plain_locks_a_second_copy_loses_nothing_that_was_acknowledged() {
    let figures = attack(COPY_PLAIN, open);
    assert_nothing_lost(&figures, CYCLES);
    assert!(figures.deleted > 0, "the locks were not lost: {figures}");
    assert_eq!(figures.behind, 0, "{figures}");
}

/// What is tried inside of an open transaction: to close a descriptor of `-shm`, and to write from another process that
/// does not wait. What that process was told.
fn write_inside_of_a_transaction(directory: &Path, engine: &SqliteEngine) -> Output {
    let mut told = None;
    let end = engine.write(&mut |txn| {
        let mut after = txn.policy()?;
        after.failure_limit += 1;
        txn.apply(&Change::Policy { after })?;
        drop(File::open(directory.join("board.db-shm")).unwrap());
        told = Some(intrude(directory));
        Ok(Verdict::Commit)
    });
    assert!(matches!(end, WriteEnd::Done(Verdict::Commit)), "{end:?}");
    told.unwrap()
}

/// A writer that does not wait for the lock.
fn intrude(directory: &Path) -> Output {
    let mut shell = Command::new("sqlite3");
    shell
        .arg("-batch")
        .arg(directory.join("board.db"))
        .arg("UPDATE policy SET backoff_max_ms = backoff_max_ms + 1");
    shell
        .output()
        .expect("this test needs the command sqlite3: install the package sqlite3")
}

fn engine(directory: &Path, locks: Locks) -> SqliteEngine {
    let create = BoardState {
        created_at: Millis::new(1_000),
        seed: 1,
        counters: Counters::default(),
        reserved: Counters::default(),
        boot: None,
        horizon: EventId::new(0),
    };
    let how = OpenBoard {
        create: Some(create),
        durability: Durability::Power,
        mode: RootMode::Shared,
    };
    SqliteBackend::new()
        .with_locks(locks)
        .open(directory, &how)
        .unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_closed_inside_a_transaction_lets_no_second_writer_in() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(directory.path(), Locks::default());
    for round in 0..10 {
        let told = write_inside_of_a_transaction(directory.path(), &engine);
        let text = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(
            !told.status.success() && text.contains("locked"),
            "{round}: {told:?}"
        );
        assert!(
            intrude(directory.path()).status.success(),
            "after the transaction it may"
        );
    }
    let found = policy(&engine);
    println!(
        "-shm closed in a transaction, descriptors' locks: 10 of 10 intruders refused, {found:?}"
    );
    assert_eq!(found, (10, 10), "each one's writes");
    engine.close().unwrap();
}

/// How often the engine and how often others have written.
fn policy(engine: &SqliteEngine) -> (u64, u64) {
    let fresh = kanban_core::Policy::default();
    let mut found = None;
    engine
        .read(&mut |view| {
            found = Some(view.policy()?);
            Ok(())
        })
        .unwrap();
    let found = found.unwrap();
    (
        u64::from(found.failure_limit - fresh.failure_limit),
        found.backoff_max_ms - fresh.backoff_max_ms,
    )
}

/// The hole that only descriptors' locks close: no inode tells of it.
pub(crate) fn stray_with_plain_locks(directory: &Path) {
    let engine = engine(directory, Locks::Posix);
    let told = write_inside_of_a_transaction(directory, &engine);
    println!("\nlet in: {}", told.status.success());
    println!("\nwritten: {:?}", policy(&engine));
}

#[test]
fn with_plain_locks_a_file_closed_inside_a_transaction_lets_a_second_writer_in() {
    let directory = tempfile::tempdir().unwrap();
    let printed = crate::cycles::play(STRAY_PLAIN, directory.path());
    println!("{STRAY_PLAIN}: {printed}");
    assert!(
        printed.contains("let in: true"),
        "the documents say otherwise: {printed}"
    );
    assert!(
        printed.contains("written: (1, 0)"),
        "the intruder's write is gone: {printed}"
    );
}
