//! Holding: pauses, blocks, promotions, putting off.

use kanban_core::{
    Block, BlockKind, BlockStreak, BlockTask, Effect, Ended, EventKind, Label, OnOpenParents,
    Outcome, Pause, PauseClaims, PauseTarget, PromoteMode, PromoteTask, Reason, Rejection,
    ResumeClaims, ScheduleTask, Status, Task, TaskId, UnblockTask, WorkerBlockKind,
};
use serde_json::json;

use super::board::{applied, malformed, rejected, repeated, unchanged, within};
use super::log::Told;
use super::runs::{Judged, Right};
use super::{Board, Ruled};

impl Board {
    pub(crate) fn pause(&mut self, call: PauseClaims) -> Ruled<Pause> {
        let old = self.pauses.iter().find(|old| old.target == call.target);
        let pause = Pause {
            target: call.target,
            actor: call.actor,
            reason: call.reason,
            at: old.map_or(self.now, |old| old.at),
        };
        if old == Some(&pause) {
            return unchanged(pause);
        }
        self.pauses.retain(|old| old.target != pause.target);
        self.pauses.push(pause.clone());
        self.pauses.sort_by(|a, b| a.target.cmp(&b.target));
        self.tell_board(EventKind::Paused, told_of(&pause, &pause.actor));
        applied(pause)
    }

    pub(crate) fn resume(&mut self, call: ResumeClaims) -> Ruled<Option<Pause>> {
        let found = self.pauses.iter().find(|old| old.target == call.target);
        let Some(pause) = found.cloned() else {
            return unchanged(None);
        };
        self.pauses.retain(|old| old.target != call.target);
        self.tell_board(EventKind::Resumed, told_of(&pause, &call.actor));
        applied(Some(pause))
    }

    pub(crate) fn block(&mut self, call: BlockTask) -> Ruled<Ended> {
        let id = call.task.clone();
        if call.kind != WorkerBlockKind::Dependency && !call.on.is_empty() {
            return Err(malformed("on").into());
        }
        within("on", call.on.len(), 0, 1000)?;
        self.known(&id)?;
        let right = match self.judge(&id, &call.authority, Some(Outcome::Blocked))? {
            Judged::Repeat(ended) => return repeated(*ended),
            Judged::Right(right) => right,
        };
        self.expect_version(&id, call.expected_version)?;
        self.expect_status(
            &id,
            &[
                Status::Todo,
                Status::Scheduled,
                Status::Ready,
                Status::Running,
                Status::Review,
            ],
        )?;
        let told = right
            .told()
            .with("kind", call.kind.as_str())
            .with_some("reason", call.reason.as_ref().map(Reason::as_str));
        let from = self.task(&id).status;
        if let Some(run) = right.run {
            let summary = call.reason.as_ref();
            let summary = summary.map(|reason| crate::calls::note(reason.as_str()));
            let row = self.close_run(run, Outcome::Blocked, right.by.as_ref());
            row.summary = summary;
            self.task_mut(&id).deferrals = 0;
        }
        if call.kind == WorkerBlockKind::Dependency {
            return self.block_on(&call, &right, from, told);
        }
        let kind = block_kind(call.kind);
        let (now, limit) = (self.now, self.policy.block_streak_limit);
        let task = self.task_mut(&id);
        if !right.is_operator {
            let count = match task.block_streak {
                Some(streak) if streak.kind == kind => streak.count + 1,
                _ => 1,
            };
            task.block_streak = Some(BlockStreak { kind, count });
            if count >= limit {
                self.set_status(&id, Status::Triage);
                let told = told.moved(from, Status::Triage);
                self.tell(&id, EventKind::BlockLoop, told);
                return applied(self.ended(&id, right.run));
            }
        }
        self.set_status(&id, Status::Blocked);
        self.task_mut(&id).block = Some(Block {
            kind,
            reason: call.reason,
            by: right.actor.clone(),
            at: now,
        });
        self.tell(&id, EventKind::Blocked, told.moved(from, Status::Blocked));
        applied(self.ended(&id, right.run))
    }

    /// Waits for other tasks. [8.8]
    fn block_on(
        &mut self,
        call: &BlockTask,
        right: &Right,
        from: Status,
        told: Told,
    ) -> Ruled<Ended> {
        let id = &call.task;
        let others: Vec<TaskId> = call.on.iter().filter(|on| *on != id).cloned().collect();
        self.all_known(&others)?;
        for parent in &call.on {
            self.add_link(parent, id, right.actor.as_ref())?;
        }
        let mut to = self.landing(id);
        if call.on.is_empty() && to != Status::Todo {
            to = Status::Scheduled;
        }
        self.set_status(id, to);
        self.task_mut(id).wake_at = None;
        self.tell(id, EventKind::Blocked, told.moved(from, to));
        applied(self.ended(id, right.run))
    }

    pub(crate) fn unblock(&mut self, call: UnblockTask) -> Ruled<Task> {
        self.known(&call.task)?;
        self.expect_status(&call.task, &[Status::Scheduled, Status::Blocked])?;
        let task = self.task_mut(&call.task);
        task.failures = 0;
        task.deferrals = 0;
        task.not_before = None;
        let (from, to) = self.land(&call.task);
        let told = Told::by(Some(&call.actor)).moved(from, to);
        self.tell(&call.task, EventKind::Unblocked, told);
        applied(self.task(&call.task).clone())
    }

    pub(crate) fn promote(&mut self, call: PromoteTask) -> Ruled<Task> {
        let id = call.task;
        self.known(&id)?;
        self.expect_status(
            &id,
            &[
                Status::Todo,
                Status::Scheduled,
                Status::Ready,
                Status::Blocked,
                Status::Review,
            ],
        )?;
        let ids = self.unsatisfied_parents_of(&id);
        if !ids.is_empty() && call.open_parents == OnOpenParents::Refuse {
            return Err(rejected(Rejection::UnsatisfiedParents { ids }).into());
        }
        for parent in &ids {
            self.remove_link(parent, &id, Some(&call.actor));
        }
        let (from, to) = self.land(&id);
        let waited = self.task_mut(&id).not_before.take();
        if ids.is_empty() && from == to && waited.is_none() {
            return unchanged(self.task(&id).clone());
        }
        let told = Told::by(Some(&call.actor)).moved(from, to);
        self.tell(&id, EventKind::Promoted, told);
        let effect = match call.mode {
            PromoteMode::Apply => Effect::Applied,
            PromoteMode::DryRun => Effect::Unchanged,
        };
        Ok((effect, self.task(&id).clone()))
    }

    pub(crate) fn schedule(&mut self, call: ScheduleTask) -> Ruled<Ended> {
        if call.at.is_some_and(|at| at <= self.now) {
            return Err(malformed("at").into());
        }
        let id = call.task;
        self.known(&id)?;
        let right = self.right(&id, &call.authority)?;
        self.expect_version(&id, call.expected_version)?;
        self.expect_status(
            &id,
            &[
                Status::Todo,
                Status::Scheduled,
                Status::Ready,
                Status::Running,
                Status::Blocked,
                Status::Review,
            ],
        )?;
        let from = self.task(&id).status;
        if let Some(run) = right.run {
            self.close_run(run, Outcome::Scheduled, right.by.as_ref());
            self.task_mut(&id).deferrals = 0;
        }
        self.set_status(&id, Status::Scheduled);
        self.task_mut(&id).wake_at = call.at;
        let told = right
            .told()
            .with_some("reason", call.reason.as_ref().map(Reason::as_str))
            .with_some("wake_at", call.at.map(kanban_core::Millis::get));
        let told = told.moved(from, Status::Scheduled);
        self.tell(&id, EventKind::Scheduled, told);
        applied(self.ended(&id, right.run))
    }
}

fn told_of(pause: &Pause, actor: &Label) -> Told {
    let told = Told::by(Some(actor)).with_some("reason", pause.reason.as_ref().map(Reason::as_str));
    match &pause.target {
        PauseTarget::Board => told.with("target", "board"),
        PauseTarget::Assignee(name) => told.with("target", json!({ "assignee": name.as_str() })),
    }
}

fn block_kind(kind: WorkerBlockKind) -> BlockKind {
    match kind {
        WorkerBlockKind::NeedsInput => BlockKind::NeedsInput,
        WorkerBlockKind::Capability => BlockKind::Capability,
        WorkerBlockKind::Transient => BlockKind::Transient,
        WorkerBlockKind::Other => BlockKind::Other,
        WorkerBlockKind::Dependency => unreachable!("a dependency never ends in blocked"),
    }
}
