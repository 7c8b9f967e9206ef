//! Upkeep: the policy, old events, old subscriptions.

use std::sync::Arc;

use kanban_core::{
    CollectEvents, Covered, Effect, Event, EventKind, Millis, Policy, PurgeSettled, Removed, Scope,
    SetPolicy, Subscription, TaskId,
};
use serde_json::{Value, json};

use super::board::{applied, bound, unchanged, within};
use super::claims::more;
use super::log::Told;
use super::{Board, Ruled};

const DAY: u64 = 24 * 60 * 60 * 1000;

impl Board {
    pub(crate) fn set_policy(&mut self, call: SetPolicy) -> Ruled<Policy> {
        let new = call.policy;
        let bounds = [
            ("claim_ttl_ms", new.claim_ttl_ms, 1000, 30 * DAY),
            ("failure_limit", new.failure_limit.into(), 1, 1000),
            ("backoff_base_ms", new.backoff_base_ms, 1, 30 * DAY),
            (
                "backoff_max_ms",
                new.backoff_max_ms,
                new.backoff_base_ms,
                366 * DAY,
            ),
            ("block_streak_limit", new.block_streak_limit.into(), 1, 1000),
            ("review_round_limit", new.review_round_limit.into(), 1, 1000),
        ];
        for (field, found, min, max) in bounds {
            if found < min {
                return Err(bound(field, min, found).into());
            }
            if found > max {
                return Err(bound(field, max, found).into());
            }
        }
        let old = self.policy.clone();
        if old == new {
            return unchanged(old);
        }
        self.policy = new.clone();
        let told = Told::by(Some(&call.actor))
            .with("from", others(&old, &new))
            .with("to", others(&new, &old));
        self.tell_board(EventKind::PolicyChanged, told);
        applied(old)
    }

    pub(crate) fn gc(&mut self, call: CollectEvents) -> Ruled<Removed> {
        within("limit", call.limit, 1, 10_000)?;
        let before = self.now.before(call.older_than);
        let settled = self.settled_by(before);
        let place = |event: &Event| {
            settled
                .iter()
                .position(|(_, id)| Some(id) == event.task.as_ref())
        };
        let mut old: Vec<Arc<Event>> = self.events.clone();
        old.retain(|event| place(event).is_some() && self.may_go(event, call.covered));
        if call.covered == Covered::Keep {
            // Task by task, the one that has been settled longest first.
            old.sort_by_key(|event| place(event));
        }
        let more = more(old.len() > call.limit);
        old.truncate(call.limit);
        for event in &old {
            self.events.retain(|other| other.id != event.id);
            self.horizon = self.horizon.max(event.id);
        }
        let removed = old.len() as u64;
        Ok((effect_of(removed), Removed { removed, more }))
    }

    pub(crate) fn purge_settled(&mut self, call: PurgeSettled) -> Ruled<Removed> {
        within("limit", call.limit, 1, 1000)?;
        let before = self.now.before(call.older_than);
        let mut heard: Vec<Arc<Subscription>> = Vec::new();
        for (_, task) in self.settled_by(before) {
            let last = self.last_event_of(&task);
            let scope = Scope::Task(task);
            let rows = self.subscriptions.iter();
            heard.extend(
                rows.filter(|row| row.scope == scope && row.cursor >= last)
                    .cloned(),
            );
        }
        heard.sort_by_key(|row| row.id);
        let more = more(heard.len() > call.limit);
        heard.truncate(call.limit);
        for row in &heard {
            self.subscriptions.retain(|other| other.id != row.id);
        }
        let removed = heard.len() as u64;
        Ok((effect_of(removed), Removed { removed, more }))
    }

    /// Tasks that have been done or archived since then, the longest first.
    fn settled_by(&self, before: Millis) -> Vec<(Millis, TaskId)> {
        let tasks = self.tasks.iter().map(|detail| &detail.task);
        let mut settled: Vec<(Millis, TaskId)> = tasks
            .filter_map(|task| Some((task.settled_at?, task.id.clone())))
            .filter(|(at, _)| *at <= before)
            .collect();
        settled.sort();
        settled
    }

    /// Whether gc removes an event of a settled task. [16.9]
    fn may_go(&self, event: &Event, covered: Covered) -> bool {
        if covered == Covered::Remove {
            return true;
        }
        let is_kept = matches!(event.kind.as_str(), "created" | "claimed" | "completed");
        let is_awaited = self.subscriptions.iter().any(|row| {
            let is_covered = match &row.scope {
                Scope::Task(task) => event.task.as_ref() == Some(task),
                Scope::Board => true,
            };
            let is_wanted = row.kinds.is_empty() || row.kinds.contains(&event.kind);
            is_covered && is_wanted && event.id > row.cursor
        });
        !is_kept && !is_awaited
    }
}

fn effect_of(removed: u64) -> Effect {
    if removed == 0 {
        Effect::Unchanged
    } else {
        Effect::Applied
    }
}

/// The limits of one policy that differ from another's.
fn others(of: &Policy, from: &Policy) -> Value {
    let mut fields = json!(of);
    let from = json!(from);
    if let Some(map) = fields.as_object_mut() {
        map.retain(|field, value| from.get(field) != Some(value));
    }
    fields
}
