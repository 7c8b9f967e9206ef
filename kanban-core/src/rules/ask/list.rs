//! A page of tasks: the narrowest filter picks the index that is walked, the others look at its rows.

use std::collections::VecDeque;

use crate::error::{Invalid, Result};
use crate::model::{Millis, Status, Task, TaskId};
use crate::request::{List, ListCursor, ListOrder, Page};
use crate::view::{ListIndex, ListKey, View};

use super::super::Question;
use super::tasks::all_children;
use super::{LOOKED_AT_MAX, PAGE_MAX, check_page};

impl Question for List {
    type Answer = Page<Task>;

    fn ask(&self, view: &dyn View) -> Result<Page<Task>> {
        check_page(self.limit)?;
        let after = match &self.after {
            Some(cursor) => Some(place_of(cursor, self.order)?),
            None => None,
        };
        let search = Search {
            view,
            list: self,
            statuses: wanted_statuses(&self.statuses),
        };
        match &self.parent {
            Some(parent) => search.among_children(parent, after.as_ref()),
            None => search.along_indexes(after),
        }
    }
}

/// Without any named, all but `archived`. Each once.
fn wanted_statuses(named: &[Status]) -> Vec<Status> {
    let is_wanted = |status: &Status| match named {
        [] => *status != Status::Archived,
        _ => named.contains(status),
    };
    Status::ALL.iter().copied().filter(is_wanted).collect()
}

struct Search<'a> {
    view: &'a dyn View,
    list: &'a List,
    statuses: Vec<Status>,
}

impl Search<'_> {
    /// Looks at all children, which are not too many.
    fn among_children(&self, parent: &TaskId, after: Option<&ListKey>) -> Result<Page<Task>> {
        let order = self.list.order;
        let mut found = Vec::new();
        for id in all_children(self.view, parent, LOOKED_AT_MAX)? {
            let Some(task) = self.view.task(&id)? else {
                continue;
            };
            let key = ListKey::of(order, &task);
            let is_after = after.is_none_or(|after| key.compare(after, order).is_gt());
            if is_after && self.matches(&task) {
                found.push((key, task));
            }
        }
        found.sort_by(|(a, _), (b, _)| a.compare(b, order));
        let is_cut = found.len() > self.list.limit;
        found.truncate(self.list.limit);
        let last = found.last().filter(|_| is_cut);
        Ok(Page {
            next: last.map(|(key, _)| cursor_at(order, key)),
            items: found.into_iter().map(|(_, task)| task).collect(),
        })
    }

    /// Walks the indexes side by side, in order.
    fn along_indexes(&self, after: Option<ListKey>) -> Result<Page<Task>> {
        let order = self.list.order;
        let mut rows = Rows::new(self.view, self.list, self.indexes(), after.as_ref());
        let mut last = after;
        let mut items = Vec::new();
        loop {
            let is_filled = rows.fill()?;
            if !is_filled || items.len() == self.list.limit {
                let goes_on = !is_filled || rows.has_next();
                let next = last.filter(|_| goes_on).map(|key| cursor_at(order, &key));
                return Ok(Page { items, next });
            }
            let Some(task) = rows.take() else {
                return Ok(Page { items, next: None });
            };
            last = Some(ListKey::of(order, &task));
            if self.matches(&task) {
                items.push(task);
            }
        }
    }

    fn indexes(&self) -> Vec<ListIndex> {
        if self.list.order != ListOrder::Priority {
            return vec![ListIndex::All(self.list.order)];
        }
        match (&self.list.assignee, &self.list.tenant) {
            (Some(assignee), _) => vec![ListIndex::Assignee(assignee.clone())],
            (None, Some(tenant)) => vec![ListIndex::Tenant(tenant.clone())],
            (None, None) => self
                .statuses
                .iter()
                .copied()
                .map(ListIndex::Status)
                .collect(),
        }
    }

    fn matches(&self, task: &Task) -> bool {
        let List {
            assignee,
            tenant,
            phase,
            ..
        } = self.list;
        self.statuses.contains(&task.status)
            && assignee
                .as_ref()
                .is_none_or(|assignee| task.assignee == *assignee)
            && tenant
                .as_ref()
                .is_none_or(|tenant| task.tenant.as_ref() == Some(tenant))
            && phase.is_none_or(|phase| task.phase == phase)
    }
}

/// The rows of some indexes, merged.
struct Rows<'a> {
    view: &'a dyn View,
    order: ListOrder,
    sources: Vec<Source>,
    /// How many rows may still be asked for.
    looks: usize,
}

/// One index, read ahead in growing pieces: a first page is cheap, and a long search takes few seeks.
struct Source {
    index: ListIndex,
    after: Option<ListKey>,
    ahead: VecDeque<Task>,
    is_end: bool,
    piece: usize,
}

impl<'a> Rows<'a> {
    fn new(
        view: &'a dyn View,
        list: &List,
        indexes: Vec<ListIndex>,
        after: Option<&ListKey>,
    ) -> Self {
        // One more than the page, shared out: so that a page that ends the list is known to.
        let piece = list.limit / indexes.len().max(1) + 1;
        let source = |index| Source {
            index,
            after: after.cloned(),
            ahead: VecDeque::new(),
            is_end: false,
            piece,
        };
        Self {
            view,
            order: list.order,
            sources: indexes.into_iter().map(source).collect(),
            looks: LOOKED_AT_MAX,
        }
    }

    /// Reads ahead where nothing is left. False if too many rows would be looked at.
    fn fill(&mut self) -> Result<bool> {
        for source in &mut self.sources {
            if source.is_end || !source.ahead.is_empty() {
                continue;
            }
            if self.looks == 0 {
                return Ok(false);
            }
            let wanted = source.piece.min(self.looks);
            let page = self
                .view
                .listed(&source.index, source.after.as_ref(), wanted)?;
            self.looks = self.looks.saturating_sub(page.len());
            source.is_end = page.len() < wanted;
            source.after = page.last().map(|task| ListKey::of(self.order, task));
            source.ahead = page.into();
            source.piece = (source.piece * 2).min(PAGE_MAX);
        }
        Ok(true)
    }

    /// Whether there may be another row.
    fn has_next(&self) -> bool {
        self.sources
            .iter()
            .any(|source| !source.is_end || !source.ahead.is_empty())
    }

    /// The next row of those read ahead.
    fn take(&mut self) -> Option<Task> {
        let order = self.order;
        let heads = self.sources.iter_mut().filter_map(|source| {
            let key = ListKey::of(order, source.ahead.front()?);
            Some((key, source))
        });
        let (_, source) = heads.min_by(|(a, _), (b, _)| a.compare(b, order))?;
        source.ahead.pop_front()
    }
}

/// The first word of a cursor: another form of it gets another number.
const CURSOR_VERSION: &str = "1";

const fn word(order: ListOrder) -> &'static str {
    match order {
        ListOrder::Priority => "priority",
        ListOrder::Oldest => "oldest",
        ListOrder::Newest => "newest",
        ListOrder::Updated => "updated",
    }
}

/// Version, order and key; no part of it has a colon.
fn cursor_at(order: ListOrder, key: &ListKey) -> ListCursor {
    let ListKey { priority, at, id } = key;
    ListCursor(format!(
        "{CURSOR_VERSION}:{}:{priority}:{at}:{id}",
        word(order)
    ))
}

fn place_of(cursor: &ListCursor, order: ListOrder) -> Result<ListKey, Invalid> {
    let parse = || {
        let mut parts = cursor.as_str().split(':');
        let is_ours = parts.next()? == CURSOR_VERSION && parts.next()? == word(order);
        let key = ListKey {
            priority: parts.next()?.parse().ok()?,
            at: Millis::new(parts.next()?.parse().ok()?),
            id: TaskId::new(parts.next()?).ok()?,
        };
        (is_ours && parts.next().is_none()).then_some(key)
    };
    parse().ok_or_else(|| Invalid::malformed("after", "a cursor of a list in this order"))
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::super::tests::refused_for;
    use super::*;
    use crate::memory::{MemoryBoard, label, link, task, task_id};
    use crate::model::{Assignee, Phase};

    const ORDERS: [ListOrder; 4] = [
        ListOrder::Priority,
        ListOrder::Oldest,
        ListOrder::Newest,
        ListOrder::Updated,
    ];

    fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
        rng.choice(from)
            .expect("there is something to pick from")
            .clone()
    }

    fn people() -> [Option<Assignee>; 3] {
        [
            None,
            Some(Assignee::new("ann").unwrap()),
            Some(Assignee::new("bob").unwrap()),
        ]
    }

    fn random_board(rng: &mut Rng, tasks: usize) -> MemoryBoard {
        let mut board = MemoryBoard::new();
        for n in 0..tasks {
            let mut row = task(&format!("t_{n}"));
            row.status = pick(rng, Status::ALL);
            row.phase = pick(rng, Phase::ALL);
            row.priority = rng.i32(-2..2);
            row.created_at = Millis::new(rng.i64(-5..5));
            row.updated_at = Millis::new(rng.i64(-5..5));
            row.assignee = pick(rng, &people());
            row.tenant = rng.bool().then(|| label("tenant"));
            board.put_task(row);
            if n > 0 && rng.bool() {
                board.links.insert(link("t_0", &format!("t_{n}")));
            }
        }
        board
    }

    fn random_list(rng: &mut Rng) -> List {
        let statuses = (0..rng.usize(0..3))
            .map(|_| pick(rng, Status::ALL))
            .collect();
        let maybe = |rng: &mut Rng| rng.u8(..3) == 0;
        List {
            statuses,
            assignee: maybe(rng).then(|| pick(rng, &people())),
            tenant: maybe(rng).then(|| label("tenant")),
            parent: maybe(rng).then(|| task_id("t_0")),
            phase: maybe(rng).then(|| pick(rng, Phase::ALL)),
            order: pick(rng, &ORDERS),
            after: None,
            limit: rng.usize(1..12),
        }
    }

    /// The ids that a list means, by a filter and a sort over all rows.
    fn naive(board: &MemoryBoard, list: &List) -> Vec<String> {
        let mut rows: Vec<&Task> = board.tasks.values().collect();
        if list.statuses.is_empty() {
            rows.retain(|row| row.status != Status::Archived);
        } else {
            rows.retain(|row| list.statuses.contains(&row.status));
        }
        if let Some(assignee) = &list.assignee {
            rows.retain(|row| &row.assignee == assignee);
        }
        if let Some(tenant) = &list.tenant {
            rows.retain(|row| row.tenant.as_ref() == Some(tenant));
        }
        if let Some(parent) = &list.parent {
            rows.retain(|row| {
                board
                    .links
                    .contains(&link(parent.as_str(), row.id.as_str()))
            });
        }
        if let Some(phase) = list.phase {
            rows.retain(|row| row.phase == phase);
        }
        rows.sort_by_key(|row| row.id.clone());
        match list.order {
            ListOrder::Oldest => rows.sort_by_key(|row| row.created_at),
            ListOrder::Priority => {
                rows.sort_by_key(|row| row.created_at);
                rows.sort_by_key(|row| -row.priority);
            }
            ListOrder::Newest => {
                rows.sort_by_key(|row| row.created_at);
                rows.reverse();
            }
            ListOrder::Updated => {
                rows.sort_by_key(|row| row.updated_at);
                rows.reverse();
            }
        }
        rows.iter().map(|row| row.id.to_string()).collect()
    }

    /// All pages' ids, and how many pages there were.
    fn walk(board: &MemoryBoard, mut list: List) -> (Vec<String>, usize) {
        let mut ids = Vec::new();
        let mut pages = 0;
        loop {
            let page = list.ask(board).unwrap();
            assert!(page.items.len() <= list.limit);
            pages += 1;
            assert!(pages <= 1000, "a list ends");
            ids.extend(page.items.iter().map(|row| row.id.to_string()));
            match page.next {
                Some(next) => list.after = Some(ListCursor::from_text(next.as_str())),
                None => return (ids, pages),
            }
        }
    }

    #[test]
    fn pages_hold_every_match_once_in_order() {
        for seed in 0..400 {
            let mut rng = Rng::with_seed(seed);
            let tasks = rng.usize(1..60);
            let board = random_board(&mut rng, tasks);
            for _ in 0..10 {
                let list = random_list(&mut rng);
                let expected = naive(&board, &list);
                let found = walk(&board, list.clone()).0;
                assert_eq!(found, expected, "seed {seed}, {list:?}");
            }
        }
    }

    #[test]
    fn a_page_that_ends_the_list_says_so() {
        let mut board = MemoryBoard::new();
        for n in 0..4 {
            board.put_task(task(&format!("t_{n}")));
        }
        for order in ORDERS {
            let list = List {
                order,
                limit: 2,
                ..List::default()
            };
            assert_eq!(walk(&board, list).1, 2, "{order:?}");
        }
    }

    #[test]
    fn a_page_looks_at_10_000_rows_and_goes_on() {
        let mut board = MemoryBoard::new();
        for n in 0..10_500 {
            board.put_task(task(&format!("t_{n:05}")));
        }
        board.edit("t_10300", |row| row.phase = Phase::Review);
        for order in [ListOrder::Priority, ListOrder::Oldest] {
            let list = List {
                phase: Some(Phase::Review),
                order,
                ..List::default()
            };
            let page = list.ask(&board).unwrap();
            assert_eq!(page.items, []);
            let next = page.next.expect("there is more to look at");
            assert!(next.as_str().ends_with(":t_09999"), "{next:?}");
            assert_eq!(walk(&board, list), (vec!["t_10300".to_owned()], 2));
        }
    }

    #[test]
    fn a_cursor_of_another_order_or_a_made_up_one_is_refused() {
        let mut board = MemoryBoard::new();
        board.put_task(task("t_1"));
        board.put_task(task("t_2"));
        let list = List {
            limit: 1,
            ..List::default()
        };
        let next = list.ask(&board).unwrap().next.unwrap();
        assert_eq!(next.as_str(), "1:priority:0:0:t_1");
        let ask = |text: &str, order| {
            let after = Some(ListCursor::from_text(text));
            List {
                order,
                after,
                ..List::default()
            }
            .ask(&board)
        };
        assert_eq!(
            ask(next.as_str(), ListOrder::Priority).unwrap().items,
            [task("t_2")]
        );
        assert_eq!(refused_for(ask(next.as_str(), ListOrder::Oldest)), "after");
        for text in [
            "",
            "1",
            "2:priority:0:0:t_1",
            "1:priority:0:0",
            "1:priority:0:0:t 1",
            "1:priority:0:0:t_1:",
            "1:priority:x:0:t_1",
            "1:priority:0:99999999999999999999:t_1",
        ] {
            assert_eq!(
                refused_for(ask(text, ListOrder::Priority)),
                "after",
                "{text}"
            );
        }
        let limits = |limit| {
            List {
                limit,
                ..List::default()
            }
            .ask(&board)
        };
        assert_eq!(refused_for(limits(0)), "limit");
        assert_eq!(refused_for(limits(1001)), "limit");
    }
}
