//! The board's limits.

use kanban_core::{Policy, SetPolicy};
use pollster::block_on;
use serde::Serialize;

use crate::cli::{PolicyArgs, PolicyCommand};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, pairs, span};
use crate::values;

use super::Board;

pub(super) fn policy(
    board: &Board,
    command: &PolicyCommand,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        PolicyCommand::Show => {
            let read = block_on(board.store()?.policy())?;
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
    let claim_ttl = millis("claim_ttl", args.claim_ttl.as_deref())?;
    let backoff_base = millis("backoff_base", args.backoff_base.as_deref())?;
    let backoff_max = millis("backoff_max", args.backoff_max.as_deref())?;
    let actor = values::label("actor", &args.actor)?;
    let old = block_on(board.store()?.policy())?.value;
    let now = Policy {
        claim_ttl_ms: claim_ttl.unwrap_or(old.claim_ttl_ms),
        failure_limit: args.failure_limit.unwrap_or(old.failure_limit),
        backoff_base_ms: backoff_base.unwrap_or(old.backoff_base_ms),
        backoff_max_ms: backoff_max.unwrap_or(old.backoff_max_ms),
        block_streak_limit: args.block_streak_limit.unwrap_or(old.block_streak_limit),
        review_round_limit: args.review_round_limit.unwrap_or(old.review_round_limit),
    };
    let set = SetPolicy {
        policy: now.clone(),
        actor,
    };
    let written = block_on(board.store()?.set_policy(set))?;
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

fn millis(field: &'static str, text: Option<&str>) -> Result<Option<u64>, Failure> {
    let span = text.map(|text| values::span(field, text)).transpose()?;
    Ok(span.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
}

fn policy_text(policy: &Policy, _: Paint) -> String {
    pairs(&[
        ("claim ttl", span(policy.claim_ttl_ms)),
        ("failure limit", policy.failure_limit.to_string()),
        ("backoff base", span(policy.backoff_base_ms)),
        ("backoff max", span(policy.backoff_max_ms)),
        ("block streak limit", policy.block_streak_limit.to_string()),
        ("review round limit", policy.review_round_limit.to_string()),
    ])
}
