//! What came out of the demo, checked on the board itself.

use std::collections::BTreeMap;
use std::fmt;

use kanban_core::{BoardStore, OfTask, Outcome, Seq, Status, TaskId};
use pollster::block_on;
use serde::Serialize;

use super::crew::Crew;
use crate::failure::Failure;

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Report {
    #[serde(skip)]
    pub(super) seq: Seq,
    tasks: usize,
    /// Tasks that are done by exactly one completed run.
    done_once: usize,
    runs: usize,
    outcomes: BTreeMap<&'static str, usize>,
    workers_died: usize,
    late_refused: usize,
    rate_limited: usize,
    /// What `verify` found wrong.
    violations: usize,
}

impl Report {
    pub(super) fn of(
        store: &dyn BoardStore,
        tasks: &[TaskId],
        crew: &Crew,
    ) -> Result<Self, Failure> {
        let verified = block_on(store.verify())?;
        let tally = crew.tally();
        let mut report = Self {
            seq: verified.seq,
            tasks: tasks.len(),
            done_once: 0,
            runs: 0,
            outcomes: BTreeMap::new(),
            workers_died: tally.died,
            late_refused: tally.late_refused,
            rate_limited: tally.rate_limited,
            violations: verified.value.len(),
        };
        for id in tasks {
            let task = block_on(store.task(id.clone()))?.value.task;
            let runs = block_on(store.runs(OfTask {
                task: id.clone(),
                after: None,
                limit: 1000,
            }))?
            .value;
            report.runs += runs.len();
            for outcome in runs.iter().filter_map(|run| run.outcome) {
                *report.outcomes.entry(outcome.as_str()).or_default() += 1;
            }
            let completed = runs
                .iter()
                .filter(|run| run.outcome == Some(Outcome::Completed));
            if task.status == Status::Done && completed.count() == 1 {
                report.done_once += 1;
            }
        }
        Ok(report)
    }

    /// Everything done once, the late one refused, nothing wrong on the board.
    pub(super) fn is_as_promised(&self) -> bool {
        self.done_once == self.tasks
            && self.violations == 0
            && (self.workers_died, self.late_refused, self.rate_limited) == (1, 1, 1)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcomes: Vec<String> = self
            .outcomes
            .iter()
            .map(|(outcome, runs)| format!("{runs} {outcome}"))
            .collect();
        let verify = match self.violations {
            0 => "clean".to_owned(),
            found => format!("{found} violations"),
        };
        write!(
            f,
            "verify: {verify}\n{} of {} tasks done exactly once; {} runs: {}; {} late completion refused",
            self.done_once,
            self.tasks,
            self.runs,
            outcomes.join(", "),
            self.late_refused
        )
    }
}
