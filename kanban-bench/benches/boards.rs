//! Work on copies of a filled board: the store's on one that stays open, and what stands beside it on others.

use std::rc::Rc;

use kanban_bench::beside::Other;
use kanban_bench::board::Board;
use kanban_bench::subject::Subject;
use kanban_bench::turns::Rounds;
use kanban_core::{Result, TaskId};
use pollster::block_on;

use crate::run::{Id, Run, Shelf};

/// Makes so many rounds by the store of an open board, of which some tasks are known.
pub(crate) type Work<'a> = &'a dyn Fn(&Board, &[TaskId], usize) -> Result<Rounds>;

/// Measures the store's work, and the ratio of its time to that of each of the others.
pub(crate) fn compare(run: &mut Run, id: Id<'_>, work: Work<'_>, others: Vec<Other<'_>>) {
    let shelf = Rc::clone(&run.shelf);
    let known = || shelf.board(id.subject, id.tasks);
    let mut kept = Kept::new(run, id.subject, id.tasks, work);
    let mut others: Vec<_> = others
        .into_iter()
        .map(|mut other| {
            let name = other.name();
            let turn = move |rounds, group| other.turn(id.subject, &known(), rounds, group);
            (name, turn)
        })
        .collect();
    let mut beside: Vec<_> = others
        .iter_mut()
        .map(|(name, turn)| (*name, turn as _))
        .collect();
    let turn = run.extent.turn(id.subject.durability);
    run.compare(id, turn, &mut |rounds| kept.rounds(rounds), &mut beside);
}

/// A copy of a filled board that stays open from turn to turn. Once as many calls have written to it as it held tasks, another
/// takes its place, as for those beside it: else one side's board would grow and the other's not.
pub(crate) struct Kept<'a> {
    shelf: Rc<Shelf>,
    subject: Subject,
    tasks: usize,
    work: Work<'a>,
    board: Option<Board>,
    used: u64,
}

impl<'a> Kept<'a> {
    /// None is copied before the first round.
    pub(crate) fn new(run: &Run, subject: Subject, tasks: usize, work: Work<'a>) -> Self {
        Self {
            shelf: Rc::clone(&run.shelf),
            subject,
            tasks,
            work,
            board: None,
            used: 0,
        }
    }

    /// Makes so many rounds.
    pub(crate) fn rounds(&mut self, rounds: usize) -> Rounds {
        let known = self.shelf.board(self.subject, self.tasks);
        let tasks = u64::try_from(self.tasks).unwrap_or(u64::MAX);
        let kept = self.board.take_if(|_| self.used <= tasks);
        let board = kept.unwrap_or_else(|| {
            self.close();
            let copy = known.template.copy(self.subject);
            let copy = copy.expect("the board is copied");
            let board = block_on(copy.open()).expect("a copy is a board");
            // What the first calls find cold is no part of a turn.
            (self.work)(&board, &known.template.ids, 1).expect("the store carries it out");
            board
        });
        let before = board.commits.count();
        let done = (self.work)(&board, &known.template.ids, rounds);
        let done = done.expect("the store carries it out");
        // Reads use nothing up.
        if board.commits.count() > before {
            self.used += done.took.calls;
        }
        self.board = Some(board);
        done
    }

    fn close(&mut self) {
        self.used = 0;
        if let Some(board) = self.board.take() {
            block_on(board.close()).expect("the board is closed");
        }
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.close();
    }
}
