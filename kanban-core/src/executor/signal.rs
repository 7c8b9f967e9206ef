//! Wakes everybody who waits for something to change.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use crate::sync::{Mutex, lock};

/// A count of changes, and those who wait for the next.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    changes: u64,
    /// By number.
    waiting: BTreeMap<u64, Waker>,
    next_number: u64,
}

impl Signal {
    /// How many changes there were.
    pub(crate) fn changes(&self) -> u64 {
        lock(&self.state).changes
    }

    /// How many wait.
    #[cfg(all(test, not(feature = "shuttle")))]
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.state).waiting.len()
    }

    /// Tells of a change.
    pub(crate) fn notify(&self) {
        let waiting = {
            let mut state = lock(&self.state);
            state.changes += 1;
            std::mem::take(&mut state.waiting)
        };
        for waker in waiting.into_values() {
            waker.wake();
        }
    }

    /// Returns once there were more changes than `seen`. Nothing between [`changes`](Self::changes) and this is missed.
    pub(crate) async fn changed(&self, seen: u64) {
        let mut waiter = Waiter {
            signal: self,
            number: None,
        };
        poll_fn(|context| waiter.poll(seen, context.waker())).await;
    }
}

/// A waiting future's entry, taken out when the future is dropped.
struct Waiter<'a> {
    signal: &'a Signal,
    number: Option<u64>,
}

impl Waiter<'_> {
    fn poll(&mut self, seen: u64, waker: &Waker) -> Poll<()> {
        let mut state = lock(&self.signal.state);
        if state.changes > seen {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert_with(|| {
            state.next_number += 1;
            state.next_number
        });
        state.waiting.insert(number, waker.clone());
        Poll::Pending
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            // The waker is dropped outside of the lock.
            let _gone = lock(&self.signal.state).waiting.remove(&number);
        }
    }
}
