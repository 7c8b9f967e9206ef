//! A report that nobody measured, for tests of what is made of one.

use std::collections::BTreeMap;

use super::figures::spread;
use super::plan::Scale;
use super::shape::{BoardFile, Comparison, Figures, Idle, Percentiles, Report, Setting};
use super::{crowd, even, reads, sizes, target, transitions};
use crate::fill::size_name;
use crate::pattern::Pattern;
use crate::workload::claim_next::CONTENTION;

const SUBJECTS: [(&str, &str); 7] = [
    ("sqlite", "power"),
    ("sqlite", "process"),
    ("sqlite", LAZY),
    ("redb", "power"),
    ("redb", "process"),
    ("redb_exclusive", "power"),
    ("redb_exclusive", LAZY),
];
const LAZY: &str = "lazy_100ms";

/// All that a full report holds, with figures that meet every target.
pub(super) fn report() -> Report {
    let plan = Scale::Full.plan();
    let (small, large) = (plan.small(), plan.large());
    let mut comparisons = Vec::new();
    for subject in SUBJECTS {
        let mut add = |workload, tasks, clients, against: &str| {
            comparisons.push(comparison(subject, workload, tasks, clients, against));
        };
        add(even::TRANSITIONS, plan.tasks, 1, "limit");
        if subject.1 == LAZY {
            add(transitions::WORKLOAD, plan.tasks, 1, "limit");
            add(transitions::WORKLOAD, plan.tasks, 64, "limit");
            continue;
        }
        for &clients in plan.clients {
            add(transitions::WORKLOAD, plan.tasks, clients, "limit");
        }
        if subject.0 == "sqlite" {
            for pattern in Pattern::ALL {
                add(transitions::WORKLOAD, plan.tasks, 64, pattern.as_str());
            }
        }
        add(CONTENTION, plan.tasks, 64, "limit");
        add(crowd::MIXED, plan.tasks, 64, "limit");
        if subject.1 == "power" {
            add(reads::WORKLOAD, plan.tasks, 64, "limit");
            add(reads::OPEN, plan.tasks, 1, "limit");
        }
        if subject.0 != "redb_exclusive" {
            for workload in [sizes::CLAIM_NEXT, sizes::COMPLETE] {
                for clients in [1, 64] {
                    add(workload, large, clients, &size_name(small));
                }
            }
        }
    }
    let idle: Vec<Idle> = ["sqlite", "redb"]
        .map(|engine| Idle {
            engine: engine.to_owned(),
            tasks: large,
            held_bytes: 30 << 20,
            before_bytes: 4 << 20,
        })
        .to_vec();
    Report {
        version: super::VERSION,
        setting: setting(),
        targets: target::all(&plan, &comparisons, &idle),
        comparisons,
        files: vec![BoardFile {
            engine: "redb".to_owned(),
            tasks: large,
            bytes: 1 << 30,
            bytes_per_task: 1073.7,
            ratio_to_text: 3.3,
        }],
        idle,
    }
}

fn setting() -> Setting {
    Setting {
        command: "cargo run --release -p kanban-bench -- report".to_owned(),
        scale: "full".to_owned(),
        seed: 1,
        began: "2026-01-02 03:04 UTC".to_owned(),
        took_s: 1800,
        processor: "A <fast> one".to_owned(),
        cores: 8,
        memory_bytes: Some(16 << 30),
        kernel: "linux 6 x86_64".to_owned(),
        file_system: "ext4 (/dev/sda)".to_owned(),
        flush_ns: 1_500_000,
        versions: BTreeMap::from([("redb".to_owned(), "4.6.0".to_owned())]),
    }
}

fn comparison(
    (engine, durability): (&str, &str),
    workload: &str,
    tasks: usize,
    clients: usize,
    against: &str,
) -> Comparison {
    let is_open = [even::TRANSITIONS, reads::OPEN].contains(&workload);
    let is_pattern = Pattern::ALL.iter().any(|one| one.as_str() == against);
    Comparison {
        id: format!("{workload}/{engine}/{durability}/{tasks}/{clients}/{against}"),
        workload: workload.to_owned(),
        engine: engine.to_owned(),
        durability: durability.to_owned(),
        tasks,
        clients,
        against: against.to_owned(),
        group_len: (against == "limit").then_some(32.0),
        offered_per_second: is_open.then_some(7000.0),
        throughput: (!is_open).then(|| match is_pattern {
            true => spread(vec![40.0, 44.0, 48.0]),
            false => spread(vec![0.8, 0.9, 0.95]),
        }),
        latency: spread(vec![1.1, 1.2, 1.25]),
        store: figures(9000.0),
        other: figures(10_000.0),
    }
}

fn figures(per_second: f64) -> Figures {
    Figures {
        calls: 9000,
        per_second,
        latency: Percentiles {
            p50_ns: 1_000_000,
            p90_ns: 2_000_000,
            p99_ns: 3_000_000,
            p999_ns: 4_000_000,
            max_ns: 5_000_000,
        },
        cpu_us_per_call: 40.0,
        handed_bytes_per_call: Some(2048.0),
        memory_peak_bytes: Some(50 << 20),
    }
}
