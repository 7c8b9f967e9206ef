//! Boards, and their upkeep.

use comfy_table::Cell;
use kanban_core::{
    BoardPlace, BoardSlug, CollectEvents, Covered, Effect, Ended, More, PurgeSettled,
    ReclaimExpired, Seq, Task, Violation, WakeDue, Written,
};
use pollster::block_on;
use serde::Serialize;

use crate::cli::{BoardCommand, GcArgs, ImportCommand, PurgeArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, Progress, plain};
use crate::values;

use super::Board;

/// How much a tick takes at a time.
const BATCH: usize = 1000;

pub(super) fn boards(board: &Board, output: &mut Output) -> Result<Exit, Failure> {
    let entries = board.boards()?.list()?;
    output.answer(None, None, &entries, |entries, paint| {
        let rows = entries.iter().map(|entry| {
            let place = match entry.place {
                BoardPlace::Active => "active",
                BoardPlace::Archived => "archived",
            };
            [Cell::new(&entry.slug), Cell::new(place)]
        });
        paint.table(["board", "place"], rows)
    })?;
    Ok(Exit::Done)
}

pub(super) fn board(
    board: &Board,
    command: &BoardCommand,
    output: &mut Output,
) -> Result<Exit, Failure> {
    // Of a board that is gone there is only its name left to tell.
    let (slug, place) = match command {
        BoardCommand::Create(args) => {
            let slug = BoardSlug::new(args.slug.as_str())?;
            block_on(board.boards()?.create(&slug))?;
            (slug, Some(BoardPlace::Active))
        }
        BoardCommand::Archive(args) => {
            let slug = BoardSlug::new(args.slug.as_str())?;
            block_on(board.boards()?.archive(&slug))?;
            (slug, Some(BoardPlace::Archived))
        }
        BoardCommand::Restore(args) => {
            let slug = BoardSlug::new(args.slug.as_str())?;
            block_on(board.boards()?.restore(&slug))?;
            (slug, Some(BoardPlace::Active))
        }
        BoardCommand::Delete(args) => {
            let slug = BoardSlug::new(args.slug.as_str())?;
            block_on(board.boards()?.delete(&slug))?;
            (slug, None)
        }
    };
    let left = BoardLeft { slug, place };
    output.answer(None, None, &left, |left, _| match left.place {
        Some(BoardPlace::Active) => format!("board {}", left.slug),
        Some(BoardPlace::Archived) => format!("board {} is archived", left.slug),
        None => format!("board {} is gone", left.slug),
    })?;
    Ok(Exit::Done)
}

/// A board, and where it is now; nowhere, if it was deleted.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BoardLeft {
    slug: BoardSlug,
    place: Option<BoardPlace>,
}

/// What a tick did.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Ticked {
    woken: Vec<Task>,
    reclaimed: Vec<Ended>,
}

pub(super) fn tick(board: &Board, output: &mut Output) -> Result<Exit, Failure> {
    let progress = Progress::count(output, "tasks woken or taken back");
    let mut ticked = Ticked {
        woken: Vec::new(),
        reclaimed: Vec::new(),
    };
    let mut seq = Seq::default();
    loop {
        let written = block_on(board.store()?.wake_due(WakeDue { limit: BATCH }))?;
        seq = seq.max(written.seq);
        progress.add(written.value.tasks.len() as u64);
        ticked.woken.extend(written.value.tasks);
        if written.value.more == More::Finished {
            break;
        }
    }
    loop {
        let reclaim = ReclaimExpired { limit: BATCH };
        let written = block_on(board.store()?.reclaim_expired(reclaim))?;
        seq = seq.max(written.seq);
        progress.add(written.value.ended.len() as u64);
        ticked.reclaimed.extend(written.value.ended);
        if written.value.more == More::Finished {
            break;
        }
    }
    drop(progress);
    let did = !ticked.woken.is_empty() || !ticked.reclaimed.is_empty();
    output.answer(Some(seq), Some(effect(did)), &ticked, ticked_text)?;
    Ok(Exit::Done)
}

fn effect(did: bool) -> Effect {
    match did {
        true => Effect::Applied,
        false => Effect::Unchanged,
    }
}

/// How many were removed.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Removed {
    removed: u64,
}

pub(super) fn gc(board: &Board, args: &GcArgs, output: &mut Output) -> Result<Exit, Failure> {
    let collect = CollectEvents {
        older_than: values::span("older_than", &args.older_than)?,
        limit: BATCH,
        covered: match args.covered {
            true => Covered::Remove,
            false => Covered::Keep,
        },
    };
    let store = board.store()?;
    let total = || {
        // One that cannot be told in time is not known.
        let read = block_on(store.collectable_events(collect));
        read.ok().map(|read| read.value)
    };
    remove(output, ("events removed", total), || {
        block_on(store.gc(collect))
    })
}

pub(super) fn purge(board: &Board, args: &PurgeArgs, output: &mut Output) -> Result<Exit, Failure> {
    let purge = PurgeSettled {
        older_than: values::span("older_than", &args.older_than)?,
        limit: BATCH,
    };
    let store = board.store()?;
    remove(output, ("subscriptions removed", || None), || {
        block_on(store.purge_settled(purge))
    })
}

/// Removes, a transaction at a time, until there is nothing more to remove.
fn remove(
    output: &mut Output,
    (what, total): (&'static str, impl FnOnce() -> Option<u64>),
    step: impl Fn() -> kanban_core::Result<Written<kanban_core::Removed>>,
) -> Result<Exit, Failure> {
    let progress = Progress::count(output, what);
    progress.expect(total);
    let mut removed = 0;
    let seq = loop {
        let written = step()?;
        let step = written.value;
        removed += step.removed;
        progress.add(step.removed);
        if step.more == More::Finished {
            break written.seq;
        }
    };
    drop(progress);
    let answer = Removed { removed };
    output.answer(
        Some(seq),
        Some(effect(removed > 0)),
        &answer,
        |answer, _| format!("{} {what}", answer.removed),
    )?;
    Ok(Exit::Done)
}

fn ticked_text(ticked: &Ticked, paint: Paint) -> String {
    let mut lines = vec![format!(
        "{} woken, {} taken back",
        ticked.woken.len(),
        ticked.reclaimed.len()
    )];
    for task in &ticked.woken {
        lines.push(format!("woken       {}", super::make::line(task, paint)));
    }
    for ended in &ticked.reclaimed {
        let line = super::make::line(&ended.task, paint);
        lines.push(format!("taken back  {line}"));
    }
    lines.join("\n")
}

/// What `verify` found.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Verified {
    clean: bool,
    violations: Vec<Violation>,
}

pub(super) fn verify(board: &Board, output: &mut Output) -> Result<Exit, Failure> {
    let progress = Progress::told(output, "verifying");
    let store = board.watched(&progress)?;
    let read = block_on(store.verify())?;
    drop(progress);
    let verified = Verified {
        clean: read.value.is_empty(),
        violations: read.value,
    };
    output.answer(Some(read.seq), None, &verified, |verified, _| {
        let lines = verified.violations.iter().map(|violation| {
            format!(
                "invariant {}: {}",
                violation.invariant,
                plain(&violation.what)
            )
        });
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() {
            "clean".to_owned()
        } else {
            lines.join("\n")
        }
    })?;
    Ok(if verified.clean {
        Exit::Done
    } else {
        Exit::Refused
    })
}

#[cfg(feature = "hermes")]
pub(super) fn import(
    board: &Board,
    command: &ImportCommand,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let ImportCommand::Hermes { file, actor } = command else {
        unreachable!("another module takes exports and backups")
    };
    let actor = crate::values::label("actor", actor)?;
    crate::values::regular(file)?;
    let progress = Progress::told(output, "importing");
    let listener = progress.listener()?;
    let import =
        crate::hermes::read(file, actor, listener.clone()).map_err(|error| match error.kind() {
            // Its own program has it; the file itself is well.
            kanban_core::ErrorKind::Busy => Failure::from(error).at(file.clone()),
            _ => Failure::input(file, &crate::hermes::cause(&error)),
        })?;
    let store = board.told(listener)?;
    let written = block_on(store.import_foreign(Box::new(import)))?;
    drop(progress);
    output.written(&written, imported_text)?;
    Ok(Exit::Done)
}

#[cfg(not(feature = "hermes"))]
pub(super) fn import(_: &Board, _: &ImportCommand, _: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::Usage(
        "this program is built without the cargo feature hermes".to_owned(),
    ))
}

#[cfg(feature = "hermes")]
fn imported_text(imported: &kanban_core::Imported, paint: Paint) -> String {
    let mut text = format!(
        "{} tasks, {} links, {} runs, {} comments, {} attachments, {} events, {} subscriptions; {} repairs",
        imported.tasks,
        imported.links,
        imported.runs,
        imported.comments,
        imported.attachments,
        imported.events,
        imported.subscriptions,
        imported.repairs.len()
    );
    if !imported.repairs.is_empty() {
        let word = |value: &Option<String>| {
            Cell::new(value.as_ref().map_or_else(|| "-".to_owned(), plain))
        };
        let rows = imported.repairs.iter().map(|repair| {
            [
                Cell::new(plain(&repair.table)),
                Cell::new(plain(&repair.id)),
                Cell::new(plain(&repair.what)),
                word(&repair.from),
                word(&repair.to),
            ]
        });
        let head = ["table", "row", "what", "from", "to"];
        text.push('\n');
        text.push_str(&paint.table(head, rows));
    }
    text
}
