//! What the size of a board costs: the operations of which each must stay as fast on a million tasks as on a thousand.

mod run;

use kanban_bench::workload::point::{self, Point};

use self::run::{Counted, ENGINES, Id, Run};

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
                // The size sets it apart from the same operation in the bench `point`.
                let id = Id {
                    what: &format!("scale_{}", point.as_str()),
                    subject: *subject,
                    tasks: *tasks,
                    clients: 1,
                    calls: 1,
                };
                run.by_store(id, |board, template, rounds| {
                    let store = &*board.store;
                    Counted::of(board, || {
                        point::by_store(store, *point, 1, rounds, &template.ids)
                    })
                });
            }
        }
    }
    run.end();
}
