//! Calls that fall due at an even rate, so that waiting counts: latency is told from here.

use kanban_core::{Authority, BoardStore, ClaimTask, TaskId};

use super::Failed;
use super::chores::{Held, claim};
use super::compared::{Compared, names};
use super::run::Bench;
use super::shape::Comparison;
use super::target::MANY;
use super::transitions::{WORKLOAD, fit};
use super::turns::{Opponent, grouped, take};
use crate::board::Board;
use crate::clients::{Outcome, open};
use crate::subject::Subject;
use crate::template::Template;
use crate::workload::calls::{worker, written};
use crate::workload::transitions::by_hand;

/// What transitions at an even rate are called in an id.
pub(super) const TRANSITIONS: &str = "transitions_open";

/// How much of what gets through in a closed loop falls due.
pub(super) const SHARE: f64 = 0.7;

/// The rate at which transitions of many clients got through. It was measured just before.
pub(super) fn closed_rate(taken: &[Comparison], subject: Subject) -> f64 {
    let (engine, durability) = names(subject);
    let same = |one: &&Comparison| {
        let (workload, clients) = (one.workload.as_str(), one.clients);
        (workload, clients) == (WORKLOAD, MANY)
            && (&one.engine, &one.durability) == (&engine, &durability)
    };
    let one = taken.iter().find(same);
    one.map_or(1.0, |one| one.store.per_second)
}

/// Claims and completions in turns, at a share of the rate that gets through. Each is held against one transaction by
/// hand of as many calls as shared a commit.
pub(super) async fn transitions(
    bench: Bench<'_>,
    filled: &Template,
    subject: Subject,
    closed_rate: f64,
) -> Result<Vec<Comparison>, Failed> {
    let rate = closed_rate * SHARE;
    // Half of them are claimed before, so that there is always one to complete.
    let tasks = fit(&filled.ids, 2, bench.tasks_for(rate) * 2);
    let (held, free) = tasks.split_at(tasks.len() / 2);
    let rows = filled.rows(free).await?;
    let compared = Compared {
        offered_per_second: Some(rate),
        ..Compared::new(TRANSITIONS, subject, filled.tasks, 1)
    };
    let run = |board: &Board| {
        let runs = claim(&*board.store, held)?;
        grouped(board, || at_rate(&*board.store, rate, &runs, free))
    };
    let limit = Opponent::limit(|file, group| by_hand(subject, file, group, &rows));
    take(bench, filled, compared, &run, &[limit]).await
}

fn at_rate(
    store: &dyn BoardStore,
    rate: f64,
    held: &[Held],
    free: &[TaskId],
) -> kanban_core::Result<Outcome> {
    let worker = worker()?;
    let calls = held.len().min(free.len()) * 2;
    open(rate, calls, |nth| {
        let (held, free) = (held.get(nth / 2).cloned(), free.get(nth / 2).cloned());
        let worker = worker.clone();
        async move {
            match (nth % 2, held, free) {
                (0, _, Some(task)) => store.claim(ClaimTask::new(task, worker)).await.map(drop),
                (_, Some((task, run)), _) => {
                    let call = written(task, Authority::worker(run))?;
                    store.complete(call).await.map(drop)
                }
                _ => Ok(()),
            }
        }
    })
}
