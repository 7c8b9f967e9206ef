//! Single operations on boards of all sizes, in turns: what a call costs must not grow with the board.

use kanban_core::{Authority, BoardStore, ClaimNext, NextClaim, Result};

use super::Failed;
use super::chores::{Held, claim, pairs, release, remove};
use super::compared::Compared;
use super::figures::Side;
use super::run::Bench;
use super::shape::Comparison;
use crate::board::Board;
use crate::clients::{self, Outcome};
use crate::fill;
use crate::subject::Subject;
use crate::template::Template;
use crate::usage::{forget_memory_high_water, memory_high_water};
use crate::workload::calls::{worker, written};
use crate::workload::point::Point;

/// What the claim of the best task is called in an id.
pub(super) const CLAIM_NEXT: &str = Point::ClaimNext.as_str();
/// What the completion of a task with one child is called in an id.
pub(super) const COMPLETE: &str = Point::CompleteParent.as_str();

const WORKLOADS: [&str; 2] = [CLAIM_NEXT, COMPLETE];

/// Compares each size with the first. Gives the boards back, closed, with the tasks that they had.
pub(super) async fn compare(
    bench: Bench<'_>,
    filled: Vec<Template>,
    subject: Subject,
    clients: usize,
) -> std::result::Result<(Vec<Template>, Vec<Comparison>), Failed> {
    let mut boards = Vec::new();
    for Template { closed, ids, tasks } in filled {
        let board = closed.at(subject.durability).open().await?;
        boards.push((board, ids, tasks));
    }
    let calls = bench.plan.calls_by_size;
    let mut comparisons = Vec::new();
    for workload in WORKLOADS {
        let mut sides: Vec<Side> = boards.iter().map(|_| Side::default()).collect();
        // A first round warms the caches and is thrown away.
        for round in 0..=bench.plan.rounds {
            for ((board, _, _), side) in boards.iter().zip(&mut sides) {
                forget_memory_high_water();
                let outcome = once(workload, &*board.store, clients, calls).await?;
                if round > 0 {
                    side.add(outcome, memory_high_water());
                }
            }
        }
        let lengths: Vec<usize> = boards.iter().map(|(_, _, tasks)| *tasks).collect();
        comparisons.extend(against_first(workload, subject, clients, &lengths, &sides));
    }
    let mut filled = Vec::new();
    for (board, ids, tasks) in boards {
        let closed = Board::close(board).await?;
        filled.push(Template { closed, ids, tasks });
    }
    Ok((filled, comparisons))
}

fn against_first(
    workload: &'static str,
    subject: Subject,
    clients: usize,
    lengths: &[usize],
    sides: &[Side],
) -> Vec<Comparison> {
    let mut all = lengths.iter().zip(sides);
    let Some((small, first)) = all.next() else {
        return Vec::new();
    };
    let against = fill::size_name(*small);
    let compare = |(tasks, side): (&usize, &Side)| {
        Compared::new(workload, subject, *tasks, clients).with(&against, side, first)
    };
    all.map(compare).collect()
}

async fn once(
    workload: &str,
    store: &dyn BoardStore,
    clients: usize,
    calls: usize,
) -> Result<Outcome> {
    if workload == CLAIM_NEXT {
        let (outcome, held) = claim_next(store, clients, calls)?;
        release(store, &held)?;
        return Ok(outcome);
    }
    let pairs = pairs(store, calls).await?;
    let parents: Vec<_> = pairs.iter().map(|(parent, _)| parent.clone()).collect();
    let held = claim(store, &parents)?;
    let outcome = complete(store, clients, &held)?;
    remove(store, pairs)?;
    Ok(outcome)
}

fn claim_next(
    store: &dyn BoardStore,
    clients: usize,
    calls: usize,
) -> Result<(Outcome, Vec<Held>)> {
    let worker = worker()?;
    let held = std::cell::RefCell::new(Vec::new());
    let outcome = clients::closed(clients, calls / clients, |_, _| {
        let (call, held) = (ClaimNext::new(worker.clone()), &held);
        async move {
            if let NextClaim::Claimed(claimed) = store.claim_next(call).await?.value {
                held.borrow_mut().push((claimed.task.id, claimed.run.id));
            }
            Ok(())
        }
    })?;
    Ok((outcome, held.into_inner()))
}

fn complete(store: &dyn BoardStore, clients: usize, held: &[Held]) -> Result<Outcome> {
    clients::closed(clients, held.len() / clients, |client, nth| {
        let one = held.get(nth * clients + client).cloned();
        async move {
            match one {
                Some((task, run)) => {
                    let call = written(task, Authority::worker(run))?;
                    store.complete(call).await.map(drop)
                }
                None => Ok(()),
            }
        }
    })
}
