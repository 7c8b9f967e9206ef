//! Questions.

use kanban_core::{
    EventFilter, EventId, EventKind, Events, GraphOf, Kin, List, ListCursor, ListOrder, OfTask,
    Phase, Status, SubscriptionsAfter, TaskId,
};

use crate::calls::label;
use crate::histories::call::Call;
use crate::histories::dice::Dice;

pub(super) fn question(dice: &mut Dice<'_>) -> Call {
    match dice.below(20) {
        0 if dice.chance(10) => Call::Task(crate::calls::task_id("t_nobody")),
        0 => Call::Task(dice.any()),
        1 => Call::Tasks(ids(dice)),
        2 => Call::IdsByPrefix(prefix(dice), dice.limit()),
        3..6 => Call::List(list(dice)),
        6 => Call::Parents(kin(dice)),
        7 => Call::Children(kin(dice)),
        8 => Call::Graph(GraphOf {
            task: dice.any(),
            depth: dice.one(&[1, 0, 2, u32::MAX]),
        }),
        9 => Call::Runs(of(dice, kanban_core::RunId::new)),
        10 => Call::Comments(of(dice, kanban_core::CommentId::new)),
        11 => Call::Attachments(of(dice, kanban_core::AttachmentId::new)),
        12 => Call::LatestSummaries(ids(dice)),
        13 => Call::Pauses,
        14 => Call::Policy,
        15 => Call::Stats,
        16 => Call::Events(events(dice)),
        17 => Call::Subscriptions(SubscriptionsAfter {
            task: dice.some(60, Dice::any),
            after: dice.some(30, |dice| {
                kanban_core::SubscriptionId::new(dice.below(9) as u64)
            }),
            limit: dice.limit(),
        }),
        18 => Call::Pending(dice.limit()),
        _ => Call::Reached,
    }
}

fn ids(dice: &mut Dice<'_>) -> Vec<TaskId> {
    match dice.below(40) {
        36.. => vec![crate::calls::task_id("t_nobody"); 1001],
        _ => dice.few(95),
    }
}

fn prefix(dice: &mut Dice<'_>) -> String {
    let id = dice.any();
    let texts = [
        "",
        "t_",
        "x",
        id.as_str(),
        &id.as_str()[..7.min(id.as_str().len())],
    ];
    dice.one(&texts).to_owned()
}

fn list(dice: &mut Dice<'_>) -> List {
    List {
        statuses: match dice.below(6) {
            0 => Vec::new(),
            1 => vec![Status::Running, Status::Ready, Status::Running],
            2 => vec![Status::Done, Status::Archived],
            _ => Status::ALL.to_vec(),
        },
        assignee: dice.some(25, Dice::assignee),
        tenant: dice.some(15, |_| label("acme")),
        parent: dice.some(15, Dice::any),
        phase: dice.some(15, |dice| dice.one(Phase::ALL)),
        order: dice.one(&[
            ListOrder::Priority,
            ListOrder::Oldest,
            ListOrder::Newest,
            ListOrder::Updated,
        ]),
        after: dice.some(3, |_| ListCursor::from_text("made up")),
        limit: dice.limit(),
    }
}

fn kin(dice: &mut Dice<'_>) -> Kin {
    Kin {
        task: dice.any(),
        after: dice.some(20, Dice::any),
        limit: dice.limit(),
    }
}

fn of<I>(dice: &mut Dice<'_>, id: impl FnOnce(u64) -> I) -> OfTask<I> {
    OfTask {
        task: dice.any(),
        after: dice.some(20, |dice| id(dice.below(9) as u64)),
        limit: dice.limit(),
    }
}

fn events(dice: &mut Dice<'_>) -> Events {
    let newest = dice.board.counters.event.get();
    let kinds = match dice.below(20) {
        14..17 => vec![EventKind::Created, EventKind::Completed],
        17 => vec![EventKind::from("made_up")],
        18 => vec![EventKind::Claimed; 101],
        _ => Vec::new(),
    };
    Events {
        after: EventId::new(dice.one(&[0, newest / 2, newest, newest + 5])),
        limit: dice.limit(),
        filter: EventFilter {
            task: dice.some(30, Dice::any),
            kinds,
        },
    }
}
