//! Opening: what is made, what is refused, and that what is refused stays as it was.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use kanban_core::{
    Backend, Durability, Engine, ErrorKind, EventId, OpenBoard, Policy, Result, Unavailable, View,
};
use kanban_sqlite::{Locks, SqliteBackend, SqliteEngine};
use rusqlite::Connection;

use crate::support::{
    Fixture, ask, child, create, existing, finish, kind, new_task, state, task, tasks, write,
};

fn open(directory: &Path, how: &OpenBoard) -> Result<SqliteEngine> {
    SqliteBackend::new().open(directory, how)
}

/// A board with a task in it, closed; then changed by hand.
fn tampered(tamper: impl FnOnce(&Path)) -> tempfile::TempDir {
    let fixture = Fixture::new();
    write(&fixture.engine, &[new_task(&task("t_kept"))]);
    fixture.engine.close().unwrap();
    assert!(!fixture.wal().exists(), "a clean close leaves one file");
    tamper(&fixture.database());
    fixture.directory
}

fn by_sql(text: &'static str) -> tempfile::TempDir {
    tampered(move |path| Connection::open(path).unwrap().execute_batch(text).unwrap())
}

/// Opening is refused as expected, with and without creation, and the file is as it was.
fn assert_refused(directory: &Path, expected: &ErrorKind, story: &str) {
    let path = directory.join("board.db");
    let before = fs::read(&path).unwrap();
    for how in [existing(), create()] {
        let found = kind(open(directory, &how));
        assert_eq!(found, *expected, "{story}");
        assert!(before == fs::read(&path).unwrap(), "{story}: file changed");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn all_files_are_for_their_owner_only() {
    let fixture = Fixture::new();
    ask(&fixture.engine, |view| view.board());
    let mut names: Vec<_> = fs::read_dir(fixture.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = ["board.db", "board.db-shm", "board.db-wal", "board.lock"];
    assert_eq!(names, expected);
    for name in names {
        assert_eq!(mode(&fixture.path().join(&name)), 0o600, "{name}");
    }
}

#[test]
fn a_new_board_has_its_row_and_the_default_policy() {
    for durability in [Durability::Power, Durability::Process] {
        let fixture = Fixture::with(SqliteBackend::new(), durability);
        ask(&fixture.engine, |view| {
            assert_eq!(view.board()?, state());
            assert_eq!(view.policy()?, Policy::default());
            assert_eq!(view.tasks(None, 10)?, []);
            assert_eq!(view.events(EventId::new(0), 10)?, []);
            Ok(())
        });
        assert_eq!(fixture.engine.check(10).unwrap(), []);
    }
}

#[test]
fn a_closed_board_is_found_again() {
    let fixture = Fixture::new();
    write(&fixture.engine, &[new_task(&task("t_kept"))]);
    fixture.engine.close().unwrap();
    for how in [existing(), create()] {
        let again = open(fixture.path(), &how).unwrap();
        assert_eq!(tasks(&again), 1);
        again.close().unwrap();
    }
}

#[test]
fn a_board_that_was_never_closed_is_found_again() {
    let fixture = Fixture::new();
    write(&fixture.engine, &[new_task(&task("t_kept"))]);
    drop(fixture.engine);
    let again = open(fixture.directory.path(), &existing()).unwrap();
    assert_eq!(tasks(&again), 1);
}

#[test]
fn a_missing_board_is_not_made_unless_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let missing = ErrorKind::Unavailable(Unavailable::Io);
    assert_eq!(kind(open(directory.path(), &existing())), missing);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    let nowhere = directory.path().join("nowhere");
    assert_eq!(kind(open(&nowhere, &create())), missing);
    assert!(!nowhere.exists());
}

#[test]
fn an_empty_file_is_a_missing_board() {
    let directory = tempfile::tempdir().unwrap();
    File::create(directory.path().join("board.db")).unwrap();
    let missing = ErrorKind::Unavailable(Unavailable::Io);
    assert_eq!(kind(open(directory.path(), &existing())), missing);
    let made = open(directory.path(), &create()).unwrap();
    assert_eq!(tasks(&made), 0);
}

#[test]
fn a_wal_without_its_database_is_no_fresh_board() {
    let fixture = Fixture::new();
    write(&fixture.engine, &[new_task(&task("t_kept"))]);
    drop(fixture.engine);
    let directory = fixture.directory;
    fs::rename(
        directory.path().join("board.db"),
        directory.path().join("elsewhere.db"),
    )
    .unwrap();
    assert_eq!(
        kind(open(directory.path(), &create())),
        ErrorKind::Corrupt,
        "its rows would be removed"
    );
    assert!(
        fs::metadata(directory.path().join("board.db-wal"))
            .unwrap()
            .len()
            > 0
    );
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = by_sql("PRAGMA user_version = 2");
    let newer = ErrorKind::Unavailable(Unavailable::NewerSchema);
    assert_refused(directory.path(), &newer, "one version newer");
    let directory = by_sql("PRAGMA user_version = 99; CREATE TABLE later (x)");
    assert_refused(directory.path(), &newer, "much newer");
}

#[test]
fn a_schema_that_was_tampered_with_is_refused() {
    for text in [
        "CREATE TRIGGER steal AFTER UPDATE ON task BEGIN \
            UPDATE task SET assignee = 'mallory' WHERE id = new.id; END",
        "CREATE VIEW pretty AS SELECT * FROM task",
        "CREATE TABLE mine (x)",
        "CREATE INDEX mine ON task (title)",
        "DROP INDEX task_due",
        "ALTER TABLE task ADD COLUMN mine TEXT",
        "ALTER TABLE comment RENAME COLUMN body TO words",
        "DROP TABLE attachment",
        "ANALYZE",
        "PRAGMA user_version = 0",
        "PRAGMA application_id = 0",
        "PRAGMA application_id = 1",
        "PRAGMA user_version = -1",
        "DROP INDEX task_due; CREATE TRIGGER task_due AFTER DELETE ON task BEGIN SELECT 1; END",
    ] {
        let directory = by_sql(text);
        assert_refused(directory.path(), &ErrorKind::Corrupt, text);
    }
}

#[test]
fn a_database_of_somebody_else_is_refused() {
    for text in [
        "CREATE TABLE theirs (x)",
        "PRAGMA user_version = 1",
        "PRAGMA application_id = 7",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let other = Connection::open(directory.path().join("board.db")).unwrap();
        other
            .execute_batch("CREATE TABLE x (x); DROP TABLE x")
            .unwrap();
        other.execute_batch(text).unwrap();
        drop(other);
        assert_refused(directory.path(), &ErrorKind::Corrupt, text);
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for bytes in [
        "x".to_owned(),
        "a shopping list".repeat(3),
        "SQLite format 3\0".to_owned(),
        "\0".repeat(4096),
        "y".repeat(100_000),
    ] {
        fs::write(directory.path().join("board.db"), &bytes).unwrap();
        let story = format!("{} bytes", bytes.len());
        assert_refused(directory.path(), &ErrorKind::Corrupt, &story);
    }
}

#[test]
fn a_damaged_header_is_refused() {
    // What a program did that wrote a TLS record to a descriptor that was the database's by then.
    let record = b"\x17\x03\x03\x00\x20\xde\xad\xbe\xef\xde\xad\xbe\xef\xde\xad\xbe\xef\xde\xad\xbe\xef\xde\xad";
    let directory = tampered(|path| overwrite(path, 5, record));
    assert_refused(
        directory.path(),
        &ErrorKind::Corrupt,
        "TLS bytes at 5 to 28",
    );
    for (at, bytes, story) in [
        (0, &b"X"[..], "the first byte"),
        (16, b"\x00\x01", "a page size of 1"),
        (18, b"\x09\x09", "a format of the future"),
        (21, b"\xff\xff\xff", "payload fractions"),
        (100, b"\x99", "the type of the first page"),
        (100, &[0xff; 3000], "the schema's page"),
    ] {
        let directory = tampered(|path| overwrite(path, at, bytes));
        assert_refused(directory.path(), &ErrorKind::Corrupt, story);
    }
}

#[test]
fn a_truncated_file_is_refused() {
    let whole = {
        let directory = tampered(|_| {});
        fs::read(directory.path().join("board.db")).unwrap()
    };
    for len in [
        1,
        15,
        16,
        50,
        99,
        100,
        511,
        512,
        4095,
        4096,
        8192,
        whole.len() - 4096,
    ] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("board.db"), &whole[..len]).unwrap();
        let story = format!("{len} of {} bytes", whole.len());
        assert_refused(directory.path(), &ErrorKind::Corrupt, &story);
    }
}

#[test]
fn garbage_behind_a_valid_header_is_refused() {
    let directory = tampered(|path| {
        let len = usize::try_from(fs::metadata(path).unwrap().len()).unwrap();
        overwrite(path, 100, &vec![0xa5; len - 100]);
    });
    assert_refused(directory.path(), &ErrorKind::Corrupt, "all but the header");
}

#[test]
fn a_damaged_page_is_found_at_the_first_touch_and_never_written() {
    let whole = {
        let directory = tampered(|_| {});
        fs::read(directory.path().join("board.db")).unwrap()
    };
    let mut found = 0;
    let pages = whole.len() / 4096;
    for page in 1..pages {
        let mut bytes = whole.clone();
        bytes[page * 4096..][..64].fill(0xee);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("board.db");
        fs::write(&path, &bytes).unwrap();
        match open(directory.path(), &existing()).and_then(|engine| touch_all(&engine)) {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(*error.kind(), ErrorKind::Corrupt, "page {page}: {error}");
                found += 1;
            }
        }
        assert!(bytes == fs::read(&path).unwrap(), "page {page}: changed");
    }
    assert_eq!(
        found,
        pages - 1,
        "every page but the first is a table's or an index's"
    );
}

/// Asks something of every table and index; by the engine's own check at last.
fn touch_all(engine: &SqliteEngine) -> Result<()> {
    engine.read(&mut |view: &dyn View| {
        view.board()?;
        view.policy()?;
        view.tasks(None, 10).map(|_| ())
    })?;
    let found = engine.check(10)?;
    engine.close().unwrap();
    match found.first() {
        None => Ok(()),
        Some(violation) => Err(kanban_core::Error::corrupt(violation.what.clone())),
    }
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

#[test]
fn a_row_that_the_model_refuses_is_corrupt_and_named() {
    for (text, what) in [
        (
            "UPDATE task SET status = 'finished'",
            "status of task t_kept",
        ),
        ("UPDATE task SET title = '  '", "title of task t_kept"),
        (
            "UPDATE task SET priority = 1 << 40",
            "priority of task t_kept",
        ),
        (
            "UPDATE task SET open_parents = -1",
            "open_parents of task t_kept",
        ),
        ("UPDATE task SET claim_run = 1", "of task t_kept"),
        ("UPDATE task SET waiting = 2", "waiting of task t_kept"),
        (
            "UPDATE task SET failure_limit = 0",
            "failure_limit of task t_kept",
        ),
    ] {
        let directory = by_sql(text);
        let engine = open(directory.path(), &existing()).unwrap();
        let error = engine
            .read(&mut |view| view.tasks(None, 10).map(|_| ()))
            .unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Corrupt, "{text}");
        assert!(
            error.to_string().contains(what),
            "expected {what}, found {error}"
        );
    }
}

#[test]
fn the_check_finds_what_the_counters_and_links_get_wrong() {
    for (text, what) in [
        ("UPDATE task_count SET tasks = 7", "is 7, found 1"),
        ("DELETE FROM task_count", "is 0, found 1"),
        (
            "INSERT INTO task_count VALUES ('done', 'ann', 2)",
            "is 2, found 0",
        ),
        (
            "PRAGMA foreign_keys = OFF; INSERT INTO link VALUES ('t_kept', 't_gone')",
            "link refers to no task",
        ),
    ] {
        let directory = by_sql(text);
        let engine = open(directory.path(), &existing()).unwrap();
        let found = engine.check(10).unwrap();
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(
            found[0].what.contains(what),
            "expected {what}, found {found:?}"
        );
        assert_eq!(engine.check(0).unwrap(), []);
    }
}

#[test]
fn a_board_left_in_rollback_mode_is_put_back_into_wal_mode() {
    let directory = by_sql("PRAGMA journal_mode = DELETE");
    let engine = open(directory.path(), &existing()).unwrap();
    assert_eq!(tasks(&engine), 1);
    engine.close().unwrap();
    let bytes = fs::read(directory.path().join("board.db")).unwrap();
    assert_eq!(bytes[18..20], [2, 2], "the header says WAL");
}

#[test]
fn many_threads_and_processes_that_race_make_one_board() {
    let directory = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| child("race", directory.path()).spawn().unwrap())
        .collect();
    race(directory.path());
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let engine = open(directory.path(), &existing()).unwrap();
    assert_eq!(engine.check(10).unwrap(), []);
    assert_eq!(ask(&engine, |view| view.board()), state());
}

/// Four threads open one board and ask it.
pub(crate) fn race(directory: &Path) {
    let backend = SqliteBackend::new().with_busy_deadline(Duration::from_mins(1));
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
    let second = open(fixture.path(), &existing()).unwrap();
    assert_eq!(tasks(&second), 0);
    let fresh = tempfile::tempdir().unwrap();
    let lock = File::create(fresh.path().join("board.lock")).unwrap();
    lock.lock().unwrap();
    let hasty = SqliteBackend::new().with_busy_deadline(Duration::from_millis(5));
    assert_eq!(kind(hasty.open(fresh.path(), &create())), ErrorKind::Busy);
    assert!(
        !fresh.path().join("board.db").exists(),
        "never without the lock"
    );
    drop(lock);
    hasty.open(fresh.path(), &create()).unwrap();
}

#[test]
fn a_second_choice_of_locks_is_refused() {
    let fixture = Fixture::new();
    if cfg!(target_os = "linux") {
        let other = SqliteBackend::new().with_locks(Locks::Posix);
        assert_eq!(
            kind(other.open(fixture.path(), &existing())),
            ErrorKind::Unavailable(Unavailable::InUse)
        );
    }
    write(&fixture.engine, &[new_task(&task("t_unharmed"))]);
}

#[test]
fn a_directory_that_may_not_be_written_is_read_only() {
    let stories: [(&str, u32, Option<u32>); 4] = [
        ("empty", 0o555, None),
        ("files of another user", 0o555, Some(0o600)),
        ("readable files", 0o555, Some(0o644)),
        ("a file that may not be written", 0o777, Some(0o444)),
    ];
    for (story, directory_mode, file_mode) in stories {
        let directory = match file_mode {
            None => tempfile::tempdir().unwrap(),
            Some(_) => tampered(|_| {}),
        };
        let path = directory.path();
        if let Some(file_mode) = file_mode {
            let file = path.join("board.db");
            fs::set_permissions(file, Permissions::from_mode(file_mode)).unwrap();
        }
        fs::set_permissions(path, Permissions::from_mode(directory_mode)).unwrap();
        let mut command = child("open", path);
        // Permissions stop nobody who is root.
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.uid(65_534).gid(65_534);
        }
        let out = finish(command);
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        let kinds: Vec<_> = out.lines().filter(|line| line.contains("kind: ")).collect();
        assert!(
            !kinds.is_empty()
                && kinds
                    .iter()
                    .all(|line| line.ends_with("Unavailable(ReadOnly)")),
            "{story}: {out}"
        );
    }
}

/// Says how opening ends for who runs this.
pub(crate) fn open_as_a_stranger(directory: &Path) {
    let found = kind(open(directory, &create()));
    println!("\nkind: {found:?}");
}
