//! Links, circles, and what a child inherits.

use std::sync::Arc;

use kanban_core::{
    Effect, ErrorKind, EventId, EventKind, Label, Link, LinkTasks, Rejection, Scope, Subscription,
    SubscriptionId, Task, TaskId, UnlinkTasks,
};

use super::board::{applied, rejected, unchanged};
use super::log::Told;
use super::{Board, Ruled};

impl Board {
    pub(crate) fn link(&mut self, call: LinkTasks) -> Ruled<Task> {
        let LinkTasks {
            parent,
            child,
            actor,
        } = call;
        self.known(&child)?;
        if parent != child {
            self.all_known(std::slice::from_ref(&parent))?;
        }
        let effect = self.add_link(&parent, &child, actor.as_ref())?;
        if effect == Effect::Unchanged {
            return unchanged(self.task(&child).clone());
        }
        self.settle(&child, &parent, actor.as_ref());
        applied(self.task(&child).clone())
    }

    pub(crate) fn unlink(&mut self, call: UnlinkTasks) -> Ruled<Task> {
        let UnlinkTasks {
            parent,
            child,
            actor,
        } = call;
        self.known(&child)?;
        self.all_known(std::slice::from_ref(&parent))?;
        if !self.has_link(&parent, &child) {
            return unchanged(self.task(&child).clone());
        }
        self.remove_link(&parent, &child, actor.as_ref());
        self.settle(&child, &parent, actor.as_ref());
        applied(self.task(&child).clone())
    }

    pub(super) fn has_link(&self, parent: &TaskId, child: &TaskId) -> bool {
        let mut links = self.links.iter();
        links.any(|link| link.parent == *parent && link.child == *child)
    }

    /// A new link with its event, not yet settled. [5.13] [5.14]
    pub(super) fn add_link(
        &mut self,
        parent: &TaskId,
        child: &TaskId,
        actor: Option<&Label>,
    ) -> Result<Effect, ErrorKind> {
        if self.has_link(parent, child) {
            return Ok(Effect::Unchanged);
        }
        if let Some(path) = self.path_down(child, parent) {
            return Err(rejected(Rejection::WouldCycle { path }));
        }
        self.links.push(Link {
            parent: parent.clone(),
            child: child.clone(),
        });
        self.count_parents(child);
        let told = Told::by(actor).with("parent", parent.as_str());
        self.tell(child, EventKind::Linked, told);
        self.inherit(child, parent);
        Ok(Effect::Applied)
    }

    /// A link less with its event, not yet settled. [5.15]
    pub(super) fn remove_link(&mut self, parent: &TaskId, child: &TaskId, actor: Option<&Label>) {
        self.links
            .retain(|link| link.parent != *parent || link.child != *child);
        self.count_parents(child);
        let told = Told::by(actor).with("parent", parent.as_str());
        self.tell(child, EventKind::Unlinked, told);
    }

    /// A path from one task down to another along the links, both ends included.
    pub(super) fn path_down(&self, from: &TaskId, to: &TaskId) -> Option<Vec<TaskId>> {
        let mut paths = vec![vec![from.clone()]];
        let mut seen = vec![from.clone()];
        while !paths.is_empty() {
            let path = paths.remove(0);
            let last = path.last().expect("a path has a task").clone();
            if last == *to {
                return Some(path);
            }
            for child in self.children_of(&last) {
                if !seen.contains(&child) {
                    seen.push(child.clone());
                    let mut longer = path.clone();
                    longer.push(child);
                    paths.push(longer);
                }
            }
        }
        None
    }

    /// A child hears what its parent's subscribers hear, from its last event on. [5.6]
    pub(super) fn inherit(&mut self, child: &TaskId, parent: &TaskId) {
        let scope = Scope::Task(child.clone());
        let of_parent = Scope::Task(parent.clone());
        let inherited: Vec<_> = self
            .subscriptions
            .iter()
            .filter(|subscription| subscription.scope == of_parent)
            .cloned()
            .collect();
        for from in inherited {
            let has = self.subscriptions.iter().any(|own| {
                own.scope == scope
                    && own.channel == from.channel
                    && own.address == from.address
                    && own.thread == from.thread
            });
            if has {
                continue;
            }
            let next = self.counters.subscription.get() + 1;
            self.counters.subscription = SubscriptionId::new(next);
            self.inherited.push(self.counters.subscription);
            self.subscriptions.push(Arc::new(Subscription {
                id: self.counters.subscription,
                scope: scope.clone(),
                created_at: self.now,
                cursor: EventId::new(0),
                attempts: 0,
                lease: None,
                acked: None,
                retry_at: None,
                ..(*from).clone()
            }));
        }
    }

    /// At the end of a command: who inherited hears nothing of that command either. [5.6]
    pub(super) fn catch_up_heirs(&mut self) {
        for id in std::mem::take(&mut self.inherited) {
            let task = self
                .subscription(id)
                .ok()
                .and_then(|row| row.scope.task().cloned());
            let Some(task) = task else {
                continue;
            };
            self.subscription_mut(id).cursor = self.last_event_of(&task);
        }
    }

    /// The newest event of a task.
    pub(super) fn last_event_of(&self, task: &TaskId) -> EventId {
        let events = self.events.iter();
        let of_task = events.filter(|event| event.task.as_ref() == Some(task));
        of_task
            .map(|event| event.id)
            .max()
            .unwrap_or(EventId::new(0))
    }
}
