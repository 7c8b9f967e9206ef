//! Files that are moved, replaced or removed under an open board: never a silent `Done`.

use std::fs;
use std::thread;
use std::time::Duration;

use kanban_core::{Backend, Engine, ErrorKind, Unavailable, Verdict, WriteEnd};
use kanban_sqlite::SqliteBackend;

use crate::support::{Fixture, existing, kind, new_task, task, tasks, try_write, write};

const REPLACED: ErrorKind = ErrorKind::Unavailable(Unavailable::Replaced);

fn assert_uncertain(end: &WriteEnd) {
    match end {
        WriteEnd::Uncertain(error) => assert_eq!(*error.kind(), REPLACED, "{error}"),
        other => panic!("expected uncertain, found {other:?}"),
    }
}

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    write(&fixture.engine, &[new_task(&task("t_before"))]);
    assert_eq!(tasks(&fixture.engine), 1);
    fixture
}

/// The write is not answered, and the board cannot be opened anew: it is another one, or none.
fn assert_lost(fixture: &Fixture) {
    assert_uncertain(&try_write(&fixture.engine, &[new_task(&task("t_lost"))]));
    assert_eq!(kind(fixture.engine.reopen()), REPLACED);
    // Still uncertain: nothing more is written.
    let end = try_write(&fixture.engine, &[new_task(&task("t_more"))]);
    assert!(matches!(end, WriteEnd::NotWritten(_)), "found {end:?}");
    let answer = fixture.engine.read(&mut |view| view.board().map(|_| ()));
    assert_eq!(
        kind(answer),
        ErrorKind::Closed,
        "a reader finds another board"
    );
    fixture.engine.close().unwrap();
}

#[test]
fn a_database_that_was_renamed_acknowledges_nothing() {
    let fixture = fixture();
    let elsewhere = fixture.path().join("elsewhere.db");
    fs::rename(fixture.database(), &elsewhere).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    assert_lost(&fixture);
    assert!(
        before == fs::read(&elsewhere).unwrap(),
        "no checkpoint into it"
    );
}

#[test]
fn a_database_that_was_removed_acknowledges_nothing() {
    let fixture = fixture();
    fs::remove_file(fixture.database()).unwrap();
    assert_lost(&fixture);
    assert!(!fixture.database().exists(), "nothing was recreated");
}

#[test]
fn a_database_that_was_replaced_by_a_copy_acknowledges_nothing() {
    let fixture = fixture();
    let copy = fixture.path().join("copy.db");
    fs::copy(fixture.database(), &copy).unwrap();
    fs::rename(&copy, fixture.database()).unwrap();
    let before = fs::read(fixture.database()).unwrap();
    assert_lost(&fixture);
    assert!(
        before == fs::read(fixture.database()).unwrap(),
        "no checkpoint into it"
    );
}

#[test]
fn a_refusal_from_a_moved_board_is_uncertain_too() {
    let fixture = fixture();
    fs::rename(fixture.database(), fixture.path().join("elsewhere.db")).unwrap();
    assert_uncertain(&fixture.engine.write(&mut |_| Ok(Verdict::RollBack)));
}

/// After the write that was not answered, the board is opened anew and works, for everybody.
fn assert_goes_on(fixture: &Fixture) {
    assert_uncertain(&try_write(&fixture.engine, &[new_task(&task("t_lost"))]));
    fixture.engine.reopen().unwrap();
    let left = tasks(&fixture.engine);
    write(&fixture.engine, &[new_task(&task("t_after"))]);
    assert_eq!(tasks(&fixture.engine), left + 1);
    let second = SqliteBackend::new()
        .open(fixture.path(), &existing())
        .unwrap();
    assert_eq!(tasks(&second), left + 1);
    second.close().unwrap();
    fixture.engine.close().unwrap();
}

#[test]
fn a_wal_that_was_removed_acknowledges_nothing_and_the_board_goes_on() {
    let fixture = fixture();
    fs::remove_file(fixture.wal()).unwrap();
    assert_goes_on(&fixture);
}

#[test]
fn a_wal_and_shm_that_were_removed_acknowledge_nothing_and_the_board_goes_on() {
    let fixture = fixture();
    fs::remove_file(fixture.wal()).unwrap();
    fs::remove_file(fixture.path().join("board.db-shm")).unwrap();
    assert_goes_on(&fixture);
}

#[test]
fn readers_of_other_threads_follow_to_the_new_wal() {
    let fixture = fixture();
    let (step, steps) = std::sync::mpsc::sync_channel::<()>(0);
    let (found, all_found) = std::sync::mpsc::sync_channel::<usize>(0);
    thread::scope(|scope| {
        let engine = &fixture.engine;
        scope.spawn(move || {
            while steps.recv().is_ok() {
                found.send(tasks(engine)).unwrap();
            }
        });
        step.send(()).unwrap();
        assert_eq!(all_found.recv().unwrap(), 1);
        fixture.engine.flush().unwrap();
        fs::remove_file(fixture.wal()).unwrap();
        fs::remove_file(fixture.path().join("board.db-shm")).unwrap();
        assert_uncertain(&try_write(engine, &[new_task(&task("t_lost"))]));
        engine.reopen().unwrap();
        write(engine, &[new_task(&task("t_after"))]);
        let left = tasks(engine);
        step.send(()).unwrap();
        assert_eq!(all_found.recv().unwrap(), left);
        drop(step);
    });
}

#[test]
fn idle_writes_nothing_into_a_board_whose_wal_was_replaced() {
    let fixture = fixture();
    for at in 0..400 {
        write(&fixture.engine, &[new_task(&task(&format!("t_{at}")))]);
    }
    let before = fs::read(fixture.database()).unwrap();
    fs::rename(fixture.wal(), fixture.path().join("board.db-wal-aside")).unwrap();
    fs::write(fixture.wal(), b"").unwrap();
    fixture.engine.idle();
    assert!(
        before == fs::read(fixture.database()).unwrap(),
        "checkpointed"
    );
    assert_uncertain(&try_write(&fixture.engine, &[new_task(&task("t_lost"))]));
    assert_eq!(kind(fixture.engine.close()), REPLACED);
    assert!(
        before == fs::read(fixture.database()).unwrap(),
        "checkpointed"
    );
}

#[test]
fn a_reader_never_opens_another_board_by_the_same_path() {
    let fixture = Fixture::new();
    let copy = fixture.path().join("copy.db");
    fs::copy(fixture.database(), &copy).unwrap();
    fs::rename(&copy, fixture.database()).unwrap();
    let answer = fixture.engine.read(&mut |view| view.board().map(|_| ()));
    assert_eq!(kind(answer), REPLACED);
}

#[test]
fn flush_notices_a_moved_board_too() {
    let fixture = fixture();
    fs::rename(fixture.database(), fixture.path().join("elsewhere.db")).unwrap();
    assert_eq!(kind(fixture.engine.flush()), REPLACED);
}

#[test]
fn a_new_wal_beside_the_index_of_the_old_one_is_refused() {
    let fixture = fixture();
    fs::remove_file(fixture.wal()).unwrap();
    let hasty = SqliteBackend::new().with_busy_deadline(Duration::from_millis(5));
    assert_eq!(kind(hasty.open(fixture.path(), &existing())), REPLACED);
    assert_goes_on(&fixture);
}

/// SQLite has one index for all connections of a process to a file: who opens it anew beside one that has the old index
/// gets the old one.
#[test]
fn a_board_is_not_opened_anew_beside_one_of_this_process_that_has_the_old_index() {
    let fixture = fixture();
    let hasty = SqliteBackend::new().with_busy_deadline(Duration::from_millis(5));
    let second = hasty.open(fixture.path(), &existing()).unwrap();
    let shm = fixture.path().join("board.db-shm");
    fs::rename(&shm, fixture.path().join("aside")).unwrap();
    fs::write(&shm, b"").unwrap();
    assert_uncertain(&try_write(&second, &[new_task(&task("t_lost"))]));
    assert_eq!(kind(second.reopen()), REPLACED);
    // The other one goes on, and then both can.
    assert_goes_on_alone(&fixture);
    second.reopen().unwrap();
    write(&second, &[new_task(&task("t_second"))]);
    assert_eq!(tasks(&fixture.engine), 3);
    second.close().unwrap();
    fixture.engine.close().unwrap();
}

fn assert_goes_on_alone(fixture: &Fixture) {
    assert_uncertain(&try_write(&fixture.engine, &[new_task(&task("t_lost"))]));
    fixture.engine.reopen().unwrap();
    write(&fixture.engine, &[new_task(&task("t_after"))]);
}

#[test]
fn what_is_written_after_the_index_was_removed_is_not_written_at_all() {
    let fixture = fixture();
    let before = fs::read(fixture.wal()).unwrap();
    fs::remove_file(fixture.path().join("board.db-shm")).unwrap();
    let mut asked = 0;
    assert_uncertain(&fixture.engine.write(&mut |_| {
        asked += 1;
        Ok(Verdict::Commit)
    }));
    assert_eq!(asked, 0, "nobody decides on what may be old");
    assert_eq!(kind(fixture.engine.flush()), REPLACED);
    assert!(before == fs::read(fixture.wal()).unwrap(), "written over");
    fixture.engine.close().unwrap();
}
