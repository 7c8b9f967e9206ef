//! How many descriptors and threads open boards take, and that all of them come back.
//!
//! Each story is told in a process of its own, where nobody else opens files.

use std::fs::{self, File};
use std::io::Seek;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kanban_core::{
    BoardSlug, BoardStore, Boards, ImportBackup, ImportLines, KeepClaims, Label, NewTask, Options,
    Title,
};
use kanban_sqlite::SqliteBackend;
use rusqlite::Connection;

use crate::backup::open;
use crate::cycles::play;

const THREADS: usize = 8;
const OPENS: usize = 12;
const BOARDS: usize = 20;
/// How many boards' connections a reader's thread keeps.
const BOARDS_PER_READER: usize = 16;
const READERS: usize = 2;
/// The writer's thread has a connection to write and one to read.
const CONNECTIONS_PER_WRITER: usize = 2;
const FAILURES: usize = 25;

/// The names of the parts.
pub(crate) const OPENED: &str = "threads that open and close";
pub(crate) const FAILED: &str = "opens that fail";
pub(crate) const MOVED: &str = "exports, backups and what is made of them";
pub(crate) const POOLED: &str = "many boards and few readers";

/// What this process has open, by name.
fn open_files() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").unwrap();
    let mut names: Vec<_> = entries
        // The one that lists them is gone by now.
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .map(|target| target.to_string_lossy().into_owned())
        .filter(|target| !target.starts_with("/proc/"))
        .collect();
    names.sort();
    names
}

fn open_files_like(end: &str) -> usize {
    let files = open_files();
    files.iter().filter(|name| name.ends_with(end)).count()
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// The kernel lists a thread for a moment after it was joined.
#[expect(clippy::disallowed_methods, reason = "a hang guard")]
fn assert_threads_return_to(expected: usize) {
    let begun = Instant::now();
    while threads() > expected {
        let found = threads();
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "expected {expected} threads, found {found}"
        );
        thread::yield_now();
    }
}

/// What is open once everything was opened and closed: what the first use leaves for good is no leak.
fn baseline(root: &Path) -> (Vec<String>, usize) {
    // The test runner's own threads have begun by now, this being one of them.
    let threads = threads();
    open_use_and_close(&root.join("first"));
    assert_threads_return_to(threads);
    (open_files(), threads)
}

fn open_use_and_close(root: &Path) -> usize {
    pollster::block_on(async {
        let boards = open(root).unwrap();
        let store = boards.open(None).await.unwrap();
        touch(&*store).await;
        let held = open_files().len();
        boards.close().await.unwrap();
        held
    })
}

async fn touch(store: &dyn BoardStore) {
    let task = store.create(NewTask::new(Title::new("a task").unwrap()));
    let task = task.await.unwrap().value;
    assert_eq!(store.task(task.id.clone()).await.unwrap().value.task, task);
}

/// Threads open the root over and over, while one store on it stays open.
pub(crate) fn open_and_close(root: &Path) {
    let (files, threads) = baseline(root);
    let shared = root.join("shared");
    let lasting = open(&shared).unwrap();
    let store = pollster::block_on(lasting.open(None)).unwrap();
    pollster::block_on(touch(&*store));
    let before = open_files().len();
    let peak = AtomicUsize::new(before);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..OPENS {
                    peak.fetch_max(open_use_and_close(&shared), Ordering::Relaxed);
                }
            });
        }
    });
    let after = open_files().len();
    let peak = peak.into_inner();
    println!(
        "\n{THREADS} threads, {OPENS} opens each: {before} descriptors before, at most {peak}, {after} after; then {}",
        files.len()
    );
    let connections = CONNECTIONS_PER_WRITER + 1;
    // A connection has the database and -wal; a store has the lock of its root; and one more may be on its way in or out.
    let each = 2 * connections + 2;
    assert!(peak <= before + THREADS * each, "{peak} after {before}");
    // SQLite sets the database's descriptors aside while anybody of the process has it open, as many as there were at one
    // time, and uses them again.
    assert!(
        after <= before + THREADS * connections,
        "{after} after {before}"
    );
    pollster::block_on(lasting.close()).unwrap();
    assert_eq!(open_files(), files);
    assert_threads_return_to(threads);
}

/// What makes a board's file one that cannot be opened.
type Spoil = fn(&Path);

/// Boards that cannot be opened, for all sorts of reasons.
pub(crate) fn fail_to_open(root: &Path) {
    let (files, threads) = baseline(root);
    let stories: [(&str, Spoil); 5] = [
        ("a damaged header", |board| {
            let file = File::options().write(true).open(board).unwrap();
            file.write_all_at(b"no database", 0).unwrap();
        }),
        ("a newer schema", |board| {
            by_sql(board, "PRAGMA user_version = 99");
        }),
        ("a trigger", |board| {
            by_sql(
                board,
                "CREATE TRIGGER t AFTER DELETE ON task BEGIN SELECT 1; END",
            );
        }),
        ("a truncated file", |board| {
            File::options()
                .write(true)
                .open(board)
                .unwrap()
                .set_len(5000)
                .unwrap();
        }),
        ("a directory in its place", |board| {
            fs::remove_file(board).unwrap();
            fs::create_dir(board).unwrap();
        }),
    ];
    for (number, (story, spoil)) in stories.into_iter().enumerate() {
        let root = root.join(number.to_string());
        open_use_and_close(&root);
        spoil(&root.join("boards").join("default").join("board.db"));
        pollster::block_on(async {
            let boards = open(&root).unwrap();
            let before = open_files();
            for _ in 0..FAILURES {
                boards.open(None).await.expect_err(story);
                let absent = BoardSlug::new("absent").unwrap();
                boards.open_existing(Some(&absent)).await.expect_err(story);
            }
            assert_eq!(open_files(), before, "{story}");
            boards.close().await.unwrap();
        });
        assert_eq!(open_files(), files, "{story}");
        assert_threads_return_to(threads);
        println!(
            "\n{story}: {FAILURES} opens failed, {} descriptors as before",
            files.len()
        );
    }
}

fn by_sql(board: &Path, text: &str) {
    Connection::open(board)
        .unwrap()
        .execute_batch(text)
        .unwrap();
}

/// Two callers ask more boards than a reader keeps connections to.
pub(crate) fn ask_many_boards(root: &Path) {
    let (files, threads) = baseline(root);
    let options = Options {
        reader_threads: READERS,
        ..Options::default()
    };
    let boards = Boards::open_root(root.join("many"), SqliteBackend::new(), options).unwrap();
    let stores: Vec<_> = (0..BOARDS)
        .map(|number| {
            let slug = BoardSlug::new(format!("board-{number}")).unwrap();
            pollster::block_on(boards.open(Some(&slug))).unwrap()
        })
        .collect();
    // Of the connections that a reader keeps the oldest goes once a new one was used.
    let bound = BOARDS * CONNECTIONS_PER_WRITER + READERS * (BOARDS_PER_READER + 1);
    let peak = AtomicUsize::new(0);
    thread::scope(|scope| {
        for caller in 0..READERS {
            let (stores, peak) = (&stores, &peak);
            scope.spawn(move || {
                for round in 0..5 {
                    for at in 0..BOARDS {
                        // In different orders, so that both readers meet all boards.
                        let at = (at * (2 * caller + 1) + round) % BOARDS;
                        pollster::block_on(touch(&**stores.get(at).unwrap()));
                        // A connection has one descriptor of -wal; those of the database SQLite may set aside.
                        peak.fetch_max(open_files_like("board.db-wal"), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let peak = peak.into_inner();
    let databases = open_files_like("board.db");
    println!(
        "\n{BOARDS} boards, {READERS} readers: at most {peak} connections of {bound}, {databases} descriptors of databases"
    );
    assert!(
        peak <= bound,
        "expected at most {bound} connections, found {peak}"
    );
    assert!(
        databases <= BOARDS * (CONNECTIONS_PER_WRITER + READERS),
        "{databases} descriptors"
    );
    drop(stores);
    pollster::block_on(boards.close()).unwrap();
    assert_eq!(open_files(), files);
    assert_threads_return_to(threads);
}

/// Boards that are written out and taken over, again and again.
pub(crate) fn move_boards(root: &Path) {
    let (files, threads) = baseline(root);
    let home = root.join("home");
    let actor = || Label::new("actor", "mover").unwrap();
    pollster::block_on(async {
        let boards = open(&home).unwrap();
        let store = boards.open(None).await.unwrap();
        touch(&*store).await;
        for round in 0..OPENS {
            let backup = root.join(format!("backup-{round}.db"));
            store.backup(backup.clone()).await.unwrap();
            let mut spool = tempfile::tempfile().unwrap();
            let lines = Box::new(spool.try_clone().unwrap());
            store.export(lines).await.unwrap();
            spool.rewind().unwrap();

            let fresh = |what: &str| BoardSlug::new(format!("{what}-{round}")).unwrap();
            let imported = boards.open(Some(&fresh("imported"))).await.unwrap();
            let import = ImportLines {
                source: Box::new(spool),
                claims: KeepClaims::No,
                actor: actor(),
            };
            imported.import_lines(import).await.unwrap();
            let restored = boards.open(Some(&fresh("restored"))).await.unwrap();
            let import = ImportBackup {
                file: backup,
                claims: KeepClaims::No,
                actor: actor(),
            };
            boards.import_backup(&*restored, import).await.unwrap();
            imported.close().await.unwrap();
            restored.close().await.unwrap();
            // What is left open is the one board's, whatever was made of it.
            assert_eq!(open_files_like("(deleted)"), 0, "round {round}");
        }
        boards.close().await.unwrap();
    });
    assert_eq!(open_files(), files);
    assert_threads_return_to(threads);
    println!(
        "\n{OPENS} rounds of backup, export, import and restore: {} descriptors as before",
        files.len()
    );
}

fn tell(part: &str) {
    let root = tempfile::tempdir().unwrap();
    let printed = play(part, root.path());
    let figures = printed.lines().filter(|line| line.contains("descriptors"));
    let figures: Vec<_> = figures.collect();
    assert!(
        !figures.is_empty(),
        "it says what it has counted: {printed}"
    );
    for line in figures {
        println!("{part}: {line}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn threads_that_open_and_close_a_board_over_and_over_leave_no_descriptor_behind() {
    tell(OPENED);
}

#[test]
#[cfg(target_os = "linux")]
fn an_open_that_fails_leaves_no_descriptor_behind() {
    tell(FAILED);
}

#[test]
#[cfg(target_os = "linux")]
fn readers_of_many_boards_stay_within_the_bound_of_their_pool() {
    tell(POOLED);
}

#[test]
#[cfg(target_os = "linux")]
fn what_writes_boards_out_and_takes_them_over_leaves_no_descriptor_behind() {
    tell(MOVED);
}
