//! Carries out the steps of a report.

use std::path::Path;

use kanban_core::RootMode;

use super::plan::Plan;
use super::progress::Progress;
use super::shape::{BoardFile, Comparison, Idle};
use super::step::Step;
use super::{Failed, crowd, even, idle, length, reads, sizes, transitions};
use crate::subject::{Store, Subject};
use crate::template::Template;

/// What all measurements need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bench<'a> {
    /// How much is measured.
    pub(super) plan: &'a Plan,
    /// Under which folder the boards lie.
    pub(super) place: &'a Path,
    /// This program, to be started as a process that holds nothing else.
    pub(super) program: &'a Path,
}

impl Bench<'_> {
    /// How many tasks make one side of a round as long as it is meant to be, at so many transitions per second.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a round is far shorter than 2^32 calls"
    )]
    pub(super) fn tasks_for(&self, per_second: f64) -> usize {
        (per_second * self.plan.span.as_secs_f64() / 2.0) as usize
    }
}

/// What the steps have come to.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) comparisons: Vec<Comparison>,
    pub(super) files: Vec<BoardFile>,
    pub(super) idle: Vec<Idle>,
}

/// Carries out all steps.
pub(super) async fn all(
    bench: Bench<'_>,
    steps: &[Step],
    progress: &Progress,
) -> Result<Results, Failed> {
    let mut results = Results::default();
    let mut shelf = Shelf::default();
    for step in steps {
        progress.begin(step);
        one(bench, *step, &mut shelf, &mut results).await?;
    }
    Ok(results)
}

async fn one(
    bench: Bench<'_>,
    step: Step,
    shelf: &mut Shelf,
    results: &mut Results,
) -> Result<(), Failed> {
    match step {
        Step::Transitions {
            subject,
            clients,
            patterns,
        } => {
            let filled = shelf.board(bench, subject).await?;
            let taken = transitions::compare(bench, filled, subject, clients, patterns).await?;
            results.comparisons.extend(taken);
        }
        Step::TransitionsOpen { subject } => {
            let closed = even::closed_rate(&results.comparisons, subject);
            let filled = shelf.board(bench, subject).await?;
            let taken = even::transitions(bench, filled, subject, closed).await?;
            results.comparisons.extend(taken);
        }
        Step::Claims { subject } => {
            let filled = shelf.board(bench, subject).await?;
            let taken = crowd::claims(bench, filled, subject).await?;
            results.comparisons.extend(taken);
        }
        Step::Mixed { subject } => {
            let filled = shelf.board(bench, subject).await?;
            let taken = crowd::mixture(bench, filled, subject).await?;
            results.comparisons.extend(taken);
        }
        Step::Reads { subject } => {
            let filled = shelf.board(bench, subject).await?;
            let taken = reads::compare(bench, filled, subject).await?;
            results.comparisons.extend(taken);
        }
        Step::Sizes { subject, clients } => {
            let boards = shelf.boards(bench, subject.store, results).await?;
            let (boards, taken) = sizes::compare(bench, boards, subject, clients).await?;
            shelf.sizes = boards;
            results.comparisons.extend(taken);
        }
        Step::Idle { store } => {
            if let Some(filled) = shelf.sizes.last() {
                results.idle.extend(idle::of(bench, filled, store)?);
            }
            // Boards of a million tasks are gone before the next engine's are made.
            *shelf = Shelf::default();
        }
    }
    Ok(())
}

/// The filled boards of one engine, each made when it is first needed.
#[derive(Debug, Default)]
struct Shelf {
    board: Option<(Store, RootMode, Template)>,
    sizes: Vec<Template>,
}

impl Shelf {
    async fn board(&mut self, bench: Bench<'_>, subject: Subject) -> Result<&Template, Failed> {
        let kept = self.board.take();
        let filled = match kept {
            Some((store, mode, filled)) if (store, mode) == (subject.store, subject.mode) => filled,
            _ => Template::make(subject, bench.place, bench.plan.tasks).await?,
        };
        let (_, _, filled) = self.board.insert((subject.store, subject.mode, filled));
        Ok(filled)
    }

    /// Boards of all sizes, to be given back. How long their files are is told when they are made.
    async fn boards(
        &mut self,
        bench: Bench<'_>,
        store: Store,
        results: &mut Results,
    ) -> Result<Vec<Template>, Failed> {
        if !self.sizes.is_empty() {
            return Ok(std::mem::take(&mut self.sizes));
        }
        let mut boards = Vec::new();
        for &tasks in bench.plan.sizes {
            let filled = Template::make(Subject::new(store), bench.place, tasks).await?;
            results.files.push(length::of(&filled, store.as_str())?);
            boards.push(filled);
        }
        Ok(boards)
    }
}
