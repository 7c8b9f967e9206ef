//! Runs and events.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::model::{BoardState, Event, EventId, EventKind, Run, Seq, TaskId};
use crate::view::View;

use super::tally::Tally;
use super::{Findings, PAGE};

/// Invariants 2 and 3, and of 1, 11 and 13 what only the walk over all runs sees.
pub(super) fn check_runs(
    findings: &mut Findings,
    view: &dyn View,
    board: &BoardState,
    tally: &Tally,
) -> Result<()> {
    let mut of_tasks = 0;
    findings.walk(
        "runs",
        |after: Option<&Run>| view.runs(after.map(|run| run.id), PAGE),
        |a, b| a.id < b.id,
        |findings, run| {
            findings.steps.add(1);
            let Run { id, task, .. } = run;
            findings.expect(run.outcome.is_some() == run.ended_at.is_some(), 2, || {
                format!("run {id} ended at {:?} as {:?}", run.ended_at, run.outcome)
            });
            findings.expect(
                run.ended_at.is_none_or(|ended| run.started_at <= ended),
                3,
                || format!("run {id} ended before it started"),
            );
            findings.expect(*id <= board.counters.run, 11, || {
                format!("run {id} is above its counter {}", board.counters.run)
            });
            let same = view.run(*id)?;
            findings.expect(same.as_ref() == Some(run), 13, || {
                format!("run {id} is not answered by id")
            });
            if view.task(task)?.is_some() {
                of_tasks += 1;
            } else {
                let invariant = if run.is_open() { 1 } else { 13 };
                findings.add(
                    invariant,
                    format!("run {id} is of task {task}, which is not there"),
                );
            }
            Ok(())
        },
    )?;
    findings.expect_count("runs_of, over all tasks,", of_tasks, tally.runs);
    Ok(())
}

/// Invariant 8, and of 13 that events are found by their task.
pub(super) fn check_events(
    findings: &mut Findings,
    view: &dyn View,
    board: &BoardState,
    tally: &Tally,
) -> Result<()> {
    let (horizon, newest) = (board.horizon, board.counters.event);
    findings.expect(horizon <= newest, 8, || {
        format!("the horizon {horizon} is above the counter {newest}")
    });
    let mut of_tasks = 0;
    let mut last = Seq::default();
    // Tasks that are not there: deleted, if a later event says so.
    let mut missing: BTreeMap<TaskId, EventId> = BTreeMap::new();
    findings.walk(
        "events",
        |after: Option<&Event>| {
            view.events(after.map_or(EventId::default(), |event| event.id), PAGE)
        },
        |a, b| a.id < b.id,
        |findings, event| {
            findings.steps.add(1);
            check_numbers(findings, event, last, board);
            last = event.seq;
            if let Some(id) = deleted(event) {
                missing.remove(&id);
            }
            match &event.task {
                Some(task) if view.task(task)?.is_none() => {
                    missing.entry(task.clone()).or_insert(event.id);
                    return Ok(());
                }
                Some(_) => of_tasks += 1,
                None => {}
            }
            if let Some(id) = event.run {
                let run = view.run(id)?;
                let is_its = run.is_some_and(|run| Some(&run.task) == event.task.as_ref());
                findings.expect(is_its, 8, || {
                    format!(
                        "event {} is of run {id}, and its task has none such",
                        event.id
                    )
                });
            }
            Ok(())
        },
    )?;
    for (task, event) in missing {
        findings.add(
            8,
            format!("event {event} is of task {task}, which is not there"),
        );
    }
    findings.expect_count("events_of, over all tasks,", of_tasks, tally.events);
    Ok(())
}

fn check_numbers(findings: &mut Findings, event: &Event, last: Seq, board: &BoardState) {
    let Event { id, seq, .. } = event;
    findings.expect(*seq >= last, 8, || {
        format!("event {id} has seq {seq}, after {last}")
    });
    let counters = &board.counters;
    findings.expect(*id <= counters.event && *seq <= counters.seq, 8, || {
        format!(
            "event {id} of seq {seq} is above the counters {} and {}",
            counters.event, counters.seq
        )
    });
}

/// The task that an event says was deleted.
fn deleted(event: &Event) -> Option<TaskId> {
    let data = event.data.as_map();
    let id = data
        .get("id")
        .filter(|_| event.kind == EventKind::Deleted)?;
    TaskId::new(id.as_str()?).ok()
}
