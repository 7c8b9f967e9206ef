//! What goes wrong inside a write or a read, and that the board goes on after it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kanban_core::{
    Backend, Change, Counters, Durability, Event, EventId, EventKind, JsonObject, Label, Link,
    Millis, OpenBoard, Pause, PauseTarget, Reason, RootMode, Seq, TaskId, TextKind,
};

use super::*;
use crate::SqliteBackend;

mod unguarded;

fn state() -> BoardState {
    BoardState {
        created_at: Millis::new(0),
        seed: 1,
        counters: Counters::default(),
        reserved: Counters::default(),
        boot: None,
        horizon: EventId::new(0),
    }
}

fn open(directory: &Path) -> SqliteEngine {
    let how = OpenBoard {
        create: Some(state()),
        durability: Durability::Power,
        mode: RootMode::Shared,
    };
    SqliteBackend::new().open(directory, &how).unwrap()
}

fn write(engine: &SqliteEngine, changes: &[Change]) -> WriteEnd {
    engine.write(&mut |txn| {
        for change in changes {
            txn.apply(change)?;
        }
        Ok(Verdict::Commit)
    })
}

fn pause(reason_len: usize) -> Change {
    Change::Pause {
        before: None,
        after: Some(Pause {
            target: PauseTarget::Board,
            actor: Label::new("actor", "ann").unwrap(),
            reason: Some(Reason::new("reason", "r".repeat(reason_len)).unwrap()),
            at: Millis::new(0),
        }),
    }
}

fn event(number: u64, data_len: usize) -> Change {
    let mut event = Event {
        id: EventId::new(number),
        seq: Seq::new(1),
        at: Millis::new(0),
        task: None,
        run: None,
        actor: None,
        kind: EventKind::Imported,
        data: JsonObject::default(),
    };
    if data_len > 0 {
        let text = format!("{{\"x\":\"{}\"}}", "d".repeat(data_len));
        event.data = JsonObject::parse("data", &text).unwrap();
    }
    Change::AddEvent(Box::new(event))
}

fn events(engine: &SqliteEngine) -> usize {
    let mut found = 0;
    engine
        .read(&mut |view| {
            found = view.events(EventId::new(0), usize::MAX)?.len();
            Ok(())
        })
        .unwrap();
    found
}

fn kind_of(end: &WriteEnd) -> &ErrorKind {
    match end {
        WriteEnd::NotWritten(error) | WriteEnd::Uncertain(error) => error.kind(),
        WriteEnd::Done(verdict) => panic!("expected an error, found {verdict:?}"),
    }
}

fn assert_done(end: &WriteEnd) {
    assert!(
        matches!(end, WriteEnd::Done(Verdict::Commit)),
        "found {end:?}"
    );
}

#[test]
fn a_change_of_a_row_that_is_not_there_is_corrupt_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let id = |text: &str| TaskId::new(text).unwrap();
    let link = Link {
        parent: id("t_a"),
        child: id("t_b"),
    };
    for change in [
        Change::RemoveEvent(EventId::new(9)),
        Change::RemoveLink(link.clone()),
        Change::Pause {
            before: Some(Pause {
                target: PauseTarget::Board,
                actor: Label::new("actor", "ann").unwrap(),
                reason: None,
                at: Millis::new(0),
            }),
            after: None,
        },
        // Two of one number.
        event(1, 0),
    ] {
        let end = write(&engine, &[event(1, 0), change]);
        assert!(matches!(end, WriteEnd::NotWritten(_)), "found {end:?}");
        assert_eq!(*kind_of(&end), ErrorKind::Corrupt);
        assert_eq!(events(&engine), 0);
    }
    assert_done(&write(&engine, &[event(1, 0)]));
}

#[test]
fn references_that_dangle_at_the_commit_are_refused_for_certain() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let text = Change::Text {
        task: TaskId::new("t_nowhere").unwrap(),
        kind: TextKind::Body,
        after: Some("body".to_owned()),
    };
    let end = write(&engine, &[event(1, 0), text]);
    assert!(matches!(end, WriteEnd::NotWritten(_)), "found {end:?}");
    assert_eq!(*kind_of(&end), ErrorKind::Corrupt);
    assert_eq!(events(&engine), 0);
    assert_done(&write(&engine, &[event(1, 0)]));
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let end = write(&engine, &[event(1, 0), event(u64::MAX, 0)]);
    assert_eq!(*kind_of(&end), ErrorKind::Internal, "a number of 64 bits");
    assert_done(&write(&engine, &[event(2, 60 * 1024)]));
    assert_eq!(events(&engine), 1);
}

#[test]
fn a_statement_that_runs_past_the_alarm_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let done = cache::with(&engine.core, Role::Reader, |handle| {
        let undo = handle.begin_snapshot(engine.deadline())?;
        handle.alarm.set(Some(Duration::ZERO));
        let endless = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) \
            SELECT count(*) FROM n";
        let done = handle.connection().query_row(endless, [], |_| Ok(()));
        let error = storage("counting", done.unwrap_err());
        drop(undo);
        assert!(!handle.is_broken());
        Err::<(), _>(error)
    });
    let error = done.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains("deadline"), "found {error}");
    assert_eq!(events(&engine), 0, "the next reader is not hurt");
}

#[test]
fn a_statement_behind_which_the_wal_outgrows_its_bound_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let how = OpenBoard {
        create: Some(state()),
        durability: Durability::Power,
        mode: RootMode::Shared,
    };
    let backend = SqliteBackend::new().with_wal_len_max(PAGE_LEN);
    let engine = backend.open(directory.path(), &how).unwrap();
    let done = engine.long("check", |handle| {
        for number in 1..=10 {
            assert_done(&write(&engine, &[event(number, 60 * 1024)]));
        }
        let endless = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) \
            SELECT count(*) FROM n";
        let done = handle.connection().query_row(endless, [], |_| Ok(()));
        done.map_err(|error| storage("counting", error))
    });
    let error = done.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Busy);
    let expected = "the check held its snapshot too long";
    assert!(error.to_string().contains(expected), "found {error}");
    assert_eq!(engine.check(10).unwrap(), []);
}

#[test]
fn an_error_of_upkeep_shows_in_the_next_write_once() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let error = Error::unavailable(Unavailable::NoSpace, "checkpointing");
    *lock(&engine.trouble) = Trouble::Idle(error);
    engine.idle();
    let end = write(&engine, &[event(1, 0)]);
    assert_eq!(*kind_of(&end), ErrorKind::Unavailable(Unavailable::NoSpace));
    assert_done(&write(&engine, &[event(1, 0)]));
}

#[test]
fn after_an_uncertain_commit_nothing_is_written_before_the_files_are_opened_anew() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    *lock(&engine.trouble) = Trouble::Uncertain;
    engine.idle();
    for _ in 0..2 {
        let end = write(&engine, &[event(1, 0)]);
        assert!(matches!(end, WriteEnd::NotWritten(_)), "found {end:?}");
    }
    assert_eq!(events(&engine), 0);
    engine.reopen().unwrap();
    assert_done(&write(&engine, &[event(1, 0)]));
}

/// A file system of its own that is soon full; unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(at);
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            _ => None,
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

/// Fills until a write fails for want of space: then nothing of it is there, everything before is, and the board works
/// again when there is space.
fn fill(engine: &SqliteEngine, make_room: impl FnOnce()) {
    let mut number = 0;
    let end = loop {
        number += 1;
        let end = write(engine, &[event(number, 60 * 1024)]);
        if !matches!(end, WriteEnd::Done(Verdict::Commit)) {
            break end;
        }
        assert!(number < 1_000, "the disk does not fill");
    };
    assert!(number > 3, "found {end:?} at once");
    assert_eq!(*kind_of(&end), ErrorKind::Unavailable(Unavailable::NoSpace));
    let acknowledged = usize::try_from(number).unwrap() - 1;
    if matches!(end, WriteEnd::Uncertain(_)) {
        engine.reopen().unwrap();
    }
    assert_eq!(events(engine), acknowledged);
    // Still full, and still no harm.
    let end = write(engine, &[event(number, 60 * 1024)]);
    assert_eq!(*kind_of(&end), ErrorKind::Unavailable(Unavailable::NoSpace));
    if matches!(end, WriteEnd::Uncertain(_)) {
        engine.reopen().unwrap();
    }
    make_room();
    assert_done(&write(engine, &[event(number, 60 * 1024), pause(4096)]));
    assert_eq!(events(engine), acknowledged + 1);
    assert_eq!(engine.check(10).unwrap(), []);
}

#[test]
fn a_full_disk_is_no_space_writes_nothing_and_the_board_goes_on_after_it() {
    let directory = tempfile::tempdir().unwrap();
    if let Some(disk) = SmallDisk::mount(directory.path(), "size=2m") {
        let filler = disk.0.join("filler");
        fs::write(&filler, vec![0; 700 * 1024]).unwrap();
        let engine = open(&disk.0);
        fill(&engine, || fs::remove_file(&filler).unwrap());
        engine.close().unwrap();
        return;
    }
    eprintln!("no right to mount a small file system: a bound on the pages of the file instead");
    let engine = open(directory.path());
    let bound = |pages: i64| {
        let set = |handle: &mut Handle| {
            let connection = handle.connection();
            let done =
                connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
            done.map_err(|error| storage("bounding the file", error))
        };
        cache::with(&engine.core, Role::Writer, set).unwrap();
    };
    bound(300);
    fill(&engine, || bound(30_000));
}

#[test]
fn a_full_disk_has_no_room_for_a_new_board() {
    let directory = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(directory.path(), "size=64k") else {
        eprintln!("no right to mount a small file system: a bound on the size of files instead");
        return no_room_by_limit(directory.path());
    };
    fs::write(disk.0.join("filler"), vec![0; 60 * 1024]).unwrap();
    let how = OpenBoard {
        create: Some(state()),
        durability: Durability::Power,
        mode: RootMode::Shared,
    };
    let error = SqliteBackend::new().open(&disk.0, &how).unwrap_err();
    assert_eq!(
        *error.kind(),
        ErrorKind::Unavailable(Unavailable::NoSpace),
        "{error}"
    );
    fs::remove_file(disk.0.join("filler")).unwrap();
}

/// The lock file takes no byte, the database one page: a schema does not fit.
fn no_room_by_limit(directory: &Path) {
    let place = crate::files::Place::of(directory).unwrap();
    place.create_database().unwrap();
    let connection = rusqlite::Connection::open(&place.database).unwrap();
    let few = connection.pragma_update_and_check(None, "max_page_count", 3, |_| Ok(()));
    few.unwrap();
    let error = crate::schema::migrate(&connection, Some(&state())).unwrap_err();
    assert_eq!(
        *error.kind(),
        ErrorKind::Unavailable(Unavailable::NoSpace),
        "{error}"
    );
}

#[test]
fn a_flush_after_a_reopen_leaves_nothing_behind_a_failed_one() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    for number in 1..=50 {
        assert_done(&write(&engine, &[event(number, 10_000)]));
    }
    let wal = directory.path().join("board.db-wal");
    let before = fs::metadata(&wal).unwrap().len();
    engine.reopen().unwrap();
    engine.flush().unwrap();
    assert_done(&write(&engine, &[event(51, 10_000)]));
    let after = fs::metadata(&wal).unwrap().len();
    assert!(
        after * 5 < before,
        "expected a -wal begun anew, found {after} bytes after {before}"
    );
    assert_eq!(events(&engine), 51);
    engine.close().unwrap();
}
