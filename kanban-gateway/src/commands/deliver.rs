//! Subscriptions, and the delivery of their events.

use comfy_table::Cell;
use kanban_core::{
    AckLease, Address, Event, EventId, EventLease, JsonObject, LeaseEvents, LeaseId, Millis,
    NackLease, Scope, SubscribeTo, Subscription, SubscriptionId, SubscriptionMode,
    SubscriptionsAfter, Ttl, Unsubscribe,
};
use pollster::block_on;
use serde::Serialize;

use crate::cli::{AckArgs, LeaseArgs, NackArgs, SubscribeArgs, SubscriptionsArgs, UnsubscribeArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, plain, time};
use crate::values;

use super::log::{event_rows, kinds};
use super::{Board, ids};

pub(super) fn subscribe(
    board: &Board,
    args: &SubscribeArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mode = SubscriptionMode::parse(&args.mode)
        .ok_or_else(|| Failure::Usage(format!("no such mode: {}", args.mode)))?;
    let routing = args.routing.as_deref();
    let routing = routing.map(|text| JsonObject::parse("routing", text));
    let subscribe = SubscribeTo {
        // No id is `--all`: the parser wants one of the two.
        scope: match &args.id {
            Some(id) => Scope::Task(ids::whole(id)?),
            None => Scope::Board,
        },
        channel: values::label("channel", &args.channel)?,
        address: Address::new("address", args.address.as_str())?,
        thread: values::optional_label("thread", args.thread.as_deref())?,
        kinds: kinds(board, &args.kinds)?,
        routing: routing.transpose()?,
        mode,
        actor: values::optional_label("actor", args.actor.as_deref())?,
    };
    let written = block_on(board.store()?.subscribe(subscribe))?;
    output.written(&written, line)?;
    Ok(Exit::Done)
}

pub(super) fn unsubscribe(
    board: &Board,
    args: &UnsubscribeArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let unsubscribe = Unsubscribe {
        subscription: SubscriptionId::new(args.subscription),
        actor: values::optional_label("actor", args.actor.as_deref())?,
    };
    let written = block_on(board.store()?.unsubscribe(unsubscribe))?;
    output.written(&written, |gone, paint| {
        format!("{}  is gone", line(gone, paint))
    })?;
    Ok(Exit::Done)
}

pub(super) fn subscriptions(
    board: &Board,
    args: &SubscriptionsArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let read = if args.pending {
        block_on(board.store()?.pending(args.limit))?
    } else {
        let task = args.task.as_deref().map(|id| ids::known(board, id));
        let after = SubscriptionsAfter {
            task: task.transpose()?,
            after: args.after.map(SubscriptionId::new),
            limit: args.limit,
        };
        block_on(board.store()?.subscriptions(after))?
    };
    output.read(&read, |all, paint| subscriptions_text(all, paint))?;
    Ok(Exit::Done)
}

fn subscriptions_text(all: &[Subscription], paint: Paint) -> String {
    let rows = all.iter().map(|one| {
        [
            Cell::new(one.id),
            Cell::new(scope_word(&one.scope)),
            Cell::new(one.mode),
            Cell::new(one.cursor),
            Cell::new(one.attempts),
            Cell::new(plain(&one.channel)),
            Cell::new(plain(&one.address)),
        ]
    });
    let head = [
        "id", "of", "mode", "cursor", "attempts", "channel", "address",
    ];
    paint.table(head, rows)
}

fn line(one: &Subscription, _: Paint) -> String {
    format!(
        "subscription {}  {}  {} {}",
        one.id,
        scope_word(&one.scope),
        plain(&one.channel),
        plain(&one.address)
    )
}

/// No id can be mistaken for the board: none has a space in it.
fn scope_word(scope: &Scope) -> String {
    match scope {
        Scope::Task(task) => task.to_string(),
        Scope::Board => "the board".to_owned(),
    }
}

/// What `lease` handed out; without a lease there was nothing, or somebody else has it until a time.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Leased {
    lease: Option<LeaseId>,
    attempt: Option<u32>,
    until: Option<Millis>,
    events: Vec<Event>,
}

impl From<EventLease> for Leased {
    fn from(lease: EventLease) -> Self {
        match lease {
            EventLease::Leased {
                lease,
                attempt,
                until,
                events,
            } => Self {
                lease: Some(lease),
                attempt: Some(attempt),
                until: Some(until),
                events,
            },
            EventLease::None { until } => Self {
                lease: None,
                attempt: None,
                until,
                events: Vec::new(),
            },
        }
    }
}

pub(super) fn lease(board: &Board, args: &LeaseArgs, output: &mut Output) -> Result<Exit, Failure> {
    let lease = LeaseEvents {
        subscription: SubscriptionId::new(args.subscription),
        ttl: Ttl::new(values::span("ttl", &args.ttl)?)?,
        limit: args.limit,
    };
    let written = block_on(board.store()?.lease_events(lease))?;
    let leased = Leased::from(written.value);
    output.answer(
        Some(written.seq),
        Some(written.effect),
        &leased,
        leased_text,
    )?;
    Ok(match leased.lease {
        Some(_) => Exit::Done,
        None => Exit::Nothing,
    })
}

fn leased_text(leased: &Leased, paint: Paint) -> String {
    match (leased.lease, leased.until) {
        (Some(lease), until) => format!(
            "lease {lease}  attempt {}  until {}\n{}",
            leased.attempt.unwrap_or_default(),
            until.map_or_else(String::new, time),
            event_rows(&leased.events, paint)
        ),
        (None, Some(until)) => format!("nothing to lease before {}", time(until)),
        (None, None) => "nothing to lease".to_owned(),
    }
}

/// How far a subscription has been served.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Served {
    cursor: EventId,
}

pub(super) fn ack(board: &Board, args: &AckArgs, output: &mut Output) -> Result<Exit, Failure> {
    let ack = AckLease {
        subscription: SubscriptionId::new(args.subscription),
        lease: LeaseId::new(args.lease),
    };
    let written = block_on(board.store()?.ack(ack))?;
    let served = Served {
        cursor: written.value,
    };
    output.answer(
        Some(written.seq),
        Some(written.effect),
        &served,
        served_text,
    )?;
    Ok(Exit::Done)
}

pub(super) fn nack(board: &Board, args: &NackArgs, output: &mut Output) -> Result<Exit, Failure> {
    let nack = NackLease {
        subscription: SubscriptionId::new(args.subscription),
        lease: LeaseId::new(args.lease),
        retry_after: values::retry_after(args.retry_after.as_deref())?,
    };
    let written = block_on(board.store()?.nack(nack))?;
    let served = Served {
        cursor: written.value,
    };
    output.answer(
        Some(written.seq),
        Some(written.effect),
        &served,
        served_text,
    )?;
    Ok(Exit::Done)
}

fn served_text(served: &Served, _: Paint) -> String {
    format!("served up to event {}", served.cursor)
}
