//! What the benches have in common: boards to measure, and ids such as `contention/redb/power/10k_tasks/64_clients`.
//!
//! One iteration is a round: each client makes one call, or one pair of them. What stands beside a store in the same run has
//! the same id with a last part more: `limit`, or the name of a pattern.

#![allow(
    dead_code,
    reason = "a module of five programs, of which none needs all of it; expected, it would be missed where an item is used"
)]

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use kanban_bench::board::{Board, Closed};
use kanban_bench::clients::Outcome;
use kanban_bench::extent::Extent;
use kanban_bench::fill;
use kanban_bench::place::Place;
use kanban_bench::subject::{Store, Subject};
use kanban_bench::template::Template;
use kanban_core::{Durability, Result, Task};
use pollster::block_on;

/// How long an id is measured in a quick run, and in a full one.
const MEASURED: (Duration, Duration) = (Duration::from_millis(700), Duration::from_secs(5));

/// Engines as they are opened by default.
pub(crate) const ENGINES: &[Subject] = &[Subject::new(Store::Sqlite), Subject::new(Store::Redb)];
/// Besides: a durability and a mode that make writes cheaper.
pub(crate) const CHEAPER: &[Subject] = &[
    Subject::new(Store::Sqlite).at(Durability::Process),
    Subject::new(Store::Redb).exclusive(),
];

/// What is measured under one id.
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
        let id = fill::id("", self.subject, self.tasks, self.clients);
        let beside = beside.map_or_else(String::new, |name| format!("/{name}"));
        format!("{}{beside}", id.trim_start_matches('/'))
    }

    /// Whether an id is measured for certain. What takes long is then made before: criterion's quick run counts it as the time
    /// of the first round, and ends there. Where the filter is a regular expression it is not known.
    pub(crate) fn is_wanted(self, beside: Option<&str>) -> bool {
        let id = format!("{}/{}", self.what, self.rest(beside));
        let is_word = |word: &&String| !word.starts_with('-');
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let mut filters = arguments.iter().filter(is_word).peekable();
        if arguments.iter().any(|word| word == "--list") {
            return false;
        }
        filters.peek().is_none() || filters.any(|filter| id.contains(filter.as_str()))
    }
}

/// A run of one bench target.
pub(crate) struct Run {
    criterion: Criterion,
    place: Place,
    pub(crate) extent: Extent,
    templates: BTreeMap<(Store, bool, usize), Rc<OnceCell<Template>>>,
}

impl Run {
    pub(crate) fn start() -> Self {
        let place = Place::find().expect("boards have a place");
        let extent = Extent::told();
        eprintln!("boards are in {place}; the run is {extent:?}");
        let measured = match extent {
            Extent::Quick => MEASURED.0,
            Extent::Full => MEASURED.1,
        };
        let criterion = Criterion::default()
            .sample_size(10)
            .warm_up_time(Duration::from_secs(1))
            .measurement_time(measured)
            .configure_from_args();
        Self {
            criterion,
            place,
            extent,
            templates: BTreeMap::new(),
        }
    }

    pub(crate) fn end(&self) {
        self.criterion.final_summary();
    }

    /// Engines as they are opened by default; in a full run the cheaper ones besides.
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        let cheaper = match self.extent {
            Extent::Quick => &[],
            Extent::Full => CHEAPER,
        };
        [ENGINES, cheaper].concat()
    }

    /// Measures rounds by a store, on one copy of a board of the size that is kept open. Answers how many calls shared a
    /// commit; none if the id was not wanted.
    pub(crate) fn by_store(
        &mut self,
        id: Id<'_>,
        rounds: impl Fn(&Board, &Template, usize) -> Result<Counted>,
    ) -> Option<usize> {
        let (board, template) = (OnceCell::new(), self.template(id.subject, id.tasks));
        let place = self.place.folder.clone();
        let (calls, commits) = (Cell::new(0), Cell::new(0));
        let measured = |count| {
            let template = filled(&template, id, &place);
            let board: &Board = board.get_or_init(|| opened(template, id.subject));
            let counted = rounds(board, template, count).expect("the store carries it out");
            calls.set(calls.get() + counted.outcome.calls);
            commits.set(commits.get() + counted.commits);
            counted.outcome.usage.elapsed
        };
        if id.is_wanted(None) {
            measured(1);
        }
        self.measure(id, None, measured);
        let board = board.into_inner()?;
        block_on(board.close()).expect("the board is closed");
        let group = calls.get().checked_div(commits.get()).unwrap_or(1);
        Some(usize::try_from(group).unwrap_or(1).max(1))
    }

    /// Measures as many rounds of what stands beside the store, each time on a new copy of the board. `task_calls` is how many
    /// tasks a round uses up.
    pub(crate) fn beside(
        &mut self,
        id: Id<'_>,
        name: &str,
        task_calls: usize,
        rounds: impl Fn(Closed, &[Task], usize) -> Outcome,
    ) {
        let template = self.template(id.subject, id.tasks);
        let place = self.place.folder.clone();
        let tasks = OnceCell::new();
        let rounds_max = id.tasks.checked_div(task_calls).unwrap_or(usize::MAX);
        let known = |template: &Template| -> Vec<Task> {
            block_on(template.tasks(id.tasks)).expect("the tasks are read")
        };
        if id.is_wanted(Some(name)) {
            tasks.get_or_init(|| known(filled(&template, id, &place)));
        }
        self.measure(id, Some(name), |count| {
            let template = filled(&template, id, &place);
            let tasks = tasks.get_or_init(|| known(template));
            let mut elapsed = Duration::ZERO;
            let mut left = count;
            while left > 0 {
                let now = left.min(rounds_max).max(1);
                let copy = template.copy(id.subject).expect("the board is copied");
                elapsed += rounds(copy, tasks, now).usage.elapsed;
                left -= now;
            }
            elapsed
        });
    }

    /// Measures rounds that bring their own boards.
    pub(crate) fn measure(
        &mut self,
        id: Id<'_>,
        beside: Option<&str>,
        mut rounds: impl FnMut(usize) -> Duration,
    ) {
        let mut group = self.criterion.benchmark_group(id.what);
        let calls = u64::try_from(id.clients * id.calls).unwrap_or(u64::MAX);
        group.throughput(Throughput::Elements(calls));
        group.sampling_mode(SamplingMode::Flat);
        group.bench_function(id.rest(beside), |bencher| {
            bencher.iter_custom(|count| rounds(usize::try_from(count).unwrap_or(usize::MAX)));
        });
        group.finish();
    }

    /// A filled board of a size, which is made when it is first used.
    pub(crate) fn template(&mut self, subject: Subject, tasks: usize) -> Rc<OnceCell<Template>> {
        let key = (subject.store, subject == subject.exclusive(), tasks);
        Rc::clone(self.templates.entry(key).or_default())
    }

    pub(crate) fn place(&self) -> &Path {
        &self.place.folder
    }
}

/// What some rounds came to.
pub(crate) struct Counted {
    outcome: Outcome,
    commits: u64,
}

impl Counted {
    /// Runs a workload, and counts the commits of its board meanwhile.
    pub(crate) fn of(board: &Board, run: impl FnOnce() -> Result<Outcome>) -> Result<Self> {
        let before = board.commits.count();
        let outcome = run()?;
        let commits = board.commits.count() - before;
        Ok(Self { outcome, commits })
    }
}

pub(crate) fn filled<'t>(
    template: &'t OnceCell<Template>,
    id: Id<'_>,
    place: &Path,
) -> &'t Template {
    template.get_or_init(|| {
        let made = block_on(Template::make(id.subject, place, id.tasks));
        made.expect("a board is filled")
    })
}

fn opened(template: &Template, subject: Subject) -> Board {
    let copy = template.copy(subject).expect("the board is copied");
    block_on(copy.open()).expect("a copy is a board")
}
