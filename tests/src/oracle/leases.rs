//! Handing events to one holder at a time.

use std::sync::Arc;

use kanban_core::{
    AckLease, Effect, ErrorKind, Event, EventId, EventLease, Lease, LeaseEvents, LeaseId, Millis,
    NackLease, Rejection, RetryAfter, Scope, Subject, Subscription, SubscriptionId, Ttl,
};

use super::board::{applied, rejected, repeated, unchanged, within};
use super::{Asked, Board, Ruled};

impl Board {
    pub(crate) fn lease_events(&mut self, call: LeaseEvents) -> Ruled<EventLease> {
        within("limit", call.limit, 1, 1000)?;
        let row = self.subscription(call.subscription)?.clone();
        if let Some(until) = self.held_until(&row) {
            return unchanged(EventLease::None { until: Some(until) });
        }
        let mut events = self.news_of(&row);
        // Only what is there can be looked at: what was removed is no reason to move.
        let newest = self.newest_covered(&row.scope);
        if events.is_empty() {
            let row = self.subscription_mut(call.subscription);
            let moved = row.cursor < newest;
            if moved {
                // What was handed out once is not wanted any more, or not there: its delivery is over.
                row.cursor = newest;
                row.attempts = 0;
                row.lease = None;
                row.retry_at = None;
            }
            let effect = if moved {
                Effect::Applied
            } else {
                Effect::Unchanged
            };
            return Ok((effect, EventLease::None { until: None }));
        }
        events.truncate(call.limit);
        let through = events.last().map_or(row.cursor, |event| event.id);
        self.counters.lease = LeaseId::new(self.counters.lease.get() + 1);
        let lease = Lease {
            id: self.counters.lease,
            until: self.now.after(call.ttl.get()),
            through,
        };
        let row = self.subscription_mut(call.subscription);
        row.attempts += 1;
        row.lease = Some(lease.clone());
        row.retry_at = None;
        applied(EventLease::Leased {
            lease: lease.id,
            attempt: row.attempts,
            until: lease.until,
            events,
        })
    }

    pub(crate) fn ack(&mut self, call: AckLease) -> Ruled<EventId> {
        let row = self.subscription(call.subscription)?;
        if row.acked == Some(call.lease) {
            return repeated(row.cursor);
        }
        let lease = self.lease(call.subscription, call.lease)?;
        let row = self.subscription_mut(call.subscription);
        row.cursor = row.cursor.max(lease.through);
        row.acked = Some(lease.id);
        row.lease = None;
        row.attempts = 0;
        row.retry_at = None;
        applied(row.cursor)
    }

    pub(crate) fn nack(&mut self, call: NackLease) -> Ruled<EventId> {
        self.lease(call.subscription, call.lease)?;
        let retry_at = call.retry_after.map(|wait| self.now.after(wait.get()));
        let row = self.subscription_mut(call.subscription);
        row.lease = None;
        row.retry_at = retry_at;
        applied(row.cursor)
    }

    pub(crate) fn pending(&self, limit: usize) -> Asked<Vec<Subscription>> {
        within("limit", limit, 1, 1000)?;
        let rows = self.subscriptions.iter().map(|row| &**row);
        let with_news = rows
            .filter(|row| self.held_until(row).is_none() && !self.news_of(row).is_empty())
            .cloned();
        Ok(with_news.take(limit).collect())
    }

    /// The open lease of this id. [14.7]
    fn lease(&self, subscription: SubscriptionId, id: LeaseId) -> Result<Lease, ErrorKind> {
        let row = self.subscription(subscription)?;
        match &row.lease {
            Some(lease) if lease.id == id => Ok(lease.clone()),
            _ if id > self.counters.lease || id.get() == 0 => {
                Err(ErrorKind::NotFound(Subject::Lease(id.get())))
            }
            _ => Err(rejected(Rejection::StaleLease)),
        }
    }

    /// Until when nobody else gets the events. What lies further ahead than a call can ask for holds nobody. [14.5]
    fn held_until(&self, row: &Subscription) -> Option<Millis> {
        let holds = |until: Millis, longest| until > self.now && until <= self.now.after(longest);
        let lease = row.lease.as_ref().map(|lease| lease.until);
        let lease = lease.filter(|until| holds(*until, Ttl::MAX));
        let wait = row.retry_at.filter(|until| holds(*until, RetryAfter::MAX));
        lease.or(wait)
    }

    /// The events after the cursor that the subscription wants. [14.3] [14.4]
    fn news_of(&self, row: &Subscription) -> Vec<Event> {
        let events = self.events.iter().map(|event| &**event);
        let news = events.filter(|event| {
            let is_covered = match &row.scope {
                Scope::Task(task) => event.task.as_ref() == Some(task),
                Scope::Board => true,
            };
            let is_wanted = row.kinds.is_empty() || row.kinds.contains(&event.kind);
            event.id > row.cursor && is_covered && is_wanted
        });
        news.cloned().collect()
    }

    /// The newest event that a scope covers and that is still there.
    fn newest_covered(&self, scope: &Scope) -> EventId {
        match scope {
            Scope::Task(task) => self.last_event_of(task),
            Scope::Board => self.newest_event(),
        }
    }

    pub(super) fn subscription_mut(&mut self, id: SubscriptionId) -> &mut Subscription {
        let mut rows = self.subscriptions.iter_mut();
        let row = rows.find(|row| row.id == id);
        Arc::make_mut(row.expect("the rule has found it before"))
    }
}
