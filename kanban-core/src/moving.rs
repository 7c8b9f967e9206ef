//! Moving boards: a whole board as lines of JSON, and back (`docs/semantics.md` section 19).
//!
//! An export is written over a [`View`](crate::View) and an import over a [`Txn`](crate::Txn), so that no engine has a
//! format of its own and the same board has the same bytes on each. What is carried and what is not:
//!
//! | | |
//! | --- | --- |
//! | carried | the board's row without its reservations, policy, pauses, tasks with their texts, links, runs, comments, attachments, subscriptions, events |
//! | carried, and checked against a recount | `open_parents` |
//! | recomputed | the counters by status and assignee, every index, the marks `waiting` and `collectable` |
//! | left behind | group marks, reservations, the boot of the machine: they belong to the files, not to the board |

mod export;
mod import;
mod line;
mod spool;

pub(crate) use self::export::export;
pub(crate) use self::import::import;
pub(crate) use self::spool::{TakenIn, hand_over, spool_in, take_in};
