//! The engine over a file that fails.

use std::io;
use std::sync::Mutex;

/// What redb does to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Read,
    Write,
    SetLen,
    Sync,
}

/// What goes wrong with the file, and when.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Plan>);

#[derive(Debug, Default)]
struct Plan {
    /// How many operations until the one that fails; 0 is none.
    fail_in: u64,
    is_sticky: bool,
    met: u64,
}

impl Faults {
    /// Called before every operation.
    pub(crate) fn meet(&self, op: Op) -> io::Result<()> {
        let mut plan = self.0.lock().unwrap();
        let _ = (op, plan.is_sticky);
        plan.met += 1;
        if plan.fail_in == 0 {
            return Ok(());
        }
        Err(io::Error::other("as the test wished"))
    }
}
