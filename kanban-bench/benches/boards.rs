//! Work on copies of a filled board: the store's on one that stays open, and what stands beside it on others.

use std::cell::OnceCell;
use std::rc::Rc;

use kanban_bench::beside::Other;
use kanban_bench::board::Board;
use kanban_bench::turns::Rounds;
use kanban_core::{Result, TaskId};
use pollster::block_on;

use crate::run::{Id, Run};

/// Makes so many rounds by the store of an open board, of which some tasks are known.
pub(crate) type Work<'a> = &'a dyn Fn(&Board, &[TaskId], usize) -> Result<Rounds>;

/// Measures the store's work, and the ratio of its time to that of each of the others.
pub(crate) fn compare(run: &mut Run, id: Id<'_>, work: Work<'_>, others: Vec<Other<'_>>) {
    let (shelf, board) = (Rc::clone(&run.shelf), OnceCell::new());
    let known = || shelf.board(id.subject, id.tasks);
    let mut by_store = |rounds| {
        let known = known();
        let board = board.get_or_init(|| {
            let copy = known.template.copy(id.subject);
            let copy = copy.expect("the board is copied");
            block_on(copy.open()).expect("a copy is a board")
        });
        let done = work(board, &known.template.ids, rounds);
        done.expect("the store carries it out")
    };
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
    run.compare(id, turn, &mut by_store, &mut beside);
    if let Some(board) = board.into_inner() {
        block_on(board.close()).expect("the board is closed");
    }
}
