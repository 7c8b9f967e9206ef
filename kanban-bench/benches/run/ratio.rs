//! Criterion measures a ratio: its estimates, its intervals and its word on what has changed are about that, and not about time.

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter};
use kanban_bench::turns::Turns;

/// [`Turns::ratio`] of the store and what stands beside it. One iteration is a turn of both.
pub(crate) struct Ratio;

/// Turns are always brought by `iter_custom`: to time one closure makes no ratio, and comes to none.
impl Measurement for Ratio {
    type Intermediate = ();
    type Value = Turns;

    fn start(&self) {}

    fn end(&self, (): ()) -> Turns {
        Turns::default()
    }

    fn add(&self, some: &Turns, more: &Turns) -> Turns {
        *some + *more
    }

    fn zero(&self) -> Turns {
        Turns::default()
    }

    fn to_f64(&self, turns: &Turns) -> f64 {
        turns.total()
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Times
    }
}

/// `1.43 ×`. What criterion calls the throughput is the ratio of what gets through: the same upside down.
struct Times;

impl ValueFormatter for Times {
    fn scale_values(&self, _typical: f64, _ratios: &mut [f64]) -> &'static str {
        "×"
    }

    fn scale_throughputs(&self, _: f64, _: &Throughput, ratios: &mut [f64]) -> &'static str {
        for ratio in ratios {
            *ratio = ratio.recip();
        }
        "×"
    }

    fn scale_for_machines(&self, _ratios: &mut [f64]) -> &'static str {
        "ratio"
    }
}
