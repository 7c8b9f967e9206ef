//! What the tables of a report hold, whatever they are drawn on.

use super::even::SHARE;
use super::shape::{Comparison, Figures, Report};
use super::target::MANY;
use super::{even, reads, sizes, transitions, words};

/// A table that can be drawn anywhere.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) title: &'static str,
    /// What the columns do not say of themselves.
    pub(super) note: String,
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

/// All tables of a report, targets first.
pub(super) fn all(report: &Report) -> Vec<Grid> {
    vec![
        targets(report),
        throughput(report),
        latency(report),
        board_sizes(report),
        files(report),
        idle(report),
    ]
}

fn targets(report: &Report) -> Grid {
    let rows = report.targets.iter().map(|target| {
        vec![
            target.id.clone(),
            words::value(target),
            words::wanted(target),
            words::verdict(target).to_owned(),
        ]
    });
    Grid {
        title: "Targets",
        note: "Ratios are medians of the rounds; ≥ of calls per second, ≤ of median latencies. Memory is in MiB."
            .to_owned(),
        head: vec!["target", "value", "wanted", "verdict"],
        rows: rows.collect(),
    }
}

fn throughput(report: &Report) -> Grid {
    let closed = report
        .comparisons
        .iter()
        .filter(|one| one.offered_per_second.is_none() && !is_of_sizes(one));
    let row = |one: &Comparison| {
        let mut row = named(one);
        row.extend([
            words::whole(one.clients),
            one.against.clone(),
            one.throughput
                .as_ref()
                .map_or_else(String::new, words::spread),
            words::spread(&one.latency),
            one.group_len.map_or_else(|| "–".to_owned(), words::digits),
        ]);
        row.extend(both(one, |side| words::digits(side.per_second)));
        row.extend(both(one, |side| words::digits(side.cpu_us_per_call)));
        row.extend(both(one, handed));
        row.push(one.store.memory_peak_bytes.map_or_else(
            || "–".to_owned(),
            |peak| words::bytes(super::figures::count(peak)),
        ));
        row
    };
    Grid {
        title: "Throughput and cost",
        note: "Each client calls again as soon as it is answered. Ratios are store ÷ other: the median of the rounds \
               (lowest–highest). Pairs of figures are store, other. Peak is the whole process."
            .to_owned(),
        head: vec![
            "workload",
            "engine",
            "durability",
            "clients",
            "against",
            "calls/s ratio",
            "p50 ratio",
            "group",
            "calls/s",
            "other",
            "CPU µs/call",
            "other",
            "handed/call",
            "other",
            "peak",
        ],
        rows: closed.map(row).collect(),
    }
}

fn latency(report: &Report) -> Grid {
    let open = report.comparisons.iter().filter_map(|one| {
        let offered = one.offered_per_second?;
        let mut row = named(one);
        let latency = &one.store.latency;
        row.push(words::digits(offered));
        row.push(one.group_len.map_or_else(|| "–".to_owned(), words::digits));
        let points = [
            latency.p50_ns,
            latency.p90_ns,
            latency.p99_ns,
            latency.p999_ns,
            latency.max_ns,
            one.other.latency.p50_ns,
        ];
        row.extend(points.map(words::time));
        row.push(words::spread(&one.latency));
        Some(row)
    });
    Grid {
        title: "Latency at an even rate",
        note: format!(
            "Calls fall due at {} of the rate that {MANY} clients got through, answered or not, and are timed from then. \
             The limit is one transaction by hand of as many calls as shared a commit, or one read on one of the threads.",
            words::percent(SHARE),
        ),
        head: vec![
            "workload",
            "engine",
            "durability",
            "due/s",
            "group",
            "p50",
            "p90",
            "p99",
            "p99.9",
            "max",
            "limit's p50",
            "p50 ratio",
        ],
        rows: open.collect(),
    }
}

fn board_sizes(report: &Report) -> Grid {
    let of_sizes = report.comparisons.iter().filter(|one| is_of_sizes(one));
    let row = |one: &Comparison| {
        let mut row = named(one);
        row.extend([
            words::whole(one.clients),
            words::whole(one.tasks),
            one.against.clone(),
            words::spread(&one.latency),
            one.throughput
                .as_ref()
                .map_or_else(String::new, words::spread),
        ]);
        row.extend(both(one, |side| words::time(side.latency.p50_ns)));
        row.extend(both(one, |side| words::digits(side.cpu_us_per_call)));
        row.extend(both(one, handed));
        row
    };
    Grid {
        title: "Cost against the size of the board",
        note: "The same calls on boards of different sizes, in turns. Ratios are this size ÷ the small one; pairs of figures are \
               this size, the small one."
            .to_owned(),
        head: vec![
            "workload",
            "engine",
            "durability",
            "clients",
            "tasks",
            "against",
            "p50 ratio",
            "calls/s ratio",
            "p50",
            "small",
            "CPU µs/call",
            "small",
            "handed/call",
            "small",
        ],
        rows: of_sizes.map(row).collect(),
    }
}

fn files(report: &Report) -> Grid {
    let rows = report.files.iter().map(|file| {
        vec![
            file.engine.clone(),
            words::whole(file.tasks),
            words::bytes(super::figures::count(file.bytes)),
            words::bytes(file.bytes_per_task),
            words::digits(file.ratio_to_text),
        ]
    });
    Grid {
        title: "Files",
        note: "The board's file after it was filled and closed. The ratio is the file ÷ titles and bodies."
            .to_owned(),
        head: vec!["engine", "tasks", "file", "per task", "ratio"],
        rows: rows.collect(),
    }
}

fn idle(report: &Report) -> Grid {
    let rows = report.idle.iter().map(|one| {
        vec![
            one.engine.clone(),
            words::whole(one.tasks),
            words::bytes(super::figures::count(one.held_bytes)),
            words::bytes(super::figures::count(one.before_bytes)),
        ]
    });
    Grid {
        title: "Memory, idle",
        note: "All resident memory (VmRSS) of a process of its own that has opened the board, asked for its numbers and read 200 \
               tasks; and the same before it opened the board."
            .to_owned(),
        head: vec!["engine", "tasks", "held", "before"],
        rows: rows.collect(),
    }
}

/// Whether it is one of boards of different sizes.
pub(super) fn is_of_sizes(one: &Comparison) -> bool {
    [sizes::CLAIM_NEXT, sizes::COMPLETE].contains(&one.workload.as_str())
}

/// What a workload is called where people read.
fn workload(one: &Comparison) -> &str {
    match one.workload.as_str() {
        even::TRANSITIONS => transitions::WORKLOAD,
        reads::OPEN => reads::WORKLOAD,
        other => other,
    }
}

fn named(one: &Comparison) -> Vec<String> {
    let workload = workload(one).replace('_', " ");
    vec![
        workload,
        one.engine.replace('_', " "),
        one.durability.replace('_', " "),
    ]
}

fn both(one: &Comparison, of: impl Fn(&Figures) -> String) -> [String; 2] {
    [of(&one.store), of(&one.other)]
}

fn handed(side: &Figures) -> String {
    side.handed_bytes_per_call
        .map_or_else(|| "–".to_owned(), words::bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_comparison_stands_in_one_table_and_rows_are_as_long_as_heads() {
        let report = sample::report();
        let grids = all(&report);
        for grid in &grids {
            assert!(!grid.rows.is_empty(), "{}", grid.title);
            for row in &grid.rows {
                assert_eq!(row.len(), grid.head.len(), "{}: {row:?}", grid.title);
            }
        }
        let rows = |title| {
            let grid = grids.iter().find(|grid| grid.title == title);
            grid.expect(title).rows.len()
        };
        let compared = rows("Throughput and cost")
            + rows("Latency at an even rate")
            + rows("Cost against the size of the board");
        assert_eq!(compared, report.comparisons.len());
        // Two workloads by one client and by many, on two engines at two durabilities.
        assert_eq!(rows("Cost against the size of the board"), 16);
    }
}
