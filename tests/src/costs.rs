//! What every operation costs: counted, never timed, so that a change of it shows as a difference in a table and a slow
//! machine shows as nothing.
//!
//! An engine's own crate counts with one test:
//!
//! ```text
//! use kanban_conformance::costs::{Probe, measure};
//!
//! #[test]
//! fn every_operation_costs_what_is_told() {
//!     let costs = measure(&MyBackend::default(), Probe::NONE);
//!     costs.assert_told("docs/costs.md".as_ref(), "mine");
//! }
//! ```
//!
//! The page, a path from the crate's directory, has the engine's table between two lines, `<!-- costs: mine -->` and
//! `<!-- end -->`; it may begin with nothing else. With `KANBAN_UPDATE=1` in the environment the test writes the table there.
//! `docs/costs.md` tells how to read it.

mod counted;
mod fill;
mod stage;
mod table;
mod tally;
mod walk;

use std::path::Path;

use kanban_core::Backend;

use self::stage::{Row, Stage};

/// The sizes of board on which everything is counted.
const SIZES: [usize; 2] = [1_000, 100_000];

/// What costs more on a larger board, up to a bound: `list` and `events` look at 10,000 rows at most, and a `claim_next`
/// that finds nothing, at 1,000 tasks that wait, where none of them is of its filter.
const GROWS: &[&str] = &[
    "claim_next, nothing of this assignee",
    "list, of an assignee in a rare status",
    "events, of a rare kind",
];

/// By how much more than on the small board something may cost on the large one, where it depends on the depth of trees
/// and on which pages happened to be full.
const DEPTH: u64 = 2;

/// How an engine counts its own work.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// What it counts.
    pub columns: &'static [Column],
    /// Takes what the engine did on this thread since this was last called, in the order of the columns.
    pub take: fn() -> Vec<u64>,
}

impl Probe {
    /// An engine that counts nothing itself.
    pub const NONE: Self = Self {
        columns: &[],
        take: Vec::new,
    };
}

/// Something that an engine counts.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in the table.
    pub name: &'static str,
    /// How exactly the table tells it.
    pub told: Told,
}

/// How exactly a table tells a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It depends on the operation alone: the same on a board of every size.
    Exactly,
    /// It also depends on which pages happen to be full: no more than the number told, and not much less.
    AtMost,
}

/// What was counted on boards of two sizes.
#[derive(Debug)]
pub struct Costs {
    columns: &'static [Column],
    small: Size,
    large: Size,
}

#[derive(Debug)]
struct Size {
    tasks: usize,
    /// The length of the main file with nothing but these tasks in it.
    len: u64,
    rows: Vec<Row>,
}

/// Carries every operation out, on a board of 1,000 tasks and on one of 100,000, and counts what it costs.
///
/// # Panics
/// If an operation is not answered, or costs more on the larger board, or writes a row that it does not change.
pub fn measure<B: Backend + Clone>(backend: &B, probe: Probe) -> Costs {
    let [small, large] = SIZES.map(|tasks| pollster::block_on(measure_at(backend, probe, tasks)));
    let costs = Costs {
        columns: probe.columns,
        small,
        large,
    };
    costs.assert_no_growth();
    costs
}

async fn measure_at<B: Backend + Clone>(backend: &B, probe: Probe, tasks: usize) -> Size {
    let mut stage = Stage::new(backend, probe, tasks).await;
    if tasks == SIZES[0] {
        fill::verified(&*stage.store).await;
    }
    // What is prepared, cached or made the first time is not counted.
    walk::walk(&stage).await;
    stage.take();
    stage.round += 1;
    walk::walk(&stage).await;
    let rows = stage.take();
    let len = stage.len;
    stage.close().await;
    Size { tasks, len, rows }
}

impl Costs {
    /// Compares with the table of a page of the documentation; with `KANBAN_UPDATE` set, writes it. Tables are told
    /// apart by name: `rules` is what all engines have in common, any other an engine's own.
    ///
    /// # Panics
    /// If they differ.
    pub fn assert_told(&self, page: &Path, name: &str) {
        table::assert_told(self, page, name);
    }

    fn assert_no_growth(&self) {
        assert_eq!(self.small.rows.len(), self.large.rows.len());
        for (small, large) in self.small.rows.iter().zip(&self.large.rows) {
            let operation = small.operation;
            for Row { cost, .. } in [small, large] {
                assert_eq!(
                    cost.idle_changes, 0,
                    "{operation} writes a row as it is: {cost:?}"
                );
            }
            if GROWS.contains(&operation) {
                continue;
            }
            let (few, many) = (&small.cost, &large.cost);
            assert_eq!(
                (&few.asked, &few.changes),
                (&many.asked, &many.changes),
                "{operation}: expected as on the small board (left), found on the large one (right)"
            );
            for (column, (few, many)) in
                self.columns.iter().zip(few.engine.iter().zip(&many.engine))
            {
                let is_as_told = match column.told {
                    Told::Exactly => many == few,
                    Told::AtMost => *many <= DEPTH * (few + 1),
                };
                let (name, tasks) = (column.name, self.large.tasks);
                assert!(
                    is_as_told,
                    "{operation}: expected {few} {name}, found {many} on a board of {tasks} tasks"
                );
            }
        }
    }
}
