//! The calls of each operation by the store.

use kanban_core::{
    AckLease, AssignTask, Authority, BlockTask, BoardStore, ClaimNext, ClaimTask, CreateMany,
    EventFilter, EventId, Events, Fail, FailKind, Heartbeat, LinkTasks, List, NewItem, ParentRef,
    Release, RequestReview, Result, Scope, Status, TaskId, Title, UnblockTask, UpdateTask,
    WorkerBlockKind,
};

use super::needs::{Needs, kinds};
use super::{EVENTS_LEN, LIST_LEN, MANY, Point};
use crate::extent::pick;
use crate::fill;
use crate::workload::calls::{comment, lease, listener, summary, written};

/// The calls of an operation on a board that holds what they need.
#[derive(Clone, Copy)]
pub(super) struct Calls<'a> {
    pub(super) store: &'a dyn BoardStore,
    pub(super) needs: &'a Needs,
    /// Tasks of the board.
    pub(super) tasks: &'a [TaskId],
}

impl Calls<'_> {
    /// The call with a number.
    pub(super) async fn call(self, client: usize, at: usize) -> Result<()> {
        let Self {
            store,
            needs,
            tasks,
        } = self;
        let task = || nth(tasks, at);
        let fresh = || nth(&needs.fresh, at);
        match needs.point {
            Point::Create => drop(store.create(fill::task(at)?).await?),
            Point::CreateMany => drop(store.create_many(chain(at)?).await?),
            Point::Update => {
                let mut call = UpdateTask::new(task());
                call.title = Some(Title::new(needs.title(at))?);
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
                    parent: nth(&needs.fresh, 2 * at),
                    child: nth(&needs.fresh, 2 * at + 1),
                    actor: None,
                };
                store.link(call).await?;
            }
            Point::Claim => {
                drop(
                    store
                        .claim(ClaimTask::new(fresh(), needs.me.clone()))
                        .await?,
                );
            }
            Point::ClaimNext => {
                drop(store.claim_next(ClaimNext::new(needs.me.clone())).await?);
            }
            Point::Comment => {
                let call = comment(task(), needs.me.clone())?;
                drop(store.comment(call).await?);
            }
            Point::Subscribe => {
                let call = listener(Scope::Task(task()), &needs.address(at), kinds())?;
                store.subscribe(call).await?;
            }
            Point::LeaseAck => self.lease(client).await?,
            point if point.is_write() => self.end(at).await?,
            _ => self.ask(at).await?,
        }
        Ok(())
    }

    /// A call that needs a claim.
    async fn end(self, at: usize) -> Result<()> {
        let Self { store, needs, .. } = self;
        let (task, right) = (nth(&needs.fresh, at), self.right(at));
        match needs.point {
            Point::Heartbeat => drop(store.heartbeat(Heartbeat::new(task, right)).await?),
            Point::Complete => drop(store.complete(written(task, right)?).await?),
            Point::CompleteParent => {
                let parent = nth(&needs.fresh, 2 * at);
                drop(store.complete(written(parent, right)?).await?);
            }
            Point::Fail => {
                let call = Fail::new(task, right, FailKind::WorkerError);
                drop(store.fail(call).await?);
            }
            Point::Release => drop(store.release(Release::new(task, right)).await?),
            Point::Block => self.block(at).await?,
            Point::Unblock => {
                let actor = needs.me.clone();
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

    async fn ask(self, at: usize) -> Result<()> {
        let Self {
            store,
            needs,
            tasks,
        } = self;
        let random = pick(0, at, tasks.len());
        match needs.point {
            Point::Task => drop(store.task(nth(tasks, random)).await?),
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

    pub(super) async fn block(self, at: usize) -> Result<()> {
        let kind = WorkerBlockKind::NeedsInput;
        let call = BlockTask::new(nth(&self.needs.fresh, at), self.right(at), kind);
        drop(self.store.block(call).await?);
        Ok(())
    }

    async fn lease(self, client: usize) -> Result<()> {
        let subscription = self.needs.subscriptions.get(client);
        let Some(subscription) = subscription.map(|found| found.id) else {
            return Ok(());
        };
        if let Some(lease) = lease(self.store, subscription, 1).await? {
            let call = AckLease {
                subscription,
                lease,
            };
            self.store.ack(call).await?;
        }
        Ok(())
    }

    /// The right of the worker that has the claim with a number.
    fn right(self, at: usize) -> Authority {
        let run = self
            .needs
            .runs
            .get(at % self.needs.runs.len().max(1))
            .copied();
        Authority::worker(run.unwrap_or_default())
    }
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
