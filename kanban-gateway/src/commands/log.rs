//! The log.

use comfy_table::Cell;
use kanban_core::{Event, EventFilter, EventId, EventKind, EventPage, Events, Seq, WatchItem};
use pollster::block_on;
use serde::Serialize;
use serde_json::Value;

use crate::cli::EventsArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, plain, time};
use crate::values;

use super::{Board, ids};

/// How many events a page has, if nothing else is said.
const EVENTS: usize = 100;

pub(super) fn events(
    board: &Board,
    args: &EventsArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let task = args.task.as_deref().map(|id| ids::known(board, id));
    let filter = EventFilter {
        task: task.transpose()?,
        kinds: kinds(board, &args.kinds)?,
    };
    let after = EventId::new(args.after);
    if args.follow {
        return follow(board, after, filter, args.limit, output);
    }
    let events = Events {
        after,
        limit: args.limit.unwrap_or(EVENTS),
        filter: filter.clone(),
    };
    let read = block_on(board.store()?.events(events))?;
    let more = !output.is_json() && is_cut(board, read.value.through, filter)?;
    output.read(&read, |page, paint| {
        let text = events_text(page, paint);
        match more {
            true => format!("{text}\nmore: --after {}", page.through),
            false => text,
        }
    })?;
    Ok(Exit::Done)
}

/// Whether there is more of the log behind a page: something that is wanted, or that is still to be looked at.
fn is_cut(board: &Board, through: EventId, filter: EventFilter) -> Result<bool, Failure> {
    let next = Events {
        after: through,
        limit: 1,
        filter,
    };
    let page = block_on(board.store()?.events(next))?.value;
    Ok(!page.events.is_empty() || page.through > through)
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
            Cell::new(change(event).unwrap_or_default()),
        ]
    });
    let head = ["id", "time", "kind", "task", "run", "by", "change"];
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
    words.extend(change(event));
    words.join("  ")
}

/// What an event changed from what to what: a status, or an assignee.
fn change(event: &Event) -> Option<String> {
    let word = |name: &str| match event.data.as_map().get(name)? {
        Value::String(text) => Some(plain(text)),
        Value::Null => Some("-".to_owned()),
        _ => None,
    };
    Some(format!("{} -> {}", word("from")?, word("to")?))
}

/// Kinds of events by their words. A kind that is not the board's own is one that an import brought; any other is
/// misspelt, and nothing would ever be found.
pub(super) fn kinds(board: &Board, words: &[String]) -> Result<Vec<EventKind>, Failure> {
    let kinds: Vec<EventKind> = words.iter().map(|word| word.as_str().into()).collect();
    for kind in &kinds {
        if matches!(kind, EventKind::Foreign(_)) && !is_in_log(board, kind)? {
            let own: Vec<&str> = EventKind::OWN.iter().map(EventKind::as_str).collect();
            let must = format!(
                "of this board ({} is not); its own are {}",
                plain(kind),
                own.join(", ")
            );
            return Err(values::malformed("kind", &must).into());
        }
    }
    Ok(kinds)
}

fn is_in_log(board: &Board, kind: &EventKind) -> Result<bool, Failure> {
    let mut after = EventId::default();
    loop {
        let page = block_on(board.store()?.events(Events {
            after,
            limit: 1,
            filter: EventFilter {
                task: None,
                kinds: vec![kind.clone()],
            },
        }))?
        .value;
        if !page.events.is_empty() || page.through <= after {
            return Ok(!page.events.is_empty());
        }
        after = page.through;
    }
}
