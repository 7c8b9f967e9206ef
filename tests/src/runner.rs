//! Runs one case, and the processes that cases start.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::children;
use crate::fixture::{Fixture, Opener};
use crate::in_process::IN_PROCESS;
use crate::list::{CASES, Run};

/// What [`conformance!`](crate::conformance) knows about a backend.
#[derive(Debug, Clone, Copy)]
pub struct Backend {
    /// The module that holds its tests, with the crate's name.
    pub module: &'static str,
    /// How its boards are opened.
    pub open: Opener,
    /// Where its boards are.
    pub kept: Kept,
}

/// Where a backend keeps its boards. No case is left out for either: those of [`IN_PROCESS`] ask of a backend that
/// has its boards to itself that it refuses everybody else by name, instead of that it works with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kept {
    /// In files, which every process on the root can open at once.
    #[default]
    InFiles,
    /// In the memory of the process that made them. To another process a board is `Unavailable(InUse)` while that one
    /// has it, and `Unavailable(Io)` afterwards; nobody makes it anew until it is deleted.
    InProcess,
}

impl Backend {
    /// The name of a test of this backend, as `--exact` takes it.
    #[must_use]
    pub(crate) fn test(&self, name: &str) -> String {
        match self.module.split_once("::") {
            Some((_krate, module)) => format!("{module}::{name}"),
            None => name.to_owned(),
        }
    }
}

/// Longer than any case takes on a slow machine. The only wall time of the suite.
const HANG_GUARD: Duration = Duration::from_mins(1);

/// Runs a case on a thread of its name and a fresh root, then checks every board of that root.
///
/// # Panics
/// As the case does; if a board is not sound afterwards; if the case hangs.
pub fn run_case(backend: &Backend, name: &'static str) {
    let case = CASES
        .iter()
        .find(|case| case.name == name)
        .unwrap_or_else(|| panic!("no case is named {name}"));
    let backend = *backend;
    let run = instead(backend.kept, name).unwrap_or(case.run);
    guarded(name, move || {
        pollster::block_on(async {
            let fixture = Fixture::new(backend).await;
            run(&fixture).await;
            fixture.finish().await;
        });
    });
}

/// What a case asks of a backend that keeps no files, where that is something else.
fn instead(kept: Kept, name: &str) -> Option<Run> {
    let mut others = IN_PROCESS.iter().filter(|_| kept == Kept::InProcess);
    others.find(|case| case.name == name).map(|case| case.run)
}

/// Plays the part that a case gave this process; does nothing in a process that no case started.
///
/// # Panics
/// As the part does.
pub fn run_child(backend: &Backend) {
    let backend = *backend;
    guarded("child", move || children::play(backend));
}

fn guarded(name: &str, work: impl FnOnce() + Send + 'static) {
    // Nothing is ever sent: the end that the thread holds is dropped when it ends, in whatever way.
    let (alive, ended) = sync_channel::<()>(0);
    let thread = thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let _alive = alive;
            work();
        })
        .expect("the system has room for a thread");
    assert_ne!(
        ended.recv_timeout(HANG_GUARD),
        Err(RecvTimeoutError::Timeout),
        "expected that {name} ends, found it hanging after {HANG_GUARD:?}"
    );
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
