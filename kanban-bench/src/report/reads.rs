//! Single tasks are read by their ids, beside prepared statements in a loop on as many threads as the store reads with.

use kanban_core::{BoardStore, Options, TaskId};

use super::Failed;
use super::compared::Compared;
use super::even::SHARE;
use super::figures::Side;
use super::run::Bench;
use super::shape::Comparison;
use super::target::MANY;
use crate::clients::{Outcome, open};
use crate::extent::pick;
use crate::limit::LIMIT;
use crate::subject::Subject;
use crate::template::Template;
use crate::usage::{forget_memory_high_water, memory_high_water};
use crate::workload::reads::{by_hand, by_store};

/// What it is called in an id.
pub(super) const WORKLOAD: &str = "point_reads";
/// The same at an even rate.
pub(super) const OPEN: &str = "point_reads_open";

/// How many reads each client makes in a trial, which only finds out how fast it goes.
const TRIAL: usize = 16;

/// Compares many callers of the store with the limit: each calling again at once, then at an even rate.
pub(super) async fn compare(
    bench: Bench<'_>,
    filled: &Template,
    subject: Subject,
) -> Result<Vec<Comparison>, Failed> {
    let ids = &filled.ids;
    let board = filled.copy(subject)?.open().await?;
    // Reads leave a file as it is, so one copy serves all rounds by hand.
    let copy = filled.copy(subject)?;
    let trial = by_store(&*board.store, MANY, TRIAL, ids)?;
    let calls = (bench.tasks_for(trial.rate()) * 2 / MANY).max(1);
    let threads = Options::default().reader_threads;
    let hand = || {
        forget_memory_high_water();
        let share = (calls * MANY / threads).max(1);
        let outcome = by_hand(subject, &copy.file(), threads, share, ids);
        (outcome, memory_high_water())
    };
    let rounds = |store: &dyn Fn() -> kanban_core::Result<Outcome>| {
        let [mut mine, mut theirs] = [Side::default(), Side::default()];
        for _ in 0..bench.plan.rounds {
            forget_memory_high_water();
            mine.add(store()?, memory_high_water());
            let (outcome, peak) = hand();
            theirs.add(outcome, peak);
        }
        Ok::<_, Failed>((mine, theirs))
    };
    let (mine, theirs) = rounds(&|| by_store(&*board.store, MANY, calls, ids))?;
    let compared = Compared::new(WORKLOAD, subject, filled.tasks, MANY);
    let at_once = compared.with(LIMIT, &mine, &theirs);

    let rate = at_once.store.per_second * SHARE;
    let (mine, theirs) = rounds(&|| at_rate(&*board.store, rate, calls * MANY, ids))?;
    let compared = Compared {
        offered_per_second: Some(rate),
        ..Compared::new(OPEN, subject, filled.tasks, 1)
    };
    let even = compared.with(LIMIT, &mine, &theirs);
    board.close().await?;
    Ok(vec![at_once, even])
}

fn at_rate(
    store: &dyn BoardStore,
    rate: f64,
    calls: usize,
    tasks: &[TaskId],
) -> kanban_core::Result<Outcome> {
    open(rate, calls, |nth| {
        let id = tasks.get(pick(0, nth, tasks.len())).cloned();
        async move {
            match id {
                Some(id) => store.task(id).await.map(drop),
                None => Ok(()),
            }
        }
    })
}
