//! What the benches have in common: ids such as `contention/redb/power/10k_tasks/64_clients`, and how they are measured.
//!
//! An id alone is the time of a round of the store: each client makes one call, or as many as its workload says. With a last part
//! more, `limit` or the name of a pattern, it is [`Turns::ratio`](kanban_bench::turns::Turns::ratio) of the store and that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use kanban_bench::extent::{self, Extent};
use kanban_bench::fill;
use kanban_bench::limit::LIMIT;
use kanban_bench::place::Place;
use kanban_bench::subject::{Store, Subject};
use kanban_bench::template::Known;
use kanban_bench::turns::{self, Beside, ByStore, InTurns};
use kanban_core::RootMode;
use pollster::block_on;
use regex::Regex;

use self::ratio::Ratio;

mod ratio;

/// How long a time is measured, and how long a ratio, whose turns need preparation.
type Spans = (Duration, Duration);
const QUICK: Spans = (Duration::from_millis(400), Duration::from_millis(1200));
const FULL: Spans = (Duration::from_secs(3), Duration::from_secs(4));
/// How many turns or rounds there is time for where they are long, with what is prepared for each. Criterion's quick run ends after
/// one alone if that has taken all the time, and tells an interval without a width; else after the two that follow it. Halves
/// leave room for one that is longer than the others, and none for four more.
const LONG_HALVES: u32 = 5;

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id<'a> {
    /// The workload.
    pub(crate) what: &'a str,
    /// The engine.
    pub(crate) subject: Subject,
    /// How many tasks the board holds.
    pub(crate) tasks: usize,
    /// How many callers there are.
    pub(crate) clients: usize,
    /// How many calls each makes in a round.
    pub(crate) calls: usize,
}

impl Id<'_> {
    /// The id without the workload, with a last part.
    fn rest(&self, beside: Option<&str>) -> String {
        let rest = fill::id_rest(self.subject, self.tasks, self.clients);
        let beside = beside.map_or_else(String::new, |name| format!("/{name}"));
        format!("{rest}{beside}")
    }
}

/// A run of one bench target.
pub(crate) struct Run {
    times: Criterion,
    ratios: Criterion<Ratio>,
    filter: Option<Regex>,
    of_times: Duration,
    of_ratios: Duration,
    pub(crate) extent: Extent,
    pub(crate) shelf: Rc<Shelf>,
}

impl Run {
    pub(crate) fn start() -> Self {
        let place = Place::find().expect("boards have a place");
        let extent = Extent::told();
        eprintln!("boards are in {place}; the run is {extent:?}");
        let (of_times, of_ratios) = match extent {
            Extent::Once | Extent::Quick => QUICK,
            Extent::Full => FULL,
        };
        let criterion = |span| {
            Criterion::default()
                .sample_size(10)
                .warm_up_time(Duration::from_millis(500))
                .measurement_time(span)
        };
        let ratios = criterion(of_ratios).with_measurement(Ratio);
        let filter = extent::filter();
        Self {
            times: criterion(of_times).configure_from_args(),
            ratios: ratios.configure_from_args(),
            filter: filter.map(|filter| Regex::new(&filter).expect("a filter is an expression")),
            of_times,
            of_ratios,
            extent,
            shelf: Rc::new(Shelf {
                place: place.folder,
                boards: RefCell::default(),
            }),
        }
    }

    pub(crate) fn end(&self) {
        self.times.final_summary();
        self.ratios.final_summary();
    }

    /// Measures the time of the store's rounds, and then in turns with each of the others the ratio.
    pub(crate) fn compare(
        &mut self,
        id: Id<'_>,
        turn: Duration,
        store: &mut ByStore<'_>,
        others: &mut [(&str, &mut Beside<'_>)],
    ) {
        self.time(id, store);
        for (name, other) in others {
            self.ratio(id, turn, store, (name, *other));
        }
    }

    /// Measures the time of the store's rounds.
    pub(crate) fn time(&mut self, id: Id<'_>, store: &mut ByStore<'_>) {
        let wall = match self.is_measured(id, None) {
            true => turns::wall_of(|| store(1)).1,
            false => Duration::ZERO,
        };
        let calls = u64::try_from(id.clients * id.calls).unwrap_or(u64::MAX);
        let mut group = self.times.benchmark_group(id.what);
        let long = wall * LONG_HALVES / 2;
        if long > self.of_times {
            group.measurement_time(long);
        }
        group.sampling_mode(SamplingMode::Flat);
        group.throughput(Throughput::Elements(calls));
        group.bench_function(id.rest(None), |bencher| {
            bencher.iter_custom(|rounds| {
                let rounds = usize::try_from(rounds).unwrap_or(usize::MAX);
                store(rounds).took.span
            });
        });
        group.finish();
    }

    /// Measures the ratio to what stands beside the store, in turns with it.
    pub(crate) fn ratio(
        &mut self,
        id: Id<'_>,
        turn: Duration,
        store: &mut ByStore<'_>,
        (name, other): (&str, &mut Beside<'_>),
    ) {
        // A pattern has as many threads as there are clients.
        let turn = match name {
            LIMIT => turn,
            _ => turn.max(self.extent.turn_of_threads(id.clients)),
        };
        let mut turns = InTurns::new(turn, store, other);
        let wall = match self.is_measured(id, Some(name)) {
            true => turns.warm_up(),
            false => Duration::ZERO,
        };
        let mut group = self.ratios.benchmark_group(id.what);
        let long = wall * LONG_HALVES / 2;
        if long > self.of_ratios {
            group.measurement_time(long);
        }
        group.sampling_mode(SamplingMode::Flat);
        group.throughput(Throughput::Elements(1));
        group.bench_function(id.rest(Some(name)), |bencher| {
            bencher.iter_custom(|count| (0..count).map(|_| turns.take()).sum());
        });
        group.finish();
        // The limit takes it over, so that no ratio tells when it changes.
        if let Some(calls) = turns.group() {
            let (what, rest) = (id.what, id.rest(Some(name)));
            eprintln!("{what}/{rest}: {calls:.1} calls of the store shared a commit");
        }
    }

    /// Whether an id is measured, and not only tried or listed. What takes long is then done before: criterion's quick run
    /// would count it as the time of the first round, and end there.
    fn is_measured(&self, id: Id<'_>, beside: Option<&str>) -> bool {
        let id = format!("{}/{}", id.what, id.rest(beside));
        let is_wanted = self.filter.as_ref().is_none_or(|one| one.is_match(&id));
        let is_listing = std::env::args().any(|word| word == "--list");
        is_wanted && !is_listing && self.extent != Extent::Once
    }
}

/// Filled boards, each made when it is first used.
pub(crate) struct Shelf {
    place: PathBuf,
    boards: RefCell<BTreeMap<(Store, bool, usize), Rc<Known>>>,
}

impl Shelf {
    /// A filled board of the subject's engine and mode.
    pub(crate) fn board(&self, subject: Subject, tasks: usize) -> Rc<Known> {
        let key = (subject.store, subject.mode == RootMode::Exclusive, tasks);
        let mut boards = self.boards.borrow_mut();
        let filled = boards.entry(key).or_insert_with(|| {
            let made = block_on(Known::make(subject, &self.place, tasks));
            Rc::new(made.expect("a board is filled"))
        });
        Rc::clone(filled)
    }
}
