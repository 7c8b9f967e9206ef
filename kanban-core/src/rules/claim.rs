//! Taking work, and keeping it.

mod next;

use crate::change::Change;
use crate::error::{Invalid, NotClaimable, Rejection, Result};
use crate::model::{
    Assignee, Claim, EventKind, Label, Millis, PauseTarget, Run, Status, Task, Ttl,
};
use crate::request::{
    Authority, ClaimTask, Claimed, FailKind, Heartbeat, More, ReclaimExpired, Reclaimed, SetWorker,
    WakeDue, Woken,
};
use crate::view::View;

use super::authority::{expect_status, stand_once};
use super::draft::{Decided, Draft, Entry, Refusal};
use super::end::{Failure, fail_task};
use super::settle::{PAGE, land, move_to};
use super::{Answered, Command, check_limit};

/// How many tasks one call of upkeep takes.
const BATCH_MAX: usize = 1000;

/// Who claims, under which key.
struct Claimant<'a> {
    name: &'a Label,
    ttl: Option<Ttl>,
    request_id: Option<&'a Label>,
}

impl Command for ClaimTask {
    type Answer = Claimed;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Claimed> {
        let task = draft.subject(&self.task)?;
        let claimant = Claimant {
            name: &self.claimant,
            ttl: self.ttl,
            request_id: self.request_id.as_ref(),
        };
        if let Some(open) = repeated(draft, &claimant)? {
            if open.task.id != self.task {
                return Err(Rejection::KeyTaken { task: open.task.id }.into());
            }
            return Ok(Answered::again(open));
        }
        if let Some(why) = held(draft, &task)? {
            return Err(Rejection::NotClaimable(why).into());
        }
        Ok(Answered::new(open_run(draft, task, &claimant)?))
    }
}

/// The open claim with the caller's key, if it is the caller's.
fn repeated(
    draft: &Draft<'_>,
    claimant: &Claimant<'_>,
) -> std::result::Result<Option<Claimed>, Refusal> {
    let Some(request_id) = claimant.request_id else {
        return Ok(None);
    };
    let Some(id) = draft.view().claimed_by_request(request_id)? else {
        return Ok(None);
    };
    let task = draft.subject(&id)?;
    let Some(claim) = &task.claim else {
        return Ok(None);
    };
    if &claim.claimant != claimant.name {
        return Err(Rejection::KeyTaken { task: id }.into());
    }
    let Some(run) = draft.run(claim.run)? else {
        return Ok(None);
    };
    Ok(Some(Claimed { task, run }))
}

/// Why a task cannot be claimed now.
fn held(draft: &Draft<'_>, task: &Task) -> Result<Option<NotClaimable>> {
    if !task.status.is_claimable() {
        return Ok(Some(NotClaimable::Status(task.status)));
    }
    if let Some(at) = task.not_before.filter(|at| *at > draft.now()) {
        return Ok(Some(NotClaimable::NotBefore(at)));
    }
    Ok(paused(draft, task.assignee.as_ref())?.map(NotClaimable::Paused))
}

/// The pause that covers the tasks of an assignee.
fn paused(draft: &Draft<'_>, assignee: Option<&Assignee>) -> Result<Option<PauseTarget>> {
    let targets = [
        Some(PauseTarget::Board),
        assignee.cloned().map(PauseTarget::Assignee),
    ];
    for target in targets.into_iter().flatten() {
        if draft.pause(&target)?.is_some() {
            return Ok(Some(target));
        }
    }
    Ok(None)
}

/// Claims a task that may be claimed.
fn open_run(draft: &mut Draft<'_>, mut task: Task, claimant: &Claimant<'_>) -> Result<Claimed> {
    let now = draft.now();
    let ttl = match claimant.ttl {
        Some(ttl) => ttl.get(),
        None => draft.policy()?.claim_ttl(),
    };
    let must_end_by = task
        .max_runtime
        .map(|millis| now.after(std::time::Duration::from_millis(millis)));
    let run = Run {
        id: draft.next_run(),
        task: task.id.clone(),
        phase: task.phase,
        assignee: task.assignee.clone(),
        claimant: Some(claimant.name.clone()),
        request_id: claimant.request_id.cloned(),
        worker: None,
        started_at: now,
        ended_at: None,
        outcome: None,
        ended_by: None,
        summary: None,
        error: None,
        metadata: None,
    };
    let claim = Claim {
        run: run.id,
        claimant: claimant.name.clone(),
        expires_at: until(now.after(ttl), must_end_by),
        must_end_by,
        heartbeat_at: None,
        worker: None,
        request_id: claimant.request_id.cloned(),
    };
    let from = move_to(&mut task, Status::Running, now);
    task.started_at = task.started_at.or(Some(now));
    // Of very many that are reached at once not all are cleared yet.
    task.not_before = None;
    let entry = Entry::of(&run.task, EventKind::Claimed)
        .run(Some(run.id))
        .by(Some(claimant.name))
        .moved(from, Status::Running)
        .with("run", run.id)
        .with("claimant", claimant.name)
        .with("expires_at", claim.expires_at)
        .with("phase", task.phase);
    task.claim = Some(claim);
    draft.put_task(task)?;
    draft.put_new_run(run.clone());
    draft.event(entry)?;
    let task = draft
        .task(&run.task)?
        .expect("the task was written just now");
    Ok(Claimed { task, run })
}

fn until(wanted: Millis, must_end_by: Option<Millis>) -> Millis {
    must_end_by.map_or(wanted, |end| wanted.min(end))
}

impl Command for Heartbeat {
    type Answer = Claim;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Claim> {
        let mut task = draft.subject(&self.task)?;
        let right = stand_once(draft, &task, &self.authority)?;
        expect_status(&task, &[Status::Running])?;
        let now = draft.now();
        let extend = match self.extend {
            Some(ttl) => ttl.get(),
            None => draft.policy()?.claim_ttl(),
        };
        let claim = task
            .claim
            .as_mut()
            .expect("a running task has a claim (invariant 1)");
        claim.heartbeat_at = Some(now);
        claim.expires_at = until(claim.expires_at.max(now.after(extend)), claim.must_end_by);
        let claim = claim.clone();
        draft.put_task(task)?;
        if let Some(note) = &self.note {
            let entry = Entry::of(&self.task, EventKind::Heartbeat).run(Some(claim.run));
            draft.event(right.sign(entry.with("note", note)))?;
        }
        Ok(Answered::new(claim))
    }
}

impl Command for SetWorker {
    type Answer = Claim;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Claim> {
        let mut task = draft.subject(&self.task)?;
        let authority = Authority::worker(self.run);
        let right = stand_once(draft, &task, &authority)?;
        let claim = task
            .claim
            .as_mut()
            .expect("the task of an open run has a claim (invariant 1)");
        if claim.worker.as_ref() == Some(&self.worker) {
            return Ok(Answered::again(claim.clone()));
        }
        claim.worker = Some(self.worker.clone());
        let claim = claim.clone();
        draft.put_task(task)?;
        if let Some(mut run) = draft.run(self.run)? {
            run.worker = Some(self.worker.clone());
            draft.put_run(run)?;
        }
        let entry = Entry::of(&self.task, EventKind::Spawned)
            .run(Some(self.run))
            .with("host", &self.worker.host)
            .with("pid", self.worker.pid)
            .with("started", &self.worker.started);
        draft.event(right.sign(entry))?;
        Ok(Answered::new(claim))
    }
}

impl Command for ReclaimExpired {
    type Answer = Reclaimed;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Reclaimed> {
        check_batch(self.limit)?;
        let now = draft.now();
        let mut expired = draft.view().expired(now, self.limit + 1)?;
        let more = more(&mut expired, self.limit);
        let mut ended = Vec::with_capacity(expired.len());
        for task in expired {
            draft.has_read(&task);
            let is_over = |claim: &Claim| claim.must_end_by.is_some_and(|end| end <= now);
            let kind = match task.claim.as_ref().is_some_and(is_over) {
                true => FailKind::TimedOut,
                false => FailKind::LeaseExpired,
            };
            ended.push(fail_task(draft, task, &Failure::of_board(kind))?);
        }
        Ok(Answered::new(Reclaimed { ended, more }))
    }
}

impl Command for WakeDue {
    type Answer = Woken;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Woken> {
        check_batch(self.limit)?;
        let now = draft.now();
        let mut due = draft.view().due(now, self.limit + 1)?;
        let more = more(&mut due, self.limit);
        let mut tasks = Vec::with_capacity(due.len());
        for mut task in due {
            draft.has_read(&task);
            let id = task.id.clone();
            let (from, to) = land(&mut task, now);
            draft.put_task(task)?;
            draft.event(Entry::of(&id, EventKind::Woken).moved(from, to))?;
            tasks.extend(draft.task(&id)?);
        }
        Ok(Answered::new(Woken { tasks, more }))
    }
}

/// Refuses a batch of none or of too many.
pub(super) fn check_batch(limit: usize) -> std::result::Result<(), Invalid> {
    check_limit(limit, BATCH_MAX)
}

/// Cuts what was asked for with one to spare.
pub(super) fn more<T>(found: &mut Vec<T>, limit: usize) -> More {
    if found.len() > limit {
        found.truncate(limit);
        return More::More;
    }
    More::Finished
}

/// Ends the back-offs that are reached, so that claims find the tasks. Called by the executor before the decisions of a
/// group; no event, no version, no `seq`.
pub(crate) fn ripen(view: &dyn View, now: Millis) -> Result<Vec<Change>> {
    let ripe = view.waiting(now, PAGE)?;
    let changes = ripe.into_iter().map(|before| {
        let mut after = before.clone();
        after.ripen(now);
        Change::Task {
            before: Some(Box::new(before)),
            after: Some(Box::new(after)),
        }
    });
    Ok(changes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::label;
    use crate::rules::testbed::Testbed;

    fn waits_until(at: Millis) -> impl FnOnce(&mut Task) {
        move |task| {
            task.not_before = Some(at);
            task.waiting = true;
        }
    }

    #[test]
    fn a_back_off_is_cleared_once_it_is_reached_and_not_before() {
        let mut bed = Testbed::new();
        let later = Millis::new(bed.now.get() + 1);
        bed.put("t_reached", waits_until(bed.now));
        bed.put("t_ahead", waits_until(later));
        let changes = ripen(&bed.board, bed.now).unwrap();
        let before = bed.task("t_reached");
        let after = Task {
            not_before: None,
            waiting: false,
            ..before.clone()
        };
        let want = Change::Task {
            before: Some(Box::new(before)),
            after: Some(Box::new(after)),
        };
        assert_eq!(changes, [want]);
    }

    /// Where very many are reached at once, not all are cleared before the next command.
    #[test]
    fn a_claim_clears_a_back_off_that_is_reached() {
        let mut bed = Testbed::new();
        bed.put("t", waits_until(bed.now));
        let claimed = bed.write(&ClaimTask {
            task: bed.task("t").id,
            claimant: label("w"),
            ttl: None,
            request_id: None,
        });
        assert_eq!(claimed.task.not_before, None);
    }
}
