//! A clock that a case moves, and ids that it can foretell.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use kanban_core::{Clock, IdSource, Millis, TaskId};

/// A clock that stands still until it is moved. It starts at [`START`](Self::START).
#[derive(Debug)]
pub struct TestClock {
    now: AtomicI64,
    gate: Mutex<Gate>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Gate {
    /// The case's own thread, while the gate is shut: it alone passes.
    shut_by: Option<ThreadId>,
    waiting: usize,
}

impl TestClock {
    /// 2025-06-15, in the afternoon.
    pub const START: Millis = Millis::new(1_750_000_000_000);

    /// A clock that stands at a time.
    #[must_use]
    pub fn at(now: Millis) -> Self {
        Self {
            now: AtomicI64::new(now.get()),
            gate: Mutex::default(),
            moved: Condvar::new(),
        }
    }

    /// The time it shows, whatever the gate says.
    #[must_use]
    pub fn time(&self) -> Millis {
        Millis::new(self.now.load(Ordering::SeqCst))
    }

    /// Moves it forward.
    pub fn advance(&self, span: Duration) {
        self.jump(self.time().after(span));
    }

    /// Sets it, forward or back.
    pub fn jump(&self, to: Millis) {
        self.now.store(to.get(), Ordering::SeqCst);
    }

    /// From now on every other thread that reads the clock waits, until the answer is dropped. A store reads the clock
    /// once per command on its writer's thread, so this holds the writer in the middle of a command.
    pub fn hold(&self) -> Held<'_> {
        self.lock().shut_by = Some(thread::current().id());
        Held(self)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Millis {
        let mut gate = self.lock();
        gate.waiting += 1;
        self.moved.notify_all();
        while gate.shut_by.is_some_and(|by| by != thread::current().id()) {
            gate = self
                .moved
                .wait(gate)
                .unwrap_or_else(PoisonError::into_inner);
        }
        gate.waiting -= 1;
        drop(gate);
        self.time()
    }
}

/// A clock that lets nobody read it.
#[derive(Debug)]
#[must_use = "the clock goes on when this is dropped"]
pub struct Held<'a>(&'a TestClock);

impl Held<'_> {
    /// Returns once another thread waits for the time.
    pub fn until_somebody_waits(&self) {
        let mut gate = self.0.lock();
        while gate.waiting == 0 {
            gate = self
                .0
                .moved
                .wait(gate)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.lock().shut_by = None;
        self.0.moved.notify_all();
    }
}

/// Ids in the form of the default generator, counted from 1.
#[derive(Debug, Default)]
pub struct TestIds {
    tasks: AtomicU64,
    numbers: AtomicU64,
    panics: AtomicBool,
}

impl TestIds {
    /// The next call for a task id panics, in the middle of the rule that makes the task.
    pub fn panic_once(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }
}

impl IdSource for TestIds {
    fn task_id(&self, _now: Millis) -> TaskId {
        assert!(
            !self.panics.swap(false, Ordering::SeqCst),
            "the case wanted this panic"
        );
        let number = self.tasks.fetch_add(1, Ordering::SeqCst) + 1;
        TaskId::new(format!("t_{number:026}")).expect("28 letters and digits are an id")
    }

    fn random(&self) -> u64 {
        // Distinct for every call and spread over all bits: a Weyl sequence through one round of mixing.
        let number = self.numbers.fetch_add(1, Ordering::SeqCst) + 1;
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed ^ (mixed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
    }
}
