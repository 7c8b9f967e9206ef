//! How much is measured.

use std::time::Duration;

use kanban_core::Durability;

/// Where every order that looks random comes from.
pub(crate) const SEED: u64 = 0x6b61_6e62_616e;
/// How many callers there are at once.
pub(crate) const CLIENTS: &[usize] = &[1, 8, 64, 256];
/// How many callers a quick run gives to the patterns, whose calls take a flush each, and to lazy boards.
pub const FEW_OR_MANY: &[usize] = &[1, 64];
/// How many tasks a board holds where its size is not what is measured.
pub(crate) const TASKS: usize = 10_000;
/// How many tasks a board holds where its size is what is measured.
pub(crate) const SIZES: &[usize] = &[1_000, 10_000, 100_000, 1_000_000];
/// The largest of them in a quick run.
const QUICK_SIZE_MAX: usize = 100_000;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Each thing once, on small boards: whether it works. Its figures mean nothing.
    Once,
    /// Minutes: no board of a million tasks, which is one of a gigabyte.
    Quick,
    /// All of it.
    Full,
}

impl Extent {
    /// What the arguments say, as criterion understands them: once with `--test` or without the `--bench` that `cargo bench`
    /// adds, else quick with `--quick`.
    #[must_use]
    pub fn told() -> Self {
        Self::of(std::env::args())
    }

    fn of(arguments: impl IntoIterator<Item = String>) -> Self {
        let arguments: Vec<String> = arguments.into_iter().collect();
        let is_told = |word: &str| arguments.iter().any(|one| one == word);
        if is_told("--test") || !is_told("--bench") {
            Self::Once
        } else if is_told("--quick") {
            Self::Quick
        } else {
            Self::Full
        }
    }

    /// How many tasks a board holds where its size is not what is measured.
    #[must_use]
    pub fn tasks(self) -> usize {
        match self {
            Self::Once => SIZES.first().copied().unwrap_or(TASKS),
            Self::Quick | Self::Full => TASKS,
        }
    }

    /// How many callers there are at once, in turns.
    #[must_use]
    pub fn clients(self) -> &'static [usize] {
        match self {
            Self::Once => CLIENTS.get(..2).unwrap_or(CLIENTS),
            Self::Quick | Self::Full => CLIENTS,
        }
    }

    /// How many tasks a board holds where its size is what is measured.
    #[must_use]
    pub fn sizes(self) -> &'static [usize] {
        let len = match self {
            Self::Once => 1,
            Self::Quick => SIZES.partition_point(|size| *size <= QUICK_SIZE_MAX),
            Self::Full => SIZES.len(),
        };
        SIZES.get(..len).unwrap_or(SIZES)
    }

    /// How long one side of a turn runs, at least one round. It is less than a store's writer waits for calls before it sees to
    /// the file, which would be done while the other has its turn. On a lazy board it is more, for it is long enough for some of its flushes.
    #[must_use]
    pub fn turn(self, durability: Durability) -> Duration {
        let turn = match self {
            Self::Once => return Duration::ZERO,
            Self::Quick => Duration::from_millis(50),
            Self::Full => Duration::from_millis(100),
        };
        match durability {
            Durability::Lazy { interval } => turn.max(interval * 3),
            _ => turn,
        }
    }

    /// How long one side of a turn runs at least, in which so many threads make calls.
    #[must_use]
    pub fn turn_of_threads(self, threads: usize) -> Duration {
        match self {
            Self::Once => Duration::ZERO,
            Self::Quick | Self::Full => {
                TURN_PER_THREAD * u32::try_from(threads).unwrap_or(u32::MAX)
            }
        }
    }
}

/// How long a turn is for each thread that makes calls in it: to wake one takes about a twentieth of a millisecond.
const TURN_PER_THREAD: Duration = Duration::from_millis(2);

/// The options of criterion that are followed by a word of their own.
const WITH_A_WORD: &[&str] = &[
    "-b",
    "-c",
    "-s",
    "--baseline",
    "--baseline-lenient",
    "--color",
    "--colour",
    "--confidence-level",
    "--format",
    "--load-baseline",
    "--measurement-time",
    "--noise-threshold",
    "--nresamples",
    "--output-format",
    "--plotting-backend",
    "--profile-time",
    "--sample-size",
    "--save-baseline",
    "--significance-level",
    "--warm-up-time",
];

/// The regular expression that ids must match, as criterion understands the arguments. None: all ids do.
#[must_use]
pub fn filter() -> Option<String> {
    filter_of(std::env::args())
}

fn filter_of(arguments: impl IntoIterator<Item = String>) -> Option<String> {
    let mut arguments = arguments.into_iter().skip(1);
    while let Some(one) = arguments.next() {
        if WITH_A_WORD.contains(&one.as_str()) {
            arguments.next();
        } else if !one.starts_with('-') {
            return Some(one);
        }
    }
    None
}

/// Picks one of `len` for the call of a client, the same in every run.
#[must_use]
pub(crate) fn pick(client: usize, nth: usize, len: usize) -> usize {
    let call = ((client as u64) << 32) ^ nth as u64;
    let mut random = fastrand::Rng::with_seed(SEED ^ call.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    match len {
        0 => 0,
        len => random.usize(..len),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(arguments: &[&str]) -> Vec<String> {
        arguments.iter().map(|one| (*one).to_owned()).collect()
    }

    #[test]
    fn a_quick_run_is_asked_for_by_an_argument_and_has_no_board_of_a_million() {
        let of = |arguments| Extent::of(words(arguments));
        assert_eq!(of(&["bench", "--bench"]), Extent::Full);
        assert_eq!(of(&["bench", "claim", "--quick", "--bench"]), Extent::Quick);
        assert_eq!(Extent::Full.sizes(), SIZES);
        assert_eq!(Extent::Quick.sizes(), [1_000, 10_000, 100_000]);
    }

    #[test]
    fn a_test_of_the_benches_is_on_small_boards() {
        let of = |arguments| Extent::of(words(arguments));
        assert_eq!(of(&["bench", "--quick", "--test", "--bench"]), Extent::Once);
        assert_eq!(
            of(&["bench", "claim"]),
            Extent::Once,
            "cargo test --benches"
        );
        assert_eq!(Extent::Once.sizes(), [1_000]);
        assert_eq!(Extent::Once.tasks(), 1_000);
        assert_eq!(Extent::Once.clients(), [1, 8]);
    }

    #[test]
    fn a_turn_lasts_some_flushes_of_a_lazy_board_and_one_round_of_a_test() {
        let (power, lazy) = (Durability::Power, crate::subject::LAZY);
        assert!(Extent::Quick.turn(lazy) > Duration::from_millis(200));
        assert!(Extent::Full.turn(power) < Duration::from_millis(200));
        assert_eq!(Extent::Once.turn(lazy), Duration::ZERO);
    }

    #[test]
    fn the_first_word_that_belongs_to_no_option_is_the_filter() {
        let of = |arguments| filter_of(words(arguments));
        let all = [
            "bench",
            "--quick",
            "-s",
            "before",
            "--color=never",
            "--bench",
        ];
        assert_eq!(of(&all), None);
        let some = ["bench", "--baseline", "before", "claim.*limit", "--bench"];
        assert_eq!(of(&some), Some("claim.*limit".to_owned()));
    }

    #[test]
    fn the_calls_of_clients_are_spread_over_all_the_same_way_in_every_run() {
        let all = |_run| {
            (0..64)
                .map(|nth| pick(nth % 8, nth / 8, 16))
                .collect::<Vec<_>>()
        };
        assert_eq!(all(1), all(2));
        let distinct: std::collections::BTreeSet<_> = all(1).into_iter().collect();
        assert!(distinct.len() > 12, "found {distinct:?}");
        assert_eq!(pick(3, 4, 0), 0);
    }
}
