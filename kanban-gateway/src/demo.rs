//! A small project, finished by eight workers at once, with everything that goes wrong in practice.
//!
//! The demo has its own clock, so that it need not wait for claims to expire or back-offs to end: it moves on when a
//! worker dies, and when nobody has anything to do.

mod clock;
mod crew;
mod project;
mod report;
mod worker;

use std::sync::Arc;

use kanban_core::{BoardSlug, BoardStore, Boards, Options, Rejection};
use pollster::block_on;
use tempfile::TempDir;

use self::clock::DemoClock;
use self::crew::Crew;
pub(crate) use self::report::Report;
use crate::cli::Global;
use crate::failure::{self, Exit, Failure};
use crate::output::Output;
use crate::{commands, store};

/// Where the demo runs: in a root that was given, else in one that goes with it.
enum Root {
    Given(std::path::PathBuf),
    Temporary(TempDir),
}

impl Root {
    fn path(&self) -> &std::path::Path {
        match self {
            Self::Given(path) => path,
            Self::Temporary(directory) => directory.path(),
        }
    }
}

pub(crate) fn run(
    global: &Global,
    slug: Option<&BoardSlug>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let root = match &global.root {
        Some(path) => Root::Given(path.clone()),
        None => Root::Temporary(TempDir::with_prefix("kanban-demo-")?),
    };
    let clock = Arc::new(DemoClock::default());
    let options = Options {
        clock: clock.clone(),
        reader_threads: 2,
        ..commands::options(global)
    };
    let boards = store::open(root.path(), global.store, options)?;
    let ended = on_board(&boards, slug, clock, output);
    let closed = block_on(boards.close());
    let report = failure::closed(ended, closed, || root.path().to_owned())?;
    output.answer(Some(report.seq), None, &report, |report, _| {
        report.to_string()
    })?;
    Ok(if report.is_as_promised() {
        Exit::Done
    } else {
        Exit::Refused
    })
}

fn on_board(
    boards: &Boards,
    slug: Option<&BoardSlug>,
    clock: Arc<DemoClock>,
    output: &mut Output,
) -> Result<Report, Failure> {
    let store = empty_board(boards, slug)?;
    let tasks = project::build(store.as_ref())?;
    let crew = Crew::new(store.clone(), clock, tasks.len());
    crew.work(output)?;
    Report::of(store.as_ref(), &tasks, &crew)
}

/// A board of the demo's own: the one that was named, if it has no tasks, else the first free one of `demo`, `demo-2`,
/// `demo-3` and so on.
fn empty_board(boards: &Boards, slug: Option<&BoardSlug>) -> Result<Arc<dyn BoardStore>, Failure> {
    if let Some(slug) = slug {
        let store = block_on(boards.open(Some(slug)))?;
        if block_on(store.stats())?.value.total() > 0 {
            return Err(Rejection::BoardNotEmpty.into());
        }
        return Ok(store);
    }
    let mut number = 1;
    loop {
        let name = match number {
            1 => "demo".to_owned(),
            number => format!("demo-{number}"),
        };
        match block_on(boards.create(&BoardSlug::new(name)?)) {
            Ok(store) => return Ok(store),
            Err(error) => match error.rejection() {
                Some(Rejection::BoardExists(_) | Rejection::BoardArchived(_)) => number += 1,
                _ => return Err(error.into()),
            },
        }
    }
}
