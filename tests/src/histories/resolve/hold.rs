//! Holding work back, and reviewing it.

use kanban_core::{
    BlockKind, BlockTask, OnOpenParents, PauseClaims, PauseTarget, Phase, PromoteMode, PromoteTask,
    RequestChanges, RequestReview, ResumeClaims, ScheduleTask, Status, UnblockTask,
    WorkerBlockKind,
};

use crate::calls::{json, who};
use crate::histories::dice::Dice;

fn target(dice: &mut Dice<'_>) -> PauseTarget {
    dice.one(&[
        PauseTarget::Assignee(who("amy")),
        PauseTarget::Assignee(who("bob")),
        PauseTarget::Board,
    ])
}

pub(super) fn pause(dice: &mut Dice<'_>) -> PauseClaims {
    PauseClaims {
        target: target(dice),
        actor: dice.actor(),
        reason: dice.reason(),
    }
}

pub(super) fn resume(dice: &mut Dice<'_>) -> ResumeClaims {
    let paused: Vec<PauseTarget> = dice.board.pauses.iter().map(|p| p.target.clone()).collect();
    let target = if paused.is_empty() || dice.chance(10) {
        target(dice)
    } else {
        dice.one(&paused)
    };
    let actor = dice.actor();
    ResumeClaims { target, actor }
}

pub(super) fn block(dice: &mut Dice<'_>) -> BlockTask {
    let task = dice.task_in(&[Status::Running]);
    let kind = dice.one(&[
        WorkerBlockKind::NeedsInput,
        WorkerBlockKind::Other,
        WorkerBlockKind::Dependency,
        WorkerBlockKind::Other,
        WorkerBlockKind::Capability,
        WorkerBlockKind::Dependency,
        WorkerBlockKind::Transient,
    ]);
    let streak = dice.board.find(&task).and_then(|d| d.task.block_streak);
    // Once more for the same reason, so that the streak is brought to its end.
    let kind = match streak.map(|streak| streak.kind) {
        Some(BlockKind::Other) if dice.chance(50) => WorkerBlockKind::Other,
        Some(BlockKind::NeedsInput) if dice.chance(50) => WorkerBlockKind::NeedsInput,
        _ => kind,
    };
    let on = if kind == WorkerBlockKind::Dependency {
        dice.few(65)
    } else {
        dice.few(2)
    };
    BlockTask {
        authority: dice.authority(&task),
        kind,
        reason: dice.reason(),
        on,
        expected_version: dice.version(&task),
        task,
    }
}

pub(super) fn unblock(dice: &mut Dice<'_>) -> UnblockTask {
    let task = dice.task_in(&[Status::Blocked, Status::Scheduled]);
    let actor = dice.actor();
    UnblockTask { task, actor }
}

pub(super) fn promote(dice: &mut Dice<'_>) -> PromoteTask {
    let task = dice.task(|task| {
        task.not_before.is_some()
            || matches!(
                task.status,
                Status::Todo | Status::Scheduled | Status::Blocked
            )
    });
    PromoteTask {
        task,
        actor: dice.actor(),
        open_parents: dice.one(&[OnOpenParents::Refuse, OnOpenParents::Unlink]),
        mode: dice.one(&[PromoteMode::Apply, PromoteMode::Apply, PromoteMode::DryRun]),
    }
}

pub(super) fn schedule(dice: &mut Dice<'_>) -> ScheduleTask {
    let task = dice.any();
    ScheduleTask {
        authority: dice.authority(&task),
        at: dice.some(70, Dice::time),
        reason: dice.reason(),
        expected_version: dice.version(&task),
        task,
    }
}

pub(super) fn request_review(dice: &mut Dice<'_>) -> RequestReview {
    let task = dice.task_in(&[Status::Running, Status::Ready]);
    RequestReview {
        authority: dice.authority(&task),
        summary: dice.some(60, Dice::note),
        metadata: dice.some(20, |_| json(r#"{"diff":3}"#)),
        reviewer: dice.some(60, |dice| dice.one(&[who("rita"), who("bob")])),
        task,
    }
}

pub(super) fn request_changes(dice: &mut Dice<'_>) -> RequestChanges {
    let task = dice.task(|task| {
        task.status == Status::Review
            || (task.status == Status::Running && task.phase == Phase::Review)
    });
    RequestChanges {
        authority: dice.authority(&task),
        reason: dice.reason(),
        task,
    }
}
