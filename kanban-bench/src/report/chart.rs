//! Which plots a report has, and what is in them.

use super::even::SHARE;
use super::shape::{Comparison, Percentiles, Report};
use super::target::{MANY, SIZE_MAX, border};
use super::{crowd, even, reads, sizes, transitions, words};
use crate::limit::LIMIT;
use crate::workload::claim_next::CONTENTION;

/// A plot, whatever the theme.
#[derive(Debug)]
pub(super) struct Chart {
    /// What it is called in the page, and in its tests.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What a reader has to know who sees only this.
    pub(super) caption: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) body: Body,
}

/// What is drawn.
#[derive(Debug)]
pub(super) enum Body {
    /// Points that belong together, joined; each series is named at its right end.
    Lines {
        series: Vec<Series>,
        /// Where a target lies.
        border: Option<f64>,
    },
    /// A value per row with the lowest and highest beside it; each row is named on the left.
    Ranges(Vec<Range>),
}

/// A scale of a plot.
#[derive(Debug)]
pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) scale: Scale,
    /// Where a number stands, and which; none are chosen from the data.
    pub(super) ticks: Vec<(f64, String)>,
}

/// How values are laid out along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// From 0 on.
    Linear,
    /// Equal ratios are equally long.
    Log,
}

/// One line.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) hue: Hue,
    pub(super) stroke: Stroke,
    pub(super) points: Vec<(f64, f64)>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) name: String,
    pub(super) hue: Hue,
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) max: f64,
    /// Where its target lies.
    pub(super) border: Option<f64>,
}

/// The colour of an engine at a durability, told apart by people who see few colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hue {
    Blue,
    Sky,
    Vermilion,
    Amber,
    Green,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stroke {
    Solid,
    Dashed,
}

/// All plots.
pub(super) fn all(report: &Report) -> Vec<Chart> {
    vec![
        against_limit(report),
        throughput(report, "throughput-power", "power"),
        throughput(report, "throughput-process", "process"),
        latency(report, "latency-transitions", even::TRANSITIONS),
        latency(report, "latency-reads", reads::OPEN),
        by_size(report, "size-claim-next", sizes::CLAIM_NEXT),
        by_size(report, "size-complete", sizes::COMPLETE),
    ]
}

fn against_limit(report: &Report) -> Chart {
    let rows = report.comparisons.iter().filter_map(|one| {
        let ratio = one.throughput.as_ref()?;
        let what = match one.workload.as_str() {
            transitions::WORKLOAD => "",
            reads::WORKLOAD => "reads, ",
            CONTENTION => "one column, ",
            crowd::MIXED => "mixture, ",
            _ => return None,
        };
        let plural = if one.clients == 1 { "" } else { "s" };
        (one.against == LIMIT).then(|| Range {
            name: format!("{}, {what}{} client{plural}", engine(one), one.clients),
            hue: hue(one),
            min: ratio.min,
            median: ratio.median,
            max: ratio.max,
            border: border(one),
        })
    });
    let rows: Vec<Range> = rows.collect();
    Chart {
        id: "against-limit",
        title: "Calls per second, store ÷ limit",
        caption: "The limit is the same row changes by a hand-written loop on the engine, in transactions as long as the store's \
                  groups. The dot is the median of the rounds, the line reaches from the lowest to the highest; a bar marks the \
                  target where there is one."
            .to_owned(),
        x: Axis::linear("store ÷ limit"),
        y: Axis::linear(""),
        body: Body::Ranges(rows),
    }
}

fn throughput(report: &Report, id: &'static str, durability: &str) -> Chart {
    let chosen = report.comparisons.iter().filter(|one| {
        (one.workload.as_str(), one.durability.as_str()) == (transitions::WORKLOAD, durability)
            && one.against == LIMIT
    });
    let chosen: Vec<&Comparison> = chosen.collect();
    let mut series = Vec::new();
    for engine in engines(&chosen) {
        let of = || chosen.iter().filter(|one| one.engine == engine);
        let Some(first) = of().next() else { continue };
        let name = engine.replace('_', " ");
        let points = |of_side: &dyn Fn(&Comparison) -> f64| {
            of().map(|one| (float(one.clients), of_side(one))).collect()
        };
        series.push(Series {
            name: name.clone(),
            hue: hue(first),
            stroke: Stroke::Solid,
            points: points(&|one| one.store.per_second),
        });
        series.push(Series {
            name: format!("{name}, limit"),
            hue: hue(first),
            stroke: Stroke::Dashed,
            points: points(&|one| one.other.per_second),
        });
    }
    let title = match durability {
        "power" => "Task transitions against clients, each answer survives a power cut",
        _ => "Task transitions against clients, each answer survives a killed process",
    };
    Chart {
        id,
        title,
        caption: "Claims and completions per second. Clients call again as soon as they are answered; the limit runs in \
                  transactions as long as the groups of the store were with as many clients. redb's commits survive a power cut \
                  at both durabilities."
            .to_owned(),
        x: Axis::log_at("clients", chosen.iter().map(|one| one.clients)),
        y: Axis::log("transitions per second"),
        body: Body::Lines {
            series,
            border: None,
        },
    }
}

fn latency(report: &Report, id: &'static str, workload: &str) -> Chart {
    let points = |latency: &Percentiles| {
        let values = [
            latency.p50_ns,
            latency.p90_ns,
            latency.p99_ns,
            latency.p999_ns,
            latency.max_ns,
        ];
        let millis = values.map(|nanos| super::figures::count(nanos) / 1e6);
        (0u32..).map(f64::from).zip(millis).collect()
    };
    let chosen = report
        .comparisons
        .iter()
        .filter(|one| one.workload == workload);
    let series = chosen.map(|one| Series {
        name: engine(one),
        hue: hue(one),
        stroke: if is_lazy(one) {
            Stroke::Dashed
        } else {
            Stroke::Solid
        },
        points: points(&one.store.latency),
    });
    let title = match workload {
        even::TRANSITIONS => "Latency of task transitions at an even rate",
        _ => "Latency of point reads at an even rate",
    };
    let names = ["p50", "p90", "p99", "p99.9", "max"];
    let ticks = names.iter().zip(0u32..);
    Chart {
        id,
        title,
        caption: format!(
            "Calls fall due at {} of the rate that {MANY} clients got through, each engine at its own, and are timed from the \
             moment when they are due: waiting counts.",
            words::percent(SHARE),
        ),
        x: Axis {
            label: "of all calls",
            scale: Scale::Linear,
            ticks: ticks
                .map(|(name, at)| (f64::from(at), (*name).to_owned()))
                .collect(),
        },
        y: Axis::log("milliseconds"),
        body: Body::Lines {
            series: series.collect(),
            border: None,
        },
    }
}

fn by_size(report: &Report, id: &'static str, workload: &str) -> Chart {
    let chosen = report
        .comparisons
        .iter()
        .filter(|one| one.workload == workload);
    let chosen: Vec<&Comparison> = chosen.collect();
    let mut series: Vec<Series> = Vec::new();
    let mut small = None;
    for one in &chosen {
        let plural = if one.clients == 1 { "" } else { "s" };
        let name = format!("{}, {} client{plural}", engine(one), one.clients);
        let point = (float(one.tasks), one.latency.median);
        if let Some(known) = series.iter_mut().find(|known| known.name == name) {
            known.points.push(point);
            continue;
        }
        let first = size(&one.against).unwrap_or(1);
        small = Some(first);
        series.push(Series {
            name,
            hue: hue(one),
            stroke: if one.clients == 1 {
                Stroke::Dashed
            } else {
                Stroke::Solid
            },
            points: vec![(float(first), 1.0), point],
        });
    }
    let title = match workload {
        sizes::CLAIM_NEXT => "Claiming the best task, against the size of the board",
        _ => "Completing a task with one child, against the size of the board",
    };
    Chart {
        id,
        title,
        caption: format!(
            "Median latency ÷ that on the smallest board, in turns in the same run. The target is {SIZE_MAX} at the largest."
        ),
        x: Axis::log_at(
            "tasks on the board",
            small.into_iter().chain(chosen.iter().map(|one| one.tasks)),
        ),
        y: Axis::linear("latency ÷ that on the smallest board"),
        body: Body::Lines {
            series,
            border: Some(SIZE_MAX),
        },
    }
}

impl Axis {
    const fn linear(label: &'static str) -> Self {
        Self {
            label,
            scale: Scale::Linear,
            ticks: Vec::new(),
        }
    }

    const fn log(label: &'static str) -> Self {
        Self {
            label,
            scale: Scale::Log,
            ticks: Vec::new(),
        }
    }

    /// With a number at each of these values.
    fn log_at(label: &'static str, values: impl Iterator<Item = usize>) -> Self {
        let values: std::collections::BTreeSet<usize> = values.collect();
        let ticks = values.into_iter();
        Self {
            ticks: ticks
                .map(|value| (float(value), words::whole(value)))
                .collect(),
            ..Self::log(label)
        }
    }
}

/// How many tasks a name like `10k_tasks` means.
fn size(name: &str) -> Option<usize> {
    let digits = name.strip_suffix("_tasks")?;
    let (digits, times) = match (digits.strip_suffix('k'), digits.strip_suffix('m')) {
        (Some(digits), _) => (digits, 1_000),
        (_, Some(digits)) => (digits, 1_000_000),
        _ => (digits, 1),
    };
    digits.parse::<usize>().ok().map(|digits| digits * times)
}

fn engines(chosen: &[&Comparison]) -> Vec<String> {
    let mut engines: Vec<String> = chosen.iter().map(|one| one.engine.clone()).collect();
    engines.dedup();
    engines
}

fn engine(one: &Comparison) -> String {
    let durability = one.durability.replace('_', " ");
    format!("{} {durability}", one.engine.replace('_', " "))
}

fn is_lazy(one: &Comparison) -> bool {
    one.durability.starts_with("lazy")
}

fn hue(one: &Comparison) -> Hue {
    match (one.engine.as_str(), one.durability.as_str()) {
        ("sqlite", "power") => Hue::Blue,
        ("sqlite", _) => Hue::Sky,
        ("redb", "power") => Hue::Vermilion,
        ("redb", _) => Hue::Amber,
        _ => Hue::Green,
    }
}

fn float(value: usize) -> f64 {
    super::figures::count(u64::try_from(value).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fill::size_name;

    #[test]
    fn the_name_of_a_size_is_read_back() {
        for tasks in [128, 1_000, 10_000, 1_000_000] {
            assert_eq!(size(&size_name(tasks)), Some(tasks));
        }
    }
}
