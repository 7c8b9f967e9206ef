//! Numbers for people: three digits are told, which is more than a bench knows.

use std::fmt::Write as _;

use super::figures::count;
use super::shape::{Spread, Target, Unit, Wanted};
use super::target::is_met;

/// Goes on with a text.
pub(super) fn put(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more)
        .expect("a string takes what it is given");
}

/// A time in nanoseconds, with its unit.
pub(super) fn time(nanos: u64) -> String {
    let units = [(1e9, "s"), (1e6, "ms"), (1e3, "µs")];
    let nanos = count(nanos);
    for (one, unit) in units {
        if nanos >= one {
            return format!("{} {unit}", digits(nanos / one));
        }
    }
    format!("{nanos} ns")
}

/// Bytes, with their unit.
pub(super) fn bytes(bytes: f64) -> String {
    const KIB: f64 = 1024.0;
    let units = [(KIB * KIB * KIB, "GiB"), (KIB * KIB, "MiB"), (KIB, "KiB")];
    for (one, unit) in units {
        if bytes >= one {
            return format!("{} {unit}", digits(bytes / one));
        }
    }
    format!("{} B", digits(bytes))
}

/// A number to three digits, thousands apart.
pub(super) fn digits(value: f64) -> String {
    match value.abs() {
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => grouped(&format!("{value:.0}")),
    }
}

/// A share of the whole, in hundredths of it.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A whole number, thousands apart.
pub(super) fn whole(value: usize) -> String {
    grouped(&value.to_string())
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A ratio with the lowest and highest of its rounds: `0.83 (0.79–0.91)`.
pub(super) fn spread(spread: &Spread) -> String {
    let [median, min, max] = [spread.median, spread.min, spread.max].map(digits);
    if spread.rounds.len() < 2 {
        return median;
    }
    format!("{median} ({min}–{max})")
}

/// The value of a target. Where two digits behind the point would not tell on which side of the border it lies,
/// there are as many as it takes.
pub(super) fn value(target: &Target) -> String {
    let value = target.value;
    let met = |value: f64| is_met(target.wanted, value, target.target);
    let tells = |places: &usize| {
        let text = format!("{value:.places$}");
        text.parse().is_ok_and(|told: f64| met(told) == target.met)
    };
    let places = (2..=9).find(tells).unwrap_or(9);
    format!("{value:.places$}{}", unit(target.unit))
}

/// What is to be reached: `≥ 0.7`.
pub(super) fn wanted(target: &Target) -> String {
    let sign = match target.wanted {
        Wanted::AtLeast => "≥",
        Wanted::AtMost => "≤",
    };
    format!("{sign} {}{}", target.target, unit(target.unit))
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Ratio => "",
        Unit::Mib => " MiB",
    }
}

/// Whether it was reached.
pub(super) const fn verdict(target: &Target) -> &'static str {
    if target.met { "met" } else { "missed" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_told_with_the_unit_that_fits() {
        assert_eq!(time(999), "999 ns");
        assert_eq!(time(1_234_567), "1.23 ms");
        assert_eq!(time(61_000_000_000), "61.0 s");
        assert_eq!(bytes(1536.0), "1.50 KiB");
        assert_eq!(bytes(1536.0 * 1024.0 * 1024.0), "1.50 GiB");
        assert_eq!(digits(1_234_567.0), "1,234,567");
        assert_eq!(whole(1000), "1,000");
        assert_eq!(digits(-123.0), "-123");
        assert_eq!(percent(0.7), "70 %");
    }

    #[test]
    fn a_missed_target_never_looks_met() {
        let mut target = Target {
            id: String::new(),
            value: 0.6999,
            target: 0.7,
            wanted: Wanted::AtLeast,
            unit: Unit::Ratio,
            met: false,
        };
        assert_eq!(value(&target), "0.6999");
        assert_eq!(
            (wanted(&target), verdict(&target)),
            ("≥ 0.7".to_owned(), "missed")
        );
        (target.value, target.met) = (0.701, true);
        assert_eq!(value(&target), "0.70");
        (target.unit, target.wanted, target.target) = (Unit::Mib, Wanted::AtMost, 64.0);
        (target.value, target.met) = (64.001, false);
        assert_eq!(value(&target), "64.001 MiB");
    }
}
