//! Upkeep of a board: its limits, its log, and subscriptions that nobody needs any more.

mod collect;

pub(crate) use self::collect::Collectable;

use serde_json::{Map, Value};

use crate::error::Result;
use crate::model::{EventId, EventKind, Millis, Policy, Subscription, SubscriptionId};
use crate::request::{More, PurgeSettled, SetPolicy};

use super::claim::check_batch;
use super::draft::{Decided, Draft, Entry};
use super::settle::PAGE;
use super::{Answered, Command};

impl Command for SetPolicy {
    type Answer = Policy;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Policy> {
        self.policy.check()?;
        let before = draft.policy()?;
        if before != self.policy {
            let (old, new) = (fields(&before), fields(&self.policy));
            draft.set_policy(self.policy.clone());
            draft.event(
                Entry::of_board(EventKind::PolicyChanged)
                    .by(Some(&self.actor))
                    .with("from", differing(&old, &new))
                    .with("to", differing(&new, &old)),
            )?;
        }
        Ok(Answered::new(before))
    }
}

fn fields(policy: &Policy) -> Map<String, Value> {
    match serde_json::to_value(policy) {
        Ok(Value::Object(fields)) => fields,
        _ => unreachable!("a policy is a struct of numbers"),
    }
}

/// The fields that the other does not have the same.
fn differing(these: &Map<String, Value>, others: &Map<String, Value>) -> Map<String, Value> {
    these
        .iter()
        .filter(|(name, value)| others.get(*name) != Some(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

impl Command for PurgeSettled {
    type Answer = (u64, More);

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<(u64, More)> {
        check_batch(self.limit)?;
        let until = draft.now().before(self.older_than);
        let mut purged: u64 = 0;
        let mut after: Option<SubscriptionId> = None;
        loop {
            let page = draft.view().subscriptions(after, PAGE)?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|last| last.id);
            for subscription in page {
                if !has_heard_all(draft, &subscription, until)? {
                    continue;
                }
                if purged == self.limit as u64 {
                    return Ok(count(purged, More::More));
                }
                draft.put_subscription(Some(subscription), None);
                purged += 1;
            }
            if is_last {
                return Ok(count(purged, More::Finished));
            }
        }
    }
}

/// Whether its task is settled since a time, and its cursor at the end of the task's log.
fn has_heard_all(draft: &Draft<'_>, subscription: &Subscription, until: Millis) -> Result<bool> {
    let Some(id) = subscription.scope.task() else {
        return Ok(false);
    };
    let settled_at = draft.view().task(id)?.and_then(|task| task.settled_at);
    if settled_at.is_none_or(|at| at > until) {
        return Ok(false);
    }
    let last: Option<EventId> = draft.view().last_event_of(id)?;
    Ok(last.is_none_or(|last| last <= subscription.cursor))
}

const fn count(done: u64, more: More) -> Answered<(u64, More)> {
    Answered::new((done, more))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::change::Change;
    use crate::memory::{event, label, subscription, task_id};
    use crate::model::{Scope, Status};
    use crate::rules::testbed::Testbed;

    #[test]
    fn a_changed_policy_tells_the_changed_fields() {
        let mut bed = Testbed::new();
        let call = SetPolicy {
            policy: Policy {
                failure_limit: 5,
                review_round_limit: 3,
                ..Policy::default()
            },
            actor: label("boss"),
        };
        let (answer, changes) = bed.changes(&call);
        assert_eq!(answer, Policy::default());
        let mut want = bed.expect();
        want.push(Change::Policy {
            after: call.policy.clone(),
        });
        let data = json!({
            "from": {"failure_limit": 2, "review_round_limit": 10},
            "to": {"failure_limit": 5, "review_round_limit": 3},
        });
        want.event(None, EventKind::PolicyChanged, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());
        bed.write(&call);
        assert_eq!(bed.unchanged(&call), call.policy);
    }

    #[test]
    fn a_policy_out_of_bounds_is_invalid() {
        let call = SetPolicy {
            policy: Policy {
                failure_limit: 0,
                ..Policy::default()
            },
            actor: label("boss"),
        };
        assert_eq!(Testbed::new().invalid(&call), "failure_limit");
    }

    fn purge(limit: usize) -> PurgeSettled {
        PurgeSettled {
            older_than: Duration::from_secs(100),
            limit,
        }
    }

    /// Subscriptions 1 and 2 can go; 3 has news, 4 a younger task, 5 an open one, 6 the board.
    fn with_subscriptions() -> Testbed {
        let mut bed = Testbed::new();
        for (id, settled_at) in [
            ("old", Some(900_000)),
            ("young", Some(900_001)),
            ("open", None),
        ] {
            bed.put(id, |task| {
                task.settled_at = settled_at.map(Millis::new);
                if settled_at.is_some() {
                    task.status = Status::Archived;
                }
            });
        }
        bed.board.put_event(event(Some("old"), EventKind::Created));
        let old = bed.board.put_event(event(Some("old"), EventKind::Archived));
        for (id, task, cursor) in [
            (1, Some("old"), old),
            (2, Some("old"), old),
            (3, Some("old"), EventId::new(1)),
            (4, Some("young"), old),
            (5, Some("open"), old),
            (6, None, old),
        ] {
            let scope = task.map_or(Scope::Board, |task| Scope::Task(task_id(task)));
            let mut row = subscription(id, scope);
            row.cursor = cursor;
            bed.put_subscription(row);
        }
        bed
    }

    #[test]
    fn subscriptions_that_heard_all_of_a_settled_task_go() {
        let mut bed = with_subscriptions();
        let (answer, changes) = bed.changes(&purge(2));
        assert_eq!(answer, (2, More::Finished));
        let mut want = bed.expect();
        for id in [1, 2] {
            let before = bed.board.subscriptions[&SubscriptionId::new(id)].clone();
            want.push(Change::Subscription {
                before: Some(Box::new(before)),
                after: None,
            });
        }
        assert_eq!(changes, want.list());

        assert_eq!(bed.write(&purge(1)), (1, More::More));
        assert_eq!(bed.write(&purge(1)), (1, More::Finished));
        assert_eq!(bed.unchanged(&purge(1)), (0, More::Finished));
    }

    #[test]
    fn a_purge_of_none_or_too_many_is_invalid() {
        let bed = Testbed::new();
        assert_eq!(bed.invalid(&purge(0)), "limit");
        assert_eq!(bed.invalid(&purge(1001)), "limit");
    }
}
