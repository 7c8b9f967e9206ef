//! What the size of a board costs: the operations of which each must stay as fast on a million tasks as on a thousand.

mod boards;
mod run;

use kanban_bench::beside::Other;
use kanban_bench::subject::{ENGINES, Subject};
use kanban_bench::turns::Rounds;
use kanban_bench::workload::point::{self, Point};

use self::run::{Id, Run};

const POINTS: &[Point] = &[
    Point::ClaimNext,
    Point::CompleteParent,
    Point::Task,
    Point::List,
    Point::Stats,
];

fn main() {
    let mut run = Run::start();
    for subject in ENGINES {
        for tasks in run.extent.sizes() {
            for point in POINTS {
                on_size(&mut run, *subject, *tasks, *point);
            }
        }
    }
    run.end();
}

fn on_size(run: &mut Run, subject: Subject, tasks: usize, point: Point) {
    // The size sets it apart from the same operation in the bench `point`.
    let id = Id {
        what: &format!("scale_{}", point.as_str()),
        subject,
        tasks,
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
