//! Who must hear of events.

use std::sync::Arc;

use kanban_core::{
    ErrorKind, EventId, EventKind, Scope, Subject, SubscribeTo, Subscription, SubscriptionId,
    Unsubscribe,
};

use super::board::{applied, unchanged, within};
use super::log::Told;
use super::{Board, Ruled};

impl Board {
    pub(crate) fn subscribe(&mut self, call: SubscribeTo) -> Ruled<Subscription> {
        within("kinds", call.kinds.len(), 0, 100)?;
        if let Scope::Task(task) = &call.scope {
            self.known(task)?;
        }
        let mut rows = self.subscriptions.iter();
        let found = rows.position(|row| {
            row.scope == call.scope
                && row.channel == call.channel
                && row.address == call.address
                && row.thread == call.thread
        });
        if let Some(place) = found {
            let row = Arc::make_mut(&mut self.subscriptions[place]);
            let before = row.clone();
            row.kinds = call.kinds;
            row.routing = call.routing;
            row.mode = call.mode;
            let row = row.clone();
            if row == before {
                return unchanged(row);
            }
            self.tell_of(EventKind::Subscribed, &row, call.actor.as_ref());
            return applied(row);
        }
        let next = self.counters.subscription.get() + 1;
        self.counters.subscription = SubscriptionId::new(next);
        let mut row = Subscription {
            id: self.counters.subscription,
            scope: call.scope,
            channel: call.channel,
            address: call.address,
            thread: call.thread,
            kinds: call.kinds,
            routing: call.routing,
            mode: call.mode,
            created_at: self.now,
            cursor: EventId::new(0),
            attempts: 0,
            lease: None,
            acked: None,
            retry_at: None,
        };
        self.tell_of(EventKind::Subscribed, &row, call.actor.as_ref());
        row.cursor = self.counters.event;
        self.subscriptions.push(Arc::new(row.clone()));
        applied(row)
    }

    pub(crate) fn unsubscribe(&mut self, call: Unsubscribe) -> Ruled<Subscription> {
        let row = self.subscription(call.subscription)?.clone();
        self.subscriptions.retain(|other| other.id != row.id);
        self.tell_of(EventKind::Unsubscribed, &row, call.actor.as_ref());
        applied(row)
    }

    pub(super) fn subscription(&self, id: SubscriptionId) -> Result<&Subscription, ErrorKind> {
        let mut rows = self.subscriptions.iter();
        match rows.find(|row| row.id == id) {
            Some(row) => Ok(row),
            None => Err(ErrorKind::NotFound(Subject::Subscription(id.get()))),
        }
    }

    fn tell_of(&mut self, kind: EventKind, row: &Subscription, actor: Option<&kanban_core::Label>) {
        let told = Told::by(actor)
            .with("subscription", row.id.get())
            .with("channel", row.channel.as_str());
        match &row.scope {
            Scope::Task(task) => self.tell(&task.clone(), kind, told),
            Scope::Board => self.tell_board(kind, told),
        }
    }
}
