//! Power cuts. What a board does to its files is written down once; then the power is cut behind any entry, with any of the
//! writes lost that no flush had followed, and what is left is opened and judged.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "all of it is a test, also what clippy does not see under a #[test]"
)]

mod disk;
mod recording;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use kanban_conformance::engine::{ask, create, existing, id, new_task, state, task, try_write};
use kanban_core::{
    Backend, Change, Durability, Engine, GroupRecord, Millis, OpenBoard, Result, TextKind, Verdict,
    WriteEnd,
};
use kanban_sqlite::{SqliteBackend, SqliteEngine};

use self::disk::{Disk, Luck};
use self::recording::{Entry, Name, Recording};

const LAZY: Durability = Durability::Lazy {
    interval: Duration::from_secs(1),
};
/// So short that a run goes through several checkpoints.
const WAL_LEN_MAX: u64 = 1024 * 1024;
const WRITES: u64 = 120;
const CUTS: usize = 120;
const SEED: u64 = 0x5eed;

fn open(directory: &Path, durability: Durability) -> SqliteEngine {
    let how = OpenBoard {
        create: Some(state()),
        durability,
        ..create()
    };
    let backend = SqliteBackend::new().with_wal_len_max(WAL_LEN_MAX);
    backend.open(directory, &how).unwrap()
}

/// How long the body of a task is: from part of a page to several.
fn body(number: u64) -> String {
    let len = usize::try_from(number * 7_919 % 20_000).unwrap();
    format!("{number:05}").repeat(len / 5 + 1)
}

fn group(number: u64) -> [Change; 3] {
    let name = format!("t_{number:05}");
    let text = Change::Text {
        task: id(&name),
        kind: TextKind::Body,
        after: Some(body(number)),
    };
    let mark = GroupRecord {
        instance: 1,
        number,
        at: Millis::new(0),
    };
    [new_task(&task(&name)), text, Change::Group(mark)]
}

/// Writes, and says so once it is answered.
fn add(engine: &SqliteEngine, recording: &Recording, number: u64) {
    let end = try_write(engine, &group(number));
    assert!(matches!(end, WriteEnd::Done(Verdict::Commit)), "{end:?}");
    recording.note(Entry::Answered);
}

/// How a flush is made.
type Flush = fn(&SqliteEngine) -> Result<()>;

/// What is done to the files by writes, upkeep now and then, and a flush now and then.
fn record(durability: Durability, flush: Flush) -> Vec<Entry> {
    let directory = tempfile::tempdir().unwrap();
    let recording = Recording::of(directory.path());
    let engine = open(directory.path(), durability);
    let mut dice = Rng::with_seed(SEED);
    for number in 1..=WRITES {
        add(&engine, &recording, number);
        match dice.u8(..20) {
            0..=1 if durability == LAZY => {
                flush(&engine).unwrap();
                recording.note(Entry::Flushed);
            }
            2..=3 => {
                engine.idle();
            }
            _ => {}
        }
    }
    recording.end()
}

/// How many writes a power cut has left: the first ones, whole. Anything else is the test's failure.
fn left(directory: &Path, told: &str) -> u64 {
    let engine = SqliteBackend::new().open(directory, &existing());
    let engine = engine.unwrap_or_else(|error| panic!("{told}: {error}"));
    let left = ask(&engine, |view| view.group(1)).map_or(0, |mark| mark.number);
    let found = ask(&engine, |view| view.tasks(None, usize::MAX));
    let found: Vec<String> = found.iter().map(|task| task.id.to_string()).collect();
    let expected: Vec<String> = (1..=left).map(|number| format!("t_{number:05}")).collect();
    assert_eq!(found, expected, "{told}: no beginning of what was answered");
    for number in 1..=left {
        let name = id(&format!("t_{number:05}"));
        let text = ask(&engine, |view| view.text(&name, TextKind::Body));
        assert!(text == Some(body(number)), "{told}: the body of {name}");
    }
    assert_eq!(engine.check(10).unwrap(), [], "{told}");
    left
}

/// What was lost, over all images.
#[derive(Debug, Default)]
struct Figures {
    images: u64,
    answered: u64,
    lost: u64,
    /// In one image.
    lost_max: u64,
    /// Of those that were answered before the last flush that was.
    lost_before_flush: u64,
}

impl Figures {
    fn count(&mut self, left: u64, answered: u64, flushed: u64) {
        let lost = answered.saturating_sub(left);
        self.images += 1;
        self.answered += answered;
        self.lost += lost;
        self.lost_max = self.lost_max.max(lost);
        self.lost_before_flush += flushed.saturating_sub(left);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "images={} answered={} lost={} (at most {} in one) lost before the last flush={}",
            self.images, self.answered, self.lost, self.lost_max, self.lost_before_flush
        )
    }
}

/// Cuts the power behind entries of a record, from its first answer on.
fn cut(what: &str, log: &[Entry], is_cut: impl Fn(usize, &mut Rng) -> bool) -> Figures {
    let mut dice = Rng::with_seed(SEED);
    let mut disk = Disk::default();
    let (mut figures, mut answered, mut flushed) = (Figures::default(), 0, 0);
    for (at, entry) in log.iter().enumerate() {
        disk.step(entry);
        match entry {
            Entry::Answered => answered += 1,
            Entry::Flushed => flushed = answered,
            _ => {}
        }
        if answered == 0 || !is_cut(at, &mut dice) {
            continue;
        }
        for luck in Luck::ALL {
            let image = tempfile::tempdir().unwrap();
            disk.cut(image.path(), luck, &mut dice);
            let told = format!("{what}, seed {SEED:#x}, entry {at}, {luck:?}");
            figures.count(left(image.path(), &told), answered, flushed);
        }
    }
    println!("{what}: {figures}");
    assert!(figures.images > 0, "{what}: expected images, found none");
    figures
}

/// Cuts everywhere, by lot.
fn cut_anywhere(what: &str, log: &[Entry]) -> Figures {
    cut(what, log, |_, dice| dice.usize(..log.len()) < CUTS)
}

#[test]
fn a_power_cut_at_power_loses_nothing_that_was_answered() {
    let figures = cut_anywhere("Power", &record(Durability::Power, Engine::flush));
    assert_eq!(figures.lost, 0, "{figures}");
}

#[test]
fn a_power_cut_at_process_loses_an_end() {
    let figures = cut_anywhere("Process", &record(Durability::Process, Engine::flush));
    assert!(figures.lost > 0, "is it Power? {figures}");
}

#[test]
fn a_power_cut_at_lazy_loses_an_end_and_nothing_that_was_flushed() {
    let figures = cut_anywhere("Lazy", &record(LAZY, Engine::flush));
    assert_eq!(figures.lost_before_flush, 0, "{figures}");
    assert!(figures.lost > 0, "is it Power? {figures}");
}

#[test]
fn a_flush_that_does_nothing_is_found() {
    let figures = cut_anywhere("Lazy without flushes", &record(LAZY, |_| Ok(())));
    assert!(figures.lost_before_flush > 0, "{figures}");
}

/// Who checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checkpoint {
    Upkeep,
    Write,
}

/// A checkpoint meets a flush of a file that fails; then all is flushed, and the power is cut. The system tells of such a
/// failure once: a flush that only follows it goes well over the hole that it has left.
fn cut_after_failed_checkpoint(file: Name, by: Checkpoint) -> Figures {
    let directory = tempfile::tempdir().unwrap();
    let recording = Recording::of(directory.path());
    let engine = open(directory.path(), LAZY);
    recording.fail_next_sync(file);
    for number in 1.. {
        let end = try_write(&engine, &group(number));
        if !recording.is_failing() {
            assert!(matches!(end, WriteEnd::NotWritten(_)), "{end:?}");
            break;
        }
        assert!(matches!(end, WriteEnd::Done(Verdict::Commit)), "{end:?}");
        recording.note(Entry::Answered);
        if by == Checkpoint::Upkeep {
            engine.idle();
        }
    }
    engine.flush().unwrap();
    recording.note(Entry::Flushed);
    let log = recording.end();
    let what = format!("{by:?} that failed to flush the {file:?}");
    cut(&what, &log, |at, _| at + 1 == log.len())
}

#[test]
fn a_flush_after_a_checkpoint_that_failed_keeps_all_that_was_answered() {
    for file in Name::ALL {
        for by in [Checkpoint::Upkeep, Checkpoint::Write] {
            let figures = cut_after_failed_checkpoint(file, by);
            assert_eq!(figures.lost, 0, "{by:?}, {file:?}: {figures}");
        }
    }
}

#[test]
fn a_flush_after_one_that_failed_keeps_all_that_was_answered() {
    let directory = tempfile::tempdir().unwrap();
    let recording = Recording::of(directory.path());
    let engine = open(directory.path(), LAZY);
    for number in 1..=10 {
        add(&engine, &recording, number);
    }
    recording.fail_next_sync(Name::Wal);
    engine.flush().unwrap_err();
    engine.reopen().unwrap();
    add(&engine, &recording, 11);
    engine.flush().unwrap();
    recording.note(Entry::Flushed);
    let log = recording.end();
    let figures = cut("Flush that failed", &log, |at, _| at + 1 == log.len());
    assert_eq!(figures.lost, 0, "{figures}");
}
