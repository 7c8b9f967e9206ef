//! A gateway's mixture of calls; and transitions and creation alone. Beside them the engine's limit, and beside what is alone the
//! patterns of the field report.

mod boards;
mod run;

use std::cell::OnceCell;

use kanban_bench::beside::Other;
use kanban_bench::board::Closed;
use kanban_bench::extent::{Extent, FEW_OR_MANY};
use kanban_bench::fill;
use kanban_bench::limit::synchronous;
use kanban_bench::pattern::Pattern;
use kanban_bench::subject::{self, LAZY_ONES, Subject};
use kanban_bench::turns::Rounds;
use kanban_bench::workload::{creation, mixed, transitions};
use kanban_core::{Options, SubscriptionId};
use pollster::block_on;

use self::run::{Id, Run};

fn main() {
    let mut run = Run::start();
    for subject in subject::measured(run.extent) {
        for clients in run.extent.clients() {
            transition(&mut run, subject, *clients);
            create(&mut run, subject, *clients);
            mix(&mut run, subject, *clients);
        }
    }
    for subject in LAZY_ONES {
        for clients in run.extent.clients() {
            if run.extent == Extent::Full || FEW_OR_MANY.contains(clients) {
                transition(&mut run, *subject, *clients);
            }
            if run.extent == Extent::Full {
                create(&mut run, *subject, *clients);
            }
        }
    }
    run.end();
}

fn transition(run: &mut Run, subject: Subject, clients: usize) {
    let id = Id {
        what: "transitions",
        subject,
        tasks: run.extent.tasks(),
        clients,
        calls: 2,
    };
    let mut others = vec![Other::limit(clients, |given| {
        transitions::by_hand(subject, &given.file, given.group, given.own)
    })];
    let patterns = Pattern::beside_writes(run.extent, subject, clients);
    others.extend(patterns.iter().map(|pattern| {
        Other::pattern(*pattern, clients, |given| {
            let tasks: Vec<_> = given.own.iter().map(|task| task.id.clone()).collect();
            pattern.run(&given.file, synchronous(subject), clients, &tasks)
        })
    }));
    boards::compare(
        run,
        id,
        &|board, _, rounds| {
            let tasks = block_on(fill::tasks(&*board.store, clients * rounds))?;
            Rounds::of(board, 1.0, || {
                transitions::by_store(&*board.store, clients, &tasks)
            })
        },
        others,
    );
}

fn create(run: &mut Run, subject: Subject, clients: usize) {
    let id = Id {
        what: "creation",
        subject,
        tasks: run.extent.tasks(),
        clients,
        calls: 1,
    };
    // Alone it is a point.
    if clients == 1 || (run.extent == Extent::Quick && clients != 64) {
        return;
    }
    let mut others = vec![Other::limit(0, |given| {
        creation::by_hand(subject, &given.file, given.group, clients * given.rounds)
    })];
    let patterns = Pattern::beside_writes(run.extent, subject, clients);
    others.extend(patterns.iter().map(|pattern| {
        Other::pattern(*pattern, 0, |given| {
            let size = (clients, given.rounds);
            pattern.create(&given.file, synchronous(subject), size)
        })
    }));
    boards::compare(
        run,
        id,
        &|board, _, rounds| {
            Rounds::of(board, 1.0, || {
                creation::by_store(&*board.store, clients, rounds)
            })
        },
        others,
    );
}

fn mix(run: &mut Run, subject: Subject, clients: usize) {
    let id = Id {
        what: "mixed",
        subject,
        tasks: run.extent.tasks(),
        clients,
        calls: 2,
    };
    let listeners = OnceCell::new();
    let limit = Other::limit(clients, |given| {
        let size = (clients, given.rounds);
        let readers = Options::default().reader_threads;
        let (tasks, listeners) = (
            &given.known.tasks,
            listeners.get().map_or(&[][..], Vec::as_slice),
        );
        mixed::by_hand(
            subject,
            &given.file,
            given.group,
            readers,
            size,
            tasks,
            listeners,
        )
    });
    let listen = |copy| {
        let (copy, subscriptions) = listening(copy, clients);
        // On every copy they are the same.
        listeners.get_or_init(|| subscriptions);
        copy
    };
    let mut others = vec![limit.each_on(listen)];
    for pattern in Pattern::beside_writes(run.extent, subject, clients) {
        let listeners = &listeners;
        let other = Other::pattern(*pattern, clients, move |given| {
            let size = (clients, given.rounds);
            let listeners = listeners.get().map_or(&[][..], Vec::as_slice);
            let ids = &given.known.template.ids;
            mixed::by_pattern(
                *pattern,
                &given.file,
                synchronous(subject),
                size,
                ids,
                listeners,
            )
        });
        others.push(other.each_on(listen));
    }
    boards::compare(
        run,
        id,
        &|board, tasks, rounds| {
            let store = &*board.store;
            let subscriptions = mixed::listen(store, clients)?;
            block_on(fill::tasks(store, mixed::claims(clients, rounds)))?;
            Rounds::of(board, mixed::WRITES, || {
                mixed::by_store(store, clients, rounds, tasks, &subscriptions)
            })
        },
        others,
    );
}

/// A board with its notifiers' subscriptions, closed again.
fn listening(board: Closed, clients: usize) -> (Closed, Vec<SubscriptionId>) {
    let board = block_on(board.open()).expect("a copy is a board");
    let subscriptions = mixed::listen(&*board.store, clients).expect("they listen");
    let board = block_on(board.close()).expect("the board is closed");
    (board, subscriptions)
}
