//! Claims: taking work, keeping it, and taking it back.

use kanban_core::{
    Claim, ClaimNext, ClaimTask, Claimed, Effect, EventKind, FailKind, Heartbeat, Label, Millis,
    More, NextClaim, NotClaimable, PauseTarget, ReclaimExpired, Reclaimed, Rejection, SetWorker,
    Status, Task, TaskId, Ttl, WakeDue, Who, Woken,
};

use super::board::{applied, rejected, repeated, unchanged, within};
use super::log::Told;
use super::runs::Right;
use super::{Board, Refusal, Ruled};

impl Board {
    pub(crate) fn claim(&mut self, call: ClaimTask) -> Ruled<Claimed> {
        self.known(&call.task)?;
        if let Some(holder) = self.holder_of(call.request_id.as_ref()) {
            let is_same = holder.id == call.task
                && holder.claim.as_ref().map(|claim| &claim.claimant) == Some(&call.claimant);
            if is_same {
                return repeated(self.claimed(&call.task));
            }
            let task = holder.id.clone();
            return Err(rejected(Rejection::KeyTaken { task }).into());
        }
        let task = self.task(&call.task);
        let refuse = |why| Err(Refusal::from(rejected(Rejection::NotClaimable(why))));
        if !matches!(task.status, Status::Ready | Status::Review) {
            return refuse(NotClaimable::Status(task.status));
        }
        if let Some(at) = task.not_before
            && at > self.now
        {
            return refuse(NotClaimable::NotBefore(at));
        }
        let of_assignee = task.assignee.clone().map(PauseTarget::Assignee);
        for target in [Some(PauseTarget::Board), of_assignee]
            .into_iter()
            .flatten()
        {
            if self.is_paused(&target) {
                return refuse(NotClaimable::Paused(target));
            }
        }
        self.start(&call.task, call.claimant, call.ttl, call.request_id);
        applied(self.claimed(&call.task))
    }

    pub(crate) fn claim_next(&mut self, call: ClaimNext) -> Ruled<NextClaim> {
        if let Who::Only(names) | Who::OnlyOrNobody(names) = &call.filter.who {
            within("assignees", names.len(), 1, 1000)?;
        }
        if let Some(holder) = self.holder_of(call.request_id.as_ref()) {
            let task = holder.id.clone();
            if holder.claim.as_ref().map(|claim| &claim.claimant) == Some(&call.claimant) {
                return repeated(NextClaim::Claimed(Box::new(self.claimed(&task))));
            }
            return Err(rejected(Rejection::KeyTaken { task }).into());
        }
        if self.is_paused(&PauseTarget::Board) {
            let why = NotClaimable::Paused(PauseTarget::Board);
            return Err(rejected(Rejection::NotClaimable(why)).into());
        }
        let (mut next_at, mut paused, mut capped) = (None::<Millis>, false, false);
        let mut best: Option<&Task> = None;
        for task in self.tasks.iter().map(|detail| &detail.task) {
            if !is_wanted(&call, task) {
                continue;
            }
            if let Some(at) = task.not_before
                && at > self.now
            {
                next_at = Some(next_at.map_or(at, |known| known.min(at)));
                continue;
            }
            let target = task.assignee.clone().map(PauseTarget::Assignee);
            if target.is_some_and(|target| self.is_paused(&target)) {
                paused = true;
                continue;
            }
            if self.is_capped(&call, task) {
                capped = true;
                continue;
            }
            if best.is_none_or(|best| rank(task) < rank(best)) {
                best = Some(task);
            }
        }
        let Some(id) = best.map(|task| task.id.clone()) else {
            return unchanged(NextClaim::None {
                next_at,
                paused,
                capped,
            });
        };
        self.start(&id, call.claimant, call.ttl, call.request_id);
        applied(NextClaim::Claimed(Box::new(self.claimed(&id))))
    }

    pub(crate) fn heartbeat(&mut self, call: Heartbeat) -> Ruled<Claim> {
        self.known(&call.task)?;
        let right = self.right(&call.task, &call.authority)?;
        self.expect_status(&call.task, &[Status::Running])?;
        let now = self.now;
        let until = now.after(self.ttl(call.extend));
        let claim = self.claim_mut(&call.task);
        let before = claim.clone();
        claim.heartbeat_at = Some(now);
        claim.expires_at = claim.expires_at.max(until);
        if let Some(end) = claim.must_end_by {
            claim.expires_at = claim.expires_at.min(end);
        }
        let claim = claim.clone();
        if claim == before && call.note.is_none() {
            return unchanged(claim);
        }
        if let Some(note) = call.note {
            let told = right.told().with("note", note.as_str());
            self.tell(&call.task, EventKind::Heartbeat, told);
        }
        applied(claim)
    }

    pub(crate) fn set_worker(&mut self, call: SetWorker) -> Ruled<Claim> {
        self.known(&call.task)?;
        let authority = kanban_core::Authority::worker(call.run);
        let right = self.right(&call.task, &authority)?;
        let claim = self.claim_mut(&call.task);
        if claim.worker.as_ref() == Some(&call.worker) {
            return repeated(claim.clone());
        }
        claim.worker = Some(call.worker.clone());
        let claim = claim.clone();
        self.run_mut(call.run).worker = Some(call.worker.clone());
        let told = right
            .told()
            .with("host", call.worker.host.as_str())
            .with("pid", call.worker.pid)
            .with_some("started", call.worker.started.as_ref().map(Label::as_str));
        self.tell(&call.task, EventKind::Spawned, told);
        applied(claim)
    }

    pub(crate) fn reclaim_expired(&mut self, call: ReclaimExpired) -> Ruled<Reclaimed> {
        within("limit", call.limit, 1, 1000)?;
        let mut expired: Vec<(Millis, TaskId, Claim)> = self
            .tasks
            .iter()
            .filter_map(|detail| Some((detail.task.id.clone(), detail.task.claim.clone()?)))
            .filter(|(_, claim)| claim.expires_at <= self.now)
            .map(|(id, claim)| (claim.expires_at, id, claim))
            .collect();
        expired.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let more = more(expired.len() > call.limit);
        expired.truncate(call.limit);
        let mut ended = Vec::new();
        for (_, id, claim) in expired {
            let kind = match claim.must_end_by {
                Some(end) if end <= self.now => FailKind::TimedOut,
                _ => FailKind::LeaseExpired,
            };
            let right = Right {
                run: Some(claim.run),
                actor: None,
                by: Some(crate::calls::label("board")),
                is_operator: false,
                reason: None,
            };
            let error = crate::calls::note(kind.outcome().as_str());
            self.fail_run(&id, &right, kind, Some(error), None);
            ended.push(self.ended(&id, Some(claim.run)));
        }
        let effect = if ended.is_empty() {
            Effect::Unchanged
        } else {
            Effect::Applied
        };
        Ok((effect, Reclaimed { ended, more }))
    }

    pub(crate) fn wake_due(&mut self, call: WakeDue) -> Ruled<Woken> {
        within("limit", call.limit, 1, 1000)?;
        let mut due: Vec<(Millis, TaskId)> = self
            .tasks
            .iter()
            .filter_map(|detail| Some((detail.task.wake_at?, detail.task.id.clone())))
            .filter(|(at, _)| *at <= self.now)
            .collect();
        due.sort();
        let more = more(due.len() > call.limit);
        due.truncate(call.limit);
        let mut tasks = Vec::new();
        for (_, id) in due {
            let (from, to) = self.land(&id);
            self.tell(&id, EventKind::Woken, Told::default().moved(from, to));
            tasks.push(self.task(&id).clone());
        }
        let effect = if tasks.is_empty() {
            Effect::Unchanged
        } else {
            Effect::Applied
        };
        Ok((effect, Woken { tasks, more }))
    }

    /// The task whose open claim has a request id. [4.10]
    fn holder_of(&self, request_id: Option<&Label>) -> Option<&Task> {
        let wanted = request_id?;
        let tasks = self.tasks.iter().map(|detail| &detail.task);
        let mut holders = tasks.filter(|task| {
            let claim = task.claim.as_ref();
            claim.and_then(|claim| claim.request_id.as_ref()) == Some(wanted)
        });
        holders.next()
    }

    fn claimed(&self, id: &TaskId) -> Claimed {
        let task = self.task(id).clone();
        let run = task.claim.as_ref().and_then(|claim| self.run(claim.run));
        let run = run.expect("an open claim has its run").clone();
        Claimed { task, run }
    }

    fn claim_mut(&mut self, id: &TaskId) -> &mut Claim {
        let claim = self.task_mut(id).claim.as_mut();
        claim.expect("a running task has its claim")
    }

    fn ttl(&self, given: Option<Ttl>) -> std::time::Duration {
        given.map_or(
            std::time::Duration::from_millis(self.policy.claim_ttl_ms),
            Ttl::get,
        )
    }

    pub(super) fn is_paused(&self, target: &PauseTarget) -> bool {
        self.pauses.iter().any(|pause| pause.target == *target)
    }

    /// Whether a cap holds a task back. [6.9]
    fn is_capped(&self, call: &ClaimNext, task: &Task) -> bool {
        let running = self
            .tasks
            .iter()
            .filter(|detail| detail.task.status == Status::Running);
        let of_all = running.clone().count();
        let of_assignee = running
            .filter(|detail| detail.task.assignee == task.assignee)
            .count();
        let is_full = |cap: Option<u32>, count: usize| cap.is_some_and(|cap| count >= cap as usize);
        is_full(call.caps.board, of_all)
            || (task.assignee.is_some() && is_full(call.caps.assignee, of_assignee))
    }

    /// Opens a run and makes the task running. [6.2] [6.3]
    fn start(&mut self, id: &TaskId, claimant: Label, ttl: Option<Ttl>, request_id: Option<Label>) {
        let run = self.open_run(id, Some(claimant.clone()), request_id.clone());
        let now = self.now;
        let until = now.after(self.ttl(ttl));
        self.set_status(id, Status::Running);
        let task = self.task_mut(id);
        let (from, phase) = (task.status, task.phase);
        debug_assert_eq!(from, Status::Running, "the task was moved above");
        let must_end_by = task
            .max_runtime
            .map(|span| now.after(std::time::Duration::from_millis(span)));
        let expires_at = must_end_by.map_or(until, |end| end.min(until));
        task.started_at = task.started_at.or(Some(now));
        task.not_before = None;
        task.claim = Some(Claim {
            run,
            claimant: claimant.clone(),
            expires_at,
            must_end_by,
            heartbeat_at: None,
            worker: None,
            request_id,
        });
        let was = match phase {
            kanban_core::Phase::Work => Status::Ready,
            kanban_core::Phase::Review => Status::Review,
        };
        let told = Told::by(Some(&claimant))
            .of_run(Some(run))
            .with("run", run.get())
            .with("claimant", claimant.as_str())
            .with("expires_at", expires_at.get())
            .with("phase", phase.as_str());
        self.tell(id, EventKind::Claimed, told.moved(was, Status::Running));
    }
}

/// Whether a claim looks at a task. [6.7]
fn is_wanted(call: &ClaimNext, task: &Task) -> bool {
    let filter = &call.filter;
    let of_who = match (&filter.who, &task.assignee) {
        (Who::Anyone, _) | (Who::Nobody | Who::OnlyOrNobody(_), None) => true,
        (Who::Only(names) | Who::OnlyOrNobody(names), Some(name)) => names.contains(name),
        (Who::Nobody, Some(_)) | (Who::Only(_), None) => false,
    };
    matches!(task.status, Status::Ready | Status::Review)
        && of_who
        && filter.phase.is_none_or(|phase| phase == task.phase)
        && (filter.tenant.is_none() || filter.tenant == task.tenant)
}

/// The best is the least. [6.6]
fn rank(task: &Task) -> (i64, Millis, &TaskId) {
    (-i64::from(task.priority), task.created_at, &task.id)
}

pub(super) fn more(is_more: bool) -> More {
    if is_more { More::More } else { More::Finished }
}
