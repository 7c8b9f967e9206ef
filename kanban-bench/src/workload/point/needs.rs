//! What the calls of an operation need: it is made before they are measured.

use std::collections::HashMap;

use kanban_core::{
    BoardStore, ClaimTask, CreateMany, EventKind, Label, NewItem, ParentRef, Result, RunId, Scope,
    Subscription, Task, TaskId,
};
use pollster::block_on;

use super::by_store::Calls;
use super::{AT_ONCE, PENDING, Point};
use crate::clients;
use crate::fill;
use crate::said::NEWS;
use crate::workload::calls::{listener, worker};

/// What so many calls of an operation need, on a board that holds it.
#[derive(Debug)]
pub struct Needs {
    pub(super) point: Point,
    /// Callers at once.
    pub(super) clients: usize,
    /// All calls together.
    pub(super) calls: usize,
    /// Tasks that were made for these calls.
    pub(super) fresh: Vec<TaskId>,
    /// The open runs of those that are claimed, in their order.
    pub(super) runs: Vec<RunId>,
    pub(super) subscriptions: Vec<Subscription>,
    /// Tells these calls from those of an earlier sample.
    stamp: u64,
    pub(super) me: Label,
}

impl Needs {
    /// Makes what `calls` calls of each of some clients need: tasks, claims, subscriptions.
    ///
    /// # Errors
    /// The store's.
    pub fn make(
        store: &dyn BoardStore,
        point: Point,
        clients: usize,
        calls: usize,
    ) -> Result<Self> {
        let calls = clients * calls;
        let mut needs = Self {
            point,
            clients,
            calls,
            fresh: Vec::new(),
            runs: Vec::new(),
            subscriptions: Vec::new(),
            stamp: fastrand::u64(..),
            me: worker()?,
        };
        let listeners = match point {
            Point::LeaseAck => clients,
            Point::Pending => PENDING,
            _ => 0,
        };
        for number in 0..listeners {
            let call = listener(
                Scope::Board,
                &format!("{}-{number}", point.as_str()),
                kinds(),
            )?;
            let made: Subscription = block_on(store.subscribe(call))?.value;
            needs.subscriptions.push(made);
        }
        let fresh = point.fresh(calls);
        needs.fresh = match point {
            Point::CompleteParent => block_on(pairs(store, fresh))?,
            _ => block_on(fill::tasks(store, fresh))?,
        };
        if point.needs_claims() {
            needs.runs = needs.claim(store)?;
        }
        if point == Point::Unblock {
            let calls = Calls {
                store,
                needs: &needs,
                tasks: &[],
            };
            let blocked = clients::closed(1, needs.runs.len(), |_, nth| calls.block(nth));
            blocked?;
        }
        Ok(needs)
    }

    /// Claims the tasks that were made: of pairs the parents.
    fn claim(&self, store: &dyn BoardStore) -> Result<Vec<RunId>> {
        let step = if self.point == Point::CompleteParent {
            2
        } else {
            1
        };
        let wanted: Vec<&TaskId> = self.fresh.iter().step_by(step).collect();
        let runs: Vec<_> = wanted.iter().map(|_| std::cell::Cell::default()).collect();
        let at_once = wanted.len().clamp(1, AT_ONCE);
        clients::closed(at_once, wanted.len().div_ceil(at_once), |client, nth| {
            let at = nth * at_once + client;
            let (task, run, me) = (wanted.get(at), runs.get(at), self.me.clone());
            async move {
                if let (Some(task), Some(run)) = (task, run) {
                    let claimed = store.claim(ClaimTask::new((*task).clone(), me)).await?;
                    run.set(claimed.value.run.id);
                }
                Ok(())
            }
        })?;
        Ok(runs.into_iter().map(std::cell::Cell::into_inner).collect())
    }

    /// The rows of the tasks that were made, as a loop by hand wants to know them.
    ///
    /// # Errors
    /// The store's.
    pub fn rows(&self, store: &dyn BoardStore) -> Result<Vec<Task>> {
        let mut rows = Vec::with_capacity(self.fresh.len());
        for page in self.fresh.chunks(fill::BATCH) {
            rows.extend(block_on(store.tasks(page.to_vec()))?.value);
        }
        Ok(rows)
    }

    /// How far those have heard that listen, by their numbers.
    pub(crate) fn cursors(&self) -> HashMap<u64, u64> {
        let all = self.subscriptions.iter();
        all.map(|found| (found.id.get(), found.cursor.get()))
            .collect()
    }

    /// The title that a call with a number gives.
    pub(super) fn title(&self, at: usize) -> String {
        format!("Title {at} of {}", self.stamp)
    }

    /// The address that one is told to send news to.
    pub(super) fn address(&self, at: usize) -> String {
        format!("{}-{at}", self.stamp)
    }
}

/// What is news to those who listen.
pub(super) fn kinds() -> Vec<EventKind> {
    vec![EventKind::from(NEWS)]
}

/// Creates tasks of which every second is the child of the one before.
async fn pairs(store: &dyn BoardStore, count: usize) -> Result<Vec<TaskId>> {
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let len = (count - ids.len()).min(fill::BATCH);
        let items = (0..len).map(|number| {
            let parent = (number % 2 == 1).then(|| ParentRef::Item(number - 1));
            Ok(NewItem {
                task: fill::task(number)?,
                parents: parent.into_iter().collect(),
            })
        });
        let items = items.collect::<Result<_>>()?;
        ids.extend(store.create_many(CreateMany { items }).await?.value);
    }
    Ok(ids)
}
