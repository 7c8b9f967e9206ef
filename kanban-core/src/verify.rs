//! The invariants of `docs/semantics.md` section 17, checked over one snapshot.
//!
//! Rows are walked in pages and each is compared with what the questions about it answer. Memory grows with the number
//! of assignees and tenants, with a chain of links, and with the tasks that have both parents and children; not with
//! the board. What is not seen here, or not by a number:
//!
//! - Invariant 14 is about all times, and a snapshot is one: it follows from invariant 1 and the rules of section 4.
//! - Of [`waiting`](View::waiting), [`expired`](View::expired) and [`due`](View::due), which have no pages, the first
//!   10,000 are looked at; the engine's own check compares its whole indexes with its rows.
//! - Texts and the policy: no invariant is about them. They are read all the same, each once, so that what cannot be
//!   answered or exported is `Corrupt` here too.
//!
//! A row of a task that is not there, and a number above its counter, break no invariant by name. They are counted to
//! 13 and 11 (an event's, and the horizon, to 8).

mod belongings;
mod history;
mod indexes;
mod links;
mod log;
mod tally;
mod tasks;

use crate::error::Result;
use crate::model::Task;
use crate::progress::{Stage, Steps, Tell};
use crate::request::Violation;
use crate::rules::Question;
use crate::view::View;

/// How many rows are asked for at a time.
const PAGE: usize = 1000;

/// Asks what is wrong with a board.
#[derive(Debug, Clone)]
pub(crate) struct Verify {
    /// How many violations are enough.
    pub(crate) limit: usize,
    /// Who hears how far it is.
    pub(crate) tell: Tell,
}

impl Question for Verify {
    type Answer = Vec<Violation>;

    fn ask(&self, view: &dyn View) -> Result<Vec<Violation>> {
        violations(view, self.limit, &self.tell)
    }
}

/// The first violations of a board's invariants, up to as many; none is good.
pub(crate) fn violations(view: &dyn View, limit: usize, tell: &Tell) -> Result<Vec<Violation>> {
    let mut findings = Findings {
        limit,
        found: Vec::new(),
        steps: tell.begin(Stage::Verify, || view.count_rows().map(Some))?,
    };
    let board = view.board()?;
    view.policy()?;
    let tally = tasks::check(&mut findings, view, &board)?;
    links::check(&mut findings, view, &tally)?;
    log::check_runs(&mut findings, view, &board, &tally)?;
    log::check_events(&mut findings, view, &board, &tally)?;
    belongings::check(&mut findings, view, &board, &tally)?;
    findings.steps.end();
    findings.steps = tell.begin_of(Stage::VerifyIndexes, Some(indexes::entries(&tally)));
    indexes::check(&mut findings, view, &tally)?;
    findings.steps.end();
    Ok(findings.found)
}

/// What is wrong with a task's row alone.
pub(crate) fn violation_of(task: &Task) -> Option<Violation> {
    let mut findings = Findings {
        limit: 1,
        found: Vec::new(),
        steps: Tell::default().begin_of(Stage::Verify, None),
    };
    tasks::check_row(&mut findings, task);
    findings.found.pop()
}

/// What is wrong, as far as it is known.
struct Findings {
    limit: usize,
    found: Vec<Violation>,
    steps: Steps,
}

impl Findings {
    const fn is_full(&self) -> bool {
        self.found.len() >= self.limit
    }

    fn add(&mut self, invariant: u8, what: String) {
        if !self.is_full() {
            self.found.push(Violation { invariant, what });
        }
    }

    /// Adds what is wrong, unless it is right.
    fn expect(&mut self, is_right: bool, invariant: u8, what: impl FnOnce() -> String) {
        if !is_right {
            self.add(invariant, what());
        }
    }

    /// A question answers as many as the rows say. With each of its answers a row of its own that belongs to it, it
    /// then answers exactly the rows.
    fn expect_count(&mut self, question: &str, rows: u64, answered: u64) {
        self.expect(rows == answered, 13, || {
            format!("{question} answers {answered} where the rows are {rows}")
        });
    }

    /// Visits every answer of a question, page by page. Answers how many there were. It ends early where the order is
    /// wrong, as such a walk might never end, and where there are enough findings.
    fn walk<T>(
        &mut self,
        question: &str,
        page_after: impl Fn(Option<&T>) -> Result<Vec<T>>,
        is_before: impl Fn(&T, &T) -> bool,
        mut visit: impl FnMut(&mut Self, &T) -> Result<()>,
    ) -> Result<u64> {
        let mut visited = 0;
        let mut last: Option<T> = None;
        while !self.is_full() {
            let page = page_after(last.as_ref())?;
            let is_end = page.len() < PAGE;
            for row in page {
                if last.as_ref().is_some_and(|last| !is_before(last, &row)) {
                    self.add(13, format!("{question} answers rows out of order"));
                    return Ok(visited);
                }
                visit(self, &row)?;
                visited += 1;
                last = Some(row);
            }
            if is_end {
                break;
            }
        }
        Ok(visited)
    }
}

#[cfg(test)]
mod tests;
