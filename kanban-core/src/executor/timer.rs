//! The one place that waits for time to pass: a thread that wakes futures.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::sync::{Arc, Condvar, JoinHandle, Mutex, join, lock, spawn, wait, wait_for};

/// Wakes futures after a while. Stopped and joined by [`stop`](Self::stop), stopped by its drop.
#[derive(Debug)]
pub(crate) struct Timer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// By how much a test has put the clock forward.
    #[cfg(test)]
    ahead: std::sync::Mutex<Duration>,
}

#[derive(Debug, Default)]
struct State {
    /// By moment and number.
    sleepers: BTreeMap<(Instant, u64), Waker>,
    next_number: u64,
    is_stopped: bool,
}

impl Timer {
    /// Starts the thread.
    pub(crate) fn start() -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = spawn("kanban-timer".to_owned(), move || run(&theirs))?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The moment now, for a thread that waits by itself.
    #[cfg_attr(
        not(test),
        expect(clippy::unused_self, reason = "under test each timer has its own time")
    )]
    pub(crate) fn now(&self) -> Instant {
        #[cfg(test)]
        return now() + *self.shared.ahead.lock().expect("nobody panics with it");
        #[cfg(not(test))]
        now()
    }

    /// Puts the clock forward for those who ask it; sleepers sleep on.
    #[cfg(all(test, not(feature = "shuttle")))]
    pub(crate) fn advance(&self, span: Duration) {
        *self.shared.ahead.lock().expect("nobody panics with it") += span;
    }

    /// Returns after a while; at once if the timer was stopped.
    pub(crate) async fn sleep(&self, span: Duration) {
        // A span that the clock cannot hold is as good as a year.
        let now = now();
        let at = now
            .checked_add(span)
            .unwrap_or(now + Duration::from_hours(24 * 365));
        let mut sleeper = Sleeper {
            shared: &self.shared,
            key: None,
        };
        poll_fn(|context| sleeper.poll(at, context.waker())).await;
    }

    /// Ends the thread and waits for it. Sleepers are woken.
    pub(crate) fn stop(&self) {
        self.ask_to_stop();
        if let Some(thread) = lock(&self.thread).take() {
            join(thread);
        }
    }

    fn ask_to_stop(&self) {
        lock(&self.shared.state).is_stopped = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.ask_to_stop();
    }
}

/// A waiting future's entry, taken out when the future is dropped.
struct Sleeper<'a> {
    shared: &'a Shared,
    key: Option<(Instant, u64)>,
}

impl Sleeper<'_> {
    fn poll(&mut self, at: Instant, waker: &Waker) -> Poll<()> {
        let mut state = lock(&self.shared.state);
        if state.is_stopped {
            return Poll::Ready(());
        }
        match self.key {
            // The thread takes out whom it wakes.
            Some(key) if !state.sleepers.contains_key(&key) => return Poll::Ready(()),
            Some(key) => {
                state.sleepers.insert(key, waker.clone());
            }
            None => {
                let key = (at, state.next_number);
                state.next_number += 1;
                state.sleepers.insert(key, waker.clone());
                self.key = Some(key);
                self.shared.changed.notify_all();
            }
        }
        Poll::Pending
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            lock(&self.shared.state).sleepers.remove(&key);
        }
    }
}

fn run(shared: &Shared) {
    let mut state = lock(&shared.state);
    loop {
        if state.is_stopped {
            let sleepers = std::mem::take(&mut state.sleepers);
            drop(state);
            sleepers.into_values().for_each(Waker::wake);
            return;
        }
        let Some((&key, _)) = state.sleepers.first_key_value() else {
            state = wait(&shared.changed, state);
            continue;
        };
        let left = key.0.saturating_duration_since(now());
        if left.is_zero() || cfg!(feature = "shuttle") {
            let waker = state.sleepers.remove(&key);
            drop(state);
            waker.into_iter().for_each(Waker::wake);
            state = lock(&shared.state);
        } else {
            state = wait_for(&shared.changed, state, left);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the seam of timed waits")]
fn now() -> Instant {
    Instant::now()
}

/// Which of two futures was ready first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    /// The one.
    One,
    /// The other.
    Other,
}

/// Returns when the first of two futures is ready.
pub(crate) async fn first_of(
    one: impl Future<Output = ()>,
    other: impl Future<Output = ()>,
) -> First {
    let mut one = pin!(one);
    let mut other = pin!(other);
    poll_fn(|context| {
        if Pin::as_mut(&mut one).poll(context).is_ready() {
            return Poll::Ready(First::One);
        }
        Pin::as_mut(&mut other).poll(context).map(|()| First::Other)
    })
    .await
}
