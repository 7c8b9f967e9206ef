//! Long mixed histories: operations drawn by a seed, on a board that is whatever the ones before have made of it.

use std::time::Duration;

use fastrand::Rng;
use kanban_core::{
    AssignTask, BlockTask, ClaimNext, ClaimTask, Claimed, CollectEvents, Covered, ErrorKind,
    EventLease, FailKind, Heartbeat, NewTask, NextClaim, OnOpenParents, PauseTarget, PromoteTask,
    RequestReview, Result, Scope, Start, SubscribeTo, TaskId, UpdateTask, WorkerBlockKind,
};

use crate::calls::{self, label, note, who};
use crate::fixture::Fixture;

/// A walk through the operations of a board.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    t: &'a Fixture,
    seed: u64,
    rng: Rng,
    /// Every task that was ever made, deleted ones too.
    ids: Vec<TaskId>,
    /// Every claim that was ever given, ended ones too.
    claims: Vec<Claimed>,
    subscriptions: Vec<kanban_core::SubscriptionId>,
}

impl<'a> Walk<'a> {
    /// The same seed is the same walk.
    pub(crate) fn new(t: &'a Fixture, seed: u64) -> Self {
        Self {
            t,
            seed,
            rng: Rng::with_seed(seed),
            ids: Vec::new(),
            claims: Vec::new(),
            subscriptions: Vec::new(),
        }
    }

    /// So many operations; refused ones count.
    pub(crate) async fn steps(&mut self, count: u32) {
        while self.ids.len() < 5 {
            self.create().await;
        }
        for _ in 0..count {
            self.step().await;
        }
    }

    async fn step(&mut self) {
        match self.rng.u32(0..100) {
            0..18 => self.create().await,
            18..40 => self.claim_next().await,
            40..62 => self.end().await,
            62..74 => self.hold().await,
            74..88 => self.life().await,
            88..94 => self.talk().await,
            _ => self.keep().await,
        }
    }

    async fn create(&mut self) {
        let start = match self.rng.u32(0..10) {
            0 | 1 => Start::Triage,
            2 => Start::Parked { reason: None },
            3 => Start::WakeAt(self.t.in_secs(self.rng.u64(0..600))),
            _ => Start::Landing,
        };
        let parents = match self.ids.len() {
            0..5 => 0,
            _ => self.rng.u32(0..3).min(self.rng.u32(0..3)),
        };
        let parents = (0..parents).map(|_| self.any()).collect();
        let new = NewTask {
            start,
            parents,
            priority: self.rng.i32(-2..3),
            assignee: self.somebody(),
            created_from: (self.ids.len() > 4 && self.rng.bool()).then(|| self.any()),
            tenant: self.rng.bool().then(|| label("acme")),
            idempotency_key: self.key(),
            max_runtime: self.rng.bool().then(|| Duration::from_mins(2)),
            ..calls::new("on the way")
        };
        if let Some(task) = self.judged(self.t.store.create(new).await) {
            self.ids.push(task.id);
        }
    }

    async fn claim_next(&mut self) {
        let claimant = label(if self.rng.bool() { "w1" } else { "w2" });
        let request_id = self.key();
        if self.rng.u32(0..4) == 0 {
            let claim = ClaimTask {
                claimant,
                request_id,
                ..calls::claim(&self.any())
            };
            let claimed = self.t.store.claim(claim).await;
            self.claims.extend(self.judged(claimed));
            return;
        }
        let next = ClaimNext {
            request_id,
            ..ClaimNext::new(claimant)
        };
        let next = self.t.store.claim_next(next).await;
        if let Some(NextClaim::Claimed(claimed)) = self.judged(next) {
            self.claims.push(*claimed);
        }
    }

    /// By a worker that may have been overtaken, or by an operator.
    async fn end(&mut self) {
        let Some(claimed) = self.claim_of_late() else {
            return;
        };
        let (store, id) = (&self.t.store, claimed.task.id.clone());
        let authority = match self.rng.u32(0..5) {
            0 => calls::olga(),
            _ => calls::worker(&claimed),
        };
        match self.rng.u32(0..12) {
            0..3 => self.see(store.complete(calls::complete_by(&id, authority)).await),
            3..5 => {
                let kind = FailKind::ALL[self.rng.usize(0..FailKind::ALL.len())];
                self.see(store.fail(calls::fail_by(&id, authority, kind)).await);
            }
            5 => self.see(store.release(calls::release_by(&id, authority)).await),
            6 => {
                let review = RequestReview {
                    reviewer: self.somebody(),
                    ..calls::request_review(&id, authority)
                };
                self.see(store.request_review(review).await);
            }
            7 => {
                let changes = calls::request_changes(&id, authority);
                self.see(store.request_changes(changes).await);
            }
            8 => {
                let at = self.rng.bool().then(|| self.t.in_secs(300));
                self.see(store.schedule(calls::schedule(&id, authority, at)).await);
            }
            9 => {
                let beat = Heartbeat {
                    note: self.rng.bool().then(|| note("alive")),
                    ..calls::heartbeat_by(&id, authority)
                };
                self.see(store.heartbeat(beat).await);
                let worker = calls::set_worker(&id, claimed.run.id, self.rng.u32(1..9));
                self.see(store.set_worker(worker).await);
            }
            _ => {
                let kind = WorkerBlockKind::ALL[self.rng.usize(0..WorkerBlockKind::ALL.len())];
                let depends = kind == WorkerBlockKind::Dependency && self.rng.bool();
                let block = BlockTask {
                    on: if depends {
                        vec![self.any()]
                    } else {
                        Vec::new()
                    },
                    ..calls::block_by(&id, authority, kind)
                };
                self.see(store.block(block).await);
            }
        }
    }

    async fn hold(&mut self) {
        let (store, id) = (&self.t.store, self.any());
        match self.rng.u32(0..6) {
            0 | 1 => self.see(store.unblock(calls::unblock(&id)).await),
            2 | 3 => {
                let promote = PromoteTask {
                    open_parents: if self.rng.bool() {
                        OnOpenParents::Unlink
                    } else {
                        OnOpenParents::Refuse
                    },
                    ..calls::promote(&id)
                };
                self.see(store.promote(promote).await);
            }
            4 => {
                let target = PauseTarget::Assignee(who("amy"));
                self.see(store.pause(calls::pause(target)).await);
            }
            _ => {
                let target = PauseTarget::Assignee(who("amy"));
                self.see(store.resume(calls::resume(target)).await);
            }
        }
    }

    async fn life(&mut self) {
        let (store, id, other) = (&self.t.store, self.any(), self.any());
        match self.rng.u32(0..14) {
            0 | 1 => self.see(store.link(calls::link(&id, &other)).await),
            2 => self.see(store.unlink(calls::unlink(&id, &other)).await),
            3 | 4 => self.see(store.reopen(calls::reopen(&id)).await),
            5 | 6 => self.see(store.archive(calls::archive(&id, calls::olga())).await),
            7 | 8 => self.see(store.restore(calls::restore(&id)).await),
            9 => {
                let deleted = self.judged(store.delete(calls::delete(&id)).await);
                // A few stay among those to be asked for, though nothing is there any more.
                if deleted.is_some() && self.rng.u32(0..4) > 0 {
                    self.ids.retain(|known| *known != id);
                }
            }
            10 => self.see(store.specify(calls::specify(&id)).await),
            11 => {
                let pieces = vec![calls::subtask("a", &[]), calls::subtask("b", &[0])];
                let made = store.decompose(calls::decompose(&id, pieces)).await;
                let made = self.judged(made);
                self.ids
                    .extend(made.into_iter().flat_map(|made| made.subtasks));
            }
            12 => {
                let update = UpdateTask {
                    priority: Some(self.rng.i32(-2..3)),
                    tenant: Some(self.rng.bool().then(|| label("acme"))),
                    ..calls::update(&id)
                };
                self.see(store.update(update).await);
            }
            _ => {
                let assign = AssignTask {
                    assignee: self.somebody(),
                    ..calls::unassign(&id)
                };
                self.see(store.assign(assign).await);
            }
        }
    }

    async fn talk(&mut self) {
        let (store, id) = (&self.t.store, self.any());
        match self.rng.u32(0..4) {
            0 => self.see(store.comment(calls::comment(&id, "hm")).await),
            1 => {
                let scope = if self.rng.bool() {
                    Scope::Board
                } else {
                    Scope::Task(id)
                };
                let subscribe: SubscribeTo = calls::subscribe(scope, "amy");
                let made = self.judged(store.subscribe(subscribe).await);
                self.subscriptions.extend(made.map(|made| made.id));
            }
            _ => {
                let Some(&id) = self.rng.choice(&self.subscriptions) else {
                    return;
                };
                let leased = store.lease_events(calls::lease(id)).await;
                if let Some(EventLease::Leased { lease, .. }) = self.judged(leased) {
                    if self.rng.bool() {
                        self.see(store.ack(calls::ack(id, lease)).await);
                    } else {
                        self.see(store.nack(calls::nack(id, lease)).await);
                    }
                }
            }
        }
    }

    async fn keep(&mut self) {
        let store = &self.t.store;
        if self.rng.u32(0..8) == 0 {
            // The clock may jump back, and again forward.
            self.t
                .clock
                .jump(self.t.now().before(Duration::from_mins(3)));
        }
        self.t.advance(self.rng.u64(0..400));
        self.see(store.reclaim_expired(calls::reclaim()).await);
        self.see(store.wake_due(calls::wake()).await);
        if self.rng.u32(0..6) == 0 {
            let collect = CollectEvents {
                older_than: Duration::from_mins(5),
                limit: 20,
                covered: Covered::Keep,
            };
            self.see(store.gc(collect).await);
        }
    }

    fn see<T>(&self, answer: Result<kanban_core::Written<T>>) {
        self.judged(answer);
    }

    /// The answer, if it was not refused. A walk is refused by rules alone.
    fn judged<T>(&self, answer: Result<kanban_core::Written<T>>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer.value),
            Err(error) => match error.kind() {
                ErrorKind::Rejected(_) | ErrorKind::NotFound(_) | ErrorKind::Invalid(_) => None,
                other => panic!(
                    "expected a refusal, found {other:?} in the walk of seed {}",
                    self.seed
                ),
            },
        }
    }

    /// A task, most likely a late one.
    fn any(&mut self) -> TaskId {
        let count = self.ids.len();
        if count == 0 {
            return calls::task_id("t_none");
        }
        let from = if self.rng.u32(0..5) == 0 {
            0
        } else {
            count.saturating_sub(12)
        };
        self.ids[self.rng.usize(from..count)].clone()
    }

    fn claim_of_late(&mut self) -> Option<Claimed> {
        let count = self.claims.len();
        let from = count.saturating_sub(6);
        (count > 0).then(|| self.claims[self.rng.usize(from..count)].clone())
    }

    fn somebody(&mut self) -> Option<kanban_core::Assignee> {
        match self.rng.u32(0..3) {
            0 => Some(who("amy")),
            1 => Some(who("bob")),
            _ => None,
        }
    }

    fn key(&mut self) -> Option<kanban_core::Label> {
        match self.rng.u32(0..12) {
            number @ 0..3 => Some(label(&format!("key-{number}"))),
            _ => None,
        }
    }
}
