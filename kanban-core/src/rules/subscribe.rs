//! Subscriptions, and the delivery of their events: what is leased and not acknowledged is given out again.

use crate::error::{Invalid, Rejection, Result, Subject};
use crate::model::{
    EventId, EventKind, Label, Lease, LeaseId, RetryAfter, Scope, Subscription, SubscriptionId, Ttl,
};
use crate::request::{AckLease, EventLease, LeaseEvents, NackLease, SubscribeTo, Unsubscribe};

use super::ask::{LOOKED_AT_MAX, Stretch};
use super::claim::check_batch;
use super::draft::{Decided, Draft, Entry, Refusal};
use super::links::SUBSCRIPTIONS_MAX;
use super::{Answered, Command};

/// How many kinds a subscription may name.
const KINDS_MAX: usize = 100;

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
        let held = before.lease.as_ref().map(|lease| lease.until);
        // What lies further ahead than any call can ask for was written by a clock that was wrong: it holds nobody back.
        let held = held.filter(|until| *until <= now.after(Ttl::MAX));
        let retry_at = before
            .retry_at
            .filter(|at| *at <= now.after(RetryAfter::MAX));
        let until = held.max(retry_at).filter(|until| *until > now);
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

fn check_kinds(kinds: &[EventKind]) -> Result<(), Invalid> {
    if kinds.len() > KINDS_MAX {
        return Err(Invalid::too_many("kinds", KINDS_MAX, kinds.len()));
    }
    for kind in kinds {
        Label::new("kinds", kind.as_str())?;
    }
    Ok(())
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
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::change::Change;
    use crate::error::ErrorKind;
    use crate::memory::{event, label, subscription, task_id};
    use crate::model::{Address, Millis, RetryAfter, SubscriptionMode, Ttl};
    use crate::rules::testbed::Testbed;

    fn of_t() -> Scope {
        Scope::Task(task_id("t"))
    }

    fn subscribe(scope: Scope) -> SubscribeTo {
        SubscribeTo {
            scope,
            channel: label("mail"),
            address: Address::new("address", "reader-1").unwrap(),
            thread: None,
            kinds: vec![EventKind::Completed],
            routing: None,
            mode: SubscriptionMode::Wake,
            actor: Some(label("ann")),
        }
    }

    #[test]
    fn a_new_subscription_is_caught_up_with_its_own_event() {
        for (scope, task) in [(of_t(), Some("t")), (Scope::Board, None)] {
            let mut bed = Testbed::new();
            bed.put("t", |_| {});
            bed.board.put_event(event(Some("t"), EventKind::Created));
            let (answer, changes) = bed.changes(&subscribe(scope.clone()));
            let mut made = subscription(1, scope.clone());
            made.kinds = vec![EventKind::Completed];
            made.mode = SubscriptionMode::Wake;
            made.created_at = bed.now;
            made.cursor = EventId::new(2);
            assert_eq!(answer, made);
            let mut want = bed.expect();
            if task.is_some() {
                want.card("t", |_| {});
            }
            want.new_subscription(made.clone());
            let data = json!({"subscription": 1, "channel": "mail"});
            want.event(task, EventKind::Subscribed, data).actor = Some(label("ann"));
            assert_eq!(changes, want.list());

            bed.write(&subscribe(scope.clone()));
            assert_eq!(bed.unchanged(&subscribe(scope)), made);
        }
    }

    #[test]
    fn the_same_place_again_keeps_its_cursor() {
        let mut bed = Testbed::new();
        bed.put("t", |_| {});
        let mut known = subscription(1, of_t());
        known.cursor = EventId::new(0);
        known.attempts = 2;
        bed.put_subscription(known);
        let (answer, changes) = bed.changes(&subscribe(of_t()));
        let mut want = bed.expect();
        want.card("t", |_| {});
        want.subscription(1, |known| {
            known.kinds = vec![EventKind::Completed];
            known.mode = SubscriptionMode::Wake;
        });
        let data = json!({"subscription": 1, "channel": "mail"});
        want.event(Some("t"), EventKind::Subscribed, data).actor = Some(label("ann"));
        assert_eq!(changes, want.list());
        assert_eq!((answer.cursor, answer.attempts), (EventId::new(0), 2));
    }

    #[test]
    fn a_subscription_is_refused_over_its_limits() {
        let mut bed = Testbed::new();
        let with_kinds = |kinds| SubscribeTo {
            kinds,
            ..subscribe(of_t())
        };
        assert_eq!(
            bed.invalid(&with_kinds(vec![EventKind::Created; 101])),
            "kinds"
        );
        for word in [String::new(), "x".repeat(257)] {
            assert_eq!(
                bed.invalid(&with_kinds(vec![EventKind::Foreign(word)])),
                "kinds"
            );
        }
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&subscribe(of_t())), unknown);
        bed.put("t", |_| {});
        for id in 2..=101 {
            bed.put_subscription(subscription(id, of_t()));
        }
        assert_eq!(bed.invalid(&subscribe(of_t())), "subscriptions");
        for id in 102..=203 {
            bed.put_subscription(subscription(id, Scope::Board));
        }
        bed.write(&subscribe(Scope::Board));
    }

    #[test]
    fn an_ended_subscription_is_told_and_then_unknown() {
        let mut bed = Testbed::new();
        bed.put("t", |_| {});
        bed.put_subscription(subscription(1, of_t()));
        let call = Unsubscribe {
            subscription: SubscriptionId::new(1),
            actor: Some(label("ann")),
        };
        let (answer, changes) = bed.changes(&call);
        let mut want = bed.expect();
        want.card("t", |_| {});
        want.push(Change::Subscription {
            before: Some(Box::new(answer)),
            after: None,
        });
        let data = json!({"subscription": 1, "channel": "mail"});
        want.event(Some("t"), EventKind::Unsubscribed, data).actor = Some(label("ann"));
        assert_eq!(changes, want.list());
        bed.write(&call);
        let unknown = ErrorKind::NotFound(Subject::Subscription(1));
        assert_eq!(bed.refusal(&call), unknown);
    }

    fn lease(limit: usize) -> LeaseEvents {
        LeaseEvents {
            subscription: SubscriptionId::new(1),
            ttl: Ttl::new(Duration::from_secs(10)).unwrap(),
            limit,
        }
    }

    fn ack(lease: u64) -> AckLease {
        AckLease {
            subscription: SubscriptionId::new(1),
            lease: LeaseId::new(lease),
        }
    }

    fn nack(lease: u64, retry_after: Option<u64>) -> NackLease {
        let span = |secs| RetryAfter::new(Duration::from_secs(secs)).unwrap();
        NackLease {
            subscription: SubscriptionId::new(1),
            lease: LeaseId::new(lease),
            retry_after: retry_after.map(span),
        }
    }

    /// Events 1 to 5: claimed (t), created (other), failed (t), paused (board), claimed (t).
    fn with_news(scope: Scope, kinds: &[EventKind]) -> Testbed {
        let mut bed = Testbed::new();
        bed.put("t", |_| {});
        bed.put("other", |_| {});
        for (task, kind) in [
            (Some("t"), EventKind::Claimed),
            (Some("other"), EventKind::Created),
            (Some("t"), EventKind::Failed),
            (None, EventKind::Paused),
            (Some("t"), EventKind::Claimed),
        ] {
            bed.board.put_event(event(task, kind));
        }
        let mut reader = subscription(1, scope);
        reader.kinds = kinds.to_vec();
        bed.put_subscription(reader);
        bed
    }

    fn numbers(lease: &EventLease) -> Vec<u64> {
        match lease {
            EventLease::Leased { events, .. } => events.iter().map(|e| e.id.get()).collect(),
            EventLease::None { .. } => Vec::new(),
        }
    }

    #[test]
    fn events_are_leased_to_one_holder() {
        let mut bed = with_news(of_t(), &[]);
        let until = Millis::new(1_010_000);
        let (answer, changes) = bed.changes(&lease(2));
        let handed_out = [1, 3].map(|id| bed.board.events[&EventId::new(id)].clone());
        assert_eq!(
            answer,
            EventLease::Leased {
                lease: LeaseId::new(1),
                attempt: 1,
                until,
                events: handed_out.to_vec(),
            }
        );
        let mut want = bed.expect();
        want.state.counters.lease = LeaseId::new(1);
        want.subscription(1, |reader| {
            reader.attempts = 1;
            reader.lease = Some(Lease {
                id: LeaseId::new(1),
                until,
                through: EventId::new(3),
            });
        });
        assert_eq!(changes, want.list());

        bed.write(&lease(2));
        bed.now = Millis::new(1_009_999);
        assert_eq!(
            bed.unchanged(&lease(2)),
            EventLease::None { until: Some(until) }
        );
    }

    #[test]
    fn a_lease_hands_out_what_is_covered_and_wanted() {
        let board = |kinds| with_news(Scope::Board, kinds).write(&lease(1000));
        assert_eq!(numbers(&board(&[])), [1, 2, 3, 4, 5]);
        assert_eq!(
            numbers(&board(&[EventKind::Paused, EventKind::Failed])),
            [3, 4]
        );
        let task = |kinds| with_news(of_t(), kinds).write(&lease(1000));
        assert_eq!(numbers(&task(&[])), [1, 3, 5]);
        assert_eq!(numbers(&task(&[EventKind::Claimed])), [1, 5]);
    }

    #[test]
    fn the_cursor_moves_past_what_nobody_wants() {
        let mut bed = with_news(of_t(), &[EventKind::Completed]);
        let (answer, changes) = bed.changes(&lease(1000));
        assert_eq!(answer, EventLease::None { until: None });
        let mut want = bed.expect();
        want.subscription(1, |reader| reader.cursor = EventId::new(5));
        assert_eq!(changes, want.list());
        bed.write(&lease(1000));
        assert_eq!(
            bed.unchanged(&lease(1000)),
            EventLease::None { until: None }
        );
    }

    #[test]
    fn one_call_looks_at_ten_thousand_events() {
        let mut bed = with_news(of_t(), &[EventKind::Completed]);
        for _ in 0..10_000 {
            bed.board.put_event(event(Some("t"), EventKind::Heartbeat));
        }
        bed.board.put_event(event(Some("t"), EventKind::Completed));
        assert_eq!(numbers(&bed.write(&lease(1))), [0; 0]);
        let cursor = bed.board.subscriptions[&SubscriptionId::new(1)].cursor;
        // Of the first five events three are of the task.
        assert_eq!(cursor, EventId::new(10_002));
        assert_eq!(numbers(&bed.write(&lease(1))), [10_006]);
    }

    #[test]
    fn an_ack_moves_the_cursor_and_a_second_repeats() {
        let mut bed = with_news(of_t(), &[]);
        bed.write(&lease(2));
        // Nobody else took the events, so that the lease is good past its end too.
        bed.now = Millis::new(2_000_000);
        let (answer, changes) = bed.changes(&ack(1));
        assert_eq!(answer, EventId::new(3));
        let mut want = bed.expect();
        want.subscription(1, |reader| {
            reader.cursor = EventId::new(3);
            reader.attempts = 0;
            reader.lease = None;
            reader.acked = Some(LeaseId::new(1));
        });
        assert_eq!(changes, want.list());
        bed.write(&ack(1));
        assert_eq!(numbers(&bed.write(&lease(2))), [5]);
        assert_eq!(bed.repeat(&ack(1)), EventId::new(3));
    }

    #[test]
    fn a_nack_gives_the_same_events_again_after_a_while() {
        let mut bed = with_news(of_t(), &[]);
        bed.write(&lease(2));
        let (answer, changes) = bed.changes(&nack(1, Some(60)));
        assert_eq!(answer, EventId::new(0));
        let mut want = bed.expect();
        let retry_at = Millis::new(1_060_000);
        want.subscription(1, |reader| {
            reader.lease = None;
            reader.retry_at = Some(retry_at);
        });
        assert_eq!(changes, want.list());
        bed.write(&nack(1, Some(60)));
        assert_eq!(
            bed.unchanged(&lease(2)),
            EventLease::None {
                until: Some(retry_at)
            }
        );
        bed.now = retry_at;
        let again = bed.write(&lease(2));
        assert_eq!(numbers(&again), [1, 3]);
        let EventLease::Leased {
            lease: id, attempt, ..
        } = again
        else {
            panic!("expected a lease, found {again:?}");
        };
        assert_eq!((id, attempt), (LeaseId::new(2), 2));
        bed.write(&nack(2, None));
        assert_eq!(numbers(&bed.write(&lease(2))), [1, 3], "at once");
    }

    #[test]
    fn an_expired_lease_is_given_out_again_and_then_stale() {
        let mut bed = with_news(of_t(), &[]);
        bed.write(&lease(2));
        bed.now = Millis::new(1_010_000);
        let again = bed.write(&lease(2));
        assert_eq!(numbers(&again), [1, 3]);
        assert!(
            matches!(again, EventLease::Leased { attempt: 2, .. }),
            "{again:?}"
        );
        assert_eq!(bed.rejection(&ack(1)), Rejection::StaleLease);
        assert_eq!(bed.rejection(&nack(1, None)), Rejection::StaleLease);
        bed.write(&ack(2));
        assert_eq!(bed.rejection(&nack(2, None)), Rejection::StaleLease);
    }

    #[test]
    fn a_lease_that_never_was_is_not_found() {
        let mut bed = Testbed::new();
        assert_eq!(bed.invalid(&lease(0)), "limit");
        assert_eq!(bed.invalid(&lease(1001)), "limit");
        let unknown = ErrorKind::NotFound(Subject::Subscription(1));
        assert_eq!(bed.refusal(&lease(1)), unknown);
        assert_eq!(bed.refusal(&ack(1)), unknown);
        assert_eq!(bed.refusal(&nack(1, None)), unknown);
        bed.put_subscription(subscription(1, Scope::Board));
        for id in [0, 1] {
            let unknown = ErrorKind::NotFound(Subject::Lease(id));
            assert_eq!(bed.refusal(&ack(id)), unknown);
            assert_eq!(bed.refusal(&nack(id, None)), unknown);
        }
    }
}
