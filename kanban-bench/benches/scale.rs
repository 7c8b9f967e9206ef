//! What the size of a board costs: the operations of which each must stay as fast on a million tasks as on a thousand. An id that
//! ends in `1k_tasks` is the ratio to the store on the smallest board, as the report has it.

mod boards;
mod run;

use kanban_bench::beside::Other;
use kanban_bench::fill;
use kanban_bench::subject::{ENGINES, Subject};
use kanban_bench::turns::Rounds;
use kanban_bench::workload::point::{self, Point};

use self::boards::{Kept, Work};
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
    let work: Work<'_> = &|board, tasks, rounds| {
        let outcome = point::by_store(&*board.store, point, 1, rounds, tasks)?;
        Ok(Rounds::unshared(&outcome))
    };
    boards::compare(run, id, work, vec![Other::limit_of(point, subject)]);
    if let Some(smallest) = run.extent.sizes().first().filter(|size| **size < tasks) {
        let mut large = Kept::new(run, subject, tasks, work);
        let mut small = Kept::new(run, subject, *smallest, work);
        let turn = run.extent.turn(subject.durability);
        let name = fill::size_name(*smallest);
        let mut on_smallest = |rounds, _| small.rounds(rounds).took;
        run.ratio(
            id,
            turn,
            &mut |rounds| large.rounds(rounds),
            (&name, &mut on_smallest),
        );
    }
}
