//! How far an axis reaches, and where numbers stand along it.

use super::chart::{Axis, Scale};
use super::words;

/// A stretch of an axis as it is drawn: on a log scale these are logarithms.
#[derive(Debug, PartialEq)]
pub(super) struct Span {
    pub(super) from: f64,
    pub(super) to: f64,
    /// Where a number stands, and which.
    pub(super) ticks: Vec<(f64, String)>,
}

/// How many numbers a linear axis has at most.
const LINEAR_MAX: f64 = 6.0;
/// What is left free beyond the first and the last number that is given.
const MARGIN: f64 = 0.04;

/// The stretch that shows all values.
pub(super) fn span(axis: &Axis, values: impl Iterator<Item = f64>) -> Span {
    let values = values.filter(|value| value.is_finite());
    let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if !axis.ticks.is_empty() {
        return given(axis);
    }
    match axis.scale {
        Scale::Linear => linear(high),
        Scale::Log => log(low, high),
    }
}

fn given(axis: &Axis) -> Span {
    let ticks = axis.ticks.iter();
    let ticks: Vec<(f64, String)> = ticks
        .map(|(value, name)| (axis.place(*value), name.clone()))
        .collect();
    let from = ticks.first().map_or(0.0, |(at, _)| *at);
    let to = ticks.last().map_or(1.0, |(at, _)| *at);
    let margin = (to - from).max(f64::EPSILON) * MARGIN;
    Span {
        from: from - margin,
        to: to + margin,
        ticks,
    }
}

/// From 0 to the first round number above.
fn linear(high: f64) -> Span {
    let high = if high > 0.0 { high } else { 1.0 };
    let rough = high / LINEAR_MAX;
    let decade = 10_f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 2.5, 5.0, 10.0].map(|times| times * decade);
    let step = round.into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(decade * 10.0);
    let mut ticks = Vec::new();
    let mut at = 0.0;
    let mut nth = 0_u32;
    while at < high {
        nth += 1;
        at = f64::from(nth) * step;
        ticks.push((at, number(at)));
    }
    ticks.insert(0, (0.0, "0".to_owned()));
    Span {
        from: 0.0,
        to: at,
        ticks,
    }
}

/// From a number that begins with 1, 2 or 5 to another, with those in between.
fn log(low: f64, high: f64) -> Span {
    let (low, high) = if low > 0.0 && high >= low {
        (low, high)
    } else {
        (1.0, 10.0)
    };
    let (first, last) = (low.log10().floor(), high.log10().ceil());
    let few = last - first <= 2.0;
    let mut steps = Vec::new();
    let mut decade = first;
    while decade <= last {
        let one = 10_f64.powf(decade);
        steps.extend([1.0, 2.0, 5.0].map(|times| (times * one, few || times < 2.0)));
        decade += 1.0;
    }
    let from = steps.iter().rev().find(|(at, _)| *at <= low * 1.000_001);
    let to = steps.iter().find(|(at, _)| *at >= high * 0.999_999);
    let from = from.map_or(low, |(at, _)| *at);
    let to = to.map_or(high, |(at, _)| *at).max(from * 2.0);
    let within = steps
        .iter()
        .filter(|(at, named)| *named && *at >= from * 0.999_999 && *at <= to * 1.000_001);
    Span {
        from: from.log10(),
        to: to.log10(),
        ticks: within.map(|(at, _)| (at.log10(), number(*at))).collect(),
    }
}

fn number(value: f64) -> String {
    if value >= 1000.0 {
        return words::digits(value);
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(span: &Span) -> Vec<&str> {
        span.ticks.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn a_linear_axis_begins_at_0_and_ends_on_a_round_number_above() {
        let span = linear(1.13);
        assert_eq!(names(&span), ["0", "0.2", "0.4", "0.6", "0.8", "1", "1.2"]);
        let ends = [span.from, span.to].map(number);
        assert_eq!(ends, ["0", "1.2"]);
        assert_eq!(names(&linear(2.0)).last(), Some(&"2"));
    }

    #[test]
    fn a_log_axis_names_what_lies_within() {
        assert_eq!(names(&log(0.3, 7.0)), ["0.2", "0.5", "1", "2", "5", "10"]);
        assert_eq!(names(&log(400.0, 90_000.0)), ["1,000", "10,000", "100,000"]);
        assert_eq!(names(&log(5.0, 5.0)), ["5", "10"]);
    }

    #[test]
    fn an_axis_without_values_is_still_one() {
        assert!(linear(0.0).to > 0.0);
        let span = log(f64::INFINITY, 0.0);
        assert!(span.from < span.to, "{span:?}");
    }
}
