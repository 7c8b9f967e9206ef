//! The board's files moved, replaced or removed by hand under a store that is open: what is lost is never lost silently.

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use kanban_core::{BoardStore, ErrorKind, NewTask, TaskId, Title, Unavailable};

use crate::backup::open;
use crate::cycles::play;

const ACKNOWLEDGED: usize = 20;

/// The name of the part of a process that adds tasks and closes.
pub(crate) const ADD: &str = "another process adds tasks";

/// Something done by hand to a board's files.
type ByHand = fn(&Path);

/// What is done, and what comes of it.
struct Deed {
    story: &'static str,
    by_hand: ByHand,
    /// What brings the files back, where somebody can.
    undone: ByHand,
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

/// Another process opens the board anew, by its names, and says what it was told is done.
pub(crate) fn add(root: &Path) {
    pollster::block_on(async {
        let boards = open(root).unwrap();
        let store = boards.open_existing(None).await.unwrap();
        for _ in 0..ACKNOWLEDGED {
            println!("\nadded: {}", create(&*store).await.unwrap());
        }
        boards.close().await.unwrap();
    });
}

fn another_process_adds(root: &Path) -> Vec<TaskId> {
    let printed = play(ADD, root);
    let added = printed
        .lines()
        .filter_map(|line| line.strip_prefix("added: "));
    let added: Vec<_> = added.map(|id| TaskId::new(id).unwrap()).collect();
    assert_eq!(added.len(), ACKNOWLEDGED, "{printed}");
    added
}

/// The index of the -wal is what two writers of it agree in. With two of them, each writes over the other's commits.
#[test]
fn an_index_removed_or_replaced_by_hand_loses_no_write_of_anybody() {
    let deeds: [(&str, ByHand); 3] = [
        ("-shm removed", |shm| fs::remove_file(shm).unwrap()),
        ("-shm replaced by a copy of its own", |shm| {
            fs::copy(shm, shm.with_extension("copy")).unwrap();
            fs::rename(shm.with_extension("copy"), shm).unwrap();
        }),
        ("-shm moved aside", |shm| {
            fs::rename(shm, shm.with_extension("aside")).unwrap();
        }),
    ];
    for (story, by_hand) in deeds {
        let root = tempfile::tempdir().unwrap();
        let shm = root.path().join("boards/default/board.db-shm");
        pollster::block_on(async {
            let boards = open(root.path()).unwrap();
            let store = boards.open(None).await.unwrap();
            let mut acknowledged = Vec::new();
            for _ in 0..3 {
                for _ in 0..ACKNOWLEDGED {
                    acknowledged.push(create(&*store).await.unwrap());
                }
                by_hand(&shm);
                acknowledged.extend(another_process_adds(root.path()));
            }
            acknowledged.push(create(&*store).await.unwrap());
            boards.close().await.unwrap();
            let lost = missing(root.path(), &acknowledged).await;
            println!("{story}: {} acknowledged, {lost} lost", acknowledged.len());
            assert_eq!(lost, 0, "{story}");
        });
    }
}

/// Nobody writes after the deed: the close is the last that can tell.
#[test]
fn a_close_tells_of_files_that_were_taken_away_with_acknowledged_writes() {
    let index = Deed {
        story: "-shm removed",
        by_hand: |board| fs::remove_file(board.join("board.db-shm")).unwrap(),
        undone: |_| {},
        lost: 0,
    };
    for deed in DEEDS.iter().chain([&index]) {
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
            let closed = boards.close().await;
            let again = store.close().await;
            (deed.undone)(&board);
            let lost = missing(root.path(), &acknowledged).await;
            println!(
                "{}, then closed: {ACKNOWLEDGED} acknowledged, {lost} lost, told: {closed:?}",
                deed.story
            );
            assert_eq!(lost, deed.lost, "{}", deed.story);
            // An index is made anew; only that nobody misses anything is no news.
            let is_told = deed.story != index.story;
            for closed in [closed, again] {
                let kind = closed.err().map(|error| error.kind().clone());
                let replaced = ErrorKind::Unavailable(Unavailable::Replaced);
                assert_eq!(kind, is_told.then_some(replaced), "{}", deed.story);
            }
        });
    }
}

/// While the board's files are taken away and it is opened anew, others read and export: each answer is whole, or an
/// error that says why there is none.
#[test]
fn who_reads_or_exports_meanwhile_has_a_whole_answer_or_none() {
    let index = ("-shm removed", "board.db-shm", true);
    for (story, name, goes_on) in [index, ("-wal removed", "board.db-wal", false)] {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("boards/default").join(name);
        let boards = open(root.path()).unwrap();
        let store = pollster::block_on(boards.open(None)).unwrap();
        let first = pollster::block_on(create(&*store)).unwrap();
        let is_over = AtomicBool::new(false);
        let all_have_begun = Barrier::new(5);
        let answered: [usize; 4] = thread::scope(|scope| {
            let readers = [false, true, false, true].map(|exports| {
                let (store, first, is_over) = (&store, &first, &is_over);
                let all_have_begun = &all_have_begun;
                scope.spawn(move || {
                    let mut answered = 0;
                    while !is_over.load(Ordering::SeqCst) {
                        let answer = pollster::block_on(async {
                            if exports {
                                store.export(Box::new(std::io::sink())).await.map(|_| ())
                            } else {
                                let found = store.task(first.clone()).await?.value.task;
                                assert_eq!(found.id, *first, "another's answer");
                                Ok(())
                            }
                        });
                        match answer {
                            Ok(()) => {
                                answered += 1;
                                if answered == 1 {
                                    all_have_begun.wait();
                                }
                            }
                            Err(error) => assert_is_told(&error, goes_on, story),
                        }
                    }
                    answered
                })
            });
            for _ in 0..ACKNOWLEDGED {
                pollster::block_on(create(&*store)).unwrap();
            }
            all_have_begun.wait();
            fs::remove_file(&file).unwrap();
            for _ in 0..ACKNOWLEDGED {
                let written = pollster::block_on(create(&*store));
                assert_eq!(written.is_ok(), goes_on, "{story}: {written:?}");
            }
            is_over.store(true, Ordering::SeqCst);
            readers.map(|reader| reader.join().unwrap())
        });
        println!("{story}: readers and exports answered {answered:?} times");
        let closed = pollster::block_on(boards.close()).map_err(|error| error.kind().clone());
        let expected = match goes_on {
            true => Ok(()),
            false => Err(ErrorKind::Unavailable(Unavailable::Replaced)),
        };
        assert_eq!(closed, expected, "{story}: whoever closes is told too");
    }
}

/// A board that goes on may only say that it is being opened anew; one that fails says that, or that it is closed.
fn assert_is_told(error: &kanban_core::Error, goes_on: bool, story: &str) {
    let kind = error.kind();
    let is_passing = matches!(
        kind,
        ErrorKind::Busy | ErrorKind::Unavailable(Unavailable::Replaced)
    );
    // Before the store knows that answered writes are gone, it answers for a moment from what is left.
    let is_end = matches!(kind, ErrorKind::Closed | ErrorKind::NotFound(_));
    assert!(
        is_passing || (is_end && !goes_on),
        "{story}: {kind:?}: {error}"
    );
}
