//! Several openers of one board: which modes go together, and what those leave who die.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use kanban_conformance::engine::{create, existing, kind, new_task, task, tasks, try_write, write};
use kanban_core::{
    Backend, Durability, Engine, ErrorKind, OpenBoard, RootMode, Unavailable, Verdict, WriteEnd,
};
use kanban_redb::RedbBackend;

use crate::support::{Fixture, Other, say};

const IN_USE: ErrorKind = ErrorKind::Unavailable(Unavailable::InUse);

/// For one opener at a time.
fn alone(how: OpenBoard) -> OpenBoard {
    OpenBoard {
        mode: RootMode::Exclusive,
        ..how
    }
}

/// Begins a write and does not end it.
pub(crate) fn hold(directory: &Path) {
    let engine = RedbBackend::new().open(directory, &existing()).unwrap();
    engine.write(&mut |txn| {
        txn.apply(&new_task(&task("t_held")))?;
        say("holding");
        // Until it is killed.
        let _ = std::io::stdin().read(&mut [0]);
        Ok(Verdict::Commit)
    });
}

/// Opens a board for itself alone, and keeps it.
pub(crate) fn exclude(directory: &Path) {
    let engine = RedbBackend::new()
        .open(directory, &alone(create()))
        .unwrap();
    say("open");
    let _ = std::io::stdin().read(&mut [0]);
    drop(engine);
}

#[test]
fn two_openers_of_one_process_write_in_turns_and_see_each_other() {
    let fixture = Fixture::new();
    let second = RedbBackend::new()
        .open(fixture.path(), &existing())
        .unwrap();
    for number in 0..20 {
        fixture.add(&format!("t_a{number}"));
        write(&second, &[new_task(&task(&format!("t_b{number}")))]);
        let expected = 2 * (number + 1);
        assert_eq!(
            (tasks(&fixture.engine), tasks(&second)),
            (expected, expected)
        );
    }
    second.close().unwrap();
    fixture.add("t_last");
    assert_eq!(fixture.engine.check(10).unwrap(), []);
}

#[test]
fn a_second_opener_of_an_exclusive_board_is_refused_and_the_first_unharmed() {
    let fixture = Fixture::opened(RedbBackend::new(), &alone(create()));
    for how in [alone(existing()), existing()] {
        assert_eq!(kind(RedbBackend::new().open(fixture.path(), &how)), IN_USE);
    }
    fixture.add("t_1");
    assert_eq!(fixture.engine.check(10).unwrap(), []);
    fixture.engine.reopen().unwrap();
    assert_eq!(tasks(&fixture.engine), 1);
    fixture.engine.close().unwrap();
    assert_eq!(
        tasks(
            &RedbBackend::new()
                .open(fixture.path(), &existing())
                .unwrap()
        ),
        1
    );
}

#[test]
fn a_board_that_is_shared_is_not_opened_exclusively() {
    let fixture = Fixture::new();
    assert_eq!(
        kind(RedbBackend::new().open(fixture.path(), &alone(existing()))),
        IN_USE
    );
    fixture.add("t_1");
}

#[test]
fn a_lazy_board_that_is_shared_keeps_each_commit_at_once() {
    let how = OpenBoard {
        durability: Durability::Lazy {
            interval: Duration::from_hours(1),
        },
        ..create()
    };
    for (how, outlives) in [(how.clone(), true), (alone(how), false)] {
        let fixture = Fixture::opened(RedbBackend::new(), &how);
        assert_eq!(fixture.engine.outlives_process(), outlives);
        fixture.add("t_1");
        assert_eq!(tasks(&fixture.engine), 1);
        fixture.engine.close().unwrap();
        let again = RedbBackend::new()
            .open(fixture.path(), &existing())
            .unwrap();
        assert_eq!(tasks(&again), 1);
    }
}

#[test]
fn an_exclusive_board_of_a_killed_process_is_free_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut other = Other::new("exclude", directory.path());
    assert_eq!(other.hear(), "open");
    let how = alone(existing());
    let backend = RedbBackend::new();
    assert_eq!(kind(backend.open(directory.path(), &how)), IN_USE);
    other.kill();
    let engine = backend.open(directory.path(), &how).unwrap();
    write(&engine, &[new_task(&task("t_1"))]);
}

#[test]
fn a_writer_that_hangs_makes_others_busy_and_stops_no_reader() {
    let fixture = Fixture::with(RedbBackend::new().with_busy_deadline(Duration::from_millis(50)));
    fixture.add("t_1");
    let mut other = Other::new("hold", fixture.path());
    assert_eq!(other.hear(), "holding");
    let end = try_write(&fixture.engine, &[new_task(&task("t_2"))]);
    let WriteEnd::NotWritten(error) = end else {
        panic!("expected busy, found {end:?}");
    };
    assert_eq!(*error.kind(), ErrorKind::Busy);
    assert_eq!(tasks(&fixture.engine), 1);
    other.kill();
    fixture.add("t_2");
    assert_eq!(tasks(&fixture.engine), 2);
    assert_eq!(fixture.engine.check(10).unwrap(), []);
}
