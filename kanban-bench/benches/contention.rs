//! All claim from one column with `claim_next`, beside it the engine's limit and the patterns of the field report.

mod boards;
mod run;

use kanban_bench::beside::Other;
use kanban_bench::fill;
use kanban_bench::limit::synchronous;
use kanban_bench::pattern::Pattern;
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
    let mut others = vec![Other::limit(clients, |given| {
        let (calls, tasks) = (clients * given.rounds, &given.known.tasks);
        claim_next::by_hand(subject, &given.file, given.group, calls, tasks)
    })];
    let patterns = Pattern::beside_writes(run.extent, subject, clients);
    others.extend(patterns.iter().map(|pattern| {
        Other::pattern(*pattern, clients, |given| {
            let size = (clients, given.rounds);
            pattern.claim_next(&given.file, synchronous(subject), size)
        })
    }));
    boards::compare(
        run,
        id,
        &|board, _, rounds| {
            block_on(fill::tasks(&*board.store, clients * rounds))?;
            Rounds::of(board, 1.0, || {
                claim_next::by_store(&*board.store, clients, rounds)
            })
        },
        others,
    );
}
