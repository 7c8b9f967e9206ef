//! A subscription's row.

use kanban_core::{
    Address, EventId, EventKind, JsonObject, Label, Lease, LeaseId, Millis, Result, Scope,
    Subscription, SubscriptionId, SubscriptionMode, TaskId,
};

use super::{Cell, Fields, Record, Table};
use crate::statements::{INSERT_SUBSCRIPTION, SUBSCRIPTION_COLUMNS};

impl Record for Subscription {
    const TABLE: &'static Table = &Table {
        name: "subscription",
        columns: SUBSCRIPTION_COLUMNS,
        insert: INSERT_SUBSCRIPTION,
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        let kinds: Vec<&str> = self.kinds.iter().map(EventKind::as_str).collect();
        let routing = self.routing.as_ref().map(JsonObject::to_text);
        let number = |number: Option<u64>| number.map_or(Cell::Null, Cell::number);
        vec![
            Cell::number(self.id.get()),
            Cell::text(scope_key(&self.scope)),
            Cell::text(self.channel.as_str()),
            Cell::text(self.address.as_str()),
            Cell::text(thread_key(self.thread.as_ref())),
            Cell::owned(serde_json::Value::from(kinds).to_string()),
            routing.map_or(Cell::Null, Cell::owned),
            Cell::text(self.mode.as_str()),
            Cell::Int(self.created_at.get()),
            Cell::number(self.cursor.get()),
            Cell::Int(self.attempts.into()),
            number(self.lease.as_ref().map(|lease| lease.id.get())),
            Cell::int(self.lease.as_ref().map(|lease| lease.until.get())),
            number(self.lease.as_ref().map(|lease| lease.through.get())),
            number(self.acked.map(LeaseId::get)),
            Cell::int(self.retry_at.map(Millis::get)),
        ]
    }

    fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        Ok(Self {
            id: SubscriptionId::new(fields.number()?),
            scope: fields.parse(|text| match text {
                "" => Ok(Scope::Board),
                id => TaskId::new(id).map(Scope::Task),
            })?,
            channel: fields.parse(|text| Label::new("channel", text))?,
            address: fields.parse(|text| Address::new("address", text))?,
            thread: fields.parse(|text| match text {
                "" => Ok(None),
                thread => Label::new("thread", thread).map(Some),
            })?,
            kinds: kinds(fields)?,
            routing: fields.maybe(|text| JsonObject::parse("routing", text))?,
            mode: fields.word(SubscriptionMode::parse)?,
            created_at: Millis::new(fields.int()?),
            cursor: EventId::new(fields.number()?),
            attempts: fields.number()?,
            lease: lease(fields)?,
            acked: fields.maybe_number()?.map(LeaseId::new),
            retry_at: fields.maybe_int()?.map(Millis::new),
        })
    }
}

/// The task, or '' for the board: unlike NULL, '' is equal to itself in a unique index.
pub(crate) fn scope_key(scope: &Scope) -> &str {
    scope.task().map_or("", TaskId::as_str)
}

/// The thread, or '' for none.
pub(crate) fn thread_key(thread: Option<&Label>) -> &str {
    thread.map_or("", Label::as_str)
}

fn kinds(fields: &mut Fields<'_, '_>) -> Result<Vec<EventKind>> {
    let text = fields.text()?;
    match serde_json::from_str::<Vec<EventKind>>(text) {
        Ok(kinds) => Ok(kinds),
        Err(error) => Err(fields.wrong("is no list of words").with_source(error)),
    }
}

fn lease(fields: &mut Fields<'_, '_>) -> Result<Option<Lease>> {
    let id = fields.maybe_number()?.map(LeaseId::new);
    let until = fields.maybe_int()?.map(Millis::new);
    let through = fields.maybe_number()?.map(EventId::new);
    match (id, until, through) {
        (Some(id), Some(until), Some(through)) => Ok(Some(Lease { id, until, through })),
        (None, None, None) => Ok(None),
        _ => Err(fields.wrong("belongs to half a lease")),
    }
}
