//! The board's files moved, replaced or removed by hand under a store that is open: what is lost is never lost silently.

use std::fs;
use std::path::Path;

use kanban_core::{BoardStore, ErrorKind, NewTask, TaskId, Title, Unavailable};

use crate::backup::open;

const ACKNOWLEDGED: usize = 20;

/// What is done by hand.
struct Deed {
    story: &'static str,
    by_hand: fn(&Path),
    /// What brings the files back, where somebody can.
    undone: fn(&Path),
    /// What is gone for good, by that hand alone.
    lost: usize,
}

const DEEDS: &[Deed] = &[
    Deed {
        story: "the database moved away, and back again later",
        by_hand: |board| fs::rename(board.join("board.db"), board.join("aside")).unwrap(),
        undone: |board| fs::rename(board.join("aside"), board.join("board.db")).unwrap(),
        lost: 0,
    },
    Deed {
        story: "the board's directory moved away, and back again later",
        by_hand: |board| fs::rename(board, board.with_file_name("aside")).unwrap(),
        undone: |board| fs::rename(board.with_file_name("aside"), board).unwrap(),
        lost: 0,
    },
    Deed {
        story: "the database replaced by a copy of its own, the old one kept",
        by_hand: |board| {
            fs::copy(board.join("board.db"), board.join("copy")).unwrap();
            fs::hard_link(board.join("board.db"), board.join("aside")).unwrap();
            fs::rename(board.join("copy"), board.join("board.db")).unwrap();
        },
        undone: |board| fs::rename(board.join("aside"), board.join("board.db")).unwrap(),
        lost: 0,
    },
    Deed {
        story: "-wal removed",
        by_hand: |board| fs::remove_file(board.join("board.db-wal")).unwrap(),
        undone: |_| {},
        lost: ACKNOWLEDGED,
    },
    Deed {
        story: "-wal and -shm removed",
        by_hand: |board| {
            fs::remove_file(board.join("board.db-wal")).unwrap();
            fs::remove_file(board.join("board.db-shm")).unwrap();
        },
        undone: |_| {},
        lost: ACKNOWLEDGED,
    },
];

async fn create(store: &dyn BoardStore) -> kanban_core::Result<TaskId> {
    let new = NewTask::new(Title::new("a task").unwrap());
    Ok(store.create(new).await?.value.id)
}

#[test]
fn files_moved_replaced_or_removed_by_hand_lose_nothing_silently() {
    for deed in DEEDS {
        let root = tempfile::tempdir().unwrap();
        let board = root.path().join("boards").join("default");
        pollster::block_on(async {
            let boards = open(root.path()).unwrap();
            let store = boards.open(None).await.unwrap();
            let mut acknowledged = Vec::new();
            for _ in 0..ACKNOWLEDGED {
                acknowledged.push(create(&*store).await.unwrap());
            }
            (deed.by_hand)(&board);
            let told = create(&*store).await.expect_err(deed.story);
            assert_eq!(*told.kind(), ErrorKind::Unknown, "{}: {told}", deed.story);
            for _ in 0..3 {
                let again = create(&*store).await.expect_err(deed.story);
                let replaced = ErrorKind::Unavailable(Unavailable::Replaced);
                assert_eq!(*again.kind(), replaced, "{}: {again}", deed.story);
            }
            // Closes what is left to close; that the store had failed was told already.
            let closed = boards.close().await;
            (deed.undone)(&board);
            let lost = missing(root.path(), &acknowledged).await;
            println!(
                "{}: {ACKNOWLEDGED} acknowledged, {lost} lost, told: {told}; closed: {closed:?}",
                deed.story
            );
            assert_eq!(lost, deed.lost, "{}", deed.story);
        });
    }
}

/// How many of the tasks a fresh store does not find.
async fn missing(root: &Path, acknowledged: &[TaskId]) -> usize {
    let boards = open(root).unwrap();
    let store = boards.open_existing(None).await.unwrap();
    assert_eq!(
        store.verify().await.unwrap().value,
        [],
        "the board is sound"
    );
    let mut missing = 0;
    for id in acknowledged {
        missing += usize::from(store.task(id.clone()).await.is_err());
    }
    boards.close().await.unwrap();
    missing
}
