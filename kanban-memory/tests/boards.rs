//! Where boards in memory live, and how long; snapshots and turns.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, like the tests themselves"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kanban_conformance::calls;
use kanban_core::{
    Backend, BoardState, BoardStore, Boards, Change, Counters, Durability, Engine, ErrorKind,
    EventId, Millis, OpenBoard, Options, Policy, Result, RootMode, Unavailable, Verdict, WriteEnd,
};
use kanban_memory::{MemoryBackend, MemoryEngine};
use pollster::block_on;

fn open(root: &Path, backend: &MemoryBackend) -> (Boards, Result<Arc<dyn BoardStore>>) {
    let boards = Boards::open_root(root, backend.clone(), Options::default()).unwrap();
    let store = block_on(boards.open(None));
    (boards, store)
}

/// A root with one task on its board.
fn begun(backend: &MemoryBackend) -> (tempfile::TempDir, Boards) {
    let root = tempfile::tempdir().unwrap();
    let (boards, store) = open(root.path(), backend);
    block_on(store.unwrap().create(calls::new("kept"))).unwrap();
    (root, boards)
}

fn tasks(store: &dyn BoardStore) -> u64 {
    block_on(store.stats()).unwrap().value.total()
}

fn unavailable<T>(opened: Result<T>) -> Unavailable {
    match opened.map(|_| ()).unwrap_err().kind() {
        ErrorKind::Unavailable(why) => *why,
        other => panic!("expected that the board is unavailable, found {other:?}"),
    }
}

#[test]
fn a_board_ends_with_the_last_that_holds_it() {
    let (root, boards) = begun(&MemoryBackend::new());
    block_on(boards.close()).unwrap();
    let (again, store) = open(root.path(), &MemoryBackend::new());
    assert_eq!(tasks(&*store.unwrap()), 1, "the closed boards hold it");
    block_on(again.close()).unwrap();
    drop((boards, again));
    let (_boards, gone) = open(root.path(), &MemoryBackend::new());
    assert_eq!(unavailable(gone), Unavailable::Io);
}

#[test]
fn a_clone_of_the_backend_keeps_a_board() {
    let backend = MemoryBackend::new();
    let (root, boards) = begun(&backend);
    block_on(boards.close()).unwrap();
    drop(boards);
    let (boards, store) = open(root.path(), &backend);
    assert_eq!(tasks(&*store.unwrap()), 1);
    block_on(boards.close()).unwrap();
}

#[test]
fn a_root_that_is_moved_keeps_its_boards() {
    let backend = MemoryBackend::new();
    let (root, boards) = begun(&backend);
    block_on(boards.close()).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = elsewhere.path().join("moved");
    fs::rename(root.path().join("boards"), elsewhere.path().join("boards")).unwrap();
    fs::create_dir(&moved).unwrap();
    fs::rename(elsewhere.path().join("boards"), moved.join("boards")).unwrap();
    let (boards, store) = open(&moved, &backend);
    assert_eq!(tasks(&*store.unwrap()), 1);
    block_on(boards.close()).unwrap();
}

#[test]
fn a_copy_of_a_boards_file_is_no_board() {
    let (root, boards) = begun(&MemoryBackend::new());
    let elsewhere = tempfile::tempdir().unwrap();
    let copied = elsewhere.path().join("boards/default");
    fs::create_dir_all(&copied).unwrap();
    let file = "boards/default/board.memory";
    fs::copy(root.path().join(file), elsewhere.path().join(file)).unwrap();
    let (_other, store) = open(elsewhere.path(), &MemoryBackend::new());
    assert_eq!(unavailable(store), Unavailable::Io);
    block_on(boards.close()).unwrap();
}

#[test]
fn a_boards_file_is_for_its_owner_only() {
    let (root, boards) = begun(&MemoryBackend::new());
    let file = root.path().join("boards/default/board.memory");
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    block_on(boards.close()).unwrap();
}

#[test]
fn a_file_of_a_newer_program_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("board.memory");
    let newer = "{\"kanban_memory\":2,\"more\":[]}\n";
    fs::write(&file, newer).unwrap();
    let opened = MemoryBackend::new().open(directory.path(), &how(Some(state())));
    assert_eq!(unavailable(opened), Unavailable::NewerSchema);
    assert_eq!(fs::read_to_string(&file).unwrap(), newer);
}

#[test]
fn a_missing_board_is_not_made_unasked() {
    let directory = tempfile::tempdir().unwrap();
    let opened = MemoryBackend::new().open(directory.path(), &how(None));
    assert_eq!(unavailable(opened), Unavailable::Io);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    // As a creation leaves it that failed half-way.
    fs::write(directory.path().join("board.memory"), "").unwrap();
    let opened = MemoryBackend::new().open(directory.path(), &how(None));
    assert_eq!(unavailable(opened), Unavailable::Io);
    engine(directory.path(), &MemoryBackend::new());
}

#[test]
fn a_backup_in_the_place_of_a_boards_file_is_where_it_begins() {
    let (_root, boards) = begun(&MemoryBackend::new());
    let store = block_on(boards.open(None)).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let place = elsewhere.path().join("boards/default");
    fs::create_dir_all(&place).unwrap();
    block_on(store.backup(place.join("board.memory"))).unwrap();
    for _ in 0..2 {
        let (other, store) = open(elsewhere.path(), &MemoryBackend::new());
        let store = store.unwrap();
        assert_eq!(tasks(&*store), 1);
        block_on(store.create(calls::new("meanwhile"))).unwrap();
        let (second, shared) = open(elsewhere.path(), &MemoryBackend::new());
        assert_eq!(tasks(&*shared.unwrap()), 2);
        block_on(second.close()).unwrap();
        block_on(other.close()).unwrap();
    }
    block_on(boards.close()).unwrap();
}

#[test]
fn a_long_read_holds_no_writer_back_and_sees_nothing_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(directory.path(), &MemoryBackend::new());
    let mut limits = Vec::new();
    engine
        .read_long(&mut |view| {
            limits.push(view.policy()?.failure_limit);
            assert!(matches!(
                set_limit(&engine, 7),
                WriteEnd::Done(Verdict::Commit)
            ));
            engine.read(&mut |later| {
                limits.push(later.policy()?.failure_limit);
                Ok(())
            })?;
            limits.push(view.policy()?.failure_limit);
            Ok(())
        })
        .unwrap();
    assert_eq!(limits, [2, 7, 2]);
}

#[test]
fn a_writer_waits_for_another_store_up_to_its_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let backend = MemoryBackend::new().with_busy_deadline(Duration::from_millis(1));
    let (one, two) = (
        engine(directory.path(), &backend),
        engine(directory.path(), &backend),
    );
    let end = one.write(&mut |_| {
        let WriteEnd::NotWritten(error) = set_limit(&two, 7) else {
            panic!("expected that the second writer is refused")
        };
        assert_eq!(*error.kind(), ErrorKind::Busy);
        Ok(Verdict::RollBack)
    });
    assert!(matches!(end, WriteEnd::Done(Verdict::RollBack)));
    assert!(matches!(
        set_limit(&two, 7),
        WriteEnd::Done(Verdict::Commit)
    ));
}

#[test]
fn a_panic_undoes_its_transaction_and_gives_the_turn_up() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(directory.path(), &MemoryBackend::new());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        engine.write(&mut |txn| {
            txn.apply(&limit(9))?;
            panic!("in the middle")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(limit_of(&engine), 2);
    assert!(matches!(
        set_limit(&engine, 7),
        WriteEnd::Done(Verdict::Commit)
    ));
    assert_eq!(limit_of(&engine), 7);
}

#[test]
fn a_change_of_another_row_than_there_is_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(directory.path(), &MemoryBackend::new());
    let before = BoardState { seed: 1, ..state() };
    let after = state();
    let end = engine.write(&mut |txn| {
        txn.apply(&Change::board(before.clone(), after.clone()))?;
        Ok(Verdict::Commit)
    });
    let WriteEnd::NotWritten(error) = end else {
        panic!("expected that nothing is written, found {end:?}")
    };
    assert_eq!(*error.kind(), ErrorKind::Internal);
}

fn engine(directory: &Path, backend: &MemoryBackend) -> MemoryEngine {
    backend.open(directory, &how(Some(state()))).unwrap()
}

fn set_limit(engine: &MemoryEngine, to: u32) -> WriteEnd {
    engine.write(&mut |txn| {
        txn.apply(&limit(to))?;
        Ok(Verdict::Commit)
    })
}

fn limit_of(engine: &MemoryEngine) -> u32 {
    let mut found = 0;
    let asked = engine.read(&mut |view| {
        found = view.policy()?.failure_limit;
        Ok(())
    });
    asked.unwrap();
    found
}

fn limit(to: u32) -> Change {
    Change::Policy {
        after: Policy {
            failure_limit: to,
            ..Policy::default()
        },
    }
}

fn how(create: Option<BoardState>) -> OpenBoard {
    OpenBoard {
        create,
        durability: Durability::Power,
        mode: RootMode::Shared,
    }
}

fn state() -> BoardState {
    BoardState {
        created_at: Millis::new(1),
        seed: 7,
        counters: Counters::default(),
        reserved: Counters::default(),
        boot: None,
        horizon: EventId::new(0),
    }
}
