//! The store and what it is compared with, in turns, each on a copy of the same board.

use std::path::Path;

use super::Failed;
use super::compared::Compared;
use super::figures::{Side, count, median};
use super::run::Bench;
use super::shape::Comparison;
use crate::board::Board;
use crate::clients::Outcome;
use crate::limit::LIMIT;
use crate::template::Template;
use crate::usage::{forget_memory_high_water, memory_high_water};

/// Works on a board's file that nobody has open, in groups of a length.
type Run<'a> = Box<dyn Fn(&Path, usize) -> Outcome + 'a>;

/// What the store is compared with.
pub(super) struct Opponent<'a> {
    /// What it is called in an id.
    pub(super) against: &'static str,
    pub(super) run: Run<'a>,
}

impl<'a> Opponent<'a> {
    /// The engine's own limit.
    pub(super) fn limit(run: impl Fn(&Path, usize) -> Outcome + 'a) -> Self {
        Self {
            against: LIMIT,
            run: Box::new(run),
        }
    }
}

/// What a round of the store came to, and how many calls shared a commit in the mean.
pub(super) type Grouped = (Outcome, f64);

/// Runs a workload on an open board, and finds out how many calls shared a commit.
pub(super) fn grouped(
    board: &Board,
    work: impl FnOnce() -> kanban_core::Result<Outcome>,
) -> kanban_core::Result<Grouped> {
    forget_memory_high_water();
    let before = board.commits.count();
    let outcome = work()?;
    let commits = board.commits.count().saturating_sub(before);
    // An engine commits for itself too, now and then.
    let group = (count(outcome.calls) / count(commits.max(1))).max(1.0);
    Ok((outcome, group))
}

/// One run of the store on a copy that is thrown away.
pub(super) async fn once(
    filled: &Template,
    compared: &Compared,
    store: &dyn Fn(&Board) -> kanban_core::Result<Grouped>,
) -> Result<Grouped, Failed> {
    let board = filled.copy(compared.subject)?.open().await?;
    let done = store(&board)?;
    board.close().await?;
    Ok(done)
}

/// The store, then each opponent in groups as long as the store's were, round by round.
pub(super) async fn take(
    bench: Bench<'_>,
    filled: &Template,
    compared: Compared,
    store: &dyn Fn(&Board) -> kanban_core::Result<Grouped>,
    opponents: &[Opponent<'_>],
) -> Result<Vec<Comparison>, Failed> {
    let mut mine = Side::default();
    let mut theirs: Vec<Side> = opponents.iter().map(|_| Side::default()).collect();
    let mut groups = Vec::new();
    for _ in 0..bench.plan.rounds {
        let (outcome, group) = once(filled, &compared, store).await?;
        mine.add(outcome, memory_high_water());
        groups.push(group);
        for (opponent, side) in opponents.iter().zip(&mut theirs) {
            let copy = filled.copy(compared.subject)?;
            forget_memory_high_water();
            let outcome = (opponent.run)(&copy.file(), whole(group));
            side.add(outcome, memory_high_water());
        }
    }
    let compared = Compared {
        group_len: Some(median(groups)),
        ..compared
    };
    let both = opponents.iter().zip(&theirs);
    Ok(both
        .map(|(opponent, side)| compared.with(opponent.against, &mine, side))
        .collect())
}

/// A mean group as a length to group by.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a group is some hundred calls at most"
)]
fn whole(group: f64) -> usize {
    group.round().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_runs_in_whole_groups_of_at_least_one() {
        let groups = [0.2, 1.4, 31.5].map(whole);
        assert_eq!(groups, [1, 1, 32]);
    }
}
