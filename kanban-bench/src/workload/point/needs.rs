//! What the calls of an operation need, and the calls.

use kanban_core::{
    AckLease, AssignTask, Authority, BlockTask, BoardStore, ClaimNext, ClaimTask, CreateMany,
    EventFilter, EventId, EventKind, Events, Fail, FailKind, Heartbeat, Label, LinkTasks, List,
    NewItem, ParentRef, Release, RequestReview, Result, RunId, Scope, Status, Subscription,
    SubscriptionId, TaskId, Title, UnblockTask, UpdateTask, WorkerBlockKind,
};
use pollster::block_on;

use super::{AT_ONCE, EVENTS_LEN, LIST_LEN, MANY, PENDING, Point};
use crate::clients;
use crate::extent::pick;
use crate::fill;
use crate::workload::calls::{comment, lease, listener, summary, worker, written};

/// What the calls of an operation need.
#[derive(Debug)]
pub(super) struct Needs<'a> {
    point: Point,
    /// Tasks of the board.
    tasks: &'a [TaskId],
    /// Tasks that were made for these calls.
    fresh: Vec<TaskId>,
    /// The open runs of those that are claimed, in their order.
    runs: Vec<RunId>,
    subscriptions: Vec<SubscriptionId>,
    /// Tells these calls from those of an earlier sample.
    stamp: u64,
    me: Label,
}

impl<'a> Needs<'a> {
    pub(super) fn make(
        store: &dyn BoardStore,
        point: Point,
        clients: usize,
        calls: usize,
        tasks: &'a [TaskId],
    ) -> Result<Self> {
        let mut needs = Self {
            point,
            tasks,
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
            needs.subscriptions.push(made.id);
        }
        let fresh = point.fresh(clients * calls);
        needs.fresh = match point {
            Point::CompleteParent => block_on(pairs(store, fresh))?,
            _ => block_on(fill::tasks(store, fresh))?,
        };
        if point.needs_claims() {
            needs.runs = needs.claim(store)?;
        }
        if point == Point::Unblock {
            let blocked = clients::closed(1, needs.runs.len(), |_, nth| needs.block(store, nth));
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

    /// The call with a number.
    pub(super) async fn call(
        &self,
        store: &dyn BoardStore,
        client: usize,
        at: usize,
    ) -> Result<()> {
        let task = || nth(self.tasks, at);
        let fresh = || nth(&self.fresh, at);
        match self.point {
            Point::Create => drop(store.create(fill::task(at)?).await?),
            Point::CreateMany => drop(store.create_many(chain(at)?).await?),
            Point::Update => {
                let mut call = UpdateTask::new(task());
                call.title = Some(Title::new(format!("Title {at} of {}", self.stamp))?);
                store.update(call).await?;
            }
            Point::Assign => {
                let call = AssignTask {
                    task: fresh(),
                    assignee: Some(fill::assignee(at + 1)?),
                    actor: None,
                    expected_version: None,
                };
                store.assign(call).await?;
            }
            Point::Link => {
                let call = LinkTasks {
                    parent: nth(&self.fresh, 2 * at),
                    child: nth(&self.fresh, 2 * at + 1),
                    actor: None,
                };
                store.link(call).await?;
            }
            Point::Claim => {
                drop(
                    store
                        .claim(ClaimTask::new(fresh(), self.me.clone()))
                        .await?,
                );
            }
            Point::ClaimNext => {
                drop(store.claim_next(ClaimNext::new(self.me.clone())).await?);
            }
            Point::Comment => {
                let call = comment(task(), self.me.clone())?;
                drop(store.comment(call).await?);
            }
            Point::Subscribe => {
                let address = format!("{}-{at}", self.stamp);
                let call = listener(Scope::Task(task()), &address, kinds())?;
                store.subscribe(call).await?;
            }
            Point::LeaseAck => self.lease(store, client).await?,
            point if point.is_write() => self.end(store, at).await?,
            _ => self.ask(store, at).await?,
        }
        Ok(())
    }

    /// A call that needs a claim.
    async fn end(&self, store: &dyn BoardStore, at: usize) -> Result<()> {
        let (task, right) = (nth(&self.fresh, at), self.right(at));
        match self.point {
            Point::Heartbeat => drop(store.heartbeat(Heartbeat::new(task, right)).await?),
            Point::Complete => drop(store.complete(written(task, right)?).await?),
            Point::CompleteParent => {
                let parent = nth(&self.fresh, 2 * at);
                drop(store.complete(written(parent, right)?).await?);
            }
            Point::Fail => {
                let call = Fail::new(task, right, FailKind::WorkerError);
                drop(store.fail(call).await?);
            }
            Point::Release => drop(store.release(Release::new(task, right)).await?),
            Point::Block => self.block(store, at).await?,
            Point::Unblock => {
                let actor = self.me.clone();
                drop(store.unblock(UnblockTask { task, actor }).await?);
            }
            _ => {
                let call = RequestReview {
                    task,
                    authority: right,
                    summary: Some(summary()?),
                    metadata: None,
                    reviewer: None,
                };
                drop(store.request_review(call).await?);
            }
        }
        Ok(())
    }

    async fn ask(&self, store: &dyn BoardStore, at: usize) -> Result<()> {
        let random = pick(0, at, self.tasks.len());
        match self.point {
            Point::Task => drop(store.task(nth(self.tasks, random)).await?),
            Point::List => {
                let list = List {
                    statuses: vec![Status::Ready],
                    limit: LIST_LEN,
                    ..List::default()
                };
                drop(store.list(list).await?);
            }
            Point::Events => {
                let call = Events {
                    after: EventId::new(random as u64),
                    limit: EVENTS_LEN,
                    filter: EventFilter::default(),
                };
                drop(store.events(call).await?);
            }
            Point::Stats => drop(store.stats().await?),
            _ => drop(store.pending(EVENTS_LEN).await?),
        }
        Ok(())
    }

    async fn block(&self, store: &dyn BoardStore, at: usize) -> Result<()> {
        let kind = WorkerBlockKind::NeedsInput;
        let call = BlockTask::new(nth(&self.fresh, at), self.right(at), kind);
        drop(store.block(call).await?);
        Ok(())
    }

    async fn lease(&self, store: &dyn BoardStore, client: usize) -> Result<()> {
        let Some(&subscription) = self.subscriptions.get(client) else {
            return Ok(());
        };
        if let Some(lease) = lease(store, subscription, 1).await? {
            let call = AckLease {
                subscription,
                lease,
            };
            store.ack(call).await?;
        }
        Ok(())
    }

    /// The right of the worker that has the claim with a number.
    fn right(&self, at: usize) -> Authority {
        let run = self.runs.get(at % self.runs.len().max(1)).copied();
        Authority::worker(run.unwrap_or_default())
    }
}

fn kinds() -> Vec<EventKind> {
    vec![EventKind::Created]
}

/// The one with a number, counted round and round.
fn nth(tasks: &[TaskId], at: usize) -> TaskId {
    let found = tasks.get(at % tasks.len().max(1));
    found.expect("the board of a bench holds tasks").clone()
}

/// Tasks of which each but the first is the child of the one before.
fn chain(at: usize) -> Result<CreateMany> {
    let items = (0..MANY).map(|number| {
        let parents = number.checked_sub(1).map(ParentRef::Item);
        Ok(NewItem {
            task: fill::task(at * MANY + number)?,
            parents: parents.into_iter().collect(),
        })
    });
    let items = items.collect::<Result<_>>()?;
    Ok(CreateMany { items })
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
