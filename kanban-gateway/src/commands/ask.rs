//! Questions: lists, numbers.

use std::collections::BTreeMap;

use comfy_table::Cell;
use kanban_core::{Assignee, List, ListCursor, Millis, Page, Phase, Stats, StatsRow, Status, Task};
use pollster::block_on;
use serde::Serialize;

use crate::cli::ListArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, plain, time};
use crate::values;

use super::{Board, ids};

pub(super) fn list(board: &Board, args: &ListArgs, output: &mut Output) -> Result<Exit, Failure> {
    let assignee = match (&args.assignee, args.unassigned) {
        (Some(name), _) => Some(Some(Assignee::new(name.as_str())?)),
        (None, true) => Some(None),
        (None, false) => None,
    };
    let parent = args.parent.as_deref().map(|id| ids::known(board, id));
    let list = List {
        statuses: args
            .statuses
            .iter()
            .filter_map(|word| Status::parse(word))
            .collect(),
        assignee,
        tenant: values::optional_label("tenant", args.tenant.as_deref())?,
        parent: parent.transpose()?,
        phase: args.phase.as_deref().and_then(Phase::parse),
        order: args.order.into(),
        after: args.after.as_deref().map(ListCursor::from_text),
        limit: args.limit,
    };
    let read = block_on(board.store()?.list(list))?;
    output.read(&read, page_text)?;
    Ok(Exit::Done)
}

fn page_text(page: &Page<Task>, paint: Paint) -> String {
    let table = tasks_text(&page.items, paint);
    match &page.next {
        Some(next) => format!("{table}\nmore: --after '{}'", next.as_str()),
        None => table,
    }
}

/// Tasks as a table.
pub(super) fn tasks_text(tasks: &[Task], paint: Paint) -> String {
    let rows = tasks.iter().map(|task| {
        [
            Cell::new(&task.id),
            paint.status(task.status),
            Cell::new(task.priority),
            Cell::new(task.assignee.as_ref().map_or("-", |name| name.as_str())),
            Cell::new(plain(&task.title)),
        ]
    });
    let head = ["id", "status", "priority", "assignee", "title"];
    paint.table(head, rows)
}

/// The board in numbers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Numbers<'a> {
    total: u64,
    by_status: BTreeMap<&'static str, u64>,
    rows: &'a [StatsRow],
    oldest_ready: Option<Millis>,
}

impl<'a> Numbers<'a> {
    fn of(stats: &'a Stats) -> Self {
        Self {
            total: stats.total(),
            by_status: Status::ALL
                .iter()
                .map(|status| (status.as_str(), stats.in_status(*status)))
                .collect(),
            rows: &stats.rows,
            oldest_ready: stats.oldest_ready,
        }
    }
}

pub(super) fn stats(board: &Board, output: &mut Output) -> Result<Exit, Failure> {
    let read = block_on(board.store()?.stats())?;
    let numbers = Numbers::of(&read.value);
    output.answer(Some(read.seq), None, &numbers, |numbers, paint| {
        stats_text(&read.value, numbers, paint)
    })?;
    Ok(Exit::Done)
}

fn stats_text(stats: &Stats, numbers: &Numbers<'_>, paint: Paint) -> String {
    let mut names: Vec<_> = stats.rows.iter().map(|row| row.assignee.as_ref()).collect();
    names.sort();
    names.dedup();
    let of = |name: Option<&Assignee>, status: Status| -> u64 {
        let row = |row: &&StatsRow| row.assignee.as_ref() == name && row.status == status;
        stats.rows.iter().filter(row).map(|row| row.tasks).sum()
    };
    let row = |name: &str, count: &dyn Fn(Status) -> u64| {
        columns(Cell::new(name), |status| Cell::new(count(status)))
    };
    let mut rows: Vec<_> = names
        .into_iter()
        .map(|name| {
            row(name.map_or("-", Assignee::as_str), &|status| {
                of(name, status)
            })
        })
        .collect();
    rows.push(row("all", &|status| stats.in_status(status)));
    let table = paint.table(columns("assignee", Status::as_str), rows);
    let oldest = match stats.oldest_ready {
        Some(at) => format!("; the oldest ready one is from {}", time(at)),
        None => String::new(),
    };
    format!("{table}\ntasks: {}{oldest}", numbers.total)
}

/// A first column, and one for each status.
fn columns<T>(first: T, of: impl Fn(Status) -> T) -> [T; 1 + Status::ALL.len()] {
    let mut first = Some(first);
    let mut statuses = Status::ALL.iter();
    std::array::from_fn(|_| match first.take() {
        Some(first) => first,
        None => of(*statuses.next().expect("a column for each status")),
    })
}
