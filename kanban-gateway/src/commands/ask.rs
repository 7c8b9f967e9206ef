//! Questions: lists, the log, numbers.

use std::collections::BTreeMap;

use comfy_table::Cell;
use kanban_core::{
    Assignee, Event, EventFilter, EventId, EventKind, EventPage, Events, List, ListCursor, Millis,
    Page, Phase, Seq, Stats, StatsRow, Status, Task, WatchItem,
};
use pollster::block_on;
use serde::Serialize;

use crate::cli::{EventsArgs, ListArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, plain, time};
use crate::values;

use super::{Board, ids};

/// How many events a page has, if nothing else is said.
const EVENTS: usize = 100;

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

pub(super) fn events(
    board: &Board,
    args: &EventsArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let task = args.task.as_deref().map(|id| ids::known(board, id));
    let filter = EventFilter {
        task: task.transpose()?,
        kinds: args
            .kinds
            .iter()
            .map(|word| EventKind::from(word.as_str()))
            .collect(),
    };
    let after = EventId::new(args.after);
    if args.follow {
        return follow(board, after, filter, args.limit, output);
    }
    let events = Events {
        after,
        limit: args.limit.unwrap_or(EVENTS),
        filter,
    };
    let read = block_on(board.store()?.events(events))?;
    output.read(&read, events_text)?;
    Ok(Exit::Done)
}

/// What is told, instead of an event, when events after the asked-for place are gone.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Truncated {
    truncated: EventId,
}

fn follow(
    board: &Board,
    after: EventId,
    filter: EventFilter,
    limit: Option<usize>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut watch = board.store()?.watch(after, filter);
    let mut left = limit.unwrap_or(usize::MAX);
    while left > 0 {
        match block_on(watch.next())? {
            WatchItem::Event(event) => {
                let seq: Option<Seq> = Some(event.seq);
                output.answer(seq, None, &*event, |event, _| event_line(event))?;
                left -= 1;
            }
            WatchItem::Truncated { horizon } => {
                let gone = Truncated { truncated: horizon };
                output.answer(None, None, &gone, |gone, _| {
                    format!("events up to {} are gone", gone.truncated)
                })?;
            }
        }
    }
    Ok(Exit::Done)
}

fn events_text(page: &EventPage, paint: Paint) -> String {
    let table = event_rows(&page.events, paint);
    match page.truncated {
        Some(gone) => format!("events up to {gone} are gone\n{table}"),
        None => table,
    }
}

/// Events as a table.
pub(super) fn event_rows(events: &[Event], paint: Paint) -> String {
    let rows = events.iter().map(|event| {
        [
            Cell::new(event.id),
            Cell::new(time(event.at)),
            Cell::new(plain(&event.kind)),
            Cell::new(event.task.as_ref().map_or("-", |task| task.as_str())),
            Cell::new(event.run.map_or_else(String::new, |run| run.to_string())),
            Cell::new(event.actor.as_ref().map_or_else(String::new, plain)),
        ]
    });
    let head = ["id", "time", "kind", "task", "run", "by"];
    paint.table(head, rows)
}

/// An event in one line.
fn event_line(event: &Event) -> String {
    let kind = plain(&event.kind);
    let mut words = vec![format!("{:>6}  {}  {kind:<18}", event.id, time(event.at))];
    words.extend(event.task.as_ref().map(ToString::to_string));
    words.extend(event.run.map(|run| format!("run {run}")));
    words.extend(
        event
            .actor
            .as_ref()
            .map(|actor| format!("by {}", plain(actor))),
    );
    words.join("  ")
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
