//! Every workload runs, small, on every engine: it cannot rot between two measurements.

use std::path::Path;
use std::process::Command;

use kanban_bench::board::Board;
use kanban_bench::limit::synchronous;
use kanban_bench::pattern::Pattern;
use kanban_bench::subject::{LAZY, Store, Subject};
use kanban_bench::template::Template;
use kanban_bench::workload::point::{self, Point};
use kanban_bench::workload::{claim_next, creation, mixed, opening, reads, transitions};
use kanban_core::{Durability, Status};
use pollster::block_on;

const CLIENTS: usize = 4;
const CALLS: usize = 8;
const TASKS: usize = 100;

/// A filled board of each subject, in a folder that goes.
fn on_each(subjects: &[Subject], measure: impl Fn(Subject, &Template)) {
    let place = tempfile::tempdir().expect("there is room for a folder");
    for subject in subjects {
        let made = block_on(Template::make(*subject, place.path(), TASKS));
        measure(*subject, &made.expect("a board is filled"));
    }
}

const ENGINES: &[Subject] = &[Subject::new(Store::Sqlite), Subject::new(Store::Redb)];
const SUBJECTS: &[Subject] = &[
    Subject::new(Store::Sqlite),
    Subject::new(Store::Sqlite).at(Durability::Process),
    Subject::new(Store::Redb),
    Subject::new(Store::Redb).exclusive(),
    Subject::new(Store::Redb).exclusive().at(LAZY),
    Subject::new(Store::Sqlite).at(LAZY),
];

fn open(template: &Template, subject: Subject) -> Board {
    let copy = template.copy(subject).expect("the files are copied");
    block_on(copy.open()).expect("a copy is a board")
}

/// Closes a board after a measurement, of which the engine and the invariants find nothing wrong.
fn close_sound(board: Board, what: &str) {
    let found = block_on(board.store.verify()).expect("the board is checked");
    assert!(found.value.is_empty(), "{what}: {found:?}");
    block_on(board.close()).expect("the board is closed");
}

fn in_status(board: &Board, status: Status) -> u64 {
    let counted = block_on(board.store.stats()).expect("the board is counted");
    counted.value.in_status(status)
}

#[test]
fn transitions_complete_every_task_by_the_store_and_by_hand() {
    on_each(SUBJECTS, |subject, template| {
        let board = open(template, subject);
        let outcome = transitions::by_store(&*board.store, CLIENTS, &template.ids).unwrap();
        assert_eq!(outcome.calls, 2 * TASKS as u64, "{subject}");
        assert_eq!(in_status(&board, Status::Done), TASKS as u64, "{subject}");
        assert!(board.commits.count() > 0, "{subject}");
        close_sound(board, "transitions");
        let tasks = block_on(template.tasks(TASKS)).unwrap();
        let closed = template.copy(subject).unwrap();
        let outcome = transitions::by_hand(subject, &closed.file(), CLIENTS, &tasks);
        assert_eq!(outcome.calls, 2 * TASKS as u64, "{subject}");
    });
}

#[test]
fn reads_and_creations_are_made_by_the_store_and_by_hand() {
    on_each(ENGINES, |subject, template| {
        let expected = (CLIENTS * CALLS) as u64;
        let board = open(template, subject);
        let store = &*board.store;
        let read = reads::by_store(store, CLIENTS, CALLS, &template.ids).unwrap();
        let created = creation::by_store(store, CLIENTS, CALLS).unwrap();
        assert_eq!(
            (read.calls, created.calls),
            (expected, expected),
            "{subject}"
        );
        let tasks = TASKS as u64 + expected;
        assert_eq!(in_status(&board, Status::Ready), tasks, "{subject}");
        close_sound(board, "creation");
        let file = template.copy(subject).unwrap();
        let read = reads::by_hand(subject, &file.file(), CLIENTS, CALLS, &template.ids);
        let created = creation::by_hand(subject, &file.file(), CLIENTS, CLIENTS * CALLS);
        assert_eq!(
            (read.calls, created.calls),
            (expected, expected),
            "{subject}"
        );
    });
}

#[test]
fn all_claim_from_one_column_by_the_store_and_by_hand() {
    on_each(ENGINES, |subject, template| {
        let expected = (CLIENTS * CALLS) as u64;
        let board = open(template, subject);
        let outcome = claim_next::by_store(&*board.store, CLIENTS, CALLS).unwrap();
        assert_eq!(outcome.calls, expected, "{subject}");
        assert_eq!(in_status(&board, Status::Running), expected, "{subject}");
        close_sound(board, "claim_next");
        let file = template.copy(subject).unwrap();
        let tasks = block_on(template.tasks(TASKS)).unwrap();
        let calls = CLIENTS * CALLS;
        let outcome = claim_next::by_hand(subject, &file.file(), CLIENTS, calls, &tasks);
        assert_eq!(outcome.calls, expected, "{subject}");
    });
}

#[test]
fn the_mixture_is_made_by_the_store_and_by_hand() {
    on_each(SUBJECTS, |subject, template| {
        let expected = 2 * (CLIENTS * CALLS) as u64;
        let board = open(template, subject);
        let subscriptions = mixed::listen(&*board.store, CLIENTS).unwrap();
        let store = &*board.store;
        let outcome = mixed::by_store(store, CLIENTS, CALLS, &template.ids, &subscriptions);
        assert_eq!(outcome.unwrap().calls, expected, "{subject}");
        let claims = mixed::claims(CLIENTS, CALLS) as u64;
        assert_eq!(in_status(&board, Status::Done), claims, "{subject}");
        close_sound(board, "mixed");
        let board = open(template, subject);
        let subscriptions = mixed::listen(&*board.store, CLIENTS).unwrap();
        let file = block_on(board.close()).unwrap();
        let tasks = block_on(template.tasks(TASKS)).unwrap();
        let size = (CLIENTS, CALLS);
        let outcome = mixed::by_hand(
            subject,
            &file.file(),
            CLIENTS,
            2,
            size,
            &tasks,
            &subscriptions,
        );
        assert_eq!(outcome.calls, expected, "{subject}");
    });
}

#[test]
fn every_pattern_makes_the_mixture_and_leaves_a_sound_board() {
    on_each(&[Subject::new(Store::Sqlite)], |subject, template| {
        for pattern in Pattern::ALL {
            let board = open(template, subject);
            let subscriptions = mixed::listen(&*board.store, CLIENTS).unwrap();
            let closed = block_on(board.close()).unwrap();
            let size = (CLIENTS, CALLS);
            let (file, ids) = (closed.file(), &template.ids);
            let flushes = synchronous(subject);
            let outcome = mixed::by_pattern(*pattern, &file, flushes, size, ids, &subscriptions);
            assert_eq!(outcome.calls, 2 * (CLIENTS * CALLS) as u64, "{pattern:?}");
            let board = block_on(closed.open()).unwrap();
            let claims = mixed::claims(CLIENTS, CALLS) as u64;
            assert_eq!(in_status(&board, Status::Done), claims, "{pattern:?}");
            close_sound(board, "mixed by a pattern");
        }
    });
}

#[test]
fn every_operation_is_made_alone_again_and_again_and_leaves_a_sound_board() {
    on_each(ENGINES, |subject, template| {
        let board = open(template, subject);
        for point in Point::ALL.iter().chain(Point::ALL) {
            let store = &*board.store;
            let outcome = point::by_store(store, *point, CLIENTS, CALLS, &template.ids);
            let outcome =
                outcome.unwrap_or_else(|error| panic!("{point:?} of {subject}: {error:?}"));
            assert_eq!(
                outcome.calls,
                (CLIENTS * CALLS) as u64,
                "{point:?} of {subject}"
            );
        }
        close_sound(board, "point");
    });
}

#[test]
fn every_operation_is_made_by_hand() {
    on_each(ENGINES, |subject, template| {
        let tasks = block_on(template.tasks(TASKS)).unwrap();
        for point in Point::ALL {
            let file = template.copy(subject).unwrap();
            let outcome = point::by_hand(subject, &file.file(), *point, 1, CALLS, &tasks);
            assert_eq!(outcome.calls, CALLS as u64, "{point:?} of {subject}");
        }
    });
}

#[test]
fn the_patterns_of_the_field_report_read_and_complete_every_task() {
    on_each(&SUBJECTS[..2], |subject, template| {
        for pattern in Pattern::ALL {
            let closed = template.copy(subject).unwrap();
            let file: &Path = &closed.file();
            let size = (CLIENTS, CALLS);
            let read = pattern.read(file, synchronous(subject), size, &template.ids);
            assert_eq!(read.calls, (CLIENTS * CALLS) as u64, "{pattern:?}");
            let outcome = pattern.run(file, synchronous(subject), CLIENTS, &template.ids);
            assert_eq!(outcome.calls, 2 * TASKS as u64, "{pattern:?}");
            let board = block_on(closed.open()).unwrap();
            assert_eq!(in_status(&board, Status::Done), TASKS as u64, "{pattern:?}");
            close_sound(board, pattern.as_str());
        }
    });
}

/// This program again, with the test below alone, which makes it a child.
fn child() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a test is a program"));
    let test = "a_child_that_does_not_understand_its_order_ends_with_1_and_says_why";
    command.args(["--exact", test, "--nocapture"]);
    command
}

#[test]
fn a_child_that_does_not_understand_its_order_ends_with_1_and_says_why() {
    opening::be_child_if_told();
    // Told nothing it goes on as what it is.
    let order = "paper power shared /root";
    let told = child()
        .env(opening::CHILD_VARIABLE, order)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    assert_eq!(told.status.code(), Some(1), "{words}");
    assert!(words.contains(order), "{words}");
}

#[test]
fn a_board_whose_writer_was_killed_is_opened_with_all_that_was_answered() {
    on_each(ENGINES, |subject, template| {
        let closed = template.copy(subject).unwrap();
        opening::kill_while_writing(&closed, child(), 2 * opening::WRITES_TOLD).unwrap();
        let (opened, board) = opening::by_store(closed, &template.ids[0]).unwrap();
        assert!(
            !opened.open.is_zero() && !opened.first_read.is_zero(),
            "{opened:?}"
        );
        let (least, found) = (
            TASKS + 2 * opening::WRITES_TOLD,
            in_status(&board, Status::Ready),
        );
        assert!(
            found >= least as u64,
            "{subject}: expected {least}, found {found}"
        );
        close_sound(board, "killed");
    });
}

#[test]
fn a_board_is_opened_cold_by_the_store_and_by_hand() {
    on_each(ENGINES, |subject, template| {
        let closed = template.copy(subject).unwrap();
        let by_hand = opening::by_hand(subject, &closed, &template.ids[0]).unwrap();
        let (by_store, board) = opening::by_store(closed, &template.ids[0]).unwrap();
        for opened in [by_hand, by_store] {
            assert!(
                !opened.open.is_zero() && !opened.first_read.is_zero(),
                "{opened:?}"
            );
        }
        close_sound(board, "opened cold");
    });
}
