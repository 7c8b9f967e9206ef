//! Durability `Lazy` in an exclusive root: processes that answer writes are killed, and what is left is judged.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use kanban_conformance::calls;
use kanban_core::{
    Backend, BoardStore, Boards, Durability, Engine, EventId, OpenBoard, Options, Result, RootMode,
    TaskId, Txn, Upkeep, Verdict, View, Violation, WriteEnd,
};
use kanban_redb::{RedbBackend, RedbEngine};
use pollster::block_on;

use crate::support::{Other, say};

const INTERVAL: Duration = Duration::from_millis(40);
const CLIENTS: usize = 4;
const CYCLES: u64 = 20;

/// An answered write, as its caller saw it.
#[derive(Debug, Clone, Copy)]
struct Answered {
    /// By the clock of its process.
    called: Duration,
    told: Duration,
    seq: u64,
    /// The number that it was given: a comment's, or a run's.
    comment: u64,
    run: u64,
}

impl Answered {
    fn parse(line: &str) -> Option<Self> {
        // A line that was cut short by the kill has no end.
        let words: Vec<u64> = line.strip_suffix(" end")?.split(' ').map(number).collect();
        Some(Self {
            called: Duration::from_nanos(words[0]),
            told: Duration::from_nanos(words[1]),
            seq: words[2],
            comment: words[3],
            run: words[4],
        })
    }
}

fn number(word: &str) -> u64 {
    word.parse().unwrap()
}

fn options(durability: Durability) -> Options {
    Options {
        durability,
        mode: Some(RootMode::Exclusive),
        ..Options::default()
    }
}

/// Answers writes until it is killed.
pub(crate) fn answer(root: &Path) {
    answer_on(root, RedbBackend::new());
}

/// The same with a flush that keeps nothing.
pub(crate) fn answer_without_flushes(root: &Path) {
    answer_on(root, Forgetful);
}

fn answer_on<B: Backend>(root: &Path, backend: B) {
    let interval = INTERVAL;
    let boards = Boards::open_root(root, backend, options(Durability::Lazy { interval })).unwrap();
    let store = block_on(boards.open(None)).unwrap();
    let start = now();
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let made = block_on(store.create(calls::new("talked about"))).unwrap();
                loop {
                    write(&*store, &made.value.id, start);
                }
            });
        }
    });
}

fn write(store: &dyn BoardStore, task: &TaskId, start: Instant) {
    let tell = |called: Instant, seq: u64, comment: u64, run: u64| {
        let (called, answered) = (called - start, now() - start);
        let (called, answered) = (called.as_nanos(), answered.as_nanos());
        say(&format!("{called} {answered} {seq} {comment} {run} end"));
    };
    let called = now();
    let claimed = block_on(store.claim(calls::claim(task))).unwrap();
    tell(called, claimed.seq.get(), 0, claimed.value.run.id.get());
    for _ in 0..5 {
        let called = now();
        let comment = block_on(store.comment(calls::comment(task, "x"))).unwrap();
        tell(called, comment.seq.get(), comment.value.id.get(), 0);
    }
    let called = now();
    let released = block_on(store.release(calls::release(&claimed.value))).unwrap();
    tell(called, released.seq.get(), 0, 0);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the interval is of real time, and this is what measures it"
)]
fn now() -> Instant {
    Instant::now()
}

/// What kills have cost.
#[derive(Debug, Default)]
struct Figures {
    answered: usize,
    lost: usize,
    /// How much later than a lost write's answer another write was called that was answered.
    age_max: Duration,
    /// The highest numbers that were answered.
    seq: u64,
    comment: u64,
    run: u64,
}

/// Starts a process, kills it after some answers, and judges the board that is left.
fn kill_one(
    part: &str,
    root: &Path,
    answers: u64,
    figures: &mut Figures,
) -> std::result::Result<(), String> {
    let mut other = Other::new(part, root);
    let mut lines = other.lines();
    let mut answered: Vec<Answered> = Vec::new();
    for line in lines.by_ref() {
        answered.extend(Answered::parse(&line));
        let is_old = |last: &Answered| last.told > INTERVAL * 3;
        if answered.len() as u64 >= answers && answered.last().is_some_and(is_old) {
            break;
        }
    }
    other.kill();
    answered.extend(lines.filter_map(|line| Answered::parse(&line)));
    figures.answered += answered.len();
    for one in &answered {
        figures.seq = figures.seq.max(one.seq);
        figures.comment = figures.comment.max(one.comment);
        figures.run = figures.run.max(one.run);
    }
    block_on(judge(root, &answered, figures))
}

async fn judge(
    root: &Path,
    answered: &[Answered],
    figures: &mut Figures,
) -> std::result::Result<(), String> {
    let boards = Boards::open_root(root, RedbBackend::new(), options(Durability::Power)).unwrap();
    let store = boards.open(None).await.unwrap();
    let violations = store.verify().await.unwrap().value;
    if !violations.is_empty() {
        return Err(format!("the board is unsound: {violations:?}"));
    }
    let kept = seqs(&*store).await;
    let end = kept.last().copied().unwrap_or(0);
    let (kept_too, lost): (Vec<&Answered>, Vec<&Answered>) =
        answered.iter().partition(|one| one.seq <= end);
    if let Some(hole) = kept_too.iter().find(|one| !kept.contains(&one.seq)) {
        return Err(format!("{hole:?} is gone from before {end}"));
    }
    let oldest = lost.iter().map(|one| one.told).min();
    let newest = answered.iter().map(|one| one.called).max();
    let age = newest
        .unwrap_or_default()
        .saturating_sub(oldest.unwrap_or(Duration::MAX));
    figures.lost += lost.len();
    figures.age_max = figures.age_max.max(age);
    // Whoever was answered was so while nothing older than this was without its flush, however slow the machine.
    if age >= INTERVAL {
        return Err(format!(
            "a write was lost that was answered {age:?} before another was called"
        ));
    }
    let task = store.create(calls::new("after the kill")).await.unwrap();
    let comment = store
        .comment(calls::comment(&task.value.id, "x"))
        .await
        .unwrap();
    let claimed = store.claim(calls::claim(&task.value.id)).await.unwrap();
    let given = [
        task.seq.get(),
        comment.value.id.get(),
        claimed.value.run.id.get(),
    ];
    let before = [figures.seq, figures.comment, figures.run];
    if given
        .iter()
        .zip(before)
        .any(|(given, before)| *given <= before)
    {
        return Err(format!(
            "numbers are given again: {given:?}, answered were {before:?}"
        ));
    }
    boards.close().await.unwrap();
    Ok(())
}

/// The `seq`s of all events.
async fn seqs(store: &dyn BoardStore) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    let mut after = EventId::new(0);
    loop {
        let page = store
            .events(calls::events_after(after))
            .await
            .unwrap()
            .value;
        if page.through == after {
            return found;
        }
        after = page.through;
        found.extend(page.events.iter().map(|event| event.seq.get()));
    }
}

#[test]
fn a_killed_process_loses_an_end_no_older_than_the_interval_and_no_number_comes_twice() {
    let root = tempfile::tempdir().unwrap();
    let mut figures = Figures::default();
    for _ in 0..CYCLES {
        let answers = fastrand::u64(1..400);
        kill_one("answer", root.path(), answers, &mut figures).unwrap();
    }
    let Figures {
        answered,
        lost,
        age_max,
        ..
    } = figures;
    println!(
        "cycles={CYCLES} answered={answered} lost={lost} interval={INTERVAL:?} oldest lost={age_max:?}"
    );
    assert!(lost > 0, "a store that loses nothing is not lazy");
}

#[test]
fn a_store_that_flushes_nothing_is_found() {
    let root = tempfile::tempdir().unwrap();
    let told = kill_one(
        "answer_without_flushes",
        root.path(),
        1,
        &mut Figures::default(),
    );
    let told = told.expect_err("all that was answered is gone");
    assert!(told.contains("was lost"), "{told}");
}

/// An engine whose flush keeps nothing.
#[derive(Debug)]
struct Forgetful;

#[derive(Debug)]
struct ForgetfulEngine(RedbEngine);

impl Backend for Forgetful {
    type Engine = ForgetfulEngine;

    fn name(&self) -> &'static str {
        RedbBackend::new().name()
    }

    fn file_name(&self) -> &'static str {
        RedbBackend::new().file_name()
    }

    fn open(&self, directory: &Path, how: &OpenBoard) -> Result<ForgetfulEngine> {
        RedbBackend::new().open(directory, how).map(ForgetfulEngine)
    }

    fn accept_backup(&self, copy: &Path) -> Result<()> {
        RedbBackend::new().accept_backup(copy)
    }
}

impl Engine for ForgetfulEngine {
    fn read(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        self.0.read(ask)
    }

    fn read_long(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        self.0.read_long(ask)
    }

    fn backup(&self, to: &Path, go_on: &dyn Fn(kanban_core::Copied) -> Result<()>) -> Result<()> {
        self.0.backup(to, go_on)
    }

    fn write(&self, fill: &mut dyn FnMut(&mut dyn Txn) -> Result<Verdict>) -> WriteEnd {
        self.0.write(fill)
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn outlives_process(&self) -> bool {
        self.0.outlives_process()
    }

    fn reopen(&self) -> Result<()> {
        self.0.reopen()
    }

    fn idle(&self) -> Upkeep {
        self.0.idle()
    }

    fn release_thread(&self) {
        self.0.release_thread();
    }

    fn close(&self) -> Result<()> {
        self.0.close()
    }

    fn check(&self, limit: usize) -> Result<Vec<Violation>> {
        self.0.check(limit)
    }
}
