//! How much is measured.

/// Where every order that looks random comes from.
pub(crate) const SEED: u64 = 0x6b61_6e62_616e;
/// How many callers there are at once.
pub const CLIENTS: &[usize] = &[1, 8, 64, 256];
/// How many tasks a board holds where its size is not what is measured.
pub const TASKS: usize = 10_000;
/// How many tasks a board holds where its size is what is measured.
pub(crate) const SIZES: &[usize] = &[1_000, 10_000, 100_000, 1_000_000];
/// The largest of them in a quick run.
const QUICK_SIZE_MAX: usize = 100_000;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Minutes: no board of a million tasks, which is one of a gigabyte.
    Quick,
    /// All of it.
    Full,
}

impl Extent {
    /// Quick if the arguments say `--quick` or `--test`.
    #[must_use]
    pub fn told() -> Self {
        Self::of(std::env::args())
    }

    fn of(arguments: impl IntoIterator<Item = String>) -> Self {
        let mut arguments = arguments.into_iter();
        if arguments.any(|one| one == "--quick" || one == "--test") {
            Self::Quick
        } else {
            Self::Full
        }
    }

    /// How many tasks a board holds where its size is what is measured.
    #[must_use]
    pub fn sizes(self) -> &'static [usize] {
        let len = match self {
            Self::Quick => SIZES.partition_point(|size| *size <= QUICK_SIZE_MAX),
            Self::Full => SIZES.len(),
        };
        SIZES.get(..len).unwrap_or(SIZES)
    }
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

    #[test]
    fn a_quick_run_is_asked_for_by_an_argument_and_has_no_board_of_a_million() {
        let of = |arguments: &[&str]| Extent::of(arguments.iter().map(|one| (*one).to_owned()));
        assert_eq!(of(&["bench", "--bench"]), Extent::Full);
        assert_eq!(of(&["bench", "claim", "--quick", "--bench"]), Extent::Quick);
        assert_eq!(of(&["bench", "--test"]), Extent::Quick);
        assert_eq!(Extent::Full.sizes(), SIZES);
        assert_eq!(Extent::Quick.sizes(), [1_000, 10_000, 100_000]);
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
