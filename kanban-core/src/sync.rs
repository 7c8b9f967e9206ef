//! Threads, locks and timed waits, in one place: std's, or a controlled scheduler's under the feature
//! `shuttle`, so that interleavings can be explored. Nothing else in this crate names either.

use std::time::Duration;

#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, RwLock};
#[cfg(not(feature = "shuttle"))]
pub(crate) use std::thread::JoinHandle;

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard, RwLock};
#[cfg(feature = "shuttle")]
pub(crate) use shuttle::thread::JoinHandle;

use crate::error::{Error, Result, Unavailable};

/// Locks. A panic elsewhere under the lock does not matter: what it guards is changed by single steps only.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits for a notification; may return without one.
pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar
        .wait(guard)
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits for a notification, up to a span; may return earlier.
#[cfg(not(feature = "shuttle"))]
pub(crate) fn wait_for<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    span: Duration,
) -> MutexGuard<'a, T> {
    let waited = condvar.wait_timeout(guard, span);
    waited.unwrap_or_else(std::sync::PoisonError::into_inner).0
}

/// Under the scheduler every span is over at once, at a moment that the scheduler picks.
#[cfg(feature = "shuttle")]
pub(crate) fn wait_for<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    _span: Duration,
) -> MutexGuard<'a, T> {
    let waited = condvar.wait_timeout(guard, Duration::ZERO);
    waited.unwrap_or_else(std::sync::PoisonError::into_inner).0
}

/// Starts a named thread.
pub(crate) fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    #[cfg(not(feature = "shuttle"))]
    let started = std::thread::Builder::new().name(name).spawn(body);
    #[cfg(feature = "shuttle")]
    let started = shuttle::thread::Builder::new().name(name).spawn(body);
    started.map_err(|error| {
        Error::unavailable(Unavailable::Io, "starting a thread").with_source(error)
    })
}

/// Waits for a thread's end. Its panic was answered where it mattered.
pub(crate) fn join(thread: JoinHandle<()>) {
    let _ended = thread.join();
}
