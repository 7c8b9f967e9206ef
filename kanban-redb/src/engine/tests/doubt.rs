//! What is found in the system's cache after a flush that failed, and what a power cut leaves of it.

use std::io;
use std::sync::Arc;

use fastrand::Rng;
use kanban_conformance::engine::{kind, try_ask, try_write};
use kanban_core::{Engine, ErrorKind, Unavailable, Verdict, WriteEnd};
use redb::ConcurrencyMode::{self, ExclusiveWriter, MultiWriter};

use super::disk::{Disk, Image};
use super::{Faults, Op, group, landed, open, try_open};
use crate::engine::RedbEngine;
use crate::files::DATABASE;

const SEEDS: u64 = 150;

/// A board on a disk that loses what a flush that fails was to take there.
struct Bench {
    mode: ConcurrencyMode,
    directory: tempfile::TempDir,
    faults: Arc<Faults>,
    engine: RedbEngine,
    answered: u64,
}

impl Bench {
    /// With some groups, each of them flushed, and a disk of which nothing else is.
    fn new(mode: ConcurrencyMode, groups: u64, disk: impl FnOnce(Disk) -> Disk) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let faults = Arc::new(Faults::default());
        let engine = open(directory.path(), mode, &faults);
        let mut bench = Self {
            mode,
            directory,
            faults,
            engine,
            answered: 0,
        };
        bench.write(groups);
        let file = std::fs::read(bench.directory.path().join(DATABASE)).unwrap();
        *bench.faults.1.lock().unwrap() = Some(disk(Disk::of(file)));
        bench.answer(groups);
        bench
    }

    fn answer(&mut self, number: u64) {
        self.answered = number;
        if let Some(disk) = &mut *self.faults.1.lock().unwrap() {
            disk.answered = number;
        }
    }

    /// Writes groups that go well.
    fn write(&mut self, groups: u64) {
        for _ in 0..groups {
            let number = self.answered + 1;
            let end = try_write(&self.engine, &group(number));
            assert!(matches!(end, WriteEnd::Done(Verdict::Commit)), "{end:?}");
            self.answer(number);
        }
    }

    /// Writes a group whose nth flush of the file fails. False if it has no such.
    fn fail(&mut self, nth: u64) -> bool {
        self.faults.plan_only(Op::Sync, nth);
        let end = try_write(&self.engine, &group(self.answered + 1));
        let failed = self.faults.end();
        assert_eq!(failed.is_none(), matches!(end, WriteEnd::Done(_)));
        failed.is_some()
    }

    /// Looks for the mark of the last group, as the executor does, and answers what it finds.
    fn find_out(&mut self) {
        let found = landed(&self.engine);
        assert!((self.answered..=self.answered + 1).contains(&found));
        self.answer(found);
    }

    /// Another program opens the board, in the same cache: the last one has ended, by a kill or not.
    fn restart(self, is_killed: bool) -> Self {
        if is_killed {
            self.faults.plan(1, io::ErrorKind::Other, true);
        }
        self.end().0
    }

    /// The same, and which operation of the close has failed.
    fn end(self) -> (Self, Option<Op>) {
        let Self {
            mode,
            directory,
            faults,
            engine,
            answered,
        } = self;
        drop(engine);
        let failed = faults.end();
        let engine = open(directory.path(), mode, &faults);
        let next = Self {
            mode,
            directory,
            faults,
            engine,
            answered,
        };
        (next, failed)
    }

    /// What a power cut leaves now, if it did not come before.
    fn cut(self) -> Image {
        let disk = self.faults.1.lock().unwrap().take();
        disk.unwrap().left()
    }

    fn written(&self) -> u64 {
        self.faults.1.lock().unwrap().as_ref().unwrap().written
    }
}

/// The last group of what a power cut has left, all of which is sound.
fn found_in(image: &Image, mode: ConcurrencyMode) -> kanban_core::Result<u64> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(DATABASE), &image.file).unwrap();
    let engine = try_open(directory.path(), mode, &Arc::default())?;
    let violations = engine.check(1)?;
    let tasks = try_ask(&engine, |view| view.tasks(None, 1000))?;
    let found = try_ask(&engine, |view| view.group(1))?.map_or(0, |mark| mark.number);
    if violations.is_empty() && tasks.len() as u64 == found {
        return Ok(found);
    }
    let told = format!("{} tasks, {found} groups: {violations:?}", tasks.len());
    Err(kanban_core::Error::corrupt(told))
}

#[derive(Debug, Default)]
struct Tally {
    images: u64,
    gone: u64,
    answered: u64,
    lost: u64,
}

impl Tally {
    fn add(&mut self, image: &Image, mode: ConcurrencyMode, told: &str) {
        self.images += 1;
        self.answered += image.answered;
        match found_in(image, mode) {
            Ok(found) => {
                let most = image.answered + 1;
                assert!(found <= most, "{told}: {found} of {most}");
                self.lost += image.answered.saturating_sub(found);
            }
            Err(error) => {
                println!("{told}: {error:?}");
                self.gone += 1;
                self.lost += image.answered;
            }
        }
    }
}

/// One flush of a commit fails, the board is opened anew, by this program or by the next one, and writes go well; somewhere in
/// that the power is cut. None if the commit has no such flush.
fn cut_somewhere(mode: ConcurrencyMode, seed: u64) -> Option<Image> {
    let mut rng = Rng::with_seed(seed);
    let cut_in = rng.u64(..150);
    let lot = rng.fork();
    let groups = rng.u64(1..6);
    let mut bench = Bench::new(mode, groups, |disk| disk.cut_in(cut_in, lot));
    if !bench.fail(*rng.choice(&[1, 1, 1, 2, 3]).unwrap()) {
        return None;
    }
    match rng.u8(..4) {
        0 => bench = bench.restart(true),
        1 => bench = bench.restart(false),
        _ => bench.engine.reopen().unwrap(),
    }
    bench.find_out();
    bench.write(rng.u64(..6));
    if rng.bool() {
        bench = bench.restart(rng.bool());
        bench.write(rng.u64(..4));
    }
    Some(bench.cut())
}

#[test]
fn after_a_flush_that_failed_once_a_power_cut_takes_nothing_answered() {
    for mode in [ExclusiveWriter, MultiWriter] {
        let mut tally = Tally::default();
        for seed in 0..SEEDS {
            if let Some(image) = cut_somewhere(mode, seed) {
                tally.add(&image, mode, &format!("{mode:?}, seed {seed}"));
            }
        }
        println!("{mode:?}: {tally:?}");
        assert!(tally.images > SEEDS / 2, "{tally:?}");
        assert_eq!((tally.gone, tally.lost), (0, 0), "{mode:?}: {tally:?}");
    }
}

/// The disk fails again, at the nth operation with which the board is opened anew; somewhere in that or behind it the power is
/// cut. None if there is no such operation.
fn fail_again(nth: u64, is_sticky: bool) -> Option<Image> {
    let mut rng = Rng::with_seed(nth);
    let (cut_in, lot) = (rng.u64(..100), rng.fork());
    let mut bench = Bench::new(ExclusiveWriter, 3, |disk| disk.cut_in(cut_in, lot));
    assert!(bench.fail(1));
    bench.faults.plan(nth, io::ErrorKind::Other, is_sticky);
    let opened = bench.engine.reopen();
    let failed = bench.faults.end()?;
    if opened.is_ok() {
        // Read again page by page, or left out: what redb needs it reads itself.
        assert_eq!(failed, Op::Read, "at operation {nth}");
        bench.find_out();
        bench.write(rng.u64(..3));
        return Some(bench.cut());
    }
    let is_shut = ErrorKind::Unavailable(Unavailable::Io);
    assert_eq!(kind(opened), is_shut);
    let read = try_ask(&bench.engine, |view| view.group(1));
    assert_eq!(kind(read), is_shut, "it is not known to be on the disk");
    let end = try_write(&bench.engine, &group(9));
    assert!(matches!(end, WriteEnd::NotWritten(_)), "{end:?}");
    match rng.u8(..3) {
        0 => bench = bench.restart(true),
        1 => return Some(bench.cut()),
        _ => bench.engine.reopen().unwrap(),
    }
    bench.find_out();
    bench.write(rng.u64(..3));
    Some(bench.cut())
}

#[test]
fn a_board_whose_disk_fails_again_stays_shut_and_a_power_cut_takes_nothing_answered() {
    for is_sticky in [false, true] {
        let mut tally = Tally::default();
        for (nth, image) in (1..).map_while(|nth| Some((nth, fail_again(nth, is_sticky)?))) {
            let told = format!("at operation {nth}, sticky {is_sticky}");
            tally.add(&image, ExclusiveWriter, &told);
        }
        println!("sticky {is_sticky}: {tally:?}");
        assert!(tally.images > 30, "{tally:?}");
        assert_eq!((tally.gone, tally.lost), (0, 0), "{tally:?}");
    }
}

/// The nth flush of a close fails, and the next program finds what it was to keep; None if it has no such.
fn fail_to_close(nth: u64, lot: u64) -> Option<Image> {
    let rng = Rng::with_seed(lot);
    let bench = Bench::new(ExclusiveWriter, 3, |disk| disk.cut_in(1000, rng));
    bench.faults.plan_only(Op::Sync, nth);
    let (mut next, failed) = bench.end();
    failed?;
    next.find_out();
    next.write(lot % 3);
    Some(next.cut())
}

#[test]
fn after_a_close_whose_flush_failed_a_power_cut_takes_nothing_answered() {
    let mut tally = Tally::default();
    for lot in 0..10 {
        for (nth, image) in (1..).map_while(|nth| Some((nth, fail_to_close(nth, lot)?))) {
            tally.add(&image, ExclusiveWriter, &format!("flush {nth}, lot {lot}"));
        }
    }
    println!("{tally:?}");
    assert!(tally.images >= 20, "{tally:?}");
    assert_eq!((tally.gone, tally.lost), (0, 0), "{tally:?}");
}

/// How many bytes are written to open a board anew after an operation of a commit has failed, and how many it has.
fn opened_anew_after(op: Op, mode: ConcurrencyMode) -> (u64, u64) {
    let bench = Bench::new(mode, 3, |disk| disk);
    bench.faults.plan_only(op, 1);
    let end = try_write(&bench.engine, &group(4));
    assert!(matches!(end, WriteEnd::Uncertain(_)), "{end:?}");
    assert_eq!(bench.faults.end(), Some(op));
    let before = bench.written();
    bench.engine.reopen().unwrap();
    let len = bench.engine.core.place.len();
    (bench.written() - before, len)
}

/// No more is written than must be: on a full disk there may be no room for it.
#[test]
fn a_board_is_written_again_where_it_commits_in_one_phase_and_a_flush_has_failed_and_nowhere_else()
{
    let (written, len) = opened_anew_after(Op::Sync, ExclusiveWriter);
    assert!(written > len / 10, "{written} bytes of {len}");
    for (op, mode) in [
        (Op::Write, ExclusiveWriter),
        (Op::Sync, MultiWriter),
        (Op::Write, MultiWriter),
    ] {
        let (written, len) = opened_anew_after(op, mode);
        assert!(written < len / 20, "{op:?}, {mode:?}: {written} of {len}");
    }
}
