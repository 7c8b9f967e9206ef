//! Many clients on one board: all claim from one column, or each does something else.

use kanban_core::Options;

use super::Failed;
use super::compared::Compared;
use super::run::Bench;
use super::shape::Comparison;
use super::target::MANY;
use super::turns::{Opponent, grouped, once, take};
use crate::board::Board;
use crate::subject::Subject;
use crate::template::Template;
use crate::workload::{claim_next, mixed};

/// What the mixture is called in an id.
pub(super) const MIXED: &str = "mixed";

/// How many calls each client makes in a trial, which only finds out how fast it goes.
const TRIAL: usize = 8;

/// All claim the task that comes first.
pub(super) async fn claims(
    bench: Bench<'_>,
    filled: &Template,
    subject: Subject,
) -> Result<Vec<Comparison>, Failed> {
    let compared = Compared::new(claim_next::CONTENTION, subject, filled.tasks, MANY);
    let most = filled.tasks / MANY;
    let run = |calls: usize| {
        move |board: &Board| grouped(board, || claim_next::by_store(&*board.store, MANY, calls))
    };
    let (trial, _) = once(filled, &compared, &run(TRIAL.min(most))).await?;
    let calls = (bench.tasks_for(trial.rate()) * 2 / MANY).clamp(1, most);
    let rows = filled.rows(&filled.ids).await?;
    let limit = Opponent::limit(|file, group| {
        claim_next::by_hand(subject, file, group, calls * MANY, &rows)
    });
    take(bench, filled, compared, &run(calls), &[limit]).await
}

/// Dispatchers, readers, writers and notifiers.
pub(super) async fn mixture(
    bench: Bench<'_>,
    filled: &Template,
    subject: Subject,
) -> Result<Vec<Comparison>, Failed> {
    let compared = Compared::new(MIXED, subject, filled.tasks, MANY);
    let (filled, subscriptions) = filled.with_listeners(MANY).await?;
    // Three pairs of eight claim a task, so there are enough.
    let most = filled.tasks / MANY;
    let (ids, listeners) = (&filled.ids, &subscriptions);
    let run = |pairs: usize| {
        move |board: &Board| {
            let work = || mixed::by_store(&*board.store, MANY, pairs, ids, listeners);
            let (outcome, group) = grouped(board, work)?;
            Ok((outcome, group * mixed::WRITES))
        }
    };
    let (trial, _) = once(&filled, &compared, &run(TRIAL.min(most))).await?;
    let pairs = (bench.tasks_for(trial.rate()) / MANY).clamp(1, most);
    let rows = filled.rows(ids).await?;
    let readers = Options::default().reader_threads;
    let limit = Opponent::limit(|file, group| {
        let load = (MANY, pairs);
        mixed::by_hand(subject, file, group, readers, load, &rows, listeners)
    });
    take(bench, &filled, compared, &run(pairs), &[limit]).await
}
