//! Removing old events: those of tasks that were settled long ago.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::model::{
    Event, EventId, EventKind, Millis, Scope, Subscription, SubscriptionId, Task, TaskId,
};
use crate::request::{CollectEvents, Covered, More};
use crate::rules::draft::{Decided, Draft};
use crate::rules::links::SUBSCRIPTIONS_MAX;
use crate::rules::settle::PAGE;
use crate::rules::{Command, Question, check_limit};
use crate::view::View;

use super::count;

/// How many events one call may remove.
const COLLECTED_MAX: usize = 10_000;
/// From how many on marks are taken off although nothing was removed: a write that nobody sees is worth it only
/// where the next call would pass over that many tasks for nothing.
const MARKS_MIN: usize = 1000;

impl Command for CollectEvents {
    type Answer = (u64, More);

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<(u64, More)> {
        check_limit(self.limit, COLLECTED_MAX)?;
        let until = draft.now().before(self.older_than);
        let mut removed = Vec::new();
        let mut take = |event: EventId| {
            if removed.len() == self.limit {
                return More::More;
            }
            removed.push(event);
            More::Finished
        };
        let mut sweep = Sweep {
            view: draft.view(),
            take: &mut take,
            // Rows too, so the limit holds for them; the rest keeps its mark for the next call.
            marks_max: self.limit.max(MARKS_MIN),
            swept: Vec::new(),
        };
        let more = sweep.run(self.covered, until)?;
        let swept = sweep.swept;
        if !removed.is_empty() || swept.len() >= MARKS_MIN {
            for mut task in swept {
                task.collectable = false;
                draft.put_task(task)?;
            }
        }
        if let Some(greatest) = removed.iter().max() {
            let board = draft.board_mut();
            board.horizon = board.horizon.max(*greatest);
        }
        let count_removed = removed.len() as u64;
        for event in removed {
            draft.remove_event(event);
        }
        Ok(count(count_removed, more))
    }
}

/// Asks how many events there are to collect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collectable {
    pub(crate) covered: Covered,
    /// Of tasks settled by then.
    pub(crate) until: Millis,
}

impl Question for Collectable {
    type Answer = u64;

    fn ask(&self, view: &dyn View) -> Result<u64> {
        let mut events = 0;
        let mut take = |_| {
            events += 1;
            More::Finished
        };
        let mut sweep = Sweep {
            view,
            take: &mut take,
            marks_max: 0,
            swept: Vec::new(),
        };
        sweep.run(self.covered, self.until)?;
        Ok(events)
    }
}

struct Sweep<'a> {
    view: &'a dyn View,
    /// Takes an event; `More` if that is one too many.
    take: &'a mut dyn FnMut(EventId) -> More,
    marks_max: usize,
    /// Tasks on which nothing is left for later calls: they lose their mark.
    swept: Vec<Task>,
}

impl Sweep<'_> {
    fn run(&mut self, covered: Covered, until: Millis) -> Result<More> {
        match covered {
            Covered::Keep => self.marked_tasks(until),
            Covered::Remove => self.log(until),
        }
    }

    /// What can go without being asked for, task by task.
    fn marked_tasks(&mut self, until: Millis) -> Result<More> {
        let board_wide = Undelivered::of_board(self.view)?;
        let mut after: Option<(Millis, TaskId)> = None;
        loop {
            let place = after.as_ref().map(|(at, id)| (*at, id));
            let page = self.view.collectable(until, place, PAGE)?;
            let is_last = page.len() < PAGE;
            after = page
                .last()
                .and_then(|last| Some((last.settled_at?, last.id.clone())));
            for task in page {
                match self.task(&task, &board_wide)? {
                    Rest::LimitReached => return Ok(More::More),
                    Rest::Nothing if self.swept.len() < self.marks_max => self.swept.push(task),
                    Rest::Nothing | Rest::Undelivered => {}
                }
            }
            if is_last || after.is_none() {
                return Ok(More::Finished);
            }
        }
    }

    fn task(&mut self, task: &Task, board_wide: &Undelivered) -> Result<Rest> {
        let mut undelivered = board_wide.clone();
        let scope = Scope::Task(task.id.clone());
        for subscription in self
            .view
            .subscriptions_of(&scope, None, SUBSCRIPTIONS_MAX)?
        {
            undelivered.add(&subscription);
        }
        let mut rest = Rest::Nothing;
        let mut after = EventId::default();
        loop {
            let page = self.view.events_of(&task.id, after, PAGE)?;
            for event in &page {
                after = event.id;
                if is_kept(&event.kind) {
                    continue;
                }
                if undelivered.has(event) {
                    rest = Rest::Undelivered;
                } else if (self.take)(event.id) == More::More {
                    return Ok(Rest::LimitReached);
                }
            }
            if page.len() < PAGE {
                return Ok(rest);
            }
        }
    }

    /// Every event of such tasks, along the log: the marks do not tell of the events that are kept unless asked
    /// for.
    fn log(&mut self, until: Millis) -> Result<More> {
        let mut is_old: BTreeMap<TaskId, bool> = BTreeMap::new();
        let mut after = EventId::default();
        loop {
            let page = self.view.events(after, PAGE)?;
            for event in &page {
                after = event.id;
                let Some(task) = &event.task else { continue };
                let goes = if let Some(known) = is_old.get(task) {
                    *known
                } else {
                    let settled_at = self.view.task(task)?.and_then(|task| task.settled_at);
                    let found = settled_at.is_some_and(|at| at <= until);
                    is_old.insert(task.clone(), found);
                    found
                };
                if goes && (self.take)(event.id) == More::More {
                    return Ok(More::More);
                }
            }
            if page.len() < PAGE {
                return Ok(More::Finished);
            }
        }
    }
}

/// What is left of a task's events for a later call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    Undelivered,
    LimitReached,
}

/// The events by which history can be told; they go only if asked for.
const fn is_kept(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Created | EventKind::Claimed | EventKind::Completed
    )
}

/// Which events somebody has still to hear of: those after the least cursor.
#[derive(Debug, Clone, Default)]
struct Undelivered {
    of_any_kind: Option<EventId>,
    of_kind: BTreeMap<EventKind, EventId>,
}

impl Undelivered {
    /// To the subscribers of the whole board.
    fn of_board(view: &dyn View) -> Result<Self> {
        let mut all = Self::default();
        let mut after: Option<SubscriptionId> = None;
        loop {
            let page = view.subscriptions_of(&Scope::Board, after, PAGE)?;
            for subscription in &page {
                all.add(subscription);
            }
            after = page.last().map(|last| last.id);
            if page.len() < PAGE {
                return Ok(all);
            }
        }
    }

    fn add(&mut self, subscription: &Subscription) {
        let cursor = subscription.cursor;
        if subscription.kinds.is_empty() {
            self.of_any_kind = Some(self.of_any_kind.map_or(cursor, |least| least.min(cursor)));
        }
        for kind in &subscription.kinds {
            let least = self.of_kind.entry(kind.clone()).or_insert(cursor);
            *least = cursor.min(*least);
        }
    }

    fn has(&self, event: &Event) -> bool {
        let is_after = |cursor: EventId| cursor < event.id;
        self.of_any_kind.is_some_and(is_after)
            || self.of_kind.get(&event.kind).copied().is_some_and(is_after)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::change::Change;
    use crate::memory::{event, subscription, task_id};
    use crate::model::Status;
    use crate::rules::testbed::Testbed;

    fn collect(limit: usize) -> CollectEvents {
        CollectEvents {
            older_than: Duration::from_secs(100),
            limit,
            covered: Covered::Keep,
        }
    }

    fn collect_all(limit: usize) -> CollectEvents {
        CollectEvents {
            covered: Covered::Remove,
            ..collect(limit)
        }
    }

    fn settled(bed: &mut Testbed, id: &str, at: i64) {
        bed.put(id, |task| {
            task.status = Status::Done;
            task.completed_at = Some(Millis::new(at));
            task.settled_at = Some(Millis::new(at));
            task.collectable = true;
        });
    }

    /// Events 1 to 6 of `a`, 7 and 8 of `b`, 9 of `young`, 10 of `open`, 11 of the board.
    fn with_events() -> Testbed {
        let mut bed = Testbed::new();
        settled(&mut bed, "a", 900_000);
        settled(&mut bed, "b", 800_000);
        settled(&mut bed, "young", 900_001);
        bed.put("open", |_| {});
        for (task, kind) in [
            (Some("a"), EventKind::Created),
            (Some("a"), EventKind::Assigned),
            (Some("a"), EventKind::Claimed),
            (Some("a"), EventKind::Spawned),
            (Some("a"), EventKind::Heartbeat),
            (Some("a"), EventKind::Completed),
            (Some("b"), EventKind::Updated),
            (Some("b"), EventKind::Completed),
            (Some("young"), EventKind::Updated),
            (Some("open"), EventKind::Updated),
            (None, EventKind::Paused),
        ] {
            bed.board.put_event(event(task, kind));
        }
        bed
    }

    fn subscribe(bed: &mut Testbed, scope: Scope, cursor: u64, kinds: &[EventKind]) {
        let mut row = subscription(bed.board.subscriptions.len() as u64 + 1, scope);
        row.cursor = EventId::new(cursor);
        row.kinds = kinds.to_vec();
        bed.put_subscription(row);
    }

    fn remaining(bed: &Testbed) -> Vec<u64> {
        bed.board.events.keys().map(|id| id.get()).collect()
    }

    #[test]
    fn old_events_of_settled_tasks_go() {
        let bed = with_events();
        let (answer, changes) = bed.changes(&collect(4));
        assert_eq!(answer, (4, More::Finished));
        let mut want = bed.expect();
        want.state.horizon = EventId::new(7);
        for id in ["a", "b"] {
            want.task(id, |task| task.collectable = false);
        }
        // Settled first, collected first.
        for id in [7, 2, 4, 5] {
            want.push(Change::RemoveEvent(EventId::new(id)));
        }
        assert_eq!(changes, want.list());
    }

    #[test]
    fn a_limit_is_met_in_several_calls() {
        let mut bed = with_events();
        assert_eq!(bed.write(&collect(3)), (3, More::More));
        assert_eq!(bed.board.state.horizon, EventId::new(7));
        assert!(bed.task("a").collectable && !bed.task("b").collectable);
        assert_eq!(bed.write(&collect(3)), (1, More::Finished));
        assert_eq!(
            bed.board.state.horizon,
            EventId::new(7),
            "it never goes back"
        );
        assert_eq!(bed.unchanged(&collect(3)), (0, More::Finished));
        assert_eq!(remaining(&bed), [1, 3, 6, 8, 9, 10, 11]);
    }

    #[test]
    fn undelivered_events_stay_and_starve_nobody() {
        let mut bed = with_events();
        subscribe(&mut bed, Scope::Task(task_id("b")), 0, &[]);
        subscribe(&mut bed, Scope::Board, 4, &[EventKind::Heartbeat]);
        subscribe(&mut bed, Scope::Board, 0, &[EventKind::Unlinked]);
        let (answer, changes) = bed.changes(&collect(100));
        assert_eq!(answer, (2, More::Finished));
        let mut want = bed.expect();
        want.state.horizon = EventId::new(4);
        for id in [2, 4] {
            want.push(Change::RemoveEvent(EventId::new(id)));
        }
        assert_eq!(changes, want.list(), "both tasks keep their mark");

        bed.write(&collect(100));
        for row in bed.board.subscriptions.values_mut() {
            row.cursor = EventId::new(11);
        }
        assert_eq!(bed.write(&collect(100)), (2, More::Finished));
        assert_eq!(remaining(&bed), [1, 3, 6, 8, 9, 10, 11]);
    }

    #[test]
    fn everything_of_old_tasks_goes_if_asked_for() {
        let mut bed = with_events();
        subscribe(&mut bed, Scope::Board, 0, &[]);
        let (answer, changes) = bed.changes(&collect_all(5));
        assert_eq!(answer, (5, More::More));
        let mut want = bed.expect();
        want.state.horizon = EventId::new(5);
        for id in 1..=5 {
            want.push(Change::RemoveEvent(EventId::new(id)));
        }
        assert_eq!(changes, want.list());
        bed.write(&collect_all(5));
        assert_eq!(bed.write(&collect_all(5)), (3, More::Finished));
        assert_eq!(remaining(&bed), [9, 10, 11]);
        assert_eq!(bed.unchanged(&collect_all(5)), (0, More::Finished));
    }

    #[test]
    fn what_was_kept_goes_later_if_asked_for() {
        let mut bed = with_events();
        bed.write(&collect(100));
        assert_eq!(bed.write(&collect_all(100)), (4, More::Finished));
        assert_eq!(remaining(&bed), [9, 10, 11]);
    }

    #[test]
    fn marks_alone_are_taken_off_only_by_the_thousand() {
        let mut bed = Testbed::new();
        for number in 1..MARKS_MIN {
            let id = format!("t{number}");
            settled(&mut bed, &id, 5);
            bed.board.put_event(event(Some(&id), EventKind::Completed));
        }
        assert_eq!(bed.unchanged(&collect(1)), (0, More::Finished));
        settled(&mut bed, "one_more", 5);
        let (answer, changes) = bed.changes(&collect(1));
        assert_eq!(answer, (0, More::Finished));
        assert_eq!(changes.len(), 1 + MARKS_MIN);
        bed.write(&collect(1));
        assert!(bed.board.tasks.values().all(|task| !task.collectable));
    }

    #[test]
    fn one_call_takes_off_a_thousand_marks_or_its_limit() {
        let mut bed = Testbed::new();
        for number in 0..MARKS_MIN + 3 {
            let id = format!("t{number}");
            settled(&mut bed, &id, 5);
            bed.board.put_event(event(Some(&id), EventKind::Completed));
        }
        let (_, changes) = bed.changes(&collect(1));
        assert_eq!(changes.len(), 1 + MARKS_MIN);
        let (_, changes) = bed.changes(&collect(MARKS_MIN + 2));
        assert_eq!(changes.len(), 1 + MARKS_MIN + 2);
    }

    #[test]
    fn what_can_be_collected_is_counted_as_it_is_removed() {
        let mut bed = with_events();
        subscribe(&mut bed, Scope::Task(task_id("b")), 0, &[]);
        for collect in [collect(2), collect_all(2)] {
            let question = Collectable {
                covered: collect.covered,
                until: Millis::new(900_000),
            };
            let counted = question.ask(&bed.board).unwrap();
            let mut removed = 0;
            loop {
                let (step, more) = bed.write(&collect);
                removed += step;
                if more == More::Finished {
                    break;
                }
            }
            assert!(removed > 0, "there is something to collect");
            assert_eq!(counted, removed);
            assert_eq!(question.ask(&bed.board).unwrap(), 0);
        }
    }

    #[test]
    fn a_collection_of_none_or_too_many_is_invalid() {
        let bed = Testbed::new();
        assert_eq!(bed.invalid(&collect(0)), "limit");
        assert_eq!(bed.invalid(&collect(COLLECTED_MAX + 1)), "limit");
        assert_eq!(bed.unchanged(&collect(COLLECTED_MAX)), (0, More::Finished));
    }
}
