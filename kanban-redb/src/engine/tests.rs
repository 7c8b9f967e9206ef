//! The engine over a file that fails.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kanban_conformance::engine::{ask, create, id, new_task, task, try_write};
use kanban_core::{Change, Engine, GroupRecord, Millis, Verdict, WriteEnd};

use self::disk::Disk;
use super::RedbEngine;
use crate::core::{Core, Settings};
use crate::files::Place;
use crate::trial::Step;

mod disk;
mod doubt;
mod lazy;
mod mend;

/// What redb does to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Op {
    Read,
    Write,
    SetLen,
    Sync,
}

/// What goes wrong with the file, and when; and what of it a power cut leaves, once that is asked for.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Plan>, Mutex<Option<Disk>>);

#[derive(Debug, Default)]
struct Plan {
    /// The how manyth operation from now on fails; 0 is none.
    fail_in: u64,
    kind: Option<io::ErrorKind>,
    /// No other is counted.
    only: Option<Op>,
    /// All that come after it fail too.
    is_sticky: bool,
    failed: Option<Op>,
}

impl Faults {
    fn plan(&self, fail_in: u64, kind: io::ErrorKind, is_sticky: bool) {
        *self.0.lock().unwrap() = Plan {
            fail_in,
            kind: Some(kind),
            is_sticky,
            ..Plan::default()
        };
    }

    /// The how manyth operation of a kind from now on fails.
    pub(crate) fn plan_only(&self, op: Op, fail_in: u64) {
        *self.0.lock().unwrap() = Plan {
            fail_in,
            only: Some(op),
            ..Plan::default()
        };
    }

    /// Which operation failed, if it came to that. None fails from now on.
    pub(crate) fn end(&self) -> Option<Op> {
        std::mem::take(&mut *self.0.lock().unwrap()).failed
    }

    /// How many operations are left until one fails.
    pub(crate) fn left(&self) -> u64 {
        self.0.lock().unwrap().fail_in
    }

    /// Called before every operation.
    pub(crate) fn meet(&self, op: Op) -> io::Result<()> {
        let mut plan = self.0.lock().unwrap();
        if plan.only.is_some_and(|only| only != op) {
            return Ok(());
        }
        let fails = match plan.fail_in {
            0 => false,
            1 if plan.is_sticky => true,
            left => {
                plan.fail_in = left - 1;
                left == 1
            }
        };
        if !fails {
            return Ok(());
        }
        plan.failed = plan.failed.or(Some(op));
        if op == Op::Sync
            && let Some(disk) = &mut *self.1.lock().unwrap()
        {
            disk.lose();
        }
        Err(plan.kind.unwrap_or(io::ErrorKind::Other).into())
    }

    /// Called after every operation that went well.
    pub(crate) fn did(&self, step: Step) {
        if let Some(disk) = &mut *self.1.lock().unwrap() {
            disk.step(step);
        }
    }
}

fn try_open(
    directory: &Path,
    mode: redb::ConcurrencyMode,
    faults: &Arc<Faults>,
) -> kanban_core::Result<RedbEngine> {
    let settings = Settings {
        mode,
        ..Settings::default()
    };
    try_open_with(directory, settings, faults)
}

fn try_open_with(
    directory: &Path,
    settings: Settings,
    faults: &Arc<Faults>,
) -> kanban_core::Result<RedbEngine> {
    let place = Place::of(directory).unwrap();
    let mut core = Core::new(place, settings, Duration::from_secs(5), u64::MAX / 4);
    core.faults = Some(Arc::clone(faults));
    RedbEngine::open(core, create().create.as_ref())
}

fn open(directory: &Path, mode: redb::ConcurrencyMode, faults: &Arc<Faults>) -> RedbEngine {
    try_open(directory, mode, faults).unwrap()
}

fn group(number: u64) -> Vec<Change> {
    let mark = GroupRecord {
        instance: 1,
        number,
        at: Millis::new(0),
    };
    let body = Change::Text {
        task: id(&format!("t_{number}")),
        kind: kanban_core::TextKind::Body,
        after: Some("x".repeat(9000)),
    };
    vec![
        new_task(&task(&format!("t_{number}"))),
        body,
        Change::Group(mark),
    ]
}

fn landed(engine: &RedbEngine) -> u64 {
    let found = ask(engine, |view| view.group(1));
    found.map_or(0, |mark| mark.number)
}

/// What a board went through, operation by operation.
#[derive(Debug, Default)]
struct Tally {
    points: u64,
    not_written: u64,
    uncertain_landed: u64,
    uncertain_lost: u64,
    unnoticed: u64,
}

/// Fails the nth operation of the file of one write, for each n until none is left to fail. After each: nothing
/// acknowledged is lost, what was not written is not there, and the board goes on once it is opened anew.
fn sweep(mode: redb::ConcurrencyMode, kind: io::ErrorKind, is_sticky: bool) -> Tally {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let engine = open(directory.path(), mode, &faults);
    let mut tally = Tally::default();
    let mut number = 0;
    for nth in 1.. {
        number += 1;
        let before = landed(&engine);
        faults.plan(nth, kind, is_sticky);
        let mut end = try_write(&engine, &group(number));
        let failed = faults.end();
        let is_refused = matches!(end, WriteEnd::NotWritten(_));
        if is_refused {
            tally.not_written += 1;
            // Nothing was written, and redb does nothing more: the next write says that it must be opened anew.
            end = try_write(&engine, &group(number));
        }
        match &end {
            WriteEnd::Done(Verdict::Commit) => tally.unnoticed += u64::from(failed.is_some()),
            WriteEnd::Uncertain(_) => engine.reopen().unwrap(),
            other => panic!("at operation {nth}, {failed:?}: {other:?}"),
        }
        let after = landed(&engine);
        assert!(
            !is_refused || after == before,
            "not written, and there: at operation {nth}, {failed:?}"
        );
        match end {
            WriteEnd::Uncertain(_) if after == number => tally.uncertain_landed += 1,
            WriteEnd::Uncertain(_) => {
                assert_eq!(after, before, "at operation {nth}, {failed:?}");
                tally.uncertain_lost += 1;
                let again = try_write(&engine, &group(number));
                assert!(matches!(again, WriteEnd::Done(_)), "{again:?}");
            }
            _ => assert_eq!(after, number, "acknowledged, at operation {nth}"),
        }
        let tasks = ask(&engine, |view| view.tasks(None, usize::MAX));
        assert_eq!(tasks.len() as u64, number, "at operation {nth}, {failed:?}");
        let Some(_) = failed else { break };
        tally.points += 1;
    }
    assert_eq!(engine.check(10).unwrap(), []);
    engine.close().unwrap();
    let again = open(directory.path(), mode, &faults);
    assert_eq!(landed(&again), number);
    tally
}

#[test]
fn whatever_operation_fails_nothing_acknowledged_is_lost() {
    use redb::ConcurrencyMode::{ExclusiveWriter, MultiWriter};
    for mode in [MultiWriter, ExclusiveWriter] {
        for kind in [io::ErrorKind::Other, io::ErrorKind::StorageFull] {
            for is_sticky in [false, true] {
                let tally = sweep(mode, kind, is_sticky);
                println!("{mode:?} {kind:?} sticky {is_sticky}: {tally:?}");
                assert!(tally.points > 5, "{tally:?}");
                assert_eq!(tally.unnoticed, 0, "{tally:?}");
            }
        }
    }
}

#[test]
fn an_opening_that_fails_at_any_operation_harms_nothing() {
    use redb::ConcurrencyMode::{ExclusiveWriter, MultiWriter};
    for mode in [MultiWriter, ExclusiveWriter] {
        let directory = tempfile::tempdir().unwrap();
        let faults = Arc::new(Faults::default());
        let engine = open(directory.path(), mode, &faults);
        for number in 1..=3 {
            let end = try_write(&engine, &group(number));
            assert!(matches!(end, WriteEnd::Done(_)), "{end:?}");
        }
        // As a crash leaves it.
        let file = directory.path().join("board.redb");
        let left = std::fs::read(&file).unwrap();
        engine.close().unwrap();
        for nth in 1.. {
            std::fs::write(&file, &left).unwrap();
            faults.plan(nth, io::ErrorKind::Other, nth % 2 == 0);
            let opened = try_open(directory.path(), mode, &faults);
            let Some(failed) = faults.end() else {
                assert!(nth > 5, "{nth} operations");
                break;
            };
            assert!(opened.is_err(), "{mode:?}, operation {nth}, {failed:?}");
            if failed == Op::Read {
                let found = std::fs::read(&file).unwrap();
                assert!(found == left, "{mode:?}, operation {nth}: other bytes");
            }
            let again = open(directory.path(), mode, &faults);
            assert_eq!(landed(&again), 3, "{mode:?}, operation {nth}, {failed:?}");
            assert_eq!(again.check(10).unwrap(), []);
        }
    }
}

#[test]
fn a_reader_whose_board_is_opened_anew_is_busy_and_sees_no_other_state() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(
        directory.path(),
        redb::ConcurrencyMode::MultiWriter,
        &Arc::default(),
    );
    for number in 1..=50 {
        assert!(matches!(
            try_write(&engine, &group(number)),
            WriteEnd::Done(_)
        ));
    }
    engine.reopen().unwrap();
    let read = engine.read_long(&mut |view| {
        engine.reopen()?;
        view.text(&id("t_7"), kanban_core::TextKind::Body)
            .map(|_| ())
    });
    let error = read.expect_err("its pages are not to be had any more");
    assert_eq!(*error.kind(), kanban_core::ErrorKind::Busy, "{error:?}");
}
