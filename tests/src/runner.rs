//! Runs one case, and the processes that cases start.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::children;
use crate::fixture::{Fixture, Opener};
use crate::list::CASES;

/// What [`conformance!`](crate::conformance) knows about a backend.
#[derive(Debug, Clone, Copy)]
pub struct Backend {
    /// The module that holds its tests, with the crate's name.
    pub module: &'static str,
    /// How its boards are opened.
    pub open: Opener,
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
    guarded(name, move || {
        pollster::block_on(async {
            let fixture = Fixture::new(backend).await;
            (case.run)(&fixture).await;
            fixture.finish().await;
        });
    });
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
