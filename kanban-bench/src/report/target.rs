//! What is to be reached, and whether it was.

use super::plan::Plan;
use super::shape::{Comparison, Idle, Target, Unit, Wanted};
use super::{reads, sizes, transitions};
use crate::fill::size_name;
use crate::limit::LIMIT;
use crate::pattern::Pattern;

/// How many clients are meant where a target says many.
pub(super) const MANY: usize = 64;

/// How much of the limit's transitions many clients are to get through.
const TRANSITIONS_MIN: f64 = 0.7;
/// How much of the limit's point reads.
const READS_MIN: f64 = 0.5;
/// How much longer a call may take on the largest board than on the smallest.
pub(super) const SIZE_MAX: f64 = 2.0;
/// The most memory that an idle store may hold, in MiB.
const IDLE_MIB_MAX: f64 = 64.0;
const MIB: u64 = 1024 * 1024;

/// Which ratio of a comparison a target is about.
#[derive(Debug, Clone, Copy)]
enum Of {
    Throughput,
    Latency,
}

/// The durabilities that targets are about. Where a crash may lose answers there are figures, and no promise.
const DURABILITIES: [&str; 2] = ["power", "process"];

/// A target for every engine that was compared in this way, at each of [`DURABILITIES`].
#[derive(Debug, Clone)]
struct Rule {
    what: String,
    workload: &'static str,
    tasks: usize,
    clients: usize,
    against: String,
    of: Of,
    wanted: Wanted,
    target: f64,
}

fn rules(plan: &Plan) -> Vec<Rule> {
    let limit = |what: &str, workload, clients, of, wanted, target| Rule {
        what: what.to_owned(),
        workload,
        tasks: plan.tasks,
        clients,
        against: LIMIT.to_owned(),
        of,
        wanted,
        target,
    };
    let many = transitions::WORKLOAD;
    let mut rules = vec![
        limit(
            "transitions_64_clients_vs_limit",
            many,
            MANY,
            Of::Throughput,
            Wanted::AtLeast,
            TRANSITIONS_MIN,
        ),
        limit(
            "one_writer_latency_vs_limit",
            many,
            1,
            Of::Latency,
            Wanted::AtMost,
            1.3,
        ),
        limit(
            "point_reads_64_clients_vs_limit",
            reads::WORKLOAD,
            MANY,
            Of::Throughput,
            Wanted::AtLeast,
            READS_MIN,
        ),
    ];
    let mut pattern = limit(
        "transitions_64_clients_vs_connection_per_call",
        many,
        MANY,
        Of::Throughput,
        Wanted::AtLeast,
        10.0,
    );
    Pattern::ConnectionPerCall
        .as_str()
        .clone_into(&mut pattern.against);
    rules.push(pattern);
    let (large, small) = (size_name(plan.large()), size_name(plan.small()));
    for workload in [sizes::CLAIM_NEXT, sizes::COMPLETE] {
        for clients in [1, MANY] {
            let plural = if clients == 1 { "" } else { "s" };
            rules.push(Rule {
                what: format!("{workload}_{clients}_client{plural}_{large}_vs_{small}"),
                workload,
                tasks: plan.large(),
                clients,
                against: small.clone(),
                of: Of::Latency,
                wanted: Wanted::AtMost,
                target: SIZE_MAX,
            });
        }
    }
    rules
}

/// Holds what was measured against what is to be reached.
pub(super) fn all(plan: &Plan, comparisons: &[Comparison], idle: &[Idle]) -> Vec<Target> {
    let mut targets = Vec::new();
    for rule in rules(plan) {
        for one in comparisons.iter().filter(|one| rule.is_about(one)) {
            let ratio = match rule.of {
                Of::Throughput => one.throughput.as_ref(),
                Of::Latency => Some(&one.latency),
            };
            targets.push(judge(
                format!("{}/{}/{}", rule.what, one.engine, one.durability),
                ratio.map_or(f64::NAN, |ratio| ratio.median),
                Unit::Ratio,
                rule.wanted,
                rule.target,
            ));
        }
    }
    for one in idle {
        targets.push(judge(
            format!("idle_memory_{}/{}", size_name(one.tasks), one.engine),
            super::figures::count(one.held_bytes) / super::figures::count(MIB),
            Unit::Mib,
            Wanted::AtMost,
            IDLE_MIB_MAX,
        ));
    }
    targets
}

impl Rule {
    fn is_about(&self, one: &Comparison) -> bool {
        (one.workload.as_str(), one.against.as_str()) == (self.workload, self.against.as_str())
            && (one.tasks, one.clients) == (self.tasks, self.clients)
            && DURABILITIES.contains(&one.durability.as_str())
    }
}

/// How much of its limit's calls per second a comparison is to reach, if that is a target. A plot does not ask for the size of the
/// board: on no other are these compared.
pub(super) fn border(one: &Comparison) -> Option<f64> {
    let is_judged = DURABILITIES.contains(&one.durability.as_str());
    let min = match one.workload.as_str() {
        transitions::WORKLOAD => TRANSITIONS_MIN,
        reads::WORKLOAD => READS_MIN,
        _ => return None,
    };
    (is_judged && one.clients == MANY && one.against == LIMIT).then_some(min)
}

/// On the border is met; what is not a number is not.
pub(super) fn is_met(wanted: Wanted, value: f64, target: f64) -> bool {
    match wanted {
        Wanted::AtLeast => value >= target,
        Wanted::AtMost => value <= target,
    }
}

fn judge(id: String, value: f64, unit: Unit, wanted: Wanted, target: f64) -> Target {
    Target {
        id,
        value,
        target,
        wanted,
        unit,
        met: is_met(wanted, value, target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plan::Scale;
    use crate::report::sample;

    #[test]
    fn a_value_on_the_border_meets_its_target_and_one_beyond_misses_it() {
        for (wanted, value, expected) in [
            (Wanted::AtLeast, 0.7, true),
            (Wanted::AtLeast, 0.7_f64.next_down(), false),
            (Wanted::AtLeast, 0.7_f64.next_up(), true),
            (Wanted::AtMost, 0.7, true),
            (Wanted::AtMost, 0.7_f64.next_up(), false),
            (Wanted::AtMost, 0.7_f64.next_down(), true),
            (Wanted::AtLeast, f64::NAN, false),
            (Wanted::AtMost, f64::NAN, false),
        ] {
            assert_eq!(is_met(wanted, value, 0.7), expected, "{value} {wanted:?}");
        }
    }

    #[test]
    fn idle_memory_is_met_up_to_the_last_byte() {
        let plan = Scale::Full.plan();
        let mut idle = sample::report().idle;
        for (bytes, expected) in [(64 * MIB, true), (64 * MIB + 1, false)] {
            for one in &mut idle {
                one.held_bytes = bytes;
            }
            let targets = all(&plan, &[], &idle);
            assert_eq!(targets.len(), 2);
            assert!(targets.iter().all(|one| one.met == expected), "{bytes}");
        }
    }

    #[test]
    fn a_plot_marks_the_borders_of_the_targets_about_limits_and_no_others() {
        let plan = Scale::Full.plan();
        let rules = rules(&plan);
        for one in sample::report().comparisons {
            let of_rule = rules
                .iter()
                .filter(|rule| rule.against == LIMIT && matches!(rule.of, Of::Throughput))
                .find(|rule| rule.is_about(&one));
            assert_eq!(border(&one), of_rule.map(|rule| rule.target), "{}", one.id);
        }
    }

    #[test]
    fn every_target_is_about_the_comparison_that_it_names() {
        let mut report = sample::report();
        let ids: Vec<&str> = report.targets.iter().map(|one| one.id.as_str()).collect();
        for id in [
            "transitions_64_clients_vs_limit/redb_exclusive/power",
            "one_writer_latency_vs_limit/sqlite/process",
            "transitions_64_clients_vs_connection_per_call/sqlite/power",
            "point_reads_64_clients_vs_limit/redb/power",
            "claim_next_1_client_1m_tasks_vs_1k_tasks/redb/power",
            "complete_with_child_64_clients_1m_tasks_vs_1k_tasks/sqlite/process",
            "idle_memory_1m_tasks/sqlite",
        ] {
            assert!(ids.contains(&id), "{id} is not among {ids:?}");
        }
        let has_lazy = report
            .comparisons
            .iter()
            .any(|one| one.durability == "lazy_100ms");
        assert!(has_lazy, "it is compared");
        assert!(!ids.iter().any(|id| id.ends_with("lazy_100ms")), "{ids:?}");
        let distinct: std::collections::BTreeSet<&&str> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "{ids:?}");
        assert!(
            report.targets.iter().all(|one| one.met),
            "{:?}",
            report.targets
        );

        // One worse round in the middle misses one target alone.
        let one = report
            .comparisons
            .iter_mut()
            .find(|one| (one.workload.as_str(), one.clients) == (transitions::WORKLOAD, MANY));
        let ratio = one.and_then(|one| one.throughput.as_mut());
        ratio.expect("it is there").median = 0.69;
        let targets = all(&Scale::Full.plan(), &report.comparisons, &report.idle);
        let missed: Vec<&str> = targets
            .iter()
            .filter(|one| !one.met)
            .map(|one| one.id.as_str())
            .collect();
        assert_eq!(missed, ["transitions_64_clients_vs_limit/sqlite/power"]);
    }
}
