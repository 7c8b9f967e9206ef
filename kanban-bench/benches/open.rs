//! Opening a board of which nothing is in memory, reading a first task of it, and opening it after its writer was killed.

mod run;

use std::process::Command;
use std::time::Duration;

use kanban_bench::board::Closed;
use kanban_bench::extent::{Extent, TASKS};
use kanban_bench::limit::LIMIT;
use kanban_bench::subject::Subject;
use kanban_bench::template::Template;
use kanban_bench::workload::opening::{self, Opened};
use pollster::block_on;

use self::run::{CHEAPER, ENGINES, Id, Run, filled};

/// A board of a gigabyte, in a full run.
const GIGABYTE_TASKS: usize = 1_000_000;
/// How much the writer has been answered when it is killed.
const WRITES: usize = 512;

fn main() {
    opening::be_child_if_told();
    let mut run = Run::start();
    let sizes: &[usize] = match run.extent {
        Extent::Quick => &[TASKS],
        Extent::Full => &[TASKS, GIGABYTE_TASKS],
    };
    // A board of redb for one opener alone recovers in another way.
    for subject in ENGINES.iter().chain(CHEAPER.last()) {
        for tasks in sizes {
            let id = |what| Id {
                what,
                subject: *subject,
                tasks: *tasks,
                clients: 1,
                calls: 1,
            };
            cold(&mut run, id("cold_open"), |opened| opened.open);
            cold(&mut run, id("cold_first_read"), |opened| opened.first_read);
            killed(&mut run, id("open_after_kill"));
        }
    }
    run.end();
}

/// A copy of the board that is opened again and again, and a task of it.
struct Kept {
    closed: Option<Closed>,
}

impl Kept {
    const fn new() -> Self {
        Self { closed: None }
    }

    fn board(&mut self, template: &Template, subject: Subject) -> Closed {
        let kept = self.closed.take();
        kept.unwrap_or_else(|| template.copy(subject).expect("the board is copied"))
    }

    fn open(&mut self, closed: Closed, template: &Template) -> Opened {
        let task = template.ids.first().expect("the board holds tasks");
        let (opened, board) = opening::by_store(closed, task).expect("the store opens it");
        self.closed = Some(block_on(board.close()).expect("the board is closed"));
        opened
    }
}

fn cold(run: &mut Run, id: Id<'_>, part: impl Fn(Opened) -> Duration) {
    let (slot, place) = (run.template(id.subject, id.tasks), run.place().to_owned());
    if id.is_wanted(None) {
        filled(&slot, id, &place);
    }
    let mut kept = Kept::new();
    run.measure(id, None, |rounds| {
        let template = filled(&slot, id, &place);
        let times = (0..rounds).map(|_| {
            let board = kept.board(template, id.subject);
            part(kept.open(board, template))
        });
        times.sum()
    });
    let mut kept = Kept::new();
    run.measure(id, Some(LIMIT), |rounds| {
        let template = filled(&slot, id, &place);
        let board = kept.board(template, id.subject);
        let task = template.ids.first().expect("the board holds tasks");
        let times = (0..rounds).map(|_| {
            let opened = opening::by_hand(id.subject, &board, task);
            part(opened.expect("the files leave the cache"))
        });
        let sum = times.sum();
        kept.closed = Some(board);
        sum
    });
}

fn killed(run: &mut Run, id: Id<'_>) {
    let (slot, place) = (run.template(id.subject, id.tasks), run.place().to_owned());
    if id.is_wanted(None) {
        filled(&slot, id, &place);
    }
    let mut kept = Kept::new();
    run.measure(id, None, |rounds| {
        let template = filled(&slot, id, &place);
        let times = (0..rounds).map(|_| {
            let board = kept.board(template, id.subject);
            let program = std::env::current_exe().expect("a bench is a program");
            let command = Command::new(program);
            let killed = opening::kill_while_writing(&board, command, WRITES);
            killed.expect("a child writes until it is killed");
            kept.open(board, template).open
        });
        times.sum()
    });
}
