//! Questions about the log and who must hear of it.

use crate::error::{Invalid, Result};
use crate::model::{
    Event, EventId, EventKind, Millis, Scope, Subscription, SubscriptionId, TaskId,
};
use crate::request::{EventFilter, EventPage, Events, SubscriptionsAfter};
use crate::rules::{KINDS_MAX, Question};
use crate::view::View;

use super::super::subscribe::held_until;
use super::{LOOKED_AT_MAX, PAGE_MAX, check_page};

impl Question for Events {
    type Answer = EventPage;

    fn ask(&self, view: &dyn View) -> Result<EventPage> {
        check_page(self.limit)?;
        let EventFilter { task, kinds } = &self.filter;
        if kinds.len() > KINDS_MAX {
            return Err(Invalid::too_many("kinds", KINDS_MAX, kinds.len()).into());
        }
        let board = view.board()?;
        let stretch = Stretch {
            task: task.as_ref(),
            kinds,
            after: self.after,
        };
        let mut looks = LOOKED_AT_MAX;
        let found = stretch.find(view, self.limit, &mut looks)?;
        let through = if found.is_end {
            board.counters.event.max(self.after)
        } else {
            found.through
        };
        Ok(EventPage {
            truncated: Some(board.horizon).filter(|horizon| *horizon > self.after),
            events: found.events,
            through,
        })
    }
}

impl Question for SubscriptionsAfter {
    type Answer = Vec<Subscription>;

    fn ask(&self, view: &dyn View) -> Result<Vec<Subscription>> {
        check_page(self.limit)?;
        match &self.task {
            Some(task) => view.subscriptions_of(&Scope::Task(task.clone()), self.after, self.limit),
            None => view.subscriptions(self.after, self.limit),
        }
    }
}

/// Asks for the subscriptions that have news which nobody has leased, by id.
///
/// News are events after the cursor of the kinds wanted. Where kinds are named, they must be looked for: all
/// subscriptions together look at 10,000 events at most. Once that many were looked at, a subscription with any event
/// after its cursor is answered too: none is ever missed, and a lease of its events that finds none of the kinds moves
/// the cursor on, so the next look is shorter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    pub(crate) limit: usize,
    /// When: a lease or a wait that ends by then holds nothing back.
    pub(crate) now: Millis,
}

impl Question for Pending {
    type Answer = Vec<Subscription>;

    fn ask(&self, view: &dyn View) -> Result<Vec<Subscription>> {
        check_page(self.limit)?;
        let mut looks = LOOKED_AT_MAX;
        let mut pending = Vec::new();
        let mut after: Option<SubscriptionId> = None;
        loop {
            let page = view.subscriptions(after, PAGE_MAX)?;
            let is_end = page.len() < PAGE_MAX;
            after = page.last().map(|subscription| subscription.id);
            for subscription in page {
                let is_held = held_until(&subscription, self.now).is_some();
                if !is_held && has_news(view, &subscription, &mut looks)? {
                    pending.push(subscription);
                    if pending.len() == self.limit {
                        return Ok(pending);
                    }
                }
            }
            if is_end {
                return Ok(pending);
            }
        }
    }
}

fn has_news(view: &dyn View, subscription: &Subscription, looks: &mut usize) -> Result<bool> {
    let task = subscription.scope.task();
    let after = subscription.cursor;
    let has_any = match task {
        Some(task) => view.last_event_of(task)? > Some(after),
        None => !view.events(after, 1)?.is_empty(),
    };
    if !has_any || subscription.kinds.is_empty() {
        return Ok(has_any);
    }
    let found = Stretch::of(subscription).find(view, 1, looks)?;
    Ok(!found.events.is_empty() || !found.is_end)
}

/// A part of the log in which something is looked for.
pub(in crate::rules) struct Stretch<'a> {
    /// Of this task only.
    task: Option<&'a TaskId>,
    /// Of these kinds only; empty means all.
    kinds: &'a [EventKind],
    after: EventId,
}

pub(in crate::rules) struct Found {
    pub(in crate::rules) events: Vec<Event>,
    /// The last event looked at.
    pub(in crate::rules) through: EventId,
    /// Whether the log ended.
    is_end: bool,
}

impl<'a> Stretch<'a> {
    /// What a subscription has still to hear of.
    pub(in crate::rules) fn of(subscription: &'a Subscription) -> Self {
        Self {
            task: subscription.scope.task(),
            kinds: &subscription.kinds,
            after: subscription.cursor,
        }
    }

    /// Looks for events until there are enough, or the log or the number of looks ends.
    pub(in crate::rules) fn find(
        &self,
        view: &dyn View,
        limit: usize,
        looks: &mut usize,
    ) -> Result<Found> {
        let mut found = Found {
            events: Vec::new(),
            through: self.after,
            is_end: false,
        };
        // Among others the kinds wanted are rare or not: the pages grow as long as too few are found.
        let mut page_len = limit;
        while *looks > 0 {
            let wanted = match self.kinds {
                [] => limit - found.events.len(),
                _ => page_len.min(PAGE_MAX),
            };
            page_len = page_len.saturating_mul(8);
            let wanted = wanted.min(*looks);
            let page = match self.task {
                Some(task) => view.events_of(task, found.through, wanted)?,
                None => view.events(found.through, wanted)?,
            };
            let is_end = page.len() < wanted;
            for event in page {
                *looks -= 1;
                found.through = event.id;
                if self.kinds.is_empty() || self.kinds.contains(&event.kind) {
                    found.events.push(event);
                }
                if found.events.len() == limit {
                    return Ok(found);
                }
            }
            if is_end {
                found.is_end = true;
                break;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::refused_for;
    use super::*;
    use crate::memory::{MemoryBoard, event, subscription, task, task_id};
    use crate::model::{Lease, LeaseId};

    const fn id(number: u64) -> EventId {
        EventId::new(number)
    }

    fn board() -> MemoryBoard {
        let mut board = MemoryBoard::new();
        board.put_task(task("t_1"));
        board.put_task(task("t_2"));
        board.put_event(event(Some("t_1"), EventKind::Created));
        board.put_event(event(Some("t_2"), EventKind::Created));
        board.put_event(event(Some("t_1"), EventKind::Updated));
        board.put_event(event(None, EventKind::Paused));
        board
    }

    fn ask(board: &MemoryBoard, after: u64, limit: usize, filter: EventFilter) -> EventPage {
        let after = id(after);
        let events = Events {
            after,
            limit,
            filter,
        };
        events.ask(board).unwrap()
    }

    fn ids(page: &EventPage) -> Vec<u64> {
        page.events.iter().map(|event| event.id.get()).collect()
    }

    #[test]
    fn events_are_paged_and_filtered() {
        let board = board();
        let all = ask(&board, 0, 10, EventFilter::default());
        assert_eq!(
            (ids(&all), all.through, all.truncated),
            (vec![1, 2, 3, 4], id(4), None)
        );
        let page = ask(&board, 1, 2, EventFilter::default());
        assert_eq!((ids(&page), page.through), (vec![2, 3], id(3)));
        let of_task = EventFilter {
            task: Some(task_id("t_1")),
            kinds: Vec::new(),
        };
        let page = ask(&board, 0, 10, of_task);
        assert_eq!((ids(&page), page.through), (vec![1, 3], id(4)));
        let of_kind = EventFilter {
            task: None,
            kinds: vec![EventKind::Created, EventKind::Paused],
        };
        let page = ask(&board, 1, 1, of_kind.clone());
        assert_eq!((ids(&page), page.through), (vec![2], id(2)));
        let page = ask(&board, 2, 10, of_kind);
        assert_eq!((ids(&page), page.through), (vec![4], id(4)));
        // Ahead of the log, nothing is found, and the place is kept.
        let page = ask(&board, 9, 1, EventFilter::default());
        assert_eq!((ids(&page), page.through), (vec![], id(9)));
    }

    #[test]
    fn a_page_of_events_says_what_gc_removed() {
        let mut board = board();
        board.events.remove(&id(1));
        board.events.remove(&id(3));
        board.state.horizon = id(3);
        assert_eq!(
            ask(&board, 0, 9, EventFilter::default()).truncated,
            Some(id(3))
        );
        assert_eq!(
            ask(&board, 2, 9, EventFilter::default()).truncated,
            Some(id(3))
        );
        assert_eq!(ask(&board, 3, 9, EventFilter::default()).truncated, None);
    }

    #[test]
    fn a_page_looks_at_10_000_events() {
        let mut board = MemoryBoard::new();
        for _ in 0..10_001 {
            board.put_event(event(None, EventKind::Paused));
        }
        board.put_event(event(None, EventKind::Resumed));
        let filter = EventFilter {
            task: None,
            kinds: vec![EventKind::Resumed],
        };
        let page = ask(&board, 0, 9, filter.clone());
        assert_eq!((ids(&page), page.through), (vec![], id(10_000)));
        let page = ask(&board, 10_000, 9, filter);
        assert_eq!((ids(&page), page.through), (vec![10_002], id(10_002)));
    }

    #[test]
    fn arguments_out_of_bounds_are_refused() {
        let board = board();
        let events = |limit, kinds: usize| {
            let kinds = vec![EventKind::Created; kinds];
            let after = id(0);
            let filter = EventFilter { task: None, kinds };
            Events {
                after,
                limit,
                filter,
            }
            .ask(&board)
        };
        assert_eq!(refused_for(events(0, 0)), "limit");
        assert_eq!(refused_for(events(1001, 0)), "limit");
        assert_eq!(refused_for(events(1, 101)), "kinds");
        events(1000, 100).unwrap();
        let now = Millis::new(0);
        assert_eq!(refused_for(Pending { limit: 0, now }.ask(&board)), "limit");
        let subscriptions = SubscriptionsAfter {
            task: None,
            after: None,
            limit: 0,
        };
        assert_eq!(refused_for(subscriptions.ask(&board)), "limit");
    }

    #[test]
    fn subscriptions_are_listed_of_one_task_or_all() {
        let mut board = board();
        for (number, scope) in [
            (1, Scope::Task(task_id("t_1"))),
            (2, Scope::Board),
            (3, Scope::Task(task_id("t_1"))),
        ] {
            let row = subscription(number, scope);
            board.subscriptions.insert(row.id, row);
        }
        let ask = |task: Option<&str>, after: Option<u64>| -> Vec<u64> {
            let question = SubscriptionsAfter {
                task: task.map(task_id),
                after: after.map(SubscriptionId::new),
                limit: 10,
            };
            let found = question.ask(&board).unwrap();
            found.iter().map(|row| row.id.get()).collect()
        };
        assert_eq!(ask(None, None), [1, 2, 3]);
        assert_eq!(ask(None, Some(1)), [2, 3]);
        assert_eq!(ask(Some("t_1"), None), [1, 3]);
        assert_eq!(ask(Some("t_none"), None), [0; 0]);
    }

    fn pending(board: &MemoryBoard, now: i64, limit: usize) -> Vec<u64> {
        let now = Millis::new(now);
        let found = Pending { limit, now }.ask(board).unwrap();
        found.iter().map(|row| row.id.get()).collect()
    }

    #[test]
    fn pending_are_those_with_news_of_their_kinds() {
        let mut board = board();
        let mut add = |number, scope, cursor, kinds: &[EventKind]| {
            let mut row = subscription(number, scope);
            row.cursor = id(cursor);
            row.kinds = kinds.to_vec();
            board.subscriptions.insert(row.id, row);
        };
        let of = |task: &str| Scope::Task(task_id(task));
        add(1, of("t_1"), 1, &[]);
        add(2, of("t_1"), 3, &[]);
        add(3, of("t_2"), 1, &[EventKind::Updated]);
        add(4, of("t_1"), 1, &[EventKind::Updated]);
        add(5, Scope::Board, 3, &[]);
        add(6, Scope::Board, 4, &[]);
        add(7, Scope::Board, 3, &[EventKind::Created]);
        add(8, Scope::Board, 2, &[EventKind::Paused]);
        assert_eq!(pending(&board, 0, 10), [1, 4, 5, 8]);
        assert_eq!(pending(&board, 0, 2), [1, 4]);
    }

    #[test]
    fn a_lease_or_a_wait_holds_a_subscription_back_until_it_ends() {
        let mut board = board();
        let mut leased = subscription(1, Scope::Board);
        leased.lease = Some(Lease {
            id: LeaseId::new(1),
            until: Millis::new(10),
            through: id(4),
        });
        let mut waits = subscription(2, Scope::Board);
        waits.retry_at = Some(Millis::new(20));
        board.subscriptions.insert(leased.id, leased);
        board.subscriptions.insert(waits.id, waits);
        assert_eq!(pending(&board, 9, 10), [0; 0]);
        assert_eq!(pending(&board, 10, 10), [1]);
        assert_eq!(pending(&board, 20, 10), [1, 2]);
    }

    #[test]
    fn a_subscription_that_was_not_looked_through_is_pending() {
        let mut board = MemoryBoard::new();
        for _ in 0..10_001 {
            board.put_event(event(None, EventKind::Paused));
        }
        for (number, cursor) in [(1, 2), (2, 10_000), (3, 10_001)] {
            let mut row = subscription(number, Scope::Board);
            row.kinds = vec![EventKind::Resumed];
            row.cursor = id(cursor);
            board.subscriptions.insert(row.id, row);
        }
        // The first takes all looks but one, so the end of the log after the second's cursor is not seen.
        assert_eq!(pending(&board, 0, 10), [2]);
    }
}
