//! What people say about tasks, and who hears of it.

use kanban_core::{
    AckLease, AttachFile, AttachmentId, CommentOn, DetachFile, EventKind, LeaseEvents, LeaseId,
    NackLease, Scope, SubscribeTo, SubscriptionId, SubscriptionMode, Unsubscribe,
};

use crate::calls::{address, json, label, note, secs};
use crate::histories::dice::Dice;

pub(super) fn comment(dice: &mut Dice<'_>) -> CommentOn {
    CommentOn {
        task: dice.any(),
        author: dice.one(&[
            label("anna"),
            label("anna"),
            label("w1"),
            label("anna"),
            label(" "),
        ]),
        body: dice.one(&[note("hm"), note("so"), note("hm"), note("ok"), note(" \n ")]),
        request_id: dice.key(40),
    }
}

pub(super) fn attach(dice: &mut Dice<'_>) -> AttachFile {
    AttachFile {
        task: dice.any(),
        file_name: label("a.txt"),
        uri: address("file:///tmp/x"),
        media_type: dice.some(50, |_| label("text/plain")),
        size: dice.some(50, |dice| {
            dice.one(&[42, 0, u64::MAX / 2, u64::MAX / 2 + 1])
        }),
        actor: dice.maybe_actor(),
        request_id: dice.key(40),
    }
}

pub(super) fn detach(dice: &mut Dice<'_>) -> DetachFile {
    let rows: Vec<_> = dice
        .board
        .attachments
        .iter()
        .map(|row| (row.task.clone(), row.id))
        .collect();
    let (mut task, mut attachment) = (dice.any(), AttachmentId::new(1));
    if !rows.is_empty() && !dice.chance(10) {
        let row = dice.one(&rows);
        attachment = row.1;
        if !dice.chance(15) {
            task = row.0;
        }
    }
    DetachFile {
        task,
        attachment,
        actor: dice.maybe_actor(),
    }
}

pub(super) fn subscribe(dice: &mut Dice<'_>) -> SubscribeTo {
    let scope = match dice.below(4) {
        3 => Scope::Board,
        _ => Scope::Task(dice.any()),
    };
    let kinds = match dice.below(60) {
        0..40 => Vec::new(),
        40..50 => vec![EventKind::Completed, EventKind::Failed],
        50..58 => vec![EventKind::Claimed, EventKind::from("made_up")],
        58 => vec![EventKind::Claimed; 100],
        _ => vec![EventKind::Claimed; 101],
    };
    let new = SubscribeTo {
        scope,
        channel: dice.one(&[label("chat"), label("mail")]),
        address: dice.one(&[address("amy"), address("bob")]),
        thread: dice.some(30, |_| label("thread")),
        kinds,
        routing: dice.some(20, |_| json(r#"{"bot":"b1"}"#)),
        mode: dice.one(SubscriptionMode::ALL),
        actor: dice.maybe_actor(),
    };
    let known = dice.board.subscriptions.as_slice();
    if known.is_empty() || !dice.chance(40) {
        return new;
    }
    // The same subscriber wants something else, perhaps in the middle of a delivery.
    let known = &known[dice.below(known.len())];
    SubscribeTo {
        scope: known.scope.clone(),
        channel: known.channel.clone(),
        address: known.address.clone(),
        thread: known.thread.clone(),
        ..new
    }
}

/// One that exists, most likely.
fn subscription(dice: &mut Dice<'_>) -> SubscriptionId {
    let ids: Vec<_> = dice.board.subscriptions.iter().map(|row| row.id).collect();
    if ids.is_empty() || dice.chance(4) {
        return SubscriptionId::new(dice.below(30) as u64);
    }
    dice.one(&ids)
}

pub(super) fn unsubscribe(dice: &mut Dice<'_>) -> Unsubscribe {
    Unsubscribe {
        subscription: subscription(dice),
        actor: dice.maybe_actor(),
    }
}

pub(super) fn lease(dice: &mut Dice<'_>) -> LeaseEvents {
    LeaseEvents {
        subscription: subscription(dice),
        ttl: crate::calls::ttl(dice.one(&[60, 1, 600])),
        limit: dice.limit(),
    }
}

/// An open lease, most likely.
fn leased(dice: &mut Dice<'_>) -> (SubscriptionId, LeaseId) {
    let open: Vec<_> = dice
        .board
        .subscriptions
        .iter()
        .filter_map(|row| Some((row.id, row.lease.as_ref()?.id)))
        .collect();
    if open.is_empty() || dice.chance(25) {
        let newest = dice.board.counters.lease.get();
        let back = dice.below(4) as u64;
        let id = LeaseId::new((newest + 1).saturating_sub(back));
        return (subscription(dice), id);
    }
    dice.one(&open)
}

pub(super) fn ack(dice: &mut Dice<'_>) -> AckLease {
    let (subscription, lease) = leased(dice);
    AckLease {
        subscription,
        lease,
    }
}

pub(super) fn nack(dice: &mut Dice<'_>) -> NackLease {
    let (subscription, lease) = leased(dice);
    let retry_after = dice.some(50, |dice| {
        kanban_core::RetryAfter::new(secs(dice.one(&[30, 0, 3600]))).expect("it may be waited")
    });
    NackLease {
        subscription,
        lease,
        retry_after,
    }
}
