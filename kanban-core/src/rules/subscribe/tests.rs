//! Subscribing, leasing, acknowledging.

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
    for word in [String::new(), " ".to_owned(), "x".repeat(257)] {
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
