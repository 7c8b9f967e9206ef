//! The cases that need a board to outlive a process, or to be open in two: what they ask where no board does.
//!
//! Such a backend cannot do what the rule of the case says; it can say so, to everybody else, every time, and leave the
//! board of its process unharmed. That is asked of it here, under the names of the cases.

use std::fmt::Debug;

use kanban_core::{ErrorKind, Result, Unavailable};

use crate::answers::refused;
use crate::calls::{self, slug};
use crate::children::Child;
use crate::fixture::Fixture;
use crate::list::Case;

/// What cases ask of a backend whose boards are [`Kept::InProcess`](crate::Kept::InProcess), in place of what they ask of
/// all others. Every case that is not named here is the same for both.
pub const IN_PROCESS: &[Case] = &[
    Case {
        name: "boards::many_processes_get_one_board",
        run: |t| Box::pin(one_process_gets_the_board(t, 3)),
    },
    Case {
        name: "storage::four_processes_create_one_board",
        run: |t| Box::pin(one_process_gets_the_board(t, 4)),
    },
    Case {
        name: "storage::four_processes_claim_each_task_once",
        run: |t| Box::pin(other_processes_are_refused(t, 4)),
    },
    Case {
        name: "creating::processes_that_race_for_one_key_make_one_task",
        run: |t| Box::pin(other_processes_are_refused(t, 4)),
    },
    Case {
        name: "watching::a_watch_sees_what_another_process_wrote",
        run: |t| Box::pin(other_processes_are_refused(t, 1)),
    },
    Case {
        name: "numbers::an_answered_id_is_not_given_again_after_a_kill",
        run: |t| Box::pin(a_board_ends_with_a_kill(t)),
    },
    Case {
        name: "numbers::a_killed_lazy_store_loses_an_end_and_gives_no_number_again",
        run: |t| Box::pin(a_board_ends_with_a_kill(t)),
    },
];

/// A board that this process has is refused to others by name, and goes on.
async fn other_processes_are_refused(t: &Fixture, processes: usize) {
    let claimed = t.claimed().await;
    let children = openers(t, "default", processes);
    let answers = all_go(children);
    assert!(
        answers.iter().all(|(answer, _)| answer == "in_use"),
        "expected that each is refused, found {answers:?}"
    );
    for (_, child) in answers {
        child.ended();
    }
    t.complete(&claimed).await;
    assert_eq!(t.tasks().await.len(), 1, "expected nothing of the others");
}

/// Of processes that race for a new board one has it. It is in use while that one lives, and gone with it.
async fn one_process_gets_the_board(t: &Fixture, processes: usize) {
    let children = openers(t, "raced", processes);
    let answers = all_go(children);
    let won = answers.iter().filter(|(answer, _)| answer == "opened");
    let lost = answers.iter().filter(|(answer, _)| answer == "in_use");
    assert_eq!(
        (won.count(), lost.count()),
        (1, processes - 1),
        "expected one that has it, found {answers:?}"
    );
    let opened = t.boards.open(Some(&slug("raced"))).await;
    assert_eq!(unavailable(opened), Unavailable::InUse);
    for (_, child) in answers {
        child.ended();
    }
    gone(t).await;
}

/// A board ends with its process, however that ends.
async fn a_board_ends_with_a_kill(t: &Fixture) {
    let answers = all_go(openers(t, "raced", 1));
    for (answer, child) in answers {
        assert_eq!(answer, "opened");
        child.kill();
    }
    gone(t).await;
}

/// The board `raced` is gone. It is not made anew by whoever asks for it, only once it is deleted.
async fn gone(t: &Fixture) {
    let raced = slug("raced");
    for _ in 0..2 {
        assert_eq!(
            unavailable(t.boards.open(Some(&raced)).await),
            Unavailable::Io
        );
        let existing = t.boards.open_existing(Some(&raced)).await;
        assert_eq!(unavailable(existing), Unavailable::Io);
    }
    t.boards.archive(&raced).await.unwrap();
    t.boards.delete(&raced).await.unwrap();
    let store = t.boards.create(&raced).await.unwrap();
    store.create(calls::new("anew")).await.unwrap();
    assert_eq!(store.stats().await.unwrap().value.total(), 1);
}

/// Processes that are about to open a board.
fn openers(t: &Fixture, board: &str, processes: usize) -> Vec<Child> {
    let mut children: Vec<_> = (0..processes)
        .map(|_| t.spawn_child("open_board", board))
        .collect();
    for child in &mut children {
        assert_eq!(child.answer(), "ready");
    }
    children
}

/// Lets them, and answers how each fared. They hold what they have.
fn all_go(mut children: Vec<Child>) -> Vec<(String, Child)> {
    children.iter_mut().for_each(Child::go);
    let answered = children
        .into_iter()
        .map(|mut child| (child.answer(), child));
    answered.collect()
}

fn unavailable<T: Debug>(opened: Result<T>) -> Unavailable {
    match refused(opened) {
        ErrorKind::Unavailable(why) => why,
        other => panic!("expected that the board is unavailable, found {other:?}"),
    }
}
