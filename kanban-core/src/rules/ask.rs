//! Every question of a board, asked of one snapshot.
//!
//! An unknown task is `NotFound` where the question is about it; where it is a filter (the parent of a list, the task
//! of events or subscriptions), nothing is found.

mod graph;
mod list;
mod log;
mod tasks;

pub(crate) use self::log::Pending;
pub(super) use self::log::Stretch;
pub(crate) use self::tasks::{
    AttachmentsOf, ChildrenOf, CommentsOf, IdsByPrefix, LatestSummaries, ParentsOf, RunsOf,
    TaskById, TasksByIds, detail,
};

use crate::error::{Error, Invalid, Result, Subject};
use crate::model::{Pause, Policy, Task, TaskId};
use crate::request::Stats;
use crate::view::View;

use super::{Question, check_limit};

/// How many entries a page has at most, and how many rows are asked for at a time.
const PAGE_MAX: usize = 1000;
/// How many rows one answer looks at, where it has to look for what it wants.
pub(super) const LOOKED_AT_MAX: usize = 10_000;

/// Asks for the board's `seq` alone, which every answer carries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskSeq;

impl Question for AskSeq {
    type Answer = ();

    fn ask(&self, _view: &dyn View) -> Result<()> {
        Ok(())
    }
}

/// Asks for the pauses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskPauses;

impl Question for AskPauses {
    type Answer = Vec<Pause>;

    fn ask(&self, view: &dyn View) -> Result<Vec<Pause>> {
        view.pauses()
    }
}

/// Asks for the board's limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskPolicy;

impl Question for AskPolicy {
    type Answer = Policy;

    fn ask(&self, view: &dyn View) -> Result<Policy> {
        view.policy()
    }
}

/// Asks for the board in numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskStats;

impl Question for AskStats {
    type Answer = Stats;

    fn ask(&self, view: &dyn View) -> Result<Stats> {
        Ok(Stats {
            rows: view.counts()?,
            oldest_ready: view.oldest_ready()?,
        })
    }
}

/// Refuses a page of none or of too many.
fn check_page(limit: usize) -> Result<(), Invalid> {
    check_limit(limit, PAGE_MAX)
}

/// The task that a question is about.
fn subject(view: &dyn View, id: &TaskId) -> Result<Task> {
    view.task(id)?
        .ok_or_else(|| Error::not_found(Subject::Task(id.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::memory::{MemoryBoard, label, task};
    use crate::model::{Assignee, Millis, PauseTarget, Status};
    use crate::request::StatsRow;

    /// The field that a question is refused for.
    pub(super) fn refused_for<T: std::fmt::Debug>(answer: Result<T>) -> &'static str {
        let error = answer.expect_err("expected a refusal");
        match error.kind() {
            ErrorKind::Invalid(invalid) => invalid.field,
            other => panic!("expected Invalid, found {other:?}"),
        }
    }

    /// Whether a question's task is not there.
    pub(super) fn is_not_found<T: std::fmt::Debug>(answer: Result<T>) -> bool {
        matches!(
            answer.expect_err("expected a refusal").kind(),
            ErrorKind::NotFound(_)
        )
    }

    #[test]
    fn a_limit_is_1_to_1000() {
        for (limit, is_good) in [(0, false), (1, true), (1000, true), (1001, false)] {
            assert_eq!(check_page(limit).is_ok(), is_good, "{limit}");
        }
    }

    #[test]
    fn pauses_and_policy_are_what_is_set() {
        let mut board = MemoryBoard::new();
        board.limits.failure_limit = 9;
        let pause = Pause {
            target: PauseTarget::Board,
            actor: label("me"),
            reason: None,
            at: Millis::new(1),
        };
        board.pauses.insert(PauseTarget::Board, pause.clone());
        assert_eq!(AskPauses.ask(&board).unwrap(), [pause]);
        assert_eq!(AskPolicy.ask(&board).unwrap().failure_limit, 9);
        AskSeq.ask(&board).unwrap();
    }

    #[test]
    fn stats_answer_the_counters_and_the_oldest_ready_task() {
        let mut board = MemoryBoard::new();
        let ann = Assignee::new("ann").unwrap();
        for (id, assignee, status, created_at) in [
            ("t_1", Some(&ann), Status::Ready, 5),
            ("t_2", Some(&ann), Status::Ready, 3),
            ("t_3", None, Status::Done, 1),
        ] {
            let mut row = task(id);
            row.assignee = assignee.cloned();
            row.status = status;
            row.created_at = Millis::new(created_at);
            board.put_task(row);
        }
        let row = |status, assignee: Option<&Assignee>, tasks| StatsRow {
            status,
            assignee: assignee.cloned(),
            tasks,
        };
        let expected = Stats {
            rows: vec![
                row(Status::Ready, Some(&ann), 2),
                row(Status::Done, None, 1),
            ],
            oldest_ready: Some(Millis::new(3)),
        };
        assert_eq!(AskStats.ask(&board).unwrap(), expected);
    }
}
