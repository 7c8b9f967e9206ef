//! All claim from one column with `claim_next`, by the store and by hand.

mod boards;
mod run;

use kanban_bench::beside::Other;
use kanban_bench::fill;
use kanban_bench::subject::{self, Subject};
use kanban_bench::turns::Rounds;
use kanban_bench::workload::claim_next;
use pollster::block_on;

use self::run::{Id, Run};

fn main() {
    let mut run = Run::start();
    for subject in subject::measured(run.extent) {
        for clients in run.extent.clients() {
            claims(&mut run, subject, *clients);
        }
    }
    run.end();
}

fn claims(run: &mut Run, subject: Subject, clients: usize) {
    let id = Id {
        what: claim_next::CONTENTION,
        subject,
        tasks: run.extent.tasks(),
        clients,
        calls: 1,
    };
    let limit = Other::limit(clients, |hand| {
        let (calls, tasks) = (clients * hand.rounds, &hand.known.tasks);
        claim_next::by_hand(subject, &hand.file, hand.group, calls, tasks)
    });
    boards::compare(
        run,
        id,
        &|board, _, rounds| {
            block_on(fill::tasks(&*board.store, clients * rounds))?;
            Rounds::of(board, 1.0, || {
                claim_next::by_store(&*board.store, clients, rounds)
            })
        },
        vec![limit],
    );
}
