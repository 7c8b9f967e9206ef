//! A gateway's mixture of calls; and transitions alone, beside them the engine's limit and the patterns of the field report.

mod run;

use kanban_bench::board::Closed;
use kanban_bench::extent::{CLIENTS, Extent, TASKS};
use kanban_bench::fill;
use kanban_bench::limit::{LIMIT, synchronous};
use kanban_bench::pattern::Pattern;
use kanban_bench::subject::{Store, Subject};
use kanban_bench::workload::{creation, mixed, transitions};
use kanban_core::{Options, SubscriptionId};
use pollster::block_on;

use self::run::{Counted, Id, Run};

/// How many clients a quick run gives to the patterns, whose calls take a flush each.
const QUICK_PATTERN_CLIENTS: &[usize] = &[1, 64];

fn main() {
    let mut run = Run::start();
    for subject in run.subjects() {
        for clients in CLIENTS.iter().copied() {
            transition(&mut run, subject, clients);
            create(&mut run, subject, clients);
            mix(&mut run, subject, clients);
        }
    }
    run.end();
}

fn transition(run: &mut Run, subject: Subject, clients: usize) {
    let id = Id {
        what: "transitions",
        subject,
        tasks: TASKS,
        clients,
        calls: 2,
    };
    let group = run.by_store(id, |board, _, rounds| {
        let tasks = block_on(fill::tasks(&*board.store, clients * rounds))?;
        Counted::of(board, || {
            transitions::by_store(&*board.store, clients, &tasks)
        })
    });
    run.beside(id, LIMIT, clients, |board, tasks, rounds| {
        let tasks = tasks.get(..clients * rounds).unwrap_or(tasks);
        transitions::by_hand(subject, &board.file(), group.unwrap_or(clients), tasks)
    });
    let is_wanted = run.extent == Extent::Full || QUICK_PATTERN_CLIENTS.contains(&clients);
    if subject.store != Store::Sqlite || !is_wanted {
        return;
    }
    for pattern in Pattern::ALL {
        run.beside(id, pattern.as_str(), clients, |board, tasks, rounds| {
            let tasks = tasks.iter().take(clients * rounds);
            let tasks: Vec<_> = tasks.map(|task| task.id.clone()).collect();
            pattern.run(&board.file(), synchronous(subject), clients, &tasks)
        });
    }
}

fn create(run: &mut Run, subject: Subject, clients: usize) {
    let id = Id {
        what: "creation",
        subject,
        tasks: TASKS,
        clients,
        calls: 1,
    };
    // Alone it is a point.
    if clients == 1 || (run.extent == Extent::Quick && clients != 64) {
        return;
    }
    let group = run.by_store(id, |board, _, rounds| {
        Counted::of(board, || creation::by_store(&*board.store, clients, rounds))
    });
    run.beside(id, LIMIT, clients, |board, _, rounds| {
        creation::by_hand(
            subject,
            &board.file(),
            group.unwrap_or(clients),
            clients * rounds,
        )
    });
}

fn mix(run: &mut Run, subject: Subject, clients: usize) {
    let id = Id {
        what: "mixed",
        subject,
        tasks: TASKS,
        clients,
        calls: 2,
    };
    let group = run.by_store(id, |board, template, rounds| {
        let store = &*board.store;
        let subscriptions = mixed::listen(store, clients)?;
        block_on(fill::tasks(store, mixed::claims(clients, rounds)))?;
        Counted::of(board, || {
            mixed::by_store(store, clients, rounds, &template.ids, &subscriptions)
        })
    });
    run.beside(id, LIMIT, clients, |board, tasks, rounds| {
        let (board, subscriptions) = listening(board, clients);
        let group = group.unwrap_or(clients);
        let size = (clients, rounds);
        let readers = Options::default().reader_threads;
        let file = board.file();
        mixed::by_hand(subject, &file, group, readers, size, tasks, &subscriptions)
    });
}

/// A board with its notifiers' subscriptions, closed again.
fn listening(board: Closed, clients: usize) -> (Closed, Vec<SubscriptionId>) {
    let board = block_on(board.open()).expect("a copy is a board");
    let subscriptions = mixed::listen(&*board.store, clients).expect("they listen");
    let board = block_on(board.close()).expect("the board is closed");
    (board, subscriptions)
}
