//! Opening a board of which nothing is in memory, reading a first task of it, and opening it after its writer was killed.

mod run;

use std::cell::Cell;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use kanban_bench::board::Closed;
use kanban_bench::extent::Extent;
use kanban_bench::limit::LIMIT;
use kanban_bench::subject::{ENGINES, Store, Subject};
use kanban_bench::turns::{Beside, Rounds, Took};
use kanban_bench::workload::opening::{self, Opened};
use kanban_core::TaskId;
use pollster::block_on;

use self::run::{Id, Run, Shelf};

/// A board of a gigabyte, in a full run.
const GIGABYTE_TASKS: usize = 1_000_000;
/// How much the writer has been answered when it is killed.
const WRITES: usize = 512;
/// A turn opens a board once.
const ONE_ROUND: Duration = Duration::ZERO;

fn main() {
    opening::be_child_if_told();
    let mut run = Run::start();
    let sizes = match run.extent {
        Extent::Once | Extent::Quick => vec![run.extent.tasks()],
        Extent::Full => vec![run.extent.tasks(), GIGABYTE_TASKS],
    };
    // A board of redb for one opener alone recovers in another way.
    for subject in ENGINES
        .iter()
        .chain(&[Subject::new(Store::Redb).exclusive()])
    {
        for tasks in &sizes {
            let door = Door::new(&run, *subject, *tasks);
            let id = |what| Id {
                what,
                subject: *subject,
                tasks: *tasks,
                clients: 1,
                calls: 1,
            };
            cold(&mut run, id("cold_open"), &door, |opened| opened.open);
            cold(&mut run, id("cold_first_read"), &door, |opened| {
                opened.first_read
            });
            killed(&mut run, id("open_after_kill"), &door);
        }
    }
    run.end();
}

/// Two copies of a board that are opened again and again: one by the store, one by hand.
struct Door {
    shelf: Rc<Shelf>,
    subject: Subject,
    tasks: usize,
    of_store: Cell<Option<Closed>>,
    of_hand: Cell<Option<Closed>>,
}

impl Door {
    fn new(run: &Run, subject: Subject, tasks: usize) -> Self {
        Self {
            shelf: Rc::clone(&run.shelf),
            subject,
            tasks,
            of_store: Cell::default(),
            of_hand: Cell::default(),
        }
    }

    /// The copy that was opened last, or a new one.
    fn take(&self, kept: &Cell<Option<Closed>>) -> Closed {
        kept.take().unwrap_or_else(|| {
            let known = self.shelf.board(self.subject, self.tasks);
            let copy = known.template.copy(self.subject);
            copy.expect("the board is copied")
        })
    }

    /// A task that it holds.
    fn task(&self) -> TaskId {
        let known = self.shelf.board(self.subject, self.tasks);
        let task = known.template.ids.first();
        task.expect("the board holds tasks").clone()
    }

    fn open_by_store(&self, board: Closed) -> Opened {
        let opened = opening::by_store(board, &self.task());
        let (opened, board) = opened.expect("the store opens it");
        let closed = block_on(board.close()).expect("the board is closed");
        self.of_store.set(Some(closed));
        opened
    }

    fn open_by_hand(&self, board: Closed) -> Opened {
        let opened = opening::by_hand(self.subject, &board, &self.task());
        self.of_hand.set(Some(board));
        opened.expect("the files leave the cache")
    }

    /// Lets another process write to the store's copy until it is killed, and gives what is left.
    fn kill(&self) -> Closed {
        let board = self.take(&self.of_store);
        let program = std::env::current_exe().expect("a bench is a program");
        let killed = opening::kill_while_writing(&board, Command::new(program), WRITES);
        killed.expect("a child writes until it is killed");
        board
    }
}

fn cold(run: &mut Run, id: Id<'_>, door: &Door, part: impl Fn(Opened) -> Duration) {
    let mut by_store = |rounds| Rounds {
        took: each(rounds, || {
            part(door.open_by_store(door.take(&door.of_store)))
        }),
        group: 1,
    };
    let mut by_hand =
        |rounds, _| each(rounds, || part(door.open_by_hand(door.take(&door.of_hand))));
    let beside: &mut Beside<'_> = &mut by_hand;
    run.compare(id, ONE_ROUND, &mut by_store, &mut [(LIMIT, beside)]);
}

fn killed(run: &mut Run, id: Id<'_>, door: &Door) {
    run.time(id, &mut |rounds| Rounds {
        took: each(rounds, || door.open_by_store(door.kill()).open),
        group: 1,
    });
    // To copy a board of a gigabyte takes longer than all else, so it is done only where somebody opens the copy.
    let mut by_store = |rounds| Rounds {
        took: each(rounds, || {
            let board = door.kill();
            let left = board.copy(door.subject).expect("what is left is copied");
            door.of_hand.set(Some(left));
            door.open_by_store(board).open
        }),
        group: 1,
    };
    // What was left by the kill of this turn. What it becomes is opened no more.
    let mut by_hand = |_, _| {
        each(1, || {
            let left = door.of_hand.take().expect("the store had its turn");
            let opened = door.open_by_hand(left);
            door.of_hand.take();
            opened.open
        })
    };
    run.ratio(id, ONE_ROUND, &mut by_store, (LIMIT, &mut by_hand));
}

fn each(rounds: usize, open: impl Fn() -> Duration) -> Took {
    let one = |_| Took {
        span: open(),
        calls: 1,
    };
    (0..rounds).map(one).sum()
}
