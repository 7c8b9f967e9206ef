//! Events: kept with their numbers, and enough of them for every claim.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::{Event, EventId, EventKind, JsonObject, RunId, Seq};
use crate::request::{ForeignEvent, Repair};
use crate::rules::draft::Draft;
use crate::rules::subscribe::check_kind;

use super::Plan;
use super::numbers::shifted;

/// Takes over the events of tasks that are there.
pub(super) fn take(plan: &mut Plan<'_>, seq: Seq) {
    for found in &plan.from.events {
        let id = shifted(found.id, plan.shifts.event).map(EventId::new);
        let Some(id) = id else {
            plan.repairs
                .push(Repair::dropped("events", found.id, "id", found.id));
            continue;
        };
        if plan.events.contains_key(&id) {
            plan.repairs
                .push(Repair::dropped("events", id, "row", &found.kind));
            continue;
        }
        if let Some(task) = &found.task
            && !plan.tasks.contains_key(task)
        {
            plan.repairs
                .push(Repair::dropped("events", id, "task", task));
            continue;
        }
        if check_kind("kind", &found.kind).is_err() {
            let len = format!("{} bytes", found.kind.as_str().len());
            plan.repairs
                .push(Repair::dropped("events", id, "kind", len));
            continue;
        }
        let run = run_of(plan, id, found);
        let event = Event {
            id,
            seq,
            at: found.at,
            task: found.task.clone(),
            run,
            actor: None,
            kind: found.kind.clone(),
            data: found.data.clone(),
        };
        plan.events.insert(id, event);
    }
}

/// The event's run, if it is one of the event's task.
fn run_of(plan: &mut Plan<'_>, event: EventId, found: &ForeignEvent) -> Option<RunId> {
    let named = found.run?;
    let run = shifted(named, plan.shifts.run)
        .map(RunId::new)
        .filter(|id| {
            plan.runs
                .get(id)
                .is_some_and(|(run, _)| Some(&run.task) == found.task.as_ref())
        });
    if run.is_none() {
        plan.repairs
            .push(Repair::dropped("events", event, "run", named));
    }
    run
}

/// Adds the `claimed` event of each claimed run that has none, behind all others: numbers in between are not ours to
/// give.
pub(super) fn add_claims(plan: &mut Plan<'_>, draft: &mut Draft<'_>) {
    let told: BTreeSet<RunId> = plan
        .events
        .values()
        .filter(|event| event.kind == EventKind::Claimed)
        .filter_map(|event| event.run)
        .collect();
    let untold = plan
        .runs
        .values()
        .map(|(run, _)| run)
        .filter(|run| run.claimant.is_some() && !told.contains(&run.id));
    for run in untold {
        let counters = &mut draft.board_mut().counters;
        counters.event = EventId::new(counters.event.get() + 1);
        let id = counters.event;
        let mut data = Map::new();
        data.insert("imported".to_owned(), Value::Bool(true));
        data.insert("run".to_owned(), run.id.get().into());
        data.insert("phase".to_owned(), run.phase.as_str().into());
        if let Some(claimant) = &run.claimant {
            data.insert("claimant".to_owned(), claimant.as_str().into());
        }
        plan.repairs.push(Repair::added(
            "events",
            id,
            "claimed",
            format!("run {}", run.id),
        ));
        plan.added_events += 1;
        plan.events.insert(
            id,
            Event {
                id,
                seq: counters.seq,
                at: run.started_at,
                task: Some(run.task.clone()),
                run: Some(run.id),
                actor: run.claimant.clone(),
                kind: EventKind::Claimed,
                data: JsonObject::fitted(data),
            },
        );
    }
}

/// Dates each task's last change by its last event that is one, and counts its versions.
pub(super) fn date_tasks(plan: &mut Plan<'_>) {
    for event in plan.events.values() {
        let planned = event.task.as_ref().and_then(|id| plan.tasks.get_mut(id));
        if let Some(planned) = planned
            && event.kind.moves_version()
        {
            planned.task.version = planned.task.version.next();
            planned.task.updated_at = event.at;
        }
    }
}
