//! How long rows are, and by how much they change: CBOR, a field after the other. What is in a row besides its length costs
//! redb nothing, and is not written.

use crate::limit::End;
use crate::limit::told::Told;
use crate::said::{CHANNEL, COMMENT, NEWS, WORKER};

/// An absent field.
const NONE: usize = 1;
/// A time in milliseconds.
const TIME: usize = 9;

/// A number: in one byte with what it is, or behind that.
const fn number(number: u64) -> usize {
    match number {
        0..24 => 1,
        24..0x100 => 2,
        0x100..0x1_0000 => 3,
        0x1_0000..0x1_0000_0000 => 5,
        _ => 9,
    }
}

/// A text: its length, in one byte or from 24 on in two, and its bytes.
const fn text(words: &str) -> usize {
    words.len() + 1 + (words.len() >= 24) as usize
}

/// A text that may be absent.
const fn maybe(words: Option<&str>) -> usize {
    match words {
        Some(words) => text(words),
        None => NONE,
    }
}

/// How long a new task's row is, without title, status and assignee.
const TASK: usize = 86;
/// A claim without its run: the head of its array, claimant, end, and four fields that are absent.
const CLAIM: usize = 1 + text(WORKER) + TIME + 4 * NONE;
/// A block: the head of its array, kind, no reason, by whom, when.
const BLOCK: usize = 1 + text("needs_input") + NONE + text(WORKER) + TIME;
/// A streak of blocks: the head of its array, kind, count.
const STREAK: usize = 1 + text("needs_input") + 1;
/// How long a run's row is while it is open, without its number and the name of the assignee.
const RUN: usize = 69;
/// How long an event's row is, without its numbers, run, kind, actor and data.
const EVENT: usize = 40;
/// How long a comment's row is, without its number.
const COMMENT_ROW: usize = 43 + WORKER.len() + COMMENT.len();
/// How long a subscription's row is, without its numbers and its address: the head of its array, the task, the channel, no
/// thread, one kind, no routing, the mode, when it was made, attempts, and three fields that are absent.
const SUBSCRIPTION: usize =
    1 + 30 + text(CHANNEL) + NONE + 1 + text(NEWS) + NONE + text("notify") + TIME + 1 + 3 * NONE;

/// By how many bytes a task's row changes where it is unblocked.
pub(super) const UNBLOCKED: isize = change(BLOCK, NONE) + moved("blocked", "ready");
/// By how many bytes a task's row changes where its only parent is done.
pub(super) const PROMOTED: isize = moved("todo", "ready");
/// By how many bytes the first heartbeat makes a task's row longer.
pub(super) const BEATEN: isize = change(NONE, TIME);

/// By how many bytes a task's row changes where it must wait for a parent.
pub(super) const DEMOTED: isize = -PROMOTED;

pub(super) const fn task(title: &str, status: &str, assignee: &str) -> usize {
    TASK + title.len() + status.len() + assignee.len()
}

/// By how many bytes a row changes where a text of such a length gets another.
pub(super) const fn reworded(from: usize, to: usize) -> isize {
    change(from + (from >= 24) as usize, to + (to >= 24) as usize)
}

pub(super) const fn run(run: u64, assignee: &str) -> usize {
    RUN + number(run) + assignee.len()
}

pub(super) const fn comment(comment: u64) -> usize {
    COMMENT_ROW + number(comment)
}

pub(super) const fn subscription(subscription: u64, address: &str) -> usize {
    // Its number and its cursor, which is that of its own event.
    SUBSCRIPTION + 2 * number(subscription) + text(address)
}

pub(super) const fn event(event: u64, told: &Told) -> usize {
    let run = match told.run {
        Some(run) => number(run.cast_unsigned()),
        None => NONE,
    };
    let actor = match told.actor {
        Some(actor) => text(actor),
        None => text(""),
    };
    // Its own number and the command's.
    EVENT + 2 * number(event) + run + text(told.kind) + actor + text(told.data.as_str())
}

/// By how many bytes a claim makes a task's row longer: when it was first started is told, too.
pub(super) const fn claimed(run: u64) -> isize {
    change(NONE, CLAIM + number(run)) + change(NONE, TIME) + moved("ready", "running")
}

/// By how many bytes a lease of an event makes a subscription's row longer.
pub(super) const fn leased(lease: u64) -> isize {
    change(NONE, 1 + number(lease) + TIME + number(lease))
}

/// By how many bytes a task's row changes where its run ends.
pub(super) const fn ended(end: End, run: u64, assignee: &str) -> isize {
    let unclaimed = change(CLAIM + number(run), NONE) + moved("running", end.status());
    unclaimed
        + match end {
            // Completed and settled since.
            End::Complete => 2 * change(NONE, TIME),
            // The last error, and until when it waits.
            End::Fail => change(NONE, text(End::Fail.outcome())) + change(NONE, TIME),
            End::Release => 0,
            End::Block => change(NONE, BLOCK) + change(NONE, STREAK),
            // The phase, and who has implemented it.
            End::Review => moved("work", "review") + change(NONE, text(assignee)),
        }
}

/// By how many bytes a run's row changes where it ends.
pub(super) const fn run_ended(end: End) -> isize {
    change(NONE, TIME) + change(NONE, text(end.outcome())) + change(NONE, maybe(end.summary()))
}

/// A word in place of another.
const fn moved(from: &str, to: &str) -> isize {
    change(from.len(), to.len())
}

const fn change(from: usize, to: usize) -> isize {
    to.cast_signed() - from.cast_signed()
}
