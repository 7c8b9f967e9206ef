//! Links join tasks, and make no circle.

use std::collections::BTreeSet;
use std::vec::IntoIter;

use crate::error::Result;
use crate::model::{Link, TaskId};
use crate::view::View;

use super::tally::Tally;
use super::{Findings, PAGE};

/// How many children of a task on the path are read at a time.
const PIECE: usize = 32;

/// Invariant 7, and of 13 that links are found from both their ends.
pub(super) fn check(findings: &mut Findings, view: &dyn View, tally: &Tally) -> Result<()> {
    let mut circles = Circles {
        view,
        path: Vec::new(),
        on_path: BTreeSet::new(),
        finished: BTreeSet::new(),
    };
    let (mut with_parent, mut with_child) = (0, 0);
    findings.walk(
        "links",
        |after: Option<&Link>| view.links(after, PAGE),
        |a, b| a < b,
        |findings, link| {
            findings.steps.add(1);
            let Link { parent, child } = link;
            let exists = view.has_link(link)?;
            findings.expect(exists, 13, || {
                format!("the link {parent} → {child} is not answered")
            });
            let (has_parent, has_child) =
                (view.task(parent)?.is_some(), view.task(child)?.is_some());
            findings.expect(has_parent && has_child, 7, || {
                format!("the link {parent} → {child} joins what is not there")
            });
            with_parent += u64::from(has_parent);
            with_child += u64::from(has_child);
            circles.search(findings, parent)
        },
    )?;
    findings.expect_count("children, over all tasks,", with_parent, tally.children);
    findings.expect_count("parents, over all tasks,", with_child, tally.parents);
    Ok(())
}

/// A search for circles in depth. It remembers only tasks with parents and children: no other is on a circle.
struct Circles<'a> {
    view: &'a dyn View,
    path: Vec<Step>,
    on_path: BTreeSet<TaskId>,
    finished: BTreeSet<TaskId>,
}

/// A task on the path, and its children that are still to be visited.
struct Step {
    task: TaskId,
    ahead: IntoIter<TaskId>,
    last: Option<TaskId>,
    is_end: bool,
}

impl Circles<'_> {
    /// Visits all that can be reached from a task and was not visited before.
    fn search(&mut self, findings: &mut Findings, from: &TaskId) -> Result<()> {
        if self.finished.contains(from) || self.view.parents(from, None, 1)?.is_empty() {
            return Ok(());
        }
        self.enter(from.clone());
        while let Some(step) = self.path.last_mut() {
            let Some(child) = step.next(self.view)? else {
                self.leave();
                continue;
            };
            if self.on_path.contains(&child) {
                let parent = &step.task;
                findings.add(7, format!("the link {parent} → {child} closes a circle"));
            } else if !self.finished.contains(&child) {
                self.enter(child);
            }
        }
        Ok(())
    }

    fn enter(&mut self, task: TaskId) {
        self.on_path.insert(task.clone());
        self.path.push(Step {
            task,
            ahead: Vec::new().into_iter(),
            last: None,
            is_end: false,
        });
    }

    fn leave(&mut self) {
        let Some(step) = self.path.pop() else { return };
        self.on_path.remove(&step.task);
        let had_children = step.last.is_some();
        if had_children {
            self.finished.insert(step.task);
        }
    }
}

impl Step {
    fn next(&mut self, view: &dyn View) -> Result<Option<TaskId>> {
        if self.ahead.len() == 0 && !self.is_end {
            let page = view.children(&self.task, self.last.as_ref(), PIECE)?;
            self.is_end = page.len() < PIECE;
            self.last = page.last().cloned().or(self.last.take());
            self.ahead = page.into_iter();
        }
        Ok(self.ahead.next())
    }
}
