//! The rules of the board: plain functions from what is (a [`View`]), the time and new ids to what is to be
//! written. They touch no thread, clock, disk or channel, and `docs/semantics.md` lives here, once, for every
//! engine. Check first, write last.

mod ask;
mod authority;
mod claim;
mod create;
mod draft;
mod end;
mod group_rows;
mod hold;
mod import;
mod keep;
mod life;
mod links;
mod review;
mod settle;
mod subscribe;
mod talk;
#[cfg(test)]
mod testbed;

pub(crate) use self::ask::{
    AskPauses, AskPolicy, AskSeq, AskStats, AttachmentsOf, ChildrenOf, CommentsOf, IdsByPrefix,
    LatestSummaries, ParentsOf, Pending, RunsOf, TaskById, TasksByIds, detail,
};
pub(crate) use self::authority::{RunEnd, end_run};
pub(crate) use self::claim::ripen;
pub(crate) use self::create::check_max_runtime;
pub(crate) use self::draft::{Decided, Draft, Refusal};
pub(crate) use self::end::ERROR_BYTES_MAX;
pub(crate) use self::group_rows::GroupRows;
pub(crate) use self::hold::check_streak;
pub(crate) use self::keep::Collectable;
pub(crate) use self::links::{CHILDREN_MAX, PARENTS_MAX, SUBSCRIPTIONS_MAX};
pub(crate) use self::settle::land;
pub(crate) use self::subscribe::{check_kind, check_kinds};
pub(crate) use self::talk::{check_comment, check_size};

use crate::error::{Invalid, Result};
use crate::request::Effect;
use crate::view::View;

/// How many kinds a filter or a subscription may name.
const KINDS_MAX: usize = 100;

/// A write operation: decides on a draft what is to be written.
pub(crate) trait Command: Send + 'static {
    /// What the caller gets.
    type Answer: Send + 'static;

    /// Decides. May be called again on another draft, when a group is run again.
    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Self::Answer>;
}

/// A read operation: asks one snapshot.
pub(crate) trait Question: Send + 'static {
    /// What the caller gets.
    type Answer: Send + 'static;

    /// Asks.
    fn ask(&self, view: &dyn View) -> Result<Self::Answer>;
}

/// Refuses a number of rows of none or of too many.
fn check_limit(limit: usize, max: usize) -> std::result::Result<(), Invalid> {
    match limit {
        0 => Err(Invalid::below("limit", 1, 0)),
        _ if limit > max => Err(Invalid::above("limit", max as u64, limit as u64)),
        _ => Ok(()),
    }
}

/// What a command that decided to answer says: its effect is `Applied` if the draft has changes.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    pub(crate) value: T,
    pub(crate) repeated: bool,
}

impl<T> Answered<T> {
    /// An answer of the first time.
    pub(crate) const fn new(value: T) -> Self {
        Self {
            value,
            repeated: false,
        }
    }

    /// The answer of a repeat: what the first time left.
    pub(crate) const fn again(value: T) -> Self {
        Self {
            value,
            repeated: true,
        }
    }

    pub(crate) const fn effect(&self, wrote: bool) -> Effect {
        match (self.repeated, wrote) {
            (true, _) => Effect::Repeated,
            (false, true) => Effect::Applied,
            (false, false) => Effect::Unchanged,
        }
    }
}
