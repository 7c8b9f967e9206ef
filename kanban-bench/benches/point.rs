//! Each operation alone, one call at a time; and reads by many callers. Beside them the engine's limit, where there is one, and
//! beside the reads the patterns of the field report.

mod run;

use kanban_bench::extent::{CLIENTS, TASKS};
use kanban_bench::limit::{LIMIT, synchronous};
use kanban_bench::pattern::Pattern;
use kanban_bench::subject::{Store, Subject};
use kanban_bench::workload::point::{self, Point};
use kanban_bench::workload::reads;

use self::run::{Counted, Id, Run};

fn main() {
    let mut run = Run::start();
    for subject in run.subjects() {
        for point in Point::ALL {
            alone(&mut run, subject, *point);
        }
        for clients in CLIENTS.iter().copied().filter(|clients| *clients > 1) {
            reading(&mut run, subject, clients);
        }
    }
    run.end();
}

fn alone(run: &mut Run, subject: Subject, point: Point) {
    let id = Id {
        what: point.as_str(),
        subject,
        tasks: TASKS,
        clients: 1,
        calls: 1,
    };
    run.by_store(id, |board, template, rounds| {
        let store = &*board.store;
        Counted::of(board, || {
            point::by_store(store, point, 1, rounds, &template.ids)
        })
    });
    if point.has_limit() {
        run.beside(id, LIMIT, 1, |board, tasks, rounds| {
            let outcome = point::by_hand(subject, &board.file(), point, 1, rounds, tasks);
            outcome.expect("it has a limit")
        });
    }
}

/// How many reads of a client are a round: one alone is shorter than it takes to wake a thread.
const READS: usize = 100;

fn reading(run: &mut Run, subject: Subject, clients: usize) {
    let id = Id {
        what: Point::Task.as_str(),
        subject,
        tasks: TASKS,
        clients,
        calls: READS,
    };
    run.by_store(id, |board, template, rounds| {
        let store = &*board.store;
        Counted::of(board, || {
            reads::by_store(store, clients, READS * rounds, &template.ids)
        })
    });
    run.beside(id, LIMIT, 0, |board, tasks, rounds| {
        let ids: Vec<_> = tasks.iter().map(|task| task.id.clone()).collect();
        reads::by_hand(subject, &board.file(), clients, READS * rounds, &ids)
    });
    if subject.store == Store::Sqlite {
        for pattern in Pattern::ALL {
            run.beside(id, pattern.as_str(), 0, |board, tasks, rounds| {
                let ids: Vec<_> = tasks.iter().map(|task| task.id.clone()).collect();
                let size = (clients, READS * rounds);
                pattern.read(&board.file(), synchronous(subject), size, &ids)
            });
        }
    }
}
