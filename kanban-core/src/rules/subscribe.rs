//! Subscriptions, and the delivery of their events: what is leased and not acknowledged is given out again.

use crate::error::{Invalid, Rejection, Result, Subject};
use crate::model::{
    EventId, EventKind, Label, Lease, LeaseId, Millis, RetryAfter, Scope, Subscription,
    SubscriptionId, Ttl,
};
use crate::request::{AckLease, EventLease, LeaseEvents, NackLease, SubscribeTo, Unsubscribe};

use super::ask::{LOOKED_AT_MAX, Stretch};
use super::claim::check_batch;
use super::draft::{Decided, Draft, Entry, Refusal};
use super::links::SUBSCRIPTIONS_MAX;
use super::talk::expect_text;
use super::{Answered, Command, KINDS_MAX};

impl Command for SubscribeTo {
    type Answer = Subscription;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Subscription> {
        check_kinds(&self.kinds)?;
        if let Some(task) = self.scope.task() {
            draft.subject(task)?;
        }
        let before = draft.view().subscription_at(
            &self.scope,
            &self.channel,
            &self.address,
            self.thread.as_ref(),
        )?;
        let value = match before {
            Some(before) => self.renew(draft, before)?,
            None => self.begin(draft)?,
        };
        Ok(Answered::new(value))
    }
}

impl SubscribeTo {
    fn renew(&self, draft: &mut Draft<'_>, before: Subscription) -> Result<Subscription> {
        let after = Subscription {
            kinds: self.kinds.clone(),
            routing: self.routing.clone(),
            mode: self.mode,
            ..before.clone()
        };
        if after != before {
            draft.put_subscription(Some(before), Some(after.clone()));
            tell(draft, &after, EventKind::Subscribed, self.actor.as_ref())?;
        }
        Ok(after)
    }

    /// A new one is caught up, with its own event too.
    fn begin(&self, draft: &mut Draft<'_>) -> std::result::Result<Subscription, Refusal> {
        if self.scope.task().is_some() {
            let room = SUBSCRIPTIONS_MAX;
            let found = 1 + draft.subscriptions_of(&self.scope, room)?.len();
            if found > room {
                return Err(Invalid::too_many("subscriptions", room, found).into());
            }
        }
        let mut subscription = Subscription {
            id: draft.next_subscription(),
            scope: self.scope.clone(),
            channel: self.channel.clone(),
            address: self.address.clone(),
            thread: self.thread.clone(),
            kinds: self.kinds.clone(),
            routing: self.routing.clone(),
            mode: self.mode,
            created_at: draft.now(),
            cursor: EventId::default(),
            attempts: 0,
            lease: None,
            acked: None,
            retry_at: None,
        };
        let actor = self.actor.as_ref();
        subscription.cursor = tell(draft, &subscription, EventKind::Subscribed, actor)?;
        draft.put_subscription(None, Some(subscription.clone()));
        Ok(subscription)
    }
}

impl Command for Unsubscribe {
    type Answer = Subscription;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Subscription> {
        let subscription = find(draft, self.subscription)?;
        draft.put_subscription(Some(subscription.clone()), None);
        let actor = self.actor.as_ref();
        tell(draft, &subscription, EventKind::Unsubscribed, actor)?;
        Ok(Answered::new(subscription))
    }
}

impl Command for LeaseEvents {
    type Answer = EventLease;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<EventLease> {
        check_batch(self.limit)?;
        let before = find(draft, self.subscription)?;
        let now = draft.now();
        let until = held_until(&before, now);
        if until.is_some() {
            return Ok(Answered::new(EventLease::None { until }));
        }
        let mut looks = LOOKED_AT_MAX;
        let news = Stretch::of(&before).find(draft.view(), self.limit, &mut looks)?;
        let mut after = before.clone();
        after.retry_at = None;
        let value = if let Some(last) = news.events.last() {
            let lease = Lease {
                id: draft.next_lease(),
                until: now.after(self.ttl.get()),
                through: last.id,
            };
            after.attempts = before.attempts.saturating_add(1);
            after.lease = Some(lease.clone());
            EventLease::Leased {
                lease: lease.id,
                attempt: after.attempts,
                until: lease.until,
                events: news.events,
            }
        } else {
            after.cursor = news.through;
            after.attempts = 0;
            after.lease = None;
            EventLease::None { until: None }
        };
        if after.lease.is_some() || after.cursor != before.cursor {
            draft.put_subscription(Some(before), Some(after));
        }
        Ok(Answered::new(value))
    }
}

impl Command for AckLease {
    type Answer = EventId;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<EventId> {
        let before = find(draft, self.subscription)?;
        if before.acked == Some(self.lease) {
            return Ok(Answered::again(before.cursor));
        }
        let lease = expect_lease(draft, &before, self.lease)?;
        let after = Subscription {
            cursor: before.cursor.max(lease.through),
            attempts: 0,
            lease: None,
            acked: Some(lease.id),
            retry_at: None,
            ..before.clone()
        };
        let value = after.cursor;
        draft.put_subscription(Some(before), Some(after));
        Ok(Answered::new(value))
    }
}

impl Command for NackLease {
    type Answer = EventId;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<EventId> {
        let before = find(draft, self.subscription)?;
        expect_lease(draft, &before, self.lease)?;
        let now = draft.now();
        let after = Subscription {
            lease: None,
            retry_at: self.retry_after.map(|wait| now.after(wait.get())),
            ..before.clone()
        };
        let value = after.cursor;
        draft.put_subscription(Some(before), Some(after));
        Ok(Answered::new(value))
    }
}

/// Until when nobody is handed a subscription's events: somebody has them, or a wait is not over.
pub(super) fn held_until(subscription: &Subscription, now: Millis) -> Option<Millis> {
    // What lies further ahead than any call can ask for was written by a clock that was wrong: it holds nobody back.
    let leased = subscription.lease.as_ref().map(|lease| lease.until);
    let leased = leased.filter(|until| *until <= now.after(Ttl::MAX));
    let waits = subscription.retry_at;
    let waits = waits.filter(|at| *at <= now.after(RetryAfter::MAX));
    leased.max(waits).filter(|until| *until > now)
}

/// Refuses kinds that are too many, or that no event has.
pub(crate) fn check_kinds(kinds: &[EventKind]) -> Result<(), Invalid> {
    if kinds.len() > KINDS_MAX {
        return Err(Invalid::too_many("kinds", KINDS_MAX, kinds.len()));
    }
    kinds.iter().try_for_each(|kind| check_kind("kinds", kind))
}

/// Refuses a kind that no event has, not one from elsewhere either.
pub(crate) fn check_kind(field: &'static str, kind: &EventKind) -> Result<(), Invalid> {
    expect_text(field, kind.as_str())?;
    Label::new(field, kind.as_str()).map(|_| ())
}

fn find(draft: &Draft<'_>, id: SubscriptionId) -> std::result::Result<Subscription, Refusal> {
    draft
        .view()
        .subscription(id)?
        .ok_or_else(|| Subject::Subscription(id.get()).into())
}

/// The lease, if it is the newest one and was not given back; its end may be past, while nobody else took the
/// events.
fn expect_lease(
    draft: &Draft<'_>,
    subscription: &Subscription,
    id: LeaseId,
) -> std::result::Result<Lease, Refusal> {
    match &subscription.lease {
        Some(lease) if lease.id == id => Ok(lease.clone()),
        _ if id == LeaseId::default() || id > draft.board().counters.lease => {
            Err(Subject::Lease(id.get()).into())
        }
        _ => Err(Rejection::StaleLease.into()),
    }
}

fn tell(
    draft: &mut Draft<'_>,
    subscription: &Subscription,
    kind: EventKind,
    actor: Option<&Label>,
) -> Result<EventId> {
    let entry = match &subscription.scope {
        Scope::Task(task) => Entry::of(task, kind),
        Scope::Board => Entry::of_board(kind),
    };
    draft.event(
        entry
            .by(actor)
            .with("subscription", subscription.id)
            .with("channel", &subscription.channel),
    )
}

#[cfg(test)]
mod tests;
