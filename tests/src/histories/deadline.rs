//! Times at which something comes due: to the millisecond, and one millisecond beside.

use std::time::Duration;

use kanban_core::{
    AckLease, Authority, ClaimNext, ClaimTask, CollectEvents, Covered, Heartbeat, LeaseEvents,
    LeaseId, Millis, PurgeSettled, ReclaimExpired, RestoreTask, RunId, SubscriptionId, TaskId,
    WakeDue,
};

use super::call::Call;
use super::dice::Dice;
use crate::calls::{self, label, secs, ttl};
use crate::oracle::Board;

/// How far away a time may be, so that the clock stays where histories happen.
const FAR: Duration = Duration::from_hours(40 * 24);

/// What comes due.
#[derive(Debug, Clone)]
pub(super) enum Due {
    /// A claim's `expires_at` or `must_end_by`.
    Claim(TaskId, RunId),
    /// `not_before`.
    BackOff(TaskId),
    /// `wake_at`.
    Wake,
    /// The `wake_at` that an archived task remembers.
    Archived(TaskId),
    /// The end of a delivery's lease, or of the wait that a nack asked for.
    Delivery(SubscriptionId, Option<LeaseId>),
    /// A task is settled so long.
    Settled(Duration),
}

/// One of the board's times, most often ahead; then the clock is moved there, or a millisecond beside.
pub(super) fn pick(dice: &mut Dice<'_>) -> Option<(Millis, Due)> {
    let now = dice.now;
    let mut times = all(dice.board);
    times.retain(|(at, _)| *at >= now.before(FAR) && *at <= now.after(FAR));
    // Every settled task has some, for ever.
    let is_of_age = dice.chance(10);
    times.retain(|(_, due)| matches!(due, Due::Settled(_)) == is_of_age);
    let ahead: Vec<_> = times.iter().filter(|(at, _)| *at > now).cloned().collect();
    if !ahead.is_empty() && !dice.chance(10) {
        times = ahead;
    }
    if times.is_empty() {
        return None;
    }
    let (at, due) = dice.one(&times);
    let beside = dice.one(&[0, 1, -1, 0]);
    Some((Millis::new(at.get() + beside), due))
}

fn all(board: &Board) -> Vec<(Millis, Due)> {
    let mut times = Vec::new();
    for task in board.tasks.iter().map(|detail| &detail.task) {
        let id = || task.id.clone();
        if let Some(claim) = &task.claim {
            times.push((claim.expires_at, Due::Claim(id(), claim.run)));
            times.extend(
                claim
                    .must_end_by
                    .map(|at| (at, Due::Claim(id(), claim.run))),
            );
        }
        times.extend(task.not_before.map(|at| (at, Due::BackOff(id()))));
        times.extend(task.wake_at.map(|at| (at, Due::Wake)));
        let was = task.archived_from.as_ref();
        let wake_at = was.and_then(|was| was.wake_at);
        times.extend(wake_at.map(|at| (at, Due::Archived(id()))));
        for older_than in [30, 600].map(secs) {
            let settled = task.settled_at.map(|at| at.after(older_than));
            times.extend(settled.map(|at| (at, Due::Settled(older_than))));
        }
    }
    for row in &board.subscriptions {
        let lease = row.lease.as_ref();
        let due = Due::Delivery(row.id, lease.map(|lease| lease.id));
        times.extend(lease.map(|lease| (lease.until, due.clone())));
        times.extend(row.retry_at.map(|at| (at, due)));
    }
    times
}

/// A call that looks at the time.
pub(super) fn call(due: Due, dice: &mut Dice<'_>) -> Call {
    match due {
        Due::Claim(task, run) => match dice.below(4) {
            3 => Call::Heartbeat(Heartbeat {
                extend: dice.ttl(),
                ..calls::heartbeat_by(&task, Authority::worker(run))
            }),
            _ => Call::ReclaimExpired(ReclaimExpired { limit: 100 }),
        },
        Due::BackOff(task) => match dice.below(2) {
            0 => Call::ClaimNext(ClaimNext::new(label("w1"))),
            _ => Call::Claim(ClaimTask {
                ttl: dice.ttl(),
                ..calls::claim(&task)
            }),
        },
        Due::Wake => Call::WakeDue(WakeDue { limit: 100 }),
        Due::Archived(task) => Call::Restore(RestoreTask {
            actor: label("olga"),
            task,
        }),
        Due::Delivery(subscription, lease) => match (dice.below(4), lease) {
            (3, Some(lease)) => Call::Ack(AckLease {
                subscription,
                lease,
            }),
            (2, _) => Call::Pending(100),
            _ => Call::LeaseEvents(LeaseEvents {
                subscription,
                ttl: ttl(60),
                limit: 100,
            }),
        },
        Due::Settled(older_than) => match dice.below(2) {
            0 => Call::Gc(CollectEvents {
                older_than,
                limit: 100,
                covered: dice.one(&[Covered::Keep, Covered::Remove]),
            }),
            _ => Call::PurgeSettled(PurgeSettled {
                older_than,
                limit: 100,
            }),
        },
    }
}
