//! From what was measured to what is told: medians of rounds, ratios round by round, percentiles of all rounds together.

use hdrhistogram::Histogram;

use super::shape::{Figures, Percentiles, Spread};
use crate::clients::{Outcome, latencies};

/// What one side of a comparison did, round by round.
#[derive(Debug, Default)]
pub(super) struct Side {
    outcomes: Vec<Outcome>,
    memory_peak: Option<u64>,
}

impl Side {
    /// Takes in a round, and the most memory that the process held during it.
    pub(super) fn add(&mut self, outcome: Outcome, memory_peak: Option<u64>) {
        self.outcomes.push(outcome);
        self.memory_peak = self.memory_peak.max(memory_peak);
    }

    /// Calls per second over the other's, round by round.
    pub(super) fn throughput_over(&self, other: &Self) -> Spread {
        self.over(other, Outcome::rate)
    }

    /// The median latency over the other's, round by round.
    pub(super) fn latency_over(&self, other: &Self) -> Spread {
        self.over(other, |outcome| {
            count(outcome.latency.value_at_quantile(0.5))
        })
    }

    fn over(&self, other: &Self, of: impl Fn(&Outcome) -> f64) -> Spread {
        let pairs = self.outcomes.iter().zip(&other.outcomes);
        spread(pairs.map(|(one, other)| of(one) / of(other)).collect())
    }

    /// What it came to.
    pub(super) fn figures(&self) -> Figures {
        let of = |of: &dyn Fn(&Outcome) -> f64| median(self.outcomes.iter().map(of).collect());
        let handed = self
            .outcomes
            .iter()
            .map(|outcome| Some(count(outcome.usage.handed?) / count(outcome.calls)))
            .collect::<Option<Vec<f64>>>();
        let mut latency = latencies();
        for outcome in &self.outcomes {
            latency
                .add(&outcome.latency)
                .expect("all histograms of the bench are made alike");
        }
        Figures {
            calls: latency.len(),
            per_second: of(&Outcome::rate),
            latency: percentiles(&latency),
            cpu_us_per_call: of(&|outcome| {
                outcome.usage.cpu.as_secs_f64() * 1e6 / count(outcome.calls)
            }),
            handed_bytes_per_call: handed.map(median),
            memory_peak_bytes: self.memory_peak,
        }
    }
}

/// The ratios of rounds. None of them is none at all.
pub(super) fn spread(rounds: Vec<f64>) -> Spread {
    Spread {
        median: median(rounds.clone()),
        min: rounds.iter().copied().fold(f64::INFINITY, f64::min),
        max: rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        rounds,
    }
}

/// The value in the middle; of an even number the upper one of the two. Not a number if there is none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The points of a distribution that a report tells.
pub(super) fn percentiles(histogram: &Histogram<u64>) -> Percentiles {
    Percentiles {
        p50_ns: histogram.value_at_quantile(0.5),
        p90_ns: histogram.value_at_quantile(0.9),
        p99_ns: histogram.value_at_quantile(0.99),
        p999_ns: histogram.value_at_quantile(0.999),
        max_ns: histogram.max(),
    }
}

/// A count as a number to reckon with.
#[expect(
    clippy::cast_precision_loss,
    reason = "calls, bytes and nanoseconds of a run are far below 2^52"
)]
pub(super) const fn count(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these are exact")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::usage::Usage;

    fn outcome(calls: u64, took: Duration, each: u64) -> Outcome {
        let mut latency = latencies();
        latency.record_n(each, calls).expect("it is below an hour");
        Outcome {
            calls,
            usage: Usage {
                elapsed: took,
                cpu: took / 2,
                handed: Some(calls * 100),
            },
            latency,
        }
    }

    #[test]
    fn the_median_is_the_value_in_the_middle_whatever_the_order() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0]), 4.0);
        assert_eq!(median(vec![1.0, 3.0]), 3.0);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn percentiles_of_one_to_a_thousand_are_themselves() {
        let mut histogram = latencies();
        for value in 1..=1000 {
            histogram.record(value).expect("it is below an hour");
        }
        let expected = Percentiles {
            p50_ns: 500,
            p90_ns: 900,
            p99_ns: 990,
            p999_ns: 999,
            max_ns: 1000,
        };
        assert_eq!(percentiles(&histogram), expected);
    }

    #[test]
    fn a_ratio_is_the_median_of_the_ratios_of_the_rounds_not_the_ratio_of_the_medians() {
        let (mut one, mut other) = (Side::default(), Side::default());
        for (mine, theirs) in [(100, 200), (300, 100), (200, 400)] {
            one.add(outcome(mine, Duration::from_secs(1), 10), None);
            other.add(outcome(theirs, Duration::from_secs(1), 20), None);
        }
        let throughput = one.throughput_over(&other);
        assert_eq!(throughput.rounds, [0.5, 3.0, 0.5]);
        let ends = (throughput.min, throughput.median, throughput.max);
        assert_eq!(ends, (0.5, 0.5, 3.0));
        assert_eq!(one.latency_over(&other).median, 0.5);
    }

    #[test]
    fn figures_are_per_call_and_the_peak_is_the_highest_of_all_rounds() {
        let mut side = Side::default();
        side.add(outcome(10, Duration::from_secs(1), 7), Some(3));
        side.add(outcome(30, Duration::from_secs(1), 7), Some(9));
        side.add(outcome(20, Duration::from_secs(1), 7), Some(4));
        let figures = side.figures();
        assert_eq!(figures.calls, 60);
        assert_eq!(figures.per_second, 20.0);
        assert_eq!(figures.cpu_us_per_call, 25_000.0);
        assert_eq!(figures.handed_bytes_per_call, Some(100.0));
        assert_eq!(figures.memory_peak_bytes, Some(9));
    }
}
