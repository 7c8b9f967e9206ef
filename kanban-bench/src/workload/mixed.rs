//! What a gateway does at once: dispatchers claim and complete, writers create and comment, readers read and list,
//! notifiers lease and acknowledge.
//!
//! Of eight pairs of calls three are a dispatcher's, three a reader's, one a writer's and one a notifier's; every client takes
//! all parts in turns, each beginning with another, so that the mixture is the same for any number of clients.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join_all;
use kanban_core::{
    AckLease, Authority, BoardStore, ClaimNext, Label, LeaseId, List, NextClaim, Result, RunId,
    Scope, SubscriptionId, Task, TaskId,
};
use pollster::block_on;

use super::calls::{comment, lease, listener, worker, written};
use crate::clients::{self, Outcome};
use crate::extent::pick;
use crate::fill;
use crate::limit::sqlite::Synchronous;
use crate::limit::{self, BoardFile, End, Failed, Hand, HandTask, Limit, Meter, Rows};
use crate::pattern::{Pattern, claim_next, transact};
use crate::subject::Subject;

/// How many tasks a reader lists, and how many events a notifier leases.
pub const PAGE_LEN: usize = 20;

/// Which part of the calls write.
pub const WRITES: f64 = 5.0 / 8.0;

/// What a pair of calls is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Dispatch,
    Write,
    Read,
    Notify,
}

const PARTS: [Part; 8] = [
    Part::Dispatch,
    Part::Read,
    Part::Write,
    Part::Dispatch,
    Part::Read,
    Part::Notify,
    Part::Dispatch,
    Part::Read,
];

fn part(client: usize, pair: usize) -> Part {
    let at = (client + pair) % PARTS.len();
    PARTS.get(at).copied().unwrap_or(Part::Read)
}

/// How many tasks the dispatchers of a run claim.
#[must_use]
pub fn claims(clients: usize, pairs: usize) -> usize {
    count(clients, pairs, Part::Dispatch)
}

fn count(clients: usize, pairs: usize, which: Part) -> usize {
    let of = |client| (0..pairs).filter(move |pair| part(client, *pair) == which);
    (0..clients).map(|client| of(client).count()).sum()
}

/// Makes the notifiers' subscriptions of the whole board, one per client. Made again they are the same.
///
/// # Errors
/// The store's.
pub fn listen(store: &dyn BoardStore, clients: usize) -> Result<Vec<SubscriptionId>> {
    let made = (0..clients).map(|client| async move {
        let call = listener(Scope::Board, &format!("mixed-{client}"), Vec::new())?;
        Ok(store.subscribe(call).await?.value.id)
    });
    block_on(try_join_all(made))
}

/// Each client makes `pairs` pairs of calls. `tasks` are what is read and commented on; the board holds as many ready tasks as
/// [`claims`] says, or some dispatchers find none.
///
/// # Errors
/// The store's.
pub fn by_store(
    store: &dyn BoardStore,
    clients: usize,
    pairs: usize,
    tasks: &[TaskId],
    subscriptions: &[SubscriptionId],
) -> Result<Outcome> {
    let me = worker()?;
    let callers: Vec<_> = (0..clients)
        .map(|client| Caller {
            store,
            tasks,
            me: &me,
            subscription: subscriptions.get(client).copied(),
            claimed: RefCell::default(),
            leased: Cell::default(),
        })
        .collect();
    clients::closed(clients, 2 * pairs, |client, nth| {
        let caller = callers.get(client);
        async move {
            match caller {
                Some(caller) => caller.call(client, nth).await,
                None => Ok(()),
            }
        }
    })
}

/// One client, between the two calls of a pair.
struct Caller<'a> {
    store: &'a dyn BoardStore,
    tasks: &'a [TaskId],
    me: &'a Label,
    subscription: Option<SubscriptionId>,
    claimed: RefCell<Option<(TaskId, RunId)>>,
    leased: Cell<Option<LeaseId>>,
}

impl Caller<'_> {
    async fn call(&self, client: usize, nth: usize) -> Result<()> {
        let is_first = nth.is_multiple_of(2);
        match part(client, nth / 2) {
            Part::Dispatch if is_first => {
                let call = ClaimNext::new(self.me.clone());
                if let NextClaim::Claimed(claimed) = self.store.claim_next(call).await?.value {
                    let claimed = (claimed.task.id, claimed.run.id);
                    *self.claimed.borrow_mut() = Some(claimed);
                }
            }
            Part::Dispatch => {
                let claimed = self.claimed.take();
                if let Some((task, run)) = claimed {
                    let call = written(task, Authority::worker(run))?;
                    drop(self.store.complete(call).await?);
                }
            }
            Part::Write if is_first => drop(self.store.create(fill::task(nth)?).await?),
            Part::Write => {
                let call = comment(self.task(client, nth), self.me.clone())?;
                drop(self.store.comment(call).await?);
            }
            Part::Read if is_first => drop(self.store.task(self.task(client, nth)).await?),
            Part::Read => {
                let list = List {
                    limit: PAGE_LEN,
                    ..List::default()
                };
                drop(self.store.list(list).await?);
            }
            Part::Notify => self.notify(is_first).await?,
        }
        Ok(())
    }

    async fn notify(&self, is_first: bool) -> Result<()> {
        let Some(subscription) = self.subscription else {
            return Ok(());
        };
        if is_first {
            self.leased
                .set(lease(self.store, subscription, PAGE_LEN).await?);
        } else if let Some(lease) = self.leased.take() {
            let call = AckLease {
                subscription,
                lease,
            };
            self.store.ack(call).await?;
        }
        Ok(())
    }

    fn task(&self, client: usize, nth: usize) -> TaskId {
        let task = self.tasks.get(pick(client, nth, self.tasks.len()));
        task.expect("the board of a bench holds tasks").clone()
    }
}

/// The same calls by hand on a board's file that nobody has open. One thread writes, in transactions of `group` calls, while
/// as many `readers` as are told share the reads; the run ends with the last of them. `tasks` are ready ones of the board,
/// at least as many as [`claims`] says. A dispatcher's seek, a list and a lease are as `limit::Rows` and `limit::Limit` tell.
///
/// # Panics
/// Where the engine fails: then there is nothing to measure.
#[must_use]
pub fn by_hand(
    subject: Subject,
    file: &Path,
    group: usize,
    readers: usize,
    (clients, pairs): (usize, usize),
    tasks: &[Task],
    subscriptions: &[SubscriptionId],
) -> Outcome {
    let file = BoardFile::at(subject, file).expect("the engine opens the board");
    let prepare = |thread| {
        let limit = match thread {
            0 => file.open(),
            _ => file.open_reader(),
        };
        let limit = limit.expect("the engine opens the board");
        let writer = if thread == 0 {
            let hand = limit.warm_hand().expect("the engine commits");
            // They are thousands: to find them together is no part of the work.
            Some((hand, limit::known(tasks)))
        } else {
            limit.warm().expect("the engine reads the board");
            None
        };
        (limit, thread, writer)
    };
    let readers = readers.max(1);
    let reads = count(clients, pairs, Part::Read);
    let (all, usage) = clients::threads(1 + readers, prepare, |(limit, reader, writer)| {
        let done = match writer {
            Some(writer) => {
                let size = (clients, pairs);
                write(&limit, group, size, writer, tasks, subscriptions)
            }
            None => limit.look(
                share(2 * reads, readers, reader - 1),
                |limit, nth| match nth.is_multiple_of(2) {
                    true => {
                        let task = tasks.get(pick(reader, nth, tasks.len()));
                        limit.read(task.ok_or(Failed::Row)?.id.as_str())
                    }
                    false => limit.list(PAGE_LEN),
                },
            ),
        };
        let latency = done.expect("the engine carries it out").latency;
        (latency, limit)
    });
    // To close what each thread has opened is no part of the work.
    let (all, _opened): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    clients::merge(&all, usage)
}

/// The same calls by a pattern of programs without a store, on a board's file that nobody has open: each client is a thread, and
/// each call a transaction of its own. `tasks` are what is read and commented on.
///
/// # Panics
/// Where SQLite fails, or no task is ready: then there is nothing to measure.
#[must_use]
pub fn by_pattern(
    pattern: Pattern,
    file: &Path,
    synchronous: Synchronous,
    (clients, pairs): (usize, usize),
    tasks: &[TaskId],
    subscriptions: &[SubscriptionId],
) -> Outcome {
    // What each dispatcher has claimed. Nobody else asks for it.
    let claimed: Vec<Mutex<String>> = (0..clients).map(|_| Mutex::default()).collect();
    let size = (clients, 2 * pairs);
    pattern.call(
        file,
        synchronous,
        size,
        |mut connection, hand, client, nth| {
            let task = tasks.get(pick(client, nth, tasks.len()));
            let task = task.ok_or(Failed::Row)?.as_str();
            let listener = subscriptions.get(client).map(|id| id.get());
            let own = claimed.get(client).ok_or(Failed::Row)?;
            let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
            match (part(client, nth / 2), nth.is_multiple_of(2)) {
                (Part::Read, true) => Ok(connection.read(task).map(drop)?),
                (Part::Read, false) => Ok(connection.list(PAGE_LEN).map(drop)?),
                (part, is_first) => {
                    transact(connection, hand, |rows, hand| match (part, is_first) {
                        (Part::Write, true) => connection.create(nth, None, hand).map(drop),
                        (Part::Write, false) => connection.comment(task, hand),
                        (Part::Notify, true) => {
                            connection.lease(listener.ok_or(Failed::Row)?, PAGE_LEN, hand)
                        }
                        (Part::Notify, false) => connection.ack(listener.ok_or(Failed::Row)?, hand),
                        (_, true) => {
                            *own = claim_next(rows, hand)?;
                            Ok(())
                        }
                        (_, false) => Ok(rows.end(End::Complete, &own, hand)?),
                    })
                }
            }
        },
    )
}

/// How many of all one of several has.
const fn share(all: usize, of: usize, nth: usize) -> usize {
    all / of + if nth < all % of { 1 } else { 0 }
}

/// All pairs but the readers': the first calls of as many pairs as a transaction holds, then the second ones.
fn write(
    limit: &Limit,
    group: usize,
    (clients, pairs): (usize, usize),
    (mut hand, mut known): (Hand, HashMap<String, HandTask>),
    tasks: &[Task],
    subscriptions: &[SubscriptionId],
) -> limit::Result<Outcome> {
    let all = (0..pairs).flat_map(|pair| (0..clients).map(move |client| (client, pair)));
    let writes: Vec<(usize, usize)> = all
        .filter(|(client, pair)| part(*client, *pair) != Part::Read)
        .collect();
    let mut meter = Meter::start();
    for chunk in writes.chunks(group.max(1)) {
        let mut claimed = Vec::new();
        let subscription = |client: usize| subscriptions.get(client).map(|id| id.get());
        meter.time(chunk.len(), || {
            limit.transact(&mut hand, |rows, hand| {
                chunk
                    .iter()
                    .try_for_each(|(client, pair)| match part(*client, *pair) {
                        Part::Write => {
                            let task = rows.create(2 * pair, None, hand)?;
                            known.insert(task.id().to_owned(), task);
                            Ok(())
                        }
                        Part::Notify => {
                            let subscription = subscription(*client).ok_or(Failed::Row)?;
                            rows.lease(subscription, PAGE_LEN, hand)
                        }
                        _ => {
                            let id = rows.next_ready()?.ok_or(Failed::Row)?;
                            let mut task = known.remove(&id).ok_or(Failed::Row)?;
                            rows.claim(&mut task, hand)?;
                            claimed.push(task);
                            Ok(())
                        }
                    })
            })
        })?;
        let mut claimed = claimed.into_iter();
        meter.time(chunk.len(), || {
            limit.transact(&mut hand, |rows, hand| {
                chunk
                    .iter()
                    .try_for_each(|(client, pair)| match part(*client, *pair) {
                        Part::Write => {
                            let task = tasks.get(pick(*client, *pair, tasks.len()));
                            rows.comment(task.ok_or(Failed::Row)?.id.as_str(), hand)
                        }
                        Part::Notify => rows.ack(subscription(*client).ok_or(Failed::Row)?, hand),
                        _ => {
                            let task = &mut claimed.next().ok_or(Failed::Row)?;
                            rows.end(End::Complete, task, hand)
                        }
                    })
            })
        })?;
    }
    Ok(meter.end())
}
