//! All claim from one column with `claim_next`, by the store and by hand.

mod run;

use kanban_bench::extent::{CLIENTS, TASKS};
use kanban_bench::fill;
use kanban_bench::limit::LIMIT;
use kanban_bench::workload::claim_next;
use pollster::block_on;

use self::run::{Counted, Id, Run};

fn main() {
    let mut run = Run::start();
    for subject in run.subjects() {
        for clients in CLIENTS.iter().copied() {
            let id = Id {
                what: claim_next::CONTENTION,
                subject,
                tasks: TASKS,
                clients,
                calls: 1,
            };
            let group = run.by_store(id, |board, _, rounds| {
                block_on(fill::tasks(&*board.store, clients * rounds))?;
                Counted::of(board, || {
                    claim_next::by_store(&*board.store, clients, rounds)
                })
            });
            run.beside(id, LIMIT, clients, |board, tasks, rounds| {
                let group = group.unwrap_or(clients);
                claim_next::by_hand(subject, &board.file(), group, clients * rounds, tasks)
            });
        }
    }
    run.end();
}
