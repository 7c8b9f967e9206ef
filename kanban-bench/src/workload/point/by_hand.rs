//! The calls of each operation by hand.

use std::collections::HashMap;

use kanban_core::Task;

use super::needs::Needs;
use super::{EVENTS_LEN, LIST_LEN, MANY, Point};
use crate::clients::Outcome;
use crate::extent::pick;
use crate::fill;
use crate::limit::{self, End, Failed, Hand, HandTask, Limit, Meter, Result, Rows};

/// Makes all calls that were prepared, writes in transactions of `group`. `tasks` are those of the board and `fresh` those that
/// were made for the calls.
///
/// # Errors
/// The engine's.
pub(super) fn run(
    needs: &Needs,
    limit: &Limit,
    group: usize,
    tasks: &[Task],
    fresh: &[Task],
) -> Result<Outcome> {
    if needs.point == Point::LeaseAck {
        return lease_and_ack(needs, limit, group);
    }
    if needs.point.is_write() {
        let mut known = Known::of(needs, tasks, fresh);
        return limit.run(group, needs.calls, |rows, hand, at| {
            known.write(rows, hand, at)
        });
    }
    limit.warm()?;
    let cursors = needs.cursors();
    limit.look(needs.calls, |limit, at| {
        let random = pick(0, at, tasks.len());
        match needs.point {
            Point::Task => limit.read(tasks.get(random).ok_or(Failed::Row)?.id.as_str()),
            Point::List => limit.list(LIST_LEN),
            Point::Events => limit.events(random as u64, EVENTS_LEN),
            Point::Stats => limit.stats(),
            Point::Pending => limit.pending(&cursors, EVENTS_LEN),
            point => unreachable!("{point:?} writes: made by another loop"),
        }
    })
}

/// Leases an event by each of as many subscriptions as a transaction has calls, and acknowledges them in the next one.
fn lease_and_ack(needs: &Needs, limit: &Limit, group: usize) -> Result<Outcome> {
    limit.warm()?;
    let mut hand = limit.hand()?;
    let mut meter = Meter::start();
    for from in (0..needs.calls).step_by(group.max(1)) {
        let calls = from..needs.calls.min(from + group.max(1));
        let listeners = || {
            let all = needs.subscriptions.iter().map(|found| found.id.get());
            all.cycle()
                .skip(from % needs.subscriptions.len())
                .take(calls.len())
        };
        meter.time(calls.len(), || {
            limit.transact(&mut hand, |rows, hand| {
                listeners().try_for_each(|listener| rows.lease(listener, 1, hand))
            })?;
            limit.transact(&mut hand, |rows, hand| {
                listeners().try_for_each(|listener| rows.ack(listener, hand))
            })
        })?;
    }
    Ok(meter.end())
}

/// What a loop knows of the tasks that its calls are about.
struct Known<'a> {
    needs: &'a Needs,
    tasks: Vec<HandTask>,
    fresh: Vec<HandTask>,
    /// Those that are claimed in the board's order.
    by_id: HashMap<String, HandTask>,
}

impl<'a> Known<'a> {
    fn of(needs: &'a Needs, tasks: &[Task], fresh: &[Task]) -> Self {
        let is_by_id = needs.point == Point::ClaimNext;
        let by_id = is_by_id.then(|| limit::known(tasks.iter().chain(fresh)));
        Self {
            needs,
            tasks: tasks.iter().map(HandTask::of).collect(),
            fresh: fresh.iter().map(HandTask::of).collect(),
            by_id: by_id.unwrap_or_default(),
        }
    }

    fn write(&mut self, rows: &mut dyn Rows, hand: &mut Hand, at: usize) -> Result<()> {
        match self.needs.point {
            Point::Create => rows.create(at, None, hand).map(drop),
            Point::CreateMany => {
                let mut above = None;
                for number in at * MANY..(at + 1) * MANY {
                    above = Some(rows.create(number, above.as_ref(), hand)?);
                }
                Ok(())
            }
            Point::Update => {
                let title = self.needs.title(at);
                rows.update(self.task(at)?, &title, hand)
            }
            Point::Assign => rows.assign(self.fresh(at)?, &fill::assignee_name(at + 1), hand),
            Point::Link => {
                let [parent, child] = self.pair(at)?;
                rows.link(parent.id(), child, hand)
            }
            Point::Claim => rows.claim(self.fresh(at)?, hand),
            Point::ClaimNext => {
                let id = rows.next_ready()?.ok_or(Failed::Row)?;
                rows.claim(self.by_id.get_mut(&id).ok_or(Failed::Row)?, hand)
            }
            Point::Heartbeat => rows.heartbeat(self.fresh(at)?, hand),
            Point::Complete => rows.end(End::Complete, self.fresh(at)?, hand),
            Point::CompleteParent => {
                let [parent, child] = self.pair(at)?;
                rows.end(End::Complete, parent, hand)?;
                rows.promote(parent.id(), child, hand)
            }
            Point::Fail => rows.end(End::Fail, self.fresh(at)?, hand),
            Point::Release => rows.end(End::Release, self.fresh(at)?, hand),
            Point::Block => rows.end(End::Block, self.fresh(at)?, hand),
            Point::Unblock => rows.unblock(self.fresh(at)?, hand),
            Point::RequestReview => rows.end(End::Review, self.fresh(at)?, hand),
            Point::Comment => rows.comment(self.task(at)?.id(), hand),
            Point::Subscribe => {
                let address = self.needs.address(at);
                rows.subscribe(self.task(at)?, &address, hand)
            }
            Point::LeaseAck
            | Point::Task
            | Point::List
            | Point::Events
            | Point::Stats
            | Point::Pending => unreachable!("no single write: made by another loop"),
        }
    }

    /// The task of the board with a number, counted round and round.
    fn task(&mut self, at: usize) -> Result<&mut HandTask> {
        nth(&mut self.tasks, at)
    }

    /// The one that was made for the calls.
    fn fresh(&mut self, at: usize) -> Result<&mut HandTask> {
        nth(&mut self.fresh, at)
    }

    /// Two that were made for a call.
    fn pair(&mut self, at: usize) -> Result<&mut [HandTask; 2]> {
        let pair = self.fresh.get_mut(2 * at..2 * at + 2);
        pair.and_then(|pair| pair.try_into().ok())
            .ok_or(Failed::Row)
    }
}

fn nth(tasks: &mut [HandTask], at: usize) -> Result<&mut HandTask> {
    let at = at % tasks.len().max(1);
    tasks.get_mut(at).ok_or(Failed::Row)
}
