//! Runs: of tasks that are there, ended exactly with an outcome, open exactly while their task is running.

use std::collections::BTreeMap;

use crate::model::{Claim, Label, Outcome, Run, RunId, Status, TaskId};
use crate::request::{ForeignRun, Repair};
use crate::rules::settle::landing;

use super::numbers::shifted;
use super::{Plan, Planned};

/// Who closes the runs that cannot stay open.
const CLOSER: &str = "import";

/// Takes over the runs, each right in itself.
pub(super) fn take(plan: &mut Plan<'_>) {
    for found in &plan.from.runs {
        let id = shifted(found.id, plan.shifts.run).map(RunId::new);
        let Some(id) = id else {
            plan.repairs
                .push(Repair::dropped("runs", found.id, "id", found.id));
            continue;
        };
        if plan.runs.contains_key(&id) {
            plan.repairs
                .push(Repair::dropped("runs", id, "row", found.id));
            continue;
        }
        if !plan.tasks.contains_key(&found.task) {
            plan.repairs
                .push(Repair::dropped("runs", id, "task", &found.task));
            continue;
        }
        let run = mended(id, found, &mut plan.repairs);
        plan.runs.insert(id, (run, found));
    }
}

fn mended(id: RunId, found: &ForeignRun, repairs: &mut Vec<Repair>) -> Run {
    let start = found.started_at;
    let (ended_at, outcome) = match (found.ended_at, found.outcome) {
        (Some(end), None) => {
            let outcome = Outcome::Invalidated;
            repairs.push(Repair::added("runs", id, "outcome", outcome));
            (Some(end), Some(outcome))
        }
        (None, Some(outcome)) => {
            repairs.push(Repair::added("runs", id, "ended_at", start));
            (Some(start), Some(outcome))
        }
        both => both,
    };
    let ended_at = ended_at.map(|end| {
        if end < start {
            repairs.push(Repair::changed("runs", id, "ended_at", end, start));
        }
        end.max(start)
    });
    Run {
        id,
        task: found.task.clone(),
        phase: found.phase,
        assignee: found.assignee.clone(),
        claimant: found.claimant.clone(),
        request_id: None,
        worker: None,
        started_at: start,
        ended_at,
        outcome,
        ended_by: None,
        summary: found.summary.clone(),
        error: found.error.clone(),
        metadata: found.metadata.clone(),
    }
}

/// Gives each running task the claim of its open run, lands those that have none, and closes all other open runs.
pub(super) fn give_claims(plan: &mut Plan<'_>) {
    let mut open: BTreeMap<TaskId, Vec<RunId>> = BTreeMap::new();
    for (run, _) in plan.runs.values().filter(|(run, _)| run.is_open()) {
        open.entry(run.task.clone()).or_default().push(run.id);
    }
    let ids: Vec<TaskId> = plan.tasks.keys().cloned().collect();
    for id in ids {
        let open = open.remove(&id).unwrap_or_default();
        let Some(planned) = plan.tasks.get_mut(&id) else {
            continue;
        };
        let named = planned.found.open_run;
        let named_id = named
            .and_then(|run| shifted(run, plan.shifts.run))
            .map(RunId::new);
        let kept = match planned.task.status {
            Status::Running => named_id
                .filter(|run| open.contains(run))
                .or_else(|| open.last().copied()),
            _ => None,
        };
        if named_id != kept {
            plan.repairs.push(Repair {
                table: "tasks".to_owned(),
                id: id.to_string(),
                what: "open_run".to_owned(),
                from: named.map(|run| run.to_string()),
                to: kept.map(|run| run.to_string()),
            });
        }
        if kept.is_none() && planned.task.status == Status::Running {
            land(planned, &mut plan.repairs);
        }
        for run in open.into_iter().filter(|run| Some(*run) != kept) {
            close(plan, run);
        }
        if let Some(run) = kept {
            let claim = claim(plan, run);
            if let Some(planned) = plan.tasks.get_mut(&id) {
                planned.task.claim = claim;
            }
        }
    }
}

fn land(planned: &mut Planned<'_>, repairs: &mut Vec<Repair>) {
    let task = &mut planned.task;
    let to = landing(task);
    repairs.push(Repair::changed(
        "tasks",
        &task.id,
        "status",
        task.status,
        to,
    ));
    task.status = to;
}

fn close(plan: &mut Plan<'_>, id: RunId) {
    let Some((run, _)) = plan.runs.get_mut(&id) else {
        return;
    };
    run.outcome = Some(Outcome::Invalidated);
    run.ended_at = Some(plan.now.max(run.started_at));
    run.ended_by = Label::new("actor", CLOSER).ok();
    plan.repairs
        .push(Repair::added("runs", id, "outcome", Outcome::Invalidated));
}

fn claim(plan: &mut Plan<'_>, id: RunId) -> Option<Claim> {
    let (run, found) = plan.runs.get_mut(&id)?;
    let claimant = run.claimant.clone().unwrap_or_else(|| {
        let name = run.assignee.as_ref().map(|name| name.as_str().to_owned());
        let name = name.and_then(|name| Label::new("claimant", name).ok());
        let name = name.unwrap_or_else(|| plan.from.origin.clone());
        plan.repairs
            .push(Repair::added("runs", id, "claimant", &name));
        name
    });
    run.claimant = Some(claimant.clone());
    let expires_at = found.expires_at.unwrap_or_else(|| {
        let end = plan.now.after(plan.policy.claim_ttl());
        plan.repairs
            .push(Repair::added("runs", id, "expires_at", end));
        end
    });
    let must_end_by = found.must_end_by;
    let expires_at = match must_end_by {
        Some(end) if end < expires_at => {
            plan.repairs
                .push(Repair::changed("runs", id, "expires_at", expires_at, end));
            end
        }
        _ => expires_at,
    };
    Some(Claim {
        run: id,
        claimant,
        expires_at,
        must_end_by,
        heartbeat_at: found.heartbeat_at,
        worker: None,
        request_id: None,
    })
}
