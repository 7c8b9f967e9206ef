//! Upkeep, and boards of elsewhere.

use kanban_core::{
    CollectEvents, Covered, ImportForeign, KeepClaims, Policy, PurgeSettled, SetPolicy,
};

use crate::calls::label;
use crate::histories::call::Call;
use crate::histories::dice::Dice;

pub(super) fn purge(dice: &mut Dice<'_>) -> PurgeSettled {
    PurgeSettled {
        older_than: dice.older_than(),
        limit: dice.limit(),
    }
}

pub(super) fn collect(dice: &mut Dice<'_>) -> CollectEvents {
    let limit = match dice.below(40) {
        0..20 => 100,
        20..38 => 1 + dice.below(5),
        38 => 0,
        _ => 10_001,
    };
    CollectEvents {
        older_than: dice.older_than(),
        limit,
        covered: dice.one(&[Covered::Keep, Covered::Keep, Covered::Remove]),
    }
}

pub(super) fn policy(dice: &mut Dice<'_>) -> SetPolicy {
    let day = 86_400_000;
    let policy = Policy {
        claim_ttl_ms: dice.one(&[900_000, 60_000, 1000, 1000, 30 * day, 999, 30 * day + 1]),
        failure_limit: dice.one(&[2, 1, 3, 2, 1000, 1001, 0]),
        backoff_base_ms: dice.one(&[30_000, 1, 30_000, 30_000, 0, 30 * day + 1]),
        backoff_max_ms: dice.one(&[3_600_000, 3_600_000, 60_000, 3_600_000, 29_999]),
        block_streak_limit: dice.one(&[2, 1, 3, 2, 2, 0]),
        review_round_limit: dice.one(&[10, 1, 2, 2, 2, 1001]),
    };
    let policy = if dice.chance(15) {
        Policy::default()
    } else {
        policy
    };
    SetPolicy {
        policy,
        actor: dice.actor(),
    }
}

/// Onto a board with tasks: refused.
pub(super) fn foreign(dice: &mut Dice<'_>) -> Option<Box<ImportForeign>> {
    let is_empty = dice.board.tasks.is_empty();
    (!is_empty).then(|| Box::new(ImportForeign::new(label("olga"), label("elsewhere"))))
}

/// Onto a board that was written: refused.
pub(super) fn lines(dice: &mut Dice<'_>) -> Option<Call> {
    let is_untouched = dice.board.counters.seq.get() == 0;
    let bytes = dice.board.export().into_bytes();
    let claims = dice.one(&[KeepClaims::No, KeepClaims::Yes]);
    (!is_untouched).then_some(Call::ImportLines(bytes, claims))
}
