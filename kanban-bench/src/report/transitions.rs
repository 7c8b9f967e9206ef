//! Task transitions by the store, by hand in groups as long as the store's, and by the patterns that programs use without
//! a store.

use kanban_core::TaskId;

use super::Failed;
use super::compared::Compared;
use super::run::Bench;
use super::shape::Comparison;
use super::turns::{Opponent, grouped, once, take};
use crate::board::Board;
use crate::limit::synchronous;
use crate::pattern::Pattern;
use crate::subject::Subject;
use crate::template::Template;
use crate::workload::transitions::{by_hand, by_store};

/// What it is called in an id.
pub(super) const WORKLOAD: &str = "transitions";

/// How many tasks each client has in a trial, which only finds out how fast it goes.
const TRIAL: usize = 4;

/// Compares the store with the limit and with patterns.
pub(super) async fn compare(
    bench: Bench<'_>,
    filled: &Template,
    subject: Subject,
    clients: usize,
    patterns: &[Pattern],
) -> Result<Vec<Comparison>, Failed> {
    let compared = Compared::new(WORKLOAD, subject, filled.tasks, clients);
    let trial = fit(&filled.ids, clients, clients * TRIAL);
    let run = |board: &Board| grouped(board, || by_store(&*board.store, clients, trial));
    let (outcome, _) = once(filled, &compared, &run).await?;
    let tasks = fit(&filled.ids, clients, bench.tasks_for(outcome.rate()));
    let rows = filled.rows(tasks).await?;
    let mut opponents = vec![Opponent::limit(|file, group| {
        by_hand(subject, file, group, &rows)
    })];
    for &pattern in patterns {
        let synchronous = synchronous(subject);
        let trial = fit(&filled.ids, clients, clients);
        let copy = filled.copy(subject)?;
        let outcome = pattern.run(&copy.file(), synchronous, clients, trial);
        let tasks = fit(&filled.ids, clients, bench.tasks_for(outcome.rate()));
        opponents.push(Opponent {
            against: pattern.as_str(),
            run: Box::new(move |file, _| pattern.run(file, synchronous, clients, tasks)),
        });
    }
    let run = |board: &Board| grouped(board, || by_store(&*board.store, clients, tasks));
    take(bench, filled, compared, &run, &opponents).await
}

/// The first so many ids: at least one for each client, the same number for all, and no more than there are.
pub(super) fn fit(ids: &[TaskId], clients: usize, wanted: usize) -> &[TaskId] {
    let share = wanted.min(ids.len()) / clients;
    ids.get(..share.max(1) * clients).unwrap_or(ids)
}
