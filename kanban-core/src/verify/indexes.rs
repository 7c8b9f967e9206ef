//! Counters, and the questions that engines answer by secondary indexes of the tasks.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::model::{Assignee, Label, Millis, Phase, Status, Task};
use crate::request::ListOrder;
use crate::view::{Lane, LaneHead, ListIndex, ListKey, PriorityKey, View};

use super::tally::{Tally, phase_of};
use super::{Findings, PAGE};

/// How many tasks are looked at of questions without pages.
const LOOKED_AT_MAX: usize = 10_000;
const END_OF_TIME: Millis = Millis::new(i64::MAX);
const ORDERS: [ListOrder; 4] = [
    ListOrder::Priority,
    ListOrder::Oldest,
    ListOrder::Newest,
    ListOrder::Updated,
];

/// Invariant 11, and of 13 what is asked of all tasks.
pub(super) fn check(findings: &mut Findings, view: &dyn View, tally: &Tally) -> Result<()> {
    if findings.is_full() {
        // The tally may be of a part of the tasks only.
        return Ok(());
    }
    check_counters(findings, view, tally)?;
    check_lists(findings, view, tally)?;
    for ((phase, tenant), rows) in lanes(tally) {
        check_lanes(findings, view, phase, tenant, rows)?;
    }
    check_times(findings, view, tally)?;
    check_collectable(findings, view, tally)?;
    let oldest = view.oldest_ready()?;
    findings.expect(oldest == tally.oldest_ready, 13, || {
        format!(
            "oldest_ready answers {oldest:?} where the rows say {:?}",
            tally.oldest_ready
        )
    });
    for pause in view.pauses()? {
        let same = view.pause(&pause.target)?;
        findings.expect(same.as_ref() == Some(&pause), 13, || {
            format!("the pause of {} is not answered", pause.target)
        });
    }
    Ok(())
}

/// How many entries the walks along indexes visit, if all is well.
pub(super) fn entries(tally: &Tally) -> u64 {
    let of_tenants: u64 = tally.tenants.values().sum();
    let in_lanes: u64 = lanes(tally).map(|(_, rows)| rows).sum();
    // In every order, by status, and by assignee.
    let of_tasks = tally.tasks * (ORDERS.len() as u64 + 2);
    of_tasks + of_tenants + in_lanes + tally.collectable
}

fn check_counters(findings: &mut Findings, view: &dyn View, tally: &Tally) -> Result<()> {
    let rows = view.counts()?;
    let key = |row: &crate::request::StatsRow| (row.status, row.assignee.clone());
    let is_sorted = rows.is_sorted_by(|a, b| key(a) < key(b));
    findings.expect(is_sorted, 11, || "the counters are out of order".to_owned());
    let counted: BTreeMap<_, u64> = rows.iter().map(|row| (key(row), row.tasks)).collect();
    findings.expect(counted == tally.counts, 11, || {
        let differs = |(key, rows): &(&(Status, Option<Assignee>), &u64)| {
            counted.get(key).copied().unwrap_or(0) != **rows
        };
        match tally.counts.iter().find(differs) {
            Some(((status, assignee), rows)) => {
                format!("{rows} tasks of {assignee:?} are {status}, and the counter differs")
            }
            None => format!("there are counters of no task: {counted:?}"),
        }
    });
    for ((status, assignee), rows) in &counted {
        let count = view.count_of(*status, assignee.as_ref())?;
        findings.expect(count == *rows, 11, || {
            format!("count_of {status} and {assignee:?} answers {count}, and the counter is {rows}")
        });
    }
    for status in Status::ALL {
        let of_status = counted.iter().filter(|((of, _), _)| of == status);
        let rows: u64 = of_status.map(|(_, rows)| rows).sum();
        let count = view.count_in_status(*status)?;
        findings.expect(count == rows, 11, || {
            format!("count_in_status {status} answers {count}, and the counters are {rows}")
        });
    }
    Ok(())
}

fn check_lists(findings: &mut Findings, view: &dyn View, tally: &Tally) -> Result<()> {
    for order in ORDERS {
        check_list(findings, view, &ListIndex::All(order), tally.tasks, |_| {
            true
        })?;
    }
    let mut statuses: BTreeMap<Status, u64> = Status::ALL.iter().map(|of| (*of, 0)).collect();
    let mut assignees: BTreeMap<Option<&Assignee>, u64> = BTreeMap::new();
    for ((status, assignee), rows) in &tally.counts {
        *statuses.entry(*status).or_default() += rows;
        *assignees.entry(assignee.as_ref()).or_default() += rows;
    }
    for (status, rows) in statuses {
        let is_in = |task: &Task| task.status == status;
        check_list(findings, view, &ListIndex::Status(status), rows, is_in)?;
    }
    for (assignee, rows) in assignees {
        let is_in = |task: &Task| task.assignee.as_ref() == assignee;
        check_list(
            findings,
            view,
            &ListIndex::Assignee(assignee.cloned()),
            rows,
            is_in,
        )?;
    }
    for (tenant, rows) in &tally.tenants {
        let is_in = |task: &Task| task.tenant.as_ref() == Some(tenant);
        check_list(
            findings,
            view,
            &ListIndex::Tenant(tenant.clone()),
            *rows,
            is_in,
        )?;
    }
    Ok(())
}

fn check_list(
    findings: &mut Findings,
    view: &dyn View,
    index: &ListIndex,
    rows: u64,
    is_in: impl Fn(&Task) -> bool,
) -> Result<()> {
    let order = match index {
        ListIndex::All(order) => *order,
        ListIndex::Status(_) | ListIndex::Assignee(_) | ListIndex::Tenant(_) => ListOrder::Priority,
    };
    let key = |task: &Task| ListKey::of(order, task);
    let question = format!("listed {index:?}");
    let answered = findings.walk(
        &question,
        |after| view.listed(index, after.map(key).as_ref(), PAGE),
        |a, b| key(a).compare(&key(b), order).is_lt(),
        |findings, task| {
            findings.steps.add(1);
            expect_in(findings, &question, task, is_in(task));
            Ok(())
        },
    )?;
    findings.expect_count(&question, rows, answered);
    Ok(())
}

fn expect_in(findings: &mut Findings, question: &str, task: &Task, is_in: bool) {
    findings.expect(is_in, 13, || {
        format!("{question} answers task {}, which is not in it", task.id)
    });
}

/// Every phase, of all tenants and of each, with how many tasks of it are claimable.
fn lanes(tally: &Tally) -> impl Iterator<Item = ((Phase, Option<&Label>), u64)> {
    let tenants = || std::iter::once(None).chain(tally.tenants.keys().map(Some));
    let places = Phase::ALL
        .iter()
        .flat_map(move |phase| tenants().map(|tenant| (*phase, tenant)));
    places.map(|(phase, tenant)| {
        let rows = tally.claimable.get(&(phase, tenant.cloned()));
        ((phase, tenant), rows.copied().unwrap_or(0))
    })
}

fn check_lanes(
    findings: &mut Findings,
    view: &dyn View,
    phase: Phase,
    tenant: Option<&Label>,
    rows: u64,
) -> Result<()> {
    let mut answered = 0;
    let question = format!("claimable {phase} of tenant {tenant:?}");
    findings.walk(
        "lanes",
        |after| {
            view.lanes(
                phase,
                tenant,
                after.map(|lane: &LaneHead| &lane.assignee),
                PAGE,
            )
        },
        |a, b| a.assignee < b.assignee,
        |findings, head| {
            let assignee = &head.assignee;
            let mut first = None;
            let lane = Lane {
                phase,
                tenant: tenant.cloned(),
                assignee: assignee.clone(),
            };
            let in_lane = findings.walk(
                &question,
                |after| view.claimable(&lane, after.map(PriorityKey::of).as_ref(), PAGE),
                |a, b| PriorityKey::of(a) < PriorityKey::of(b),
                |findings, task| {
                    first.get_or_insert_with(|| PriorityKey::of(task));
                    let is_in = phase_of(task.status) == Some(phase)
                        && !task.waiting
                        && task.assignee == *assignee
                        && tenant.is_none_or(|tenant| task.tenant.as_ref() == Some(tenant));
                    findings.steps.add(1);
                    expect_in(findings, &question, task, is_in);
                    Ok(())
                },
            )?;
            findings.expect(in_lane > 0, 13, || {
                format!("lanes answers {assignee:?}, of whom {question} answers nothing")
            });
            findings.expect(first.is_none_or(|first| first == head.first), 13, || {
                format!("lanes answers {head:?}, where {question} begins with another task")
            });
            answered += in_lane;
            Ok(())
        },
    )?;
    findings.expect_count(&question, rows, answered);
    Ok(())
}

fn check_times(findings: &mut Findings, view: &dyn View, tally: &Tally) -> Result<()> {
    let waiting = view.waiting(END_OF_TIME, LOOKED_AT_MAX)?;
    let time = |task: &Task| task.not_before.filter(|_| task.waiting);
    check_by_time(findings, "waiting", tally.waiting, &waiting, time);
    let expired = view.expired(END_OF_TIME, LOOKED_AT_MAX)?;
    let time = |task: &Task| task.claim.as_ref().map(|claim| claim.expires_at);
    check_by_time(findings, "expired", tally.claims, &expired, time);
    let due = view.due(END_OF_TIME, LOOKED_AT_MAX)?;
    check_by_time(findings, "due", tally.due, &due, |task| task.wake_at);
    Ok(())
}

fn check_by_time(
    findings: &mut Findings,
    question: &str,
    rows: u64,
    answered: &[Task],
    time: impl Fn(&Task) -> Option<Millis>,
) {
    for task in answered {
        expect_in(findings, question, task, time(task).is_some());
    }
    let key = |task: &Task| (time(task), task.id.clone());
    findings.expect(answered.is_sorted_by(|a, b| key(a) < key(b)), 13, || {
        format!("{question} answers rows out of order")
    });
    let rows = rows.min(LOOKED_AT_MAX as u64);
    findings.expect_count(question, rows, answered.len() as u64);
}

fn check_collectable(findings: &mut Findings, view: &dyn View, tally: &Tally) -> Result<()> {
    let place = |task: &Task| task.settled_at.unwrap_or(END_OF_TIME);
    let answered = findings.walk(
        "collectable",
        |after: Option<&Task>| {
            let after = after.map(|task| (place(task), &task.id));
            view.collectable(END_OF_TIME, after, PAGE)
        },
        |a, b| (place(a), &a.id) < (place(b), &b.id),
        |findings, task| {
            let is_in = task.collectable && task.settled_at.is_some();
            findings.steps.add(1);
            expect_in(findings, "collectable", task, is_in);
            Ok(())
        },
    )?;
    findings.expect_count("collectable", tally.collectable, answered);
    Ok(())
}
