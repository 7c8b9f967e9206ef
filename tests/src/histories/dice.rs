//! What the throws of a step mean on a board.

use std::time::Duration;

use kanban_core::{
    Assignee, Authority, Label, Millis, Note, Reason, RetryAfter, RunId, Status, Task, TaskId, Ttl,
    Version,
};

use super::step::THROWS;
use crate::calls::{label, note, reason, secs, task_id, who};
use crate::oracle::Board;

/// The throws of a step, read one after the other; a step that has none left throws zeros.
#[derive(Debug)]
pub(super) struct Dice<'a> {
    pub(super) board: &'a Board,
    pub(super) now: Millis,
    throws: [u8; THROWS],
    read: usize,
}

impl<'a> Dice<'a> {
    pub(super) fn new(board: &'a Board, now: Millis, throws: [u8; THROWS]) -> Self {
        Self {
            board,
            now,
            throws,
            read: 0,
        }
    }

    fn throw(&mut self) -> usize {
        let throw = self.throws.get(self.read).copied().unwrap_or(0);
        self.read += 1;
        usize::from(throw)
    }

    /// True so many times in 100; never on a zero.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.throw() * 100 / 256 + percent >= 100
    }

    /// Less than a bound; 0 on a zero.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.throw() % bound.max(1)
    }

    /// One of these; the first on a zero.
    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Something, so many times in 100.
    pub(super) fn some<T>(
        &mut self,
        percent: usize,
        make: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        self.chance(percent).then(|| make(self))
    }

    /// A task that the call fits; sometimes any other, or none that exists.
    pub(super) fn task(&mut self, fits: impl Fn(&Task) -> bool) -> TaskId {
        let all: Vec<&Task> = self.board.tasks.iter().map(|d| &d.task).collect();
        let fitting: Vec<&Task> = all.iter().copied().filter(|task| fits(task)).collect();
        let choice = self.throw();
        let from = match choice {
            0..220 if !fitting.is_empty() => fitting,
            252.. => return self.stranger(),
            _ if all.is_empty() => return task_id("t_nobody"),
            _ => all,
        };
        let place = self.below(from.len());
        from[place].id.clone()
    }

    /// A task in one of these statuses, most likely.
    pub(super) fn task_in(&mut self, statuses: &[Status]) -> TaskId {
        self.task(|task| statuses.contains(&task.status))
    }

    /// Any task, most likely.
    pub(super) fn any(&mut self) -> TaskId {
        self.task(|_| true)
    }

    /// An id that no task has.
    fn stranger(&mut self) -> TaskId {
        let gone = task_id("t_00000000000000000009999999");
        self.one(&[task_id("t_nobody"), task_id("Somebody-else_9"), gone])
    }

    /// A few tasks, most often none.
    pub(super) fn few(&mut self, percent: usize) -> Vec<TaskId> {
        let mut ids = Vec::new();
        if self.chance(percent) {
            for _ in 0..=self.below(3) {
                ids.push(self.any());
            }
        }
        ids
    }

    /// By the worker of the open run, most likely; else an operator, a worker that was overtaken, or a stranger.
    pub(super) fn authority(&mut self, task: &TaskId) -> Authority {
        let open = self.open_run(task);
        let of_task: Vec<RunId> = self
            .board
            .runs
            .iter()
            .filter(|run| run.task == *task)
            .map(|run| run.id)
            .collect();
        match (self.throw(), open) {
            (0..165, Some(run)) => Authority::worker(run),
            (200..235, _) if !of_task.is_empty() => Authority::worker(self.one(&of_task)),
            (235..245, _) => Authority::worker(self.any_run()),
            _ => {
                let run = match self.throw() {
                    200..225 => open,
                    225..240 if !of_task.is_empty() => Some(self.one(&of_task)),
                    240.. => Some(self.any_run()),
                    _ => None,
                };
                Authority::Operator {
                    actor: self.one(&[label("olga"), label("otto"), label("w1")]),
                    reason: self.reason(),
                    run,
                }
            }
        }
    }

    fn open_run(&self, task: &TaskId) -> Option<RunId> {
        let claim = self.board.find(task)?.task.claim.as_ref()?;
        Some(claim.run)
    }

    /// A run of any task, or of none.
    pub(super) fn any_run(&mut self) -> RunId {
        let newest = usize::try_from(self.board.counters.run.get() % 1_000_000).unwrap_or(0);
        let raised = self.board.counters.run.get() - newest as u64;
        RunId::new(raised + self.below(newest + 2) as u64)
    }

    pub(super) fn actor(&mut self) -> Label {
        self.one(&[label("olga"), label("otto")])
    }

    pub(super) fn maybe_actor(&mut self) -> Option<Label> {
        self.some(60, Self::actor)
    }

    pub(super) fn claimant(&mut self) -> Label {
        self.one(&[label("w1"), label("w2"), label("w3")])
    }

    pub(super) fn assignee(&mut self) -> Option<Assignee> {
        self.one(&[None, Some(who("amy")), Some(who("bob")), Some(who("w2"))])
    }

    pub(super) fn key(&mut self, percent: usize) -> Option<Label> {
        self.some(percent, |dice| {
            dice.one(&[label("k1"), label("k2"), label("k3"), label("k4")])
        })
    }

    pub(super) fn reason(&mut self) -> Option<Reason> {
        self.some(40, |dice| {
            dice.one(&[reason("because"), reason("för ever")])
        })
    }

    pub(super) fn version(&mut self, task: &TaskId) -> Option<Version> {
        let now = self.board.find(task).map_or(1, |d| d.task.version.get());
        self.some(25, |dice| {
            Version::new(dice.one(&[now, now + 1, now.saturating_sub(1)]))
        })
    }

    /// A text that may name tasks.
    pub(super) fn note(&mut self) -> Note {
        let id = self.any();
        let long = "é".repeat(300);
        self.one(&[
            note("in short"),
            note(&format!("made {id}, then t_madeup99 (t_madeup99) and t_No")),
            note(&long),
            note("see t_abc123; t_0123456789abcdef."),
        ])
    }

    pub(super) fn retry(&mut self) -> Option<RetryAfter> {
        self.some(35, |dice| {
            let seconds = dice.one(&[0, 5, 60, 3600]);
            RetryAfter::new(secs(seconds)).expect("up to a year may be waited")
        })
    }

    pub(super) fn ttl(&mut self) -> Option<Ttl> {
        self.some(50, |dice| {
            let seconds = dice.one(&[60, 1, 10, 600, 30 * 86_400]);
            Ttl::new(secs(seconds)).expect("up to 30 days may be asked for")
        })
    }

    /// How much at most: sometimes out of bounds.
    pub(super) fn limit(&mut self) -> usize {
        match self.throw() {
            0..110 => 100,
            110..230 => 1 + self.below(3),
            230..240 => 1000,
            240..248 => 0,
            _ => 1001,
        }
    }

    /// A time ahead, most likely.
    pub(super) fn time(&mut self) -> Millis {
        match self.throw() {
            0..230 => {
                let seconds = self.one(&[60, 1, 600, 7200]);
                self.now.after(secs(seconds))
            }
            230..240 => self.now,
            240..245 => Millis::new(self.now.get() + 1),
            _ => self.now.before(secs(60)),
        }
    }

    pub(super) fn older_than(&mut self) -> Duration {
        secs(self.one(&[0, 30, 600, 86_400]))
    }
}
