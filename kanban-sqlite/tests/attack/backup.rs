//! The cause of the field report, and its cure: a process reads the files of the board that it holds.
//!
//! The table's last row, with neither shield, is `engine::tests::unguarded` among the crate's own tests: the switch that takes
//! the second shield away exists in them only.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use kanban_core::{Boards, Options, Result};
use kanban_sqlite::{Locks, SqliteBackend};
use rusqlite::Connection;

use crate::cycles::{
    COUNT_UP, Figures, another_process_writes, attack, back_up_and_write, child, die,
    hold as hold_board, read_all_files, say, work,
};

const CYCLES: usize = 200;
/// How many processes write beside a holder, one after the other.
const FOREIGN: u64 = 25;

/// The names of the parts; they are printed with the figures.
const IN_TURN: &str = "naive backup, descriptors' locks, in turn";
const TOGETHER: &str = "naive backup, descriptors' locks, together";
const PLAIN: &str = "naive backup, plain locks, inodes compared";
const PRAGMA: &str = "redundant pragma and no backup, plain locks";

pub(crate) fn hold(part: &str, root: &Path) {
    let backend = match part {
        PLAIN | PRAGMA => SqliteBackend::new().with_locks(Locks::Posix),
        IN_TURN | TOGETHER => SqliteBackend::new(),
        other => panic!("no such part: {other}"),
    };
    let boards = Boards::open_root(root, backend, Options::default()).unwrap();
    let foreign = AtomicU64::new(0);
    if part != TOGETHER {
        hold_board(&boards, CYCLES as u64, &mut |directory| {
            let written = match part {
                PRAGMA => u64::from(another_process_writes(directory)),
                _ => back_up_and_write(directory),
            };
            foreign.fetch_add(written, Ordering::SeqCst) + written
        });
    }
    let directory = root.join("boards").join("default");
    // There must be a board to write to.
    pollster::block_on(boards.open(None)).unwrap();
    thread::scope(|scope| {
        let others = scope.spawn(|| {
            // Not the system's shell: before 3.51.3 SQLite itself loses writes where two processes write and checkpoint
            // at the same instant.
            for _ in 0..FOREIGN {
                assert!(another_of_our_processes_writes(&directory), "it waits");
                foreign.fetch_add(1, Ordering::SeqCst);
            }
        });
        // Until the last of them has ended: each has all of its life beside this one's cycles.
        let mut goes_on = |cycle| cycle < CYCLES as u64 || !others.is_finished();
        work(&boards, &mut goes_on, &mut |directory| {
            let done = foreign.load(Ordering::SeqCst);
            read_all_files(directory);
            done
        });
        others.join().unwrap();
    });
    die()
}

/// Another process of this program opens the board with its own SQLite and plain locks, writes and closes. Whether it was
/// told that it has written.
fn another_of_our_processes_writes(directory: &Path) -> bool {
    let output = child("write", directory).output().unwrap();
    if output.status.success() {
        say("foreign", 1);
    }
    output.status.success()
}

/// The part of the other process of ours.
pub(crate) fn write_with_plain_locks(directory: &Path) {
    let connection = Connection::open(directory.join("board.db")).unwrap();
    connection.execute_batch(COUNT_UP).unwrap();
    connection.close().unwrap();
}

pub(crate) fn open(root: &Path) -> Result<Boards> {
    Boards::open_root(root, SqliteBackend::new(), Options::default())
}

/// Nothing that anybody was told is written is gone, and the board is sound.
pub(crate) fn assert_nothing_lost(figures: &Figures, cycles: usize) {
    assert_eq!((figures.lost, figures.foreign_lost), (0, 0), "{figures}");
    assert_eq!(figures.damage, Vec::<String>::new(), "{figures}");
    assert_eq!(figures.acknowledged, cycles, "{figures}");
}

/// Nobody noticed anything either.
pub(crate) fn assert_undisturbed(figures: &Figures) {
    assert_eq!((figures.deleted, figures.behind), (0, 0), "{figures}");
    assert_eq!(figures.errors, Vec::<String>::new(), "{figures}");
}

#[test]
fn the_pragma_that_was_blamed_harms_nobody_whose_locks_are_whole() {
    let figures = attack(PRAGMA, open);
    assert_nothing_lost(&figures, CYCLES);
    assert_eq!(figures.foreign, CYCLES as u64, "{figures}");
    assert_undisturbed(&figures);
}

#[test]
#[cfg(target_os = "linux")]
fn a_naive_backup_and_a_foreign_writer_in_turn_lose_nothing() {
    let figures = attack(IN_TURN, open);
    assert_nothing_lost(&figures, CYCLES);
    assert_eq!(figures.foreign, CYCLES as u64, "{figures}");
    assert_undisturbed(&figures);
}

#[test]
#[cfg(target_os = "linux")]
fn a_naive_backup_beside_a_foreign_writer_loses_nothing() {
    let figures = attack(TOGETHER, open);
    assert!(figures.acknowledged >= CYCLES, "{figures}");
    assert_nothing_lost(&figures, figures.acknowledged);
    assert_eq!(figures.foreign, FOREIGN, "{figures}");
    assert_undisturbed(&figures);
}

#[test]
fn with_plain_locks_a_naive_backup_loses_nothing_that_was_acknowledged() {
    let figures = attack(PLAIN, open);
    assert_nothing_lost(&figures, CYCLES);
    assert_eq!(figures.foreign, CYCLES as u64, "{figures}");
    assert_eq!(figures.behind, 0, "{figures}");
    // The next write finds the new log; a reader that comes before it is told why it has no answer.
    assert!(figures.deleted > 0, "the locks were not lost: {figures}");
    for error in &figures.errors {
        assert!(
            error.starts_with("policy: Unavailable(Replaced)"),
            "{figures}"
        );
    }
}
