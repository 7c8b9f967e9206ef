//! The store and what stands beside it, in turns, so that a machine whose speed changes does the same to both: what a bench
//! quotes is the ratio of their times.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;
use std::time::Duration;

use crate::board::Board;
use crate::clients::Outcome;
use crate::clock::now;

/// How long calls took together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    /// Real time.
    pub span: Duration,
    /// How many calls were answered in it.
    pub calls: u64,
}

impl From<&Outcome> for Took {
    fn from(outcome: &Outcome) -> Self {
        Self {
            span: outcome.usage.elapsed,
            calls: outcome.calls,
        }
    }
}

impl Add for Took {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            span: self.span + more.span,
            calls: self.calls + more.calls,
        }
    }
}

impl Sum for Took {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

impl Took {
    /// The mean of a call, in seconds. Never 0, for it is divided by.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of calls is far below 2^52"
    )]
    fn per_call(self) -> f64 {
        self.span.as_secs_f64().max(1e-9) / self.calls.max(1) as f64
    }
}

/// What some rounds of the store came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    /// How long their calls took.
    pub took: Took,
    /// How many calls shared a commit: the other's transactions are as long.
    pub group: usize,
}

impl Rounds {
    /// Of calls that share no commit: a lone client's, and reads. Whatever else the board has committed meanwhile is not counted.
    #[must_use]
    pub fn unshared(outcome: &Outcome) -> Self {
        Self {
            took: Took::from(outcome),
            group: 1,
        }
    }

    /// Runs a workload on an open board of which such a part of the calls write, and finds out how many of those shared a
    /// commit.
    ///
    /// # Errors
    /// The workload's.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a group is some thousand calls at most"
    )]
    pub fn of(
        board: &Board,
        writing: f64,
        work: impl FnOnce() -> kanban_core::Result<Outcome>,
    ) -> kanban_core::Result<Self> {
        let before = board.commits.count();
        let took = Took::from(&work()?);
        // An engine commits for itself too, now and then; reads commit nothing.
        let commits = board.commits.count().saturating_sub(before).max(1);
        let group = took.calls as f64 * writing / commits as f64;
        Ok(Self {
            took,
            group: group.round().max(1.0) as usize,
        })
    }
}

/// What some turns came to, each one of the store and one of the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turns {
    store: Took,
    other: Took,
    count: u32,
}

impl Turns {
    /// One turn of each side. They need not have made as many calls.
    #[must_use]
    pub const fn one(store: Took, other: Took) -> Self {
        Self {
            store,
            other,
            count: 1,
        }
    }

    /// The time of a call of the store ÷ the time of a call of the other, each the mean over all turns: below 1 the store is
    /// faster. A turn counts by its length, so one that was short by chance weighs little. `docs/benchmarks.md` says how to read it.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.store.per_call() / self.other.per_call()
    }

    /// The ratio once for every turn, as criterion wants it: it divides by their number. 0 of none.
    #[must_use]
    pub fn total(&self) -> f64 {
        match self.count {
            0 => 0.0,
            count => self.ratio() * f64::from(count),
        }
    }
}

impl Add for Turns {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            store: self.store + more.store,
            other: self.other + more.other,
            count: self.count + more.count,
        }
    }
}

/// Makes so many rounds by the store.
pub type ByStore<'a> = dyn FnMut(usize) -> Rounds + 'a;
/// Makes so many rounds beside it, in transactions of so many calls. It may make fewer.
pub type Beside<'a> = dyn FnMut(usize, usize) -> Took + 'a;

/// Takes turns of two sides. The store is always first: what its writer puts off until nobody has called for a while would
/// else be done while the other has two turns in a row, and be counted as the other's. Where one turn is as long as that while, as on a
/// lazy board or with many threads, some of it still is.
pub struct InTurns<'a> {
    store: &'a mut ByStore<'a>,
    other: &'a mut Beside<'a>,
    store_pace: Pace,
    other_pace: Pace,
    /// Of all turns, and how many there were.
    groups: (usize, usize),
}

impl<'a> InTurns<'a> {
    /// Two sides, of which each turn is to take about as long. With no time at all it is one round.
    #[must_use]
    pub const fn new(
        turn: Duration,
        store: &'a mut ByStore<'a>,
        other: &'a mut Beside<'a>,
    ) -> Self {
        Self {
            store,
            other,
            store_pace: Pace::new(turn),
            other_pace: Pace::new(turn),
            groups: (0, 0),
        }
    }

    /// Takes turns that nobody looks at until both sides have found their pace, and the caches are warm. Answers how long the last
    /// one took in all, with what is prepared for it.
    pub fn warm_up(&mut self) -> Duration {
        let mut wall = Duration::ZERO;
        for _ in 0..FINDING_MAX {
            wall = wall_of(|| self.take()).1;
            if self.store_pace.is_found && self.other_pace.is_found {
                break;
            }
        }
        self.groups = (0, 0);
        wall
    }

    /// How many calls of the store shared a commit, the mean of the turns since the warm-up. None where no call shares one.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sum of groups is far below 2^52"
    )]
    pub fn group(&self) -> Option<f64> {
        let (calls, turns) = self.groups;
        (calls > turns).then(|| calls as f64 / turns as f64)
    }

    /// The store, and then the other in transactions as long as the store's have just been.
    pub fn take(&mut self) -> Turns {
        let Rounds { took, group } = (self.store)(self.store_pace.rounds);
        self.store_pace.learn(took.span);
        self.groups = (self.groups.0 + group, self.groups.1 + 1);
        let other = (self.other)(self.other_pace.rounds, group);
        self.other_pace.learn(other.span);
        Turns::one(took, other)
    }
}

/// Does something, and tells how long it took in all, what is prepared and not measured with it.
pub fn wall_of<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = now();
    (work(), start.elapsed())
}

impl fmt::Debug for InTurns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InTurns")
            .field("store_pace", &self.store_pace)
            .field("other_pace", &self.other_pace)
            .finish_non_exhaustive()
    }
}

impl Sum for Turns {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// How many turns find the pace, at most: a board that is used up does not take longer when more is asked for.
const FINDING_MAX: usize = 8;
/// By how much a turn may have more rounds than the one before: what a few rounds tell of many is not much.
const GROWTH_MAX: f64 = 16.0;
/// How many rounds a turn has, at most.
const ROUNDS_MAX: f64 = 1e6;

/// How many rounds make a turn about as long as it is meant to be. The first has one, for that may be long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    span: Duration,
    rounds: usize,
    is_found: bool,
}

impl Pace {
    const fn new(span: Duration) -> Self {
        Self {
            span,
            rounds: 1,
            is_found: false,
        }
    }

    /// Learns from the turn that was made, as if it had as many rounds as were asked for. A side that makes fewer is asked for
    /// more and more of them, which is no harm. The pace is found once the next turn is to have fewer than twice the rounds: before, what a turn
    /// costs whatever its length, as to wake many threads, may be most of it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "it is a million at most"
    )]
    fn learn(&mut self, took: Duration) {
        let growth = self.span.as_secs_f64() / took.as_secs_f64().max(1e-9);
        self.is_found = growth < 2.0;
        let rounds = self.rounds as f64 * growth.min(GROWTH_MAX);
        self.rounds = rounds.clamp(1.0, ROUNDS_MAX) as usize;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn took(ms: u32, calls: u64) -> Took {
        Took {
            span: MS * ms,
            calls,
        }
    }

    #[track_caller]
    fn assert_close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-9,
            "expected {expected}, found {found}"
        );
    }

    #[test]
    fn a_ratio_is_of_times_per_call_and_below_one_where_the_store_is_faster() {
        assert_close(Turns::one(took(10, 100), took(20, 100)).ratio(), 0.5);
        assert_close(Turns::one(took(10, 100), took(20, 400)).ratio(), 2.0);
    }

    #[test]
    fn turns_weigh_by_their_length_and_total_the_ratio_once_for_each() {
        let turns = Turns::one(took(90, 100), took(90, 100)) + Turns::one(took(30, 20), took(1, 4));
        let expected = (120.0 / 120.0) / (91.0 / 104.0);
        assert_close(turns.ratio(), expected);
        assert_close(turns.total(), 2.0 * expected);
    }

    #[test]
    fn no_turns_total_nothing_and_a_turn_without_time_or_calls_is_still_a_number() {
        assert_close(Turns::default().total(), 0.0);
        let empty = Turns::one(Took::default(), Took::default());
        assert_close(empty.total(), 1.0);
    }

    #[test]
    fn the_other_follows_the_store_in_groups_as_long_as_the_stores_were_in_that_turn() {
        let log = RefCell::new(Vec::new());
        let mut store = |rounds| {
            let group = 10 + log.borrow().len();
            log.borrow_mut().push(("store", rounds, group));
            Rounds {
                took: took(1, 1),
                group,
            }
        };
        let mut other = |rounds, group| {
            log.borrow_mut().push(("other", rounds, group));
            took(2, 1)
        };
        let mut turns = InTurns::new(Duration::ZERO, &mut store, &mut other);
        let sum = turns.take() + turns.take();
        assert_close(sum.total(), 1.0);
        assert_close(turns.group().unwrap(), 11.0);
        let expected = [
            ("store", 1, 10),
            ("other", 1, 10),
            ("store", 1, 12),
            ("other", 1, 12),
        ];
        assert_eq!(*log.borrow(), expected);
    }

    #[test]
    fn each_side_makes_as_many_rounds_as_fill_its_turn() {
        let (asked_store, asked_other) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        let mut store = |rounds: usize| {
            asked_store.borrow_mut().push(rounds);
            let calls = rounds as u64;
            let took = Took {
                span: MS * u32::try_from(rounds).unwrap(),
                calls,
            };
            Rounds { took, group: 1 }
        };
        let mut slow = |rounds: usize, _| {
            asked_other.borrow_mut().push(rounds);
            took(3000, 1)
        };
        let mut turns = InTurns::new(MS * 50, &mut store, &mut slow);
        turns.warm_up();
        turns.take();
        assert_eq!(*asked_store.borrow(), [1, 16, 50, 50]);
        assert_eq!(*asked_other.borrow(), [1, 1, 1, 1]);
    }

    #[test]
    fn a_pace_is_not_found_while_most_of_a_turn_is_what_every_turn_costs() {
        let asked = RefCell::new(Vec::new());
        let mut store = |_| Rounds {
            took: took(50, 1),
            group: 1,
        };
        let mut many_threads = |rounds: usize, _| {
            asked.borrow_mut().push(rounds);
            let fixed = MS * 13;
            Took {
                span: fixed + MS * u32::try_from(rounds).unwrap() / 10,
                calls: rounds as u64,
            }
        };
        InTurns::new(MS * 50, &mut store, &mut many_threads).warm_up();
        assert_eq!(*asked.borrow(), [1, 3, 11, 39, 115, 234]);
    }

    #[test]
    fn a_side_that_never_takes_long_is_not_asked_for_ever_more() {
        let mut store = |_| Rounds {
            took: took(50, 1),
            group: 1,
        };
        let asked = RefCell::new(Vec::new());
        let mut used_up = |rounds, _| {
            asked.borrow_mut().push(rounds);
            took(0, 1)
        };
        InTurns::new(MS * 50, &mut store, &mut used_up).warm_up();
        assert_eq!(
            *asked.borrow(),
            [1, 16, 256, 4096, 65_536, 1_000_000, 1_000_000, 1_000_000]
        );
    }
}
