//! Whatever is imported, the board is sound afterwards.

use super::*;
use crate::progress::Tell;
use crate::verify::violations;

/// A board of random rows, most of them wrong in some way.
fn random_board(rng: &mut fastrand::Rng) -> ImportForeign {
    const IDS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "gone"];
    fn maybe<T>(rng: &mut fastrand::Rng, value: T) -> Option<T> {
        rng.bool().then_some(value)
    }
    let id = |rng: &mut fastrand::Rng| IDS[rng.usize(..IDS.len())];
    let at = |rng: &mut fastrand::Rng| Millis::new(rng.i64(-5..2_000_000));
    let mut board = board();
    for _ in 0..rng.usize(..12) {
        let status = Status::ALL[rng.usize(..Status::ALL.len())];
        let when = at(rng);
        board.tasks.push(ForeignTask {
            phase: Phase::ALL[rng.usize(..Phase::ALL.len())],
            created_at: at(rng),
            started_at: maybe(rng, when),
            completed_at: maybe(rng, when),
            wake_at: maybe(rng, when),
            idempotency_key: maybe(rng, label("k")),
            block: maybe(rng, block()),
            open_run: maybe(rng, 3),
            max_runtime: maybe(rng, 0),
            ..foreign(IDS[rng.usize(..IDS.len() - 1)], status)
        });
    }
    for _ in 0..rng.usize(..20) {
        board.links.push(link(id(rng), id(rng)));
    }
    for _ in 0..rng.usize(..10) {
        let when = at(rng);
        let outcome = Outcome::ALL[rng.usize(..Outcome::ALL.len())];
        board.runs.push(ForeignRun {
            claimant: maybe(rng, label("w")),
            expires_at: maybe(rng, when),
            must_end_by: maybe(rng, when),
            started_at: at(rng),
            ended_at: maybe(rng, when),
            outcome: maybe(rng, outcome),
            ..open(rng.u64(..6), id(rng))
        });
    }
    for _ in 0..rng.usize(..10) {
        let kinds = ["claimed", "completed", "strange"];
        let kind = kinds[rng.usize(..kinds.len())];
        let run = rng.u64(..6);
        let named = maybe(rng, run);
        board
            .events
            .push(event(rng.u64(..12), id(rng), kind, named));
        board.comments.push(comment(rng.u64(..6), id(rng)));
        let cursor = rng.u64(..20);
        board
            .subscriptions
            .push(subscription(id(rng), "mail", cursor));
    }
    board
}

#[test]
fn whatever_is_imported_breaks_no_invariant() {
    for seed in 0..2_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut into = MemoryBoard::new();
        if rng.bool() {
            into.state.counters.run = RunId::new(2);
            into.state.counters.event = EventId::new(4);
        }
        import(&mut into, random_board(&mut rng));
        let found = violations(&into, 10, &Tell::default()).expect("memory does not fail");
        assert_eq!(found, [], "seed {seed}");
    }
}
