//! Commits that are in this process alone until a flush: what an error of the file takes, and what a close keeps.

use std::io;
use std::path::Path;
use std::sync::Arc;

use kanban_conformance::engine::{ask, kind, tasks, try_write};
use kanban_core::{Engine, ErrorKind, Unavailable, Verdict, WriteEnd};
use redb::ConcurrencyMode::ExclusiveWriter;

use super::{Disk, Faults, Op, Settings, group, landed, try_open_with};
use crate::engine::RedbEngine;

fn try_open(directory: &Path, faults: &Arc<Faults>) -> kanban_core::Result<RedbEngine> {
    let settings = Settings {
        mode: ExclusiveWriter,
        commits: redb::Durability::None,
        ..Settings::default()
    };
    try_open_with(directory, settings, faults)
}

fn open(directory: &Path, faults: &Arc<Faults>) -> RedbEngine {
    try_open(directory, faults).unwrap()
}

fn commit(engine: &RedbEngine, number: u64) {
    let end = try_write(engine, &group(number));
    assert!(matches!(end, WriteEnd::Done(Verdict::Commit)), "{end:?}");
}

/// What a kill leaves of a board, opened beside it.
fn left(directory: &Path) -> u64 {
    let copy = tempfile::tempdir().unwrap();
    let file = crate::files::DATABASE;
    std::fs::copy(directory.join(file), copy.path().join(file)).unwrap();
    landed(&open(copy.path(), &Arc::default()))
}

#[test]
fn commits_are_on_the_disk_with_the_next_flush_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), &Arc::default());
    assert!(!engine.outlives_process());
    for number in 1..=5 {
        commit(&engine, number);
        assert_eq!(landed(&engine), number, "readers of this process see it");
    }
    assert_eq!(left(directory.path()), 0);
    engine.flush().unwrap();
    assert_eq!(left(directory.path()), 5);
    commit(&engine, 6);
    assert_eq!(left(directory.path()), 5);
    assert_eq!(engine.check(10).unwrap(), []);
    engine.close().unwrap();
    assert_eq!(left(directory.path()), 6, "a close keeps it");
}

#[test]
fn a_reopen_keeps_what_no_error_has_taken() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), &Arc::default());
    commit(&engine, 1);
    engine.reopen().unwrap();
    assert_eq!(landed(&engine), 1);
    assert_eq!(engine.check(10).unwrap(), []);
}

#[test]
fn a_close_that_cannot_keep_what_was_committed_tells_it() {
    for has_unflushed in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let faults = Arc::new(Faults::default());
        let engine = open(directory.path(), &faults);
        commit(&engine, 1);
        if !has_unflushed {
            engine.flush().unwrap();
        }
        faults.plan(1, io::ErrorKind::Other, true);
        let closed = engine.close();
        faults.end().expect("it met the error");
        if has_unflushed {
            assert_eq!(kind(closed), ErrorKind::Unavailable(Unavailable::Io));
        } else {
            closed.unwrap();
        }
    }
}

/// Fails the nth operation of the file in three commits and a flush, for each n until none is left to fail. After each
/// the board is what it was after one of the commits, and none that a flush had kept is gone.
fn sweep(kind: io::ErrorKind, is_sticky: bool) -> (u64, u64) {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let engine = open(directory.path(), &faults);
    let (mut flushed, mut points, mut taken) = (0, 0, 0);
    for nth in 1.. {
        faults.plan(nth, kind, is_sticky);
        let mut committed = flushed;
        while committed < flushed + 3 {
            match try_write(&engine, &group(committed + 1)) {
                WriteEnd::Done(Verdict::Commit) => committed += 1,
                _ => break,
            }
        }
        let is_flushed = committed == flushed + 3 && engine.flush().is_ok();
        let failed = faults.end();
        if failed.is_some() {
            engine.reopen().unwrap();
        }
        let after = landed(&engine);
        let told = format!("at operation {nth}, {failed:?}: {after} of {committed}");
        assert!((flushed..=committed + 1).contains(&after), "{told}");
        assert!(!is_flushed || after == committed, "it was flushed, {told}");
        assert_eq!(tasks(&engine) as u64, after, "{told}");
        for number in 1..=after {
            let task = kanban_conformance::engine::id(&format!("t_{number}"));
            assert!(ask(&engine, |view| view.task(&task)).is_some(), "{told}");
        }
        engine.flush().unwrap();
        flushed = after;
        taken += committed.saturating_sub(after);
        if failed.is_none() {
            break;
        }
        points += 1;
    }
    assert_eq!(engine.check(10).unwrap(), []);
    engine.close().unwrap();
    assert_eq!(landed(&open(directory.path(), &faults)), flushed);
    (points, taken)
}

#[test]
fn whatever_operation_fails_the_board_is_that_of_one_commit_and_nothing_flushed_is_gone() {
    for kind in [io::ErrorKind::Other, io::ErrorKind::StorageFull] {
        for is_sticky in [false, true] {
            let (points, taken) = sweep(kind, is_sticky);
            println!("{kind:?} sticky {is_sticky}: points={points} commits taken={taken}");
            assert!(points > 5 && taken > 0, "{points} points, {taken} taken");
        }
    }
}

/// A board on which a flush fails at its nth flush of the file, and which is opened anew and flushed well; None where it has
/// no such. Answers what was found when it was opened anew, and what a power cut leaves then.
fn cut_after_failed_flush(nth: u64) -> Option<(u64, kanban_core::Result<u64>)> {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let engine = open(directory.path(), &faults);
    commit(&engine, 1);
    engine.flush().unwrap();
    let file = std::fs::read(directory.path().join(crate::files::DATABASE)).unwrap();
    *faults.1.lock().unwrap() = Some(Disk::of(file));
    commit(&engine, 2);
    commit(&engine, 3);
    faults.plan_only(Op::Sync, nth);
    let flushed = engine.flush();
    faults.end()?;
    assert_eq!(kind(flushed), ErrorKind::Unavailable(Unavailable::Io));
    engine.reopen().unwrap();
    let found = landed(&engine);
    engine.flush().unwrap();
    let left = faults.1.lock().unwrap().take()?;
    let image = tempfile::tempdir().unwrap();
    let file = image.path().join(crate::files::DATABASE);
    std::fs::write(file, left.left().file).unwrap();
    let left = try_open(image.path(), &Arc::default()).map(|engine| {
        assert_eq!(engine.check(10).unwrap(), []);
        landed(&engine)
    });
    Some((found, left))
}

/// The system tells of a flush that failed once, and what was not written stays in its cache: what is found there after it
/// must be on the disk, or it would be answered for.
#[test]
fn what_is_found_after_a_flush_that_failed_outlives_a_power_cut() {
    let mut phases = Vec::new();
    for (found, left) in (1..).map_while(cut_after_failed_flush) {
        assert_eq!(left.unwrap(), found);
        phases.push(found);
    }
    assert_eq!(phases, [1, 3], "what the header names, and the header");
}
