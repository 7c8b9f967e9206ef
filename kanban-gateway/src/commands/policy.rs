//! The board's limits.

use std::time::Duration;

use kanban_core::{Policy, SetPolicy};
use pollster::block_on;
use serde::Serialize;

use crate::cli::{PolicyArgs, PolicyCommand};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, pairs};
use crate::values;

use super::Board;

pub(super) fn policy(
    board: &Board,
    command: &PolicyCommand,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        PolicyCommand::Show => {
            let read = block_on(board.store.policy())?;
            output.read(&read, policy_text)?;
        }
        PolicyCommand::Set(args) => set(board, args, output)?,
    }
    Ok(Exit::Done)
}

/// What was set, and what it was before.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PolicySet {
    before: Policy,
    now: Policy,
}

fn set(board: &Board, args: &PolicyArgs, output: &mut Output) -> Result<(), Failure> {
    let old = block_on(board.store.policy())?.value;
    let now = Policy {
        claim_ttl_ms: millis("claim_ttl", args.claim_ttl.as_deref(), old.claim_ttl_ms)?,
        failure_limit: args.failure_limit.unwrap_or(old.failure_limit),
        backoff_base_ms: millis(
            "backoff_base",
            args.backoff_base.as_deref(),
            old.backoff_base_ms,
        )?,
        backoff_max_ms: millis(
            "backoff_max",
            args.backoff_max.as_deref(),
            old.backoff_max_ms,
        )?,
        block_streak_limit: args.block_streak_limit.unwrap_or(old.block_streak_limit),
        review_round_limit: args.review_round_limit.unwrap_or(old.review_round_limit),
    };
    let set = SetPolicy {
        policy: now.clone(),
        actor: values::label("actor", &args.actor)?,
    };
    let written = block_on(board.store.set_policy(set))?;
    let answer = PolicySet {
        before: written.value,
        now,
    };
    output.answer(
        Some(written.seq),
        Some(written.effect),
        &answer,
        |answer, paint| policy_text(&answer.now, paint),
    )
}

fn millis(field: &'static str, text: Option<&str>, old: u64) -> Result<u64, Failure> {
    let Some(text) = text else { return Ok(old) };
    let span = values::span(field, text)?;
    Ok(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

fn policy_text(policy: &Policy, _: Paint) -> String {
    pairs(&[
        ("claim ttl", span_text(policy.claim_ttl_ms)),
        ("failure limit", policy.failure_limit.to_string()),
        ("backoff base", span_text(policy.backoff_base_ms)),
        ("backoff max", span_text(policy.backoff_max_ms)),
        ("block streak limit", policy.block_streak_limit.to_string()),
        ("review round limit", policy.review_round_limit.to_string()),
    ])
}

/// A duration, as the command line takes it.
fn span_text(millis: u64) -> String {
    let seconds = Duration::from_millis(millis).as_secs();
    match (millis % 1000, seconds % 60, seconds % 3600) {
        (0, 0, 0) => format!("{}h", seconds / 3600),
        (0, 0, _) => format!("{}m", seconds / 60),
        (0, _, _) => format!("{seconds}s"),
        _ => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_duration_can_be_given_back() {
        for millis in [1, 999, 1000, 30_000, 90_000, 900_000, 3_600_000, 5_400_000] {
            let read = values::span("ttl", &span_text(millis)).expect("a duration");
            assert_eq!(read, Duration::from_millis(millis));
        }
    }
}
