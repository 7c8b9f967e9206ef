//! Boards that go into the archive and out of it while others want them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kanban_core::{
    BoardPlace, BoardSlug, BoardStore, ErrorKind, ImportBackup, KeepClaims, Rejection, Unavailable,
};
use pollster::block_on;

use crate::answers::rejected;
use crate::calls::{self, slug};
use crate::fixture::{Fixture, Opened};
use crate::threads::{polled, race};

/// Of two who open a board and one who archives it nobody makes it anew: it is in one place, with all it held. Its name
/// was in both, and stuck there, in 59 of 300 rounds. [16.4]
pub(crate) async fn openers_and_an_archive_leave_one_board(t: &Fixture) {
    const ROUNDS: u64 = 40;
    let name = slug("x");
    t.boards.create(&name).await.unwrap();
    let mut archived = 0;
    for round in 0..ROUNDS {
        let is_over = AtomicBool::new(false);
        let results = race(3, |number| {
            if number == 0 {
                let archived = block_on(t.boards.archive(&name));
                is_over.store(true, Ordering::SeqCst);
                return archived;
            }
            loop {
                // Looked at first: one opening begins after the archive has answered.
                let is_last = is_over.load(Ordering::SeqCst);
                let opened = block_on(t.boards.open(Some(&name))).map(|_| ());
                if is_last || opened.is_err() {
                    return opened;
                }
            }
        });
        for error in results.iter().filter_map(|result| result.as_ref().err()) {
            let expected = [
                ErrorKind::Rejected(Rejection::BoardArchived(name.clone())),
                ErrorKind::Closed,
            ];
            assert!(expected.contains(error.kind()), "round {round}: {error:?}");
        }
        let places = places(t, &name);
        assert_eq!(places.len(), 1, "round {round}: found {places:?}");
        if places == [BoardPlace::Archived] {
            archived += 1;
            t.boards.restore(&name).await.unwrap();
        }
        let store = t.boards.open_existing(Some(&name)).await.unwrap();
        store.create(calls::new("there")).await.unwrap();
        let total = store.stats().await.unwrap().value.total();
        assert_eq!(total, round + 1, "round {round}");
    }
    assert!(archived > 0, "expected that some were archived, found none");
}

/// A name that is in use and in the archive, as a crash of an older program may leave it, is archived; restore takes a
/// board away to which nothing was written. [16.4] [16.5]
pub(crate) async fn a_name_in_both_places_is_freed(t: &Fixture) {
    let Opened { boards, .. } = in_both_places(t).await;
    let name = slug("x");
    let refusal = Rejection::BoardArchived(name.clone());
    assert_eq!(rejected(boards.open(Some(&name)).await), refusal);
    boards.restore(&name).await.unwrap();
    assert_eq!(total(&*boards.open(Some(&name)).await.unwrap()).await, 1);
    boards.close().await.unwrap();
}

/// restore keeps a board in use that was written, and the archived one; delete takes the archived one. [16.5]
pub(crate) async fn a_written_board_is_not_replaced_by_a_restored_one(t: &Fixture) {
    let both = in_both_places(t).await;
    let name = slug("x");
    both.boards.close().await.unwrap();
    // The board in use is written while the archived one is out of the way.
    let hidden = t.root().join("hidden");
    fs::rename(t.root().join("archive/x"), &hidden).unwrap();
    let writer = t.open().await.boards;
    let store = writer.open(Some(&name)).await.unwrap();
    for _ in 0..2 {
        store.create(calls::new("in use")).await.unwrap();
    }
    writer.close().await.unwrap();
    fs::rename(&hidden, t.root().join("archive/x")).unwrap();
    let boards = t.open().await.boards;
    let refusal = Rejection::BoardNotArchived(name.clone());
    assert_eq!(rejected(boards.restore(&name).await), refusal);
    boards.delete(&name).await.unwrap();
    assert_eq!(total(&*boards.open(Some(&name)).await.unwrap()).await, 2);
    boards.close().await.unwrap();
}

/// What a creation that failed half-way leaves does not stand in the way of a restore. [16.5]
pub(crate) async fn a_half_made_board_is_not_in_the_way(t: &Fixture) {
    let name = slug("x");
    let store = t.boards.create(&name).await.unwrap();
    store.create(calls::new("there")).await.unwrap();
    t.boards.archive(&name).await.unwrap();
    let half = t.root().join("boards/x");
    fs::create_dir(&half).unwrap();
    for file in fs::read_dir(t.root().join("archive/x")).unwrap() {
        fs::write(half.join(file.unwrap().file_name()), "").unwrap();
    }
    t.boards.restore(&name).await.unwrap();
    let store = t.boards.open_existing(Some(&name)).await.unwrap();
    assert_eq!(total(&*store).await, 1);
}

/// Of many who restore or delete one board at once one does; the others hear where it is, or that another moves one.
/// They heard of a file that was not found. [16.5]
pub(crate) async fn of_many_who_move_a_board_one_does(t: &Fixture) {
    let name = slug("x");
    for _ in 0..20 {
        t.boards.create(&name).await.unwrap();
        t.boards.archive(&name).await.unwrap();
        let results = race(4, |number| {
            if number % 2 == 0 {
                block_on(t.boards.restore(&name))
            } else {
                block_on(t.boards.delete(&name))
            }
        });
        let moved = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(moved, 1, "found {results:?}");
        for error in results.into_iter().filter_map(Result::err) {
            let is_told = matches!(
                error.kind(),
                ErrorKind::NotFound(_)
                    | ErrorKind::Rejected(Rejection::BoardNotArchived(_))
                    | ErrorKind::Unavailable(Unavailable::InUse)
            );
            assert!(is_told, "found {error:?}");
        }
        if !places(t, &name).is_empty() {
            t.boards.archive(&name).await.unwrap();
            t.boards.delete(&name).await.unwrap();
        }
    }
}

/// An archive whose caller went away leaves the board in use: it can be opened again, and archived. [16.7] [18.10]
pub(crate) async fn an_archive_that_was_given_up_leaves_the_board_in_use(t: &Fixture) {
    let name = slug("x");
    for _ in 0..10 {
        let store = t.boards.open(Some(&name)).await.unwrap();
        store.create(calls::new("there")).await.unwrap();
        if let Err(archive) = polled(t.boards.archive(&name)) {
            drop(archive);
            let again = t.boards.open(Some(&name)).await.unwrap();
            assert!(total(&*again).await > 0);
            assert!(!Arc::ptr_eq(&store, &again), "the old handle is closed");
            t.boards.archive(&name).await.unwrap();
        }
        t.boards.restore(&name).await.unwrap();
    }
}

/// After a close nothing of a restore is left that was on its way, and it answers `Closed`. Its copy of the board stayed
/// in the root. [18.10] [19.7]
pub(crate) async fn a_close_ends_a_restore_that_runs(t: &Fixture) {
    let (_elsewhere, file) = backup(t).await;
    let Opened { boards, .. } = t.open().await;
    let into = boards.create(&slug("copy")).await.unwrap();
    let Err(call) = polled(boards.import_backup(&*into, restore(&file))) else {
        panic!("expected a restore on its way, found its end");
    };
    boards.close().await.unwrap();
    assert_eq!(hidden(t), Vec::<String>::new());
    assert_eq!(call.await.unwrap_err().kind(), &ErrorKind::Closed);
    let late = boards.import_backup(&*into, restore(&file)).await;
    assert_eq!(late.unwrap_err().kind(), &ErrorKind::Closed);
    assert_eq!(hidden(t), Vec::<String>::new());
}

/// What a restore leaves whose caller went away is removed by the next restore, or by a close. [19.7]
pub(crate) async fn a_restore_that_was_given_up_is_cleared_up(t: &Fixture) {
    let (_elsewhere, file) = backup(t).await;
    let Opened { boards, .. } = t.open().await;
    let into = boards.create(&slug("copy")).await.unwrap();
    for is_last in [false, true] {
        drop(polled(boards.import_backup(&*into, restore(&file))));
        if !is_last {
            let restored = boards.import_backup(&*into, restore(&file)).await;
            assert_eq!(restored.unwrap().value.tasks, 1);
            assert_eq!(hidden(t), Vec::<String>::new());
        }
    }
    boards.close().await.unwrap();
    assert_eq!(hidden(t), Vec::<String>::new());
}

/// What a killed restore, or a killed maker of a root, left in it goes when the root is opened. [19.7]
pub(crate) async fn what_a_killed_restore_left_goes_at_the_next_opening(t: &Fixture) {
    fs::create_dir(t.root().join(".backup-left")).unwrap();
    fs::write(t.root().join(".backup-left/board"), "a whole copy").unwrap();
    fs::write(t.root().join(".kanban.toml.left"), "a mark").unwrap();
    t.open().await.boards.close().await.unwrap();
    assert_eq!(hidden(t), Vec::<String>::new());
}

/// A backup of the board, in a directory that lives as long as the first answer.
async fn backup(t: &Fixture) -> (tempfile::TempDir, PathBuf) {
    t.ready("kept").await;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup");
    t.store.backup(file.clone()).await.unwrap();
    (elsewhere, file)
}

fn restore(file: &Path) -> ImportBackup {
    ImportBackup {
        file: file.to_owned(),
        claims: KeepClaims::No,
        actor: calls::label("olga"),
    }
}

/// The names in the root that begin with a dot.
fn hidden(t: &Fixture) -> Vec<String> {
    let names = fs::read_dir(t.root()).unwrap().map(|entry| {
        let name = entry.unwrap().file_name();
        name.to_string_lossy().into_owned()
    });
    names.filter(|name| name.starts_with('.')).collect()
}

/// The board `x` with a task in the archive, and an empty one of the same name in use.
async fn in_both_places(t: &Fixture) -> Opened {
    let store = t.boards.create(&slug("x")).await.unwrap();
    store.create(calls::new("archived")).await.unwrap();
    t.boards.archive(&slug("x")).await.unwrap();
    t.boards.create(&slug("y")).await.unwrap();
    t.close().await;
    let path = |name: &str| -> PathBuf { t.root().join("boards").join(name) };
    fs::rename(path("y"), path("x")).unwrap();
    t.open().await
}

async fn total(store: &dyn BoardStore) -> u64 {
    store.stats().await.unwrap().value.total()
}

fn places(t: &Fixture, name: &BoardSlug) -> Vec<BoardPlace> {
    let boards = t.boards.list().unwrap().into_iter();
    let named = boards.filter(|board| &board.slug == name);
    named.map(|board| board.place).collect()
}
