//! What belongs to one task: its events, its runs, and the rest.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::model::{
    Attachment, Comment, Event, EventId, EventKind, Run, RunId, Scope, Status, Subscription, Task,
};
use crate::view::View;

use super::tally::Tally;
use super::{Findings, PAGE};

/// Invariants 1 and 9, and of 13 what is asked about one task.
pub(super) fn check(
    findings: &mut Findings,
    view: &dyn View,
    task: &Task,
    horizon: EventId,
    tally: &mut Tally,
) -> Result<()> {
    let claimed = check_events(findings, view, task, tally)?;
    check_runs(findings, view, task, (&claimed, horizon), tally)?;
    check_belongings(findings, view, task, tally)
}

/// When a task's runs were claimed, as its events tell.
struct ClaimedEvents {
    /// With the event's id; none if an import made it up later.
    by_run: BTreeMap<RunId, Option<EventId>>,
    created: Option<EventId>,
}

impl ClaimedEvents {
    /// Whether gc may have removed the `claimed` event of a run: unless something that came before it is newer
    /// than all that gc removed.
    fn may_be_removed(&self, run: RunId, horizon: EventId) -> bool {
        let earlier = self
            .by_run
            .range(..run)
            .filter_map(|(_, event)| *event)
            .max();
        earlier.max(self.created).unwrap_or_default() <= horizon && horizon > EventId::default()
    }
}

fn check_events(
    findings: &mut Findings,
    view: &dyn View,
    task: &Task,
    tally: &mut Tally,
) -> Result<ClaimedEvents> {
    let id = &task.id;
    let mut last = None;
    let mut claimed = ClaimedEvents {
        by_run: BTreeMap::new(),
        created: None,
    };
    tally.events += findings.walk(
        "events_of",
        |after: Option<&Event>| {
            let after = after.map_or(EventId::default(), |event| event.id);
            view.events_of(id, after, PAGE)
        },
        |a, b| a.id < b.id,
        |findings, event| {
            findings.expect(event.task.as_ref() == Some(id), 13, || {
                format!("events_of task {id} answers event {}, of another", event.id)
            });
            last = Some(event.id);
            match (&event.kind, event.run) {
                (EventKind::Created, _) => claimed.created = Some(event.id),
                (EventKind::Claimed, Some(run)) => {
                    let is_made_up = event.data.as_map().contains_key("imported");
                    claimed
                        .by_run
                        .insert(run, Some(event.id).filter(|_| !is_made_up));
                }
                _ => {}
            }
            Ok(())
        },
    )?;
    let newest = view.last_event_of(id)?;
    findings.expect(newest == last, 13, || {
        format!("last_event_of task {id} answers {newest:?}, and its last is {last:?}")
    });
    Ok(claimed)
}

fn check_runs(
    findings: &mut Findings,
    view: &dyn View,
    task: &Task,
    (claimed, horizon): (&ClaimedEvents, EventId),
    tally: &mut Tally,
) -> Result<()> {
    let Task { id, status, .. } = task;
    let mut open = BTreeSet::new();
    let mut summarised = None;
    tally.runs += findings.walk(
        "runs_of",
        |after: Option<&Run>| view.runs_of(id, after.map(|run| run.id), PAGE),
        |a, b| a.id < b.id,
        |findings, run| {
            findings.expect(run.task == *id, 13, || {
                format!("runs_of task {id} answers run {}, of another", run.id)
            });
            open.extend(Some(run.id).filter(|_| run.is_open()));
            summarised = run.summary.as_ref().map(|_| run.id).or(summarised);
            // A run that an operator's hand-over left was never claimed, and so has no claimant.
            let is_told = run.claimant.is_none()
                || claimed.by_run.contains_key(&run.id)
                || claimed.may_be_removed(run.id, horizon);
            findings.expect(is_told, 9, || {
                format!("run {} of task {id} has no claimed event", run.id)
            });
            Ok(())
        },
    )?;
    let held: BTreeSet<RunId> = task.claim.iter().map(|claim| claim.run).collect();
    let is_running = *status == Status::Running;
    findings.expect(held == open && held.is_empty() != is_running, 1, || {
        format!("task {id} is {status}, its claim is {held:?} and its open runs are {open:?}")
    });
    let newest = view.last_summarised_run(id)?.map(|run| run.id);
    findings.expect(newest == summarised, 13, || {
        format!(
            "the last run of task {id} with a summary is {summarised:?}, and {newest:?} is answered"
        )
    });
    Ok(())
}

fn check_belongings(
    findings: &mut Findings,
    view: &dyn View,
    task: &Task,
    tally: &mut Tally,
) -> Result<()> {
    let id = &task.id;
    tally.comments += findings.walk(
        "comments_of",
        |after: Option<&Comment>| view.comments_of(id, after.map(|row| row.id), PAGE),
        |a, b| a.id < b.id,
        |findings, row| {
            findings.expect(row.task == *id, 13, || {
                format!(
                    "comments_of task {id} answers comment {}, of another",
                    row.id
                )
            });
            Ok(())
        },
    )?;
    tally.attachments += findings.walk(
        "attachments_of",
        |after: Option<&Attachment>| view.attachments_of(id, after.map(|row| row.id), PAGE),
        |a, b| a.id < b.id,
        |findings, row| {
            findings.expect(row.task == *id, 13, || {
                format!(
                    "attachments_of task {id} answers attachment {}, of another",
                    row.id
                )
            });
            Ok(())
        },
    )?;
    tally.subscriptions += subscriptions_of(findings, view, &Scope::Task(id.clone()))?;
    Ok(())
}

/// How many subscriptions a scope has.
pub(super) fn subscriptions_of(
    findings: &mut Findings,
    view: &dyn View,
    scope: &Scope,
) -> Result<u64> {
    findings.walk(
        "subscriptions_of",
        |after: Option<&Subscription>| view.subscriptions_of(scope, after.map(|row| row.id), PAGE),
        |a, b| a.id < b.id,
        |findings, row| {
            findings.expect(row.scope == *scope, 13, || {
                format!(
                    "subscriptions_of {scope:?} answers subscription {}, of another",
                    row.id
                )
            });
            Ok(())
        },
    )
}
