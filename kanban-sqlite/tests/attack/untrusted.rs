//! A board's file is untrusted input: somebody sent it, or a disk spoiled it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use kanban_conformance::{TestClock, TestIds};
use kanban_core::{
    Authority, Backend, BoardStore, Boards, ClaimNext, CommentOn, Complete, Durability, Engine,
    ErrorKind, EventId, Label, LongText, NewTask, NextClaim, Note, OpenBoard, Options, Result,
    RootMode, Task, Title,
};
use kanban_sqlite::{SqliteBackend, SqliteEngine};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::backup::open;

const PAGE_LEN: usize = 4096;
const HEADER_LEN: usize = 100;
const ROWS_MAX: usize = 1000;

/// The file of a small board with something in most tables, closed; the same at every call.
pub(crate) fn board() -> Vec<u8> {
    let root = tempfile::tempdir().unwrap();
    pollster::block_on(async {
        let options = Options {
            clock: Arc::new(TestClock::at(TestClock::START)),
            ids: Arc::new(TestIds::default()),
            ..Options::default()
        };
        let boards = Boards::open_root(root.path(), SqliteBackend::new(), options).unwrap();
        let store = boards.open(None).await.unwrap();
        fill(&*store).await;
        boards.close().await.unwrap();
    });
    let board = root.path().join("boards").join("default");
    assert!(!board.join("board.db-wal").exists(), "all is in one file");
    fs::read(board.join("board.db")).unwrap()
}

async fn fill(store: &dyn BoardStore) {
    let worker = Label::new("claimant", "worker").unwrap();
    let mut parents = Vec::new();
    for number in 0..12 {
        let new = NewTask {
            body: Some(LongText::new("body", "word ".repeat(number * 50 + 1)).unwrap()),
            parents: parents.clone(),
            ..NewTask::new(Title::new(format!("Task {number}")).unwrap())
        };
        let task = store.create(new).await.unwrap().value;
        let comment = CommentOn {
            task: task.id.clone(),
            author: worker.clone(),
            body: Note::new("body", "a word").unwrap(),
            request_id: None,
        };
        store.comment(comment).await.unwrap();
        parents = vec![task.id];
    }
    let claimed = store.claim_next(ClaimNext::new(worker)).await.unwrap();
    let NextClaim::Claimed(claimed) = claimed.value else {
        panic!("expected a claim, found {claimed:?}")
    };
    let authority = Authority::worker(claimed.run.id);
    let complete = Complete::new(claimed.task.id.clone(), authority);
    store.complete(complete).await.unwrap();
}

/// What is found in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It was not opened, and is as it was.
    Refused,
    /// It was opened, and damage was met by a question or by the check: nobody takes it for whole.
    Damaged,
    /// Every answer is right.
    Right,
    /// Answers differ, and nothing says so.
    Silent,
}

/// A directory with a board's file in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("board.db")
    }

    fn put(&self, bytes: &[u8]) {
        for name in ["board.db-wal", "board.db-shm", "board.db-journal"] {
            // There is one only after a board that was not closed.
            let _ = fs::remove_file(self.0.path().join(name));
        }
        fs::write(self.file(), bytes).unwrap();
    }

    fn open(&self) -> Result<SqliteEngine> {
        let how = OpenBoard {
            create: None,
            durability: Durability::Power,
            mode: RootMode::Shared,
        };
        SqliteBackend::new().open(self.0.path(), &how)
    }

    /// Opens what is there and asks it everything. An error of any other kind than the two that tell of a file is the
    /// test's failure.
    fn judge(&self, expected: &str, story: &str) -> Found {
        let before = fs::read(self.file()).unwrap();
        let engine = match self.open() {
            Ok(engine) => engine,
            Err(error) => {
                assert_told(&error, story);
                let after = fs::read(self.file()).unwrap();
                assert!(before == after, "{story}: changed, though {error}");
                return Found::Refused;
            }
        };
        let answers = answers(&engine);
        let check = engine.check(10);
        let found = match (&answers, &check) {
            (Err(error), _) | (_, Err(error)) => {
                assert_told(error, story);
                Found::Damaged
            }
            (_, Ok(found)) if !found.is_empty() => Found::Damaged,
            (Ok(answers), _) if answers == expected => Found::Right,
            _ => Found::Silent,
        };
        drop(engine);
        let after = fs::read(self.file()).unwrap();
        // A board whose header says that it was left in another mode is put back into WAL mode when it is opened.
        let is_in_wal_mode = before.get(19) == Some(&2);
        assert!(
            before == after || !is_in_wal_mode,
            "{story}: questions changed it"
        );
        found
    }
}

fn assert_told(error: &kanban_core::Error, story: &str) {
    let kind = error.kind();
    assert!(
        matches!(kind, ErrorKind::Corrupt | ErrorKind::Unavailable(_)),
        "{story}: expected corrupt or unavailable, found {kind:?}: {error}"
    );
}

/// All that a board answers.
fn answers(engine: &SqliteEngine) -> Result<String> {
    let mut answers = String::new();
    engine.read(&mut |view| {
        answers = format!(
            "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
            view.board()?,
            view.policy()?,
            view.tasks(None, ROWS_MAX)?,
            view.events(EventId::new(0), ROWS_MAX)?,
            view.links(None, ROWS_MAX)?,
            view.runs(None, ROWS_MAX)?,
            view.comments(None, ROWS_MAX)?,
        );
        Ok(())
    })?;
    Ok(answers)
}

/// What is right.
fn right(bytes: &[u8]) -> String {
    let place = Place::new();
    place.put(bytes);
    let engine = place.open().unwrap();
    let right = answers(&engine).unwrap();
    assert!(right.contains("Task 11"), "{right}");
    right
}

/// One way to spoil a file.
type Spoil = fn(&mut Vec<u8>, &mut Rng);

const WAYS: &[(&str, Spoil)] = &[
    ("bits of the header", |bytes, rng| {
        for _ in 0..rng.usize(1..=3) {
            flip(bytes, rng, 0..HEADER_LEN);
        }
    }),
    ("bits of a page's header", |bytes, rng| {
        let start = page(bytes, rng);
        for _ in 0..rng.usize(1..=3) {
            flip(bytes, rng, start..start + 12);
        }
    }),
    ("bits of a page's pointers", |bytes, rng| {
        let start = page(bytes, rng) + 8;
        for _ in 0..rng.usize(1..=3) {
            flip(bytes, rng, start..start + 32);
        }
    }),
    ("a file cut short", |bytes, rng| {
        let len = rng.usize(1..bytes.len());
        bytes.truncate(len);
    }),
    ("a page of zeros", |bytes, rng| {
        let start = page(bytes, rng) / PAGE_LEN * PAGE_LEN;
        bytes.get_mut(start..start + PAGE_LEN).unwrap().fill(0);
    }),
    ("a page in another's place", |bytes, rng| {
        let from = page(bytes, rng) / PAGE_LEN * PAGE_LEN;
        let to = page(bytes, rng) / PAGE_LEN * PAGE_LEN;
        bytes.copy_within(from..from + PAGE_LEN, to);
    }),
    ("noise in a page", |bytes, rng| {
        let start = page(bytes, rng);
        let len = rng.usize(1..PAGE_LEN - HEADER_LEN);
        rng.fill(bytes.get_mut(start..start + len).unwrap());
    }),
];

/// Where a page begins, past the file's own header.
fn page(bytes: &[u8], rng: &mut Rng) -> usize {
    match rng.usize(0..bytes.len() / PAGE_LEN) {
        0 => HEADER_LEN,
        number => number * PAGE_LEN,
    }
}

fn flip(bytes: &mut [u8], rng: &mut Rng, range: std::ops::Range<usize>) {
    *bytes.get_mut(rng.usize(range)).unwrap() ^= 1 << rng.u8(0..8);
}

#[test]
fn thousands_of_spoiled_files_are_told_or_answered_right() {
    const EACH: u64 = 300;
    let whole = board();
    let expected = right(&whole);
    let (report, reports) = sync_channel(64);
    thread::scope(|scope| {
        let (whole, expected) = (&whole, &expected);
        for (way, (name, spoil)) in WAYS.iter().enumerate() {
            let report = report.clone();
            scope.spawn(move || {
                let place = Place::new();
                for seed in 0..EACH {
                    let mut bytes = whole.clone();
                    spoil(&mut bytes, &mut Rng::with_seed(seed));
                    place.put(&bytes);
                    report
                        .send((
                            way,
                            seed,
                            place.judge(expected, &format!("{name}, seed {seed}")),
                        ))
                        .unwrap();
                }
            });
        }
        drop(report);
        let mut counted = vec![[0_u32; 4]; WAYS.len()];
        let mut silent = Vec::new();
        for _ in 0..EACH * WAYS.len() as u64 {
            // The hang guard.
            let (way, seed, found) = reports.recv_timeout(Duration::from_mins(1)).unwrap();
            *counted
                .get_mut(way)
                .unwrap()
                .get_mut(found as usize)
                .unwrap() += 1;
            if found == Found::Silent {
                silent.push((WAYS.get(way).unwrap().0, seed));
            }
        }
        for ((name, _), [refused, damaged, right, silent]) in WAYS.iter().zip(&counted) {
            println!(
                "{name}: {EACH} files; {refused} refused, {damaged} found damaged, {right} right, {silent} silently wrong"
            );
        }
        assert_eq!(
            silent,
            [],
            "seeds of files with wrong answers and a clean check"
        );
    });
}

#[test]
fn values_of_other_types_and_sizes_are_told() {
    let whole = board();
    let expected = right(&whole);
    for (table, column, value) in [
        ("task", "priority", "'high'"),
        ("task", "version", "(1 << 62) + 1"),
        ("task", "title", "x'00ff'"),
        ("task", "title", "7.5"),
        ("task", "title", "zeroblob(17000000)"),
        ("task", "title", "printf('%.*c', 17000000, 'x')"),
        ("task", "created_at", "9.3e18"),
        ("comment", "at", "'yesterday'"),
        ("comment", "body", "printf('%.*c', 17000000, 'x')"),
        ("comment", "body", "CAST(x'80' AS TEXT)"),
        ("event", "data", "'{'"),
        ("event", "data", "CAST(x'00' AS TEXT)"),
        ("run", "phase", "NULL"),
        ("board", "seq", "-1"),
        ("board", "seed", "'seed'"),
        ("policy", "failure_limit", "1 << 40"),
    ] {
        let story = format!("{table}.{column} = {value}");
        let place = Place::new();
        place.put(&whole);
        assign_without_types(&place.file(), table, column, value);
        let found = place.judge(&expected, &story);
        println!("{story}: {found:?}");
        assert_eq!(found, Found::Damaged, "{story}");
    }
}

#[test]
fn rows_beside_a_damaged_one_are_answered_right() {
    let place = Place::new();
    place.put(&board());
    let all = |engine: &SqliteEngine| -> Result<Vec<Task>> {
        let mut all = Vec::new();
        engine.read(&mut |view| {
            all = view.tasks(None, ROWS_MAX)?;
            Ok(())
        })?;
        Ok(all)
    };
    let whole = place.open().unwrap();
    let tasks = all(&whole).unwrap();
    whole.close().unwrap();
    assign_without_types(&place.file(), "task", "priority", "'high'");
    let engine = place.open().unwrap();
    let refused = all(&engine).expect_err("the damaged row is among them");
    assert_eq!(*refused.kind(), ErrorKind::Corrupt, "{refused}");
    let mut damaged = 0;
    for task in &tasks {
        let answer = engine.read(&mut |view| {
            assert_eq!(view.task(&task.id)?.as_ref(), Some(task));
            Ok(())
        });
        if let Err(error) = answer {
            assert_eq!(*error.kind(), ErrorKind::Corrupt, "{}: {error}", task.id);
            damaged += 1;
        }
    }
    assert_eq!((tasks.len(), damaged), (12, 1), "tasks, and damaged ones");
}

/// Writes a value past STRICT and NOT NULL: takes both out of the table's text, writes, and puts the text back, so that
/// the schema is the expected one again.
fn assign_without_types(file: &Path, table: &str, column: &str, value: &str) {
    let name = format!("name = '{table}'");
    let text: String = Connection::open(file)
        .unwrap()
        .query_row(
            &format!("SELECT sql FROM sqlite_schema WHERE {name}"),
            [],
            |row| row.get(0),
        )
        .unwrap();
    let loose = text
        .replace(" STRICT, WITHOUT", " WITHOUT")
        .replace(" STRICT", "")
        .replace(&format!("{column} TEXT NOT NULL"), column)
        .replace(&format!("{column} INTEGER NOT NULL"), column);
    assert_ne!(loose, text, "nothing was loosened");
    let put = |text: &str| {
        let quoted = text.replace('\'', "''");
        by_hand(
            file,
            &format!("UPDATE sqlite_schema SET sql = '{quoted}' WHERE {name}"),
        );
    };
    put(&loose);
    let key = if matches!(table, "board" | "policy") {
        "one"
    } else {
        "id"
    };
    by_hand(
        file,
        &format!(
            "UPDATE {table} SET {column} = {value} WHERE {key} = (SELECT min({key}) FROM {table})"
        ),
    );
    put(&text);
}

/// Runs SQL on a closed board, with SQLite's own guards off.
fn by_hand(file: &Path, text: &str) {
    let connection = Connection::open(file).unwrap();
    for (switch, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true),
    ] {
        connection.set_db_config(switch, on).unwrap();
    }
    connection.execute_batch(text).unwrap();
    connection.close().unwrap();
}

#[test]
fn noise_in_the_files_beside_a_board_is_told_or_answered_right() {
    let whole = board();
    let expected = right(&whole);
    let mut counted = [0_u32; 4];
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let place = Place::new();
        place.put(&whole);
        for name in ["board.db-wal", "board.db-shm", "board.db-journal"] {
            if rng.bool() {
                let mut noise = vec![0; rng.usize(0..3 * PAGE_LEN)];
                rng.fill(&mut noise);
                // With the right first bytes, half of the time.
                let magic: &[u8] = match name {
                    "board.db-wal" => &[0x37, 0x7f, 0x06, 0x82, 0, 0x2d, 0xe2, 0x18, 0, 0, 0x10, 0],
                    "board.db-journal" => &[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7],
                    _ => &[],
                };
                if rng.bool() && noise.len() > magic.len() {
                    noise.splice(..magic.len(), magic.iter().copied());
                }
                fs::write(place.0.path().join(name), noise).unwrap();
            }
        }
        let found = place.judge(&expected, &format!("seed {seed}"));
        *counted.get_mut(found as usize).unwrap() += 1;
        assert!(found != Found::Silent, "seed {seed}");
    }
    let [refused, damaged, right, silent] = counted;
    println!(
        "noise beside a board: 60 files; {refused} refused, {damaged} found damaged, {right} right, {silent} silently wrong"
    );
}

#[test]
fn a_trigger_that_comes_while_the_board_is_open_is_not_run() {
    let root = tempfile::tempdir().unwrap();
    let boards = open(root.path()).unwrap();
    pollster::block_on(async {
        let store = boards.open(None).await.unwrap();
        fill(&*store).await;
        let file = root.path().join("boards").join("default").join("board.db");
        by_hand(
            &file,
            "CREATE TRIGGER steal AFTER INSERT ON task BEGIN \
                UPDATE task SET assignee = 'mallory'; DELETE FROM event; END; \
             CREATE VIEW mine AS SELECT * FROM task",
        );
        let new = NewTask::new(Title::new("after the trigger").unwrap());
        let task = store.create(new).await.unwrap().value;
        let found = store.task(task.id.clone()).await.unwrap().value.task;
        assert_eq!(found, task, "as it was made");
        assert_eq!(found.assignee, None, "nobody stole it");
        let violations = store.verify().await.unwrap().value;
        assert_eq!(violations, [], "no event is gone");
        boards.close().await.unwrap();
        let again = open(root.path()).unwrap();
        let refused = again.open(None).await.expect_err("a foreign schema");
        assert_eq!(*refused.kind(), ErrorKind::Corrupt, "{refused}");
        println!("a trigger that came later: not run, then {refused}");
    });
}

#[test]
fn what_cannot_be_exported_is_not_called_sound() {
    for damage in [
        "DELETE FROM policy",
        "UPDATE task_text SET text = printf('%.*c', 1048577, 'x') WHERE rowid = 1",
    ] {
        let root = tempfile::tempdir().unwrap();
        pollster::block_on(async {
            let boards = open(root.path()).unwrap();
            let store = boards.open(None).await.unwrap();
            fill(&*store).await;
            assert_eq!(store.verify().await.unwrap().value, []);
            let file = root.path().join("boards").join("default").join("board.db");
            by_hand(&file, damage);
            let exported = store.export(Box::new(std::io::sink())).await;
            let error = exported.expect_err("it is damaged");
            assert_eq!(*error.kind(), ErrorKind::Corrupt, "{damage}: {error}");
            let error = store.verify().await.expect_err("it is damaged");
            assert_eq!(*error.kind(), ErrorKind::Corrupt, "{damage}: {error}");
            boards.close().await.unwrap();
        });
    }
}
