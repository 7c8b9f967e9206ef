//! Locks that nothing else of the process can lose, and two writers on one board.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kanban_core::{Backend, Engine, ErrorKind, Verdict, WriteEnd};
use kanban_sqlite::{Locks, SqliteBackend};

use crate::support::{
    Fixture, child, create, existing, finish, new_task, task, tasks, try_write, write,
};

/// The locks that the kernel's table has on a file.
fn locks_on(path: &Path) -> Vec<String> {
    let inode = format!(":{} ", fs::metadata(path).unwrap().ino());
    let table = fs::read_to_string("/proc/locks").unwrap();
    let lines = table.lines().filter(|line| line.contains(&inode));
    lines.map(str::to_owned).collect()
}

/// What a naive backup, a hash, or a probe of the header does.
fn stray_reads(fixture_path: &Path) {
    for name in ["board.db", "board.db-wal", "board.db-shm"] {
        let mut bytes = Vec::new();
        let mut file = File::open(fixture_path.join(name)).unwrap();
        file.read_to_end(&mut bytes).unwrap();
    }
}

/// Another process opens the board, writes, and closes it as the last one as far as it knows. An old SQLite of
/// another build, where there is one; else ours.
fn another_process_writes(directory: &Path) {
    let python = Command::new("python3")
        .args([
            "-c",
            "import sqlite3, sys\n\
             c = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
             c.execute('UPDATE policy SET failure_limit = failure_limit + 1')\n\
             c.close()\n\
             print('written by', sqlite3.sqlite_version)",
        ])
        .arg(directory.join("board.db"))
        .output();
    match python {
        Ok(output) if output.status.success() => {
            eprint!("{}", String::from_utf8_lossy(&output.stdout));
        }
        other => {
            eprintln!("no python3 with sqlite3 ({other:?}): another process of our own");
            finish(child("add", directory));
        }
    }
}

/// Adds a task and closes.
pub(crate) fn add_one(directory: &Path) {
    let engine = SqliteBackend::new().open(directory, &existing()).unwrap();
    write(&engine, &[new_task(&task("t_from_a_child"))]);
    engine.close().unwrap();
}

/// Says which tasks a process sees that had nothing open before.
pub(crate) fn count(directory: &Path) {
    let engine = SqliteBackend::new().open(directory, &existing()).unwrap();
    let mut names = Vec::new();
    engine
        .read(&mut |view| {
            names = view.tasks(None, usize::MAX)?;
            Ok(())
        })
        .unwrap();
    for task in names {
        println!("\nseen: {}", task.id);
    }
}

fn seen_by_another_process(directory: &Path) -> Vec<String> {
    let out = finish(child("count", directory));
    let lines = out.lines().filter_map(|line| line.strip_prefix("seen: "));
    lines.map(str::to_owned).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn the_locks_on_the_files_belong_to_their_descriptors() {
    let fixture = Fixture::new();
    assert_eq!(tasks(&fixture.engine), 0);
    for name in ["board.db", "board.db-shm"] {
        let locks = locks_on(&fixture.path().join(name));
        assert!(!locks.is_empty(), "no lock on {name}");
        assert!(
            locks.iter().all(|line| line.contains("OFDLCK")),
            "{name}: {locks:#?}"
        );
    }
    let before = locks_on(&fixture.database());
    stray_reads(fixture.path());
    assert_eq!(locks_on(&fixture.database()).len(), before.len());
    fixture.engine.close().unwrap();
    assert_eq!(locks_on(&fixture.database()), Vec::<String>::new());
}

#[test]
#[cfg(target_os = "linux")]
fn stray_reads_and_a_foreign_writer_lose_no_acknowledged_row() {
    let fixture = Fixture::new();
    let wal = fs::metadata(fixture.wal()).unwrap().ino();
    let mut expected = Vec::new();
    for round in 0..5 {
        let name = format!("t_{round}");
        write(&fixture.engine, &[new_task(&task(&name))]);
        expected.push(name);
        stray_reads(fixture.path());
        another_process_writes(fixture.path());
    }
    assert_eq!(
        fs::metadata(fixture.wal()).unwrap().ino(),
        wal,
        "the -wal was unlinked"
    );
    write(&fixture.engine, &[new_task(&task("t_last"))]);
    expected.push("t_last".to_owned());
    let mut seen = seen_by_another_process(fixture.path());
    seen.retain(|name| name != "t_from_a_child");
    assert_eq!(seen, expected);
    assert_eq!(fixture.engine.check(10).unwrap(), []);
}

#[test]
fn without_those_locks_what_is_lost_is_at_least_not_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let out = finish(child("stray", directory.path()));
    let acknowledged: Vec<_> = out
        .lines()
        .filter_map(|line| line.strip_prefix("acked: "))
        .collect();
    assert!(out.contains("played to its end"), "{out}");
    let seen = seen_by_another_process(directory.path());
    // The rows of the -wal that was unlinked under the writer were acknowledged before, and nobody can know
    // that it will be: only the write that comes after it is held back.
    let after: Vec<_> = acknowledged
        .iter()
        .filter(|name| name.starts_with("t_after"))
        .collect();
    for name in after {
        assert!(seen.iter().any(|found| found == name), "{name} of {seen:?}");
    }
}

/// The same with POSIX locks: either the locks hold, or the next write says that it is uncertain.
pub(crate) fn stray_with_posix_locks(directory: &Path) {
    let backend = SqliteBackend::new().with_locks(Locks::Posix);
    let engine = backend.open(directory, &create()).unwrap();
    write(&engine, &[new_task(&task("t_before"))]);
    println!("\nacked: t_before");
    stray_reads(directory);
    another_process_writes(directory);
    for round in 0..3 {
        let name = format!("t_after_{round}");
        match try_write(&engine, &[new_task(&task(&name))]) {
            WriteEnd::Done(Verdict::Commit) => println!("\nacked: {name}"),
            WriteEnd::Uncertain(error) => {
                println!("\nuncertain: {error}");
                engine.reopen().unwrap();
            }
            other => panic!("found {other:?}"),
        }
    }
    println!("\nplayed to its end");
    // As if killed: nothing is closed well.
    std::process::exit(0);
}

#[test]
fn two_engines_on_one_file_see_each_other() {
    let first = Fixture::new();
    let second = SqliteBackend::new()
        .open(first.path(), &existing())
        .unwrap();
    for round in 0..10 {
        let engine = if round % 2 == 0 {
            &first.engine
        } else {
            &second
        };
        write(engine, &[new_task(&task(&format!("t_{round}")))]);
        assert_eq!(tasks(&first.engine), round + 1);
        assert_eq!(tasks(&second), round + 1);
    }
    second.close().unwrap();
    write(&first.engine, &[new_task(&task("t_last"))]);
    assert_eq!(tasks(&first.engine), 11);
    assert_eq!(seen_by_another_process(first.path()).len(), 11);
    first.engine.close().unwrap();
    assert!(!first.wal().exists(), "the last one cleans up");
}

#[test]
fn a_writer_that_waits_past_its_deadline_is_busy_and_has_written_nothing() {
    let first = Fixture::new();
    let hasty = SqliteBackend::new().with_busy_deadline(Duration::from_millis(5));
    let second = hasty.open(first.path(), &existing()).unwrap();
    let end = first.engine.write(&mut |txn| {
        txn.apply(&new_task(&task("t_first")))?;
        match try_write(&second, &[new_task(&task("t_second"))]) {
            WriteEnd::NotWritten(error) => assert_eq!(*error.kind(), ErrorKind::Busy, "{error}"),
            other => panic!("found {other:?}"),
        }
        assert_eq!(tasks(&second), 0, "readers are not held up");
        Ok(Verdict::Commit)
    });
    assert!(matches!(end, WriteEnd::Done(Verdict::Commit)), "{end:?}");
    write(&second, &[new_task(&task("t_second"))]);
    assert_eq!(tasks(&first.engine), 2);
}
