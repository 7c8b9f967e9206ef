//! A history as it is drawn and shrunk: operations with dice, which mean something only on the board that they meet.

use proptest::prelude::Rng as _;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// How many throws a step has.
pub(super) const THROWS: usize = 24;

/// One step: what is called, and the throws that choose on whom and with what. All zero is the plainest call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) op: Op,
    pub(super) throws: [u8; THROWS],
}

/// So many steps come first that make tasks: on an empty board all calls are refused alike.
const CREATED_FIRST: usize = 5;

macro_rules! ops {
    ($($op:ident = $weight:literal,)*) => {
        /// What a step does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Op { $($op,)* }

        const WEIGHTS: &[(Op, u32)] = &[$((Op::$op, $weight),)*];
    };
}

ops! {
    Create = 95,
    CreateMany = 14,
    Update = 14,
    Assign = 14,
    Link = 30,
    Unlink = 12,
    Claim = 45,
    ClaimNext = 95,
    Heartbeat = 22,
    SetWorker = 14,
    ReclaimExpired = 22,
    WakeDue = 18,
    Complete = 60,
    Fail = 42,
    Release = 16,
    Pause = 10,
    Resume = 14,
    Block = 45,
    Unblock = 20,
    Promote = 32,
    Schedule = 22,
    RequestReview = 40,
    RequestChanges = 26,
    Reopen = 24,
    Specify = 18,
    Decompose = 20,
    Archive = 28,
    Restore = 18,
    Delete = 10,
    Comment = 12,
    Attach = 10,
    Detach = 7,
    Subscribe = 22,
    Unsubscribe = 6,
    LeaseEvents = 34,
    Ack = 22,
    Nack = 14,
    PurgeSettled = 8,
    SetPolicy = 7,
    Gc = 12,
    Ask = 80,
    Again = 45,
    Tick = 45,
    Due = 60,
    Crowd = 1,
    Reopened = 6,
    Moved = 4,
    ImportForeign = 2,
    ImportLines = 2,
}

/// Histories of a length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Histories {
    pub(super) len: usize,
}

impl Strategy for Histories {
    type Tree = History;
    type Value = Vec<Step>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let total: u32 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let rng = runner.rng();
        let steps = (0..self.len)
            .map(|number| {
                let mut place = rng.next_u32() % total;
                let mut op = Op::Create;
                for (candidate, weight) in WEIGHTS {
                    if place < *weight {
                        op = *candidate;
                        break;
                    }
                    place -= weight;
                }
                if number < CREATED_FIRST {
                    op = Op::Create;
                }
                let mut throws = [0; THROWS];
                rng.fill_bytes(&mut throws);
                Step { op, throws }
            })
            .collect::<Vec<_>>();
        Ok(History::new(steps))
    }
}

/// A history on its way to the shortest that fails: first pieces are left out, halves before single steps, then
/// throws become zero.
#[derive(Debug)]
pub(super) struct History {
    /// What is tried.
    tried: Vec<Step>,
    /// The shortest that is known to fail.
    failing: Vec<Step>,
    /// How `tried` was made of `failing`.
    trial: Trial,
}

#[derive(Debug, Clone, Copy)]
enum Trial {
    /// A piece of this length was left out here.
    LeaveOut { len: usize, at: usize },
    /// All throws of this step became zero.
    PlainStep { at: usize },
    /// One throw of this step became zero.
    PlainThrow { at: usize, throw: usize },
}

impl History {
    fn new(steps: Vec<Step>) -> Self {
        let len = steps.len().div_ceil(2).max(1);
        Self {
            failing: steps.clone(),
            tried: steps,
            trial: Trial::LeaveOut { len, at: 0 },
        }
    }

    /// The trial after this one; none after the last.
    fn after(&self, has_failed: bool) -> Option<Trial> {
        let count = self.failing.len();
        let next = match self.trial {
            // The piece behind the one that could go has moved to its place.
            Trial::LeaveOut { len, at } if has_failed => Trial::LeaveOut { len, at },
            Trial::LeaveOut { len, at } => Trial::LeaveOut { len, at: at + len },
            Trial::PlainStep { at } if has_failed => Trial::PlainStep { at: at + 1 },
            Trial::PlainStep { at } => Trial::PlainThrow { at, throw: 0 },
            Trial::PlainThrow { at, throw } if throw + 1 < THROWS => Trial::PlainThrow {
                at,
                throw: throw + 1,
            },
            Trial::PlainThrow { at, .. } => Trial::PlainStep { at: at + 1 },
        };
        match next {
            Trial::LeaveOut { len: 1, at } if at >= count => Some(Trial::PlainStep { at: 0 }),
            Trial::LeaveOut { len, at } if at >= count => {
                let len = len.div_ceil(2).min(count.div_ceil(2)).max(1);
                Some(Trial::LeaveOut { len, at: 0 })
            }
            other => Some(other),
        }
        .filter(|next| !matches!(next, Trial::PlainStep { at } if *at >= count))
    }

    /// Makes the next candidate that differs from what is known to fail.
    fn next(&mut self, mut has_failed: bool) -> bool {
        if has_failed {
            self.failing.clone_from(&self.tried);
        }
        while let Some(trial) = self.after(has_failed) {
            self.trial = trial;
            has_failed = false;
            self.tried.clone_from(&self.failing);
            match trial {
                Trial::LeaveOut { len, at } => {
                    let end = (at + len).min(self.tried.len());
                    self.tried.drain(at..end);
                }
                Trial::PlainStep { at } => self.tried[at].throws = [0; THROWS],
                Trial::PlainThrow { at, throw } => self.tried[at].throws[throw] = 0,
            }
            if self.tried != self.failing {
                return true;
            }
        }
        self.tried.clone_from(&self.failing);
        false
    }
}

impl ValueTree for History {
    type Value = Vec<Step>;

    fn current(&self) -> Vec<Step> {
        self.tried.clone()
    }

    fn simplify(&mut self) -> bool {
        self.next(true)
    }

    fn complicate(&mut self) -> bool {
        self.next(false)
    }
}
