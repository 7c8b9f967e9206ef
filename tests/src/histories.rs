//! Random histories: an engine and the [oracle](crate::oracle) must stay one board, answer by answer.
//!
//! A backend proves itself by one line in an integration test of its own crate:
//!
//! ```text
//! kanban_conformance::histories!(sqlite, |root, options| {
//!     kanban_core::Boards::open_root(root, kanban_sqlite::SqliteBackend::default(), options)
//! });
//! ```
//!
//! `docs/histories.md` tells how to run more of them, and how to replay one that failed.

mod call;
mod deadline;
mod dice;
mod differ;
mod figures;
mod play;
mod resolve;
mod step;

use std::cell::RefCell;

use kanban_core::{IdSource, RandomIds};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::figures::Figures;
use self::play::{Compare, Difference, World};
use self::step::{Histories, Step};
use crate::fixture::Opener;

/// The seed of the first history, where none is given.
const SEED: u64 = 20_250_615;

/// How many histories there are in all parts together, and how many steps each has, where nothing else is said.
const HISTORIES: u64 = 1000;
const LEN: usize = 110;

/// Into how many tests the histories are divided, so that they share the cores.
const PARTS: u64 = 4;

/// Plays a part (0 to 3) of the histories.
///
/// # Panics
/// If the engine and the oracle differ: with the shortest history that was found to show it.
pub fn play_histories(open: Opener, part: u64) {
    let plan = Plan::of_environment();
    let mut world = World::new(open);
    let figures = RefCell::new(Figures::default());
    let mine = (0..plan.histories).filter(|number| number % PARTS == part);
    for number in mine {
        let seed = plan.seed.wrapping_add(number);
        play_one(&mut world, &plan, seed, &figures);
    }
    let figures = figures.into_inner();
    eprintln!("part {part} of seed {}: {figures}", plan.seed);
    if plan.must_cover {
        let gaps = figures.gaps();
        assert!(
            gaps.is_empty(),
            "expected that the histories of one part meet everything, found {gaps:#?}"
        );
    }
}

/// Says how a history is replayed, also where it ends by a panic: of the engine, of the oracle or of a check.
struct Replay<'a> {
    seed: u64,
    plan: &'a Plan,
}

impl std::fmt::Display for Replay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, plan } = self;
        write!(
            f,
            "replay: KANBAN_HISTORIES=1 KANBAN_HISTORY_SEED={seed} KANBAN_HISTORY_LEN={}",
            plan.len
        )
    }
}

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{self}");
        }
    }
}

fn play_one(world: &mut World, plan: &Plan, seed: u64, figures: &RefCell<Figures>) {
    let _told = Replay { seed, plan };
    let world = RefCell::new(world);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let strategy = Histories { len: plan.len };
    let tree = strategy
        .new_tree(&mut runner)
        .expect("a history can always be drawn");
    let ended = runner.run_one(tree, |steps: Vec<Step>| {
        let mut counts = figures.borrow_mut();
        let played = world
            .borrow_mut()
            .play(&steps, Compare::AtTheEnd, &mut counts);
        played.map_err(|difference| TestCaseError::fail(difference.what))
    });
    let steps = match ended {
        Ok(_) => return,
        Err(TestError::Fail(_, steps)) => steps,
        Err(TestError::Abort(why)) => panic!("the history of seed {seed} was given up: {why}"),
    };
    let again = world
        .borrow_mut()
        .play(&steps, Compare::EachStep, &mut Figures::default());
    let Err(Difference { played, what }) = again else {
        panic!("the history of seed {seed} failed once and not again: {steps:?}")
    };
    panic!(
        "the engine and the oracle differ after:\n  {}\n{what}",
        played.join("\n  "),
    );
}

/// How many histories are played, and from which seed on.
#[derive(Debug)]
struct Plan {
    histories: u64,
    len: usize,
    seed: u64,
    /// Whether everything must be met: where nothing was changed.
    must_cover: bool,
}

impl Plan {
    fn of_environment() -> Self {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            if text == "fresh" {
                return Some(RandomIds.random() >> 16);
            }
            let number = text.parse::<u64>();
            Some(number.unwrap_or_else(|error| panic!("{name}={text} is no number: {error}")))
        };
        let (histories, len, seed) = (
            number("KANBAN_HISTORIES"),
            number("KANBAN_HISTORY_LEN"),
            number("KANBAN_HISTORY_SEED"),
        );
        Self {
            must_cover: histories.is_none() && len.is_none() && seed.is_none(),
            histories: histories.unwrap_or(HISTORIES),
            len: len.map_or(LEN, |len| usize::try_from(len).unwrap_or(LEN)),
            seed: seed.unwrap_or(SEED),
        }
    }
}

/// Makes the tests that play histories on a backend: its name, and how its boards are opened.
#[macro_export]
macro_rules! histories {
    ($backend:ident, $open:expr $(,)?) => {
        mod $backend {
            #[allow(
                unused_imports,
                reason = "for an opener that names things of its module"
            )]
            use super::*;

            const OPEN: $crate::Opener = $open;

            #[test]
            fn agrees_with_the_oracle_in_the_first_quarter_of_the_histories() {
                $crate::play_histories(OPEN, 0);
            }

            #[test]
            fn agrees_with_the_oracle_in_the_second_quarter_of_the_histories() {
                $crate::play_histories(OPEN, 1);
            }

            #[test]
            fn agrees_with_the_oracle_in_the_third_quarter_of_the_histories() {
                $crate::play_histories(OPEN, 2);
            }

            #[test]
            fn agrees_with_the_oracle_in_the_last_quarter_of_the_histories() {
                $crate::play_histories(OPEN, 3);
            }
        }
    };
}
