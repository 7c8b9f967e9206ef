//! Taking work, keeping it and ending it.

use kanban_core::{
    Caps, ClaimFilter, ClaimNext, ClaimTask, Complete, Fail, FailKind, Heartbeat, Phase,
    ReclaimExpired, Release, SetWorker, Status, WakeDue, Who, WorkerProcess,
};

use super::CLAIMABLE;
use crate::calls::{json, label, long, note, who};
use crate::histories::dice::Dice;

pub(super) fn claim(dice: &mut Dice<'_>) -> ClaimTask {
    ClaimTask {
        task: dice.task_in(CLAIMABLE),
        claimant: dice.claimant(),
        ttl: dice.ttl(),
        request_id: dice.key(30),
    }
}

pub(super) fn claim_next(dice: &mut Dice<'_>) -> ClaimNext {
    let names = |dice: &mut Dice<'_>| match dice.below(25) {
        23 => Vec::new(),
        24 => vec![who("amy"); 1001],
        other if other % 2 == 0 => vec![who("amy")],
        _ => vec![who("bob"), who("w2"), who("bob")],
    };
    let who = match dice.below(12) {
        8 => Who::Nobody,
        9 => Who::Only(names(dice)),
        10 | 11 => Who::OnlyOrNobody(names(dice)),
        _ => Who::Anyone,
    };
    ClaimNext {
        filter: ClaimFilter {
            phase: dice.some(20, |dice| dice.one(&[Phase::Work, Phase::Review])),
            who,
            tenant: dice.some(10, |_| label("acme")),
        },
        caps: Caps {
            board: dice.some(15, |dice| dice.one(&[3, 1, 0, 6])),
            assignee: dice.some(20, |dice| dice.one(&[1, 2, 0])),
        },
        claimant: dice.claimant(),
        ttl: dice.ttl(),
        request_id: dice.key(25),
    }
}

pub(super) fn heartbeat(dice: &mut Dice<'_>) -> Heartbeat {
    let task = dice.task_in(&[Status::Running]);
    Heartbeat {
        authority: dice.authority(&task),
        extend: dice.ttl(),
        note: dice.some(40, Dice::note),
        task,
    }
}

pub(super) fn set_worker(dice: &mut Dice<'_>) -> SetWorker {
    let task = dice.task_in(&[Status::Running]);
    let open = dice.board.find(&task).and_then(|d| d.task.claim.as_ref());
    let open = open.map(|claim| claim.run);
    let run = match open {
        Some(run) if !dice.chance(15) => run,
        _ => dice.any_run(),
    };
    SetWorker {
        task,
        run,
        worker: WorkerProcess {
            host: label("host-1"),
            pid: dice.one(&[1, 2]),
            started: dice.some(50, |_| label("noon")),
        },
    }
}

pub(super) fn reclaim(dice: &mut Dice<'_>) -> ReclaimExpired {
    let limit = dice.limit();
    ReclaimExpired { limit }
}

pub(super) fn wake(dice: &mut Dice<'_>) -> WakeDue {
    let limit = dice.limit();
    WakeDue { limit }
}

pub(super) fn complete(dice: &mut Dice<'_>) -> Complete {
    let task = dice.task_in(&[Status::Running]);
    let created_tasks = if dice.chance(10) {
        let made: Vec<_> = dice
            .board
            .tasks
            .iter()
            .filter(|d| d.task.created_from.as_ref() == Some(&task))
            .map(|d| d.task.id.clone())
            .collect();
        if made.is_empty() || dice.chance(50) {
            dice.few(90)
        } else {
            made
        }
    } else {
        Vec::new()
    };
    Complete {
        authority: dice.authority(&task),
        result: dice.some(40, |dice| long(dice.one(&["the result", "größer"]))),
        summary: dice.some(50, Dice::note),
        metadata: dice.some(20, |_| json(r#"{"tests":12}"#)),
        created_tasks,
        task,
    }
}

pub(super) fn fail(dice: &mut Dice<'_>) -> Fail {
    let task = dice.task_in(&[Status::Running]);
    Fail {
        authority: dice.authority(&task),
        kind: dice.one(FailKind::ALL),
        error: dice.some(75, |dice| match dice.below(6) {
            5 => note(&"€".repeat(200)),
            4 => note(&"x".repeat(501)),
            _ => note("it broke"),
        }),
        retry_after: dice.retry(),
        task,
    }
}

pub(super) fn release(dice: &mut Dice<'_>) -> Release {
    let task = dice.task_in(&[Status::Running]);
    Release {
        authority: dice.authority(&task),
        retry_after: dice.retry(),
        task,
    }
}
