//! What an engine must answer by itself, before there is an executor around it: every row comes back as it was written,
//! and every question has its order, its places and its limits.

pub(crate) mod questions;
pub(crate) mod round_trip;

use std::path::Path;

use kanban_core::{
    BoardState, Change, Counters, Durability, Engine, ErrorKind, EventId, Label, Millis, OpenBoard,
    Phase, Result, RootMode, Status, Task, TaskId, Title, Txn, Verdict, Version, View, WriteEnd,
};

/// Opens a board in a directory.
pub type OpenEngine = fn(&Path, &OpenBoard) -> Result<Box<dyn Engine>>;

/// A new directory and the board in it.
pub(crate) struct Fixture {
    engine: Box<dyn Engine>,
    _directory: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new(open: OpenEngine) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            engine: open(directory.path(), &create()).unwrap(),
            _directory: directory,
        }
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }
}

/// Opens a board that is made where there is none.
#[must_use]
pub fn create() -> OpenBoard {
    OpenBoard {
        create: Some(state()),
        durability: Durability::Power,
        mode: RootMode::Shared,
    }
}

/// Opens a board that is there.
#[must_use]
pub fn existing() -> OpenBoard {
    OpenBoard {
        create: None,
        durability: Durability::Power,
        mode: RootMode::Shared,
    }
}

/// The row of a new board.
#[must_use]
pub fn state() -> BoardState {
    BoardState {
        created_at: Millis::new(1_000),
        seed: u64::MAX - 7,
        counters: Counters::default(),
        reserved: Counters::default(),
        boot: None,
        horizon: EventId::new(0),
    }
}

/// A label.
#[must_use]
pub fn label(text: &str) -> Label {
    Label::new("label", text).unwrap()
}

/// The id of a task.
#[must_use]
pub fn id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

/// A task with nothing optional in it.
#[must_use]
pub fn task(name: &str) -> Task {
    Task {
        id: id(name),
        title: Title::new(format!("Task {name}")).unwrap(),
        status: Status::Ready,
        phase: Phase::Work,
        priority: 0,
        assignee: None,
        implementer: None,
        reviewer: None,
        tenant: None,
        created_by: None,
        created_from: None,
        created_at: Millis::new(10),
        updated_at: Millis::new(10),
        started_at: None,
        completed_at: None,
        settled_at: None,
        wake_at: None,
        not_before: None,
        idempotency_key: None,
        version: Version::new(1),
        open_parents: 0,
        failures: 0,
        deferrals: 0,
        last_error: None,
        failure_limit: None,
        max_runtime: None,
        block: None,
        block_streak: None,
        review_rounds: 0,
        claim: None,
        archived_from: None,
        decomposed_at: None,
        waiting: false,
        collectable: false,
    }
}

/// A task that comes.
#[must_use]
pub fn new_task(task: &Task) -> Change {
    Change::Task {
        before: None,
        after: Some(Box::new(task.clone())),
    }
}

/// A task that changes.
#[must_use]
pub fn changed(before: &Task, after: &Task) -> Change {
    Change::Task {
        before: Some(Box::new(before.clone())),
        after: Some(Box::new(after.clone())),
    }
}

/// Applies in one transaction, committed.
pub fn write(engine: &dyn Engine, changes: &[Change]) {
    let end = try_write(engine, changes);
    assert!(
        matches!(end, WriteEnd::Done(Verdict::Commit)),
        "expected a commit, found {end:?}"
    );
}

/// The same, however it ends.
pub fn try_write(engine: &dyn Engine, changes: &[Change]) -> WriteEnd {
    engine.write(&mut |txn: &mut dyn Txn| {
        for change in changes {
            txn.apply(change)?;
        }
        Ok(Verdict::Commit)
    })
}

/// How many tasks a fresh snapshot holds.
pub fn tasks(engine: &dyn Engine) -> usize {
    ask(engine, |view| view.tasks(None, usize::MAX)).len()
}

/// Asks one snapshot.
pub fn ask<T>(engine: &dyn Engine, question: impl Fn(&dyn View) -> Result<T>) -> T {
    try_ask(engine, question).unwrap()
}

/// The same, which may fail.
///
/// # Errors
/// The question's and the engine's.
pub fn try_ask<T>(engine: &dyn Engine, question: impl Fn(&dyn View) -> Result<T>) -> Result<T> {
    let mut found = None;
    engine.read(&mut |view| {
        found = Some(question(view)?);
        Ok(())
    })?;
    Ok(found.expect("a read that is done has asked"))
}

/// The kind of an error, by its name alone.
pub fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.expect_err("an error").kind().clone()
}

/// Calls a macro, given in brackets, with the list of these cases.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_engine_case {
    ([$($callback:tt)*]) => {
        $($callback)*! {
            round_trip: [the_boards_row_comes_back, the_policy_comes_back, pauses_come_back_the_boards_first, group_marks_come_back_and_are_forgotten_after_a_day, a_task_comes_back_with_everything_and_with_nothing_optional, every_word_of_the_model_comes_back, texts_come_back_and_go, runs_come_back, events_come_back_of_every_kind, comments_and_attachments_come_back, subscriptions_come_back, what_belongs_to_a_deleted_task_goes_with_it, a_transaction_that_is_rolled_back_leaves_nothing,],
            questions: [tasks_are_walked_by_id, ids_are_found_by_their_beginning, lists_keep_their_order_over_pages, lanes_hold_the_claimable_tasks_in_order, lanes_are_found_page_by_page, times_are_reached_in_order_up_to_and_with_the_one_asked_for, keys_find_the_task_that_holds_them, counters_follow_status_and_assignee, links_are_found_from_both_ends, runs_events_comments_and_attachments_are_walked_by_number, subscriptions_are_told_apart_by_their_whole_place, all_rows_are_counted,],
        }
    };
}

/// Makes one test of every case of an engine by itself: the name of a module, and how a board is opened (an
/// [`OpenEngine`], or a closure that captures nothing).
#[macro_export]
macro_rules! engine_cases {
    ($module:ident, $open:expr $(,)?) => {
        mod $module {
            #[allow(
                unused_imports,
                reason = "for an opener that names things of its module"
            )]
            use super::*;

            const OPEN: $crate::engine::OpenEngine = $open;

            $crate::for_each_engine_case! { [$crate::__engine_tests] }
        }
    };
}

/// One `#[test]` per case, one module per family. Of [`engine_cases!`] alone.
#[doc(hidden)]
#[macro_export]
macro_rules! __engine_tests {
    ($($family:ident: [$($case:ident,)*],)*) => {$(
        mod $family {
            $(
                #[test]
                fn $case() {
                    $crate::engine::run_engine_case(
                        concat!(stringify!($family), "::", stringify!($case)),
                        super::OPEN,
                    );
                }
            )*
        }
    )*};
}

macro_rules! cases {
    ($($family:ident: [$($case:ident,)*],)*) => {
        /// Runs one of them by its name.
        #[doc(hidden)]
        pub fn run_engine_case(name: &str, open: OpenEngine) {
            match name {
                $($(concat!(stringify!($family), "::", stringify!($case)) => $family::$case(open),)*)*
                other => panic!("no such case: {other}"),
            }
        }
    };
}
for_each_engine_case! { [cases] }
