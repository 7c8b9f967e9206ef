//! Each operation alone, one call at a time; and reads by many callers. Beside them the engine's limit, and beside the reads
//! the patterns of the field report.

mod boards;
mod run;

use kanban_bench::beside::{Given, Other};
use kanban_bench::extent::Extent;
use kanban_bench::limit::synchronous;
use kanban_bench::pattern::Pattern;
use kanban_bench::subject::{self, LAZY_ONES, Store, Subject};
use kanban_bench::turns::Rounds;
use kanban_bench::workload::point::{self, Point};
use kanban_bench::workload::reads;
use kanban_core::{Options, TaskId};

use self::run::{Id, Run};

/// What a lazy board makes cheaper, of all that writes.
const LAZY_POINTS: &[Point] = &[Point::Create, Point::Claim];

fn main() {
    let mut run = Run::start();
    for subject in subject::measured(run.extent) {
        for point in Point::ALL {
            alone(&mut run, subject, *point);
        }
        for clients in run.extent.clients() {
            reading(&mut run, subject, *clients);
        }
    }
    if run.extent != Extent::Quick {
        for subject in LAZY_ONES {
            for point in LAZY_POINTS {
                alone(&mut run, *subject, *point);
            }
        }
    }
    run.end();
}

fn alone(run: &mut Run, subject: Subject, point: Point) {
    let id = Id {
        what: point.as_str(),
        subject,
        tasks: run.extent.tasks(),
        clients: 1,
        calls: 1,
    };
    boards::compare(
        run,
        id,
        &|board, tasks, rounds| {
            let outcome = point::by_store(&*board.store, point, 1, rounds, tasks)?;
            Ok(Rounds::unshared(&outcome))
        },
        vec![Other::limit_of(point, subject)],
    );
}

/// How many reads of a client are a round: one alone is shorter than it takes to wake a thread.
const READS: usize = 100;

fn reading(run: &mut Run, subject: Subject, clients: usize) {
    let id = Id {
        what: Point::Task.as_str(),
        subject,
        tasks: run.extent.tasks(),
        clients,
        calls: READS,
    };
    // Alone it is a point.
    if clients == 1 {
        return;
    }
    let ids = |given: &Given<'_>| -> Vec<TaskId> { given.known.template.ids.clone() };
    let mut others = vec![Other::limit(0, |given| {
        let threads = Options::default().reader_threads;
        reads::by_hand(subject, &given.file, threads, given.rounds, &ids(given))
    })];
    if subject.store == Store::Sqlite {
        others.extend(Pattern::ALL.iter().map(|pattern| {
            Other::pattern(*pattern, 0, |given| {
                let size = (clients, given.rounds);
                pattern.read(&given.file, synchronous(subject), size, &ids(given))
            })
        }));
    }
    boards::compare(
        run,
        id,
        &|board, tasks, rounds| {
            let outcome = reads::by_store(&*board.store, clients, READS * rounds, tasks)?;
            Ok(Rounds::unshared(&outcome))
        },
        others,
    );
}
