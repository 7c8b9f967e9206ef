//! Opening: what is made, what is refused, and that what is refused stays as it was.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::thread;
use std::time::Duration;

use kanban_conformance::engine::{ask, create, existing, kind, state, tasks, try_write};
use kanban_core::{Backend, Engine, ErrorKind, Policy, Unavailable, WriteEnd};
use kanban_redb::RedbBackend;

use crate::support::{Fixture, Other, closed};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn all_files_are_for_their_owner_only_and_nothing_else_stays() {
    let fixture = Fixture::new();
    fixture.add("t_1");
    assert_eq!(fixture.engine.check(10).unwrap(), []);
    let mut names: Vec<String> = fs::read_dir(fixture.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .inspect(|entry| assert_eq!(mode(&entry.path()), 0o600, "{entry:?}"))
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["board.lock", "board.redb"]);
}

#[test]
fn a_new_board_has_its_row_and_the_default_policy_and_is_found_again() {
    let fixture = Fixture::new();
    fixture.add("t_1");
    fixture.engine.close().unwrap();
    assert_eq!(
        kind(fixture.engine.read(&mut |_| Ok(()))),
        ErrorKind::Closed
    );
    assert!(matches!(
        try_write(&fixture.engine, &[]),
        WriteEnd::NotWritten(_)
    ));
    let again = RedbBackend::new()
        .open(fixture.path(), &existing())
        .unwrap();
    assert_eq!(ask(&again, |view| view.board()), state());
    assert_eq!(ask(&again, |view| view.policy()), Policy::default());
    assert_eq!(tasks(&again), 1);
}

#[test]
fn a_missing_or_empty_board_is_not_made_unless_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let missing = ErrorKind::Unavailable(Unavailable::Io);
    let backend = RedbBackend::new();
    assert_eq!(kind(backend.open(directory.path(), &existing())), missing);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    let file = directory.path().join("board.redb");
    File::create(&file).unwrap();
    assert_eq!(kind(backend.open(directory.path(), &existing())), missing);
    assert_eq!(fs::metadata(&file).unwrap().len(), 0);
    let engine = backend.open(directory.path(), &create()).unwrap();
    assert_eq!((tasks(&engine), mode(&file)), (0, 0o600));
}

#[test]
fn what_a_crash_left_of_a_board_that_was_being_made_is_made_anew() {
    let whole = closed(&Fixture::new());
    for len in [0, 1, 5000, whole.len() / 2, whole.len()] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("board.redb.new"), &whole[..len]).unwrap();
        let engine = RedbBackend::new()
            .open(directory.path(), &create())
            .unwrap();
        assert_eq!(ask(&engine, |view| view.board()), state());
        assert!(!directory.path().join("board.redb.new").exists());
    }
}

#[test]
fn links_and_what_is_no_file_are_refused_and_left_alone() {
    let target = Fixture::new();
    target.engine.close().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("board.redb");
    let refused = || kind(RedbBackend::new().open(directory.path(), &create()));
    symlink(target.file(), &path).unwrap();
    assert_eq!(refused(), ErrorKind::Corrupt);
    fs::remove_file(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    assert_eq!(refused(), ErrorKind::Corrupt);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(refused(), ErrorKind::Corrupt);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn many_threads_and_processes_that_race_make_one_board() {
    let directory = tempfile::tempdir().unwrap();
    let others: Vec<_> = (0..4)
        .map(|_| Other::new("race", directory.path()))
        .collect();
    race(directory.path());
    for other in others {
        assert!(other.succeeds());
    }
    let engine = RedbBackend::new()
        .open(directory.path(), &existing())
        .unwrap();
    assert_eq!(engine.check(10).unwrap(), []);
    assert_eq!(ask(&engine, |view| view.board()), state());
}

/// Four threads open one board and ask it.
pub(crate) fn race(directory: &Path) {
    let backend = RedbBackend::new().with_busy_deadline(Duration::from_mins(1));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let engine = backend.open(directory, &create()).unwrap();
                assert_eq!(tasks(&engine), 0);
                engine.close().unwrap();
            });
        }
    });
}

#[test]
fn a_set_up_that_hangs_stops_nobody_who_needs_none() {
    let fixture = Fixture::new();
    let lock = File::options()
        .write(true)
        .open(fixture.path().join("board.lock"))
        .unwrap();
    lock.lock().unwrap();
    let second = RedbBackend::new()
        .open(fixture.path(), &existing())
        .unwrap();
    assert_eq!(tasks(&second), 0);
    let fresh = tempfile::tempdir().unwrap();
    let lock = File::create(fresh.path().join("board.lock")).unwrap();
    lock.lock().unwrap();
    let hasty = RedbBackend::new().with_busy_deadline(Duration::from_millis(5));
    assert_eq!(kind(hasty.open(fresh.path(), &create())), ErrorKind::Busy);
    assert!(
        !fresh.path().join("board.redb").exists(),
        "never without the lock"
    );
}

#[test]
fn a_board_that_was_moved_acknowledges_nothing() {
    for replace in [false, true] {
        let fixture = Fixture::new();
        fixture.add("t_1");
        let away = fixture.path().join("away.redb");
        fs::rename(fixture.file(), &away).unwrap();
        if replace {
            fs::copy(&away, fixture.file()).unwrap();
        }
        let end = try_write(&fixture.engine, &[]);
        let WriteEnd::Uncertain(error) = end else {
            panic!("expected no answer, found {end:?}");
        };
        let replaced = ErrorKind::Unavailable(Unavailable::Replaced);
        assert_eq!(*error.kind(), replaced);
        assert_eq!(kind(fixture.engine.reopen()), replaced);
        assert_eq!(kind(fixture.engine.flush()), replaced);
    }
}
